"""Reads tables of points: .xyz .txt .csv .asc .pts, a row a line.

Dialects: UTF-8, UTF-16 or Latin-1; values split by spaces, tabs, commas or semicolons, also commas and spaces at
once, in brackets or quotes; a header that names columns, also behind # or //; lines of comment anywhere; lines of
text above; the number of rows above them (.pts, .xyz), once or before each of several scans; empty fields, NA and nan,
which leave a point out where they are its coordinates; columns of text, which are ignored; an index that pandas or R
wrote before the columns.
"""

import re

import numpy as np

from utils.clouds import table_layout, texts
from utils.clouds.cloud import Content
from utils.clouds.number_rows import is_number, read_rows, shown, to_number
from utils.clouds.table_fields import all_fields, fields_of, is_like_number, is_missing
from utils.files import InputError, printable

MOST_HEADER_LINES = 100
INLINE_COMMENT = re.compile(r"\s(?:#|//)")
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
EMPTY_FIELD = re.compile(r"[,;][ \t]*[,;]")


def read(path, _=0):
    """The cloud in a table: a cloud.Content.

    Raises:
      InputError: it is no table of points, or not a whole one: which line, and what is wrong there.
    """
    with open(path, "rb") as file:
        lines = _text(file.read()).split("\n")
    table_layout.refuse_grid(lines[:MOST_HEADER_LINES])
    rows, numbers, above = _rows(lines)
    scans = [place for place, row in enumerate(rows) if table_layout.IS_COUNT.match(row)]
    notices = []
    if above and table_layout.IS_COUNT.match(above[-1]) or scans:
        rows, numbers, notices = _without_counts(rows, numbers, above)
    if not rows:
        raise InputError("holds no rows of numbers")
    layout = table_layout.find(rows, numbers, above)
    points = _points(rows, numbers, layout)
    return Content(points, layout.used, layout.notices + notices)


def _text(content):
    """The text of a file, with line feeds alone.

    Raises:
      InputError: it is no text.
    """
    content = texts.without_mark(content)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\x00" in text[:4096]:
        raise InputError("holds no text, so it is no table: give it the ending of what it is")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _rows(lines):
    """Splits lines into rows and what stands above them.

    Returns:
      rows: list of lines, without empty ones and comments.
      numbers: of each, its number in the file, from 1.
      above: list of the lines above, comments too.

    Raises:
      InputError: there are no rows, or a line above them is a row with a mistake.
    """
    kept, numbers, comments = [], [], []
    for number, line in enumerate(lines, start=1):
        if line and not line.isspace():
            if line.lstrip().startswith(table_layout.COMMENTS):
                comments.append((number, line))
            else:
                kept.append(INLINE_COMMENT.split(line, 1)[0] if "#" in line or "//" in line else line)
                numbers.append(number)
    first = _first_row(kept)
    if first is None:
        if not kept:
            raise InputError("holds no rows of numbers")
        words = [word for word in fields_of(kept[0]) if not is_number(word)]
        raise InputError(
            "is not a table of points: line {} is {}".format(
                numbers[0],
                shown(kept[0]) if words else "{} numbers: {}".format(len(fields_of(kept[0])), shown(kept[0])),
            )
        )
    above = sorted(comments + list(zip(numbers[:first], kept[:first])))
    above = [line for number, line in above if number < numbers[first]]
    width = len(fields_of(kept[first]))
    for number, line in zip(numbers[:first], kept[:first]):
        fields = fields_of(line)
        wrong = [field for field in fields if not is_like_number(field)]
        # Of those above the first row, lines with three numbers are the columns' own, or text.
        is_header = table_layout.IS_COUNT.match(line) or sum(map(is_like_number, fields)) >= 3
        is_header = is_header or _are_column_numbers(line, kept[first:])
        if not is_header and (not wrong or (len(fields) == width and len(wrong) <= (width - 1) / 2)):
            if wrong:
                raise InputError("line {}: {!r} is not a number".format(number, printable(wrong[0], 40)))
            raise InputError(
                "line {} holds {} values instead of {}: {}".format(number, len(fields), width, shown(line))
            )
    return kept[first:], numbers[first:], above


def _first_row(lines):
    """Place of the first row: a line with three numbers that are neither the columns' own nor part of a text.

    None where there is none. A row whose numbers are missing in part counts where whole ones follow it.
    """
    for place, line in enumerate(lines[:MOST_HEADER_LINES]):
        fields, below = fields_of(line), lines[place + 1 :]
        if _are_column_numbers(line, below):
            continue
        if _has_gaps(line):
            after = next((row for row in below if not _has_gaps(row)), "")
            if sum(map(is_like_number, fields_of(after))) >= 3 and after.count(",") == line.count(","):
                return place
        if sum(map(is_like_number, fields)) >= 3 and not _is_text(fields, below[: table_layout.JUDGED_ROWS]):
            return place
    return None


def _has_gaps(line):
    """Whether a line holds nothing but numbers and fields that say that there is none, one at least."""
    fields = all_fields(line)
    missing = [is_missing(field) for field in fields]
    return len(fields) >= 3 and any(missing) and all(no or is_number(field) for no, field in zip(missing, fields))


def _is_text(fields, below):
    """Whether a line with numbers begins with a word, above rows that are numbers alone: "Shift: 500000 5400000 0"."""
    if not fields[0][0].isalpha() or is_number(fields[0]) or is_missing(fields[0]):
        return False
    return sum(all(is_like_number(one) or is_missing(one) for one in fields_of(row)) for row in below) > len(below) / 2


def _are_column_numbers(line, below):
    """Whether a line counts the columns, 0, 1, 2 ..., as pandas names them, above rows of other numbers."""
    count = len(fields_of(line))
    if not below or not table_layout.are_column_numbers(line, count):
        return False
    more = len(all_fields(below[0])) - count
    if more == 1 and line[0] in ",;\t ":  # behind the empty name of an index
        return True
    rows = below[: table_layout.JUDGED_ROWS]
    return more in (0, 1) and sum("." in row for row in rows) > 0.9 * len(rows)


def _without_counts(rows, numbers, above):
    """Takes out the lines that tell how many rows follow, and holds the rows against them.

    Returns:
      rows, numbers: without them.
      notices: list of clauses.

    Raises:
      InputError: there are more or fewer rows than such a line promises.
    """
    counts = [(int(above[-1]), 0)] if above and table_layout.IS_COUNT.match(above[-1]) else []
    if not counts:
        place = next(place for place, row in enumerate(rows) if table_layout.IS_COUNT.match(row))
        raise InputError("line {} holds 1 value: {}".format(numbers[place], shown(rows[place])))
    counts += [(int(row), place + 1) for place, row in enumerate(rows) if table_layout.IS_COUNT.match(row)]
    ends = [begin - 1 for _, begin in counts[1:]] + [len(rows)]
    for (promised, begin), end in zip(counts, ends):
        if end - begin != promised:
            raise InputError(
                "promises {} points{} and holds {}: correct that line, or copy the file again".format(
                    promised, "" if not begin else " in line {}".format(numbers[begin - 1]), end - begin
                )
            )
    kept = [place for place, row in enumerate(rows) if not table_layout.IS_COUNT.match(row)]
    notices = ["{} scans, each below its count, are taken as one cloud".format(len(counts))] if len(counts) > 1 else []
    return [rows[place] for place in kept], [numbers[place] for place in kept], notices


def _points(rows, numbers, layout):
    """The coordinates in rows: float64 array [M, 3]."""
    points = _fast(rows, layout)
    if points is not None:
        return points
    points = np.empty((len(rows), 3))
    for place, (number, row) in enumerate(zip(numbers, rows)):
        control = CONTROLS.search(row)
        if control:
            raise InputError(
                "line {} holds the character {!r}, which is no text: mend that line ({})".format(
                    number, control.group(), shown(row)
                )
            )
        fields = layout.split(row)
        if len(fields) != layout.width and any(fields[layout.width :]) or len(fields) < layout.width:
            raise InputError(
                "line {} holds {} values instead of {}: {}".format(number, len(fields), layout.width, shown(row))
            )
        for axis, column in enumerate(layout.columns):
            if is_number(fields[column]):
                points[place, axis] = to_number(fields[column])
            elif is_missing(fields[column]):
                points[place, axis] = np.nan
            else:
                raise InputError(
                    "line {}: {!r} in column {} is not a number".format(
                        number, printable(fields[column], 40), column + 1
                    )
                )
    return points


def _fast(rows, layout):
    """As `_points`, for tables of numbers alone; None where there is anything else."""
    text = "\n".join(rows)
    if ("," in text or ";" in text) and EMPTY_FIELD.search(text):
        return None
    try:
        values = read_rows(text.replace(",", " ").replace(";", " ").encode("ascii"), width=layout.width)
    except (InputError, UnicodeEncodeError):
        return None
    return values[:, layout.columns].copy()
