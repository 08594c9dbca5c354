import concurrent.futures
import os
import time

import h5py
import numpy as np
import pytest
from conftest import CASES, MODELNET40, needs, run_python

import provider
from utils.demo import modelnet40
from utils.files import InputError


def _write_h5(path, data, label):
    with h5py.File(str(path), "w") as file:
        file["data"], file["label"] = data, label
    return str(path)


def test_load_split_takes_the_first_points_of_all_files(tiny_data):
    points, labels = provider.load_split(provider.open_data(tiny_data), "train")
    assert points.shape == (80, 64, 3) and points.dtype == np.float32
    fewer, same_labels = provider.load_split(provider.open_data(tiny_data), "train", 10)
    np.testing.assert_array_equal(fewer, points[:, :10])
    np.testing.assert_array_equal(same_labels, labels)
    assert (np.bincount(labels)[np.bincount(labels) > 0] == 4).all()


def test_num_point_above_what_the_file_holds_is_refused(tiny_data):
    with pytest.raises(InputError, match="`num_points` 65: .* holds 64 points"):
        provider.load_split(provider.open_data(tiny_data), "test", 65)


def test_load_cloud_counts_within_the_class(tiny_data):
    points, labels = provider.load_split(provider.open_data(tiny_data), "test")
    chairs = points[labels == 8]
    by_name = provider.test_cloud(provider.open_data(tiny_data), "chair", 1)
    np.testing.assert_array_equal(by_name.points, chairs[1])
    # Upstream counts classes from 1.
    by_number = provider.test_cloud(provider.open_data(tiny_data), "9", 1)
    np.testing.assert_array_equal(by_number.points, chairs[1])
    assert by_number.class_name == "chair" and by_number.label == 8


@pytest.mark.parametrize("label", ["0", "41", "chairs", "-3", "", "\u00b2"])
def test_unknown_classes_are_refused(tiny_data, label):
    with pytest.raises(InputError, match="no such class"):
        provider.test_cloud(provider.open_data(tiny_data), label)


def test_fewer_than_ten_points_of_a_test_cloud_are_refused(tiny_data):
    with pytest.raises(InputError, match="`num_points` 9"):
        provider.test_cloud(provider.open_data(tiny_data), "chair", num_points=9)


def test_an_index_past_the_class_names_its_range(tiny_data):
    with pytest.raises(InputError, match="0 to 1"):
        provider.test_cloud(provider.open_data(tiny_data), "chair", 2)
    with pytest.raises(InputError, match="0 clouds of xbox"):
        provider.test_cloud(provider.open_data(tiny_data), "xbox")


def test_a_data_set_without_clouds_is_refused(tmp_path):
    _write_h5(tmp_path / "test.h5", np.zeros((0, 16, 3), np.float32), np.zeros((0, 1), np.uint8))
    with pytest.raises(InputError, match="hold no cloud"):
        provider.load_split(provider.open_data(str(tmp_path)), "test")


def test_a_listed_file_that_is_missing_is_named(tmp_path):
    (tmp_path / "test_files.txt").write_text("data/modelnet40_ply_hdf5_2048/ply_data_test7.h5\n")
    with pytest.raises(InputError, match="ply_data_test7.h5 is missing"):
        provider.load_split(provider.open_data(str(tmp_path)), "test")


def test_a_folder_without_lists_or_files_of_a_split_is_refused(tmp_path):
    _write_h5(tmp_path / "clouds.h5", np.ones((1, 16, 3)), [[0]])
    _write_h5(tmp_path / "train_and_test.h5", np.ones((1, 16, 3)), [[0]])
    _write_h5(tmp_path / "._test.h5", np.ones((1, 16, 3)), [[0]])
    with pytest.raises(InputError, match="`data_dir` .* holds neither train_files.txt"):
        provider.open_data(str(tmp_path))


def test_without_lists_files_split_by_their_names(tmp_path):
    # As ScanObjectNN's: labels (n,), no lists, no names.
    for name, labels in (
        ("training_objects.h5", [0, 2, 1]),
        ("b_TEST.hdf5", [3]),
        ("a_test.h5", [4]),
        ("notes.h5", [9]),
    ):
        _write_h5(tmp_path / name, np.full((len(labels), 16, 3), labels[0], np.float32), labels)
    data = provider.open_data(str(tmp_path))
    assert provider.load_split(data, "train")[1].tolist() == [0, 2, 1]
    assert provider.load_split(data, "test")[1].tolist() == [4, 3]
    assert provider.class_names(data) == ("class 1", "class 2", "class 3", "class 4", "class 5")
    _write_h5(tmp_path / "b_TEST.hdf5", np.ones((1, 16, 3), np.float32), [-1])
    with pytest.raises(InputError, match="b_TEST.hdf5 has label -1: count labels from 0"):
        provider.class_names(data)


def test_a_split_that_is_not_there_is_named(tmp_path):
    _write_h5(tmp_path / "test.h5", np.ones((1, 16, 3)), [[0]])
    with pytest.raises(InputError, match="neither train_files.txt nor an HDF5 file with train in its name"):
        provider.load_split(provider.open_data(str(tmp_path)), "train")


@pytest.mark.parametrize(
    "folder, count, first",
    [
        ("17-ten-classes", 10, "bathtub"),
        ("18-forty-own-names", 40, "part_00"),
        ("19-scanobjectnn-with-lists", 15, "bag"),
    ],
)
@needs(CASES)
def test_data_sets_bring_names_of_their_own(folder, count, first):
    data = provider.open_data(os.path.join(CASES, folder))
    assert len(data.class_names) == count and data.class_names[0] == first
    cloud = provider.test_cloud(data, str(count))
    assert cloud.label == count - 1 and cloud.class_name == data.class_names[-1]
    with pytest.raises(InputError, match="give 1 to {}".format(count)):
        provider.test_cloud(data, str(count + 1))


@needs(CASES)
def test_data_without_names_take_the_networks(tmp_path):
    data = provider.open_data(os.path.join(CASES, "19b-h5-only"))
    assert provider.class_names(data, ["a", "b"]) == ("a", "b")
    with pytest.raises(InputError, match="labels from 0 to 14, but there are 2 classes"):
        provider.load_split(data, "test", num_classes=2)


def test_data_of_other_classes_than_the_networks_are_refused(tiny_data):
    data = provider.open_data(tiny_data)
    assert provider.class_names(data, data.class_names) == provider.class_names(data) == data.class_names
    with pytest.raises(InputError, match="has 40 classes, the network 2: .*`model_path`"):
        provider.class_names(data, ("airplane", "bathtub"))
    with pytest.raises(InputError, match="has bathtub as class 2, the network tub"):
        provider.class_names(data, ("airplane", "tub") + data.class_names[2:])


@pytest.mark.parametrize("text, words", [("", "names no class"), ("cup\ncone\n\ncup\n", "names cup twice")])
def test_names_that_name_nothing_or_one_twice_are_refused(tmp_path, text, words):
    (tmp_path / "shape_names.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        provider.read_class_names(str(tmp_path / "shape_names.txt"))


def test_offline_one_message_names_three_ways_on(tmp_path, monkeypatch):
    monkeypatch.setattr(provider, "DATA_DIR", str(tmp_path))
    # Nothing listens on the discard port of this machine.
    monkeypatch.setattr(provider, "MIRRORS", ("http://127.0.0.1:9/a.zip", "http://127.0.0.1:9/b.zip"))
    with pytest.raises(InputError) as raised:
        provider.open_data()
    for way_on in ("`data_dir` FOLDER", "modelnet40_ply_hdf5_2048.zip into", "`data_dir` demo"):
        assert way_on in str(raised.value)


def test_a_zip_put_by_hand_that_is_not_the_published_one_is_refused_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(provider, "DATA_DIR", str(tmp_path))
    path = tmp_path / "modelnet40_ply_hdf5_2048.zip"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match="not the published file"):
        provider.open_data()
    assert path.exists()


def test_of_two_that_fetch_at_once_the_second_takes_what_the_first_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(provider, "DATA_DIR", str(tmp_path))
    fetched = []

    def fetch_slowly(folder):
        fetched.append(folder)
        time.sleep(1)
        os.mkdir(folder)
        (tmp_path / provider.MODELNET40 / "train_files.txt").write_text("")

    monkeypatch.setattr(provider, "_fetch_modelnet40", fetch_slowly)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = list(pool.map(provider.open_data, [None] * 3))
    assert [data.folder for data in found] == fetched * 3
    assert os.listdir(str(tmp_path)) == [provider.MODELNET40]


def test_of_two_that_make_the_demo_shapes_at_once_the_second_takes_what_the_first_made(tmp_path):
    code = (
        "import functools, sys, provider\n"
        "provider.DATA_DIR = sys.argv[1]\n"
        "make = functools.partial(provider.shapes.write_demo_shapes, num_train=4, num_test=1, num_points=256)\n"
        "provider.shapes.write_demo_shapes = make\n"
        "print(provider.open_data('demo').folder)"
    )
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: run_python(code, str(tmp_path)), range(2)))
    assert [run.returncode for run in runs] == [0, 0], [run.stderr for run in runs]
    assert sum(run.stdout.count("Making") for run in runs) == 1
    assert os.listdir(str(tmp_path)) == ["demo_shapes"]


@needs(MODELNET40)
def test_the_real_modelnet40_is_read_whole():
    data = provider.open_data(MODELNET40)
    points, labels = provider.load_split(data, "test")
    assert points.shape == (2468, 1024, 3) and len(np.unique(labels)) == 40
    assert np.linalg.norm(points, axis=2).max() < 1.001
    assert data.class_names == modelnet40.CLASS_NAMES


@needs(MODELNET40)
def test_a_class_and_index_are_the_same_cloud_as_counted_by_hand():
    cloud = provider.test_cloud(provider.open_data(MODELNET40), "guitar", 99)
    seen = 0
    for name in ("ply_data_test0.h5", "ply_data_test1.h5"):
        with h5py.File(os.path.join(MODELNET40, name), "r") as file:
            for points, label in zip(file["data"], file["label"]):
                seen += label[0] == 17
                if label[0] == 17 and seen == 100:
                    np.testing.assert_array_equal(cloud.points, points)
                    return
    raise AssertionError("there are not 100 guitars")
