"""Training as a user sees it: started, started again, interrupted, killed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import assert_one_line_error, run_script

import train
import utils
from utils import locks
from utils.demo import modelnet40
from utils.files import PROJECT_DIR

# Saves after every step, so that a kill in mid-epoch finds a checkpoint.
SAVE_ALWAYS = (
    "import train; from utils import command_line; from utils.network import training; "
    "training.SAVE_SECONDS = 0; command_line.run(train.main)"
)


def _arguments(data, log, *more):
    return [
        "--data_dir",
        data,
        "--log_dir",
        str(log),
        "--model",
        "pointnet_cls_basic",
        "--num_point",
        "64",
        "--batch_size",
        "16",
        "--gpu",
        "-1",
    ] + [str(argument) for argument in more]


def _step(log):
    return int(tf.train.load_variable(os.path.join(str(log), "model.ckpt"), "global_step"))


def _log_text(log):
    with open(os.path.join(str(log), "log_train.txt")) as file:
        return file.read()


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
    assert _step(tiny_log) == 3 * 5


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


def test_started_again_it_resumes_and_refuses_other_flags(tiny_data, tmp_path):
    assert run_script("train.py", *_arguments(tiny_data, tmp_path, "--max_epoch", 1)).returncode == 0
    assert _step(tmp_path) == 5
    finished = run_script("train.py", *_arguments(tiny_data, tmp_path, "--max_epoch", 2))
    assert finished.returncode == 0, finished.stderr
    assert _step(tmp_path) == 10
    assert "Resumed after 5 steps, in epoch 2 of 2" in finished.stdout
    assert _log_text(tmp_path).count("Epoch 1: test") == 1

    finished = run_script("train.py", *_arguments(tiny_data, tmp_path, "--max_epoch", 2))
    assert finished.returncode == 0 and "All 2 epochs are done" in finished.stdout
    assert_one_line_error(
        run_script("train.py", *_arguments(tiny_data, tmp_path, "--learning_rate", 0.01)),
        "--learning_rate 0.01",
        "0.001",
        "--log_dir",
    )
    assert _step(tmp_path) == 10


def _start_and_wait_for_a_checkpoint(tiny_data, log):
    process = subprocess.Popen(
        [sys.executable, "-c", SAVE_ALWAYS] + _arguments(tiny_data, log, "--max_epoch", 1000),
        cwd=PROJECT_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, CUDA_VISIBLE_DEVICES=""),
    )
    deadline = time.time() + 120
    while not os.path.isfile(os.path.join(str(log), "model.ckpt.index")):
        assert process.poll() is None and time.time() < deadline, "no checkpoint appeared"
        time.sleep(0.05)
    return process


def test_killed_by_force_it_resumes_from_the_last_save(tiny_data, tmp_path):
    process = _start_and_wait_for_a_checkpoint(tiny_data, tmp_path)
    process.kill()
    process.communicate()
    killed_at = _step(tmp_path)
    epoch = killed_at // 5 + 1
    finished = run_script("train.py", *_arguments(tiny_data, tmp_path, "--max_epoch", epoch))
    assert finished.returncode == 0, finished.stderr
    assert "Resumed after {} steps, in epoch {} of {}".format(killed_at, epoch, epoch) in finished.stdout
    assert _step(tmp_path) == 5 * epoch


def test_a_second_training_of_a_folder_is_refused_and_changes_nothing(tiny_data, tmp_path):
    with locks.hold_folder(str(tmp_path), "log_dir"):
        finished = run_script("train.py", *_arguments(tiny_data, tmp_path, "--max_epoch", 1))
        assert_one_line_error(finished, "--log_dir", "process {} on host".format(os.getpid()), "give another --log_dir")
        assert os.listdir(str(tmp_path)) == [locks.FOLDER_LOCK]


def test_other_flags_do_not_replace_the_best_network_that_a_kill_left_alone(tiny_data, tiny_log, tmp_path):
    shutil.copytree(os.path.join(tiny_log, "best"), str(tmp_path / "best"))
    shutil.copy(os.path.join(tiny_log, "config.json"), str(tmp_path))
    before = sorted(os.listdir(str(tmp_path / "best")))
    assert "model.ckpt.json" in before
    finished = run_script("train.py", *_arguments(tiny_data, tmp_path, "--seed", 5))
    assert_one_line_error(finished, "--seed 5", "--log_dir")
    assert sorted(os.listdir(str(tmp_path / "best"))) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_saves_and_says_so(tiny_data, tmp_path):
    process = _start_and_wait_for_a_checkpoint(tiny_data, tmp_path)
    process.send_signal(signal.SIGINT)
    output = process.communicate()[0].decode()
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert "Stopped at step {};".format(_step(tmp_path)) in output


def test_too_large_a_batch_is_refused(tiny_data, tmp_path):
    assert_one_line_error(
        run_script("train.py", "--data_dir", tiny_data, "--log_dir", tmp_path, "--num_point", 64, "--batch_size", 81),
        "--batch_size 81",
        "80 training clouds",
    )


def test_augmentation_follows_from_seed_and_step(rng):
    points = rng.standard_normal((4, 20, 3)).astype(np.float32)
    moved = train.augment(points, 7, "y", None, seed=3)
    np.testing.assert_array_equal(moved, train.augment(points, 7, "y", None, seed=3))
    assert not np.array_equal(moved, train.augment(points, 8, "y", None, seed=3))
    # About y: heights and distances from the axis stay, but for the jitter.
    np.testing.assert_allclose(moved[..., 1], points[..., 1], atol=0.0501)
    np.testing.assert_allclose(
        np.hypot(moved[..., 0], moved[..., 2]), np.hypot(points[..., 0], points[..., 2]), atol=0.08
    )


def test_train_points_draws_other_points_at_each_step(rng):
    points = np.arange(20, dtype=np.float32).reshape(1, 20, 1) * np.ones((2, 1, 3), np.float32)
    drawn = [np.rint(train.augment(points, step, "none", 5, seed=3)) for step in (7, 7, 8)]
    assert drawn[0].shape == (2, 5, 3) and len(np.unique(drawn[0][0, :, 0])) == 5
    assert set(drawn[0][0, :, 0]) == set(drawn[1][0, :, 0]) != set(drawn[2][0, :, 0])


def test_a_training_starts_from_other_weights_and_tests_every_second_epoch_and_the_last(tiny_data, tiny_log, tmp_path):
    more = ["--max_epoch", 3, "--test_every", 2, "--schedule", "cosine", "--start_from", tiny_log]
    arguments = _arguments(tiny_data, tmp_path, *more)
    finished = run_script("train.py", *arguments)
    assert finished.returncode == 0, finished.stderr
    with open(str(tmp_path / "log_train.txt")) as file:
        lines = file.read()
    assert [number for number in range(1, 4) if "Epoch {}: test loss".format(number) in lines] == [2, 3]
    with open(os.path.join(tiny_log, "log_train.txt")) as file:
        first = re.search(r"Epoch 1: train loss ([\d.]+)", file.read()).group(1)
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
    finished = run_script("train.py", *_arguments(data, log, "--max_epoch", 2, "--batch_size", 8))
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
    finished = run_script("train.py", *_arguments(others, log, "--max_epoch", 3, "--batch_size", 8))
    assert_one_line_error(finished, "Tor", "Tür", "--data_dir", "--log_dir")
    fewer = _write_data(tmp_path / "fewer", names, [0, 1, 2, 3] * 3)
    finished = run_script("train.py", *_arguments(fewer, log, "--max_epoch", 3, "--batch_size", 8))
    assert_one_line_error(finished, "12", "16", "--data_dir", "--log_dir")
    assert _step(log) == 4


def test_classes_without_names_are_numbered(tmp_path):
    data = _write_data(tmp_path / "data", None, [0, 2] * 8, train="my_train_clouds.hdf5")
    finished = run_script("train.py", *_arguments(data, tmp_path / "log", "--max_epoch", 1))
    assert finished.returncode == 0, finished.stderr
    with open(str(tmp_path / "log" / "config.json")) as file:
        assert json.load(file)["class_names"] == ["class 1", "class 2", "class 3"]


def test_data_without_training_clouds_is_refused(tmp_path):
    data = _write_data(tmp_path / "data", None, [0, 1] * 8, train=None)
    finished = run_script("train.py", *_arguments(data, tmp_path / "log"))
    assert_one_line_error(finished, str(data), "train", "--data_dir")


def test_a_checkpoint_without_its_settings_is_not_resumed(tiny_data, tiny_log, tmp_path):
    for content in (None, "{}", '{"model": "resnet"}'):
        log = tmp_path / str(content and len(content))
        shutil.copytree(tiny_log, str(log))
        os.remove(str(log / "config.json"))
        if content:
            (log / "config.json").write_text(content)
        finished = run_script("train.py", *_arguments(tiny_data, log, "--max_epoch", 4))
        assert_one_line_error(finished, "no config.json", "--log_dir", "--start_from")
        assert _step(log) == 15


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
    arguments = _arguments(tiny_data, tmp_path, "--optimizer", "momentum", "--momentum", 0.5, "--max_epoch", 1)
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
