"""What a Classifier answers, against the network written in NumPy and against finite differences."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from utils import metrics
from utils.explain import heat
from utils.explain.methods import METHODS
from utils.network import checkpoint, checkpoint_files, classifier

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


class NumpyNetwork:
    """`pointnet_cls_basic` in evaluation mode, layer by layer as it is written down in the paper."""

    def __init__(self, prefix):
        reader = tf.train.NewCheckpointReader(prefix)
        self._value = lambda name: reader.get_tensor(name).astype(np.float64)

    def layer(self, inputs, scope):
        weights = self._value(scope + "/weights")
        product = inputs @ weights.reshape(-1, weights.shape[-1]) + self._value(scope + "/biases")
        mean, variance = self._value(scope + "/bn/moving_mean"), self._value(scope + "/bn/moving_variance")
        normal = (product - mean) / np.sqrt(variance + 1e-3)
        return np.maximum(normal * self._value(scope + "/bn/gamma") + self._value(scope + "/bn/beta"), 0)

    def features(self, points):
        """Feature map [N, 1024] of a cloud [N, 3]."""
        found = points.astype(np.float64)
        for scope in ("conv1", "conv2", "conv3", "conv4", "conv5"):
            found = self.layer(found, scope)
        return found

    def head(self, maxima):
        """Logits [C] of the maximum of the feature map, [1024]."""
        found = self.layer(self.layer(maxima, "fc1"), "fc2")
        return found @ self._value("fc3/weights") + self._value("fc3/biases")

    def logits(self, points):
        return self.head(self.features(points).max(axis=0))


def _quantities(classifier_, names, clouds, labels):
    """Each quantity of all clouds, the batches put together."""
    return [np.concatenate(parts) for parts in zip(*classifier_.quantities(names, clouds, labels))]


def _quantity(classifier_, name, cloud, label):
    return _quantities(classifier_, [name], cloud[np.newaxis], label)[0][0]


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


@pytest.mark.parametrize("name", ["logit_gradients", "loss_gradients"])
def test_gradients_of_other_clouds_are_those_that_these_have(name, tiny_classifier, rng):
    clouds = rng.uniform(-0.7, 0.7, (3, 20, 3)).astype(np.float32)
    labels = np.array([1, 8, 30])
    paths = rng.uniform(-0.7, 0.7, (3, 5, 20, 3)).astype(np.float32)
    ((gradients_of,),) = tiny_classifier.quantities([name + "_of"], clouds, labels)
    found = gradients_of(paths)
    for number, label in enumerate(labels):
        (wanted,) = _quantities(tiny_classifier, [name], paths[number], label)
        np.testing.assert_allclose(found[number], wanted, rtol=1e-4, atol=1e-6)


def test_every_quantity_that_is_listed_is_there_in_the_order_asked_for(tiny_classifier, cloud):
    names = sorted(classifier.QUANTITIES)
    (found,) = tiny_classifier.quantities(names, cloud[np.newaxis], LABEL)
    shapes = dict(zip(names, (getattr(one, "shape", None) for one in found)))
    assert shapes == {
        "points": (1, 64, 3),
        "features": (1, 64, 1024),
        "feature_gradients": (1, 64, 1024),
        "logit_gradients": (1, 64, 3),
        "loss_gradients": (1, 64, 3),
        "logit_gradients_of": None,
        "loss_gradients_of": None,
    }


def test_methods_take_the_formulas_of_these_quantities(tiny_classifier, cloud):
    cloud[40:] = cloud[:24]
    features, gradients = (
        values[0]
        for values in _quantities(tiny_classifier, ["features", "feature_gradients"], cloud[np.newaxis], LABEL)
    )
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


def test_feature_gradients_of_another_class_differ(tiny_classifier, cloud):
    first = _quantity(tiny_classifier, "feature_gradients", cloud, LABEL)
    assert not np.allclose(first, _quantity(tiny_classifier, "feature_gradients", cloud, 0))


def test_batches_do_not_change_the_answer(tiny_classifier, rng, monkeypatch):
    clouds = rng.uniform(-0.7, 0.7, (7, 20, 3)).astype(np.float32)
    labels = np.arange(7)
    whole = [tiny_classifier.logits(clouds)] + _quantities(tiny_classifier, ["loss_gradients"], clouds, labels)
    monkeypatch.setattr(classifier, "POINTS_PER_CALL", 45)
    seen = []
    np.testing.assert_allclose(tiny_classifier.logits(clouds, progress=seen.append), whole[0], rtol=1e-4, atol=1e-5)
    assert seen == [2, 2, 2, 1]
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
