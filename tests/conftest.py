"""What several tests need: real data where it is, a tiny data set, a network trained on it, scripts run as users do."""

import collections
import os
import subprocess
import sys

import loaded_scripts
import numpy as np
import pytest

from utils.demo import shapes
from utils.files import PROJECT_DIR
from utils.network import loading

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(os.path.dirname(PROJECT_DIR), "shared")
MODELNET40 = os.path.join(SHARED, "modelnet40_1024")
CASES = os.path.join(SHARED, "cases")
REFERENCE = os.path.join(SHARED, "pointnet_reference")
DGCNN_REFERENCE = os.path.join(SHARED, "dgcnn_reference")
SECONDS_TO_END = 600  # of a script

loading.prepare()


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="run what takes turns on the other TensorFlow, too")


def pytest_collection_modifyitems(config, items):
    """Skips, of the whole suite, tests of modules that take turns, which the other TensorFlow runs.

    Each third one is run on TensorFlow 1.15, where all others take longer, and the rest on 2.

    Whoever names files or tests, or asks for those that failed, has all of them.
    """
    option = config.option
    if option.all or option.file_or_dir or option.keyword or option.markexpr or option.lf or option.failedfirst:
        return
    counts = collections.Counter()
    for item in items:
        if item.get_closest_marker("takes_turns"):
            # By the length of their names modules begin with one or the other.
            is_third = (counts[item.fspath] + len(item.fspath.basename)) % 3 == 0
            counts[item.fspath] += 1
            if is_third == (sys.version_info >= (3, 8)):
                item.add_marker(pytest.mark.skip(reason="the other TensorFlow runs it; --all does here"))


def needs(path):
    """Skips a test, saying so, where shared material is not there."""
    return pytest.mark.skipif(not os.path.exists(path), reason="needs {}".format(os.path.relpath(path, PROJECT_DIR)))


def run_script(name, *arguments, **options):
    """Runs a script of the project in a process of its own, on the CPU, without a display; with Dask for workers alone.

    Args:
      name: of the script.
      *arguments: of it.
      env: dict, what it finds in its environment beside what is there.
      from_scratch: whether it is to load TensorFlow itself, which takes seconds.

    Returns:
      subprocess.CompletedProcess with text in stdout and stderr.
    """
    path, arguments = os.path.join(PROJECT_DIR, name), [str(argument) for argument in arguments]
    environment = dict(os.environ, CUDA_VISIBLE_DEVICES="", **options.pop("env", {}))
    environment.pop("DISPLAY", None)
    has_workers = "--workers" in arguments
    if not has_workers:
        paths = [os.path.join(HERE, "without_dask"), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    from_scratch = options.pop("from_scratch", False) or has_workers or not loaded_scripts.CAN_FORK
    assert not options
    if not from_scratch:
        return loaded_scripts.run(path, arguments, environment, SECONDS_TO_END)
    return subprocess.run(
        [sys.executable, path] + arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=environment,
        timeout=SECONDS_TO_END,
    )


def run_python(code, *arguments, **env):
    """Runs Python code in the project's folder in a process of its own; returns as `run_script`."""
    return subprocess.run(
        [sys.executable, "-c", code] + [str(argument) for argument in arguments],
        cwd=PROJECT_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, **env),
        timeout=300,
    )


def explain(script, *arguments, **options):
    """Runs an explain script with few votes and no window; returns as `run_script`.

    matplotlib draws, unless `with_open3d` is given: starting Open3D takes longer than all else of a small cloud.
    """
    if not options.pop("with_open3d", False):
        options["env"] = {"PYTHONPATH": os.path.join(HERE, "without_open3d")}
    votes = () if "none" in arguments else ("--num_votes", 4)
    return run_script(script, "--no_window", "--gpu", -1, *(votes + arguments), **options)


def assert_one_line_error(finished, *words):
    """A refused input: exit status 2, one line on stderr that holds the words, no traceback."""
    # TensorFlow 2 may say a line of its own on loading.
    lines = [
        line
        for line in finished.stderr.splitlines()
        if line.strip() and not line.startswith(("WARNING: All log", "I0000", "20")) and "|" not in line
    ]
    assert finished.returncode == 2, finished.stderr
    assert len(lines) == 1, finished.stderr
    for word in words:
        assert word in lines[0]


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory):
    """A data folder of demo shapes: 20 classes, 4 train and 2 test clouds of 64 points each."""
    folder = str(tmp_path_factory.mktemp("data") / "tiny")
    shapes.write_demo_shapes(folder, num_train=4, num_test=2, num_points=64, seed=1)
    return folder


@pytest.fixture(scope="session")
def tiny_log(tiny_data, tmp_path_factory):
    """A log folder of `train.py`: the small network after three epochs on the tiny data."""
    folder = str(tmp_path_factory.mktemp("log"))
    finished = run_script(
        "train.py",
        "--data_dir",
        tiny_data,
        "--log_dir",
        folder,
        "--model",
        "pointnet_cls_basic",
        "--num_point",
        64,
        "--batch_size",
        16,
        "--max_epoch",
        3,
    )
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.fixture
def rng():
    return np.random.RandomState(0)


@pytest.fixture
def without_open3d(monkeypatch):
    """Has matplotlib draw the pictures."""
    from utils.pictures import render

    monkeypatch.setattr(render, "_open3d_panels", lambda window, panels, pixels: None)
