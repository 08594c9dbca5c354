"""Clouds in HDF5 files: of data sets in PointNet's format, and one cloud of a foreign file (.h5 .hdf5).

Data sets: `data` float (n, P, 3), `label` integers (n, 1) or (n,). Dialects of foreign files: these; a dataset of a
name that arrays.choose knows, (n, P, 3 or more) or (P, 3 or more), any number type; three datasets x, y, z; a compound
type with such fields; one dataset of any name; where none lies at the top, those in groups. Whatever lies in another
file is refused: links and external storage. So is what promises more than the file holds. All of this runs in
processes of their own: see hdf5_process.py and readers.py.
"""

import contextlib
import os
import stat

import h5py
import numpy as np

from utils.clouds import arrays, column_names, scaling
from utils.clouds.cloud import Content, check_finite
from utils.disk import hdf5_file
from utils.files import InputError, printable

MOST_LINKS = 16  # from one soft link to the next, as HDF5 has it
MOST_GROUPS, DEEPEST = 1000, 8  # that are looked into: groups, and groups in groups
BESIDE_POINTS = ("label", "mask", "faceId", "normal")
ENDINGS = (".h5", ".hdf5")
DAMAGED = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError, MemoryError)


def read(path, num_points=None, most=None, is_scaled=False):
    """Clouds and labels of a file of a data set.

    Args:
      path: the file.
      num_points: how many points of each cloud, the first ones; None: all.
      most: how many bytes the arrays may take; None: any number.
      is_scaled: whether each cloud, all of its points, is centred and scaled into the unit sphere, in double precision.

    Returns:
      points: float32 array [n, num_points, 3].
      labels: int64 array [n].

    Raises:
      InputError: the file is damaged, or holds something else.
    """
    with _opened(path) as file:
        data = _dataset(file, "data")
        if data is None:
            raise InputError("{} holds no 'data': it is not in ModelNet40's format".format(path))
        if data.ndim != 3 or data.shape[2] != 3 or data.dtype.kind not in "fiu":
            raise InputError(
                "{} holds data {} of type {} instead of numbers (n, points, 3)".format(path, data.shape, data.dtype)
            )
        label = _dataset(file, "label")
        if label is None:
            raise InputError("{} holds no 'label' beside 'data': it is of no data set of classes".format(path))
        if label.shape[:1] != data.shape[:1] or label.size != data.shape[0] or label.dtype.kind not in "iu":
            raise InputError(
                "{} holds label {} of type {} for data {}, not one whole number a cloud".format(
                    path, label.shape, label.dtype, data.shape
                )
            )
        if num_points is not None and num_points > data.shape[1]:
            raise InputError(
                "`num_points` {}: {} holds {} points a cloud; give that or less".format(num_points, path, data.shape[1])
            )
        _check_bytes(data, path, most)
        _check_bytes(label, path, most)
        points = _scaled(data, num_points) if is_scaled else data[:, :num_points].astype(np.float32, copy=False)
        labels = label[:].reshape(-1)
    check_finite(points, path)
    return points, labels.astype(np.int64)


def _scaled(data, num_points):
    """The first points of each cloud [n, P, 3], scaled by all of its points: float32 array [n, num_points, 3]."""
    clouds = data[()]
    found = np.empty(clouds[:, :num_points].shape, np.float32)
    for row, cloud in enumerate(clouds if clouds.shape[1] else []):
        found[row] = scaling.unit_sphere(cloud)[0][:num_points]
    return found


def read_labels(path, most=None):
    """The labels of a file of a data set alone: int64 array [n]. Takes `most` and raises InputErrors as `read` does."""
    with _opened(path) as file:
        label = _dataset(file, "label")
        if label is None or label.dtype.kind not in "iu":
            raise InputError("{} holds no whole numbers as 'label': it is of no data set of classes".format(path))
        _check_bytes(label, path, most)
        return label[:].reshape(-1).astype(np.int64)


def read_cloud(path, index=0):
    """One cloud of a file, whatever its label: a cloud.Content.

    Args:
      path: the file.
      index: which cloud, from 0.

    Raises:
      InputError: the file is damaged, holds no cloud, or not so many.
    """
    with _opened(path) as file:
        names = _names(file)
        if not names:
            raise InputError("{} holds no dataset of points: call it `data` or points".format(path))
        key = "data" if _is_data_set(file) else _choose(names)
        if isinstance(key, tuple):
            columns = [_dataset(file, one) for one in key]
            for column in columns:
                _check_bytes(column, path)
            points, notices = arrays.of_columns([column[()] for column in columns]), []
            key = ", ".join(key)
        else:
            data = _dataset(file, key)
            _check_bytes(data, path)
            if data.dtype.names is not None:
                data = data[()]
            points, notices = arrays.of_array(data, path, index, "dataset {}".format(printable(key)))
            notices += _label(_dataset(file, "/".join(key.split("/")[:-1] + ["label"])), data.shape, index)
        others = [name for name in names if name not in key.split(", ")]
        used = "dataset {}".format(printable(key, 60))
    return Content(points, used, notices + column_names.ignored(others, "dataset"))


def _names(file):
    """Names of the datasets that may be points: a list of those at the top, or else, with their paths, in groups.

    Raises:
      InputError: one lies in another file.
    """
    groups, names = [""], []
    for group in groups:
        for name in sorted(h5py.Group(_followed(file, group)) if group else file):
            path = "/".join(filter(None, (group, name)))
            if _dataset(file, path) is None:
                is_looked_into = len(groups) < MOST_GROUPS and path.count("/") < DEEPEST
                if is_looked_into and isinstance(_followed(file, path), h5py.h5g.GroupID):
                    groups.append(path)
            elif path.split("/")[-1] not in BESIDE_POINTS:
                names.append(path)
        if names and not group:
            break
    return names


def _is_data_set(file):
    """Whether a file is as `read` takes it, whatever else is in it."""
    data = _dataset(file, "data")
    return data is not None and data.shape[2:] == (3,) and _dataset(file, "label") is not None


def _choose(names):
    """As `arrays.choose`, of names with paths.

    Raises:
      InputError: it cannot be told, or several groups hold one.
    """
    key = arrays.choose(sorted({name.split("/")[-1] for name in names}), "dataset")
    wanted = key if isinstance(key, tuple) else (key,)
    of_key = [name for one in wanted for name in names if name.split("/")[-1] == one]
    if len(of_key) > len(wanted) or len({name.rpartition("/")[0] for name in of_key}) > 1:
        listed = ", ".join(printable(name, 24) for name in of_key[: column_names.MOST_NAMED])
        raise InputError("holds points in several groups ({}): keep one of them at the top".format(listed))
    return tuple(of_key) if isinstance(key, tuple) else of_key[0]


def _label(label, shape, index):
    """A clause on what the file says of the cloud: information, for it may be a class of any other data set."""
    if label is None:
        return []
    count = shape[0] if len(shape) == 3 else 1
    if label.size != count or label.shape[:1] != (count,):
        return ["its label is ignored: of shape {} for {} clouds".format(label.shape, count)]
    value = np.asarray(label[index]).reshape(-1)[0]
    value = printable(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value), 40)
    if label.dtype.kind not in "iu":
        kind = "text" if h5py.check_string_dtype(label.dtype) else "type {}".format(label.dtype)
        return ["its label is ignored: {} of {} is no whole number".format(value, kind)]
    return ["its label in the file is {}, of its own data set; the network judges for itself".format(value)]


@contextlib.contextmanager
def _opened(path):
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            # A pipe would be waited for without end.
            raise InputError("{} is no file, but a folder, pipe or device".format(path))
        with hdf5_file.opened(path) as file:
            yield file
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(("`", path)) else "{} {}".format(path, error))
    except MemoryError:
        raise InputError("{} takes more memory to read than a file of its size should: is it damaged?".format(path))
    except DAMAGED as error:
        raise InputError(
            "{} is damaged or not a whole HDF5 file ({}): copy or fetch it again".format(
                path, printable(" ".join((str(error) or type(error).__name__).split()), 200)
            )
        )


def _dataset(file, name):
    """A dataset of this very file, checked before it is opened; None where there is no such dataset.

    Raises:
      InputError: it lies in another file.
    """
    if not file.id.links.exists(name.encode("utf-8", "surrogateescape")):
        return None
    found = _followed(file, name)
    if not isinstance(found, h5py.h5d.DatasetID) or found.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        return None
    properties = found.get_create_plist()
    if properties.get_external_count() or properties.get_layout() == h5py.h5d.VIRTUAL:
        raise _elsewhere(name)
    return h5py.Dataset(found)


def _followed(file, name):
    """The object that a name leads to by links within this file: HDF5 would open any other that they name.

    Raises:
      InputError: a link leads to another file.
      KeyError: it leads nowhere.
    """
    place, ahead, hops = file.id, name.encode("utf-8", "surrogateescape").split(b"/"), 0
    while ahead:
        step = ahead.pop(0)
        if not isinstance(place, h5py.h5g.GroupID) or not place.links.exists(step):
            raise KeyError("the link {!r} leads nowhere".format(name))
        kind = place.links.get_info(step).type
        if kind == h5py.h5l.TYPE_HARD:
            place = h5py.h5o.open(place, step)
        elif kind == h5py.h5l.TYPE_SOFT and hops < MOST_LINKS:
            target = place.links.get_val(step)
            place = file.id if target.startswith(b"/") else place
            ahead = [part for part in target.split(b"/") if part not in (b"", b".")] + ahead
            hops += 1
        elif kind == h5py.h5l.TYPE_SOFT:
            raise KeyError("the link {!r} leads in a circle".format(name))
        else:
            raise _elsewhere(name)
    return place


def _elsewhere(name):
    return InputError("keeps {} in another file: copy it into one".format(printable(name)))


def _check_bytes(found, path, most=None):
    """Raises an InputError unless a dataset's bytes are there, and take no more than `most` when they are unpacked."""
    name = printable(found.name.split("/")[-1], 60)
    properties = found.id.get_create_plist()
    promised = _product(found.shape) * found.dtype.itemsize
    there = min(found.id.get_storage_size(), os.path.getsize(path))
    if there < (1 if properties.get_nfilters() else promised) and promised:
        # HDF5 would make up what was never written.
        raise InputError(
            "{} promises {} bytes as {!r} and holds {}: it was cut short; copy or fetch it again".format(
                path, promised, name, there
            )
        )
    # A piece is unpacked whole. As float32 a number takes 4 bytes.
    numbers = max(_product(found.shape), _product(found.chunks or (0,)))
    taken = numbers * max(found.dtype.itemsize, 4)
    if most is not None and taken > most:
        raise InputError(
            "{} promises {:.0f} MB as {!r}, more than a file of {:.3g} MB should hold: is it damaged? copy or fetch it "
            "again".format(path, taken / 1e6, name, os.path.getsize(path) / 1e6)
        )


def _product(numbers):
    """The product of whole numbers of any size, where NumPy's would overflow."""
    product = 1
    for number in numbers:
        product *= int(number)
    return product
