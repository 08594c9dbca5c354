"""Class names in a text file, as a data set's shape_names.txt has them, one a line."""

from utils.clouds.texts import without_mark
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
