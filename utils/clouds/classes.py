"""Names of classes, and which one a user means."""

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


def read_lines(path):
    """The lines of a text file that are not empty, without spaces around them: a list. Raises an InputError."""
    try:
        with open(path, encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("{} cannot be read ({}): copy it again".format(path, error))
