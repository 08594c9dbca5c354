"""Reads NumPy's files: .npy, and .npz with one cloud in it.

Dialects: any number type and byte order, rows or columns first in memory, structured arrays with fields x, y, z,
clouds (N, 3 or more), several of them (B, N, 3 or more), by index; of an .npz the array that is called points, or as
KEYS says, or three called x, y, z, or data, or the only one. Nothing pickled is ever loaded.
"""

import contextlib
import functools
import os
import tokenize
import zipfile
from typing import Callable, NamedTuple

import numpy as np

from utils.clouds import column_names
from utils.clouds.cloud import Content
from utils.files import ZIP_DAMAGE, InputError, printable

# Names of coordinates, the usual first; "data", which may be features of points, comes after all of them.
KEYS = ("points", "xyz", "pos", "coords", "coord", "pointcloud", "point_cloud", "pc", "cloud", "vertices", "pts")
# All that NumPy raises on what is not its own.
ERRORS = (OSError, ValueError, EOFError, SyntaxError, OverflowError, TypeError, RecursionError, tokenize.TokenError)
MOST_HEADER_BYTES = 10000


def read_npy(path, index=0):
    """The cloud in an .npy file: a cloud.Content.

    Args:
      path: the file.
      index: which of several clouds, from 0.

    Raises:
      InputError: it is damaged, or holds no cloud, or not so many.
    """
    with open(path, "rb") as file:
        array = read_array(file, os.path.getsize(path))
    points, notices = of_array(array, path, index, "the array")
    return Content(
        points, "the array of shape {} and type {}".format(array.shape, printable(str(array.dtype), 60)), notices
    )


def read_npz(path, index=0):
    """The cloud in an .npz file: as `read_npy`."""
    with open_npz(path) as members:
        if not members:
            raise InputError("holds no arrays")
        key = choose(sorted(members), "array")
        if isinstance(key, tuple):
            points, notices = of_columns([members[one].read() for one in key]), []
            key = ", ".join(key)
        else:
            points, notices = of_array(members[key].read(), path, index, "array {}".format(printable(key)))
        others = [one for one in sorted(members) if one not in key.split(", ")]
    used = "array {}".format(printable(key, 60))
    return Content(points, used, notices + column_names.ignored(others, "array"))


class Member(NamedTuple):
    """An array in an .npz file.

    Attributes:
      num_bytes: of its .npy file, as the archive says.
      read: function without arguments -> the array; raises an InputError as `read_array`.
    """

    num_bytes: int
    read: Callable


@contextlib.contextmanager
def open_npz(file):
    """A context with the arrays of an .npz file: a dictionary from name to Member.

    Args:
      file: its path, or open for reading bytes.

    Raises:
      InputError: it is damaged, now or when an array is read; its text follows the name of the file.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            yield {
                info.filename[: -len(".npy")]: Member(info.file_size, functools.partial(_read_member, archive, info))
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
    except ZIP_DAMAGE as error:
        # It quotes names of the damaged list, which have any length.
        raise InputError("is no whole archive of arrays ({}): copy it again".format(printable(str(error), 80)))


def _read_member(archive, info):
    with archive.open(info) as file:
        return read_array(file, info.file_size)


def choose(keys, what):
    """Which of several arrays is the cloud: its name, or a tuple of three names.

    Raises:
      InputError: it cannot be told.
    """
    lower = {key.lower(): key for key in keys}
    for key in KEYS:
        if key in lower:
            return lower[key]
    if all(axis in lower for axis in "xyz"):
        return tuple(lower[axis] for axis in "xyz")
    if "data" in lower:
        return lower["data"]
    if len(keys) == 1:
        return keys[0]
    raise InputError(
        "holds {} {}s ({}), and none is called points: rename the one that is the cloud".format(
            len(keys), what, ", ".join(printable(key, 24) for key in keys[: column_names.MOST_NAMED])
        )
    )


def of_columns(arrays):
    """A cloud of three arrays x, y, z: float64 [N, 3]."""
    if len({array.shape for array in arrays}) > 1 or any(array.dtype.kind not in "fiu" for array in arrays):
        raise InputError("holds x, y and z that are not as many numbers each")
    return np.stack([array.ravel().astype(np.float64) for array in arrays], axis=1)


def of_array(array, path, index, what):
    """One cloud of an array, or of anything that is indexed as one: float64 [N, 3], and a list of clauses.

    Args:
      array: of shape (N, 3 or more), (B, N, 3 or more) or (N,) with fields x, y, z.
      path: its file, for messages.
      index: which of B clouds.
      what: what it is called, for messages.

    Raises:
      InputError: it is not of such a shape, or not of numbers.
    """
    shape = tuple(array.shape)
    if array.dtype.names is not None:
        names = list(array.dtype.names)
        places = column_names.coordinates(names, "field")
        if places is None:
            raise InputError("{} has the fields {}: name three of them x, y, z".format(what, printable(str(names), 80)))
        _check_index(index, 1, path)
        chosen = [array[names[place]] for place in places]
        others = [name for place, name in enumerate(names) if place not in places]
        return of_columns(chosen), column_names.ignored(others, "field")
    if array.dtype.kind not in "fiu":
        raise InputError("{} is of type {}, not of numbers".format(what, printable(str(array.dtype), 40)))
    if array.ndim not in (2, 3):
        raise InputError("{} is of shape {}, not x y z in three columns".format(what, shape))
    rows, columns = shape[-2:]
    if rows < 10 <= columns:
        raise InputError("{} is of shape {}: points in columns? transpose it".format(what, shape))
    if columns < 3:
        raise InputError("{} is of shape {}, not x y z in three columns".format(what, shape))
    if columns >= 10 and columns > rows:
        raise InputError("{} is of shape {}, more columns than points: transpose it?".format(what, shape))
    _check_index(index, shape[0] if array.ndim == 3 else 1, path)
    cloud = array[index] if array.ndim == 3 else array
    notices = ["the first of {} clouds is taken; `shape_index` takes another".format(shape[0])]
    notices = notices if array.ndim == 3 and shape[0] > 1 and not index else []
    if columns > 3:
        notices.append("{} more column{} ignored".format(columns - 3, " is" if columns == 4 else "s are"))
    return np.asarray(cloud[:, :3], np.float64), notices


def _check_index(index, count, path):
    if index >= count:
        held = "one cloud" if count == 1 else "{} clouds, counted from 0".format(count)
        raise InputError("`shape_index` {}: {} holds {}".format(index, path, held))


def read_array(file, num_bytes):
    """One array of an open .npy file, checked against the bytes that are there before any are reserved.

    Args:
      file: open for reading bytes, at its start.
      num_bytes: of it.

    Raises:
      InputError: it is none, or cut short, or pickled; its text follows the name of the file.
    """
    try:
        version = np.lib.format.read_magic(file)
        length_bytes = 2 if version == (1, 0) else 4
        header = file.read(length_bytes)
        if len(header) < length_bytes or int.from_bytes(header, "little") > min(num_bytes, MOST_HEADER_BYTES):
            raise ValueError("its header is longer than the file or than any of use")
        text = file.read(int.from_bytes(header, "little"))
        parsed = _parse_header(version, header + text)
        shape, is_fortran, kind = parsed
    except ERRORS as error:
        raise InputError(
            "is not a NumPy array of numbers ({}): copy it again, or save it with numpy.save".format(
                printable(" ".join(str(error).split()), 80)
            )
        )
    if kind.hasobject:
        raise InputError("is not a NumPy array of numbers, but holds pickled Python objects, which are never loaded")
    there = num_bytes - 6 - 2 - length_bytes - len(text)
    count = 1
    for length in shape:
        count *= length
    if count * kind.itemsize > there:
        raise InputError(
            "promises {} values of {} bytes and holds {} bytes: it was cut short; copy it again".format(
                count, kind.itemsize, there
            )
        )
    content = file.read(count * kind.itemsize)
    if len(content) < count * kind.itemsize:
        raise InputError("ends before its array does: copy it again")
    return np.frombuffer(content, kind, count).reshape(shape, order="F" if is_fortran else "C")


def _parse_header(version, header):
    import io

    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        # The third version differs in the names of fields that are not Latin-1.
        (2, 0): np.lib.format.read_array_header_2_0,
        (3, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError("version {} of the format".format(version))
    try:
        return read(io.BytesIO(header))
    except ERRORS:
        # What NumPy says of it is for programmers.
        raise ValueError("its header is damaged")
