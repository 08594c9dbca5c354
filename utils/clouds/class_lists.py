"""Class names in a text file, as a data set's shape_names.txt has them, one a line."""

from utils.files import InputError


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


def read_lines(path):
    """The lines of a text file, stripped, without the empty ones: a list.

    Raises:
      InputError: it cannot be read.
    """
    try:
        # Editors of Windows begin a file with a byte-order mark, which is no part of the first name.
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("{} cannot be read ({}): copy it again".format(path, error))
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise InputError("{} holds a zero byte in line {}: it is no text file, copy it again".format(path, number))
    return lines
