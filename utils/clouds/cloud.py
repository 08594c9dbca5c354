"""What every part of the program calls a cloud."""

import hashlib
from typing import List, NamedTuple, Optional

import numpy as np

from utils.files import InputError

MIN_POINTS = 10  # of a cloud that can be explained


class Content(NamedTuple):
    """What a reader of files found in one, in the file's own units.

    Attributes:
      points: float64 [M, 3], points in the order of the file, or vertices of a mesh.
      used: what of the file they are, for people: columns, fields, keys, faces.
      notices: list of clauses on what was ignored or taken for granted.
      triangles: int64 [T, 3], vertices of each triangle of a mesh; None: a cloud.
    """

    points: np.ndarray
    used: str
    notices: List[str]
    triangles: Optional[np.ndarray] = None


class OwnFile(NamedTuple):
    """How a cloud of one's own lies in its file.

    Attributes:
      file_points: float64 [N, 3], the cloud's points in the file's coordinates.
      file_index: int64 [N], their places in the file, from 0; -1 of those drawn from a mesh, which have none there.
      all_points: float64 [M, 3], all that the file has.
      used: int64 [N], places of the cloud's points among all_points.
      centre: float64 [3], where the cloud's origin lies.
      scale: how long the cloud's unit is.
      notices: list of lines on how the file was understood.
    """

    file_points: np.ndarray
    file_index: np.ndarray
    all_points: np.ndarray
    used: np.ndarray
    centre: np.ndarray
    scale: float
    notices: List[str]


class Cloud(NamedTuple):
    """One cloud to explain.

    Attributes:
      points: float32 array [N, 3].
      label: its class, from 0; None where not known.
      class_name: that class, or the stem of the cloud's file.
      index: which of its class or file, from 0.
      source: where it came from, for people.
      own: of a cloud of one's own, how it lies in its file, else None.
    """

    points: np.ndarray
    label: Optional[int]
    class_name: str
    index: int
    source: str
    own: Optional[OwnFile] = None

    def digest(self):
        """sha256 of the points, and of all in the file of an own cloud, as hexadecimal text: whether it is the same."""
        found = hashlib.sha256(np.asarray(self.points, "<f4").tobytes())
        if self.own is not None:
            found.update(np.asarray(self.own.all_points, "<f8").tobytes())
        return found.hexdigest()


def check_finite(points, source):
    """Raises an InputError that names the first point of [..., N, 3] that is not finite, and its source."""
    is_finite = np.isfinite(points)
    # To look at all values at once takes a tenth of the time.
    if not is_finite.all():
        bad = np.argwhere(~is_finite.all(axis=-1))
        raise InputError(
            "{} has coordinates that are not finite numbers, first at {}: remove those points".format(
                source, "point {}".format(bad[0][0]) if points.ndim == 2 else "cloud {}, point {}".format(*bad[0])
            )
        )


def check_num_points(num_points):
    """Raises an InputError for a number of points that is too small for a cloud; None, for all there are, is fine."""
    if num_points is not None and num_points < MIN_POINTS:
        raise InputError("`num_points` {}: give at least {}".format(num_points, MIN_POINTS))
