"""Clouds of one's own: which files, how a cloud is placed for the network, and the way back to its file."""

import collections
import os

import numpy as np

from utils.clouds import readers
from utils.command_line import InputError

MIN_POINTS = 10
H5_ENDINGS = (".h5", ".hdf5")

OwnFile = collections.namedtuple("OwnFile", "file_points all_points centre scale notices")
OwnFile.__doc__ = """How a cloud from --input lies in its file.

file_points: float64 [N, 3], the cloud's points in the file's coordinates; all_points: float64 [M, 3], all that the file
has; centre: float64 [3], where the cloud's origin lies; scale: how long the cloud's unit is; notices: list of lines.
"""


def list_inputs(paths):
    """Files of one's own: those given, and for a folder those in it that can be read, by name.

    Args:
      paths: list of files and folders.

    Returns:
      List of paths of files, each once.

    Raises:
      InputError: a folder cannot be read, or holds nothing that can.
    """
    files = []
    for path in paths:
        if not os.path.isdir(path):
            files.append(path)
            continue
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise InputError("--input {}: cannot be read ({})".format(path, error.strerror))
        found = [name for name in names if os.path.splitext(name)[1].lower() in readers.ENDINGS + H5_ENDINGS]
        if not found:
            raise InputError(
                "--input {}: holds no file that ends in one of {}".format(path, " ".join(readers.ENDINGS + H5_ENDINGS))
            )
        files += [os.path.join(path, name) for name in found]
    return list(dict.fromkeys(files))


def normalise(points, source="the cloud"):
    """Centres a cloud on its mean and scales it into the unit sphere.

    Args:
      points: float array [N, 3], any units.
      source: where it came from, for the message.

    Returns:
      The cloud, float64 array [N, 3] of zero mean and largest norm 1; its mean, float64 array [3]; its largest distance
      from there, both in its own units.

    Raises:
      InputError: fewer than 10 points, numbers that are not finite, or all points in one place.
    """
    if len(points) < MIN_POINTS:
        raise InputError("{} holds {} points: at least {} are needed".format(source, len(points), MIN_POINTS))
    check_finite(points, source)
    centre = np.mean(points, axis=0, dtype=np.float64)
    centred = np.asarray(points, np.float64) - centre
    radius = np.linalg.norm(centred, axis=1).max()
    if not 0 < radius < np.inf:
        raise InputError("{} has all its points in one place, or too far apart for numbers".format(source))
    return centred / radius, centre, radius


def up_rotation(up):
    """The rotation that turns an axis to where y is: float64 array [3, 3], to be applied as points . R.

    Args:
      up: "x", "y" or "z".
    """
    return {
        "x": np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
        "y": np.eye(3),
        "z": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    }[up]


def carry_back(heat, cloud):
    """Heat of every point of a cloud's file: that of the nearest of the points that were used.

    Args:
      heat: float array [N].
      cloud: a Cloud with `own`.

    Returns:
      float array [M], for all_points.
    """
    if len(cloud.own.all_points) == len(heat):
        return heat
    from scipy.spatial import cKDTree

    # Far from the origin, as surveys are, float32 would not tell neighbours apart: both are float64.
    _, nearest = cKDTree(cloud.own.file_points).query(cloud.own.all_points, workers=-1)
    return heat[nearest]


def check_finite(points, source):
    """Raises an InputError that names the first point of [..., N, 3] that is not finite, and its source."""
    bad = np.argwhere(~np.isfinite(points).all(axis=-1))
    if len(bad):
        raise InputError(
            "{} has coordinates that are not finite numbers, first at {}: remove those points".format(
                source, "point {}".format(bad[0][0]) if points.ndim == 2 else "cloud {}, point {}".format(*bad[0])
            )
        )
