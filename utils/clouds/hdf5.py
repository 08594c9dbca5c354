"""Clouds in HDF5 files: of data sets in PointNet's format, and one cloud of a foreign file (.h5 .hdf5).

Data sets: `data` float (n, P, 3), `label` integers (n, 1) or (n,). Dialects of foreign files: `data`, `points` or a
name of arrays.KEYS, (n, P, 3 or more) or (P, 3 or more), any number type; three datasets x, y, z; a compound type
with such fields; one dataset of any name. Whatever lies in another file is refused: links and external storage.
"""

import contextlib

import h5py
import numpy as np

from utils.clouds import arrays, column_names
from utils.clouds.cloud import Content, check_finite
from utils.files import InputError, printable

ENDINGS = (".h5", ".hdf5")
DAMAGED = (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError, MemoryError)


def read(path, num_points=None):
    """Clouds and labels of a file of a data set.

    Args:
      path: the file.
      num_points: how many points of each cloud, the first ones; None: all.

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
        points = data[:, :num_points].astype(np.float32)
        labels = label[:].reshape(-1)
    check_finite(points, path)
    return points, labels.astype(np.int64)


def read_labels(path):
    """The labels of a file of a data set alone: int64 array [n]. Raises InputErrors as `read` does."""
    with _opened(path) as file:
        label = _dataset(file, "label")
        if label is None or label.dtype.kind not in "iu":
            raise InputError("{} holds no whole numbers as 'label': it is of no data set of classes".format(path))
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
        names = [name for name in sorted(file) if name not in ("label", "mask", "faceId", "normal")]
        names = [name for name in names if _dataset(file, name) is not None]
        if not names:
            raise InputError("{} holds no dataset of points: call it `data` or points".format(path))
        try:
            key = "data" if "data" in names else arrays.choose(names, "dataset")
            if isinstance(key, tuple):
                points, notices = arrays.of_columns([_dataset(file, one)[()] for one in key]), []
                key = ", ".join(key)
            else:
                data = _dataset(file, key)
                if data.dtype.names is not None:
                    data = data[()]
                points, notices = arrays.of_array(data, path, index, "dataset {}".format(printable(key)))
                notices += _label(file, data.shape, index)
        except InputError as error:
            raise InputError(str(error) if str(error).startswith("`") else "{} {}".format(path, error))
        others = [name for name in names if name not in key.split(", ")]
        used = "dataset {}".format(printable(key, 60))
    return Content(points, used, notices + column_names.ignored(others, "dataset"))


def _label(file, shape, index):
    """A clause on what the file says of the cloud: information, for it may be a class of any other data set."""
    label = _dataset(file, "label")
    if label is None:
        return []
    count = shape[0] if len(shape) == 3 else 1
    if label.size != count or label.shape[:1] != (count,):
        return ["its label is ignored: of shape {} for {} clouds".format(label.shape, count)]
    value = printable(str(label[index].reshape(-1)[0]), 40)
    if label.dtype.kind not in "iu":
        return ["its label is ignored: {} of type {} is no whole number".format(value, label.dtype)]
    return ["its label in the file is {}, of its own data set; the network judges for itself".format(value)]


@contextlib.contextmanager
def _opened(path):
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except DAMAGED as error:
        raise InputError(
            "{} is damaged or not a whole HDF5 file ({}): copy or fetch it again".format(
                path, printable(" ".join((str(error) or type(error).__name__).split()), 200)
            )
        )


def _dataset(file, name):
    """A dataset of this very file, checked before it is read; None where there is no such dataset.

    Raises:
      InputError: it lies in another file.
    """
    encoded = name.encode("utf-8", "surrogateescape")
    if not file.id.links.exists(encoded):
        return None
    if file.id.links.get_info(encoded).type == h5py.h5l.TYPE_EXTERNAL:
        raise InputError("{} keeps {} in another file: copy it into one".format(file.filename, printable(name)))
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        return None
    properties = found.id.get_create_plist()
    is_elsewhere = properties.get_external_count() or properties.get_layout() == h5py.h5d.VIRTUAL
    if is_elsewhere or found.file.filename != file.filename:
        raise InputError("{} keeps {} in another file: copy it into one".format(file.filename, printable(name)))
    return found
