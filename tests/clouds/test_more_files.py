"""Files of the same kinds as tests/cases, of other columns, polygons, headers and precisions: right without a case."""

import io
import os
import struct

import h5py
import numpy as np
import pytest

from utils.clouds import readers
from utils.files import InputError

POINTS = np.round(np.random.RandomState(5).uniform(-3, 3, (60, 3)), 4)
UTM = POINTS + [412345.0, 5678901.0, 80.0]


def _rows(columns, separator=" ", end="\n"):
    return "".join(separator.join(str(one) for one in row) + end for row in zip(*columns))


X, Y, Z = POINTS.T.tolist()
ONES = ["1"] * 60
COUNT = list(range(60))


def _ply(order, kinds, names, columns, end="\n", ascii_rows=None):
    header = ["ply", "format {} 1.0".format(order), "element vertex 60"]
    header += ["property {} {}".format(kind, name) for kind, name in zip(kinds, names)] + ["end_header", ""]
    return end.join(header).encode() + (ascii_rows.encode() if ascii_rows is not None else columns)


def _packed(columns, codes, order):
    return b"".join(struct.pack(order + codes, *row) for row in zip(*columns))


def _pcd(fields, sizes, kinds, data, content, counts=None, more=""):
    counts = counts or ["1"] * len(fields.split())
    return (
        "# .PCD v.7\nVERSION .7\n"
        "FIELDS {}\nSIZE {}\nTYPE {}\nCOUNT {}\nWIDTH 60\nHEIGHT 1\n{}POINTS 60\nDATA {}\n".format(
            fields, sizes, kinds, " ".join(counts), more, data
        ).encode()
        + content
    )


def _lzf(raw):
    """Runs of 32 bytes as they are, packed as LZF and PCL do."""
    packed = bytearray()
    for at in range(0, len(raw), 32):
        run = raw[at : at + 32]
        packed += bytes([len(run) - 1]) + run
    return struct.pack("<II", len(packed), len(raw)) + bytes(packed)


def _npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _h5(**datasets):
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        for name, values in datasets.items():
            h5[name] = values
    return file.getvalue()


STRUCTURED = np.array(list(zip(ONES, Z, X, Y)), [("t", "f4"), ("Z", "f8"), ("X", "f8"), ("Y", "f8")])

CLOUDS = {
    "intensity_first.csv": "Intensity;X;Y;Z\n" + _rows([ONES, X, Y, Z], ";"),
    "zyx_units.txt": "z [m]\ty [m]\tx [m]\n" + _rows([Z, Y, X], "\t"),
    "cloudcompare.asc": "//X Y Z Scalar_field Nx Ny Nz\n" + _rows([X, Y, Z, ONES, ONES, ONES, ONES]),
    "hash_commas.xyz": "# t,x,y,z\n" + _rows([ONES, X, Y, Z], ","),
    "pandas_numbers.csv": ",0,1,2\n" + _rows([COUNT, X, Y, Z], ","),
    "pandas_headless_index.csv": _rows([COUNT, X, Y, Z], ","),
    "r_table.txt": '"x" "y" "z"\n' + _rows([['"{}"'.format(n + 1) for n in COUNT], X, Y, Z]),
    "quoted.csv": '"id","x","y","z"\n' + _rows([['"a b"'] * 60, X, Y, Z], ","),
    "paraview.csv": '"RGB","Points:0","Points:1","Points:2"\n' + _rows([ONES, X, Y, Z], ","),
    "semicolon_crlf.txt": _rows([X, Y, Z], "; ", "\r\n").encode(),
    "old_mac.xyz": _rows([X, Y, Z], " ", "\r").encode(),
    "bom16be.csv": b"\xfe\xff" + ("x,y,z\n" + _rows([X, Y, Z], ",")).encode("utf-16-be"),
    "text_and_gaps.csv": "x,y,name,z\n" + _rows([X, Y, ["", "a"] * 30, Z], ","),
    "numbers_of_columns.csv": "0,1,2\n" + _rows([X, Y, Z], ","),
    "inline_comment.xyz": _rows([X, Y, Z], " ", " # hit\n"),
    "brackets_round.txt": "".join("({}, {}, {})\n".format(*row) for row in zip(X, Y, Z)),
    "molecule.xyz": "60\nmade by hand\n" + _rows([["C"] * 60, X, Y, Z]),
    "three_scans.pts": "20\n"
    + _rows([X[:20], Y[:20], Z[:20]])
    + "20\n"
    + _rows([X[20:40], Y[20:40], Z[20:40]])
    + "20\n"
    + _rows([X[40:], Y[40:], Z[40:]]),
    "zxy.ply": _ply("binary_big_endian", ["double"] * 3, ["z", "x", "y"], _packed([Z, X, Y], "ddd", ">")),
    "colour_first.ply": _ply(
        "binary_little_endian",
        ["uchar", "float64", "double", "double"],
        ["red", "x", "y", "z"],
        _packed([COUNT, X, Y, Z], "Bddd", "<"),
    ),
    "crlf_names.ply": _ply(
        "ascii", ["double"] * 4, ["scalar_t", "X", "Y", "Z"], b"", "\r\n", _rows([ONES, X, Y, Z], " ", "\r\n")
    ),
    "doubles.pcd": _pcd("z y x", "8 8 8", "F F F", "binary", _packed([Z, Y, X], "ddd", "<")),
    "compressed_doubles.pcd": _pcd(
        "x _ y z",
        "8 1 8 8",
        "F U F F",
        "binary_compressed",
        _lzf(np.array(X).tobytes() + bytes(180) + np.array(Y).tobytes() + np.array(Z).tobytes()),
        ["1", "3", "1", "1"],
    ),
    "histogram.pcd": _pcd(
        "fpfh x y z", "4 8 8 8", "F F F F", "ascii", _rows([ONES, ONES, X, Y, Z]).encode(), ["2", "1", "1", "1"]
    ),
    "structured.npy": _npy(STRUCTURED),
    "fortran_more.npy": _npy(np.asfortranarray(np.hstack([POINTS, POINTS]))),
    "big_double.npy": _npy(POINTS.astype(">f8")),
    "xyz_keys.npz": _npz(x=np.array(X), y=np.array(Y), z=np.array(Z)),
    "keys.npz": _npz(label=np.arange(60), xyz=POINTS),
    "coords.h5": _h5(coords=POINTS, label=np.array([3])),
    "compound.hdf5": _h5(cloud=STRUCTURED),
    "weights.obj": "".join("v {} {} {} 1.0\n".format(*row) for row in zip(X, Y, Z)) + "vn 0 0 1\np 1 2 3\n",
    "bare.off": "60 0 0\n" + _rows([X, Y, Z]),
}


def _write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize("name", sorted(CLOUDS))
def test_other_clouds_are_read_to_the_last_digit(tmp_path, name):
    np.testing.assert_array_equal(readers.read(_write(tmp_path, name, CLOUDS[name])).points, POINTS)


def test_doubles_far_away_are_kept_in_every_kind(tmp_path):
    x, y, z = UTM.T.tolist()
    files = {
        "a.csv": _rows([x, y, z], ","),
        "a.ply": _ply("ascii", ["double"] * 3, "xyz", b"", "\n", _rows([x, y, z])),
        "b.ply": _ply("ascii", ["float"] * 3, "xyz", b"", "\n", _rows([x, y, z])),
        "a.pcd": _pcd("x y z", "4 4 4", "F F F", "ascii", _rows([x, y, z]).encode()),
        "a.off": "OFF 60 0 0\n" + _rows([x, y, z]),
        "a.npy": _npy(UTM),
        "a.h5": _h5(data=UTM[np.newaxis]),
    }
    for name, content in files.items():
        np.testing.assert_array_equal(readers.read(_write(tmp_path, name, content)).points, UTM)


# An L of area 3 in the plane z = 0, whose fan from its first corner would leave it.
ELL = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]
TURNS = [ELL[turn:] + ELL[:turn] for turn in range(6)]


@pytest.mark.parametrize("turn", range(6))
@pytest.mark.parametrize("ending", ["obj", "off", "ply"])
def test_concave_polygons_are_covered_and_nothing_beside_them(tmp_path, turn, ending):
    corners = TURNS[turn]
    lines = "".join("{}{} {} 0\n".format("v " if ending == "obj" else "", *corner) for corner in corners)
    face = {"obj": "f 1 2 3 4 5 6\n", "off": "6 0 1 2 3 4 5\n", "ply": "6 0 1 2 3 4 5\n"}[ending]
    header = {
        "obj": "",
        "off": "OFF6 1 0\n",
        "ply": "ply\nformat ascii 1.0\nelement vertex 6\nproperty int x\nproperty int y\nproperty int z\n"
        "element face 1\nproperty list uchar uint vertex_indices\nend_header\n",
    }[ending]
    points = readers.read(_write(tmp_path, "l." + ending, header + lines + face), 3000).points
    assert not ((points[:, 0] > 1 + 1e-9) & (points[:, 1] > 1 + 1e-9)).any()
    share = (points[:, 0] > 1).mean()
    assert abs(share - 1 / 3) < 4 * np.sqrt(2 / 9 / 3000)


def test_an_arrow_of_four_corners_is_covered(tmp_path):
    # The corner (1, 0.5) points inwards; of the four corners each may come first.
    corners = [(0, 0), (1, 0.5), (2, 0), (1, 2)]
    for turn in range(4):
        rows = "".join("v {} {} 0\n".format(*corner) for corner in corners[turn:] + corners[:turn])
        points = readers.read(_write(tmp_path, "arrow.obj", rows + "f -4/1 -3/2 -2/3 -1/4\n"), 2000).points
        below = points[:, 1] < np.where(points[:, 0] < 1, points[:, 0], 2 - points[:, 0]) / 2 - 1e-9
        assert not below.any()


def test_mixed_binary_polygons_of_a_ply(tmp_path):
    # Triangle, square, triangle, with a list of another kind and a number behind: a strip 4 long and 1 wide.
    x = [0, 1, 1, 0, 2, 2, 4, 4, 3]
    y = [0, 0, 1, 1, 0, 1, 0, 1, 0]
    faces = [(0, 1, 2), (0, 2, 3), (1, 4, 5, 2), (4, 6, 7, 5)]
    body = b"".join(struct.pack(">fff", *point, 0) for point in zip(x, y))
    for face in faces:
        body += struct.pack(">B{0}IB2fh".format(len(face)), len(face), *face, 2, 0.5, 0.5, 7)
    header = (
        "ply\nformat binary_big_endian 1.0\nelement vertex 9\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 4\nproperty list uchar uint vertex_index\n"
        "property list uchar float uv\nproperty short n\nend_header\n"
    )
    path = _write(tmp_path, "strip.ply", header.encode() + body)
    points = readers.read(path, 4000).points
    shares = np.histogram(points[:, 0], [0, 1, 2, 3, 4])[0] / 4000
    assert np.abs(shares - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 4000) and points[:, 1].max() <= 1
    with pytest.raises(InputError, match="promises 4 faces and holds 3"):
        readers.read(_write(tmp_path, "cut.ply", header.encode() + body[:-3]))


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("two_axes.csv", "x,y,height_error\n" + _rows([X, Y, Z], ","), "no z"),
        ("degrees.csv", "lat,lon,alt\n" + _rows([X, Y, Z], ","), "latitude and longitude"),
        ("short_row.xyz", _rows([X, Y, Z]) + "1 2\n", "line 61"),
        ("long_row.csv", _rows([X, Y, Z], ",") + "1,2,3,4\n", "line 61"),
        ("bad_word.csv", "x,y,z,n\n" + _rows([X, Y, Z, ONES], ",") + "1,2,oops,4\n", "line 62.*oops"),
        ("count.pts", "61\n" + _rows([X, Y, Z]), "promises 61 points and holds 60"),
        ("twice.csv", "x,y,z,X\n" + _rows([X, Y, Z, Z], ","), "twice"),
        ("decimals.csv", _rows([["1,5"] * 60, ["2,05"] * 60, ["3,5"] * 60], "\t"), "decimal commas"),
        ("escape.csv", "x,y,z\n" + _rows([X, Y, Z], ",") + "1,\x1b[2J,3\n", r"\\x1b"),
        (
            "liar.npy",
            _npy(np.zeros((60, 3))).replace(b"(60, 3), ", b"(99999999999, 3), ")[:300],
            "NumPy array|promises",
        ),
        (
            "liar.ply",
            _ply("binary_little_endian", ["double"] * 3, "xyz", b"\0" * 8000).replace(
                b"vertex 60", b"vertex 200000000"
            ),
            "promises 200000000 vertices and holds 333",
        ),
        (
            "liar.pcd",
            _pcd("x y z", "4 4 4", "F F F", "binary", bytes(8000)).replace(b" 60\n", b" 200000000\n"),
            "promises 200000000 points",
        ),
        ("liar.off", "OFF\n200000000 0 0\n0 0 0\n", "promises 200000000 vertices and holds 1"),
        ("liar.stl", b"x" * 80 + struct.pack("<I", 2**31) + bytes(500), "promises 2147483648 triangles and holds 10"),
        ("zero.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "line 4 names vertex 0"),
        ("ascii_cut.stl", "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\n", "cut short"),
        ("nothing.h5", _h5(a=np.zeros((20, 3)), b=np.zeros((20, 3))), "none is called points"),
    ],
)
def test_other_broken_files_are_refused_with_the_place(tmp_path, name, content, words):
    with pytest.raises(InputError, match=words) as caught:
        readers.read(_write(tmp_path, name, content))
    assert name in str(caught.value) and "Traceback" not in str(caught.value)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(str(tmp_path / "a.ply"))
    with pytest.raises(InputError, match="pipe"):
        readers.read(str(tmp_path / "a.ply"))
