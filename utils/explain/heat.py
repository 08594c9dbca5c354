"""Features and gradients -> heat per point: the formulas, one function a method, and the table METHODS.

A formula takes the arrays of one cloud, or of many with further axes in front. The function of a method in METHODS
takes clouds and an explainer (anything with the methods of `explainer.Explainer` that it calls), which it asks for what
the formula needs. Where that is a feature map of N x 1024
values, the formula's sums over the channels are taken in the graph, and the function here is the definition that they
are tested against.
"""

import numpy as np

INTEGRATION_STEPS = 32


def p_grad_cam(features, gradients, pooling="max"):
    """Heat of p-grad-CAM: one weight per point, pooled over channels (Struhs, master thesis, Univ. Hamburg 2020).

    heat_i = ReLU(w_i * sum_k A_ik), with w_i = max_k G_ik or mean_k G_ik.

    Args:
      features: float32 array [..., N, K], the feature map A before the max-pool.
      gradients: float32 array [..., N, K], G = dy_c / dA.
      pooling: "max" or "avg", over the K channels.

    Returns:
      float32 array [..., N], >= 0. Points that no channel's maximum depends on get 0.

    Raises:
      ValueError: an unknown pooling, or arrays of different shapes.
    """
    _check_same_shape(features, gradients)
    if pooling not in ("max", "avg"):
        raise ValueError("unknown pooling {!r}: it is max or avg".format(pooling))
    weights = gradients.max(axis=-1) if pooling == "max" else gradients.mean(axis=-1)
    return np.maximum(weights * features.sum(axis=-1), 0)


def asm(points, loss_gradients, power=1.0):
    """Adapted saliency map: what the loss gains when a point moves to the cloud's centre (after Zheng et al. 2019).

    heat_i = -(dL/dx_i . (x_i - m)) * r_i^alpha, m the per-axis median, r_i = |x_i - m|; arXiv 1812.01687 writes it
    -(dL/dr) r^(1 + alpha).

    Args:
      points: float32 array [..., N, 3].
      loss_gradients: float32 array [..., N, 3], dL/dx of the label's cross-entropy.
      power: alpha.

    Returns:
      float32 array [..., N], signed: a point above 0 speaks for the label, one below 0 against it.

    Raises:
      ValueError: arrays of different shapes.
    """
    _check_same_shape(points, loss_gradients)
    offsets = points - np.median(points, axis=-2, keepdims=True)
    radii = np.linalg.norm(offsets, axis=-1)
    # A point on the median has nowhere to move to; 0 ** -alpha must not turn its 0 into NaN.
    scale = np.power(radii, power, out=np.zeros_like(radii), where=radii > 0)
    return -(loss_gradients * offsets).sum(axis=-1) * scale


def grad_cam(features, gradients):
    """Grad-CAM: ReLU(sum_k a_k A_ik), a_k = mean_i G_ik (Selvaraju et al., arXiv 1610.02391).

    Args:
      features, gradients: float32 arrays [..., N, K], A and G.

    Returns:
      float32 array [..., N], >= 0.
    """
    _check_same_shape(features, gradients)
    return np.maximum((features * gradients.mean(axis=-2, keepdims=True)).sum(axis=-1), 0)


def hirescam(features, gradients):
    """HiResCAM: ReLU(sum_k G_ik A_ik) (Draelos and Carin, arXiv 2011.08891).

    Args:
      features, gradients: float32 arrays [..., N, K], A and G.

    Returns:
      float32 array [..., N], >= 0.
    """
    _check_same_shape(features, gradients)
    return np.maximum((features * gradients).sum(axis=-1), 0)


def gradient_x_input(points, logit_gradients):
    """Gradient times input: the signed sum over x, y, z of x_i dy_c/dx_i.

    Args:
      points, logit_gradients: float32 arrays [..., N, 3].

    Returns:
      float32 array [..., N], signed.
    """
    _check_same_shape(points, logit_gradients)
    return (points * logit_gradients).sum(axis=-1)


def integrated_gradients(points, mean_logit_gradients):
    """Integrated gradients from the cloud's median point (Sundararajan et al., arXiv 1703.01365).

    Args:
      points: float32 array [..., N, 3].
      mean_logit_gradients: float32 array [..., N, 3], the mean of dy_c/dx along the straight path from the median.

    Returns:
      float32 array [..., N], signed. Its sum is about y_c of the cloud minus y_c of the median point.
    """
    return gradient_x_input(points - np.median(points, axis=-2, keepdims=True), mean_logit_gradients)


def feature_norm(features):
    """The L1 norm of a point's features, sum_k A_ik, before the pool (after Levi and Gilboa, arXiv 2403.07706).

    Args:
      features: float32 array [..., N, K], >= 0.

    Returns:
      float32 array [..., N], >= 0.
    """
    return features.sum(axis=-1)


def critical(features):
    """The number of channels whose maximum a point holds (critical points of Qi et al., arXiv 1612.00593).

    Args:
      features: float32 array [..., N, K], >= 0.

    Returns:
      float32 array [..., N] of whole numbers. A channel that is 0 at every point has no critical point; one whose
      maximum several points hold counts for each of them.
    """
    maxima = features.max(axis=-2, keepdims=True)
    return ((features == maxima) & (maxima > 0)).sum(axis=-1).astype(np.float32)


def _check_same_shape(first, second):
    if first.shape != second.shape:
        raise ValueError("arrays of different shapes: {} and {}".format(first.shape, second.shape))


def _p_grad_cam_of(explainer, clouds, labels, pooling="max", **_):
    weights = {"max": "largest_gradient", "avg": "mean_gradient"}[pooling]
    sums, weights = explainer.sums_per_point(["features", weights], clouds, labels)
    return np.maximum(weights * sums, 0)


def _asm_of(explainer, clouds, labels, power=1.0, **_):
    return asm(clouds, explainer.loss_gradients(clouds, labels), power)


def _grad_cam_of(explainer, clouds, labels, **_):
    return np.maximum(explainer.sums_per_point(["weighted_features"], clouds, labels)[0], 0)


def _hirescam_of(explainer, clouds, labels, **_):
    return np.maximum(explainer.sums_per_point(["features_x_gradients"], clouds, labels)[0], 0)


def _gradient_x_input_of(explainer, clouds, labels, **_):
    return gradient_x_input(clouds, explainer.logit_gradients(clouds, labels))


def _integrated_gradients_of(explainer, clouds, labels, **_):
    # The middles of equal steps: the midpoint rule.
    shares = ((np.arange(INTEGRATION_STEPS) + 0.5) / INTEGRATION_STEPS).astype(np.float32)[:, np.newaxis, np.newaxis]
    means = []
    for points, label in zip(clouds, np.broadcast_to(labels, len(clouds))):
        median = np.median(points, axis=0)
        means.append(explainer.logit_gradients(median + shares * (points - median), label).mean(axis=0))
    return integrated_gradients(clouds, np.stack(means))


def _feature_norm_of(explainer, clouds, labels, **_):
    return explainer.sums_per_point(["features"], clouds, labels)[0]


def _critical_of(explainer, clouds, labels, **_):
    return explainer.sums_per_point(["held_channels"], clouds, labels)[0]


def _random_of(explainer, clouds, labels, rngs, **_):
    # A generator for each cloud: its heat does not depend on which others are in the batch.
    return np.stack([rng.random_sample(len(points)) for rng, points in zip(rngs, clouds)]).astype(np.float32)


# name -> function(explainer, clouds [B, N, 3], labels [B] or one, pooling=, power=, rngs=) -> heat [B, N]
METHODS = {
    "p-grad-cam": _p_grad_cam_of,
    "asm": _asm_of,
    "grad-cam": _grad_cam_of,
    "hirescam": _hirescam_of,
    "gradient-x-input": _gradient_x_input_of,
    "integrated-gradients": _integrated_gradients_of,
    "feature-norm": _feature_norm_of,
    "critical": _critical_of,
    "random": _random_of,
}
