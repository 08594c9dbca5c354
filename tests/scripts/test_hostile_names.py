"""Data whose names of classes are paths, formulas, markup and terminal sequences, through the scripts."""

import csv
import os
import shutil

import h5py
import numpy as np
import pytest
from conftest import explain, run_script

from utils.files import read_json, write_json

pytestmark = pytest.mark.takes_turns

NAMES = ["../../../x\x1b]0;title\x07", "=cmd|' /C calc'!A0", "<img src=x>|y"] + ["c{}".format(n) for n in range(37)]


@pytest.fixture(scope="module")
def hostile(tiny_log, tmp_path_factory):
    """A data folder and a log folder whose 40 classes are called NAMES."""
    folder = tmp_path_factory.mktemp("hostile")
    log, data = str(folder / "log"), folder / "data"
    shutil.copytree(tiny_log, log)
    config = read_json(os.path.join(log, "config.json"), "")
    write_json(os.path.join(log, "config.json"), dict(config, class_names=NAMES))
    data.mkdir()
    with h5py.File(str(data / "my_test.h5"), "w") as file:
        file["data"] = np.random.RandomState(1).uniform(-0.5, 0.5, (3, 64, 3)).astype(np.float32)
        file["label"] = np.arange(3)
    (data / "shape_names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    return str(data), log


def test_no_file_lies_outside_the_folder_and_no_sequence_reaches_the_terminal(hostile, tmp_path):
    data, log = hostile
    out = tmp_path / "a" / "b" / "c" / "out"
    arguments = ["--data_dir", data, "--log_dir", log, "--dump_dir", out, "--rotation", "none", "--num_steps", 1]
    finished = explain("ASM.py", "--desired_label", 1, "--figure_format", "svg", *arguments)
    assert finished.returncode == 0, finished.stderr
    assert "\x1b]" not in finished.stdout + finished.stderr and "\x07" not in finished.stdout + finished.stderr
    assert r"\x1b]0;title\x07" in finished.stdout
    (name,) = os.listdir(str(out / "asm"))
    assert name.startswith("__.._.._x_]0;title__0-")
    written = {os.path.join(parent, name) for parent, _, names in os.walk(str(tmp_path)) for name in names}
    assert {os.path.dirname(path) for path in written} == {str(out / "asm" / name)}
    # An escape character would make the XML of an SVG invalid.
    assert b"\x1b" not in (out / "asm" / name / "heat.svg").read_bytes()


def test_the_confusion_matrix_holds_no_formula(hostile, tmp_path):
    data, log = hostile
    finished = run_script("evaluate.py", "--gpu", -1, "--data_dir", data, "--log_dir", log, "--dump_dir", tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "\x1b" not in finished.stdout and "\x07" not in finished.stdout
    with open(str(tmp_path / "confusion_matrix.csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0][2] == rows[2][0] == "'" + NAMES[1] and rows[1][0] == NAMES[0]
