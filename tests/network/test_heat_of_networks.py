"""Heat of methods on a network, against what the network does without the points."""

import numpy as np
import pytest
from numpy_network import NumpyNetwork

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


def _quantities(classifier_, names, cloud, label):
    ((*found,),) = classifier_.quantities(names, cloud[np.newaxis], label)
    return [value[0] for value in found]


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
    (logit_gradients,) = _quantities(tiny_classifier, ["logit_gradients"], cloud, 3)
    np.testing.assert_allclose(
        METHODS["asm"].heat(is_target=True, **asked)[0], heat.asm(cloud, -logit_gradients), rtol=1e-4, atol=1e-6
    )
    for name in ("runner-up", "runner-up-path", "leave-one-out"):
        assert not np.allclose(METHODS[name].heat(is_target=True, **asked), METHODS[name].heat(**asked))
    np.testing.assert_array_equal(METHODS["hirescam"].heat(is_target=True, **asked), METHODS["hirescam"].heat(**asked))


def test_methods_take_the_formulas_of_these_quantities(tiny_classifier, cloud):
    cloud[40:] = cloud[:24]
    features, gradients = _quantities(tiny_classifier, ["features", "feature_gradients"], cloud, LABEL)
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
