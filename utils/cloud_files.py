"""Reads one cloud from a mesh, point cloud or table file."""
import os

import numpy as np

from utils.command_line import InputError

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
        points = _read_with_open3d(path, ending, num_points or DEFAULT_POINTS, seed)
    elif ending == ".npy":
        points = _read_npy(path)
    else:
        points = _read_table(path)
    if not len(points):
        raise InputError("--input {}: no points could be read from it; is it damaged?".format(path))
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


def _read_with_open3d(path, ending, num_points, seed):
    """Points of a cloud, or of the surface of a mesh; empty where Open3D cannot read the file."""
    # Half a second to load, and only these formats need it.
    import open3d
    with open3d.utility.VerbosityContextManager(open3d.utility.VerbosityLevel.Error):
        if ending != ".pcd":
            mesh = open3d.io.read_triangle_mesh(path)
            if len(mesh.triangles):
                return _sample_by_area(open3d, mesh, num_points, seed, path)
            if ending != ".ply":
                return np.asarray(mesh.vertices)
        return np.asarray(open3d.io.read_point_cloud(path).points)


def _sample_by_area(open3d, mesh, num_points, seed, path):
    if not np.isfinite(np.asarray(mesh.vertices)).all() or not mesh.get_surface_area() > 0:
        raise InputError("--input {}: its triangles have no area or corners that are not numbers".format(path))
    open3d.utility.random.seed(seed)
    return np.asarray(mesh.sample_points_uniformly(num_points).points)


def _read_npy(path):
    try:
        points = np.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise InputError("--input {}: not a NumPy array of numbers ({})".format(path, error))
    return _three_columns(points, path)


def _read_table(path):
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().replace(",", " ").replace(";", " ").splitlines()
        points = np.loadtxt(lines, ndmin=2)
    except (OSError, ValueError) as error:
        raise InputError("--input {}: not a table of numbers ({})".format(path, error))
    return _three_columns(points, path)


def _three_columns(points, path):
    if points.ndim != 2 or points.shape[1] < 3 or points.dtype.kind not in "fiu":
        raise InputError("--input {}: holds {} of type {}, not x y z in three columns".format(
            path, "x".join(map(str, points.shape)) or "one value", points.dtype))
    return points[:, :3]
