"""Point clouds and labels in: find a data set, fetch it, check it, read it, augment it."""

import hashlib
import os
from typing import NamedTuple, Optional, Tuple

import numpy as np

from utils.clouds import fetch, hdf5_process, scaling, split_clouds, split_files, zips
from utils.clouds.class_lists import number_classes, read_class_names
from utils.clouds.cloud import Cloud, check_num_points
from utils.demo import shapes
from utils.disk.made_once import make_once
from utils.files import PROJECT_DIR, InputError

DATA_DIR = os.path.join(PROJECT_DIR, "data")
MODELNET40 = "modelnet40_ply_hdf5_2048"
ZIP_BYTES = 435212151
ZIP_SHA256 = "07670e237db72ece0f723b9abb571534c9ad655a6456b389646587dc72bb8bae"
MIRRORS = (
    "https://huggingface.co/datasets/Msun/modelnet40/resolve/d5dc795541800feeb7a4b3bd3142729a0d2adf7a/"
    + MODELNET40
    + ".zip",
    "https://github.com/ma-xu/pointMLP-pytorch/releases/download/Modenet40_dataset/" + MODELNET40 + ".zip",
    "https://shapenet.cs.stanford.edu/media/" + MODELNET40 + ".zip",
)
ZIP_FILES = ("train_files.txt", "test_files.txt", "shape_names.txt")
NAMES_FILE = "shape_names.txt"
DEFAULT_CLASS = "airplane"


class DataSet(NamedTuple):
    """A folder of HDF5 files with clouds of named classes.

    Attributes:
      folder: its path.
      class_names: tuple of the names that its shape_names.txt gives, in the order of the labels; None without one.
      scaled: which of its clouds are centred and scaled into the unit sphere: all of a split that reaches clearly out
        of it or stays close to the origin (scaling.WHERE_NEEDED), or, as a network was trained, all (ALWAYS) or none
        (NEVER).
    """

    folder: str
    class_names: Optional[Tuple[str, ...]]
    scaled: str = scaling.WHERE_NEEDED


def open_data(data_dir=None, scaled=scaling.WHERE_NEEDED):
    """Finds a data set; makes the demo shapes or fetches ModelNet40 where need be.

    Args:
      data_dir: a folder, or "demo" for the built-in shapes; None: data/modelnet40_ply_hdf5_2048, from a zip that
        lies in data/, or fetched. A folder names its files in train_files.txt and test_files.txt; a split without such
        a list has the HDF5 files of whose names a word begins with "train" or "test", which are printed.
      scaled: as DataSet has it.

    Returns:
      A DataSet.

    Raises:
      InputError: the folder is not a data set, or nothing could be fetched.
    """
    if data_dir == "demo":
        folder = os.path.join(DATA_DIR, "demo_shapes")
        make_once(folder, _make_demo_shapes, "data_dir")
    elif data_dir is None:
        folder = os.path.join(DATA_DIR, MODELNET40)
        make_once(folder, _fetch_modelnet40, "data_dir", needless=(_part(folder), _part(folder) + fetch.ANEW))
    else:
        folder = _data_folder(data_dir)
    names_file = os.path.join(folder, NAMES_FILE)
    return DataSet(folder, read_class_names(names_file) if os.path.isfile(names_file) else None, scaled)


def _data_folder(data_dir):
    """The given folder, or the one of ModelNet40 in it, whichever holds clouds."""
    for folder in (data_dir, os.path.join(data_dir, MODELNET40)):
        if os.path.isdir(folder) and any(split_files.has_split(folder, split) for split in split_files.SPLITS):
            split_files.say_chosen(folder)
            return folder
    raise InputError(
        "`data_dir` {} holds neither train_files.txt and test_files.txt nor HDF5 files with train or test in their "
        "names: give the folder of a data set in ModelNet40's format".format(data_dir)
    )


def _make_demo_shapes(folder):
    print("Making the built-in demo shapes in {}".format(folder))
    shapes.write_demo_shapes(folder)


def _fetch_modelnet40(folder):
    zip_path = folder + ".zip"
    if os.path.isfile(zip_path):
        if not fetch.has_checksum(zip_path, ZIP_SHA256):
            raise InputError(
                "{} is not the published file (its sha256 differs): delete it or put the whole one there".format(
                    zip_path
                )
            )
        zips.unpack(zip_path, folder, ZIP_FILES)
        return
    try:
        fetch.download(MIRRORS, _part(folder), ZIP_BYTES, ZIP_SHA256)
    except fetch.NotFetched as error:
        raise InputError(
            "ModelNet40 {}. Three ways on: `data_dir` FOLDER with the HDF5 files; put {}.zip into {}; or `data_dir` "
            "demo for the built-in shapes".format(error, MODELNET40, DATA_DIR)
        )
    zips.unpack(_part(folder), folder, ZIP_FILES)


def _part(folder):
    """The zip while it is fetched. It never gets the name of one that the user put there, which is not deleted."""
    return folder + ".zip.part"


def class_names(data, known=None):
    """The names of the classes that the labels of a data set stand for.

    Args:
      data: a DataSet.
      known: tuple of the names of the classes that a network was trained on; None where nobody knows.

    Returns:
      Tuple of names: those of the data set; without any, the known ones; without these, "class 1" and so on, which is
      printed.

    Raises:
      InputError: the data set has other classes than the network, or its labels tell of none or skip most numbers.
    """
    if data.class_names is None:
        if known is not None:
            return tuple(known)
        paths = [
            path
            for split in split_files.SPLITS
            if split_files.has_split(data.folder, split)
            for path in split_files.find(data.folder, split)
        ]
        found = list(hdf5_process.read_labels(paths))
        for path, labels in zip(paths, found):
            split_clouds.check_labels(labels, None, path)
        return number_classes(data.folder, np.concatenate(found))
    if known is None or tuple(known) == data.class_names:
        return data.class_names
    if len(known) != len(data.class_names):
        difference = "{} classes, the network {}".format(len(data.class_names), len(known))
    else:
        place = next(at for at, pair in enumerate(zip(known, data.class_names)) if pair[0] != pair[1])
        difference = "{} as class {}, the network {}".format(data.class_names[place], place + 1, known[place])
    raise InputError(
        "`data_dir` {} has {}: give the data that the network was trained on, or a network trained on these with "
        "`model_path`".format(data.folder, difference)
    )


def load_split(data, split, num_points=None, num_classes=None):
    """All clouds of a split.

    Args:
      data: a DataSet.
      split: "train" or "test".
      num_points: how many points of each cloud, the first ones; None: all that the files hold.
      num_classes: above all labels; None: as many as the data set names, or any number.

    Returns:
      points: float32 array [n, num_points, 3].
      labels: int64 array [n].

    Raises:
      InputError: a file is missing, damaged, or does not hold what it should.
    """
    found = _read_split(data, split, num_points, num_classes)
    split_clouds.say_scale(data.folder, found, data.scaled)
    return split_clouds.joined(data.folder, split, found)


def load_both(data, num_points=None, num_classes=None):
    """All clouds of both splits, scaled alike.

    Args:
      data, num_points, num_classes: as for `load_split`.

    Returns:
      train_set, test_set: each as `load_split` returns it.
      scaled: of the DataSets whose clouds a network sees that is trained on these.

    Raises:
      InputError: as of `load_split`.
    """
    found = [_read_split(data, split, num_points, num_classes) for split in split_files.SPLITS]
    is_scaled = any(one.is_scaled for one in found)
    largest = max(found, key=lambda one: (one.is_scaled, one.reach))
    split_clouds.say_scale(data.folder, largest, data.scaled)
    every = data._replace(scaled=scaling.ALWAYS)
    for place, split in enumerate(split_files.SPLITS):
        if found[place].is_scaled != is_scaled:
            found[place] = _read_split(every, split, num_points, num_classes)
    train_set, test_set = (split_clouds.joined(data.folder, *pair) for pair in zip(split_files.SPLITS, found))
    return train_set, test_set, scaling.ALWAYS if is_scaled else data.scaled


def _read_split(data, split, num_points, num_classes):
    if num_classes is None and data.class_names is not None:
        num_classes = len(data.class_names)
    return split_clouds.read(data.folder, split, num_points, num_classes, data.scaled)


def test_cloud(data, class_name=None, index=0, num_points=None, names=None):
    """One cloud of the test split.

    Args:
      data: a DataSet.
      class_name: its class, as for `class_label`; None: airplane, or the first class where there is none.
      index: which of its class, from 0, in the order of the files.
      num_points: how many of its points, the first ones; None: all.
      names: of the classes, as `class_names` gives them.

    Returns:
      A Cloud.

    Raises:
      InputError: there is no such class or index, or a file is not as it should be.
    """
    check_num_points(num_points)
    names = names or class_names(data)
    if class_name is None:
        class_name = DEFAULT_CLASS if DEFAULT_CLASS in names else names[0]
    label = class_label(class_name, names)
    # All of them, for they are scaled alike.
    read = _read_split(data, "test", num_points, len(names))
    split_clouds.say_scale(data.folder, read, data.scaled)
    found = 0
    for path, (points, labels) in zip(read.paths, read.parts):
        rows = np.flatnonzero(labels == label)
        if index < found + len(rows):
            row = rows[index - found]
            return Cloud(points[row], label, names[label], index, "{}, cloud {}".format(os.path.abspath(path), row))
        found += len(rows)
    raise InputError(
        "`shape_index` {}: the test files hold {} clouds of {}; give {}".format(
            index, found, names[label], "0 to {}".format(found - 1) if found else "another `class_name` or `data_dir`"
        )
    )


def class_label(text, names, argument="class_name"):
    """The label of a class, from 0.

    Args:
      text: its name, or its number from 1, as upstream counts.
      names: of all classes, in the order of their labels.
      argument: name of the argument that gave it, for the message.

    Raises:
      InputError: there is no such class.
    """
    if text in names:
        return list(names).index(text)
    if text.isdecimal() and 1 <= int(text) <= len(names):
        return int(text) - 1
    raise InputError(
        "`{}` {}: no such class; give 1 to {} or one of {}".format(argument, text, len(names), ", ".join(names))
    )


def digest(points, labels):
    """sha256 of points [n, N, 3] and labels [n], as hexadecimal text: the same on every machine."""
    found = hashlib.sha256("{} {}".format(*points.shape).encode("ascii"))
    for array in (np.asarray(points, "<f4"), np.asarray(labels, "<i8")):
        found.update(np.ascontiguousarray(array))
    return found.hexdigest()
