"""Rows of PLY files, as their headers promise them -> columns, each promise held against what is there first."""

from typing import NamedTuple, Tuple

import numpy as np

from utils.clouds.number_rows import name_bad_word, read_numbers, words_a_line
from utils.files import InputError, printable

PLURALS = {"vertex": "vertices", "face": "faces"}


class Property(NamedTuple):
    """One property of an element.

    Attributes:
      name: as the header has it.
      kind: of its values, as NumPy calls it, without a byte order.
      count_kind: of the number of values before them; "" where it is one value and no list.
    """

    name: str
    kind: str
    count_kind: str


class Element(NamedTuple):
    """One kind of rows.

    Attributes:
      name: as the header has it.
      count: how many rows it promises.
      properties: tuple of Property, in the order of a row.
    """

    name: str
    count: int
    properties: Tuple[Property, ...]


def _too_short(element, held):
    return InputError(
        "promises {} {} and holds {}: it was cut short; copy it again".format(
            element.count, PLURALS.get(element.name.lower(), "rows of " + printable(element.name, 24)), held
        )
    )


def _row_type(properties, lengths, order):
    """NumPy's type of a row whose lists are as long as given: [(name of the count, name, ...)]."""
    fields = []
    for place, one in enumerate(properties):
        if one.count_kind:
            fields.append(("count {}".format(place), order + one.count_kind))
            fields.append((one.name, order + one.kind, (lengths[place],)))
        else:
            fields.append((one.name, order + one.kind))
    return np.dtype(fields)


def read_binary(content, begin, elements, order):
    """Rows of all elements: a dictionary from their names to dictionaries from names of properties to columns.

    A column of numbers is an array; a list is (lengths [rows], values [sum of lengths]).
    """
    columns = {}
    for element in elements:
        least = _row_type(element.properties, [0] * len(element.properties), order).itemsize
        there = len(content) - begin
        if element.count * least > there:
            raise _too_short(element, there // least)
        columns[element.name], begin = _rows(content, begin, element, order)
    if begin < len(content) and content[begin:].strip(b"\x00\r\n\t \x1a"):
        raise InputError("holds {} bytes more than its header promises: correct that".format(len(content) - begin))
    return columns


def _rows(content, begin, element, order):
    """Columns of one element, and where the next one begins."""
    properties = element.properties
    is_list = [bool(one.count_kind) for one in properties]
    if not element.count or not properties:
        return {one.name: _no_column(one, order) for one in properties}, begin
    first = _walk(content, begin, element._replace(count=1), order)
    kind = _row_type(properties, [lengths[0] for _, lengths in first], order)
    if element.count * kind.itemsize <= len(content) - begin:
        rows = np.frombuffer(content, kind, element.count, begin)
        is_equal = [(rows["count {}".format(place)] == first[place][1][0]).all() for place in np.flatnonzero(is_list)]
        if all(is_equal):
            columns = {}
            for one in properties:
                values = rows[one.name]
                columns[one.name] = (
                    (np.full(len(rows), values.shape[1], np.int64), values.ravel()) if one.count_kind else values
                )
            return columns, begin + element.count * kind.itemsize
    there = np.frombuffer(content, np.uint8)
    columns, walked = {}, _walk(content, begin, element, order)
    for one, (offsets, lengths) in zip(properties, walked):
        size = np.dtype(one.kind).itemsize
        inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = np.repeat(offsets, lengths) + size * inside
        values = there[places[:, np.newaxis] + np.arange(size)].view(order + one.kind).ravel()
        columns[one.name] = (lengths, values) if one.count_kind else values
    return columns, int(offsets[-1] + lengths[-1] * size)


def _no_column(one, order):
    values = np.empty(0, (order or "<") + one.kind)
    return (np.empty(0, np.int64), values) if one.count_kind else values


def _walk(content, begin, element, order):
    """Where the values of each property of each row begin, and how many there are: a list of two int arrays each."""
    steps = [
        (np.dtype(one.count_kind).itemsize if one.count_kind else 0, np.dtype(one.kind).itemsize)
        for one in element.properties
    ]
    byte_order = "little" if order == "<" else "big"
    offsets = [[] for _ in steps]
    lengths = [[] for _ in steps]
    end = len(content)
    for row in range(element.count):
        for place, (count_size, size) in enumerate(steps):
            length = 1
            if count_size:
                length = int.from_bytes(content[begin : begin + count_size], byte_order)
                begin += count_size
            offsets[place].append(begin)
            lengths[place].append(length)
            begin += length * size
        if begin > end:
            raise _too_short(element, row)
    return [(np.array(one, np.int64), np.array(many, np.int64)) for one, many in zip(offsets, lengths)]


def read_text(text, elements, first_line):
    """As `read_binary`, of a file in text: rows one after another, wherever lines end."""
    text = text.replace(b"\r", b"\n") if b"\n" not in text else text
    num_words = int(words_a_line(text).sum())
    values = read_numbers(text, num_words)
    if values is None:
        name_bad_word(text, first_line)
    columns, begin = {}, 0
    for element in elements:
        columns[element.name], begin = _text_rows(values, begin, element)
    if begin < len(values):
        raise InputError("holds {} numbers more than its header promises: correct that".format(len(values) - begin))
    return columns


def _text_rows(values, begin, element):
    """As `_rows`, from the flat numbers of a text."""
    properties = element.properties
    if not element.count or not properties:
        return {one.name: _no_column(one, None) for one in properties}, begin
    if len(values) - begin < element.count * len(properties):
        raise _too_short(element, (len(values) - begin) // len(properties))
    width, places = 0, []
    for one in properties:
        places.append(width)
        width += 1 + (_list_length(values, begin + width, element) if one.count_kind else 0)
    if len(values) - begin >= element.count * width:
        rows = values[begin : begin + element.count * width].reshape(-1, width)
        is_list = [place for place, one in zip(places, properties) if one.count_kind]
        if (rows[:, is_list] == rows[0, is_list]).all():
            columns = {}
            for one, place in zip(properties, places):
                columns[one.name] = rows[:, place]
                if one.count_kind:
                    length = int(rows[0, place])
                    columns[one.name] = (
                        np.full(len(rows), length, np.int64),
                        rows[:, place + 1 : place + 1 + length].ravel(),
                    )
            return columns, begin + element.count * width
    if not any(one.count_kind for one in properties):
        raise _too_short(element, (len(values) - begin) // width)
    return _uneven_text_rows(values, begin, element)


def _uneven_text_rows(values, begin, element):
    starts = [[] for _ in element.properties]
    lengths = [[] for _ in element.properties]
    numbers = values.tolist()
    for row in range(element.count):
        for place, one in enumerate(element.properties):
            length = 1
            if one.count_kind:
                if begin >= len(numbers):
                    raise _too_short(element, row)
                length = _list_length(values, begin, element)
                begin += 1
            starts[place].append(begin)
            lengths[place].append(length)
            begin += length
        if begin > len(numbers):
            raise _too_short(element, row)
    columns = {}
    for one, first, count in zip(element.properties, np.array(starts), np.array(lengths)):
        inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        column = values[np.repeat(first, count) + inside]
        columns[one.name] = (count, column) if one.count_kind else column
    return columns, begin


def _list_length(values, place, element):
    if place >= len(values):
        raise _too_short(element, 0)
    if not (0 <= values[place] < np.inf and values[place] == np.floor(values[place])):
        raise InputError("has a list of {:g} values in {}".format(values[place], printable(element.name, 24)))
    return int(values[place])
