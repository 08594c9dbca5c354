"""Reads meshes of stereolithography: .stl.

Dialects: text, of one or several solids, in any case; binary, also where its 80 free bytes begin with the word solid.
Which it is, is told by the size that a binary file promises, then by whether it is text at all.
"""

import re

import numpy as np

from utils.clouds import meshes
from utils.clouds.number_rows import first_three
from utils.clouds.texts import without_mark
from utils.files import InputError

HEADER_BYTES = 84
FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read(path, _=0):
    """The mesh in a file: a cloud.Content.

    Raises:
      InputError: it is damaged or no such file.
    """
    with open(path, "rb") as file:
        content = file.read()
    count = int.from_bytes(content[80:HEADER_BYTES], "little") if len(content) >= HEADER_BYTES else None
    is_whole = count is not None and len(content) == HEADER_BYTES + count * FACET.itemsize
    text = without_mark(content)
    if not is_whole and text.lstrip()[:5].lower() == b"solid" and b"\x00" not in text[:1024]:
        return _of_text(text)
    del text
    if count is None:
        raise InputError(
            "is no STL file: it holds {} bytes, and neither solid nor {} of a header".format(len(content), HEADER_BYTES)
        )
    there = (len(content) - HEADER_BYTES) // FACET.itemsize
    if there < count:
        raise InputError("promises {} triangles and holds {}: it was cut short; copy it again".format(count, there))
    corners = np.frombuffer(content, FACET, count, HEADER_BYTES)["corners"].astype(np.float64)
    notices = [] if is_whole else ["bytes behind its last triangle are ignored"]
    return _mesh(corners.reshape(-1, 3), notices)


def _of_text(content):
    text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").lower()
    numbers, lines, facets, ends = [], [], 0, 0
    for number, line in enumerate(text.split(b"\n"), start=1):
        line = line.strip()
        if line.startswith(b"vertex"):
            numbers.append(number)
            lines.append(line[len(b"vertex") :])
        elif line.startswith(b"endfacet"):
            ends += 1
            if len(lines) != 3 * ends:
                raise InputError("line {} ends a triangle that has not three corners".format(number))
        elif line.startswith(b"facet"):
            facets += 1
    solids, ended = (len(re.findall(pattern, text, re.MULTILINE)) for pattern in (rb"^\s*solid\b", rb"^\s*endsolid\b"))
    if facets != ends or len(lines) != 3 * ends or ended < solids:
        raise InputError("ends within a solid, after {} triangles: it was cut short; copy it again".format(ends))
    if not lines:
        raise InputError("holds no triangles")
    corners, _ = first_three(b"\n".join(lines), numbers)
    notices = ["{} solids are taken as one mesh".format(solids)] if solids > 1 else []
    return _mesh(corners, notices)


def _mesh(corners, notices):
    triangles = np.arange(len(corners)).reshape(-1, 3)
    if not len(triangles):
        raise InputError("holds no triangles")
    return meshes.content(corners, [(np.arange(len(triangles)), triangles)], notices, "triangles")
