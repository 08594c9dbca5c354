"""Reads one cloud from a mesh, point cloud or table file."""
import os
import re
import subprocess
import sys
import tempfile
import tokenize
import zipfile

import numpy as np

from utils.command_line import PROJECT_DIR, InputError

DEFAULT_POINTS = 2048
MESHES = (".off", ".obj", ".stl")
CLOUDS = (".ply", ".pcd")
TABLES = (".xyz", ".txt")
ENDINGS = MESHES + CLOUDS + TABLES + (".npy",)


def read(path, num_points=None, seed=0):
    """The points of a file. Meshes are sampled uniformly by area; of larger clouds a random part is taken.

    Args:
      path: a file that ends as one of ENDINGS; tables hold x y z in their first three columns, split by spaces,
        commas or semicolons.
      num_points: how many points; None: DEFAULT_POINTS of a mesh, at most as many of a cloud.
      seed: of the sampling.

    Returns:
      float array [N, 3] in the file's own units.

    Raises:
      InputError: the file cannot be read, or holds fewer points than asked for.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise InputError("--input {}: cannot read {!r} files; give one of {} .h5".format(path, ending, " ".join(ENDINGS)))
    if not os.path.isfile(path):
        raise InputError("--input {}: there is no such file".format(path))
    if ending in MESHES + CLOUDS:
        points = _read_with_open3d(path, num_points or DEFAULT_POINTS, seed)
    elif ending == ".npy":
        points = _read_npy(path)
    else:
        points = _read_table(path)
    if not len(points):
        raise InputError("--input {}: no points could be read from it; is it damaged, or a mesh without area?".format(path))
    return _take(points, num_points, seed, path)


def _take(points, num_points, seed, path):
    if num_points is None:
        num_points = min(len(points), DEFAULT_POINTS)
    if num_points > len(points):
        raise InputError("--num_point {}: {} holds {} points; give that or less".format(num_points, path, len(points)))
    if num_points < len(points):
        print("Taking {} of the {} points of {}".format(num_points, len(points), path))
        chosen = np.random.RandomState(seed).choice(len(points), num_points, replace=False)
        # The file's order is kept, so that points can be told by their place in it.
        points = points[np.sort(chosen)]
    return points


def _read_with_open3d(path, num_points, seed):
    """Points of a cloud, or of the surface of a mesh; empty where Open3D cannot make sense of the file.

    Open3D runs in a process of its own: damaged files can crash it, and so can a TensorFlow 1.15 that is loaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = os.path.join(folder, "points.npy")
        arguments = [os.path.abspath(path), str(num_points), str(seed), answer]
        finished = subprocess.run([sys.executable, "-m", "utils.cloud_files"] + arguments, cwd=PROJECT_DIR,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if b"No module named 'open3d'" in finished.stderr:
            raise InputError("--input {}: Open3D is needed to read it: pip install -r requirements.txt".format(path))
        # Of a PLY that ends too early Open3D returns as many points as its header promises, and a word of its reader.
        if finished.returncode or b"RPly" in finished.stderr:
            return np.empty((0, 3))
        return np.load(answer)


def _main(path, num_points, seed, answer):
    import open3d
    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Error)
    np.save(answer, _points_of(open3d, path, int(num_points), int(seed)))


def _points_of(open3d, path, num_points, seed):
    ending = os.path.splitext(path)[1].lower()
    if ending != ".pcd":
        mesh = open3d.io.read_triangle_mesh(path)
        if len(mesh.triangles):
            if not np.isfinite(np.asarray(mesh.vertices)).all() or not mesh.get_surface_area() > 0:
                return np.empty((0, 3))
            # Its seed is a C int.
            open3d.utility.random.seed(seed % 2 ** 31)
            return np.asarray(mesh.sample_points_uniformly(num_points).points)
        if ending != ".ply":
            return np.asarray(mesh.vertices)
    return np.asarray(open3d.io.read_point_cloud(path).points)


def _read_npy(path):
    try:
        points = np.load(path)
        if not isinstance(points, np.ndarray):
            raise ValueError("an archive of arrays")
    # All that NumPy raises on what is not its own.
    except (OSError, ValueError, EOFError, MemoryError, SyntaxError, zipfile.BadZipFile, tokenize.TokenError) as error:
        raise InputError("--input {}: not a NumPy array of numbers ({})".format(path, error))
    return _three_columns(points, path)


def _read_table(path):
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        if re.search(r"\d,\d", text) and re.search(r"\d[ \t;]+[-+.\d]", text):
            raise ValueError("commas and other separators are mixed; write decimals with a point")
        lines = [line for line in re.sub("[,;]", " ", text).splitlines() if line.strip()]
        points = np.loadtxt(lines, ndmin=2) if lines else np.empty((0, 3))
    except (OSError, ValueError) as error:
        raise InputError("--input {}: not a table of numbers ({})".format(path, error))
    return _three_columns(points, path)


def _three_columns(points, path):
    if points.ndim != 2 or points.shape[1] < 3 or points.dtype.kind not in "fiu":
        raise InputError("--input {}: holds {} of type {}, not x y z in three columns".format(
            path, "x".join(map(str, points.shape)) or "one value", points.dtype))
    return points[:, :3]


if __name__ == "__main__":
    _main(*sys.argv[1:])
