"""Runner-up heat: what the loss gains, to first order, when a point is gone and others step into its maxima.

Of a network that takes maxima over points a point is heard through the channels whose maximum it holds, and nowhere
else. When it goes, each of them falls to its second largest value, the runner-up's, and not to nothing.
"""

import functools

import numpy as np

from utils.explain import groups, ranking

# Clouds of so many points in all go their paths side by side: a step costs many calls of NumPy, whatever they work on.
POINTS_SIDE_BY_SIDE = 4096
# Of so many points at a time features are turned: rows of 2^n numbers, a column each, share few places of the cache.
POINTS_TURNED = 16


def runner_up(points, maxima):
    """Runner-up heat: the sum over pooled layers l and the channels k that i alone holds of -(dL/da_lk) (a_lk - b_lk).

    a is the maximum and b the second largest value of a channel. The gradients hold what later layers do with a layer's
    maxima, so that a point's part in the T-Nets counts. Where groups of points are pooled, such as the neighbours of
    each point, another steps in for the one that goes: see `groups`. Ours; no earlier publication is known.

    Args:
      points: float32 array [B, N, 3].
      maxima: of each pooled layer a tuple of arrays [B, K]: dL/da, a, b, and the point that holds a; of one over R
        groups of S points they are [B, R, K], and three more follow: the values of who steps in, [B, R, K], which
        points the members are, [B, R, S], and with which a group goes, [B, R], -1 where it stays.

    Returns:
      float32 array [B, N], signed: without a point above 0 the loss is greater. A maximum that several points share
      counts for none of them, as the others hold it on.
    """
    num_clouds, num_points = points.shape[:2]
    first = np.arange(num_clouds)[:, np.newaxis] * num_points
    heat = np.zeros(num_clouds * num_points)
    for gradients, largest, second, holders, *of_groups in maxima:
        if of_groups:
            nexts, members, owners = of_groups
            of_any, gains = groups.gains_of(gradients, largest, second, nexts)
            gains = np.where(holders == owners[..., np.newaxis], 0, gains).reshape(num_clouds, -1)
            of_any = np.where(members == owners[..., np.newaxis], 0, of_any[..., np.newaxis])
            heat += np.bincount((first + members.reshape(num_clouds, -1)).ravel(), of_any.ravel(), len(heat))
            holders = holders.reshape(num_clouds, -1)
        else:
            gains = -gradients * (largest - second)
        heat += np.bincount((first + holders).ravel(), gains.ravel(), len(heat))
    return heat.reshape(num_clouds, num_points).astype(np.float32)


def runner_up_path(points, pools_of, path_refresh=0, places=0):
    """The order in which points go when again and again the one of greatest runner-up heat among those left goes.

    Its channels pass to their seconds, whose heat grows by that. The gradients stay those of the whole cloud, or are
    taken anew of what is left after every `path_refresh` points. Ours.

    Args:
      points: float32 array [B, N, 3].
      pools_of: function of the number of a cloud among the B and of clouds [G, M, 3] in the place of it and of those
        after it -> list of pooled layers: of one over all points its features [G, M, K] and the gradients [G, K] dL/da
        of their maxima; of one over groups five arrays that begin with G, as for `groups.Groups`.
      path_refresh: points after which gradients are taken anew; 0: never.
      places: how many points are ordered; 0: all.

    Returns:
      float32 array [B, N]: N minus the place at which a point goes, so N for the first and 1 for the last; 0 for those
      that are not ordered. Of points of equal heat the first goes.
    """
    places = min(places or points.shape[1], points.shape[1])
    count = max(1, POINTS_SIDE_BY_SIDE // points.shape[1])
    heats = []
    for start in range(0, len(points), count):
        rankings_of = functools.partial(_rankings_of, pools_of, start)
        heats.append(_path_heats(points[start : start + count], rankings_of, path_refresh, places))
    return np.concatenate(heats)


def _rankings_of(pools_of, start, clouds):
    """Rankings of the channels of all pooled layers of what is left, [B, M, 3], of clouds from `start` on."""
    layers = pools_of(start, clouds)
    over_all = [layer for layer in layers if len(layer) == 2]
    found = [groups.Groups(list(zip(*layer)), clouds.shape[1]) for layer in layers if len(layer) > 2]
    if over_all:
        # Channels of all layers side by side: what is done with them is the same.
        gradients = np.concatenate([values for _, values in over_all], axis=1)
        features = np.empty(gradients.shape + clouds.shape[1:2], np.float32)
        for number, of_cloud in enumerate(features):
            for first in range(0, of_cloud.shape[1], POINTS_TURNED):
                some = slice(first, first + POINTS_TURNED)
                np.concatenate([values[number, some].T for values, _ in over_all], out=of_cloud[:, some])
        found.insert(0, ranking.AllPoints(features, gradients))
    return found


def _path_heats(clouds, rankings_of, path_refresh, places):
    num_clouds, num_points = clouds.shape[:2]
    heats = np.zeros((num_clouds, num_points), np.float32)
    left = np.tile(np.arange(num_points), (num_clouds, 1))
    while num_points - left.shape[1] < places:
        rows = np.arange(num_clouds)[:, np.newaxis]
        still = places - (num_points - left.shape[1])
        going = path(rankings_of(clouds[rows, left]), count=min(path_refresh or still, still))
        heats[rows, left[rows, going]] = left.shape[1] - np.arange(going.shape[1])
        stays = np.ones(left.shape, bool)
        stays[rows, going] = False
        left = left[stays].reshape(num_clouds, -1)
    return heats


def path(rankings, count):
    """The first `count` points of paths without new gradients.

    Args:
      rankings: list of rankings of the channels of all pooled layers of the same B clouds of N points.
      count: how many points go.

    Returns:
      int array [B, min(count, N)], the points of each cloud in the order in which they go.
    """
    num_clouds, num_points = rankings[0].num_clouds, rankings[0].num_points
    size = num_points + 1  # the last is nobody
    first = np.arange(num_clouds) * size
    heat = np.zeros(num_clouds * size)
    for one in rankings:
        heat += np.bincount(one.holders, one.gains, len(heat))
    heat[first + num_points] = -np.inf
    going = np.empty((num_clouds, min(count, num_points)), np.int64)
    for number in range(going.shape[1]):
        points = heat.reshape(num_clouds, size).argmax(axis=1)
        going[:, number] = points
        points += first
        heat[points] = -np.inf
        for one in rankings:
            heirs, changes = one.drop(points)
            if len(heirs):
                heat += np.bincount(heirs, changes, len(heat))
    return going
