"""PLY files with numbers that are none: what is left out, and what is refused."""

import struct

import numpy as np
import pytest

from utils.clouds import readers
from utils.files import InputError

NOT_FINITE = [float("nan"), float("inf"), float("-inf")]
POINTS = np.round(np.random.RandomState(5).uniform(-3, 3, (60, 3)), 4)
HEADER = "ply\nformat {} 1.0\nelement vertex 60\nproperty double x\nproperty double y\nproperty double z\nend_header\n"
MESH = (
    "ply\nformat ascii 1.0\nelement vertex 4\nproperty double x\nproperty double y\nproperty double z\n"
    "element face 1\nproperty float quality\nproperty list uchar int vertex_indices\nend_header\n"
    "{0} 0 0\n0 0 0\n2 0 0\n0 2 0\n{0} {1} 1 2 3\n"
)


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian"])
@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_first_vertex_without_coordinates_is_left_out(tmp_path, order, value):
    points = POINTS.copy()
    points[0, 1] = value
    rows = "".join("{} {} {}\n".format(*row) for row in points.tolist()).encode()
    if order != "ascii":
        rows = b"".join(struct.pack("<ddd", *row) for row in points)
    (tmp_path / "a.ply").write_bytes(HEADER.format(order).encode() + rows)
    found = readers.read(str(tmp_path / "a.ply"))
    np.testing.assert_array_equal(found.points, POINTS[1:])
    assert "1 of 60 points have no finite coordinates" in found.notices[0]


@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_mesh_may_hold_numbers_that_are_none_where_no_face_needs_them(tmp_path, value):
    (tmp_path / "a.ply").write_text(MESH.format(value, 3))
    points = readers.read(str(tmp_path / "a.ply"), 50).points
    # The triangle (0, 0), (2, 0), (0, 2).
    assert (points >= 0).all() and (points.sum(axis=1) <= 2 + 1e-9).all()
    (tmp_path / "b.ply").write_text(MESH.format(0, value))
    with pytest.raises(InputError, match="has a list of {:g} values in face".format(value)):
        readers.read(str(tmp_path / "b.ply"))
