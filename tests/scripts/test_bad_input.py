"""Bad input through the scripts, each with one clear line."""

import os

import h5py
import numpy as np
import pytest
from conftest import assert_one_line_error, explain, run_python, run_script

pytestmark = pytest.mark.takes_turns


def test_no_data_and_no_network(tmp_path):
    code = (
        "import provider, train; from utils import command_line; provider.DATA_DIR = {!r}; "
        "command_line.run(train.main)".format(str(tmp_path))
    )
    # A proxy that refuses all connections is as good as no network.
    nowhere = "http://127.0.0.1:9"
    finished = run_python(code, "--log_dir", tmp_path / "log", https_proxy=nowhere, http_proxy=nowhere, no_proxy="")
    assert_one_line_error(finished, "--data_dir FOLDER", "modelnet40_ply_hdf5_2048.zip", "--data_dir demo")


@pytest.fixture
def broken_data(tiny_data, tmp_path):
    """Copies the tiny data with one file of the test split changed by a function of its arrays."""

    def change(edit):
        folder = tmp_path / "broken"
        folder.mkdir()
        for name in os.listdir(tiny_data):
            with open(os.path.join(tiny_data, name), "rb") as file:
                (folder / name).write_bytes(file.read())
        with h5py.File(str(folder / "ply_data_test0.h5"), "r+") as file:
            edit(file)
        return folder

    return change


def _nan(file):
    file["data"][0, 3, 1] = np.nan


def _label(file):
    file["label"][0] = 40


@pytest.mark.parametrize("edit, words", [(_nan, ["cloud 0, point 3", "not finite"]), (_label, ["40", "0 to 39"])])
@pytest.mark.parametrize("script", ["train.py", "p_grad_CAM.py", "evaluate.py"])
def test_wrong_values_in_an_hdf5_file(script, edit, words, broken_data, tiny_log, tmp_path):
    log = tmp_path / "log" if script == "train.py" else tiny_log
    assert_one_line_error(
        run_script(script, "--data_dir", broken_data(edit), "--log_dir", log, "--num_point", 64),
        "ply_data_test0.h5",
        *words,
    )


def test_an_unknown_class(tiny_data):
    assert_one_line_error(
        explain("p_grad_CAM.py", "--data_dir", tiny_data, "--desired_label", "aeroplane"),
        "--desired_label aeroplane",
        "airplane",
    )


def test_a_checkpoint_of_the_other_network(tiny_data, tiny_log, tmp_path):
    assert_one_line_error(
        explain(
            "ASM.py", "--data_dir", tiny_data, "--log_dir", tiny_log, "--dump_dir", tmp_path, "--model", "pointnet_cls"
        ),
        "pointnet_cls_basic",
        "--model pointnet_cls",
    )


def test_too_many_points(tiny_data):
    assert_one_line_error(explain("ASM.py", "--data_dir", tiny_data, "--num_point", 4096), "--num_point 4096", "64")


@pytest.mark.parametrize(
    "script, flag", [("p_grad_CAM.py", "--dump_dir"), ("evaluate.py", "--dump_dir"), ("train.py", "--log_dir")]
)
def test_a_folder_that_cannot_be_written(script, flag, tiny_data, tiny_log, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert_one_line_error(
        run_script(script, "--data_dir", tiny_data, "--log_dir", tiny_log, flag, tmp_path / "file" / "out"), flag, "out"
    )
    assert (tmp_path / "file").read_text() == "in the way"


def test_no_checkpoint(tiny_data, tmp_path):
    assert_one_line_error(
        explain("ASM.py", "--data_dir", tiny_data, "--model_path", tmp_path), "no checkpoint", "--model_path"
    )


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--num_votes", "0"], ["--num_votes", "'0'"]),
        (["--seed", "4294967296"], ["--seed"]),
        (["--input", ""], ["--input"]),
        (["--desired_label", ""], ["--desired_label"]),
        (["--drop_mode", "+mean"], ["--drop_mode", "+midrange"]),
        (["--power", "nan"], ["--power"]),
        (["--colormap", "no_such_map"], ["--colormap", "no_such_map"]),
        (["--drop_neg", "--drop_mode", "-median"], ["--drop_neg does nothing", "--drop_mode top"]),
        (["--nonsense"], ["--nonsense"]),
        (["--drop_neg"], ["--drop_mode top"]),
        (["--target_label", "aeroplane"], ["--target_label aeroplane", "airplane"]),
        (["--figure_format", "gif"], ["--figure_format", "pdf"]),
        (["--view", "-30,91"], ["--view", "-30,91", "-90 to 90"]),
        (["--figure_width", "3"], ["--figure_width", "'3'", "8 to 60"]),
        (["--quiet", "--verbose"], ["--verbose", "--quiet"]),
        (["--num_point", "9"], ["--num_point 9", "at least 10"]),
        (["--up", "z"], ["--up does nothing", "--input"]),
        (["--sampling", "random"], ["--sampling does nothing", "--input"]),
        (["--power", "2"], ["--power does nothing", "p-grad-CAM"]),
        (["--num_drop", "3"], ["--num_drop does nothing", "--drop_mode top"]),
        (["--compare", "gradcam"], ["--compare", "grad-cam"]),
        (["--compare", "p-grad-cam"], ["--compare does nothing", "p-grad-CAM"]),
        (["--class_names", "names.txt"], ["names.txt", "cannot be read"]),
    ],
)
def test_bad_flags(arguments, words, tiny_data, tiny_log, tmp_path):
    assert_one_line_error(
        explain("p_grad_CAM.py", "--data_dir", tiny_data, "--log_dir", tiny_log, "--dump_dir", tmp_path, *arguments),
        *words,
    )
