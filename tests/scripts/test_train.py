"""Training as a user sees it: what it reads, what it leaves, what it refuses."""

import json
import os
import re
import sys
import types
from unittest import mock

import h5py
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import assert_one_line_error, run_script
from training_runs import step, training_arguments

import models
import train
import utils
from utils.demo import modelnet40
from utils.files import InputError
from utils.network import resuming

pytestmark = pytest.mark.takes_turns


def _events(folder):
    """{tag: [values]} of the TensorBoard files of a folder."""
    found = {}
    for name in sorted(os.listdir(folder)):
        for event in tf.train.summary_iterator(os.path.join(folder, name)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(value.simple_value)
    return found


def test_a_training_leaves_the_designs_files(tiny_log):
    for name in ("log_train.txt", "config.json", "model.ckpt.index", os.path.join("best", "model.ckpt.index")):
        assert os.path.isfile(os.path.join(tiny_log, name))
    with open(os.path.join(tiny_log, "config.json")) as file:
        config = json.load(file)
    assert config["rotation"] == "y" and config["num_point"] == 64 and config["num_train"] == 80
    assert config["class_names"] == list(modelnet40.CLASS_NAMES)
    assert config["versions"]["pointcloud-grad-cam"] == utils.__version__ and "tensorflow" in config["versions"]
    assert not {"given", "quiet", "verbose"} & set(config)
    assert step(tiny_log) == 3 * 5


def test_tensorboard_shows_both_losses_accuracies_and_schedules(tiny_log):
    in_training = _events(os.path.join(tiny_log, "train"))
    assert set(in_training) == {
        "loss/total",
        "loss/classification",
        "accuracy/overall",
        "learning_rate",
        "batch_norm_decay",
    }
    assert in_training["learning_rate"][0] == pytest.approx(1e-3)
    assert in_training["batch_norm_decay"][0] == pytest.approx(0.5)
    in_test = _events(os.path.join(tiny_log, "test"))
    curves = {tag for tag in in_test if not tag.startswith(("input/", "heat/", "probability/"))}
    assert curves == {"loss/classification", "accuracy/overall", "accuracy/mean_class"}
    assert len(in_test["accuracy/overall"]) == 3


def test_too_small_and_too_large_a_batch_are_refused(tiny_data, tmp_path):
    assert_one_line_error(
        run_script("train.py", "--data_dir", tiny_data, "--log_dir", tmp_path, "--num_point", 64, "--batch_size", 1),
        "--batch_size 1",
        "batch norm",
        "at least 2",
    )
    assert_one_line_error(
        run_script("train.py", "--data_dir", tiny_data, "--log_dir", tmp_path, "--num_point", 64, "--batch_size", 81),
        "--batch_size 81",
        "80 training clouds",
    )


@pytest.mark.parametrize("augment", ["none", "scale_translate"])
def test_the_flags_say_how_clouds_are_moved_and_labels_smoothed(augment, rng, monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["train.py", "--augment", augment, "--label_smoothing", "0.2", "--rotation", "none"]
    )
    flags = train.parse_flags()
    points = rng.standard_normal((4, 20, 3)).astype(np.float32)
    moved = train.mover(flags)(points, 7)
    # Jitter alone moves by at most 0.05.
    assert (np.abs(moved - points).max() > 0.051) == (augment == "scale_translate")
    assert train.training_settings(flags, 100, ("a", "b")).label_smoothing == 0.2


def test_a_training_starts_from_other_weights_and_tests_every_second_epoch_and_the_last(tiny_data, tiny_log, tmp_path):
    more = ["--max_epoch", 3, "--test_every", 2, "--schedule", "cosine", "--start_from", tiny_log]
    arguments = training_arguments(tiny_data, tmp_path, *more)
    finished = run_script("train.py", *arguments)
    assert finished.returncode == 0, finished.stderr
    with open(str(tmp_path / "log_train.txt")) as file:
        lines = file.read()
    assert [number for number in range(1, 4) if "Epoch {}: test loss".format(number) in lines] == [2, 3]
    with open(os.path.join(tiny_log, "log_train.txt")) as file:
        first = re.search(r"Epoch 1: train loss ([\d.]+)", file.read()).group(1)
    with open(str(tmp_path / "config.json")) as file:
        # Of another seed, so that it does not see again what that training saw.
        assert json.load(file)["seed"] == 1
    # It does not begin at the loss of random weights, log 40 and more.
    assert float(re.search(r"Epoch 1: train loss ([\d.]+)", lines).group(1)) < float(first) - 0.5
    assert_one_line_error(run_script("train.py", *(arguments + ["--max_epoch", 4])), "--max_epoch 4", "--start_from")
    assert_one_line_error(
        run_script("train.py", *(arguments + ["--start_from", "elsewhere"])), "--start_from elsewhere"
    )


def test_a_checkpoint_that_is_not_there_is_no_start(tiny_data, tmp_path):
    assert_one_line_error(
        run_script(
            "train.py",
            "--data_dir",
            tiny_data,
            "--log_dir",
            tmp_path,
            "--num_point",
            64,
            "--start_from",
            tmp_path / "x",
        ),
        "no checkpoint at",
        "--start_from",
    )


def test_more_train_points_than_points_are_refused(tiny_data, tmp_path):
    assert_one_line_error(
        run_script("train.py", "--data_dir", tiny_data, "--log_dir", tmp_path, "--num_point", 64, "--train_points", 65),
        "--train_points 65",
        "--num_point 64",
    )


@pytest.mark.parametrize("model", models.NAMES)
def test_every_network_trains_on_a_share_of_the_points(model):
    train.check_density(types.SimpleNamespace(train_points=32, num_point=64, model=model))


def test_train_points_of_a_network_that_cannot_be_coarser_are_refused(monkeypatch):
    own = types.SimpleNamespace(IGNORES_REPEATED_POINTS=False, get_model=lambda points, num_classes, is_training: None)
    monkeypatch.setattr(models, "network", lambda name: own)
    flags = types.SimpleNamespace(train_points=64, num_point=64, model="own")
    train.check_density(flags)
    flags.train_points = 32
    with pytest.raises(InputError, match="`train_points` 32: own .* with --num_point 32"):
        train.check_density(flags)


def _seed_of(log_dir, *arguments):
    arguments = ("train.py", "--log_dir", str(log_dir)) + arguments
    with mock.patch.object(sys, "argv", list(arguments)):
        flags = train.parse_flags()
    resuming.settle_seed(flags)
    return flags.seed


def test_a_training_draws_anew_what_the_one_before_it_saw(tmp_path, monkeypatch):
    def leave(folder, **config):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.ckpt.index").write_bytes(b"")
        if config:
            (tmp_path / folder / "config.json").write_text(json.dumps(dict(config, model="dgcnn")))

    leave("first", seed=0)
    leave("fifth", seed=4)
    leave("foreign")
    leave("begun", seed=0, start_from="first")
    leave("last", seed=2**32 - 1)
    monkeypatch.chdir(tmp_path)
    assert _seed_of("new") == _seed_of("new", "--seed", "0", "--start_from", "first") == 0
    assert [_seed_of("new", "--start_from", name) for name in ("first", "fifth", "foreign", "last")] == [1, 5, 1, 0]
    # What was begun before this rule goes on as it began, be what it started from there or not.
    assert _seed_of("begun", "--start_from", "first") == _seed_of("begun", "--start_from", "gone") == 0
    with pytest.raises(InputError, match="no checkpoint at gone"):
        _seed_of("new", "--start_from", "gone")
    assert _seed_of("fifth") == 0


def _write_data(folder, class_names, labels, num_points=64, train="train.h5"):
    """A small data set: noise around a corner of each class, the same clouds for training and for tests."""
    folder.mkdir()
    draw = np.random.RandomState(3)
    corners = draw.uniform(-0.5, 0.5, (max(labels) + 1, 1, 3))
    clouds = corners[labels] + draw.uniform(-0.3, 0.3, (len(labels), num_points, 3)) * [1, 0.2, 0.5]
    for name in ("test.h5",) + ((train,) if train else ()):
        with h5py.File(str(folder / name), "w") as file:
            file["data"] = clouds.astype(np.float32)
            file["label"] = np.array(labels, np.uint8)
    if class_names:
        (folder / "shape_names.txt").write_text("\n".join(class_names), encoding="utf-8")
    return folder


def test_a_data_set_of_own_classes_is_trained_under_its_own_names(tmp_path):
    names = ["Stuhl", "7", "chair", "Tür"]
    data = _write_data(tmp_path / "data", names, [0, 1, 2, 3] * 4)
    log = tmp_path / "log"
    finished = run_script("train.py", *training_arguments(data, log, "--max_epoch", 2, "--batch_size", 8))
    assert finished.returncode == 0, finished.stderr
    with open(str(log / "config.json"), encoding="utf-8") as file:
        assert json.load(file)["class_names"] == names
    top = tf.train.load_variable(str(log / "best" / "model.ckpt"), "fc3/biases")
    assert top.shape == (4,)
    with open(str(log / "log_train.txt"), encoding="utf-8") as file:
        weakest = set(re.findall(r"weakest class: (\S+) ", file.read()))
    assert weakest and weakest <= set(names)
    assert {"input/" + name + "_VERTEX" for name in names} <= set(_events(str(log / "test")))

    # Other names, of as many classes, are another task.
    others = _write_data(tmp_path / "others", ["Stuhl", "7", "chair", "Tor"], [0, 1, 2, 3] * 4)
    finished = run_script("train.py", *training_arguments(others, log, "--max_epoch", 3, "--batch_size", 8))
    assert_one_line_error(finished, "Tor", "Tür", "--data_dir", "--log_dir")
    fewer = _write_data(tmp_path / "fewer", names, [0, 1, 2, 3] * 3)
    finished = run_script("train.py", *training_arguments(fewer, log, "--max_epoch", 3, "--batch_size", 8))
    assert_one_line_error(finished, "12", "16", "--data_dir", "--log_dir")
    assert step(log) == 4


def test_classes_without_names_are_numbered(tmp_path):
    data = _write_data(tmp_path / "data", None, [0, 2] * 8, train="my_train_clouds.hdf5")
    finished = run_script("train.py", *training_arguments(data, tmp_path / "log", "--max_epoch", 1))
    assert finished.returncode == 0, finished.stderr
    with open(str(tmp_path / "log" / "config.json")) as file:
        assert json.load(file)["class_names"] == ["class 1", "class 2", "class 3"]


def test_data_without_training_clouds_is_refused(tmp_path):
    data = _write_data(tmp_path / "data", None, [0, 1] * 8, train=None)
    finished = run_script("train.py", *training_arguments(data, tmp_path / "log"))
    assert_one_line_error(finished, str(data), "train", "--data_dir")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--momentum", 0.9], ["--momentum does nothing", "--optimizer momentum"]),
        (["--momentum", 0.5, "--optimizer", "adam"], ["--momentum does nothing"]),
        (["--schedule", "cosine", "--decay_rate", 0.7], ["--decay_rate does nothing", "--schedule steps"]),
    ],
)
def test_flags_that_do_nothing_are_refused(tmp_path, arguments, words):
    finished = run_script("train.py", "--data_dir", "demo", "--log_dir", tmp_path / "log", *arguments)
    assert_one_line_error(finished, *words)
    assert not (tmp_path / "log").exists()


def test_the_momentum_optimizer_takes_its_momentum(tiny_data, tmp_path):
    arguments = training_arguments(tiny_data, tmp_path, "--optimizer", "momentum", "--momentum", 0.5, "--max_epoch", 1)
    finished = run_script("train.py", *arguments)
    assert finished.returncode == 0, finished.stderr
    names = [name for name, _ in tf.train.list_variables(str(tmp_path / "model.ckpt"))]
    assert "conv1/weights/Momentum" in names
    assert_one_line_error(run_script("train.py", *(arguments + ["--momentum", 0.6])), "--momentum 0.6", "0.5")


def test_test_clouds_lie_as_they_are_unless_the_network_is_for_any_rotation(rng):
    points = rng.standard_normal((3, 20, 3)).astype(np.float32)
    for rotation in ("none", "y"):
        assert train.turn_test_clouds(points, rotation, seed=5) is points
    turned = train.turn_test_clouds(points, "xyz", seed=5)
    np.testing.assert_array_equal(turned, train.turn_test_clouds(points, "xyz", seed=5))
    np.testing.assert_allclose(np.linalg.norm(turned, axis=2), np.linalg.norm(points, axis=2), rtol=1e-5)
    assert abs(turned - points).max(axis=(1, 2)).min() > 0.1
