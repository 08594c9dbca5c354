"""The explain scripts, run as a user runs them."""

import importlib
import json
import os
import re
import shlex
import sys

import numpy as np
import pytest
from conftest import MODELNET40, REFERENCE, assert_one_line_error, explain, needs, run_python, run_script

import provider
from utils.compare import flags as compare_flags
from utils.explain import flags as explain_flags
from utils.explain import results
from utils.explain.methods import METHODS
from utils.files import PROJECT_DIR

pytestmark = pytest.mark.takes_turns

FILES = ["heat.csv", "heat.html", "heat.npz", "heat.ply", "heat.png", "rounds.csv", "rounds.png", "run.json"]
EXPLAINERS = [("p_grad_CAM.py", "p-grad-cam"), ("ASM.py", "asm")]


def _methods_of(page):
    """The methods that a page offers, in its order."""
    return re.findall(r'"method":"([^"]*)"', page)


@pytest.mark.parametrize("script, method", EXPLAINERS)
def test_a_test_cloud_is_explained(script, method, tiny_data, tiny_log, tmp_path):
    finished = explain(
        script,
        "--data_dir",
        tiny_data,
        "--log_dir",
        tiny_log,
        "--desired_label",
        "cone",
        "--shape_index",
        1,
        "--dump_dir",
        tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    folder = str(tmp_path / method / "cone_1")
    assert sorted(os.listdir(folder)) == FILES
    assert folder in finished.stdout and all(name in finished.stdout for name in FILES)
    assert "stopped after round" in finished.stdout
    found = results.load(folder)
    conclusion = finished.stdout.splitlines()[-1]
    assert conclusion.startswith("The network: cone 1 is seen as ") and " cone" in conclusion.split(";")[1]
    assert os.path.join(folder, "heat.html") in conclusion
    assert "\r" not in finished.stdout + finished.stderr
    with open(os.path.join(folder, "run.json")) as file:
        run = json.load(file)
    assert run["rotation"] == "y" and run["model"] == "pointnet_cls_basic" and run["stop_reason"]
    assert found["label"] == 9 and found["heat"].shape == (64,)
    assert (found["removed_in_round"] > 0).sum() == sum(one.points_dropped for one in found["rounds"])


@needs(REFERENCE)
@needs(MODELNET40)
@pytest.mark.parametrize("script, method", EXPLAINERS)
def test_a_real_network_loses_a_real_airplane_point_by_point(script, method, tmp_path):
    finished = explain(
        script,
        "--model_path",
        os.path.join(REFERENCE, "model.ckpt"),
        "--data_dir",
        MODELNET40,
        "--rotation",
        "y",
        "--num_steps",
        3,
        "--dump_dir",
        tmp_path,
        with_open3d=True,
    )
    assert finished.returncode == 0, finished.stderr
    found = results.load(str(tmp_path / method / "airplane_0"))
    assert found["rounds"][0].accuracy == 1.0 and len(found["rounds"]) == 4
    assert found["predicted"] == 0
    # What was dropped first was the hottest of the whole cloud.
    first = found["removed_in_round"] == 1
    assert found["heat"][first].min() >= found["heat"][~first].max()
    np.testing.assert_array_equal(found["heat_when_removed"][first], found["heat"][first])


def test_eval_every_leaves_out_accuracies_and_drops_the_same_points(tiny_data, tiny_log, tmp_path):
    found = {}
    for every in (1, 3):
        finished = explain(
            "ASM.py",
            "--log_dir",
            tiny_log,
            "--num_steps",
            7,
            "--eval_every",
            every,
            # Without its coldest points the object is never lost, however the accuracy goes up and down else.
            "--drop_neg",
            "--rotation",
            "none",
            "--input",
            _own_cone(tiny_data, tmp_path),
            "--dump_dir",
            tmp_path / str(every),
        )
        assert finished.returncode == 0, finished.stderr
        found[every] = results.load(str(tmp_path / str(every) / "asm" / "own_0"))
    np.testing.assert_array_equal(found[1]["removed_in_round"], found[3]["removed_in_round"])
    assert len(found[1]["rounds"]) == len(found[3]["rounds"]) > 3
    assert found[1]["rounds"][-1].accuracy == found[3]["rounds"][-1].accuracy
    assert [one.round for one in found[3]["rounds"] if np.isnan(one.accuracy)][:2] == [2, 3]


def _own_cone(tiny_data, tmp_path):
    """A cloud of one's own: what the network sees in it is what is explained, so it is never lost at once."""
    path = str(tmp_path / "own.npy")
    if not os.path.exists(path):
        np.save(path, provider.load_split(provider.open_data(tiny_data), "test", 64)[0][5])
    return path


def test_the_same_seed_gives_the_same_files_and_another_seed_other_rounds(tiny_data, tiny_log, tmp_path):
    heats, rounds = [], []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        finished = explain(
            "p_grad_CAM.py",
            "--data_dir",
            tiny_data,
            "--log_dir",
            tiny_log,
            "--desired_label",
            "cone",
            "--dump_dir",
            tmp_path / folder,
            "--seed",
            seed,
            "--drop_mode",
            "+random",
        )
        assert finished.returncode == 0, finished.stderr
        found = results.load(str(tmp_path / folder / "p-grad-cam" / "cone_0"))
        heats.append(found["heat"])
        rounds.append([one[:5] for one in found["rounds"]])
    np.testing.assert_array_equal(heats[0], heats[1])
    assert repr(rounds[0]) == repr(rounds[1]) and repr(rounds[0]) != repr(rounds[2])


def test_both_methods_side_by_side_any_class_and_moving_pictures(tiny_data, tiny_log, tmp_path):
    finished = explain(
        "p_grad_CAM.py",
        "--data_dir",
        tiny_data,
        "--log_dir",
        tiny_log,
        "--desired_label",
        "cone",
        "--target_label",
        "chair",
        "--compare",
        "--num_steps",
        1,
        "--figure_format",
        "svg",
        "--rounds_gif",
        "--dump_dir",
        tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    assert [line.split()[2] for line in finished.stdout.splitlines()[-2:]] == ["p-grad-CAM", "ASM"]
    for _, method in EXPLAINERS:
        folder = tmp_path / method / "cone_0_as_chair"
        found = results.load(str(folder))
        assert found["class_names"][found["label"]] == "chair"
        assert {"heat.svg", "rounds.svg", "rounds.gif"} <= set(os.listdir(str(folder)))
        page = (folder / "heat.html").read_text(encoding="utf-8")
        assert _methods_of(page) == [METHODS[method].title]
    together = tmp_path / "compare" / "cone_0_as_chair"
    page = (together / "compare.html").read_text(encoding="utf-8")
    assert _methods_of(page) == ["p-grad-CAM", "ASM"]
    assert sorted(os.listdir(str(together))) == ["compare.html", "compare.svg", "rounds.svg", "run.json"]
    for name in ("compare.svg", "rounds.svg"):
        words = (together / name).read_text(encoding="utf-8")
        assert "p-grad-CAM</text>" in words and "ASM</text>" in words


def test_a_picture_of_an_earlier_format_goes(tiny_data, tiny_log, tmp_path):
    for format_ in ("png", "pdf"):
        finished = explain(
            "ASM.py",
            "--data_dir",
            tiny_data,
            "--log_dir",
            tiny_log,
            "--desired_label",
            "cone",
            "--num_steps",
            1,
            "--figure_format",
            format_,
            "--dump_dir",
            tmp_path,
        )
        assert finished.returncode == 0, finished.stderr
    files = os.listdir(str(tmp_path / "asm" / "cone_0"))
    assert {"heat.pdf", "rounds.pdf"} <= set(files) and not any(name.endswith(".png") for name in files)


def test_quiet_prints_nothing(tiny_data, tiny_log, tmp_path):
    finished = explain(
        "ASM.py", "--data_dir", tiny_data, "--log_dir", tiny_log, "--num_steps", 1, "--dump_dir", tmp_path, "--quiet"
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


SCRIPTS = ("p_grad_CAM", "ASM", "explain", "compare", "train", "evaluate", "quickstart")


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_has_three_examples_and_no_path_of_this_computer(script, monkeypatch):
    finished = run_script(script + ".py", "--help", env={"COLUMNS": "200"})
    assert finished.returncode == 0 and "--quiet" in finished.stdout
    _, examples = finished.stdout.split("\nexamples:\n")
    assert len(examples.splitlines()) == 3
    assert PROJECT_DIR not in finished.stdout and not re.search(r"(?<![\w.>:/])/\w", finished.stdout)
    module = importlib.import_module(script)
    flags = {
        "compare": compare_flags.parse_flags,
        "p_grad_CAM": lambda: explain_flags.parse_flags("", (), METHODS["p-grad-cam"]),
        "ASM": lambda: explain_flags.parse_flags("", (), METHODS["asm"]),
        "explain": lambda: explain_flags.parse_flags("", ()),
    }
    for example in examples.splitlines():
        start = "  python {}.py".format(script)
        assert example.startswith(start)
        monkeypatch.setattr(sys, "argv", [script + ".py"] + shlex.split(example[len(start) :]))
        flags.get(script, getattr(module, "parse_flags", None))()


def test_help_answers_without_loading_tensorflow():
    heavy = "{'tensorflow', 'open3d', 'matplotlib', 'scipy'}"
    finished = run_python(
        "import sys, p_grad_CAM, ASM, explain, train, evaluate; assert not {} & set(sys.modules)".format(heavy)
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_one_vote_is_cast_where_all_would_be_the_same_and_more_are_refused(tiny_data, tiny_log, tmp_path):
    arguments = ["--data_dir", tiny_data, "--log_dir", tiny_log, "--num_steps", 1, "--rotation", "none"]
    finished = explain("ASM.py", "--dump_dir", tmp_path, *arguments)
    assert finished.returncode == 0, finished.stderr
    with open(str(tmp_path / "asm" / "airplane_0" / "run.json")) as file:
        assert json.load(file)["num_votes"] == 1
    assert_one_line_error(
        run_script("ASM.py", "--no_window", "--num_votes", 12, *arguments),
        "--num_votes does nothing",
        "--rotation none",
    )


def test_any_methods_side_by_side_and_what_a_flag_does_to_which(tiny_data, tiny_log, tmp_path):
    finished = explain(
        "ASM.py",
        *["--data_dir", tiny_data, "--log_dir", tiny_log, "--num_steps", 1, "--drop_neg", "--dump_dir", tmp_path],
        *["--compare", "critical", "random", "asm", "p-grad-cam"],
    )
    assert finished.returncode == 0, finished.stderr
    assert sorted(os.listdir(str(tmp_path))) == ["asm", "compare", "critical", "p-grad-cam", "random"]
    page = (tmp_path / "compare" / "airplane_0" / "compare.html").read_text(encoding="utf-8")
    assert sorted(_methods_of(page)) == ["ASM", "critical points", "p-grad-CAM", "random"]
    said = (
        "--drop_neg is for ASM alone: it goes with --drop_mode top, and critical points and random and p-grad-CAM drops"
    )
    assert said in finished.stdout
