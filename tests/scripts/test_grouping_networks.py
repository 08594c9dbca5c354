"""Networks that group points, trained and asked by every script: in one process, as TensorFlow takes long to load."""

import csv
import json
import os
import sys

import numpy as np
import pytest
from conftest import HERE

import compare
import evaluate
import explain
import train

CLOUD = os.path.join(HERE, "cases", "22-macos-zip", "chair.xyz")


def _run(script, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [script.__name__ + ".py", "--gpu", "-1"] + [str(argument) for argument in arguments])
        script.main()


def _read(*parts):
    with open(os.path.join(*map(str, parts))) as file:
        return json.load(file)


# One on each of the two TensorFlows, as they take long.
@pytest.fixture(scope="module", params=("pointnet2_cls_ssg",) if sys.version_info >= (3, 8) else ("dgcnn",))
def trained(request, tiny_data, tmp_path_factory):
    """The name of a network and the folder of one epoch of its training, which showed a cloud."""
    folder = str(tmp_path_factory.mktemp(request.param))
    shape = ("--num_point", 64, "--batch_size", 20, "--max_epoch", 1, "--clouds_shown", 1)
    _run(train, "--data_dir", tiny_data, "--log_dir", folder, "--model", request.param, *shape)
    return request.param, folder


def test_a_training_is_evaluated_as_the_network_that_it_is_of(trained, tiny_data, tmp_path, capsys):
    name, folder = trained
    assert _read(folder, "config.json")["model"] == name
    place = ("--data_dir", tiny_data, "--log_dir", folder, "--dump_dir")
    _run(evaluate, *(place + (tmp_path / "sparse", "--num_point", 40)))
    assert "knows 64 a cloud: of 40 it may see something else; try --num_point 64" in capsys.readouterr().out
    _run(evaluate, *(place + (tmp_path,)))
    assert "how dense" not in capsys.readouterr().out
    run = _read(tmp_path, "run.json")
    assert run["model"] == name and run["clouds"] == 40 and 0 <= run["overall_accuracy"] <= 1


def test_a_cloud_of_ones_own_is_explained_and_dropped(trained, tmp_path, without_open3d):
    _, folder = trained
    dropping = ("--rotation", "none", "--drop_mode", "top", "--num_drop", 30, "--num_steps", 2)
    place = ("--log_dir", folder, "--dump_dir", tmp_path, "--no_window", "--input", CLOUD)
    _run(explain, *(place + ("--method", "runner-up-path") + dropping))
    with np.load(str(tmp_path / "runner-up-path" / "chair_0" / "heat.npz")) as found:
        # As many points as in training; the first to go are the hottest of the whole cloud.
        assert sorted(found["heat"]) == list(range(1, 65))
        assert (found["heat"][found["removed_in_round"] == 1] > 64 - 30).sum() == 30
    assert (tmp_path / "runner-up-path" / "chair_0" / "heat.png").stat().st_size > 10000


def test_methods_are_compared(trained, tiny_data, tmp_path):
    _, folder = trained
    place = ("--data_dir", tiny_data, "--log_dir", folder, "--dump_dir", tmp_path)
    methods = ("--methods", "p-grad-cam", "asm", "--classes", "chair", "--num_drop", 8, "--num_steps", 4)
    _run(compare, *(place + methods))
    assert _read(tmp_path, "run.json")["num_point"] == 64  # as it was trained
    with open(str(tmp_path / "rows.csv")) as file:
        rows = [(row["method"], row["index"], row["step"]) for row in csv.DictReader(file)]
    assert sorted(rows) == [
        (name, index, step) for name in ("asm", "p-grad-cam") for index in "01" for step in ("0", "32")
    ]
