import csv
import json
import os

import numpy as np
import open3d
import pytest

from utils.clouds.cloud import Cloud
from utils.explain import results
from utils.explain.cases import Case
from utils.files import InputError

NAMES = tuple("class {}".format(number) for number in range(12))


@pytest.fixture
def run():
    rounds = [results.Round(1, 3, 1, 1.0, 0.25, 0.5), results.Round(2, 2, 0, float("nan"), float("nan"), 0.1)]
    return results.DropRun(
        points=np.array([[0.0, 1, 2], [3, 4, 5], [6, 7, 8]], np.float32),
        heat=np.array([0.0, 1.5, -2], np.float32),
        removed_in_round=np.array([-1, 1, -1], np.int32),
        heat_when_removed=np.array([np.nan, 1.5, np.nan], np.float32),
        rounds=rounds,
        stop_reason="enough",
        seconds=0.6,
    )


def _save(folder, run):
    logits = np.zeros(len(NAMES), np.float32)
    logits[7] = 1
    colours = np.array([[0, 0, 0], [1, 0.5, 0], [0, 1, 1]])
    case = Case(Cloud(run.points, 3, "cup", 0, "a file"), logits, NAMES, False, {})
    results.save(str(folder), run, case, {"seed": 5}, run.points, colours)


def test_what_is_saved_comes_back(tmp_path, run):
    _save(tmp_path, run)
    found = results.load(str(tmp_path))
    for name in ("points", "heat", "removed_in_round", "heat_when_removed"):
        np.testing.assert_array_equal(found[name], getattr(run, name))
        assert found[name].dtype == getattr(run, name).dtype
    assert found["label"] == 3 and found["predicted"] == 7 and found["logits"].shape == (12,)
    assert found["class_names"].tolist() == list(NAMES)
    assert found["rounds"][0] == run.rounds[0]
    assert np.isnan(found["rounds"][1].accuracy)


def test_the_designs_columns_and_strict_json(tmp_path, run):
    _save(tmp_path, run)
    with open(str(tmp_path / "rounds.csv")) as file:
        assert next(csv.reader(file)) == ["round", "points_left", "points_dropped", "accuracy", "mean_loss", "seconds"]

    def refuse(constant):
        raise AssertionError(constant + " is not JSON")

    with open(str(tmp_path / "run.json")) as file:
        summary = json.load(file, parse_constant=refuse)
    assert summary["stop_reason"] == "enough" and summary["points_removed"] == 1 and summary["seed"] == 5


def test_open3d_reads_points_colours_and_heat_of_the_ply(tmp_path, run):
    _save(tmp_path, run)
    cloud = open3d.t.io.read_point_cloud(str(tmp_path / "heat.ply"))
    np.testing.assert_allclose(cloud.point["positions"].numpy(), run.points)
    np.testing.assert_array_equal(cloud.point["colors"].numpy(), [[0, 0, 0], [255, 128, 0], [0, 255, 255]])
    np.testing.assert_allclose(cloud.point["heat"].numpy().ravel(), run.heat)
    np.testing.assert_array_equal(cloud.point["removed_in_round"].numpy().ravel(), run.removed_in_round)


def test_points_of_a_file_have_heat_and_round_of_the_nearest_one(tmp_path, run):
    case = Case(Cloud(run.points, 3, "cup", 0, "a file"), np.eye(12, dtype=np.float32)[7], NAMES, False, {})
    places = np.array([1, 0, 1, 2, 2])
    results.save(str(tmp_path), run, case, {}, np.zeros((5, 3)), np.zeros((5, 3)), places)
    cloud = open3d.t.io.read_point_cloud(str(tmp_path / "heat.ply"))
    np.testing.assert_array_equal(cloud.point["heat"].numpy().ravel(), np.float32([1.5, 0, 1.5, -2, -2]))
    np.testing.assert_array_equal(cloud.point["removed_in_round"].numpy().ravel(), [1, -1, 1, -1, -1])


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="no finished run"):
        results.load(str(tmp_path))


def _cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def _without_heat(folder, shorter):
    with np.load(str(folder / "heat.npz")) as file:
        arrays = dict(file)
    heat = arrays.pop("heat")
    np.savez(str(folder / "heat.npz"), **dict(arrays, **({"heat": heat[:1]} if shorter else {})))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: _cut(folder / "heat.npz", 0.5),
        lambda folder: _cut(folder / "heat.npz", 0),
        lambda folder: (folder / "heat.npz").write_bytes(b"PK\x03\x04" + bytes(200)),
        lambda folder: (folder / "heat.npz").write_bytes(b"\x93NUMPY nonsense"),
        lambda folder: (folder / "rounds.csv").write_text("round,points_left\n1,2\n"),
        lambda folder: (folder / "rounds.csv").write_text("round,points_left,points_dropped,accuracy\n1,2\n"),
        lambda folder: (folder / "rounds.csv").write_bytes(b"round\n\xff\n"),
        lambda folder: (folder / "rounds.csv").write_text("round\n" + "9" * 200000 + "\n"),
        lambda folder: _without_heat(folder, shorter=False),
        lambda folder: _without_heat(folder, shorter=True),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(tmp_path, run, damage):
    _save(tmp_path, run)
    damage(tmp_path)
    with pytest.raises(InputError, match="run the explain script again"):
        results.load(str(tmp_path))


def test_no_half_written_file_stays_behind(tmp_path, run):
    _save(tmp_path, run)
    assert sorted(os.listdir(str(tmp_path))) == ["heat.csv", "heat.npz", "heat.ply", "rounds.csv", "run.json"]
