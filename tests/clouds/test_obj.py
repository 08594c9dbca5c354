"""Meshes of modelling programs, OBJ before all: faces that are none."""

import numpy as np
import pytest

from utils.clouds import readers

SQUARE = "v 0 0 0\nv 2 0 0\nv 2 2 0\nv 0 2 0\n"


@pytest.mark.parametrize("face", ["f 1 2\n", "f 1/1 3/2\n", "f 2\n"])
def test_a_face_of_fewer_than_three_corners_is_passed_over(tmp_path, face):
    (tmp_path / "a.obj").write_text(SQUARE + face + "f 1 2 3 4\n")
    points, _, notices, is_mesh = readers.read_here(str(tmp_path / "a.obj"), 50, 0, 0)
    assert is_mesh and "a mesh of 1 faces" in notices[0] and "1 face of fewer than three corners" in notices[0]
    assert (points[:, :2] >= 0).all() and (points[:, :2] <= 2).all() and (points[:, 2] == 0).all()


def test_of_such_faces_alone_the_vertices_are_the_cloud(tmp_path):
    (tmp_path / "a.obj").write_text(SQUARE + "f 1 2\nf 3 4\n")
    points, _, notices, is_mesh = readers.read_here(str(tmp_path / "a.obj"), 50, 0, 0)
    assert not is_mesh and "none of its faces has three corners" in notices[0]
    np.testing.assert_array_equal(points, [[0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]])


def test_off_and_ply_say_the_same_of_such_faces(tmp_path):
    corners = SQUARE.replace("v ", "")
    (tmp_path / "a.off").write_text("OFF\n4 3 0\n" + corners + "2 0 1\n4 0 1 2 3\n1 2\n")
    header = "ply\nformat ascii 1.0\nelement vertex 4\nproperty int x\nproperty int y\nproperty int z\n"
    header += "element face 3\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "a.ply").write_text(header + corners + "2 0 1\n4 0 1 2 3\n1 2\n")
    for name in ("a.off", "a.ply"):
        notice = readers.read_here(str(tmp_path / name), 50, 0, 0)[2][0]
        assert "a mesh of 1 faces" in notice and "2 faces of fewer than three corners are passed over" in notice
