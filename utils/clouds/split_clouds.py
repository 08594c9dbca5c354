"""Reads all clouds of a split of a data set, at the size that a network knows."""

import contextlib
import functools
from typing import List, NamedTuple, Tuple

import numpy as np

from utils.clouds import hdf5_process, scaling, split_files
from utils.files import InputError, printable


class Split(NamedTuple):
    """What the files of a split hold.

    Attributes:
      paths: of the files.
      parts: of each file its points, float32 [n, P, 3], and labels, int64 [n].
      is_scaled: whether all clouds are centred and scaled into the unit sphere.
      reach: how far from the origin one of them lay before, the farthest where none was scaled; 0: not looked at.
    """

    paths: List[str]
    parts: List[Tuple[np.ndarray, np.ndarray]]
    is_scaled: bool
    reach: float


def read(folder, split, num_points=None, num_classes=None, scaled=scaling.WHERE_NEEDED):
    """Reads the files of a split, anew once a cloud shows that all are to be scaled.

    Args:
      folder: of the data set.
      split: one of split_files.SPLITS.
      num_points: how many points of each cloud, the first ones; None: all.
      num_classes: above all labels; None: any number.
      scaled: one of scaling.WHERE_NEEDED, ALWAYS and NEVER.

    Returns:
      A Split.

    Raises:
      InputError: a file is missing, damaged, or does not hold what it should.
    """
    paths = split_files.find(folder, split)
    read_files = functools.partial(_read_files, paths, num_points, num_classes)
    if scaled == scaling.ALWAYS:
        return Split(paths, list(read_files(is_scaled=True)), True, 0.0)
    parts, reach = [], 0.0
    with contextlib.closing(read_files(is_scaled=False)) as found:
        for part in found:
            parts.append(part)
            reach = max(reach, scaling.reach(part[0]))
            if reach > scaling.OUTSIDE and scaled == scaling.WHERE_NEEDED:
                break
    if scaled == scaling.NEVER or not scaling.is_needed(reach):
        return Split(paths, parts, False, reach)
    return Split(paths, list(read_files(is_scaled=True)), True, reach)


def _read_files(paths, num_points, num_classes, is_scaled):
    """Yields points and labels of each file."""
    with contextlib.closing(hdf5_process.read(paths, num_points, is_scaled)) as parts:
        for path, (points, labels) in zip(paths, parts):
            check_labels(labels, num_classes, path)
            yield points, labels


def say_scale(folder, found, scaled=scaling.WHERE_NEEDED):
    """Prints how large the clouds of a Split are to the network, where that is not as they lie in the unit sphere."""
    if found.is_scaled or scaling.is_needed(found.reach):
        print(
            "Clouds of {}{}: {}{}".format(
                printable(folder),
                " reach {:.6g} from the origin".format(found.reach) if found.reach else "",
                "each is centred and scaled into the unit sphere" if found.is_scaled else "taken as they lie",
                "" if scaled == scaling.WHERE_NEEDED else ", as the network was trained",
            )
        )


def joined(folder, split, found):
    """Points, float32 [n, P, 3], and labels, int64 [n], of a whole Split.

    Raises:
      InputError: there are none, or files differ in their number of points.
    """
    parts = found.parts
    if len({part[0].shape[1] for part in parts}) > 1:
        raise InputError("the {} files in {} differ in their number of points: give `num_points`".format(split, folder))
    if not any(len(part[0]) for part in parts):
        raise InputError("the {} files in {} hold no cloud: copy or fetch them again".format(split, folder))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def check_labels(labels, num_classes, path):
    """Raises an InputError where labels of a file, int64 [n], are none of so many classes; None: of any number."""
    if len(labels) and labels.min() < 0 and num_classes is None:
        raise InputError("{} has label {}: count labels from 0".format(path, labels.min()))
    if len(labels) and num_classes is not None and (labels.min() < 0 or labels.max() >= num_classes):
        raise InputError(
            "{} has labels from {} to {}, but there are {} classes: they must be 0 to {}".format(
                path, labels.min(), labels.max(), num_classes, num_classes - 1
            )
        )
