"""What a run found -> files, and back."""

import csv
import os
import re
from typing import List, NamedTuple, Sequence

import numpy as np

from utils.explain.round_heats import RoundHeat
from utils.files import ZIP_DAMAGE, InputError, replace_file, write_json, write_npz

# What reading damaged files raises.
DAMAGE = (ValueError, KeyError, TypeError, csv.Error) + ZIP_DAMAGE
PER_POINT = ("points", "heat", "removed_in_round", "heat_when_removed")


class Round(NamedTuple):
    """One pass of the dropping loop.

    Attributes:
      round: its number, from 1.
      points_left: before it drops.
      points_dropped: by it.
      accuracy: share of the votes for the label; NaN of a round that did not classify.
      mean_loss: mean cross-entropy of the votes, in nats; NaN likewise.
      seconds: wall time.
    """

    round: int
    points_left: int
    points_dropped: int
    accuracy: float
    mean_loss: float
    seconds: float


class DropRun(NamedTuple):
    """What the dropping loop found, in the input's point order.

    Attributes:
      points: float32 [N, 3].
      heat: float32 [N] of round 1, on the whole cloud.
      removed_in_round: int32 [N], -1 for never.
      heat_when_removed: float32 [N], NaN for never.
      rounds: list of Round.
      stop_reason: why it stopped, as a clause.
      seconds: wall time.
      round_heats: of round_heats.RoundHeat, in order: the heat of rounds after the first, as far as it was kept.
    """

    points: np.ndarray
    heat: np.ndarray
    removed_in_round: np.ndarray
    heat_when_removed: np.ndarray
    rounds: List[Round]
    stop_reason: str
    seconds: float
    round_heats: Sequence[RoundHeat] = ()


def is_ours(name):
    """Whether a name is that of a file that a run leaves in its folder."""
    return re.fullmatch(r"(heat|rounds|turntable)\.\w+|run\.json", name) is not None


def save(folder, run, case, settings, ply_points, ply_colours, ply_places=None):
    """Writes heat.npz, heat.csv, heat.ply, rounds.csv and run.json, each whole or not at all.

    Args:
      folder: an existing folder.
      run: a DropRun.
      case: the cases.Case that it explains, or anything with its cloud.label, logits and class_names.
      settings: dictionary for run.json: flags, versions, checkpoint and so on.
      ply_points, ply_colours: points [M, 3] of heat.ply and their colours [M, 3], as for `write_ply`.
      ply_places: int array [M], whose heat of the N points each of them has; None for its own.

    Raises:
      OSError: the folder cannot be written.
    """
    arrays = {
        "points": run.points.astype(np.float32),
        "heat": run.heat,
        "removed_in_round": run.removed_in_round,
        "heat_when_removed": run.heat_when_removed,
        "logits": case.logits.astype(np.float32),
        "label": np.int64(case.cloud.label),
        "predicted": np.int64(case.logits.argmax()),
        "class_names": np.array(case.class_names),
    }
    own = getattr(case.cloud, "own", None)
    if own is not None:
        arrays.update(file_index=own.file_index.astype(np.int64), file_points=own.file_points.astype(np.float64))
    summary = {
        "stop_reason": run.stop_reason,
        "seconds": run.seconds,
        "rounds": len(run.rounds),
        "points": len(run.points),
        "points_removed": int((run.removed_in_round > 0).sum()),
        "accuracy": _json_number(run.rounds[-1].accuracy),
    }
    write_npz(os.path.join(folder, "heat.npz"), arrays)
    replace_file(os.path.join(folder, "heat.csv"), lambda file: _write_heat(file, run, own))
    places = slice(None) if ply_places is None else ply_places
    ply = os.path.join(folder, "heat.ply")
    write_ply(ply, ply_points, ply_colours, run.heat[places], run.removed_in_round[places])
    replace_file(os.path.join(folder, "rounds.csv"), lambda file: _write_rounds(file, run.rounds))
    write_json(os.path.join(folder, "run.json"), dict(settings, **summary))


def load(folder):
    """Reads what `save` wrote.

    Args:
      folder: folder of one run.

    Returns:
      Dictionary of the arrays in heat.npz, and `rounds`, a list of Round.

    Raises:
      InputError: there is no run in it, or it is damaged.
    """
    try:
        with np.load(os.path.join(folder, "heat.npz")) as file:
            found = {name: file[name] for name in file.files}
        with open(os.path.join(folder, "rounds.csv"), newline="", encoding="utf-8") as file:
            found["rounds"] = [
                Round(
                    int(row["round"]),
                    int(row["points_left"]),
                    int(row["points_dropped"]),
                    float(row["accuracy"]),
                    float(row["mean_loss"]),
                    float(row["seconds"]),
                )
                for row in csv.DictReader(file)
            ]
        shapes = {name: found[name].shape for name in PER_POINT}
    except DAMAGE as error:
        raise InputError("{} holds no finished run ({!r}): run the explain script again".format(folder, error))
    count = shapes["heat"][0] if len(shapes["heat"]) == 1 else None
    if any(shape != ((count, 3) if name == "points" else (count,)) for name, shape in shapes.items()):
        raise InputError(
            "{} is damaged: the arrays of heat.npz are not of one length; run the explain script again".format(folder)
        )
    return found


def write_ply(path, points, colours, heat, removed_in_round):
    """Writes a binary PLY cloud with colours and scalars `heat` and `removed_in_round`, for CloudCompare and MeshLab.

    Written here because Open3D writes no scalars of one's own, and the libraries that do are GPL or write text.

    Args:
      path: the file.
      points: float array [N, 3]; written in double precision where float32 would not give their digits back.
      colours: float array [N, 3] in 0 .. 1.
      heat: float array [N].
      removed_in_round: int array [N], -1 for never.
    """
    fields = [(name, "<f8" if needs_double(points) else "<f4") for name in "xyz"] + [
        (name, "u1") for name in ("red", "green", "blue")
    ]
    vertices = np.empty(len(points), fields + [("heat", "<f4"), ("removed_in_round", "<i4")])
    for axis, name in enumerate("xyz"):
        vertices[name] = points[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        vertices[name] = np.round(colours[:, channel] * 255)
    vertices["heat"], vertices["removed_in_round"] = heat, removed_in_round
    kinds = {"<f4": "float", "<i4": "int", "<f8": "double", "|u1": "uchar"}
    properties = ["property {} {}".format(kinds[kind], name) for name, kind in vertices.dtype.descr]
    header = ["ply", "format binary_little_endian 1.0", "element vertex {}".format(len(points))]
    text = "\n".join(header + properties + ["end_header", ""])
    replace_file(path, lambda file: file.write(text.encode("ascii") + vertices.tobytes()), "wb")


def needs_double(points):
    """Whether float32 would not give back the digits of coordinates: any of more than 6 digits that it rounds.

    Six digits come back from any float32, in whose range they lie.
    """
    if points.dtype == np.float32:
        return False
    points = points.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        rest = np.abs(points[points.astype(np.float32) != points])
    if not len(rest):
        return False
    if rest.max() > np.finfo(np.float32).max or rest.min() < np.finfo(np.float32).tiny:
        return True
    shifted = rest * 10.0 ** (5 - np.floor(np.log10(rest)))
    return bool((np.abs(shifted - np.round(shifted)) > 1e-9 * shifted).any())


def _write_heat(file, run, own):
    """A line a point: coordinates in the input, heat, the round that removed it, its place in a file of one's own."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["x", "y", "z", "heat", "removed_in_round"] + ([] if own is None else ["file_index"]))
    points = run.points if own is None else own.file_points
    columns = [points[:, 0], points[:, 1], points[:, 2], run.heat, run.removed_in_round]
    columns += [] if own is None else [own.file_index]
    # Python's floats of a float32 would print digits that it does not have.
    texts = [
        [repr(one) for one in column.tolist()] if column.dtype != np.float32 else list(map(str, column))
        for column in columns
    ]
    writer.writerows(zip(*texts))


def _write_rounds(file, rounds):
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(Round._fields)
    for a_round in rounds:
        writer.writerow(["{:.6g}".format(value) if isinstance(value, float) else value for value in a_round])


def _json_number(value):
    """JSON has no NaN: an accuracy that could not be taken is null."""
    return None if np.isnan(value) else value
