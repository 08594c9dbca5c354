"""What is given from Python: checked, and as the program takes it."""

import os

import numpy as np

from utils.clouds.cloud import MIN_POINTS, check_finite
from utils.files import InputError


def clouds(points, least):
    """Points [N, 3] or [B, N, 3] as float32 [B, N, 3], of `least` points each or more.

    Raises:
      InputError: they are none.
    """
    try:
        if np.iscomplexobj(points) or np.ma.is_masked(points):
            raise TypeError
        found = np.asarray(points, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise InputError("`points`: not an array of numbers; give float32 [N, 3], or [B, N, 3] for B clouds")
    if found.ndim not in (2, 3) or found.shape[-1] != 3 or not found.size or found.shape[-2] < least:
        raise InputError(
            "`points` of shape {}: give [N, 3], or [B, N, 3] for B clouds, with N of {} or more".format(
                found.shape, least
            )
        )
    check_finite(found, "`points`")
    return found.reshape((-1,) + found.shape[-2:])


def one_cloud(points, kind=np.float32):
    """Points as an array [N, 3] of a kind of numbers; raises an InputError where they are no cloud of 10 or more."""
    if len(clouds(points, MIN_POINTS)) != 1 or np.ndim(points) != 2:
        raise InputError("`points` of shape {}: give one cloud, [N, 3]".format(np.shape(points)))
    return np.asarray(points, kind)


def check_is_one_of(argument, value, allowed):
    if not isinstance(value, str) or value not in tuple(allowed):
        raise InputError("`{}` {}: give one of {}".format(argument, value, ", ".join(allowed)))


def check_whole(argument, value, most, least=0):
    if not is_whole(value) or not least <= value <= most:
        raise InputError("`{}` {}: give a whole number from {} to {}".format(argument, value, least, most))


def is_whole(value):
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def path(argument, value):
    """A path as text; raises an InputError where the value is none."""
    try:
        found = os.fsdecode(value)
    except TypeError:
        found = ""
    if not found or "\0" in found:
        raise InputError("`{}` {!r}: give the path of a file".format(argument, value))
    return found
