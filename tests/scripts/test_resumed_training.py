"""A training that is started again, interrupted, killed, or started twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import h5py
import pytest
from conftest import assert_one_line_error, run_script
from training_runs import log_text, step, training_arguments

from utils.disk import locks
from utils.files import PROJECT_DIR

pytestmark = pytest.mark.takes_turns

# Saves after every step, so that a kill in mid-epoch finds a checkpoint.
SAVE_ALWAYS = (
    "import train; from utils import command_line; from utils.network import training; "
    "training.SAVE_SECONDS = 0; command_line.run(train.main)"
)


def test_started_again_it_resumes_and_refuses_other_flags(tiny_data, tmp_path):
    assert run_script("train.py", *training_arguments(tiny_data, tmp_path, "--max_epoch", 1)).returncode == 0
    assert step(tmp_path) == 5
    finished = run_script("train.py", *training_arguments(tiny_data, tmp_path, "--max_epoch", 2))
    assert finished.returncode == 0, finished.stderr
    assert step(tmp_path) == 10
    assert "Resumed after 5 steps, in epoch 2 of 2" in finished.stdout
    assert log_text(tmp_path).count("Epoch 1: test") == 1

    config = (tmp_path / "config.json").read_bytes()
    finished = run_script("train.py", *training_arguments(tiny_data, tmp_path, "--max_epoch", 1))
    assert finished.returncode == 0 and "All 1 epochs are done" in finished.stdout
    assert (tmp_path / "config.json").read_bytes() == config and json.loads(config.decode())["max_epoch"] == 2
    assert_one_line_error(
        run_script("train.py", *training_arguments(tiny_data, tmp_path, "--learning_rate", 0.01)),
        "--learning_rate 0.01",
        "0.001",
        "--log_dir",
    )
    assert step(tmp_path) == 10


def test_it_goes_on_wherever_its_data_lie_and_with_no_others(tiny_data, tiny_log, tmp_path):
    data, log = str(tmp_path / "data"), str(tmp_path / "log")
    shutil.copytree(tiny_data, data)
    shutil.copytree(tiny_log, log)
    finished = run_script("train.py", *training_arguments(data, log, "--max_epoch", 3))
    assert finished.returncode == 0 and "All 3 epochs are done" in finished.stdout
    with open(os.path.join(data, "test_files.txt")) as lines:
        name = os.path.basename(lines.readline().strip())
    with h5py.File(os.path.join(data, name), "r+") as file:
        file["data"][0, 5, 2] += 0.01
    finished = run_script("train.py", *training_arguments(data, log, "--max_epoch", 4))
    assert_one_line_error(
        finished, "--data_dir " + data, "clouds or labels for test are not those", "another --log_dir"
    )
    assert step(log) == 15


def _start_and_wait_for_a_checkpoint(tiny_data, log):
    process = subprocess.Popen(
        [sys.executable, "-c", SAVE_ALWAYS] + training_arguments(tiny_data, log, "--max_epoch", 1000),
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
    killed_at = step(tmp_path)
    epoch = killed_at // 5 + 1
    finished = run_script("train.py", *training_arguments(tiny_data, tmp_path, "--max_epoch", epoch))
    assert finished.returncode == 0, finished.stderr
    assert "Resumed after {} steps, in epoch {} of {}".format(killed_at, epoch, epoch) in finished.stdout
    assert step(tmp_path) == 5 * epoch


def test_a_second_training_of_a_folder_is_refused_and_changes_nothing(tiny_data, tmp_path):
    with locks.hold_folder(str(tmp_path), "log_dir"):
        finished = run_script("train.py", *training_arguments(tiny_data, tmp_path, "--max_epoch", 1))
        assert_one_line_error(finished, "--log_dir", "process {} on host".format(os.getpid()), "give another --log_dir")
        assert os.listdir(str(tmp_path)) == [locks.FOLDER_LOCK]


def test_other_flags_do_not_replace_the_best_network_that_a_kill_left_alone(tiny_data, tiny_log, tmp_path):
    shutil.copytree(os.path.join(tiny_log, "best"), str(tmp_path / "best"))
    shutil.copy(os.path.join(tiny_log, "config.json"), str(tmp_path))
    before = sorted(os.listdir(str(tmp_path / "best")))
    assert "model.ckpt.json" in before
    finished = run_script("train.py", *training_arguments(tiny_data, tmp_path, "--seed", 5))
    assert_one_line_error(finished, "--seed 5", "--log_dir")
    assert sorted(os.listdir(str(tmp_path / "best"))) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_saves_and_says_so(tiny_data, tmp_path):
    process = _start_and_wait_for_a_checkpoint(tiny_data, tmp_path)
    process.send_signal(signal.SIGINT)
    output = process.communicate()[0].decode()
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert "Stopped at step {};".format(step(tmp_path)) in output


def test_a_checkpoint_without_its_settings_is_not_resumed(tiny_data, tiny_log, tmp_path):
    for content in (None, "{}", '{"model": "resnet"}'):
        log = tmp_path / str(content and len(content))
        shutil.copytree(tiny_log, str(log))
        os.remove(str(log / "config.json"))
        if content:
            (log / "config.json").write_text(content)
        finished = run_script("train.py", *training_arguments(tiny_data, log, "--max_epoch", 4))
        assert_one_line_error(finished, "no config.json", "--log_dir", "--start_from")
        assert step(log) == 15
