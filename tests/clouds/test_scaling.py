"""Clouds of data sets in any units: a network sees them as it sees files, and those in the unit sphere as they lie."""

import json

import h5py
import numpy as np
import pytest
from conftest import MODELNET40, assert_one_line_error, needs, run_script

import provider
from utils.clouds import own_cloud, scaling
from utils.network import checkpoint_files

RNG = np.random.RandomState(8)
CLOUDS = RNG.uniform(-1, 1, (6, 40, 3)) * [0.3, 0.5, 0.2]


def _write(folder, train, test):
    folder.mkdir()
    for name, clouds in (("train_0", train[:3]), ("train_1", train[3:]), ("test_0", test[:3]), ("test_1", test[3:])):
        with h5py.File(str(folder / (name + ".h5")), "w") as file:
            file["data"], file["label"] = clouds, np.arange(len(clouds))
    # With lists, opening prints nothing.
    for split in ("train", "test"):
        (folder / (split + "_files.txt")).write_text("{0}_0.h5\n{0}_1.h5\n".format(split))
    return provider.open_data(str(folder))


@pytest.mark.parametrize(
    "clouds",
    [
        1500 * CLOUDS,
        CLOUDS + [5e5, 5.4e6, 300],
        np.round(1500 * CLOUDS).astype("i2"),
        3e30 * CLOUDS,
        1e-3 * CLOUDS,
        CLOUDS / 2,
    ],
)
def test_clouds_in_any_units_come_as_files_do(tmp_path, capsys, clouds):
    data = _write(tmp_path / "set", clouds, clouds)
    points, _ = provider.load_split(data, "train")
    assert capsys.readouterr().out.strip().endswith("from the origin: each is centred and scaled into the unit sphere")
    for number, cloud in enumerate(clouds):
        path = str(tmp_path / "{}.npy".format(number))
        np.save(path, cloud)
        if number < 2:
            np.testing.assert_array_equal(points[number], own_cloud.load(path).points)
        centred = cloud - cloud.mean(axis=0, dtype=np.float64)
        farthest = max(np.sqrt(sum((one / np.abs(centred).max()) ** 2)) for one in centred) * np.abs(centred).max()
        np.testing.assert_allclose(points[number], centred / farthest, rtol=0, atol=1e-6)
    # Fewer points are the same ones, and in the same places.
    np.testing.assert_array_equal(provider.load_split(data, "train", 12)[0], points[:, :12])
    np.testing.assert_array_equal(provider.test_cloud(data, "2", 1, 12).points, points[4, :12])


@pytest.mark.parametrize("size", [1, 1.7, 0.6])
def test_clouds_in_the_unit_sphere_or_cube_stay_bit_for_bit(tmp_path, capsys, size):
    clouds = (CLOUDS / np.linalg.norm(CLOUDS, axis=2).max() * size).astype(np.float32)
    data = _write(tmp_path / "set", clouds, clouds[::-1])
    train_set, test_set, scaled = provider.load_both(data)
    assert train_set[0].tobytes() == clouds.tobytes() and test_set[0].tobytes() == clouds[::-1].tobytes()
    assert scaled == scaling.WHERE_NEEDED and capsys.readouterr().out == ""


@pytest.mark.parametrize("is_of_test", [False, True])
def test_one_cloud_in_metres_has_all_of_both_splits_scaled(tmp_path, capsys, is_of_test):
    large = CLOUDS.copy()
    large[5] *= 9
    data = _write(tmp_path / "set", *((CLOUDS, large) if is_of_test else (large, CLOUDS)))
    train_set, test_set, scaled = provider.load_both(data)
    assert scaled == scaling.ALWAYS and capsys.readouterr().out.count("\n") == 1
    np.testing.assert_allclose(np.linalg.norm(train_set[0], axis=2).max(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(test_set[0], train_set[0], rtol=0, atol=1e-6)
    # Scripts that read the test split alone are told.
    points, _ = provider.load_split(data._replace(scaled=scaled), "test")
    np.testing.assert_array_equal(points, test_set[0])
    # The first file of the split lies within, and its cloud comes as evaluations see it.
    found = provider.test_cloud(data, "1").points
    np.testing.assert_array_equal(found, provider.load_split(data, "test")[0][0])
    assert np.isclose(np.linalg.norm(found, axis=1).max(), 1, rtol=1e-6) == is_of_test


def test_a_cloud_in_one_place_stays_in_one_place(tmp_path):
    clouds = 1500 * CLOUDS
    clouds[4] = [5000, 0, 1]
    points, _ = provider.load_split(_write(tmp_path / "set", clouds, clouds), "test")
    assert (points[4] == 0).all() and np.abs(points[:4]).max() <= 1


def test_networks_that_are_older_than_scaling_see_clouds_as_they_were_trained(tmp_path, capsys):
    assert checkpoint_files.scaling_of({}) == checkpoint_files.scaling_of({"data_dir": "demo"}) == "where needed"
    assert checkpoint_files.scaling_of({"data_dir": "my_data"}) == "never"
    assert checkpoint_files.scaling_of({"data_dir": "my_data", "scaled": "where needed"}) == "where needed"
    data = _write(tmp_path / "set", 1500 * CLOUDS, 1500 * CLOUDS)._replace(scaled=scaling.NEVER)
    np.testing.assert_array_equal(provider.load_split(data, "test")[0], (1500 * CLOUDS).astype(np.float32))
    assert capsys.readouterr().out.strip().endswith("taken as they lie, as the network was trained")


@pytest.mark.takes_turns
def test_a_training_on_millimetres_and_what_comes_after_it_agree(tmp_path, tiny_data):
    folder, log = tmp_path / "mm", tmp_path / "log"
    folder.mkdir()
    for split in ("train", "test"):
        points, labels = provider.load_split(provider.open_data(tiny_data), split)
        with h5py.File(str(folder / (split + ".h5")), "w") as file:
            file["data"], file["label"] = 1500 * points.astype(float) + 700, labels
    train = ("--data_dir", folder, "--log_dir", log, "--model", "pointnet_cls_basic", "--num_point", 64)
    train += ("--batch_size", 16, "--max_epoch", 1, "--gpu", -1)
    finished = run_script("train.py", *train)
    assert finished.returncode == 0 and "scaled into the unit sphere" in finished.stdout, finished.stderr
    config = json.loads((log / "config.json").read_text())
    assert config["scaled"] == "always"
    evaluate = ("--data_dir", folder, "--log_dir", log, "--gpu", -1)
    assert "unit sphere, as the network was trained" in run_script("evaluate.py", *evaluate).stdout
    # As a version that did not scale left it.
    del config["scaled"]
    (log / "config.json").write_text(json.dumps(config))
    assert "taken as they lie, as the network was trained" in run_script("evaluate.py", *evaluate).stdout
    assert_one_line_error(run_script("train.py", *train), "began with clouds as they lie", "--start_from")


@needs(MODELNET40)
def test_modelnet40_is_read_as_its_files_have_it():
    data = provider.open_data(MODELNET40)
    with h5py.File(MODELNET40 + "/ply_data_test0.h5", "r") as file:
        expected = file["data"][:]
    points, _ = provider.load_split(data, "test")
    assert points[: len(expected)].tobytes() == expected.astype(np.float32).tobytes()
