"""Heat from elsewhere: an .npz file of anybody's heat, which goes through the protocols under a name of its own.

The file holds `heat`, float [F, N] in the order of the points of F clouds, with `class_name` [F] and `index` [F] (which
of its class, from 0) beside it. `points` [F, N, 3], where there are any, must be those of the clouds, turned at most.
The heat.npz of an explain run does as well: its one cloud is told by its points.
"""

import argparse
import hashlib
import io
import os
import re
from typing import Dict, NamedTuple, Tuple

import numpy as np

from utils.clouds import arrays
from utils.explain.methods import METHODS
from utils.files import InputError, printable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
LONGEST_NAME = 40
ENDING = ".npz"
MOST_BYTES = 1 << 30  # of the file, and of each array in it; the whole test split of ModelNet40 has 20 MB of heat
WANTED = ("heat", "class_name", "index", "points", "label", "class_names")
TOLERANCE = 1e-3  # of coordinates in the unit sphere; other clouds, and points in another order, differ by far more
LONG_LIST = 5


class Source(NamedTuple):
    """What `--heat` gives.

    Attributes:
      name: by which rows and reports call the heat.
      path: of its file.
    """

    name: str
    path: str


class GivenHeat(NamedTuple):
    """Heat of one file.

    Attributes:
      path: of the file, absolute.
      digest: its sha256, hexadecimal.
      heats: dictionary from (class name, index) to float64 array [N].
    """

    path: str
    digest: str
    heats: Dict[Tuple[str, int], np.ndarray]

    def of(self, cloud):
        """Heat of a cloud: float64 array [N]."""
        return self.heats[cloud.class_name, cloud.index]


def source(text):
    """argparse type: NAME=FILE."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError("{!r} is not of the form NAME=FILE{}".format(text, ENDING))
    return Source(name, path)


def check_names(sources):
    """Raises an InputError where a Source has a name that cannot stand beside those of methods."""
    for number, (name, _) in enumerate(sources):
        if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            problem = (
                "a name has at most {} letters (a to z), digits, `-`, `_` and `.`, a letter or digit first".format(
                    LONGEST_NAME
                )
            )
        elif name.lower() in METHODS:
            problem = "that is the name of a method: give another"
        elif name in [other.name for other in sources[:number]]:
            problem = "the name is given twice: give another"
        else:
            continue
        raise InputError("`heat` {}: {}".format(printable(name, 60), problem))


def read(sources, clouds, num_points):
    """The heat of some clouds in files.

    Args:
      sources: list of Source.
      clouds: list of Cloud, as the data set has them.
      num_points: of each.

    Returns:
      Dictionary from name to GivenHeat, and the list of the clouds that have heat in each file. Says how many have not.

    Raises:
      InputError: a file cannot be read, is not of these clouds, or has heat that is no number.
    """
    found = {}
    for name, path in sources:
        try:
            digest, content = _load(path)
            heats = _by_cloud(content, clouds, num_points)
        except InputError as error:
            raise InputError("`heat` {}: {} {}".format(name, path, error))
        found[name] = GivenHeat(os.path.abspath(path), digest, heats)
        having = [cloud for cloud in clouds if (cloud.class_name, cloud.index) in heats]
        if len(having) < len(clouds):
            print(
                "Left out: {} of {} clouds, of which {} holds no heat".format(
                    len(clouds) - len(having), len(clouds), printable(path)
                )
            )
        clouds = having
    return found, clouds


def _load(path):
    """The sha256 of a file, and the arrays of WANTED that are in it: a dictionary by name."""
    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise InputError("is larger than 1 GiB: leave out the clouds that are not compared")
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InputError("cannot be read ({}): give another file".format(error.strerror or error))
    with arrays.open_npz(io.BytesIO(content)) as members:
        if "heat" not in members:
            raise InputError(
                "holds no array called heat, but {}: save the heat under that name".format(
                    printable(", ".join(sorted(members)[:LONG_LIST]), 80) or "none at all"
                )
            )
        wanted = [key for key in WANTED if key in members]
        for key in wanted:
            if members[key].num_bytes > MOST_BYTES:
                raise InputError("holds more than 1 GiB as {}: leave clouds out".format(key))
        found = {key: members[key].read() for key in wanted}
    return hashlib.sha256(content).hexdigest(), found


def _by_cloud(content, clouds, num_points):
    """What is in a file as `GivenHeat.heats`, of the clouds that are compared.

    Raises:
      InputError: its text follows the name of the file.
    """
    if content["heat"].dtype.kind not in "fiu":
        raise InputError("holds heat of type {}, not numbers".format(printable(str(content["heat"].dtype), 40)))
    is_single = content["heat"].ndim == 1
    heat = np.atleast_2d(content["heat"]).astype(np.float64)
    if heat.ndim != 2 or heat.shape[1] != num_points:
        raise InputError(
            "holds heat of shape {}, and the clouds have {} points each (`num_points`): give heat of shape "
            "(clouds, {})".format(content["heat"].shape, num_points, num_points)
        )
    points = content.get("points")
    if points is not None:
        points = points[np.newaxis] if is_single else points
        if points.shape != heat.shape + (3,) or points.dtype.kind not in "fiu":
            raise InputError("holds points of shape {} to that heat: leave them out".format(content["points"].shape))
    if "class_name" in content or "index" in content or not is_single or points is None:
        keys = _keys(content, len(heat))
    else:
        keys = [_find(points[0], content, clouds)]
    rows = dict(zip(keys, range(len(keys))))
    if len(rows) < len(keys):
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise InputError("holds {} {} twice: leave one out".format(printable(twice[0], 60), twice[1]))
    found = {}
    for cloud in clouds:
        key = cloud.class_name, cloud.index
        if key not in rows:
            continue
        row = rows[key]
        name = printable("{} {}".format(*key))
        if not np.isfinite(heat[row]).all():
            raise InputError("holds heat of {} that is no number (NaN or infinite): mend it".format(name))
        if points is not None and not _are_same(points[row], cloud.points):
            raise InputError(
                "holds points of {} that are not those of the data, or stand in another order: sort the heat, or leave "
                "points out where they were only moved or scaled".format(name)
            )
        found[key] = heat[row]
    if not found:
        held = ", ".join("{} {}".format(*key) for key in keys[:LONG_LIST])
        raise InputError(
            "holds heat of none of the clouds that are compared, but of {}: give other `classes` or another "
            "`data_dir`".format(printable(held, 120) or "none at all")
        )
    return found


def _keys(content, count):
    """(class name, index) of each row of a file of several clouds: list."""
    missing = [key for key in ("class_name", "index") if key not in content]
    if missing:
        raise InputError("does not say of which clouds its heat is: add {}".format(" and ".join(missing)))
    names, indices = (np.atleast_1d(content[key]) for key in ("class_name", "index"))
    if names.shape != (count,) or indices.shape != (count,) or names.dtype.kind not in "US":
        raise InputError(
            "needs a text as class_name and a whole number as index for each of {} clouds, and has arrays of shape {} "
            "and {}".format(count, names.shape, indices.shape)
        )
    if indices.dtype.kind not in "iu":
        raise InputError("holds an index of type {}: give whole numbers, from 0".format(indices.dtype))
    if names.dtype.kind == "S":
        names = np.array([name.decode("utf-8", "replace") for name in names.tolist()])
    return list(zip(names.tolist(), indices.tolist()))


def _find(points, content, clouds):
    """(class name, index) of the cloud that an explain run is of, by its points [N, 3]."""
    for cloud in clouds:
        if np.allclose(points, cloud.points, rtol=0, atol=TOLERANCE):
            break
    else:
        raise InputError(
            "names no class_name and index, and its points are those of none of the clouds that are compared: add "
            "them, or give other `classes`, another `per_class` or `data_dir`"
        )
    label, names = content.get("label"), content.get("class_names")
    if label is not None and label.shape == () and label.dtype.kind in "iu" and int(label) != cloud.label:
        known = names is not None and names.ndim == 1 and 0 <= label < len(names)
        raise InputError(
            "holds heat for the class {}, and the cloud is {} {}: give heat for its own class".format(
                printable(str(names[label]), 60) if known else int(label), printable(cloud.class_name), cloud.index
            )
        )
    return cloud.class_name, cloud.index


def _are_same(given, points):
    """Whether points [N, 3] are others, turned at most: whether each is as far from the origin."""
    return np.allclose(np.linalg.norm(given, axis=1), np.linalg.norm(points, axis=1), rtol=0, atol=TOLERANCE)
