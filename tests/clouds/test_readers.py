"""Clouds and meshes of every format, written by an independent hand, and read back."""

import zipfile

import numpy as np
import pytest
from conftest import run_python

from utils.clouds import readers
from utils.files import InputError

# A box of 1 x 2 x 4: its faces' areas are 2, 4 and 8, each twice.
CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 4)], float)
TRIANGLES = [
    (0, 1, 3),
    (0, 3, 2),
    (4, 6, 7),
    (4, 7, 5),
    (0, 4, 5),
    (0, 5, 1),
    (2, 3, 7),
    (2, 7, 6),
    (0, 2, 6),
    (0, 6, 4),
    (1, 5, 7),
    (1, 7, 3),
]


def _off():
    return "OFF\n8 12 0\n" + _rows(CORNERS) + "".join("3 {} {} {}\n".format(*t) for t in TRIANGLES)


def _obj():
    return "".join("v {} {} {}\n".format(*c) for c in CORNERS) + "".join(
        "f {} {} {}\n".format(*(i + 1 for i in t)) for t in TRIANGLES
    )


def _stl():
    facets = "".join(
        "facet normal 0 0 0\nouter loop\n{}endloop\nendfacet\n".format(
            "".join("vertex {} {} {}\n".format(*CORNERS[i]) for i in t)
        )
        for t in TRIANGLES
    )
    return "solid box\n" + facets + "endsolid box\n"


def _mesh_ply():
    return (
        "ply\nformat ascii 1.0\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 12\nproperty list uchar int vertex_indices\nend_header\n"
        + _rows(CORNERS)
        + "".join("3 {} {} {}\n".format(*t) for t in TRIANGLES)
    )


def _rows(points, separator=" "):
    return "".join(separator.join(map(str, point)) + "\n" for point in points)


@pytest.mark.parametrize(
    "name, text", [("a.off", _off()), ("a.obj", _obj()), ("a.stl", _stl()), ("a.ply", _mesh_ply()), ("B.OFF", _off())]
)
def test_meshes_are_sampled_uniformly_by_area(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    points = readers.read(str(path), 6000).points
    assert points.shape == (6000, 3)
    for axis, (length, area) in enumerate([(1, 8), (2, 4), (4, 2)]):
        for face in (0, length):
            share = np.isclose(points[:, axis], face, atol=1e-6).mean()
            # Four standard errors of a share of 6000 draws.
            expected = area / 28
            assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 6000)


def test_a_mesh_gives_2048_points_and_the_same_for_the_same_seed(tmp_path):
    path = tmp_path / "a.off"
    path.write_text(_off())
    found = readers.read(str(path))
    assert found.points.shape == (2048, 3)
    assert found.notices == ["read: a mesh of 12 faces, sampled by area; extent 1 x 2 x 4 in the file's units"]
    np.testing.assert_array_equal(found.points, readers.read(str(path)).points)
    assert not np.array_equal(found.points, readers.read(str(path), seed=1).points)


@pytest.mark.parametrize("name, separator", [("a.xyz", " "), ("a.txt", ","), ("b.txt", ";"), ("c.txt", "\t")])
def test_tables_are_read_with_columns_left_out(tmp_path, rng, name, separator):
    table = np.round(rng.standard_normal((30, 6)), 4)
    path = tmp_path / name
    path.write_text(_rows(table, separator))
    found = readers.read(str(path))
    np.testing.assert_allclose(found.points, table[:, :3])
    assert "its columns 1, 2, 3; 30 points; 3 more columns are ignored; extent" in found.notices[0]


def test_npy_ply_and_pcd_clouds_are_read(tmp_path, rng):
    points = rng.standard_normal((30, 3)).astype(np.float32)
    np.save(str(tmp_path / "a.npy"), points)
    (tmp_path / "a.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 30\nproperty float x\nproperty float y\n"
        "property float z\nend_header\n" + _rows(points)
    )
    (tmp_path / "a.pcd").write_text(
        "VERSION .7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 30\n"
        "HEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 30\nDATA ascii\n" + _rows(points)
    )
    for name in ("a.npy", "a.ply", "a.pcd"):
        found = readers.read(str(tmp_path / name))
        np.testing.assert_allclose(found.points, points, rtol=1e-6)
        assert len(found.notices) == 1 and "ignored" not in found.notices[0] and "30 points" in found.notices[0]


def test_a_part_of_a_large_cloud_keeps_its_order(tmp_path):
    np.save(str(tmp_path / "a.npy"), np.repeat(np.arange(5000.0)[:, np.newaxis], 3, axis=1))
    for sample in readers.SAMPLINGS:
        points, index, all_points, used, notices = readers.read(str(tmp_path / "a.npy"), sample=sample)
        np.testing.assert_array_equal(all_points[index], points)
        np.testing.assert_array_equal(used, index)
        assert len(points) == 2048 and (np.diff(points[:, 0]) > 0).all() and points[-1, 0] > 4500
        assert len(all_points) == 5000 and "2048 of 5000" in notices[1]


def test_columns_that_are_not_used_are_named(tmp_path, rng):
    names = ["x", "y", "z", "nx", "ny", "nz", "red", "green", "blue", "intensity"]
    kinds = ["float"] * 6 + ["uchar"] * 3 + ["float"]
    (tmp_path / "a.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 20\n"
        + "".join("property {} {}\n".format(*pair) for pair in zip(kinds, names))
        + "end_header\n"
        + _rows(
            np.hstack([rng.random_sample((20, 6)).round(3), np.ones((20, 3), int), np.ones((20, 1))]).tolist()
        ).replace("1.0 1.0 1.0 1.0", "1 1 1 1")
    )
    notice = readers.read(str(tmp_path / "a.ply")).notices[0]
    assert "properties ignored: nx, ny, nz, red, green, blue, intensity;" in notice


@pytest.mark.parametrize(
    "header, notice",
    [
        ("x y z\n", "x, y, z are its columns x (1), y (2), z (3)"),
        ("//X Y Z\n", "x, y, z are its columns X (1), Y (2), Z (3)"),
        ("# made by\n# a scanner\n", "2 lines above are skipped: # made by ..."),
        ("30\n", "30 points"),
    ],
)
def test_header_lines_of_a_table_are_skipped(tmp_path, rng, header, notice):
    table = np.round(rng.standard_normal((30, 3)), 4)
    (tmp_path / "a.xyz").write_text(header + _rows(table))
    found = readers.read(str(tmp_path / "a.xyz"))
    np.testing.assert_allclose(found.points, table)
    assert notice in found.notices[0]


def test_text_within_a_table_is_told_by_its_line(tmp_path):
    (tmp_path / "a.txt").write_text("x y z\n" + "1 2 3\n" * 20 + "4 five 6\n")
    with pytest.raises(InputError, match="line 22: 'five' in column 2 is not a number"):
        readers.read(str(tmp_path / "a.txt"))


def test_points_without_coordinates_are_left_out(tmp_path, rng):
    table = rng.standard_normal((30, 3))
    table[[3, 7], 1] = np.nan, np.inf
    np.save(str(tmp_path / "a.npy"), table)
    found = readers.read(str(tmp_path / "a.npy"))
    np.testing.assert_array_equal(found.points, np.delete(table, [3, 7], axis=0))
    assert "2 of 30 points have no finite coordinates and are left out" in found.notices[0]
    assert found.index.tolist() == [place for place in range(30) if place not in (3, 7)]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.docx", b"", "cannot read '.docx'"),
        ("a.npy", b"\x93NUMPY junk", "not a NumPy array"),
        ("header.npy", b"\x93NUMPY\x01\x00\x10\x00{DESCR: FALSE}   \n", "its header is damaged"),
        ("a.txt", b"one two three", "not a table of points"),
        ("a.txt", b"1 2\n3 4\n", "line 1 is 2 numbers"),
        ("a.xyz", b"\xff\xfe\x00", "not a table"),
        ("a.ply", b"ply\nrubbish", "without end_header"),
        ("a.stl", b"", "is empty"),
        ("a.off", b"OFF\n1 0 0\n", "promises 1 vertices and holds 0"),
        ("a.pcd", b"\x00", "no line DATA"),
        ("a.txt", b"", "is empty"),
        ("a.txt", b"1,5 2,5 3,5\n" * 20, "commas and other separators"),
        ("a.off", b"OFF\n3 1 0\n0 0 0\n1 1 1\n2 2 2\n3 0 1 2\n", "without area"),
        (
            "a.ply",
            b"ply\nformat ascii 1.0\nelement vertex 100\nproperty float x\nproperty float y\nproperty float z\n"
            b"end_header\n0 0 0\n1 2 3\n",
            "promises 100 vertices and holds 2",
        ),
    ],
)
def test_unreadable_files_get_one_message(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        readers.read(str(path))


def test_a_missing_file_and_too_many_points_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        readers.read(str(tmp_path / "a.ply"))
    np.save(str(tmp_path / "a.npy"), np.zeros((12, 3)))
    with pytest.raises(InputError, match="`num_points` 13"):
        readers.read(str(tmp_path / "a.npy"), 13)


def test_a_table_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + b"1, 2, 3\n" * 12)
    assert readers.read(str(tmp_path / "a.txt")).points.tolist() == [[1, 2, 3]] * 12


def test_an_archive_under_the_wrong_name_is_refused(tmp_path):
    with open(str(tmp_path / "a.npy"), "wb") as file:
        np.savez(file, x=np.zeros((20, 3)))
    with pytest.raises(InputError, match="archive"):
        readers.read(str(tmp_path / "a.npy"))


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(str(tmp_path / "a.npy"), np.array([{"x": 1}], dtype=object))
    with pytest.raises(InputError, match="not a NumPy array of numbers"):
        readers.read(str(tmp_path / "a.npy"))


def test_a_full_disk_for_what_was_read_is_no_fault_of_the_file(tmp_path, rng):
    pytest.importorskip("resource", reason="Windows has no limits on files")
    np.save(str(tmp_path / "a.npy"), rng.random_sample((5000, 3)))
    code = (
        "import resource, sys\n"
        "from utils.clouds import readers\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "readers.read(sys.argv[1])"
    )
    finished = run_python(code, str(tmp_path / "a.npy"))
    last = finished.stderr.strip().split("\n")[-1]
    assert "InputError: cannot write " in last and "(File too large): free space there, or set TMPDIR" in last


def test_the_names_in_a_damaged_archive_are_told_in_few_letters(tmp_path):
    path = str(tmp_path / "a.npz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x" * 5000 + ".npy", b"")
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        # The list of names, at the end, names another than stands before the array.
        file.write(content[:5020].replace(b"xxxx", b"yyyy") + content[5020:])
    with pytest.raises(InputError, match="no whole archive") as raised:
        readers.read(path)
    assert len(str(raised.value)) < 400
