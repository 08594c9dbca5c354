"""How clouds come to the size that a network knows: centred on their mean, their farthest point at distance 1.

Files of one's own always do. Clouds of a data set do where they lie clearly outside of the unit sphere, as in mm or
in coordinates of a survey, or all close to the origin, as cups in metres: a network trained on them as they lie would
know no file. ModelNet40's and ScanObjectNN's fill the sphere, and are never changed.
"""

import numpy as np

# Of a data set: as its clouds need, or all, or none, as a network was trained on.
WHERE_NEEDED, ALWAYS, NEVER = "where needed", "always", "never"
# The cube from -1 to 1, the other usual way to normalise, reaches 1.73 from its middle.
OUTSIDE = 2.0
# Clouds that fill the cube of side 1 reach farther.
SMALL = 0.5


def unit_sphere(points):
    """A cloud centred on its mean and scaled into the unit sphere.

    Args:
      points: array of numbers [N, 3], any units.

    Returns:
      The cloud, float64 array [N, 3]; its mean, float64 array [3]; its largest distance from there. The cloud is
      centred alone where that distance is 0, and holds numbers that are not finite where it is too large for one.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        centre = np.mean(points, axis=0, dtype=np.float64)
        centred = np.asarray(points, np.float64) - centre
        radius = np.linalg.norm(centred, axis=1).max()
        if not 1e-150 < radius < np.inf:
            # Its squares are too small or too large for numbers.
            largest = np.abs(centred).max()
            radius = largest * np.linalg.norm(centred / (largest or 1), axis=1).max()
        return centred / (radius or 1), centre, radius


def is_needed(farthest):
    """Whether clouds are to be scaled of which the farthest point lies at a distance from the origin."""
    return farthest > OUTSIDE or 0 < farthest < SMALL


def reach(clouds):
    """The largest distance of a point from the origin: of finite float32 clouds [n, P, 3]."""
    if not clouds.size:
        return 0.0
    with np.errstate(over="ignore"):
        largest = np.einsum("npc,npc->np", clouds, clouds).max()
    # Squares of what float32 can hold are within float64.
    return float(np.sqrt(largest)) if np.isfinite(largest) else reach(np.asarray(clouds, np.float64))
