"""Reads one cloud from a mesh, point cloud, table or array file, in a process of its own.

Whatever a file makes of its reader, a crash or an endless loop or all the memory, the program goes on, and says so in
one line.
"""

import json
import os
import stat
import subprocess
import sys
import tempfile
from typing import List, NamedTuple

import numpy as np

from utils import progress
from utils.clouds import arrays, hdf5, limits, obj, off, pcd, ply, sampling, stl, tables
from utils.clouds.texts import without_mark
from utils.files import PROJECT_DIR, InputError, printable, writing

DEFAULT_POINTS = 2048
SAMPLINGS = ("farthest", "random")
NO_ROOM = 3  # exit status of the reading process, whose answer the disk does not take
# So many points at exactly 0 0 0, and such a share, are a sensor's "no return".
MANY_ZEROS, ZERO_SHARE = 10, 0.01

# ending -> function(path, index) -> cloud.Content
READERS = {
    ".ply": ply.read,
    ".pcd": pcd.read,
    ".xyz": tables.read,
    ".off": off.read,
    ".obj": obj.read,
    ".stl": stl.read,
    ".npy": arrays.read_npy,
    ".npz": arrays.read_npz,
    ".txt": tables.read,
    ".csv": tables.read,
    ".asc": tables.read,
    ".pts": tables.read,
    ".h5": hdf5.read_cloud,
    ".hdf5": hdf5.read_cloud,
}
ENDINGS = tuple(READERS)
HOLD_SEVERAL = (".npy", ".npz") + hdf5.ENDINGS
# What a file is, whatever its ending: its first bytes.
SIGNS = ((b"ply\n", ".ply"), (b"ply\r", ".ply"), (b"# .PCD", ".pcd"), (b"\x93NUMPY", ".npy"), (b"\x89HDF\r\n", ".h5"))
COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "zip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"7z\xbc", "7z"))


class FileCloud(NamedTuple):
    """What a file holds, in its own units.

    Attributes:
      points: float64 [N, 3], those to use.
      index: int64 [N], their places in the file, from 0; -1 of those drawn from a mesh.
      all_points: float64 [M, 3], all of the file that are points, in its order; of a mesh, which has none of its own,
        the same as points.
      used: int64 [N], places of points among all_points.
      notices: list of lines; the first says what was read, the others what was chosen.
    """

    points: np.ndarray
    index: np.ndarray
    all_points: np.ndarray
    used: np.ndarray
    notices: List[str]


def read(path, num_points=None, seed=0, sample="farthest", index=0, most=DEFAULT_POINTS):
    """The points of a file. Meshes are sampled uniformly by area; of larger clouds a part is taken.

    Args:
      path: a file that ends as one of READERS.
      num_points: how many points; None: `most` of a mesh, at most as many of a cloud.
      seed: of the sampling.
      sample: one of SAMPLINGS: how the part is chosen.
      index: which cloud of a file that can hold several, from 0.

    Returns:
      A FileCloud.

    Raises:
      InputError: the file cannot be read, or holds fewer points than asked for.
    """
    _check_file(path, index)
    points, places, notices, is_mesh = _in_own_process(path, num_points or most, seed, index)
    if is_mesh:
        return FileCloud(points, np.full(len(points), -1), points, np.arange(len(points)), notices)
    chosen = _choose(points, num_points or min(len(points), most), seed, sample, path)
    if len(chosen) < len(points):
        notices.append(
            "{} of {} points are taken, by {}".format(
                len(chosen), len(points), "farthest-point sampling" if sample == "farthest" else "chance"
            )
        )
    return FileCloud(points[chosen], places[chosen], points, chosen, notices)


def _check_file(path, index):
    ending = os.path.splitext(path)[1].lower()
    if ending not in READERS:
        way_on = "unpack it first" if ending in (".gz", ".zip", ".bz2", ".xz", ".7z") else "give one of "
        raise InputError(
            "`input` {}: cannot read {!r} files; {}".format(
                path, ending, way_on if not way_on.endswith(" ") else way_on + " ".join(READERS)
            )
        )
    try:
        kind = os.stat(path).st_mode
    except OSError as error:
        raise InputError(
            "`input` {}: {}".format(
                path, "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
            )
        )
    if not stat.S_ISREG(kind):
        # A pipe would be waited for without end.
        raise InputError("`input` {}: is no file, but a folder, pipe or device".format(path))
    if index and ending not in HOLD_SEVERAL:
        raise InputError("`shape_index` {}: {} holds one cloud".format(index, path))


def _choose(points, num_points, seed, sample, path):
    """Indices of the points to use, ascending, so that points can be told by their place in the file."""
    if num_points > len(points):
        raise InputError("`num_points` {}: {} holds {} points; give that or less".format(num_points, path, len(points)))
    if num_points == len(points):
        return np.arange(num_points)
    if sample == "random":
        return sampling.random_points(len(points), num_points, seed)
    with progress.Progress("Sampling", num_points, "points") as bar:
        return sampling.farthest_points(points, num_points, bar.update)


def _in_own_process(path, num_points, seed, index):
    """Points, their places in the file, the list of notices, and whether they are drawn from a mesh."""
    seconds = limits.seconds(os.path.getsize(path))
    with tempfile.TemporaryDirectory() as folder:
        answer = os.path.join(folder, "points.npz")
        arguments = [os.path.abspath(path), str(num_points), str(seed), str(index), answer]
        try:
            finished = subprocess.run(
                [sys.executable, "-m", "utils.clouds.readers"] + arguments,
                cwd=PROJECT_DIR,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise InputError("`input` {}: was not read in {:.0f} s: is it damaged?".format(path, seconds))
        words = finished.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
        if finished.returncode == NO_ROOM:
            raise InputError(words)
        if finished.returncode or not os.path.exists(answer):
            raise InputError(
                "`input` {}: its reader ended with status {} ({}): is the file damaged? copy it again".format(
                    path, finished.returncode, printable(words, 200)
                )
            )
        with np.load(answer) as found:
            told = json.loads(str(found["told"]))
            if "error" in told:
                # Readers know the file by its absolute path.
                error = told["error"].replace(os.path.abspath(path), path)
                raise InputError(
                    error if error.startswith("`") or path in error else "`input` {}: {}".format(path, error)
                )
            return found["points"], found["places"], told["notices"], told["is_mesh"]


def read_here(path, num_points, seed, index):
    """As `_in_own_process`, in this one.

    Raises:
      InputError: its text does not name the file, unless in backticks or with its path.
    """
    content, ending, notices = _content(path, index)
    points, is_mesh = content.points, content.triangles is not None
    notices = content.notices + notices
    places = np.arange(len(points))
    if is_mesh:
        from utils.demo.shapes import sample_surface

        corners = points[content.triangles]
        # Far from the origin the digits of a double are kept for the shape.
        origin = corners.reshape(-1, 3).mean(axis=0)
        points = sample_surface(corners - origin, num_points, np.random.RandomState(seed)) + origin
        places = np.full(num_points, -1)
        size = corners.reshape(-1, 3)
    else:
        points, places, left_out = _real_points(points)
        notices = notices + left_out
        size = points
    if not len(points):
        raise InputError("holds no points")
    extent = np.ptp(size, axis=0)
    line = "; ".join(
        ["read: " + content.used]
        + ([] if is_mesh else ["{} points".format(len(points))])
        + notices
        + ["extent {} in the file's units".format(" x ".join("{:.6g}".format(one) for one in extent))]
    )
    return points, places, [line], is_mesh


def _content(path, index):
    """What the reader of a file finds, by its first bytes or else by its ending; that ending; a list of clauses."""
    ending = os.path.splitext(path)[1].lower()
    with open(path, "rb") as file:
        first = without_mark(file.read(4096))
    if not first:
        raise InputError("is empty: copy it again")
    for sign, name in COMPRESSED:
        if first.startswith(sign) and ending != ".npz":
            raise InputError("is compressed ({}): unpack it first".format(name))
    is_a = next((kind for sign, kind in SIGNS if first.startswith(sign)), ending)
    if READERS[is_a] is READERS[ending]:
        if ending in (".ply", ".pcd"):
            rows = first.split(b"\n")[:3]
            try:
                is_table = all(len([float(word) for word in row.replace(b",", b" ").split()]) >= 3 for row in rows)
            except ValueError:
                is_table = False
            if is_table:
                return tables.read(path), ".xyz", ["it is no {} file, but a table".format(ending[1:].upper())]
        return READERS[ending](path, index), ending, []
    return READERS[is_a](path, index), is_a, ["it is a {} file, whatever its name says".format(is_a[1:].upper())]


def _real_points(points):
    """Points with coordinates, their places, and clauses on the others."""
    is_finite = np.isfinite(points).all(axis=1)
    is_zero = (points == 0).all(axis=1)
    notices, kept = [], is_finite
    if not is_finite.all():
        notices.append(
            "{} of {} points have no finite coordinates and are left out".format((~is_finite).sum(), len(points))
        )
    if is_zero.sum() >= max(MANY_ZEROS, ZERO_SHARE * len(points)) and not is_zero.all():
        notices.append(
            "{} of {} points lie at exactly 0 0 0, as a sensor's without return, and are left out".format(
                is_zero.sum(), len(points)
            )
        )
        kept = kept & ~is_zero
    places = np.flatnonzero(kept)
    return points[places], places, notices


def _main(path, num_points, seed, index, answer):
    limits.limit_memory(os.path.getsize(path))
    points, places = np.empty((0, 3)), np.empty(0, np.int64)
    try:
        points, places, notices, is_mesh = read_here(path, int(num_points), int(seed), int(index))
        told = {"notices": notices, "is_mesh": is_mesh}
    except InputError as error:
        told = {"error": str(error)}
    except MemoryError:
        told = {"error": "takes more memory to read than a file of its size should: is it damaged?"}
    try:
        with writing(os.path.dirname(answer), "free space there, or set TMPDIR to a folder with more"):
            np.savez(answer, points=points, places=places, told=json.dumps(told))
    except InputError as error:
        sys.stderr.write("\n" + str(error))
        sys.stderr.flush()
        os._exit(NO_ROOM)  # at its end, Python 3.7 tries to write the rest, and says more of it


if __name__ == "__main__":
    _main(*sys.argv[1:])
