"""Which HDF5 files of a folder are the training and the test split: as its lists say, or else their names."""

import os
import re

from utils.clouds import hdf5
from utils.clouds.class_lists import read_lines
from utils.files import InputError, printable

SPLITS = ("train", "test")
MOST_NAMED, LONGEST_NAME = 8, 60  # files in a message, and letters of each


def has_split(folder, split):
    """Whether a folder has a list of a split's files, or a file of its name."""
    return os.path.isfile(_list_path(folder, split)) or bool(by_name(folder, split))


def find(folder, split):
    """Paths of a split's files.

    Raises:
      InputError: there are none, a list names one that is missing, the lists mean one file by different names, or
        names without a list are of variants of one set.
    """
    path = _list_path(folder, split)
    if not os.path.isfile(path):
        paths = by_name(folder, split)
        _check_no_variants(folder, split, paths)
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


def say_chosen(folder):
    """Prints which files of a folder are the splits where names decide, which are of none, and which are of both."""
    of_splits = {split: _of_split(folder, split) for split in SPLITS}
    unlisted = [split for split in SPLITS if not os.path.isfile(_list_path(folder, split))]
    by_names = ["{} for {}".format(_some(of_splits[split]), split) for split in unlisted if of_splits[split]]
    if by_names:
        print("Taken by their names: {}".format("; ".join(by_names)))
    used = {os.path.basename(path) for paths in of_splits.values() for path in paths}
    unused = [name for name in _hdf5_files(folder) if name not in used]
    if unlisted and unused:
        print("Not used, as a name says train or test, and not both: {}".format(_some(unused)))
    trained = {os.path.realpath(path) for path in of_splits["train"]}
    both = [path for path in of_splits["test"] if os.path.realpath(path) in trained]
    if both:
        print("Of both splits, so that tests see what was trained on: {}".format(_some(both)))


def _of_split(folder, split):
    """Paths of the files of a split, be they there, good for it, or not."""
    path = _list_path(folder, split)
    return list(_listed(folder, path)) if os.path.isfile(path) else by_name(folder, split)


def _some(paths):
    """The names of files for a message, of many the first."""
    names = ", ".join(printable(os.path.basename(path), LONGEST_NAME) for path in paths[:MOST_NAMED])
    return names + (" and {} more".format(len(paths) - MOST_NAMED) if len(paths) > MOST_NAMED else "")


def _check_no_variants(folder, split, paths):
    """Raises an InputError where one file's name is another's and further words, as of objects and objects_rotated.

    ScanObjectNN comes so, the same objects once as they are and four times augmented. Further numbers are parts of one
    set: train and train_2.
    """
    found = [(os.path.basename(path), _words_of_set(os.path.basename(path))) for path in paths]
    by_words = {words: name for name, words in found}
    for name, words in found:
        for count in range(len(words)):
            if words[:count] in by_words and not all(word.isdigit() for word in words[count:]):
                raise InputError(
                    "{} and {} in {} are both of {} by their names, and seem to be variants of one set: name the files "
                    "that are meant in train_files.txt and test_files.txt there".format(
                        by_words[words[:count]], name, folder, split
                    )
                )


def _words_of_set(name):
    """The words and numbers of a file's name without its ending and the split's: of Objects_train2.h5 objects, 2."""
    words = re.findall(r"\d+|[A-Z]*[^\W\d_A-Z]+|[A-Z]+", os.path.splitext(name)[0])
    return tuple(word.lower() for word in words if not word.lower().startswith(SPLITS))


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
