"""Which columns of a table are the coordinates."""

import collections
import re
from typing import List, NamedTuple

from utils.clouds import column_names
from utils.clouds.number_rows import is_number, shown
from utils.clouds.table_fields import COMMA_NUMBER, decimal_commas, fields_of, is_missing, splitter
from utils.files import InputError, printable

JUDGED_ROWS = 1000
COMMENTS = ("#", "//", "%", "!")
UNIT = re.compile(r"(?<=\w)\s*[\[(][^\])]*[\])]")
IS_COUNT = re.compile(r"\s*\d+\s*$")
# Of the headers of grids of heights: Esri's, GRASS', Surfer's.
GRID = re.compile(r"(?:ncols|nrows|nodata_value|north:|south:)\s+-?\d|DSAA$", re.IGNORECASE)
# Columns that are no x, y, z even where there are but three.
SPHERICAL = {"azimuth", "azimut", "theta", "phi", "zenith", "inclination"}
# What stands before the names in a line of comment: "Columns: x y z", "* x y z".
BEFORE_NAMES = re.compile(r"(?:\*+|[^:,;\t]*:)\s+(?!.*:(?:\s|$))")
WORDS_BEFORE = {"column", "columns", "cols", "field", "fields", "format", "header", "names", "order"}


class Layout(NamedTuple):
    """How the rows of a table are split, and which columns are taken.

    Attributes:
      split: function of a row -> list of fields.
      width: number of columns.
      columns: places of x, y, z.
      used: which these are, for people.
      notices: list of clauses.
    """

    split: object
    width: int
    columns: tuple
    used: str
    notices: List[str]


def refuse_grid(lines):
    """Raises an InputError where the first lines are the header of a grid of heights.

    Args:
      lines: list of lines.
    """
    found = [line.strip() for line in lines if GRID.match(line.strip())]
    if len(found) > 1 or found[:1] == ["DSAA"]:
        raise InputError("is a grid of heights ({}): save it as points x y z".format(shown(found[0])))


def find(rows, numbers, above):
    judged = rows[:JUDGED_ROWS]
    split = splitter(judged, numbers)
    fields = [split(row) for row in judged]
    width = _width(fields)
    if len(rows) < 10 <= width:
        raise InputError("holds {} rows of {} numbers: points in columns? transpose it".format(len(rows), width))
    names, header = _names(above, split, fields)
    notices = []
    texts = [line for line in above if not IS_COUNT.match(line)]
    if texts:
        notices.append(
            "{} skipped: {}{}".format(
                "a line above is" if len(texts) == 1 else "{} lines above are".format(len(texts)),
                printable(texts[0].strip(), 60),
                "" if len(texts) == 1 else " ...",
            )
        )
    if names is not None:
        columns = column_names.coordinates(names)
        _refuse_commas(judged, numbers, fields, columns)
        others = [
            name.strip() or "column {} without a name".format(place + 1)
            for place, name in enumerate(names)
            if place not in columns
        ]
        used = "x, y, z are its columns {}".format(", ".join(_named(names[place], place) for place in columns))
        return Layout(split, width, columns, used, column_names.ignored(others, "column"))
    _refuse_commas(judged, numbers, fields, range(width))
    whole = [row for row in fields if len(row) == width]
    numeric = [place for place in range(width) if _is_numeric([row[place] for row in whole])]
    if numeric[:1] == [0] and any(are_column_numbers(line, width - 1) for line in above):
        notices.append("column 1 is the index of the rows and is ignored")
        numeric = numeric[1:]
    elif len(numeric) > 3 and _counts(fields, numeric[0], width) and _goes_on(rows, split, numbers, fields, numeric):
        notices.append("column {} counts the rows and is ignored".format(numeric[0] + 1))
        numeric = numeric[1:]
    if len(numeric) < 3:
        raise InputError(
            "holds {} columns of numbers in {}, not x y z: line {} is {}".format(
                len(numeric), width, numbers[0], shown(rows[0])
            )
        )
    columns = tuple(numeric[:3])
    _refuse_unlike_gaps(whole, columns)
    used = "x, y, z are taken to be its columns {}".format(", ".join(str(place + 1) for place in columns))
    count = width - 3 - sum("the rows and is ignored" in notice for notice in notices)
    if count:
        notices.append("{} more column{} ignored".format(count, " is" if count == 1 else "s are"))
    return Layout(split, width, columns, used, notices)


def are_column_numbers(line, count):
    """Whether a line holds the numbers of so many columns, from 0, and nothing else."""
    return fields_of(line) == [str(number) for number in range(count)]


def _width(fields):
    """Number of columns: as the first row has them, or where others do not agree, as most rows have them."""
    width = len(fields[0])
    if all(len(row) == width or len(row) > width and not any(row[width:]) for row in fields):
        return width
    return collections.Counter(map(len, fields)).most_common(1)[0][0]


def _is_numeric(column):
    """Whether most of what stands in a column is numbers: the other words are mistakes then, not names."""
    there = [field for field in column if not is_missing(field)]
    return sum(map(is_number, there)) > len(there) / 2


def _refuse_unlike_gaps(rows, columns):
    """Raises an InputError where one of these columns is mostly empty and not because points have no coordinates."""
    gaps = [[is_missing(row[place]) for row in rows] for place in columns]
    for place, gap in zip(columns, gaps):
        if sum(gap) > len(rows) / 2 and not gaps[0] == gaps[1] == gaps[2]:
            raise InputError(
                "column {} is empty in most rows: name the columns that are the coordinates x, y, z, in a line above "
                "the rows".format(place + 1)
            )


def _refuse_commas(rows, numbers, fields, columns):
    """Raises an InputError that names the first row with a comma in a number of these columns."""
    for number, row, values in zip(numbers, rows, fields):
        if "," in row and any(COMMA_NUMBER.match(values[place]) for place in columns if place < len(values)):
            raise decimal_commas(number, row)


def _named(name, place):
    return "{} ({})".format(printable(name.strip().strip("\"'#/"), 24).strip(), place + 1)


def _names(above, split, rows):
    """Names of the columns by the last line above that names coordinates: a list, one a column, and that line.

    None, None where no line names them.

    Raises:
      InputError: it names more or fewer columns than there are.
    """
    width = len(rows[0])
    for line in reversed(above):
        is_comment = line.lstrip().startswith(COMMENTS)
        bare = UNIT.sub("", line.strip().lstrip("#/%! \t") if is_comment else line)
        first, _, rest = bare.strip().partition(" ")
        if BEFORE_NAMES.match(bare):
            bare, is_comment = BEFORE_NAMES.sub("", bare, 1), True
        elif is_comment and first.lower() in WORDS_BEFORE and rest:
            bare = rest
        for fields in (split(bare), re.split(r"[,;\t]", bare), fields_of(bare)):
            plain = [column_names.plain_name(field) for field in fields]
            if not (len(fields) == width or {"x", "y", "z"} <= set(plain)):
                continue
            if len(fields) == width - 1 and (_counts(rows, 0, width) or not is_number(rows[0][0])):
                fields = [""] + fields  # R and pandas give the index before the columns no name.
            if len(fields) != width:
                # A line of comment often names the first columns alone, or the separator at the end of rows is no name.
                spare = rows[0][len(fields) :]
                if len(fields) < width and (is_comment or not any(spare)) and plain[:3] == ["x", "y", "z"]:
                    fields = fields + [""] * (width - len(fields))
                elif len(fields) > width and not any(plain[width:]):
                    fields = fields[:width]
                else:
                    continue
            if column_names.coordinates(fields) is not None:
                return fields, line
        if {"x", "y", "z"} <= set(map(column_names.plain_name, fields_of(bare))):
            raise InputError(
                "names {} columns ({}), but its rows have {}: name them all".format(
                    len(fields_of(bare)), shown(line), width
                )
            )
    for line in above:
        _refuse_unknown_names(line, split, width)
    return None, None


def _refuse_unknown_names(line, split, width):
    """Raises an InputError where a line names all columns, and none of them by a name that is known.

    Words between blanks above three columns, and in comments, may be a text; names between separators are none.
    """
    is_comment = line.lstrip().startswith(COMMENTS)
    fields = split(line.lstrip("#/%! \t"))
    if len(fields) != width or not all(any(map(str.isalpha, field)) and not is_number(field) for field in fields[1:]):
        return
    if fields[0] and not any(map(str.isalpha, fields[0])):
        return
    is_separated = any(sign in line for sign in ",;\t")
    if is_separated or not is_comment and width > 3 or SPHERICAL.intersection(map(str.lower, fields)):
        raise InputError(
            "names no columns x, y, z ({}): name three of them so".format(printable(", ".join(fields).strip(", "), 60))
        )


def _counts(rows, place, width):
    """Whether a column counts the rows, by ones."""
    if len(rows) < 10 or not all(len(row) == width for row in rows) or not rows[0][place].isdigit():
        return False
    begin = int(rows[0][place])
    return [row[place] for row in rows] == [str(number) for number in range(begin, begin + len(rows))]


def _goes_on(rows, split, numbers, judged, numeric):
    """Whether a column that counts the first rows goes on to count, or to rise where rows were taken out.

    Args:
      rows: list of all lines.
      split: function of a row -> list of fields.
      numbers: the rows' numbers in the file.
      judged: fields of the first rows.
      numeric: places of columns of numbers, the one that counts first.

    Raises:
      InputError: it falls back, and is no column of a picture, over whose line the next column stays the same.
    """
    place, before = numeric[0], -1
    for number, row in zip(numbers, rows):
        following = str(before + 1)
        # To split a million rows takes longer than to read them.
        if not place and row.startswith(following) and row[len(following)] in ",; \t":
            before += 1
            continue
        value = (split(row) + [""] * place)[place]
        if not value.isdigit() or int(value) <= before:
            if len({fields[numeric[1]] for fields in judged}) == 1:
                return False
            raise InputError(
                "column {} counts the rows up to line {}, and not from there on: name the columns that are the "
                "coordinates x, y, z, in a line above the rows".format(place + 1, number)
            )
        before = int(value)
    return True
