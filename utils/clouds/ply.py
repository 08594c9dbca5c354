"""Reads PLY, clouds and meshes: .ply.

Dialects: text and binary of both byte orders, headers with any line ends; coordinates of any number type and place,
called x y z or X Y Z; elements of any names before, between and behind; faces of any number of corners called
vertex_indices or vertex_index, triangle strips; further properties and lists, which are ignored.
"""

import re

import numpy as np

from utils.clouds import column_names, meshes, ply_rows
from utils.clouds.cloud import Content
from utils.clouds.number_rows import whole_numbers
from utils.clouds.texts import without_mark
from utils.files import InputError, printable

TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
    **{name: name[0] + "8" for name in ("int64", "uint64")},
}
ORDERS = {"ascii": None, "binary_little_endian": "<", "binary_big_endian": ">"}
CORNERS = ("vertex_indices", "vertex_index")
MOST_HEADER_BYTES = 1 << 20


def read(path, _=0):
    """The mesh or cloud in a file: a cloud.Content.

    Raises:
      InputError: it is damaged, or no such file: what its header promises and it does not hold.
    """
    with open(path, "rb") as file:
        content = without_mark(file.read())
    order, elements, begin = header(content)
    if order is None:
        columns = ply_rows.read_text(content[begin:], elements, content[:begin].count(b"\n") + 1)
    else:
        columns = ply_rows.read_binary(content, begin, elements, order)
    del content
    named = {element.name.lower(): element for element in elements}
    if "vertex" not in named:
        raise InputError(
            "holds no element vertex in its header, but {}".format(
                ", ".join(printable(element.name, 24) for element in elements) or "none"
            )
        )
    properties = list(named["vertex"].properties)
    places = column_names.coordinates([one.name for one in properties], "property")
    if places is None or any(properties[place].count_kind for place in places):
        raise InputError("names no x, y and z among the properties of its vertices")
    rows = columns[named["vertex"].name]
    vertices = np.stack([np.asarray(rows[properties[place].name], np.float64) for place in places], axis=1)
    others = [one.name for place, one in enumerate(properties) if place not in places]
    notices = column_names.ignored(others, "property", "properties")
    faces, what, total = _faces(named, columns)
    if faces:
        return meshes.content(vertices, faces, notices, what, total)
    used = "x, y, z are its properties {}".format(", ".join(printable(properties[place].name) for place in places))
    return Content(vertices, used, notices)


def header(content):
    """Byte order (None: text), list of Element, and where the rows begin, of a file's bytes.

    Raises:
      InputError: it is no PLY header.
    """
    if not re.match(rb"ply\s", content):
        raise InputError("does not begin with the word ply; if it is a table of numbers, give it the ending .xyz")
    end = re.compile(rb"^[ \t]*end_header[ \t]*(\r\n|\n|\r)?", re.MULTILINE).search(
        content[:MOST_HEADER_BYTES].replace(b"\r", b"\n") if b"\n" not in content[:8] else content[:MOST_HEADER_BYTES]
    )
    if not end:
        raise InputError("has a header without end_header: it is damaged; copy it again")
    order, elements = "", []
    begin = end.end()
    # A lone carriage return ends lines, or comes before the line feed of the same line.
    for line in re.split(r"[\r\n]+", content[: end.start()].decode("latin-1"))[1:]:
        words = line.split()
        try:
            if not words or words[0] in ("comment", "obj_info"):
                continue
            if words[0] == "format":
                order = ORDERS[words[1]]
            elif words[0] == "element":
                if not 0 <= int(words[2]) < 2**48:
                    raise ValueError
                elements.append(ply_rows.Element(words[1], int(words[2]), ()))
            elif words[0] == "property":
                one = (
                    ply_rows.Property(words[4], TYPES[words[3].lower()], TYPES[words[2].lower()])
                    if words[1] == "list"
                    else ply_rows.Property(words[2], TYPES[words[1].lower()], "")
                )
                if one.name in (before.name for before in elements[-1].properties):
                    raise InputError("names the property {} twice".format(printable(one.name, 24)))
                elements[-1] = elements[-1]._replace(properties=elements[-1].properties + (one,))
            else:
                raise ValueError
        except InputError:
            raise
        except (ValueError, KeyError, IndexError):
            raise InputError("has the line {!r} in its header, which PLY does not know".format(printable(line, 60)))
    if order == "":
        raise InputError("names no format in its header: it is damaged; copy it again")
    if len({element.name for element in elements}) < len(elements):
        raise InputError("names one element twice in its header")
    return order, elements, begin


def _faces(named, columns):
    """Faces, what they are called and how many there are, as for `meshes.content`; an empty list without any."""
    for name in ("face", "faces", "tristrips"):
        element = named.get(name)
        if element is None or not element.count:
            continue
        lists = [one for one in element.properties if one.count_kind and one.name.lower() in CORNERS]
        if not lists:
            raise InputError("names no vertex_indices among the properties of its faces")
        lengths, corners = columns[element.name][lists[0].name]
        corners = whole_numbers(np.asarray(corners, np.float64), "the corner")
        if name == "tristrips":
            triangles = _of_strips(lengths, corners)
            return ([(np.arange(len(triangles)), triangles)] if len(triangles) else []), "triangles in strips", None
        return meshes.by_length(lengths, corners), "faces", len(lengths)
    return [], "", None


def _of_strips(lengths, corners):
    """Triangles of strips, which -1 ends: int array [T, 3]."""
    strip = np.repeat(np.arange(len(lengths)), lengths) * 2.0
    # A triangle lies within one strip, and none of its corners ends one.
    triples = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    return triples[(triples >= 0).all(axis=1) & (strip[:-2] == strip[2:])]
