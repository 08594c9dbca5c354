"""Which HDF5 files of a folder are the training and the test split: as its lists say, or else their names."""

import os
import re

from utils.clouds import hdf5
from utils.clouds.class_lists import read_lines
from utils.files import InputError

SPLITS = ("train", "test")


def has_split(folder, split):
    """Whether a folder has a list of a split's files, or a file of its name."""
    return os.path.isfile(_list_path(folder, split)) or bool(by_name(folder, split))


def find(folder, split):
    """Paths of a split's files.

    Raises:
      InputError: there are none, a list names one that is missing, or the lists mean one file by different names.
    """
    path = _list_path(folder, split)
    if not os.path.isfile(path):
        paths = by_name(folder, split)
        if not paths:
            raise InputError(
                "{} holds neither {}_files.txt nor an HDF5 file with {} in its name: give another `data_dir`".format(
                    folder, split, split
                )
            )
        return paths
    paths = list(_listed(folder, path))
    if not paths:
        raise InputError("{} names no file: copy it again".format(path))
    for one in paths:
        if not os.path.isfile(one):
            raise InputError("{} is missing, though {} names it: copy or fetch it again".format(one, path))
    _check_apart(folder)
    return paths


def by_name(folder, split):
    """Paths of the HDF5 files with a split's name, and not the other's, in theirs; hidden ones are passed over."""
    names = _hdf5_files(folder)
    splits = [_splits_in(name) for name in names]
    if not any(splits):
        # Words run into one, as in datatrain.h5.
        splits = [[one for one in SPLITS if one in name.lower()] for name in names]
    return [os.path.join(folder, name) for name, found in zip(names, splits) if found == [split]]


def unused(folder):
    """Names of the HDF5 files of a folder that are of no split, where names decide: a list."""
    if all(os.path.isfile(_list_path(folder, split)) for split in SPLITS):
        return []
    used = {os.path.basename(path) for split in SPLITS if has_split(folder, split) for path in find(folder, split)}
    return [name for name in _hdf5_files(folder) if name not in used]


def _list_path(folder, split):
    return os.path.join(folder, split + "_files.txt")


def _hdf5_files(folder):
    return [name for name in sorted(os.listdir(folder)) if name.lower().endswith(hdf5.ENDINGS) and name[0] != "."]


def _splits_in(name):
    """The splits that a word of a file's name begins with: `training_1`, `b_TEST` and `dataTrain`, but not `latest`."""
    words = re.findall(r"[^\W\d_]+", name)
    words += [part for word in words for part in re.findall("[A-Z][^A-Z]+", word)]
    return [split for split in SPLITS if any(word.lower().startswith(split) for word in words)]


def _listed(folder, path):
    """The files that a list means, in its order: a dictionary from paths to their lines as they were written first.

    A line is followed below the folder as far as it leads there: upstream's begin with folders of upstream's own.
    """
    meant = {}
    for line in read_lines(path):
        parts = _parts(line)
        tried = [os.path.join(folder, *parts[first:]) for first in range(len(parts))] or [folder]
        there = next((one for one in tried if os.path.isfile(one)), tried[-1])
        meant.setdefault(there, line)
        _check_same(meant[there], line, there)
    return meant


def _parts(line):
    """The folders and the name in a line of a list, without what would lead out of the data set's folder."""
    parts = [part for part in line.replace("\\", "/").split("/") if part not in ("", ".")]
    outside = [place for place, part in enumerate(parts) if part == ".." or part.endswith(":")]
    return parts[outside[-1] + 1 :] if outside else parts


def _check_apart(folder):
    """Raises an InputError where the two lists lead to one file by different names: one of them means another."""
    paths = [_list_path(folder, split) for split in SPLITS]
    first, second = ({} if not os.path.isfile(path) else _listed(folder, path) for path in paths)
    for there in set(first).intersection(second):
        _check_same(first[there], second[there], there)


def _check_same(one, other, there):
    if _parts(one) != _parts(other):
        raise InputError(
            "{} is what both {} and {} of the lists lead to: put each file where its list says".format(
                there, one, other
            )
        )
