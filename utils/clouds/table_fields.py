"""How the rows of a table are split into fields."""

import re

from utils.clouds.number_rows import is_number, shown
from utils.files import InputError

# A number that is split at its decimal comma from what follows by another separator.
DECIMAL_COMMA = re.compile(r"(?:^|[\s;])[-+]?\d+,\d+(?:[eE][-+]?\d+)?(?=$|[\s;])")
# 500,100.25: thousands in groups.
GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$")
# One number with a comma in it, within quotes or where commas split nothing: 0,25 or 1.500,25 or 500,100.25.
COMMA_NUMBER = re.compile(r"[-+]?\d+(?:\.\d{3})*,\d+(?:[eE][-+]?\d+)?$|" + GROUPED.pattern)
# What programs write where they have no number.
MISSING = {"", "na", "n/a", "null", "none"}
BRACKETS = {ord(sign): " " for sign in "[](){}<>\"'"}
# What a C library writes behind a nan, "-nan(ind)", is in brackets that are none of the row's.
NAN = re.compile(r"(?<![\w.])(nan)\(\w*\)", re.IGNORECASE)
# What stands in quotes as a field of its own.
QUOTED = re.compile(r"(?<![^\s,;])([\"'])([^\"']*)\1(?![^\s,;])")
# Signs that stand in for those in quotes that split nothing there, while a row is split.
HIDDEN = {ord(sign): chr(0xE000 + place) for place, sign in enumerate(",; \t[](){}<>")}
SHOWN = {ord(stand_in): chr(sign) for sign, stand_in in HIDDEN.items()}


def fields_of(line):
    """Fields of a line, whatever splits them; empty ones are passed over."""
    fields = _bare(line).replace(",", " ").replace(";", " ").split()
    return _shown(fields) if '"' in line or "'" in line else fields


def all_fields(line):
    """As `fields_of`, with the empty ones between commas or semicolons."""
    if "," not in line and ";" not in line:
        return fields_of(line)
    return [field.strip() for field in re.split("[,;]", line.translate(BRACKETS))]


def splitter(rows, numbers):
    """The function that splits a row of this table.

    Args:
      rows: list of lines, those to judge by.
      numbers: of each, its number in the file.

    Returns:
      A function of a row -> list of fields.

    Raises:
      InputError: commas may be decimal ones.
    """
    rows = [_without_quoted_separators(row) for row in rows]
    for number, row in zip(numbers, rows):
        words = row.replace(";", " ").split()
        if len(words) > 1 and DECIMAL_COMMA.search(row) or re.search(r"(?:^|,)\d+,0\d+(?:,|$)", row) and "." not in row:
            raise decimal_commas(number, row)
    with_commas = [(number, row) for number, row in zip(numbers, rows) if "," in row]
    if with_commas and all(_is_grouped(row) for _, row in with_commas):
        raise decimal_commas(*with_commas[0])
    if any(";" in row for row in rows):
        return _exact(";")
    if all("," in row for row in rows):
        inner = [field for row in rows for field in _bare(row).split(",") if len(field.split()) > 1]
        if not any(all(map(is_number, field.split())) for field in inner):
            return _exact(",")
        return fields_of
    tabs = {row.count("\t") for row in rows}
    if len(tabs) == 1 and tabs.pop() >= 2 and not any(" " in row.strip() for row in rows):
        return _exact("\t")
    return fields_of


def is_like_number(field):
    """Whether a field is a number, or one with a comma in it, which is refused elsewhere."""
    return is_number(field) or bool(COMMA_NUMBER.match(field))


def is_missing(field):
    """Whether a field says that there is no number: an empty one does so."""
    return len(field) <= 4 and field.lower() in MISSING


def decimal_commas(number, row):
    """The InputError for a row whose commas may be part of its numbers."""
    return InputError(
        "line {} may have decimal commas: commas and other separators are mixed; write numbers with a point and "
        "without commas ({})".format(number, shown(row.translate(SHOWN)))
    )


def _is_grouped(row):
    """Whether blanks split a row, and all its commas are in numbers with thousands in groups."""
    words = row.split()
    return len(words) > 1 and all(GROUPED.match(word) for word in words if "," in word)


def _exact(separator):
    def split(row):
        # In spreadsheets a bracket or quote stands around a field or the row, never around a separator.
        fields = [field.strip() for field in _bare(row).split(separator)]
        return _shown(fields) if '"' in row or "'" in row else fields

    return split


def _bare(line):
    """A line without brackets and quotes; separators in quotes that are part of their field are hidden."""
    line = _without_quoted_separators(line)
    return (NAN.sub(r"\1", line) if "(" in line else line).translate(BRACKETS)


def _without_quoted_separators(line):
    if '"' in line or "'" in line:
        whole = QUOTED.match(line.strip())
        if not whole or whole.end() < len(line.strip()):
            return QUOTED.sub(_hidden, line)
    return line


def _hidden(quoted):
    content = quoted.group(2)
    words = content.translate(BRACKETS).replace(",", " ").split()
    # A list of coordinates in quotes, "[0.1, 0.2, 0.3]", is split like any other.
    is_list = sum(map(is_number, words)) >= 3 and not COMMA_NUMBER.match(content.strip())
    return content if is_list else content.translate(HIDDEN)


def _shown(fields):
    return [field.translate(SHOWN).strip() for field in fields]
