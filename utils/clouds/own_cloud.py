"""Clouds of one's own: which files, how a cloud is placed for the network, and the way back to its file."""

import os

import numpy as np

from utils import wording
from utils.clouds import readers, scaling
from utils.clouds.cloud import MIN_POINTS, Cloud, OwnFile, check_finite, check_num_points
from utils.files import InputError


def load(path, num_points=None, index=0, up="y", sampling="farthest", seed=0, most=readers.DEFAULT_POINTS):
    """Reads a cloud of one's own and places it as the network knows clouds: centred, in the unit sphere, y up.

    Args:
      path: the file; see `readers.READERS`.
      num_points: how many points to use; None: all, but `most` at most.
      index: which cloud of a file that holds several, from 0.
      up: the axis of the file that points up, "x", "y" or "z".
      sampling: one of readers.SAMPLINGS.
      seed: of the sampling.
      most: how many points to use where `num_points` does not say.

    Returns:
      A Cloud without a label.

    Raises:
      InputError: the file cannot be read, or holds no such cloud, or too few points.
    """
    check_num_points(num_points)
    found = readers.read(path, num_points, seed, sampling, index, most)
    points, centre, scale = normalise(found.points, path)
    notices = found.notices + (["{} is up: turned so that it is y".format(up)] if up != "y" else [])
    own = OwnFile(found.points, found.index, found.all_points, found.used, centre, scale, notices)
    stem = os.path.splitext(os.path.basename(path))[0]
    return Cloud(points.dot(up_rotation(up)).astype(np.float32), None, stem, index, os.path.abspath(path), own)


def list_inputs(paths):
    """Files of one's own: those given, and for a folder those in it that can be read and are not hidden, by name.

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
            raise InputError("`input` {}: cannot be read ({})".format(path, error.strerror))
        found = [name for name in names if os.path.splitext(name)[1].lower() in readers.ENDINGS and name[0] != "."]
        if not found:
            raise InputError("`input` {}: holds no file that ends in one of {}".format(path, " ".join(readers.ENDINGS)))
        files += [os.path.join(path, name) for name in found]
    return list(dict.fromkeys(files))


def names(paths):
    """What the clouds of files are called: their names without endings, or what more it takes to tell them apart.

    Args:
      paths: list of different files.

    Returns:
      List of names, none twice: `chair`, or `chair.ply` beside a chair.obj, or `scan1_chair` of another folder's chair.
    """
    found = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    whole = [os.path.basename(path) for path in paths]
    found = [full if found.count(stem) > 1 and whole.count(full) == 1 else stem for stem, full in zip(found, whole)]
    parts = [os.path.abspath(path).split(os.sep)[1:-1] for path in paths]
    for depth in range(1, max(map(len, parts), default=0) + 1):
        twice = [at for at, name in enumerate(found) if found.count(name) > 1]
        longer = {
            at: "_".join([found[at]] if len(parts[at]) < depth else [parts[at][-depth], found[at]]) for at in twice
        }
        found = [longer.get(at, name) for at, name in enumerate(found)]
    return found


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
        raise InputError(
            "{} holds {}: at least {} are needed".format(source, wording.counted(len(points), "point"), MIN_POINTS)
        )
    check_finite(points, source)
    scaled, centre, radius = scaling.unit_sphere(points)
    if not 0 < radius < np.inf:
        raise InputError("{} has all its points in one place, or too far apart for numbers".format(source))
    return scaled, centre, radius


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


def nearest_used(own):
    """Of every point of a cloud's file the place of the nearest of the points that were used, whose heat it has.

    A point that was used is nearest to itself, whatever lies in the same place.

    Args:
      own: a cloud.OwnFile, of N points used.

    Returns:
      int array [M] of 0..N-1, for all_points.
    """
    if len(own.all_points) == len(own.file_points):
        return np.arange(len(own.file_points))
    from scipy.spatial import cKDTree

    # Far from the origin, as surveys are, float32 would not tell neighbours apart: both are float64. A power of two
    # changes no digit, and keeps the squares of distances within the range of numbers.
    _, exponent = np.frexp(np.abs(own.all_points).max())
    used, every = (np.ldexp(points, -exponent) for points in (own.file_points, own.all_points))
    _, nearest = cKDTree(used).query(every, workers=-1)
    nearest[own.used] = np.arange(len(own.used))
    return nearest
