"""Reads meshes of Wavefront's kind: .obj, their geometry alone.

Dialects: faces of any number of corners, with or without texture and normal numbers, counted from 1 or backwards from
the last vertex; colours or weights behind the coordinates; several objects and groups, taken as one; lines that go on
behind a backslash. Without faces the vertices are a cloud, whatever points and lines join them. Free-form surfaces
are not read.
"""

import re

import numpy as np

from utils.clouds import meshes
from utils.clouds.cloud import Content
from utils.clouds.number_rows import first_three, name_bad_words, read_numbers, shown, whole_numbers, words_a_line
from utils.clouds.texts import read_text
from utils.files import InputError

SURFACES = (b"curv", b"surf", b"curv2")


def read(path, _=0):
    """The mesh or cloud in a file: a cloud.Content.

    Raises:
      InputError: it is damaged, or holds neither: which line.
    """
    text = read_text(path)
    if b"\x00" in text[:4096]:
        raise InputError("holds no text, so it is no OBJ file")
    # The line goes on; an empty one keeps the count of lines right.
    text = re.sub(rb"\\\n([^\n]*)", rb" \1\n", text) if b"\\\n" in text else text
    kinds = {b"v": ([], []), b"f": ([], []), b"l": ([], []), b"p": ([], [])}
    for number, line in enumerate(text.split(b"\n"), start=1):
        words = line.split(None, 1)
        if not words:
            continue
        if words[0] in kinds and len(words) == 2:
            numbers, lines = kinds[words[0]]
            numbers.append(number)
            lines.append(words[1].split(b"#", 1)[0] if b"#" in words[1] else words[1])
        elif words[0] in kinds:
            raise InputError("line {} ends behind {!r}".format(number, shown(words[0])))
        elif words[0] in SURFACES:
            raise InputError("line {} is a free-form surface, which is not read: save it as a mesh".format(number))
    numbers, lines = kinds[b"v"]
    if not numbers:
        raise InputError("holds no vertices: no line begins with v")
    vertices, more = first_three(b"\n".join(lines), numbers)
    notices = ["{} more numbers a vertex, colours or a weight, are ignored".format(more)] if more else []
    if kinds[b"f"][0]:
        if kinds[b"l"][0] or kinds[b"p"][0]:
            notices.append("lines and points beside its faces are ignored")
        faces = _faces(*kinds[b"f"], vertices, np.array(numbers))
        return meshes.content(vertices, faces, notices, total=len(kinds[b"f"][0]))
    return Content(vertices, "a file without faces: its vertices are the cloud", notices)


def _faces(numbers, lines, vertices, vertex_numbers):
    """Faces as for `meshes.content`.

    Args:
      numbers, lines: of the faces, without the letter f.
      vertices: float64 array [V, 3].
      vertex_numbers: int array [V], the lines that they stand in.
    """
    text = b"\n".join(lines)
    if b"/" in text:
        text = re.sub(rb"/\S*", b"", text)
    lengths = words_a_line(text)
    values = read_numbers(text, int(lengths.sum()))
    if values is None:
        name_bad_words(text, numbers)
    corners = whole_numbers(values, "the corner")
    of_face = np.repeat(np.arange(len(lengths)), lengths)
    before = np.searchsorted(vertex_numbers, numbers)[of_face]
    places = np.where(corners < 0, corners + before, corners - 1)
    wrong = np.flatnonzero((corners == 0) | (places < 0) | (places >= len(vertices)))
    if len(wrong):
        raise InputError(
            "line {} names vertex {}, but there are {}, counted from 1: is the file damaged?".format(
                numbers[of_face[wrong[0]]], corners[wrong[0]], len(vertices)
            )
        )
    return meshes.by_length(lengths, places)
