"""Features and gradients -> heat per point: the formulas, one function a method.

A formula takes the quantities of one cloud, or of many with further axes in front, and knows nothing of networks.
`methods.py` says which quantities each takes; `utils/network/classifier.py` has them.
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
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        scale = np.power(radii, power, out=np.zeros_like(radii), where=radii > 0)
        return -(loss_gradients * offsets).sum(axis=-1) * scale


def grad_cam(features, gradients):
    """Grad-CAM: ReLU(sum_k a_k A_ik), a_k = mean_i G_ik (Selvaraju et al., arXiv 1610.02391).

    Args:
      features, gradients: float32 arrays [..., N, K], A and G.

    Returns:
      float32 array [..., N], >= 0.

    Raises:
      ValueError: arrays of different shapes.
    """
    _check_same_shape(features, gradients)
    channel_weights = gradients.mean(axis=-2)[..., np.newaxis]
    return np.maximum(np.matmul(features, channel_weights)[..., 0], 0)


def hirescam(features, gradients):
    """HiResCAM: ReLU(sum_k G_ik A_ik) (Draelos and Carin, arXiv 2011.08891).

    Args:
      features, gradients: float32 arrays [..., N, K], A and G.

    Returns:
      float32 array [..., N], >= 0.

    Raises:
      ValueError: arrays of different shapes.
    """
    _check_same_shape(features, gradients)
    return np.maximum(np.einsum("...k,...k->...", features, gradients), 0)


def gradient_x_input(points, logit_gradients):
    """Gradient times input: the signed sum over x, y, z of x_i dy_c/dx_i.

    Args:
      points, logit_gradients: float32 arrays [..., N, 3].

    Returns:
      float32 array [..., N], signed.

    Raises:
      ValueError: arrays of different shapes.
    """
    _check_same_shape(points, logit_gradients)
    return (points * logit_gradients).sum(axis=-1)


def integrated_gradients(points, logit_gradients_of):
    """Integrated gradients from the cloud's median point, in 32 steps (Sundararajan et al., arXiv 1703.01365).

    Args:
      points: float32 array [..., N, 3].
      logit_gradients_of: function of clouds [..., S, N, 3], S along the path of each cloud -> dy_c/dx of all of them,
        of the same shape.

    Returns:
      float32 array [..., N], signed. Its sum is about y_c of the cloud minus y_c of the median point.
    """
    median = np.median(points, axis=-2, keepdims=True)
    # The middles of equal steps: the midpoint rule.
    shares = ((np.arange(INTEGRATION_STEPS) + 0.5) / INTEGRATION_STEPS).astype(np.float32)[:, np.newaxis, np.newaxis]
    offsets = points - median
    path = np.expand_dims(median, -3) + shares * np.expand_dims(offsets, -3)
    return gradient_x_input(offsets, logit_gradients_of(path).mean(axis=-3))


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


def random(points, rngs):
    """Uniform random numbers, the baseline that every method has to beat.

    Args:
      points: float32 array [B, N, 3].
      rngs: list of B numpy RandomStates: heat of a cloud does not depend on which others are there.

    Returns:
      float32 array [B, N], in 0..1.
    """
    return np.stack([rng.random_sample(len(cloud)) for rng, cloud in zip(rngs, points)]).astype(np.float32)


def _check_same_shape(first, second):
    if first.shape != second.shape:
        raise ValueError("arrays of different shapes: {} and {}".format(first.shape, second.shape))
