"""Reads clouds of the Point Cloud Library: .pcd.

Dialects: versions .5 to .7, text, binary and compressed; fields in any order, called x y z or X Y Z, of any size,
whole or not; padding, fields of several values and of none; headers in any case of letters, split by spaces or tabs,
with any line ends; clouds with and without rows of a sensor. Its VIEWPOINT is no part of the coordinates and is not
applied.
"""

import re

import numpy as np

from utils.clouds import column_names
from utils.clouds.cloud import Content
from utils.clouds.number_rows import read_rows, shown
from utils.clouds.texts import without_mark
from utils.files import InputError, printable

MOST_HEADER_BYTES = 1 << 16
MOST_EXPANSION = 264 / 3  # of LZF: three bytes stand for as many
KINDS = {"F": (2, 4, 8), "I": (1, 2, 4, 8), "U": (1, 2, 4, 8)}


def read(path, _=0):
    """The cloud in a file: a cloud.Content.

    Raises:
      InputError: it is damaged, or no such file: what its header promises and it does not hold.
    """
    with open(path, "rb") as file:
        content = without_mark(file.read())
    entries, begin, num_lines = _header(content)
    names = entries.get("FIELDS") or entries.get("COLUMNS")
    if not names:
        raise InputError("names no FIELDS in its header: it is damaged, or no PCD file")
    kind = _row_type(entries, names)
    places = column_names.coordinates(names, "field")
    if places is None:
        raise InputError("names no x, y and z among its FIELDS: {}".format(printable(" ".join(names), 60)))
    promised = _promised(entries)
    rest = content[begin:]
    notices = []
    way = entries["DATA"][0].lower() if entries["DATA"] else ""
    if way == "ascii":
        rows, starts = _text_rows(rest, kind, num_lines, promised)
        points = rows[:, [starts[place] for place in places]]
        if promised is not None and len(rows) > promised:
            notices.append("its header promises {} points, it holds {}, all are read".format(promised, len(rows)))
    elif way == "binary":
        promised = len(rest) // max(1, kind.itemsize) if promised is None else promised
        if len(rest) < promised * kind.itemsize:
            raise _too_short(promised, len(rest) // kind.itemsize)
        points = _columns(np.frombuffer(rest, kind, promised) if promised else np.empty(0, kind), kind, places)
    elif way == "binary_compressed":
        points = _compressed_columns(rest, kind, promised, places)
    else:
        raise InputError(
            "has DATA {} in its header, not ascii, binary or binary_compressed".format(shown(" ".join(entries["DATA"])))
        )
    if entries.get("VIEWPOINT") and [float(one) for one in entries["VIEWPOINT"]] != [0, 0, 0, 1, 0, 0, 0]:
        notices.append("its VIEWPOINT is not applied")
    others = [name for place, name in enumerate(names) if place not in places and name != "_"]
    used = "x, y, z are its fields {}".format(", ".join(printable(names[place]) for place in places))
    return Content(points, used, column_names.ignored(others, "field") + notices)


def _header(content):
    """Entries of a header, from words in capitals to lists of words; where the rows begin; lines above them."""
    found = re.compile(rb"^[ \t]*DATA[ \t]+(\w+)[ \t]*(\r\n|\n|\r|$)", re.MULTILINE | re.IGNORECASE).search(
        content[:MOST_HEADER_BYTES]
    )
    if not found:
        raise InputError("has no line DATA in its header: it is damaged, or no PCD file")
    entries = {}
    for line in re.split(r"\r\n|\n|\r", content[: found.end()].decode("latin-1")):
        words = line.split("#")[0].split()
        if words:
            entries[words[0].upper()] = words[1:]
    try:
        [float(one) for one in entries.get("VIEWPOINT", [])]
    except ValueError:
        raise InputError("has a VIEWPOINT that is no numbers: {}".format(shown(" ".join(entries["VIEWPOINT"]))))
    return entries, found.end(), content[: found.end()].count(b"\n")


def _row_type(entries, names):
    """NumPy's type of a row; its fields are called f0, f1 and so on, for names may be there twice."""
    count = len(names)
    try:
        sizes = [int(one) for one in entries.get("SIZE", ["4"] * count)]
        counts = [int(one) for one in entries.get("COUNT", ["1"] * count)]
    except ValueError:
        raise InputError("has a SIZE or COUNT in its header that is no number")
    kinds = [one.upper() for one in entries.get("TYPE", ["F"] * count)]
    if not len(sizes) == len(kinds) == len(counts) == count:
        raise InputError(
            "names {} FIELDS, {} SIZE, {} TYPE and {} COUNT in its header: as many of each are needed".format(
                count, len(sizes), len(kinds), len(counts)
            )
        )
    fields = []
    for place, (size, kind, number) in enumerate(zip(sizes, kinds, counts)):
        if size not in KINDS.get(kind, ()) or not 0 <= number < 2**20:
            raise InputError(
                "has a field {} of TYPE {}, SIZE {}, COUNT {}, which PCD does not know".format(
                    printable(names[place], 24), printable(kind, 24), size, number
                )
            )
        fields.append(("f{}".format(place), "<{}{}".format(kind.lower(), size), (number,)))
    return np.dtype(fields)


def _promised(entries):
    """How many points a header promises; None where it says nothing."""
    try:
        numbers = {name: int(entries[name][0]) for name in ("WIDTH", "HEIGHT", "POINTS") if entries.get(name)}
    except ValueError:
        numbers = {"POINTS": -1}
    if any(number < 0 for number in numbers.values()):
        raise InputError("has a WIDTH, HEIGHT or POINTS in its header that is no count")
    product = numbers["WIDTH"] * numbers.get("HEIGHT", 1) if "WIDTH" in numbers else None
    points = numbers.get("POINTS", product)
    if product is not None and points != product:
        raise InputError("promises {} POINTS, but WIDTH times HEIGHT is {}: correct its header".format(points, product))
    return points


def _too_short(promised, held):
    return InputError("promises {} points and holds {}: it was cut short; copy it again".format(promised, held))


def _text_rows(text, kind, num_lines, promised):
    """Numbers of all rows, float64 [R, values a row], and at which of them each field begins."""
    lengths = [kind[name].shape[0] for name in kind.names]
    text = text.replace(b"\r", b"\n") if b"\n" not in text else text
    rows = read_rows(text, num_lines + 1, sum(lengths))
    if promised is not None and len(rows) < promised:
        raise _too_short(promised, len(rows))
    return rows, np.cumsum(lengths) - lengths


def _columns(rows, kind, places):
    columns = [rows[kind.names[place]] for place in places]
    if any(column.shape[1] < 1 for column in columns):
        raise InputError("has a COUNT of 0 for x, y or z")
    return np.stack([column[:, 0].astype(np.float64) for column in columns], axis=1)


def _compressed_columns(content, kind, promised, places):
    """The coordinates of compressed rows, which lie field after field."""
    packed, unpacked = (int.from_bytes(content[begin : begin + 4], "little") for begin in (0, 4))
    if len(content) < 8 or len(content) - 8 < packed:
        raise InputError(
            "promises {} compressed bytes and holds {}: it was cut short; copy it again".format(
                packed, max(0, len(content) - 8)
            )
        )
    count = unpacked // max(1, kind.itemsize) if promised is None else promised
    if unpacked != count * kind.itemsize or unpacked > MOST_EXPANSION * packed:
        raise InputError(
            "promises {} points of {} bytes, but its compressed part {}: it is damaged; copy it again".format(
                count, kind.itemsize, unpacked
            )
        )
    raw = _decompress(content[8 : 8 + packed], unpacked)
    columns, begin = {}, 0
    for place, name in enumerate(kind.names):
        field = kind[name]
        if place in places:
            columns[place] = np.frombuffer(raw, field.base, count * field.shape[0], begin).reshape(count, -1)
        begin += field.itemsize * count
    if any(not columns[place].shape[1] for place in places):
        raise InputError("has a COUNT of 0 for x, y or z")
    return np.stack([columns[place][:, 0].astype(np.float64) for place in places], axis=1)


def _decompress(packed, size):
    """Undoes LZF, the compression of Marc Lehmann's liblzf that PCL uses: runs, and copies of what was before."""
    found = bytearray()
    at, end = 0, len(packed)
    try:
        while at < end and len(found) <= size:
            control = packed[at]
            at += 1
            if control < 32:
                found += packed[at : at + control + 1]
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += packed[at]
                at += 1
            back = len(found) - ((control & 31) << 8) - packed[at] - 1
            at += 1
            length += 2
            if back < 0:
                raise IndexError
            distance = len(found) - back
            if distance >= length:
                found += found[back : back + length]
            else:
                found += (found[back:] * (length // distance + 1))[:length]
    except IndexError:
        raise InputError("has a compressed part that is damaged: copy it again")
    if len(found) != size:
        raise InputError("promises {} bytes, but {} were compressed: copy it again".format(size, len(found)))
    return bytes(found)
