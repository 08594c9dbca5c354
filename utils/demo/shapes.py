"""Built-in demo shapes: procedural objects of ModelNet40 classes, written in the ModelNet40 file format.

    python -m utils.demo.shapes --out data/demo_shapes

With them every command of the project works offline on a fresh machine.
"""

import os
import shutil

import numpy as np

from utils import command_line, files
from utils.demo.modelnet40 import CLASS_NAMES
from utils.demo.objects import BUILDERS
from utils.disk import hdf5_file
from utils.disk.made_once import begun, make_once
from utils.files import InputError

DEMO_CLASSES = tuple(name for name in CLASS_NAMES if name in BUILDERS)
MIN_POINTS = 10
MAX_SEED = 2**32 - 1
IS_THERE = "{} is there already: delete it first, or give another `out`"


def sample_shape(class_name, num_points, rng):
    """Points on a new random object, uniform by area, in ModelNet40's orientation and scale.

    Args:
      class_name: one of DEMO_CLASSES.
      num_points: how many, 2 or more.
      rng: numpy.random.RandomState; the same state gives the same points in every supported NumPy.

    Returns:
      float32 array [num_points, 3], y up, zero mean, the farthest point at distance 1.

    Raises:
      ValueError: no demo shape has that name.
    """
    if class_name not in BUILDERS:
        raise ValueError("no demo shape for {!r}; there is one for {}".format(class_name, ", ".join(DEMO_CLASSES)))
    # NumPy versions differ in the last bit of sines; on rounded corners all that follows is exact in each of them.
    triangles = np.round(np.concatenate(BUILDERS[class_name](rng.uniform)), 6)
    return into_unit_sphere(sample_surface(triangles, num_points, rng)).astype(np.float32)


def sample_surface(triangles, num_points, rng):
    """Draws points from a surface, uniformly by area and independently of each other.

    Args:
      triangles: float64 array [T, 3, 3], T triangles of 3 corners.
      num_points: how many.
      rng: numpy.random.RandomState.

    Returns:
      float64 array [num_points, 3].
    """
    corner, edge_u, edge_v = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    cumulative = np.cumsum(_lengths(np.cross(edge_u, edge_v)))
    chosen = np.searchsorted(cumulative, rng.random_sample(num_points) * cumulative[-1], side="right")
    u, v = rng.random_sample((2, num_points, 1))
    # (u, v) is uniform in a parallelogram; its far half is turned back onto the triangle.
    outside = u + v > 1
    u, v = np.where(outside, 1 - u, u), np.where(outside, 1 - v, v)
    return corner[chosen] + u * edge_u[chosen] + v * edge_v[chosen]


def into_unit_sphere(points):
    """Points [N, 3] moved to zero mean and scaled so that the farthest one is at distance 1."""
    centered = points - points.mean(axis=0)
    return centered / _lengths(centered).max()


def _lengths(vectors):
    # Written out, because np.linalg.norm may add in another order in another NumPy.
    x, y, z = vectors.T
    return np.sqrt(x * x + y * y + z * z)


def sample_split(num_per_class, num_points, rng):
    """A split of demo shapes in random order.

    Args:
      num_per_class: clouds of each of DEMO_CLASSES.
      num_points: points of each cloud.
      rng: numpy.random.RandomState.

    Returns:
      clouds, float32 array [n, num_points, 3], and labels, uint8 array [n, 1], places in CLASS_NAMES.
    """
    names = [name for name in DEMO_CLASSES for _ in range(num_per_class)]
    clouds = np.stack([sample_shape(name, num_points, rng) for name in names])
    labels = np.array([[CLASS_NAMES.index(name)] for name in names], dtype=np.uint8)
    order = rng.permutation(len(names))
    return clouds[order], labels[order]


def write_demo_shapes(out, num_train=32, num_test=8, num_points=2048, seed=0):
    """Writes a data set of demo shapes laid out as ModelNet40 is, whole or not at all.

    The folder gets ply_data_train0.h5 and ply_data_test0.h5 (`data` float32 [n, num_points, 3], `label` uint8
    [n, 1]), train_files.txt, test_files.txt and shape_names.txt.

    Args:
      out: folder to write; it must not be there yet, and no other process makes it at the same time.
      num_train, num_test: clouds of each class in the two splits, which have no object in common.
      num_points: points of each cloud, 10 or more.
      seed: 0 to 2**32 - 1; the test clouds do not depend on num_train.

    Raises:
      InputError: the folder is there, or cannot be written; a number is out of its range.
    """
    if num_points < MIN_POINTS:
        raise InputError("`num_points` {} is too few: a cloud needs {} points".format(num_points, MIN_POINTS))
    if not 0 <= seed <= MAX_SEED:
        raise InputError("`seed` {} is out of range: give one from 0 to {}".format(seed, MAX_SEED))
    out = os.path.abspath(out)
    if os.path.lexists(out):
        raise InputError(IS_THERE.format(out))
    files.make_folder(os.path.dirname(out), "out")
    unfinished = begun(out)
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        os.mkdir(unfinished)
        with open(os.path.join(unfinished, "shape_names.txt"), "w", newline="\n") as file:
            file.write("".join(name + "\n" for name in CLASS_NAMES))
        for index, (split, num_per_class) in enumerate((("train", num_train), ("test", num_test))):
            clouds, labels = sample_split(num_per_class, num_points, np.random.RandomState([seed, index]))
            file_name = "ply_data_{}0.h5".format(split)
            _write_hdf5(os.path.join(unfinished, file_name), clouds, labels)
            with open(os.path.join(unfinished, split + "_files.txt"), "w", newline="\n") as file:
                file.write("data/{}/{}\n".format(os.path.basename(out), file_name))
        files.put_in_place(unfinished, out)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise InputError("cannot write {} ({}): give another `out`".format(out, reason))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_hdf5(path, clouds, labels):
    # Without creation times the same clouds make the same file.
    with hdf5_file.opened(path, "w") as file:
        file.create_dataset("data", data=clouds, compression="gzip", shuffle=True, track_times=False)
        file.create_dataset("label", data=labels, compression="gzip", track_times=False)


def parse_flags():
    parser = command_line.Parser("Write a data set of built-in shapes in the ModelNet40 file format.")
    parser.add_argument("--out", default=os.path.join("data", "demo_shapes"), help="folder to write, not there yet")
    parser.add_argument("--seed", type=command_line.non_negative_int, default=0, help="another one: other objects")
    parser.add_argument("--num_train", type=command_line.positive_int, default=32, help="training clouds of each class")
    parser.add_argument("--num_test", type=command_line.positive_int, default=8, help="test clouds of each class")
    parser.add_argument("--num_point", type=command_line.positive_int, default=2048, help="points of each cloud")
    return parser.parse_args()


def main():
    flags = parse_flags()

    def write(out):
        write_demo_shapes(out, flags.num_train, flags.num_test, flags.num_point, flags.seed)

    # What another process made in the meantime may have other flags.
    if not make_once(flags.out, write, "out"):
        raise InputError(IS_THERE.format(flags.out))
    print(
        "Wrote {} training and {} test clouds of {} classes, {} points each, to {}".format(
            flags.num_train * len(DEMO_CLASSES),
            flags.num_test * len(DEMO_CLASSES),
            len(DEMO_CLASSES),
            flags.num_point,
            flags.out,
        )
    )


if __name__ == "__main__":
    command_line.run(main)
