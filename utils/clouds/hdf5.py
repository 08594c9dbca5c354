"""Clouds in HDF5 files of PointNet's format: `data` float (n, P, 3), `label` integers (n, 1) or (n,)."""

import contextlib

import h5py
import numpy as np

from utils.clouds.cloud import check_finite
from utils.files import InputError

ENDINGS = (".h5", ".hdf5")


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
        data = _data(file, path)
        if "label" not in file:
            raise InputError("{} holds no 'label' beside 'data': it is of no data set of classes".format(path))
        label = file["label"]
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
        if "label" not in file or file["label"].dtype.kind not in "iu":
            raise InputError("{} holds no whole numbers as 'label': it is of no data set of classes".format(path))
        return file["label"][:].reshape(-1).astype(np.int64)


def read_cloud(path, index):
    """One cloud of a file, whatever its label.

    Args:
      path: the file.
      index: which cloud, from 0.

    Returns:
      points: float64 array [P, 3].
      label: what the file says of it, as text; None where it has no labels.

    Raises:
      InputError: the file is damaged, holds something else, or fewer clouds.
    """
    with _opened(path) as file:
        data = _data(file, path)
        if index >= len(data):
            raise InputError("`shape_index` {}: {} holds {} clouds, counted from 0".format(index, path, len(data)))
        labels = file.get("label")
        has_label = labels is not None and labels.shape[:1] == data.shape[:1] and labels.size == len(data)
        return data[index].astype(np.float64), str(labels[index].reshape(-1)[0]) if has_label else None


@contextlib.contextmanager
def _opened(path):
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError("{} is damaged or not a whole HDF5 file ({}): copy or fetch it again".format(path, error))


def _data(file, path):
    if "data" not in file:
        raise InputError("{} holds no 'data': it is not in ModelNet40's format".format(path))
    data = file["data"]
    if data.ndim != 3 or data.shape[2] != 3 or data.dtype.kind not in "fiu":
        raise InputError(
            "{} holds data {} of type {} instead of numbers (n, points, 3)".format(path, data.shape, data.dtype)
        )
    return data
