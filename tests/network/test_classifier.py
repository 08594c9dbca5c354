"""What a Classifier answers, and heat of it, against the network in NumPy, finite differences and taking points out."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from numpy_network import NumpyNetwork

from utils import metrics
from utils.explain import heat
from utils.explain.methods import METHODS
from utils.network import checkpoint, checkpoint_files, classifier, derivatives, parts

LABEL = 8


@pytest.fixture(scope="module")
def tiny_classifier(tiny_log):
    with checkpoint.restore(checkpoint_files.find(None, tiny_log), gpu=-1) as network:
        yield classifier.Classifier(network)


@pytest.fixture(scope="module")
def by_hand(tiny_log):
    """The small network of the checkpoint, in float64."""
    return NumpyNetwork(checkpoint_files.find(None, tiny_log))


@pytest.fixture
def cloud(rng):
    return rng.uniform(-0.7, 0.7, (64, 3)).astype(np.float32)


def _quantities(classifier_, names, clouds, labels):
    """Each quantity of all clouds, the batches put together."""
    return [np.concatenate(parts) for parts in zip(*classifier_.quantities(names, clouds, labels))]


def _of_cloud(classifier_, names, cloud, label):
    """Each quantity of one cloud."""
    return [values[0] for values in _quantities(classifier_, names, cloud[np.newaxis], label)]


def _quantity(classifier_, name, cloud, label):
    return _of_cloud(classifier_, [name], cloud, label)[0]


def _slopes(value_of, point, directions, step):
    """Derivatives along directions, from both sides."""
    return np.array([(value_of(point + step * way) - value_of(point - step * way)) / (2 * step) for way in directions])


def _directions(rng, shape, count=12):
    found = rng.standard_normal((count,) + shape)
    return found / np.linalg.norm(found.reshape(count, -1), axis=1).reshape((count,) + (1,) * len(shape))


def _assert_gradient(gradient, value_of, point, rng):
    directions = _directions(rng, point.shape)
    slopes = _slopes(value_of, point.astype(np.float64), directions, 1e-6)
    wanted = (directions * gradient).reshape(len(directions), -1).sum(axis=1)
    # A ReLU or a maximum that changes hands within a step would spoil single directions.
    assert np.median(abs(slopes - wanted)) < 1e-4 * np.linalg.norm(gradient)


def test_logits_are_those_of_the_paper(tiny_classifier, by_hand, cloud):
    np.testing.assert_allclose(
        tiny_classifier.logits(cloud[np.newaxis])[0], by_hand.logits(cloud), rtol=1e-4, atol=1e-4
    )


def test_the_classes_are_named_as_the_network_names_them(tiny_classifier):
    assert tiny_classifier.class_names == tiny_classifier.network.class_names
    assert tiny_classifier.class_names[LABEL] == "chair"


def test_features_are_those_of_the_paper(tiny_classifier, by_hand, cloud):
    features = _quantity(tiny_classifier, "features", cloud, LABEL)
    assert features.shape == (64, 1024) and features.dtype == np.float32
    np.testing.assert_allclose(features, by_hand.features(cloud), rtol=1e-4, atol=1e-4)


def test_points_are_handed_on_as_they_are(tiny_classifier, cloud):
    np.testing.assert_array_equal(_quantity(tiny_classifier, "points", cloud, LABEL), cloud)


def test_loss_gradients_are_the_slope_of_the_loss(tiny_classifier, by_hand, cloud, rng):
    gradient = _quantity(tiny_classifier, "loss_gradients", cloud, LABEL)
    _assert_gradient(
        gradient, lambda points: metrics.cross_entropy(by_hand.logits(points)[np.newaxis], LABEL)[0], cloud, rng
    )


def test_the_loss_of_a_network_that_is_certain_has_a_gradient_of_its_own():
    with tf.Graph().as_default(), tf.Session() as session:
        logits = tf.constant([[30.0, 0.0, 1.0], [0.0, 2.0, 1.0]])
        is_class = tf.one_hot([0, 1], 3)
        loss = derivatives.cross_entropy(logits, is_class, tf.reduce_sum(logits * is_class, axis=1))
        losses, gradients = session.run([loss, tf.gradients(loss, logits)[0]])
    # Beside 1 the probability of the first cloud's class is 1 in float32, and 1 - p would be 0.
    ratio = np.exp(-30.0) + np.exp(-29.0)
    np.testing.assert_allclose(losses, [ratio, np.log(1 + np.exp(-2) + np.exp(-1))], rtol=1e-5)
    np.testing.assert_allclose(gradients[0], [-ratio, np.exp(-30.0), np.exp(-29.0)], rtol=1e-5)
    shares = np.exp([0.0, 2.0, 1.0]) / np.exp([0.0, 2.0, 1.0]).sum()
    np.testing.assert_allclose(gradients[1], shares - [0, 1, 0], rtol=1e-5)


def test_logit_gradients_are_the_slope_of_the_logit(tiny_classifier, by_hand, cloud, rng):
    gradient = _quantity(tiny_classifier, "logit_gradients", cloud, LABEL)
    _assert_gradient(gradient, lambda points: by_hand.logits(points)[LABEL], cloud, rng)


def test_feature_gradients_are_the_slope_of_the_logit_by_the_maxima(tiny_classifier, by_hand, cloud, rng):
    features, gradients = _quantities(tiny_classifier, ["features", "feature_gradients"], cloud[np.newaxis], LABEL)
    # One point holds each maximum that the logit depends on, so the sum over the points is the maximum's gradient.
    _assert_gradient(gradients[0].sum(axis=0), lambda maxima: by_hand.head(maxima)[LABEL], features[0].max(axis=0), rng)
    assert not gradients[features < features.max(axis=1, keepdims=True)].any()


def test_points_that_share_a_maximum_share_its_gradient(tiny_classifier, cloud):
    once = _quantity(tiny_classifier, "feature_gradients", cloud[:40], LABEL)
    cloud[40:] = cloud[:24]
    features, gradients = (
        values[0]
        for values in _quantities(tiny_classifier, ["features", "feature_gradients"], cloud[np.newaxis], LABEL)
    )
    is_maximum = features == features.max(axis=0)
    assert not gradients[~is_maximum].any()
    np.testing.assert_array_equal(gradients[40:], gradients[:24])
    # The first 24 points lie there twice, the 16 after them once.
    np.testing.assert_allclose(2 * gradients[:24], once[:24], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(gradients[24:40], once[24:], rtol=1e-3, atol=1e-6)


def test_gradients_of_other_clouds_are_those_that_these_have(tiny_classifier, rng):
    clouds = rng.uniform(-0.7, 0.7, (3, 20, 3)).astype(np.float32)
    labels = np.array([1, 8, 30])
    paths = rng.uniform(-0.7, 0.7, (3, 5, 20, 3)).astype(np.float32)
    ((gradients_of,),) = tiny_classifier.quantities(["logit_gradients_of"], clouds, labels)
    found = gradients_of(paths)
    for number, label in enumerate(labels):
        (wanted,) = _quantities(tiny_classifier, ["logit_gradients"], paths[number], label)
        np.testing.assert_allclose(found[number], wanted, rtol=1e-4, atol=1e-6)


def test_every_quantity_that_is_listed_is_there_in_the_order_asked_for(tiny_classifier, cloud):
    names = sorted(classifier.QUANTITIES)
    (found,) = tiny_classifier.quantities(names, cloud[np.newaxis], LABEL)
    shapes = {name: one.shape for name, one in zip(names, found) if hasattr(one, "shape")}
    assert [[array.shape for array in layer] for layer in found[names.index("maxima")]] == [[(1, 1024)] * 4]
    assert all(callable(one) for name, one in zip(names, found) if "_of" in name)
    assert shapes == {
        "points": (1, 64, 3),
        "features": (1, 64, 1024),
        "feature_gradients": (1, 64, 1024),
        "feature_points": (1, 64, 3),
        "logit_gradients": (1, 64, 3),
        "loss_gradients": (1, 64, 3),
        "matters": (1, 64),
    }


def test_maxima_are_those_of_the_feature_map_with_the_slope_of_the_loss(tiny_classifier, by_hand, cloud, rng):
    ((features, ((gradients, largest, second, holders),)),) = tiny_classifier.quantities(
        ["features", "maxima"], cloud[np.newaxis], LABEL
    )
    ordered = np.sort(features[0], axis=0)
    np.testing.assert_allclose(largest[0], ordered[-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(second[0], ordered[-2], rtol=1e-5, atol=1e-6)
    assert (features[0, holders[0], np.arange(1024)] == largest[0]).all()

    def loss(maxima):
        return metrics.cross_entropy(by_hand.head(maxima)[np.newaxis], LABEL)[0]

    _assert_gradient(gradients[0], loss, largest[0], rng)


def test_points_that_hold_no_maximum_alone_do_not_matter(tiny_classifier, cloud):
    cloud[40:] = cloud[:24]
    ((matters,),) = tiny_classifier.quantities(["matters"], cloud[np.newaxis], LABEL)
    without = np.stack([np.delete(cloud, point, axis=0) for point in range(len(cloud))])
    gains = tiny_classifier.logits(without) - tiny_classifier.logits(cloud[np.newaxis])
    assert not matters[0, :24].any() and not matters[0, 40:].any() and matters.any()
    np.testing.assert_allclose(gains[~matters[0]], 0, atol=1e-5)


def test_parts_are_classified_as_clouds_of_their_own(tiny_classifier, rng):
    clouds = rng.uniform(-0.7, 0.7, (2, 50, 3)).astype(np.float32)
    labels = np.array([LABEL, 3])
    kept = rng.random_sample((2, 7, 50)) < rng.random_sample((2, 7, 1))
    kept[:, :, 0] = True
    names = ["probabilities_of_parts", "losses_of_parts"]
    ((probabilities_of, losses_of),) = tiny_classifier.quantities(names, clouds, labels)
    ((_, minus_logits_of),) = tiny_classifier.quantities(names, clouds, labels, is_target=True)
    for number, label in enumerate(labels):
        for place in range(7):
            logits = tiny_classifier.logits(clouds[number, kept[number, place]][np.newaxis]).astype(np.float64)
            loss = metrics.cross_entropy(logits, label)[0]
            assert losses_of(kept)[number, place] == pytest.approx(loss, rel=1e-4, abs=1e-5)
            assert probabilities_of(kept)[number, place] == pytest.approx(np.exp(-loss), rel=1e-4)
            assert minus_logits_of(kept)[number, place] == pytest.approx(-logits[0, label], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("may_repeat", (True, False))
def test_each_part_is_asked_for_once_by_its_own_points(may_repeat, rng):
    kept = rng.random_sample((20, 40)) < rng.random_sample((20, 1))
    kept[:, 3] = True
    seen = []
    kept[:8] = kept[0]  # of one size
    for places, members in parts.members_of(kept, may_repeat, points_per_call=120):
        assert len(members) <= 3 and members.shape[1] <= 48
        seen += places.tolist()
        for place, points in zip(places, members):
            assert set(points) == set(np.flatnonzero(kept[place]))
            assert may_repeat or len(points) == kept[place].sum()
    assert sorted(seen) == list(range(20))


def test_feature_gradients_of_another_class_differ(tiny_classifier, cloud):
    first = _quantity(tiny_classifier, "feature_gradients", cloud, LABEL)
    assert not np.allclose(first, _quantity(tiny_classifier, "feature_gradients", cloud, 0))


def test_batches_do_not_change_the_answer(tiny_classifier, rng, monkeypatch):
    clouds = rng.uniform(-0.7, 0.7, (7, 20, 3)).astype(np.float32)
    labels = np.arange(7)
    whole = [tiny_classifier.logits(clouds)] + _quantities(tiny_classifier, ["loss_gradients"], clouds, labels)
    monkeypatch.setattr(tiny_classifier, "points_per_call", 45)
    np.testing.assert_allclose(tiny_classifier.logits(clouds), whole[0], rtol=1e-4, atol=1e-5)
    batches = list(tiny_classifier.quantities(["loss_gradients"], clouds, labels))
    assert [len(gradients) for (gradients,) in batches] == [2, 2, 2, 1]
    np.testing.assert_allclose(np.concatenate([gradients for (gradients,) in batches]), whole[1], rtol=1e-3, atol=1e-5)


def test_votes_see_the_cloud_turned(tiny_classifier, cloud):
    turns = _turns()
    votes = tiny_classifier.vote_logits(cloud, turns)
    for vote, turn in zip(votes, turns):
        turned = np.stack([turn.T.dot(point) for point in cloud])
        np.testing.assert_allclose(vote, tiny_classifier.logits(turned[np.newaxis])[0], rtol=1e-4, atol=1e-5)


def _turns():
    quarter_about_y = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], np.float32)
    quarter_about_x = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)
    return np.stack([np.eye(3, dtype=np.float32), quarter_about_y, quarter_about_x])


def _losses_without_each(classifier_, cloud, label):
    without = np.stack([np.delete(cloud, point, axis=0) for point in range(len(cloud))])
    losses = metrics.cross_entropy(classifier_.logits(without).astype(np.float64), label)
    return losses - metrics.cross_entropy(classifier_.logits(cloud[np.newaxis]).astype(np.float64), label)


def test_runner_up_heat_is_what_the_loss_gains_without_a_point_to_first_order(tiny_classifier, cloud):
    # Of so small a cloud a point takes much along, so the ranks are compared; the values are in the next test.
    found = METHODS["runner-up"].heat(tiny_classifier, cloud[np.newaxis], LABEL)[0]
    exact = METHODS["leave-one-out"].heat(tiny_classifier, cloud[np.newaxis], LABEL)[0]
    np.testing.assert_allclose(exact, _losses_without_each(tiny_classifier, cloud, LABEL), atol=1e-5)
    assert metrics.rank_correlation(found, exact) > 0.8


def test_runner_up_heat_is_exact_where_the_seconds_are_close(tiny_classifier, by_hand, cloud, rng):
    # Each point beside itself, a little smaller: without it its channels fall by so little that they fall straight.
    cloud = np.concatenate([cloud[:20], cloud[:20] * 0.999])
    found = METHODS["runner-up"].heat(tiny_classifier, cloud[np.newaxis], LABEL)[0]

    def loss(points):
        return metrics.cross_entropy(by_hand.logits(points)[np.newaxis], LABEL)[0]

    exact = [loss(np.delete(cloud, point, axis=0)) - loss(cloud) for point in range(len(cloud))]
    np.testing.assert_allclose(found, exact, rtol=0.05, atol=0.02 * np.abs(exact).max())


def test_the_path_begins_with_the_point_of_greatest_runner_up_heat(tiny_classifier, cloud):
    clouds = np.stack([cloud, cloud[::-1] * 0.9])
    labels = np.array([LABEL, 2])
    heat_of = {
        name: METHODS[name].heat(tiny_classifier, clouds, labels, path_refresh=20)
        for name in ("runner-up", "runner-up-path")
    }
    order = np.argsort(-heat_of["runner-up-path"], axis=1)
    assert (order[:, 0] == heat_of["runner-up"].argmax(axis=1)).all()
    # After 20 points it goes on as a cloud of the others would begin.
    left = np.stack([np.delete(points, gone, axis=0) for points, gone in zip(clouds, order[:, :20])])
    hottest = METHODS["runner-up"].heat(tiny_classifier, left, labels).argmax(axis=1)
    for number in range(2):
        np.testing.assert_array_equal(clouds[number, order[number, 20]], left[number, hottest[number]])


def test_asked_about_another_class_the_loss_is_minus_its_logit(tiny_classifier, cloud):
    asked = {"classifier": tiny_classifier, "clouds": cloud[np.newaxis], "labels": 3}
    (logit_gradients,) = _of_cloud(tiny_classifier, ["logit_gradients"], cloud, 3)
    np.testing.assert_allclose(
        METHODS["asm"].heat(is_target=True, **asked)[0], heat.asm(cloud, -logit_gradients), rtol=1e-4, atol=1e-6
    )
    for name in ("runner-up", "runner-up-path", "leave-one-out"):
        assert not np.allclose(METHODS[name].heat(is_target=True, **asked), METHODS[name].heat(**asked))
    np.testing.assert_array_equal(METHODS["hirescam"].heat(is_target=True, **asked), METHODS["hirescam"].heat(**asked))


def test_methods_take_the_formulas_of_these_of_cloud(tiny_classifier, cloud):
    cloud[40:] = cloud[:24]
    features, gradients = _of_cloud(tiny_classifier, ["features", "feature_gradients"], cloud, LABEL)
    expected = {
        "p-grad-cam": heat.p_grad_cam(features, gradients),
        "grad-cam": heat.grad_cam(features, gradients),
        "hirescam": heat.hirescam(features, gradients),
        "feature-norm": heat.feature_norm(features),
        "critical": heat.critical(features),
    }
    for name, values in expected.items():
        found = METHODS[name].heat(tiny_classifier, cloud[np.newaxis], LABEL)[0]
        np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-5 * abs(values).max(), err_msg=name)
    np.testing.assert_allclose(
        METHODS["p-grad-cam"].heat(tiny_classifier, cloud[np.newaxis], LABEL, pooling="avg")[0],
        heat.p_grad_cam(features, gradients, "avg"),
        rtol=1e-4,
        atol=1e-7,
    )
