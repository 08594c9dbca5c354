"""heats.npz: the heat of the clouds that the pictures of a comparison show, kept beside its rows."""

import contextlib
import os

import numpy as np

from utils.disk import shards
from utils.files import ZIP_DAMAGE, InputError, write_npz

FILE_NAME = "heats.npz"
HEAT = "heat_"  # before the name of a method


class KeptHeat:
    """Clouds and their heat under methods, which later runs add to.

    The file holds, of F clouds of N points: `class_name` [F], `index` [F], `points` float32 [F, N, 3], and of each
    method `heat_<method>` float32 [F, N], NaN where it has none.
    """

    def __init__(self, folder, own=None):
        """Reads the file of a folder, if it is there, and those of its shards; or of a shards.Shard alone.

        Raises:
          InputError: one cannot be read.
        """
        self._path = shards.path_of(os.path.join(folder, FILE_NAME), own)
        self._points = {}
        self._heats = {}
        for path in _paths(folder, own):
            with _reading(path) as file:
                self._take({name: file[name] for name in file.files})

    def has(self, method, cloud):
        """Whether there is the heat of a cloud (or rows.NamedCloud) under a method (name)."""
        return (method, cloud.class_name, cloud.index) in self._heats

    def points(self, cloud):
        """float32 array [N, 3] of a cloud that has heat under some method."""
        return self._points[cloud.class_name, cloud.index]

    def heat(self, method, cloud):
        """float32 array [N] of a method and cloud that it `has`."""
        return self._heats[method, cloud.class_name, cloud.index]

    def add(self, method, cloud, heat):
        """Adds the heat [N] of a cloud.Cloud under a method. `save` writes it."""
        self._points[cloud.class_name, cloud.index] = cloud.points
        self._heats[method, cloud.class_name, cloud.index] = heat

    def save(self):
        """Writes the file, whole or not at all."""
        keys = list(self._points)
        arrays = {
            "class_name": np.array([name for name, _ in keys]),
            "index": np.array([index for _, index in keys]),
            "points": np.stack([self._points[key] for key in keys]).astype(np.float32),
        }
        for method in dict.fromkeys(method for method, _, _ in self._heats):
            heats = np.full(arrays["points"].shape[:2], np.nan, np.float32)
            for row, key in zip(heats, keys):
                row[:] = self._heats.get((method,) + key, np.nan)
            arrays[HEAT + method] = heats
        write_npz(self._path, arrays)

    def _take(self, arrays):
        keys = list(zip(arrays["class_name"].tolist(), arrays["index"].tolist()))
        self._points.update(zip(keys, arrays["points"]))
        for name, heats in arrays.items():
            if name.startswith(HEAT):
                for key, heat in zip(keys, heats):
                    if not np.isnan(heat).all():
                        self._heats[(name[len(HEAT) :],) + key] = heat


def methods_in(folder, own=None):
    """Names of the methods whose heat is kept in a folder and its shards, or in a shards.Shard alone: a set.

    Raises:
      InputError: a file cannot be read.
    """
    found = set()
    for path in _paths(folder, own):
        with _reading(path) as file:
            found.update(name[len(HEAT) :] for name in file.files if name.startswith(HEAT))
    return found


def _paths(folder, own):
    """The files that there are: of a folder and its shards, or of a shards.Shard alone."""
    whole = os.path.join(folder, FILE_NAME)
    paths = [shards.path_of(whole, own)] + (list(shards.there(whole).values()) if own is None else [])
    return [path for path in paths if os.path.exists(path)]


@contextlib.contextmanager
def _reading(path):
    """A context with the open file. Raises an InputError where it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            yield file
    except (ValueError, KeyError) + ZIP_DAMAGE as error:
        raise InputError("{} cannot be read ({}): delete it".format(path, error))


def first_of_each_class(clouds):
    """Those of clouds (or rows.NamedClouds), class by class, that the pictures show."""
    names = [cloud.class_name for cloud in clouds]
    return [cloud for place, cloud in enumerate(clouds) if names.index(cloud.class_name) == place]
