"""Heat of the rows of a feature map -> heat of the points, where a network groups these and rows lie at centres."""

import numpy as np

NEAREST = 3  # centres that a point takes its heat from
DISTANCES_AT_ONCE = 1 << 18  # 2 MiB an array


def at_points(heat, feature_points, points):
    """Heat of each point: the mean of the heats of its 3 nearest centres, weighted by 1 / distance.

    A point that lies at a centre has the heat of that centre, and of centres in one place their mean. So PointNet++
    takes features from centres to points (Qi et al., arXiv 1706.02413, section 3.4).

    Args:
      heat: float array [B, M], of the rows of a feature map.
      feature_points: float32 array [B, M, 3], the centres, where these rows lie.
      points: float32 array [B, N, 3].

    Returns:
      float array [B, N], of the type of `heat`; `heat` itself where each row lies at the point of its number.
    """
    if feature_points is points or np.array_equal(feature_points, points):
        return heat
    return np.stack([_of_cloud(*one) for one in zip(heat, feature_points, points)]).astype(heat.dtype)


def _of_cloud(heat, centres, points):
    """As `at_points`, of one cloud: float64 array [N]."""
    at_once = max(1, DISTANCES_AT_ONCE // len(centres))
    parts = [points[start : start + at_once] for start in range(0, len(points), at_once)]
    return np.concatenate([_of_few(heat, centres, part) for part in parts])


def _of_few(heat, centres, points):
    squares = np.zeros((len(points), len(centres)))
    for of_points, of_centres in zip(points.T, centres.T):
        # In float32 a point close to a centre would seem to lie at it.
        squares += (of_points[:, np.newaxis].astype(np.float64) - of_centres) ** 2
    count = min(NEAREST, len(centres))
    nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
    distances = np.sqrt(np.take_along_axis(squares, nearest, axis=1))
    is_there = distances == 0
    weights = np.where(is_there.any(axis=1, keepdims=True), is_there, 1 / np.where(is_there, 1, distances))
    return (weights * heat[nearest]).sum(axis=1) / weights.sum(axis=1)
