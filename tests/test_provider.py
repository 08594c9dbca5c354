import argparse
import os

import h5py
import numpy as np
import pytest
from conftest import MODELNET40, needs

import provider
from utils.files import InputError


def _flags(**values):
    settings = dict(
        input=None,
        data_dir=None,
        desired_label=None,
        shape_index=0,
        num_point=None,
        seed=0,
        up="y",
        sampling="farthest",
    )
    settings.update(values)
    return argparse.Namespace(**settings)


def _write_h5(path, data, label):
    with h5py.File(str(path), "w") as file:
        file["data"], file["label"] = data, label
    return str(path)


def test_rotations_turn_without_bending(rng):
    for kind in provider.draw_rotations("y", 20, rng), provider.draw_rotations("xyz", 20, rng):
        np.testing.assert_allclose(kind @ kind.transpose(0, 2, 1), np.tile(np.eye(3), (20, 1, 1)), atol=1e-6)
        np.testing.assert_allclose(np.linalg.det(kind), 1, atol=1e-6)


def test_rotation_y_keeps_up_up_and_xyz_does_not(rng):
    up = np.array([0, 1, 0], np.float32)
    np.testing.assert_allclose(up @ provider.draw_rotations("y", 20, rng), np.tile(up, (20, 1)), atol=1e-6)
    assert np.ptp((up @ provider.draw_rotations("xyz", 20, rng))[:, 1]) > 1


def test_rotation_xyz_is_rx_ry_rz(rng):
    # The product of the three elementary matrices, as textbooks write it out.
    rotation = provider.draw_rotations("xyz", 1, np.random.RandomState(4))[0]
    a, b, c = np.random.RandomState(4).uniform(0, 2 * np.pi, 3)
    expected = [
        [np.cos(b) * np.cos(c), -np.cos(b) * np.sin(c), np.sin(b)],
        [
            np.cos(a) * np.sin(c) + np.sin(a) * np.sin(b) * np.cos(c),
            np.cos(a) * np.cos(c) - np.sin(a) * np.sin(b) * np.sin(c),
            -np.sin(a) * np.cos(b),
        ],
        [
            np.sin(a) * np.sin(c) - np.cos(a) * np.sin(b) * np.cos(c),
            np.sin(a) * np.cos(c) + np.cos(a) * np.sin(b) * np.sin(c),
            np.cos(a) * np.cos(b),
        ],
    ]
    np.testing.assert_allclose(rotation, expected, atol=1e-6)


def test_rotation_none_is_the_identity(rng):
    assert (provider.draw_rotations("none", 2, rng) == np.eye(3)).all()


def test_jitter_has_the_papers_spread_and_is_clipped(rng):
    moved = provider.jitter(np.zeros((8, 4096, 3), np.float32), rng)
    assert moved.std() == pytest.approx(0.01, rel=0.02) and abs(moved.mean()) < 1e-4
    wide = provider.jitter(np.zeros((8, 4096, 3), np.float32), rng, sigma=0.1)
    assert abs(wide).max() == pytest.approx(0.05)


def test_a_cloud_that_stands_along_z_is_stood_up(tmp_path, rng):
    points = rng.standard_normal((40, 3)) * [1, 1, 9]
    np.save(str(tmp_path / "tower.npy"), points)
    cloud = provider.load_cloud(_flags(input=str(tmp_path / "tower.npy"), up="z"))
    assert np.ptp(cloud.points, axis=0).argmax() == 1 and cloud.points.dtype == np.float32
    np.testing.assert_array_equal(cloud.own.all_points, points)
    assert any("z is up" in notice for notice in cloud.own.notices)


def test_load_split_takes_the_first_points_of_all_files(tiny_data):
    points, labels = provider.load_split(tiny_data, "train")
    assert points.shape == (80, 64, 3) and points.dtype == np.float32
    fewer, same_labels = provider.load_split(tiny_data, "train", 10)
    np.testing.assert_array_equal(fewer, points[:, :10])
    np.testing.assert_array_equal(same_labels, labels)
    assert (np.bincount(labels)[np.bincount(labels) > 0] == 4).all()


def test_num_point_above_what_the_file_holds_is_refused(tiny_data):
    with pytest.raises(InputError, match="--num_point 65: .* holds 64 points"):
        provider.load_split(tiny_data, "test", 65)


def test_load_cloud_counts_within_the_class(tiny_data):
    points, labels = provider.load_split(tiny_data, "test")
    chairs = points[labels == 8]
    by_name = provider.load_cloud(_flags(data_dir=tiny_data, desired_label="chair", shape_index=1))
    np.testing.assert_array_equal(by_name.points, chairs[1])
    # Upstream counts classes from 1.
    by_number = provider.load_cloud(_flags(data_dir=tiny_data, desired_label="9", shape_index=1))
    np.testing.assert_array_equal(by_number.points, chairs[1])
    assert by_number.class_name == "chair" and by_number.label == 8


@pytest.mark.parametrize("label", ["0", "41", "chairs", "-3", "", "\u00b2"])
def test_unknown_classes_are_refused(tiny_data, label):
    with pytest.raises(InputError, match="no such class"):
        provider.load_cloud(_flags(data_dir=tiny_data, desired_label=label))


def test_fewer_than_ten_points_of_a_test_cloud_are_refused(tiny_data):
    with pytest.raises(InputError, match="--num_point 9"):
        provider.load_cloud(_flags(data_dir=tiny_data, desired_label="chair", num_point=9))


def test_an_index_past_the_class_names_its_range(tiny_data):
    with pytest.raises(InputError, match="0 to 1"):
        provider.load_cloud(_flags(data_dir=tiny_data, desired_label="chair", shape_index=2))
    with pytest.raises(InputError, match="0 clouds of xbox"):
        provider.load_cloud(_flags(data_dir=tiny_data, desired_label="xbox"))


def test_damaged_and_wrong_hdf5_files_are_refused(tmp_path, tiny_data):
    with open(os.path.join(tiny_data, "ply_data_test0.h5"), "rb") as file:
        whole = file.read()
    half = tmp_path / "half.h5"
    half.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="half.h5 is damaged"):
        provider.read_h5(str(half))
    cloud = np.zeros((2, 16, 3), np.float32)
    with pytest.raises(InputError, match="labels from 3 to 40"):
        provider.read_h5(_write_h5(tmp_path / "label.h5", cloud, np.array([[3], [40]])))
    with pytest.raises(InputError, match=r"\(2, 16\)"):
        provider.read_h5(_write_h5(tmp_path / "shape.h5", cloud[:, :, 0], np.zeros((2, 1), int)))
    cloud[1, 5, 2] = np.nan
    with pytest.raises(InputError, match="cloud 1, point 5"):
        provider.read_h5(_write_h5(tmp_path / "nan.h5", cloud, np.zeros((2, 1), int)))
    with pytest.raises(InputError, match="no `data` and `label`"):
        with h5py.File(str(tmp_path / "other.h5"), "w") as file:
            file["x"] = [1]
        provider.read_h5(str(tmp_path / "other.h5"))


@pytest.mark.parametrize(
    "label", [np.array([2**32 + 1, 1]), np.array([[1.5], [2]]), np.zeros((2, 0), int), np.array([[b"a"], [b"b"]]), 7]
)
def test_labels_that_are_not_one_whole_number_a_cloud_are_refused(tmp_path, label):
    with pytest.raises(InputError, match="label"):
        provider.read_h5(_write_h5(tmp_path / "a.h5", np.ones((2, 16, 3), np.float32), label))


def test_a_data_set_without_clouds_is_refused(tmp_path):
    for name in provider.LIST_FILES:
        (tmp_path / name).write_text("a.h5\n")
    _write_h5(tmp_path / "a.h5", np.zeros((0, 16, 3), np.float32), np.zeros((0, 1), np.uint8))
    with pytest.raises(InputError, match="hold no cloud"):
        provider.load_split(str(tmp_path), "test")


def test_a_listed_file_that_is_missing_is_named(tmp_path):
    for name in provider.LIST_FILES:
        (tmp_path / name).write_text("data/modelnet40_ply_hdf5_2048/ply_data_test7.h5\n")
    with pytest.raises(InputError, match="ply_data_test7.h5 is missing"):
        provider.load_split(str(tmp_path), "test")


def test_a_folder_without_lists_is_refused(tmp_path):
    with pytest.raises(InputError, match="--data_dir .* holds no train_files.txt"):
        provider.find_data_dir(str(tmp_path))


def test_offline_one_message_names_three_ways_on(tmp_path, monkeypatch):
    monkeypatch.setattr(provider, "DATA_DIR", str(tmp_path))
    # Nothing listens on the discard port of this machine.
    monkeypatch.setattr(provider, "MIRRORS", ("http://127.0.0.1:9/a.zip", "http://127.0.0.1:9/b.zip"))
    with pytest.raises(InputError) as raised:
        provider.find_data_dir()
    for way_on in ("--data_dir FOLDER", "modelnet40_ply_hdf5_2048.zip into", "--data_dir demo"):
        assert way_on in str(raised.value)


def test_a_zip_put_by_hand_that_is_not_the_published_one_is_refused_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(provider, "DATA_DIR", str(tmp_path))
    path = tmp_path / "modelnet40_ply_hdf5_2048.zip"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match="not the published file"):
        provider.find_data_dir()
    assert path.exists()


def test_an_h5_input_brings_its_label(tiny_data):
    cloud = provider.load_cloud(_flags(input=os.path.join(tiny_data, "ply_data_test0.h5"), shape_index=3))
    _, labels = provider.load_split(tiny_data, "test")
    assert cloud.label == labels[3] and cloud.class_name == "ply_data_test0" and cloud.index == 3


@needs(MODELNET40)
def test_the_real_modelnet40_is_read_whole():
    folder = provider.find_data_dir(MODELNET40)
    points, labels = provider.load_split(folder, "test")
    assert points.shape == (2468, 1024, 3) and len(np.unique(labels)) == 40
    assert np.linalg.norm(points, axis=2).max() < 1.001
    assert provider.load_class_names(folder)[labels[0]] in provider.demo_shapes.SHAPE_NAMES
    assert provider.load_class_names(folder) == list(provider.demo_shapes.SHAPE_NAMES)


@needs(MODELNET40)
def test_a_class_and_index_are_the_same_cloud_as_counted_by_hand():
    cloud = provider.load_cloud(_flags(data_dir=MODELNET40, desired_label="guitar", shape_index=99))
    seen = 0
    for name in ("ply_data_test0.h5", "ply_data_test1.h5"):
        with h5py.File(os.path.join(MODELNET40, name), "r") as file:
            for points, label in zip(file["data"], file["label"]):
                seen += label[0] == 17
                if label[0] == 17 and seen == 100:
                    np.testing.assert_array_equal(cloud.points, points)
                    return
    raise AssertionError("there are not 100 guitars")
