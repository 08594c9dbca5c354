"""Reads one cloud from a mesh, point cloud or table file."""

import json
import os
import re
import subprocess
import sys
import tempfile
import tokenize
import zipfile
from typing import List, NamedTuple

import numpy as np
from tqdm import tqdm

from utils.clouds import hdf5, sampling
from utils.files import PROJECT_DIR, InputError

DEFAULT_POINTS = 2048
SAMPLINGS = ("farthest", "random")
MOST_HEADER_LINES = 100


class FileCloud(NamedTuple):
    """What a file holds, in its own units.

    Attributes:
      points: float64 [N, 3], those to use.
      all_points: float64 [M, 3], all of the file that have finite coordinates, in its order; of a mesh, which has none
        of its own, the same as points.
      notices: list of lines on what was left out or chosen.
    """

    points: np.ndarray
    all_points: np.ndarray
    notices: List[str]


def read(path, num_points=None, seed=0, sample="farthest", index=0):
    """The points of a file. Meshes are sampled uniformly by area; of larger clouds a part is taken.

    Args:
      path: a file that ends as one of READERS; tables hold x y z in their first three columns, split by spaces,
        commas or semicolons, perhaps under lines of text.
      num_points: how many points; None: DEFAULT_POINTS of a mesh, at most as many of a cloud.
      seed: of the sampling.
      sample: one of SAMPLINGS: how the part is chosen.
      index: which cloud of a file that can hold several, from 0.

    Returns:
      A FileCloud.

    Raises:
      InputError: the file cannot be read, or holds fewer points than asked for.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in READERS:
        raise InputError("`input` {}: cannot read {!r} files; give one of {}".format(path, ending, " ".join(READERS)))
    if not os.path.isfile(path):
        raise InputError("`input` {}: there is no such file".format(path))
    if index and ending not in hdf5.ENDINGS:
        raise InputError("`shape_index` {}: {} holds one cloud".format(index, path))
    points, notices = READERS[ending](path, num_points or DEFAULT_POINTS, seed, index)
    if not len(points):
        raise InputError(
            "`input` {}: no points could be read from it; is it damaged, or a mesh without area?".format(path)
        )
    is_finite = np.isfinite(points).all(axis=1)
    if not is_finite.all():
        notices.append(
            "{} of {} points have no finite coordinates and are left out".format(
                np.count_nonzero(~is_finite), len(points)
            )
        )
        points = points[is_finite]
    chosen = _choose(points, num_points, seed, sample, path)
    if len(chosen) < len(points):
        notices.append(
            "{} of {} points are taken, by {}".format(
                len(chosen), len(points), "farthest-point sampling" if sample == "farthest" else "chance"
            )
        )
    return FileCloud(points[chosen], points, notices)


def _choose(points, num_points, seed, sample, path):
    """Indices of the points to use, ascending, so that points can be told by their place in the file."""
    if num_points is None:
        num_points = min(len(points), DEFAULT_POINTS)
    if num_points > len(points):
        raise InputError("`num_points` {}: {} holds {} points; give that or less".format(num_points, path, len(points)))
    if num_points == len(points):
        return np.arange(num_points)
    if sample == "random":
        return sampling.random_points(len(points), num_points, seed)
    with tqdm(total=num_points, unit="point", desc="Sampling", leave=False) as bar:
        return sampling.farthest_points(points, num_points, bar.update)


def _read_with_open3d(path, num_points, seed, _):
    """Points of a cloud, or of the surface of a mesh, and notices; no points where Open3D makes no sense of the file.

    Open3D runs in a process of its own: damaged files can crash it, and so can a TensorFlow 1.15 that is loaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = os.path.join(folder, "points.npz")
        arguments = [os.path.abspath(path), str(num_points), str(seed), answer]
        finished = subprocess.run(
            [sys.executable, "-m", "utils.clouds.readers"] + arguments,
            cwd=PROJECT_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if b"No module named 'open3d'" in finished.stderr:
            raise InputError("`input` {}: Open3D is needed to read it: pip install -r requirements.txt".format(path))
        # Of a PLY that ends too early Open3D returns as many points as its header promises, and a word of its reader.
        if finished.returncode or b"RPly" in finished.stderr:
            return np.empty((0, 3)), []
        with np.load(answer) as found:
            return found["points"], json.loads(str(found["notices"])) + _other_columns(path)


def _main(path, num_points, seed, answer):
    import open3d

    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Error)
    points, notices = _points_of(open3d, path, int(num_points), int(seed))
    np.savez(answer, points=points, notices=json.dumps(notices))


def _points_of(open3d, path, num_points, seed):
    ending = os.path.splitext(path)[1].lower()
    if ending != ".pcd":
        mesh = open3d.io.read_triangle_mesh(path)
        if len(mesh.triangles):
            if not np.isfinite(np.asarray(mesh.vertices)).all() or not mesh.get_surface_area() > 0:
                return np.empty((0, 3)), []
            # Its seed is a C int.
            open3d.utility.random.seed(seed % 2**31)
            return (
                np.asarray(mesh.sample_points_uniformly(num_points).points),
                ["a mesh of {} triangles, sampled by area".format(len(mesh.triangles))],
            )
        if ending != ".ply":
            return np.asarray(mesh.vertices), ["a mesh without triangles: its vertices are taken"]
    cloud = open3d.io.read_point_cloud(path)
    ignored = [
        name for name, is_there in (("normals", cloud.has_normals()), ("colours", cloud.has_colors())) if is_there
    ]
    return np.asarray(cloud.points), ["its {} are ignored".format(" and ".join(ignored))] if ignored else []


def _other_columns(path):
    """A notice on the fields that the header of a .ply or .pcd names beyond points, normals and colours, if any."""
    with open(path, "rb") as file:
        header = file.read(4096).decode("ascii", "replace")
    if path.lower().endswith(".pcd"):
        fields = re.search(r"^FIELDS (.*)$", header, re.MULTILINE)
        names = fields.group(1).split() if fields else []
    else:
        header = header.split("end_header")[0].split("element face")[0]
        names = re.findall(r"^property (?!list)\S+ (\S+)", header, re.MULTILINE)
    known = {
        "x",
        "y",
        "z",
        "nx",
        "ny",
        "nz",
        "normal_x",
        "normal_y",
        "normal_z",
        "red",
        "green",
        "blue",
        "rgb",
        "rgba",
        "_",
    }
    others = [name for name in names if name not in known]
    return ["other fields are ignored: {}".format(", ".join(others))] if others else []


def _read_npy(path, *_):
    try:
        points = np.load(path)
        if not isinstance(points, np.ndarray):
            raise ValueError("an archive of arrays")
    # All that NumPy raises on what is not its own.
    except (OSError, ValueError, EOFError, MemoryError, SyntaxError, zipfile.BadZipFile, tokenize.TokenError) as error:
        raise InputError("`input` {}: not a NumPy array of numbers ({})".format(path, error))
    return _three_columns(points, path)


def _read_table(path, *_):
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        if re.search(r"\d,\d", text) and re.search(r"\d[ \t;]+[-+.\d]", text):
            raise ValueError("commas and other separators are mixed; write decimals with a point")
        lines = [line for line in text.translate({ord(","): " ", ord(";"): " "}).split("\n") if line.strip()]
        header = _count_header_lines(lines)
        points, notices = _three_columns(_numbers(lines, header), path)
    except (OSError, ValueError) as error:
        raise InputError("`input` {}: not a table of numbers ({})".format(path, error))
    if header:
        notices.insert(
            0,
            "{} skipped: {}{}".format(
                "a header line is" if header == 1 else "{} header lines are".format(header),
                lines[0].strip()[:60],
                "" if header == 1 else " ...",
            ),
        )
    return points, notices


def _count_header_lines(lines):
    """How many lines of text, or of the number of points to come, are above the numbers; 0 where no numbers follow."""
    for number, line in enumerate(lines[:MOST_HEADER_LINES]):
        is_count = line.strip() == str(len(lines) - number - 1)
        if not is_count and _is_numbers(line):
            return number
    return 0


def _is_numbers(line):
    try:
        return len([float(word) for word in line.split()]) > 0
    except ValueError:
        return False


def _numbers(lines, header):
    """The table below the header: float64 array [M, columns].

    Raises:
      ValueError: something in it is not a number, or lines differ in length.
    """
    rows = lines[header:]
    if not rows:
        return np.empty((0, 3))
    words = " ".join(rows).split()
    width = len(rows[0].split())
    try:
        if len(words) == width * len(rows):
            return np.array(words, dtype=np.float64).reshape(-1, width)
    except ValueError:
        pass
    if not _is_numbers(rows[0]):
        raise ValueError("it begins: {}".format(rows[0].strip()[:40]))
    for number, row in enumerate(rows, start=header + 1):
        if not _is_numbers(row) or len(row.split()) != width:
            raise ValueError("line {} is not {} numbers: {}".format(number, width, row.strip()[:40]))
    raise ValueError("its lines differ in length")


def _three_columns(points, path):
    """The first three columns as float64, and a notice on the others, if any."""
    if points.ndim != 2 or points.shape[1] < 3 or points.dtype.kind not in "fiu":
        raise InputError(
            "`input` {}: holds {} of type {}, not x y z in three columns".format(
                path, "x".join(map(str, points.shape)) or "one value", points.dtype
            )
        )
    others = points.shape[1] - 3
    return points[:, :3].astype(np.float64), [
        "{} more column{} ignored".format(others, " is" if others == 1 else "s are")
    ] if others else []


def _read_hdf5(path, num_points, seed, index):
    points, label = hdf5.read_cloud(path, index)
    return points, [] if label is None else ["its label in the file is {}; the network judges for itself".format(label)]


# ending -> function(path, points to sample of a mesh, seed, index) -> points float64 [M, 3], list of notices
READERS = {
    ".ply": _read_with_open3d,
    ".pcd": _read_with_open3d,
    ".xyz": _read_table,
    ".off": _read_with_open3d,
    ".obj": _read_with_open3d,
    ".stl": _read_with_open3d,
    ".npy": _read_npy,
    ".txt": _read_table,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
}
ENDINGS = tuple(READERS)

if __name__ == "__main__":
    _main(*sys.argv[1:])
