"""Class names: those of a text file, as a data set's shape_names.txt has them, one a line, or numbers of labels."""

import numpy as np

from utils.clouds.texts import without_mark
from utils.files import InputError

MOST_LABELS = 5  # in a message


def read_class_names(path):
    """The class names in a text file, one a line, in the order of their labels: a tuple.

    Raises:
      InputError: the file cannot be read, names nothing, or one class twice.
    """
    names = tuple(read_lines(path))
    if not names:
        raise InputError("{} names no class: write one name a line".format(path))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("{} names {} twice: give each class a name of its own".format(path, twice[0]))
    return names


def number_classes(folder, labels):
    """Names of the classes that nothing but labels tell of, and says so: a tuple of "class 1" and so on.

    Args:
      folder: of the data set, for the message.
      labels: int64 array [n], >= 0, of all clouds.

    Raises:
      InputError: there are none, or most labels up to the largest have no cloud: that one is a mistake, or labels are
        numbers of something else. A network would have an output for each of them.
    """
    used = np.unique(labels)
    if not len(used):
        raise InputError("the files in {} hold no cloud: copy or fetch them again".format(folder))
    count = int(used[-1]) + 1
    num_unused = count - len(used)
    if 2 * num_unused > count:
        raise InputError(
            "`data_dir` {} has labels up to {}, but {} of these {} have no cloud: count labels from 0 without gaps, or "
            "name the classes in shape_names.txt".format(folder, count - 1, num_unused, count)
        )
    told = "Without shape_names.txt, labels 0 to {} are class 1 to class {}".format(count - 1, count)
    if num_unused:
        unused = np.setdiff1d(np.arange(count), used)
        more = " and {} more".format(num_unused - MOST_LABELS) if num_unused > MOST_LABELS else ""
        told += "; no cloud has label {}{}".format(", ".join(str(label) for label in unused[:MOST_LABELS]), more)
    print(told)
    return tuple("class {}".format(number) for number in range(1, count + 1))


def read_lines(path):
    """The lines of a text file, stripped, without the empty ones: a list.

    Raises:
      InputError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            content = without_mark(file.read())
    except OSError as error:
        raise InputError("{} cannot be read ({}): copy it again".format(path, error))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        # Which letters its bytes mean in another encoding, nobody can tell; a wrong name would look like any.
        number = content[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        raise InputError("{} is not UTF-8 in line {}: save it as UTF-8".format(path, number))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise InputError(
                "{} holds a zero byte in line {}: it is no text in UTF-8; save it so, or copy it again".format(
                    path, number
                )
            )
    return [line.strip() for line in lines if line.strip()]
