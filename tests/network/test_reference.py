"""A real network, trained by another implementation, against that implementation's values."""

import os

import numpy as np
import pytest
from conftest import REFERENCE, needs

from utils import metrics
from utils.explain.methods import METHODS
from utils.network import checkpoint
from utils.network.classifier import Classifier

pytestmark = needs(REFERENCE)


@pytest.fixture(scope="module")
def reference():
    with np.load(os.path.join(REFERENCE, "reference.npz")) as file:
        return {name: file[name] for name in file.files}


@pytest.fixture(scope="module")
def reference_classifier():
    with checkpoint.restore(os.path.join(REFERENCE, "model.ckpt"), gpu=-1) as network:
        assert network.model_name == "pointnet_cls"
        yield Classifier(network)


def _assert_close(values, expected):
    """Within a thousandth of the largest value."""
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-3 * abs(expected).max())


def _assert_close_but_for_kinks(values, expected):
    """Nearly all within a hundred-thousandth of the largest value, and all within a hundredth.

    A unit of cloud 2 is within 1e-6 of the kink of its ReLU, where rounding decides which slope holds.
    """
    differences = abs(values - expected) / abs(expected).max()
    assert np.percentile(differences, 90) < 1e-5 and differences.max() < 1e-2


def test_logits_and_losses_agree(reference, reference_classifier):
    logits = reference_classifier.logits(reference["points"])
    np.testing.assert_allclose(logits, reference["logits"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(metrics.cross_entropy(logits, reference["label"]), reference["cross_entropy"], atol=1e-3)


@pytest.mark.parametrize("cloud", range(6))
def test_features_and_heats_agree(reference, reference_classifier, cloud):
    points, label = reference["points"][cloud], reference["label"][cloud]
    ((features, loss_gradients),) = reference_classifier.quantities(
        ["features", "loss_gradients"], points[np.newaxis], label
    )
    features, loss_gradients = features[0], loss_gradients[0]
    _assert_close(features.sum(axis=1), reference["feature_sum"][cloud])
    _assert_close(features.max(axis=0), reference["feature_max"][cloud])
    for pooling in ("max", "avg"):
        # One call for all clouds, each with a label of its own.
        heats = METHODS["p-grad-cam"].heat(
            reference_classifier, reference["points"], reference["label"], pooling=pooling
        )
        _assert_close(heats[cloud], reference["p_grad_cam_" + pooling][cloud])
    _assert_close_but_for_kinks(loss_gradients, reference["loss_gradient"][cloud])
    heats = METHODS["asm"].heat(reference_classifier, reference["points"], reference["label"])
    _assert_close_but_for_kinks(heats[cloud], reference["asm"][cloud])


def test_runner_up_heat_counts_the_maxima_of_all_three_pools(reference, reference_classifier):
    cloud, label = reference["points"][0][:150], reference["label"][0]
    whole = metrics.cross_entropy(reference_classifier.logits(cloud[np.newaxis]).astype(np.float64), label)
    without = np.stack([np.delete(cloud, point, axis=0) for point in range(150)])
    exact = metrics.cross_entropy(reference_classifier.logits(without).astype(np.float64), label) - whole
    ((maxima,),) = reference_classifier.quantities(["maxima"], cloud[np.newaxis], label)
    found = METHODS["runner-up"].heat(reference_classifier, cloud[np.newaxis], label)[0]
    assert len(maxima) == 3 and metrics.rank_correlation(found, exact) > 0.9
    np.testing.assert_allclose(
        METHODS["leave-one-out"].heat(reference_classifier, cloud[np.newaxis], label)[0], exact, atol=1e-4
    )


@pytest.mark.parametrize("cloud", range(6))
def test_integrated_gradients_are_complete(reference, reference_classifier, cloud):
    points, label = reference["points"][cloud], reference["label"][cloud]
    median = np.repeat(np.median(points, axis=0, keepdims=True), len(points), axis=0)
    ends = reference_classifier.logits(np.stack([points, median]))[:, label]
    heats = METHODS["integrated-gradients"].heat(reference_classifier, points[np.newaxis], label)
    # 32 steps over a piecewise linear path leave some per cent.
    assert heats.sum() == pytest.approx(ends[0] - ends[1], rel=0.06)


@pytest.mark.takes_turns
def test_every_method_gives_one_finite_number_a_point(reference, reference_classifier):
    for name, method in METHODS.items():
        values = method.heat(
            reference_classifier,
            reference["points"][:2, :300],
            reference["label"][:2],
            rngs=[np.random.RandomState(0), np.random.RandomState(1)],
        )
        assert values.shape == (2, 300) and np.isfinite(values).all() and np.ptp(values, axis=1).all(), name
