"""Gradients against finite differences of the network itself."""

import numpy as np
import pytest

from utils import metrics
from utils.explain import heat
from utils.network import checkpoint, explainer


@pytest.fixture(scope="module")
def tiny_explainer(tiny_log):
    with checkpoint.restore(checkpoint.find(None, tiny_log), gpu=-1) as network:
        yield explainer.Explainer(network)


@pytest.fixture
def cloud(rng):
    return rng.uniform(-0.7, 0.7, (64, 3)).astype(np.float32)


def _directional_errors(value_of, gradient, cloud, rng, step=2e-3, tries=12):
    """Finite against analytic derivatives along random directions, relative to the gradient's size.

    A ReLU or a maximum that changes hands within a step spoils single directions, so all are returned.
    """
    errors = []
    for _ in range(tries):
        direction = rng.standard_normal(cloud.shape)
        direction = (direction / np.linalg.norm(direction)).astype(np.float32)
        finite = (value_of(cloud + step * direction) - value_of(cloud - step * direction)) / (2 * step)
        errors.append(abs(finite - (gradient * direction).sum()) / np.linalg.norm(gradient))
    return errors


def test_loss_gradients_are_the_slope_of_the_loss(tiny_explainer, cloud, rng):
    gradient = tiny_explainer.loss_gradients(cloud[np.newaxis], 8)[0]
    errors = _directional_errors(
        lambda points: metrics.cross_entropy(tiny_explainer.logits(points[np.newaxis]).astype(np.float64), 8)[0],
        gradient,
        cloud,
        rng,
    )
    assert np.median(errors) < 0.02


def test_logit_gradients_are_the_slope_of_the_logit(tiny_explainer, cloud, rng):
    gradient = tiny_explainer.logit_gradients(cloud[np.newaxis], 8)[0]
    errors = _directional_errors(
        lambda points: float(tiny_explainer.logits(points[np.newaxis])[0, 8]), gradient, cloud, rng
    )
    assert np.median(errors) < 0.02


def test_feature_gradients_live_on_the_maxima_and_ties_share_them(tiny_explainer, cloud):
    features, gradients = tiny_explainer.features_and_gradients(cloud, 8)
    assert features.shape == gradients.shape == (64, 1024)
    is_maximum = features == features.max(axis=0)
    assert not gradients[~is_maximum].any()
    # Within a channel, all that hold the maximum have the same share.
    for channel in range(0, 1024, 37):
        assert len(np.unique(gradients[is_maximum[:, channel], channel])) == 1


def test_sums_per_point_are_those_of_the_whole_arrays(tiny_explainer, cloud):
    cloud[40:] = cloud[:24]
    features, gradients = tiny_explainer.features_and_gradients(cloud, 8)
    expected = {
        "p-grad-cam": heat.p_grad_cam(features, gradients),
        "grad-cam": heat.grad_cam(features, gradients),
        "hirescam": heat.hirescam(features, gradients),
        "feature-norm": heat.feature_norm(features),
        "critical": heat.critical(features),
    }
    for name, values in expected.items():
        found = heat.METHODS[name](tiny_explainer, cloud[np.newaxis], 8)[0]
        np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-5 * abs(values).max(), err_msg=name)
    np.testing.assert_allclose(
        heat.METHODS["p-grad-cam"](tiny_explainer, cloud[np.newaxis], 8, pooling="avg")[0],
        heat.p_grad_cam(features, gradients, "avg"),
        rtol=1e-4,
        atol=1e-7,
    )


def test_feature_gradients_of_another_class_differ(tiny_explainer, cloud):
    first = tiny_explainer.features_and_gradients(cloud, 8)[1]
    assert not np.allclose(first, tiny_explainer.features_and_gradients(cloud, 0)[1])


def test_batches_do_not_change_the_answer(tiny_explainer, rng, monkeypatch):
    clouds = rng.uniform(-0.7, 0.7, (7, 20, 3)).astype(np.float32)
    whole = tiny_explainer.logits(clouds), tiny_explainer.loss_gradients(clouds, 3)
    monkeypatch.setattr(explainer, "POINTS_PER_CALL", 45)
    seen = []
    np.testing.assert_allclose(tiny_explainer.logits(clouds, progress=seen.append), whole[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tiny_explainer.loss_gradients(clouds, 3), whole[1], rtol=1e-3, atol=1e-5)
    assert seen == [2, 2, 2, 1]


def test_votes_see_the_cloud_turned(tiny_explainer, cloud):
    turns = _turns()
    votes = tiny_explainer.vote_logits(cloud, turns)
    for vote, turn in zip(votes, turns):
        turned = np.stack([turn.T.dot(point) for point in cloud])
        np.testing.assert_allclose(vote, tiny_explainer.logits(turned[np.newaxis])[0], rtol=1e-4, atol=1e-5)


def _turns():
    quarter_about_y = np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], np.float32)
    quarter_about_x = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)
    return np.stack([np.eye(3, dtype=np.float32), quarter_about_y, quarter_about_x])
