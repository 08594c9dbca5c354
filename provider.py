"""Point clouds and labels in: find the data set, fetch it, check it, read it, augment it; read any cloud of one's own."""

import collections
import os

import h5py
import numpy as np

from utils.clouds import fetch, own_cloud, readers
from utils.command_line import PROJECT_DIR, InputError
from utils.demo import shapes

DATA_DIR = os.path.join(PROJECT_DIR, "data")
MODELNET40 = "modelnet40_ply_hdf5_2048"
ZIP_BYTES = 435212151
ZIP_SHA256 = "07670e237db72ece0f723b9abb571534c9ad655a6456b389646587dc72bb8bae"
MIRRORS = (
    "https://huggingface.co/datasets/Msun/modelnet40/resolve/d5dc795541800feeb7a4b3bd3142729a0d2adf7a/"
    + MODELNET40
    + ".zip",
    "https://github.com/ma-xu/pointMLP-pytorch/releases/download/Modenet40_dataset/" + MODELNET40 + ".zip",
    "https://shapenet.cs.stanford.edu/media/" + MODELNET40 + ".zip",
)
LIST_FILES = ("train_files.txt", "test_files.txt", "shape_names.txt")
NUM_CLASSES = 40

Cloud = collections.namedtuple("Cloud", "points label class_name index source own", defaults=(None,))
Cloud.__doc__ = """One cloud to explain.

points: float32 array [N, 3]; label: its class 0 .. 39, None where not known; class_name: that class, or the stem of
the cloud's file; index: which of its class or file, from 0; source: where it came from, for people; own: the own_cloud.OwnFile
of a cloud from --input, else None.
"""


def find_data_dir(data_dir=None):
    """The folder of the data set; makes the demo shapes or fetches ModelNet40 where need be.

    Args:
      data_dir: a folder, or "demo" for the built-in shapes; None: data/modelnet40_ply_hdf5_2048, from a zip that
        lies in data/, or fetched.

    Returns:
      Path of a folder that holds the three lists.

    Raises:
      InputError: the folder is not a data set, or nothing could be fetched.
    """
    if data_dir == "demo":
        folder = os.path.join(DATA_DIR, "demo_shapes")
        if not os.path.isdir(folder):
            print("Making the built-in demo shapes in {}".format(folder))
            shapes.write_demo_shapes(folder)
        return folder
    if data_dir is None:
        folder = os.path.join(DATA_DIR, MODELNET40)
        if not os.path.isdir(folder):
            _fetch_modelnet40(folder)
        return folder
    for folder in (data_dir, os.path.join(data_dir, MODELNET40)):
        if all(os.path.isfile(os.path.join(folder, name)) for name in LIST_FILES):
            return folder
    raise InputError(
        "--data_dir {} holds no {}: give the folder with the ModelNet40 HDF5 files".format(
            data_dir, ", ".join(LIST_FILES)
        )
    )


def _fetch_modelnet40(folder):
    zip_path = folder + ".zip"
    is_ours = not os.path.isfile(zip_path)
    if is_ours:
        try:
            os.makedirs(DATA_DIR, exist_ok=True)
            fetch.download(MIRRORS, zip_path, ZIP_BYTES, ZIP_SHA256)
        except (InputError, OSError) as error:
            raise InputError(
                "ModelNet40 {}. Three ways on: --data_dir FOLDER with the HDF5 files; put {}.zip into {}; or "
                "--data_dir demo for the built-in shapes".format(error, MODELNET40, DATA_DIR)
            )
    elif not fetch.has_checksum(zip_path, ZIP_SHA256):
        raise InputError(
            "{} is not the published file (its sha256 differs): delete it or put the whole one there".format(zip_path)
        )
    fetch.unpack(zip_path, folder, LIST_FILES)
    if is_ours:
        os.remove(zip_path)


def load_class_names(data_dir):
    """The 40 class names of a data folder, in the order of their labels."""
    names = _read_lines(os.path.join(data_dir, "shape_names.txt"))
    if len(names) != NUM_CLASSES:
        raise InputError(
            "{} names {} classes, not {}: copy it again".format(
                os.path.join(data_dir, "shape_names.txt"), len(names), NUM_CLASSES
            )
        )
    return names


def load_split(data_dir, split, num_points=None):
    """All clouds of a split.

    Args:
      data_dir: folder of the data set.
      split: "train" or "test".
      num_points: how many points of each cloud, the first ones; None: all that the files hold.

    Returns:
      points: float32 array [n, num_points, 3].
      labels: int32 array [n].

    Raises:
      InputError: a file is missing, damaged, or does not hold what it should.
    """
    parts = [read_h5(path, num_points) for path in _split_files(data_dir, split)]
    if len({part[0].shape[1] for part in parts}) > 1:
        raise InputError(
            "the {} files in {} differ in their number of points: give --num_point".format(split, data_dir)
        )
    if not any(len(part[0]) for part in parts):
        raise InputError("the {} files in {} hold no cloud: copy or fetch them again".format(split, data_dir))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def read_h5(path, num_points=None):
    """Clouds and labels of one HDF5 file in PointNet's format.

    Args:
      path: the file: `data` float (n, P, 3), `label` integers (n, 1) or (n,).
      num_points: how many points of each cloud, the first ones; None: all.

    Returns:
      points: float32 array [n, num_points, 3].
      labels: int32 array [n].

    Raises:
      InputError: the file is damaged, or holds something else.
    """
    try:
        with h5py.File(path, "r") as file:
            if "data" not in file or "label" not in file:
                raise InputError("{} holds no `data` and `label`: it is not a ModelNet40 file".format(path))
            data, label = file["data"], file["label"]
            if data.ndim != 3 or data.shape[2] != 3 or data.shape[0] != label.shape[0]:
                raise InputError(
                    "{} holds data {} and label {} instead of (n, points, 3) and (n, 1)".format(
                        path, data.shape, label.shape
                    )
                )
            if num_points is not None and num_points > data.shape[1]:
                raise InputError(
                    "--num_point {}: {} holds {} points a cloud; give that or less".format(
                        num_points, path, data.shape[1]
                    )
                )
            if data.dtype.kind not in "fiu" or label.dtype.kind not in "iu" or label.size != label.shape[0]:
                raise InputError(
                    "{} holds data of type {} and label {} of type {}, not numbers and one whole number a cloud".format(
                        path, data.dtype, label.shape, label.dtype
                    )
                )
            points = data[:, :num_points].astype(np.float32)
            labels = label[:].reshape(-1)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError("{} is damaged or not a whole HDF5 file ({}): copy or fetch it again".format(path, error))
    if len(labels) and (labels.min() < 0 or labels.max() >= NUM_CLASSES):
        raise InputError(
            "{} has labels from {} to {}; they must be 0 to {}".format(
                path, labels.min(), labels.max(), NUM_CLASSES - 1
            )
        )
    own_cloud.check_finite(points, path)
    return points, labels.astype(np.int32)


def load_cloud(flags):
    """The cloud that the flags of an explain script name.

    Args:
      flags: with `input`, `up` and `sampling`, or `data_dir`; `desired_label`, `shape_index`, `num_point` and `seed` in
        any case.

    Returns:
      A Cloud; of an `input` without `desired_label` the label is what its file says, else None.

    Raises:
      InputError: there is no such class, index or file, or it holds no cloud.
    """
    if flags.num_point is not None and flags.num_point < own_cloud.MIN_POINTS:
        raise InputError("--num_point {}: give at least {}".format(flags.num_point, own_cloud.MIN_POINTS))
    if flags.input is not None:
        return _load_own_cloud(flags)
    data_dir = find_data_dir(flags.data_dir)
    names = load_class_names(data_dir)
    label = class_label("airplane" if flags.desired_label is None else flags.desired_label, names)
    found = 0
    for path in _split_files(data_dir, "test"):
        points, labels = read_h5(path, flags.num_point)
        rows = np.flatnonzero(labels == label)
        if flags.shape_index < found + len(rows):
            row = rows[flags.shape_index - found]
            source = "{}, cloud {}".format(os.path.abspath(path), row)
            return Cloud(points[row], label, names[label], flags.shape_index, source)
        found += len(rows)
    raise InputError(
        "--shape_index {}: the test files hold {} clouds of {}; give {}".format(
            flags.shape_index,
            found,
            names[label],
            "0 to {}".format(found - 1) if found else "another --desired_label or --data_dir",
        )
    )


def class_label(text, names=shapes.SHAPE_NAMES, flag="--desired_label"):
    """The label 0 .. 39 of a class name, or of a number 1 .. 40 as upstream counts; `flag` is where it was given.

    Raises:
      InputError: there is no such class.
    """
    if text in names:
        return list(names).index(text)
    if text.isdecimal() and 1 <= int(text) <= len(names):
        return int(text) - 1
    raise InputError("{} {}: no such class; give 1 to {} or one of {}".format(flag, text, len(names), ", ".join(names)))


def class_name(label):
    """The ModelNet40 name of a label 0 .. 39."""
    return shapes.SHAPE_NAMES[label]


def _load_own_cloud(flags):
    label = None if flags.desired_label is None else class_label(flags.desired_label)
    stem, ending = os.path.splitext(os.path.basename(flags.input))
    if ending.lower() in own_cloud.H5_ENDINGS:
        clouds, labels = read_h5(flags.input, flags.num_point)
        if flags.shape_index >= len(clouds):
            raise InputError(
                "--shape_index {}: {} holds {} clouds, counted from 0".format(
                    flags.shape_index, flags.input, len(clouds)
                )
            )
        points = clouds[flags.shape_index].astype(np.float64)
        label = int(labels[flags.shape_index]) if label is None else label
        found = readers.FileCloud(points, points, [])
    else:
        found = readers.read(flags.input, flags.num_point, flags.seed, flags.sampling)
    points, centre, scale = own_cloud.normalise(found.points, flags.input)
    notices = found.notices + (["{} is up: turned so that it is y".format(flags.up)] if flags.up != "y" else [])
    own = own_cloud.OwnFile(found.points, found.all_points, centre, scale, notices)
    points = points.dot(own_cloud.up_rotation(flags.up)).astype(np.float32)
    return Cloud(points, label, stem, flags.shape_index, os.path.abspath(flags.input), own)


def draw_rotations(kind, count, rng):
    """Random rotation matrices, to be applied as points . R.

    Args:
      kind: "none" (identities), "y" (a uniform angle about the up axis), or "xyz" (Rx Ry Rz with three uniform
        Euler angles, as upstream).
      count: how many.
      rng: numpy RandomState.

    Returns:
      float32 array [count, 3, 3].
    """
    angles = rng.uniform(0, 2 * np.pi, (count, 3))
    if kind == "none":
        return np.tile(np.eye(3, dtype=np.float32), (count, 1, 1))
    about_x, about_y, about_z = (_rotation_about(axis, angles[:, axis]) for axis in range(3))
    rotations = about_y if kind == "y" else about_x @ about_y @ about_z
    return rotations.astype(np.float32)


def _rotation_about(axis, angles):
    """Right-handed rotation matrices [n, 3, 3] about x, y or z (axis 0, 1, 2) by angles [n] in radians."""
    after, last = (axis + 1) % 3, (axis + 2) % 3
    matrices = np.tile(np.eye(3), (len(angles), 1, 1))
    matrices[:, after, after] = matrices[:, last, last] = np.cos(angles)
    matrices[:, last, after] = np.sin(angles)
    matrices[:, after, last] = -np.sin(angles)
    return matrices


def jitter(points, rng, sigma=0.01, clip=0.05):
    """Moves every coordinate by a normal deviate of `sigma`, at most `clip`: float32 array of the shape of `points`."""
    noise = np.clip(sigma * rng.standard_normal(points.shape), -clip, clip)
    return points + noise.astype(np.float32)


def _split_files(data_dir, split):
    """Paths of a split's files; the lists' own folders are upstream's, so only the file names count."""
    list_path = os.path.join(data_dir, split + "_files.txt")
    paths = [os.path.join(data_dir, line.replace("\\", "/").split("/")[-1]) for line in _read_lines(list_path)]
    if not paths:
        raise InputError("{} names no file: copy it again".format(list_path))
    for path in paths:
        if not os.path.isfile(path):
            raise InputError("{} is missing, though {} names it: copy or fetch it again".format(path, list_path))
    return paths


def _read_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("{} cannot be read ({}): copy it again".format(path, error))
