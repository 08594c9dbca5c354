"""Reads meshes of Geomview's kind: .off.

Dialects: OFF, COFF, NOFF, STOFF and their mixtures, in text; the counts behind the word OFF, with or without a space,
as in ModelNet40's own files, or in the next line; no word at all; comments and empty lines anywhere; normals and
colours of vertices and colours of faces, with or without their letter in the header; faces of any number of corners;
no faces: a cloud.
"""

import re

import numpy as np

from utils.clouds import meshes
from utils.clouds.cloud import Content
from utils.clouds.number_rows import name_bad_word, read_numbers, read_rows, shown, whole_numbers, words_a_line
from utils.clouds.texts import read_text
from utils.files import InputError

KEYWORD = re.compile(rb"\s*(?:ST|C|N)*(4)?(n)?OFF(\s*BINARY)?")


def read(path, _=0):
    """The mesh or cloud in a file: a cloud.Content.

    Raises:
      InputError: it is damaged, or of a dialect that is not read: which.
    """
    text = read_text(path)
    if b"#" in text:
        text = re.sub(rb"#[^\n]*", b"", text)
    keyword = KEYWORD.match(text)
    if keyword:
        if any(keyword.groups()):
            raise InputError(
                "is of the kind {}, which is not read: save it as OFF in text".format(shown(keyword.group()))
            )
        text = re.sub(rb"\S", b" ", keyword.group()) + text[keyword.end() :]
    counts = words_a_line(text)
    lines = np.flatnonzero(counts)
    starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1, [len(text) + 1]])
    part = lambda first, last: text[starts[first] : starts[last + 1] - 1]
    header = part(lines[0], lines[0]) if len(lines) else b""
    promised = read_numbers(header, int(counts[lines[0]])) if len(lines) else None
    if promised is None or not 2 <= len(promised) <= 3 or (promised < 0).any():
        raise InputError("begins with {!r} instead of OFF and the counts of vertices and faces".format(shown(header)))
    num_vertices, num_faces = whole_numbers(promised[:2], "the count")
    there = len(lines) - 1
    if there < num_vertices + num_faces:
        kind, held, count = (
            ("vertices", there, num_vertices) if there < num_vertices else ("faces", there - num_vertices, num_faces)
        )
        raise InputError("promises {} {} and holds {}: it was cut short; copy it again".format(count, kind, held))
    if there > num_vertices + num_faces:
        raise InputError(
            "promises {} vertices and {} faces, and holds {} lines more: correct its header".format(
                num_vertices, num_faces, there - num_vertices - num_faces
            )
        )
    if not num_vertices:
        raise InputError("holds no vertices")
    first, last = lines[1], lines[num_vertices]
    rows = read_rows(part(first, last), first + 1)
    if rows.shape[1] < 3:
        raise InputError("line {} holds {} numbers instead of x y z".format(first + 1, rows.shape[1]))
    vertices = rows[:, :3].copy()
    notices = []
    if rows.shape[1] > 3:
        notices.append("{} more numbers a vertex, normals or colours, are ignored".format(rows.shape[1] - 3))
    if not num_faces:
        return Content(vertices, "a mesh without faces: its vertices are the cloud", notices)
    first, last = lines[1 + num_vertices], lines[num_vertices + num_faces]
    faces = _faces(part(first, last), counts[lines[1 + num_vertices :]], lines[1 + num_vertices :] + 1)
    return meshes.content(vertices, faces, notices, total=int(num_faces))


def _faces(text, widths, numbers):
    """Faces of lines that hold a number of corners, the corners, and perhaps a colour: as for `meshes.content`."""
    values = read_numbers(text, int(widths.sum()))
    if values is None:
        name_bad_word(text, numbers[0])
    starts = np.cumsum(widths) - widths
    lengths = whole_numbers(values[starts], "the number of corners")
    wrong = np.flatnonzero((lengths < 1) | (lengths >= widths))
    if len(wrong):
        raise InputError(
            "line {} promises {} corners and holds {} numbers".format(
                numbers[wrong[0]], lengths[wrong[0]], widths[wrong[0]] - 1
            )
        )
    inside = (
        np.repeat(starts + 1, lengths) + np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    )
    return meshes.by_length(lengths, whole_numbers(values[inside], "the corner"))
