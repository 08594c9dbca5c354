"""Numbers in text, a row a line -> float64 arrays, each row checked: what all the readers of text files stand on.

Our own: NumPy 1.18's loadtxt takes 10 s for a million points; np.fromstring is 50 times as fast, but does not say
where it stopped, and pandas is no dependency of this program.
"""

import re
import warnings

import numpy as np

from utils.files import InputError, printable

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|[-+]?(nan(\(\w*\))?|inf(inity)?)$", re.IGNORECASE)
# What Microsoft's C library writes for numbers that are none.
MICROSOFT_NAN = re.compile(rb"[-+]?1\.#(?:QNAN|SNAN|IND|INF)0*", re.IGNORECASE)
MOST_SHOWN = 40


def words_a_line(text):
    """How many words each line of a text has, split at white space: int array, a number a line.

    Args:
      text: bytes, lines end in line feeds.
    """
    is_space = np.frombuffer(text, np.uint8) <= ord(" ")
    begins = ~is_space
    begins[1:] &= is_space[:-1]
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    before = np.searchsorted(np.flatnonzero(begins), ends)
    return np.diff(np.concatenate([[0], before, [np.count_nonzero(begins)]]))


def read_rows(text, first_line=1, width=None):
    """The numbers of a text whose lines hold as many each; empty lines are passed over.

    Args:
      text: bytes; words are split at white space.
      first_line: number of its first line in the file, for messages.
      width: how many numbers a line must hold; None: as many as the first one.

    Returns:
      float64 array [rows, width].

    Raises:
      InputError: a line holds another number of words, or a word that is no number: which.
    """
    counts = words_a_line(text)
    lines = np.flatnonzero(counts)
    if not len(lines):
        return np.empty((0, width or 0))
    width = width or int(counts[lines[0]])
    wrong = lines[counts[lines] != width]
    if len(wrong):
        raise InputError(
            "line {} holds {} values instead of {}: {}".format(
                first_line + wrong[0], counts[wrong[0]], width, shown(text.split(b"\n", wrong[0] + 1)[wrong[0]])
            )
        )
    values = read_numbers(text, len(lines) * width)
    if values is None:
        name_bad_word(text, first_line)
    return values.reshape(-1, width)


def read_numbers(text, count):
    """All numbers of a text: float64 [count]; None where it holds something else, or not as many."""
    if b"#" in text:
        text = MICROSOFT_NAN.sub(b"nan", text)
    with warnings.catch_warnings():
        # It warns where it stops at a word that is no number, and returns what was before.
        warnings.simplefilter("error")
        try:
            values = np.fromstring(text, np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            return None
    return values if len(values) == count else None


def is_number(word):
    """Whether a word of text is a number, or one of the ways to write that there is none."""
    return bool(NUMBER.match(word)) or bool(MICROSOFT_NAN.fullmatch(word.encode("utf-8", "replace")))


def to_number(word):
    """A word for which `is_number` holds, as a float."""
    return float("nan") if "#" in word or "(" in word else float(word)


def shown(line):
    """A line of a file, bytes or text, as messages show it."""
    if isinstance(line, bytes):
        line = line.decode("utf-8", "replace")
    return printable(line.strip(), MOST_SHOWN)


def whole_numbers(values, what):
    """Floats that must be whole, as int64.

    Args:
      values: float64 array.
      what: what they are, for the message.

    Raises:
      InputError: one is not.
    """
    wrong = np.flatnonzero(~((values == np.floor(values)) & (np.abs(values) < 2**53)).ravel())
    if len(wrong):
        raise InputError("{} {:g} is not a whole number".format(what, values.ravel()[wrong[0]]))
    return values.astype(np.int64)


def first_three(text, numbers):
    """The first three numbers of each line, of lines that hold three or more.

    Args:
      text: bytes, lines without an empty one.
      numbers: their numbers in the file, for messages.

    Returns:
      float64 array [lines, 3], and the largest number of further values in a line.

    Raises:
      InputError: a line holds less, or a word that is no number.
    """
    counts = words_a_line(text)
    short = np.flatnonzero(counts < 3)
    if len(short):
        line = text.split(b"\n")[short[0]]
        raise InputError("line {} does not hold x y z: {}".format(numbers[short[0]], shown(line)))
    values = read_numbers(text, int(counts.sum()))
    if values is None:
        name_bad_words(text, numbers)
    starts = np.cumsum(counts) - counts
    return values[starts[:, np.newaxis] + np.arange(3)], int(counts.max()) - 3


def name_bad_words(text, numbers):
    """As `name_bad_word`, for lines of these numbers."""
    for number, line in zip(numbers, text.split(b"\n")):
        name_bad_word(line, number, is_sure=False)
    raise InputError("holds words that are not numbers")


def name_bad_word(text, first_line=1, is_sure=True):
    """Raises an InputError that names the first word of a text that is no number, and its line.

    Where no word is found, it raises one without a name, unless `is_sure` is false.
    """
    for number, line in enumerate(text.split(b"\n"), start=first_line):
        for word in line.decode("utf-8", "replace").split():
            if not is_number(word):
                raise InputError("line {}: {!r} is not a number".format(number, printable(word, MOST_SHOWN)))
    if is_sure:
        raise InputError("holds words that are not numbers")
