"""Heat of methods that take points away and ask the network again: leave-one-out, occlusion, LIME-3D, RISE and APE.

All but APE look at the network's answer alone, so they work on any network.
"""

import numpy as np

from utils.clouds import sampling
from utils.explain import centres, heat

PATCHES = 64  # of occlusion, each of as many points
CLUSTERS, SAMPLES, KERNEL_WIDTH, RIDGE = 32, 512, 0.25, 1.0  # of LIME-3D
MASKS = 512  # of RISE
POINTS_A_ROUND = 25  # of APE


def leave_one_out(points, matters, losses_of_parts):
    """What the loss gains without a point: L without i, minus L. Exact, and so what others are measured by.

    Args:
      points: float32 array [B, N, 3].
      matters: bool array [B, N]; without any other point nothing changes.
      losses_of_parts: function of bool [B, S, N], which points are there -> L of these S parts of each cloud [B, S].

    Returns:
      float32 array [B, N], signed.
    """
    num_points = points.shape[1]
    # Clouds differ in how many points matter; what pads the shorter lists is the whole cloud.
    counts = matters.sum(axis=1)
    is_there = np.ones((len(points), counts.max() + 1, num_points), bool)
    places = [np.flatnonzero(row) for row in matters]
    for kept, gone in zip(is_there, places):
        kept[np.arange(len(gone)), gone] = False
    losses = losses_of_parts(is_there)
    found = np.zeros(points.shape[:2])
    for row, gone, of_cloud in zip(found, places, losses):
        row[gone] = of_cloud[: len(gone)] - of_cloud[-1]
    return found.astype(np.float32)


def occlusion(points, probabilities_of_parts):
    """The mean over the patches P_j that hold i of p_c(X) - p_c(X without P_j) (after Zeiler and Fergus, 1311.2901).

    64 patches, each of the 64 points that are nearest to one of the farthest points.

    Args:
      points: float32 array [B, N, 3].
      probabilities_of_parts: function of bool [B, S, N], which points are there -> p_c of these S parts of each cloud.

    Returns:
      float32 array [B, N], signed; 0 for a point that no patch holds.
    """
    patches = np.stack([_patches(cloud) for cloud in points])
    whole = np.ones((len(points), 1, points.shape[1]), bool)
    probabilities = probabilities_of_parts(np.concatenate([whole, ~patches], axis=1))
    drops = probabilities[:, :1] - probabilities[:, 1:]
    sums = np.matmul(drops[:, np.newaxis], patches)[:, 0]
    return (sums / np.maximum(patches.sum(axis=1), 1)).astype(np.float32)


def _patches(cloud):
    """Which points [N, 3] the patches hold: bool [S, N]. No patch is the whole of a small cloud."""
    count = min(PATCHES, len(cloud))
    distances = _distances(cloud, sampling.farthest_points(cloud, count))
    size = min(PATCHES, max(1, len(cloud) // 2))
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :size]
    patches = np.zeros(distances.shape, bool)
    np.put_along_axis(patches, nearest, True, axis=1)
    return patches


def lime3d(points, probabilities_of_parts, rngs):
    """LIME-3D: the coefficient of i's cluster in a weighted ridge regression of p_c on which clusters are there.

    Tan and Kotthaus, arXiv 2107.13459, after Ribeiro et al., arXiv 1602.04938: 32 clusters of the points that are
    nearest to one of the farthest points; 512 samples in each of which a cluster is there by an even chance, and the
    whole cloud; weights exp(-d^2 / 0.25^2), d the cosine distance to the whole cloud; ridge penalty 1, free intercept.

    Args:
      points: float32 array [B, N, 3].
      probabilities_of_parts: function of bool [B, S, N], which points are there -> p_c of these S parts of each cloud.
      rngs: list of B numpy RandomStates.

    Returns:
      float32 array [B, N], signed.
    """
    clusters = [_clusters(cloud) for cloud in points]
    samples = [_samples(cluster.max() + 1, rng) for rng, cluster in zip(rngs, clusters)]
    kept = np.stack([sample[:, cluster] for sample, cluster in zip(samples, clusters)])
    probabilities = probabilities_of_parts(kept)
    return np.stack(
        [
            _ridge(sample.astype(np.float64), values, _weights(sample))[cluster]
            for sample, values, cluster in zip(samples, probabilities, clusters)
        ]
    ).astype(np.float32)


def _clusters(cloud):
    """The cluster of each point, int array [N], from 0 on; none is without points."""
    centres = sampling.farthest_points(cloud, min(CLUSTERS, len(cloud)))
    # Of centres in one place the first gets all points.
    return np.unique(_distances(cloud, centres).argmin(axis=0), return_inverse=True)[1].ravel()


def _samples(num_clusters, rng):
    """Which clusters are there: bool [S + 1, clusters], all of them first, and never none."""
    samples = rng.random_sample((SAMPLES, num_clusters)) < 0.5
    is_empty = ~samples.any(axis=1)
    samples[is_empty, rng.randint(num_clusters, size=SAMPLES)[is_empty]] = True
    return np.concatenate([np.ones((1, num_clusters), bool), samples])


def _weights(samples):
    """Of samples [S, clusters]: the cosine of the angle between a vector of m ones and of all n is sqrt(m / n)."""
    distances = 1 - np.sqrt(samples.mean(axis=1))
    return np.exp(-(distances**2) / KERNEL_WIDTH**2)


def _ridge(inputs, values, weights):
    """Coefficients [n] of the weighted ridge regression of values [S] on inputs [S, n], with a free intercept."""
    shares = weights / weights.sum()
    inputs, values = inputs - shares @ inputs, values - shares @ values
    weighted = inputs * weights[:, np.newaxis]
    return np.linalg.solve(weighted.T @ inputs + RIDGE * np.eye(inputs.shape[1]), weighted.T @ values)


def rise(points, probabilities_of_parts, rngs):
    """RISE: the mean of p_c over the random halves of the cloud that hold i (Petsiuk et al., arXiv 1806.07421).

    Args:
      points: float32 array [B, N, 3].
      probabilities_of_parts: function of bool [B, S, N], which points are there -> p_c of these S parts of each cloud.
      rngs: list of B numpy RandomStates.

    Returns:
      float64 array [B, N], in 0..1: of a network that is certain heats differ far behind the point. 512 halves.
    """
    num_points = points.shape[1]
    kept = np.zeros((len(points), MASKS, num_points), bool)
    for masks, rng in zip(kept, rngs):
        for mask in masks:
            mask[rng.permutation(num_points)[: (num_points + 1) // 2]] = True
    probabilities = probabilities_of_parts(kept)
    return np.matmul(probabilities[:, np.newaxis], kept)[:, 0] / np.maximum(kept.sum(axis=1), 1)


def ape(points, feature_map_of):
    """APE: the greatest normalised Grad-CAM heat over rounds that drop the 25 coldest points, down to half of them.

    Tayyub et al., arXiv 2207.12984. A round's heat is divided by its greatest.

    Args:
      points: float32 array [B, N, 3].
      feature_map_of: function of clouds [B, M, 3] -> A and G of these, float32 [B, R, K], and where their rows lie.

    Returns:
      float32 array [B, N], in 0..1. Of points of equal heat the first are dropped.
    """
    num_clouds, num_points = points.shape[:2]
    left = np.tile(np.arange(num_points), (num_clouds, 1))
    found = np.zeros((num_clouds, num_points), np.float32)
    clouds = np.arange(num_clouds)[:, np.newaxis]
    while True:
        still_there = points[clouds, left]
        features, gradients, feature_points = feature_map_of(still_there)
        current = centres.at_points(heat.grad_cam(features, gradients), feature_points, still_there)
        greatest = current.max(axis=1, keepdims=True)
        scaled = np.divide(current, greatest, out=np.zeros_like(current), where=greatest > 0)
        found[clouds, left] = np.maximum(found[clouds, left], scaled)
        count = left.shape[1] - POINTS_A_ROUND
        if count < num_points / 2:
            return found
        hottest = np.argsort(current, axis=1, kind="stable")[:, POINTS_A_ROUND:]
        left = left[clouds, np.sort(hottest, axis=1)]


def _distances(cloud, centres):
    """Squared distances [S, N] of a cloud [N, 3] to some of its points, by their places [S]."""
    offsets = cloud[centres][:, np.newaxis].astype(np.float64) - cloud
    return (offsets**2).sum(axis=2)
