"""Meshes and clouds in text as Windows' editors and shells save them: with a byte-order mark."""

import os

import numpy as np
import pytest
from test_readers import CORNERS, _mesh_ply, _obj, _off, _rows, _stl

from utils.clouds import readers

PCD = "FIELDS x y z\nSIZE 8 8 8\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 8\nHEIGHT 1\nPOINTS 8\nDATA ascii\n" + _rows(CORNERS)
FILES = {
    "a.obj": _obj(),
    "a.off": _off(),
    "a.ply": _mesh_ply(),
    "a.stl": _stl(),
    "a.pcd": PCD,
    "table.ply": _rows(CORNERS),
    "mesh.xyz": _mesh_ply(),
}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path, name, encoding):
    plain, marked = str(tmp_path / name), str(tmp_path / ("marked_" + name))
    with open(plain, "w") as file:
        file.write(FILES[name])
    with open(marked, "w", encoding=encoding) as file:
        file.write(FILES[name])
    expected = readers.read_here(plain, 100, 0, 0)
    found = readers.read_here(marked, 100, 0, 0)
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[2:] == expected[2:] and os.path.getsize(marked) > os.path.getsize(plain)


def test_a_binary_stl_may_begin_with_any_bytes(tmp_path):
    facets = np.zeros(2, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    facets["corners"] = [[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0], [1, 0, 0], [0, 0, 1]]]
    (tmp_path / "a.stl").write_bytes(b"\xef\xbb\xbfsolid".ljust(80, b" ") + np.uint32(2).tobytes() + facets.tobytes())
    points, _, notices, _ = readers.read_here(str(tmp_path / "a.stl"), 100, 0, 0)
    assert "2 triangles" in notices[0] and (points.sum(axis=1) <= 1 + 1e-6).all()
