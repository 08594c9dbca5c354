"""compare.py, run as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import CASES, assert_one_line_error, needs, run_script

from utils.compare import fidelity
from utils.disk import locks
from utils.explain.methods import METHODS
from utils.files import PROJECT_DIR

pytestmark = pytest.mark.takes_turns

# Rows of one cloud and method: of 64 points, the points that drop leaves, the shares of insert, and so on.
ROWS = {"drop": 3, "insert": 10, "curve": 40, "fidelity": 1, "thesis": 3, "sanity": 9, "stability": 3}
FIGURES = {
    "drop": ["bars.png", "clouds.png", "curves.png", "gallery.html"],
    "insert": ["bars.png", "clouds.png", "curves.png", "gallery.html"],
    "curve": ["bars.png", "clouds.png", "deletion.png", "gallery.html", "insertion.png"],
    "fidelity": ["bars_infidelity.png", "bars_rank_correlation.png", "clouds.png", "gallery.html"],
    "thesis": ["points_removed.png"],
    "sanity": ["bars.png", "clouds.png", "curves.png", "gallery.html"],
    "stability": ["bars_rank_correlation.png", "bars_top_overlap.png", "clouds.png", "gallery.html"],
}
# Of small clouds.
OWN = {"drop": ["--num_steps", 10], "thesis": ["--num_votes", 4], "sanity": ["--draws", 1]}


def _compare(tiny_data, tiny_log, folder, protocol, *arguments, **options):
    return run_script(
        "compare.py",
        "--data_dir",
        tiny_data,
        "--log_dir",
        tiny_log,
        "--num_point",
        64,
        "--gpu",
        -1,
        "--dump_dir",
        folder,
        "--protocol",
        protocol,
        *(OWN.get(protocol, []) + list(arguments)),
        **options,
    )


def _read(folder):
    with open(os.path.join(str(folder), "rows.csv"), encoding="utf-8") as file:
        return file.read().splitlines()


def _run_json(folder):
    with open(os.path.join(str(folder), "run.json"), encoding="utf-8") as file:
        return json.load(file)


def _summary(folder):
    with open(os.path.join(str(folder), "summary.md"), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(scope="module")
def without_tensorflow(tmp_path_factory):
    """An environment in which importing TensorFlow ends the process."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "tensorflow.py").write_text("raise SystemExit('TensorFlow was imported')\n")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("protocol", sorted(ROWS))
def test_every_protocol_leaves_its_files_and_draws_them_anew_without_a_network(
    protocol, tiny_data, tiny_log, tmp_path, without_tensorflow
):
    if protocol == "fidelity" and fidelity.ORACLE not in METHODS:
        pytest.skip("there is no method leave-one-out yet")
    # All that are not slow by one of the protocols; of the others a few are enough.
    few = ["asm", "random"] + ["runner-up", "critical"] * (protocol != "sanity")
    chosen = [] if protocol in ("drop", "thesis") else ["--methods"] + few
    finished = _compare(tiny_data, tiny_log, tmp_path, protocol, "--classes", "cone", "9", "--per_class", 2, *chosen)
    assert finished.returncode == 0, finished.stderr
    methods = {"drop": 11, "thesis": 2}.get(protocol, len(few))
    assert len(_read(tmp_path)) == 1 + methods * 4 * ROWS[protocol]
    kept = ["rows.csv", "run.json", "summary.md"] + ["heats.npz"] * (protocol != "thesis")
    assert sorted(os.listdir(str(tmp_path))) == sorted(kept + FIGURES[protocol])
    summary = _summary(tmp_path)
    assert "4 clouds of 2 classes" in summary and "| asm " in summary
    assert "nan" not in summary
    run = _run_json(tmp_path)
    assert run["protocol"] == protocol and len(run["weights"]) == 64
    assert run["rotation"] == ("y" if protocol == "thesis" else "none")
    assert run["classes"] == ["chair", "cone"] and run["class_names"][8] == "chair"
    # Flags that did nothing are not kept.
    assert ("num_steps" in run, "eval_every" in run) == (protocol == "drop", protocol == "thesis")
    assert run.get("num_drop") == {"drop": 5, "thesis": 24}.get(protocol)

    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(str(tmp_path))}
    for name in FIGURES[protocol] + ["summary.md"]:
        (tmp_path / name).unlink()
    again = run_script("compare.py", "--report", tmp_path, env=without_tensorflow, from_scratch=True)
    assert again.returncode == 0, again.stderr + again.stdout
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(str(tmp_path))} == before


def test_heat_from_elsewhere_is_compared_and_drawn_and_its_name_stays_with_its_file(tiny_data, tiny_log, tmp_path):
    given, folder = str(tmp_path / "given.npz"), tmp_path / "out"
    heat = np.random.RandomState(0).standard_normal((2, 64))
    np.savez(given, heat=heat, class_name=np.array(["cone", "chair"]), index=np.zeros(2, int))
    arguments = ["insert", "--classes", "cone", "9", "--per_class", 2, "--methods", "asm", "--heat", "mine=" + given]
    finished = _compare(tiny_data, tiny_log, folder, *arguments)
    assert finished.returncode == 0, finished.stderr
    assert "Left out: 2 of 4 clouds" in finished.stdout
    assert "2 clouds of 2 classes" in _summary(folder) and "| mine " in _summary(folder)
    assert "mine: heat from elsewhere, of given.npz" in _summary(folder)
    assert len(_read(folder)) == 1 + 2 * 2 * 10
    assert sorted(os.listdir(str(folder))) == sorted(
        FIGURES["insert"] + ["rows.csv", "run.json", "summary.md", "heats.npz"]
    )
    with np.load(str(folder / "heats.npz")) as kept:
        np.testing.assert_allclose(kept["heat_mine"], heat[::-1], rtol=1e-6)
    before = _read(folder)
    assert _compare(tiny_data, tiny_log, folder, *arguments).returncode == 0
    np.savez(given, heat=-heat, class_name=np.array(["cone", "chair"]), index=np.zeros(2, int))
    assert_one_line_error(_compare(tiny_data, tiny_log, folder, *arguments), "--heat mine", "given.npz", "another name")
    assert _read(folder) == before
    heat[0, 0] = np.nan
    np.savez(given, heat=heat, class_name=np.array(["cone", "chair"]), index=np.zeros(2, int))
    assert_one_line_error(_compare(tiny_data, tiny_log, folder, *arguments), "--heat mine", "cone 0", "no number")


def test_a_report_takes_other_colours_and_nothing_else(tiny_data, tiny_log, tmp_path):
    arguments = ["--classes", "cone", "--per_class", 1, "--methods", "asm"]
    assert _compare(tiny_data, tiny_log, tmp_path, "insert", *arguments).returncode == 0
    before = (tmp_path / "clouds.png").read_bytes()
    assert_one_line_error(
        run_script("compare.py", "--report", tmp_path, "--seed", 0), "--seed does nothing", "--report"
    )
    finished = run_script("compare.py", "--report", tmp_path, "--colormap", "thesis", "--quiet")
    assert finished.returncode == 0 and finished.stdout == "", finished.stderr
    assert (tmp_path / "clouds.png").read_bytes() != before
    assert _run_json(tmp_path)["colormap"] == "thesis" and _run_json(tmp_path)["scale"] == "linear"
    assert_one_line_error(run_script("compare.py", "--report", tmp_path / "none"), "run.json cannot be read")


def test_networks_are_put_side_by_side_without_one(tiny_data, tiny_log, tmp_path, without_tensorflow):
    folders = [tmp_path / name for name in ("one", "two")]
    for seed, folder in enumerate(folders):
        arguments = ["--classes", "cone", "--per_class", 2, "--methods", "asm", "random", "--seed", seed]
        assert _compare(tiny_data, tiny_log, folder, "insert", *arguments).returncode == 0
    out = tmp_path / "out"
    report = ["--report"] + folders
    finished = run_script("compare.py", *(report + ["--dump_dir", out]), env=without_tensorflow, from_scratch=True)
    assert finished.returncode == 0, finished.stderr
    assert sorted(os.listdir(str(out))) == ["insert_networks.md", "insert_networks.png", "insert_networks_clouds.png"]
    assert "| asm " in finished.stdout and "insert_networks.md" in finished.stdout
    for more, words in (
        ([], ["--report of several folders", "--dump_dir"]),
        (["--dump_dir", out, "--scale", "rank"], ["--scale does nothing", "several folders"]),
        ([folders[0], "--dump_dir", out], ["--report {}".format(folders[0]), "give each once"]),
        (["--dump_dir", out, "--methods", "hirescam"], ["--methods hirescam", "not all"]),
    ):
        assert_one_line_error(
            run_script("compare.py", *(report + more), env=without_tensorflow, from_scratch=True), *words
        )


def test_a_second_comparison_in_a_folder_is_refused_before_it_begins(tiny_data, tiny_log, tmp_path, without_tensorflow):
    with locks.hold_folder(str(tmp_path), "dump_dir"):
        finished = _compare(tiny_data, tiny_log, tmp_path, "drop", env=without_tensorflow, from_scratch=True)
        assert_one_line_error(finished, "--dump_dir", "process {} on host".format(os.getpid()), "another --dump_dir")
        assert os.listdir(str(tmp_path)) == [locks.FOLDER_LOCK]


def test_cut_off_anywhere_it_goes_on_to_the_same_rows(tiny_data, tiny_log, tmp_path):
    whole, cut = str(tmp_path / "whole"), str(tmp_path / "cut")
    arguments = ["insert", "--classes", "cone", "chair", "--methods", "asm", "random", "critical"]
    assert _compare(tiny_data, tiny_log, whole, *arguments).returncode == 0
    shutil.copytree(whole, cut)
    lines = _read(whole)
    with open(os.path.join(cut, "rows.csv"), "w") as file:
        file.write("\n".join(lines[:48]) + "\n" + lines[48][:9])
    finished = _compare(tiny_data, tiny_log, cut, *arguments)
    assert finished.returncode == 0, finished.stderr
    again = _read(cut)
    assert again[:48] == lines[:48] and len(again) == len(lines)
    for one, other in zip(sorted(again), sorted(lines)):
        # Clouds that are left share other batches, so the last digits may differ.
        assert one.split(",")[:4] == other.split(",")[:4]
        if one != lines[0]:
            assert np.allclose(
                [float(part) for part in one.split(",")[4:]], [float(part) for part in other.split(",")[4:]], atol=1e-4
            )


def _hear_ctrl_c():
    """A shell that starts the tests in the background lets all that they start ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_keeps_the_rows_and_says_so(tiny_data, tiny_log, tmp_path):
    process = subprocess.Popen(
        [
            sys.executable,
            os.path.join(PROJECT_DIR, "compare.py"),
            "--data_dir",
            tiny_data,
            "--log_dir",
            tiny_log,
            "--num_point",
            "64",
            "--protocol",
            "sanity",
            "--gpu",
            "-1",
            "--dump_dir",
            str(tmp_path),
        ],
        preexec_fn=_hear_ctrl_c,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    deadline = time.time() + 120
    while not os.path.exists(str(tmp_path / "rows.csv")) or len(_read(tmp_path)) < 2:
        assert process.poll() is None and time.time() < deadline, "no row appeared"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130, said
    assert "{} rows are kept in {}".format(len(_read(tmp_path)) - 1, tmp_path) in said and "Traceback" not in said
    assert len(_read(tmp_path)) >= 2


def test_a_finished_comparison_takes_more_methods_and_refuses_other_settings(tiny_data, tiny_log, tmp_path):
    arguments = ["insert", "--classes", "cone", "--per_class", 1, "--methods", "asm"]
    assert _compare(tiny_data, tiny_log, tmp_path, *arguments).returncode == 0
    before = _read(tmp_path)
    assert_one_line_error(
        _compare(tiny_data, tiny_log, tmp_path, *(arguments + ["--seed", 1])), "--seed 1", "began with 0", "--dump_dir"
    )
    assert _read(tmp_path) == before
    assert _compare(tiny_data, tiny_log, tmp_path, *(arguments + ["random"])).returncode == 0
    assert _read(tmp_path)[: len(before)] == before and len(_read(tmp_path)) == len(before) + 10
    with np.load(str(tmp_path / "heats.npz")) as kept:
        assert sorted(kept.files) == ["class_name", "heat_asm", "heat_random", "index", "points"]
        assert kept["heat_random"].shape == (1, 64)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["drop", "--methods", "gradcam"], ["gradcam", "p-grad-cam"]),
        (["drop", "--classes", "aeroplane"], ["--classes aeroplane", "airplane"]),
        (["drop", "--classes", "cone", "bathtub"], ["--classes bathtub", "no test cloud of bathtub"]),
        (["drop", "--num_drop", "6"], ["--num_drop 6", "64 points"]),
        (["insert", "--drop_neg"], ["--drop_neg", "--protocol drop"]),
        (["drop", "--remove", "median"], ["--remove", "median", "away", "centre"]),
        (["insert", "--remove", "away"], ["--remove does nothing", "--protocol drop"]),
        (["drop", "--anew"], ["--anew does nothing", "--protocol curve"]),
        (["sanity", "--heat", "mine=x.npz"], ["--heat mine", "--protocol insert or curve or fidelity"]),
        (["insert", "--heat", "x.npz"], ["--heat", "NAME=FILE.npz"]),
        (["insert", "--heat", "asm=x.npz"], ["--heat asm", "name of a method"]),
        (["insert", "--heat", "mine=x.npz"], ["--heat mine", "x.npz cannot be read"]),
        (["fidelity", "--perturbations", "3"], ["--perturbations 3", "at least 4"]),
        (["insert", "--num_drop", "5"], ["--num_drop does nothing", "--protocol drop or thesis"]),
        (["sanity", "--num_votes", "4"], ["--num_votes does nothing", "--protocol thesis"]),
        (["insert", "--methods", "asm", "--pooling", "max"], ["--pooling does nothing", "--methods p-grad-cam"]),
        (["insert", "--methods", "critical", "--power", "1"], ["--power does nothing", "--methods asm"]),
        (["thesis", "--schedule", "twice"], ["--schedule", "twice", "own", "single", "steps", "all"]),
        (["thesis", "--schedule", "single", "--num_drop", "3"], ["--num_drop does nothing", "--schedule steps or all"]),
        (["thesis", "--num_drop", "64"], ["--num_drop 64", "64 points"]),
        (["thesis", "--rotation", "none"], ["--num_votes does nothing", "one is cast"]),
        (["thesis", "--colormap", "viridis"], ["--colormap does nothing", "draws no heat"]),
        (["drop", "--colormap", "hot-dog"], ["--colormap hot-dog"]),
        (["drop", "--num_point", "65"], ["--num_point 65", "64"]),
    ],
)
def test_bad_flags(arguments, words, tiny_data, tiny_log, tmp_path):
    assert_one_line_error(_compare(tiny_data, tiny_log, tmp_path, *arguments), *words)
    assert os.listdir(str(tmp_path)) == []


def _train(data, folder):
    finished = run_script(
        "train.py",
        *("--data_dir", data, "--log_dir", folder, "--model", "pointnet_cls_basic"),
        *("--num_point", 64, "--batch_size", 8, "--max_epoch", 1),
    )
    assert finished.returncode == 0, finished.stderr


@needs(CASES)
@pytest.mark.parametrize(
    "trained_on, compared_on, count",
    [
        ("17-ten-classes", "17-ten-classes", 10),
        ("18-forty-own-names", "18-forty-own-names", 40),
        ("19-scanobjectnn-with-lists", "19-scanobjectnn-with-lists", 15),
        ("19-scanobjectnn-with-lists", "19b-h5-only", 15),
    ],
)
def test_a_network_of_any_classes_is_compared_under_the_names_of_its_data(trained_on, compared_on, count, tmp_path):
    _train(os.path.join(CASES, trained_on), tmp_path)
    out = tmp_path / "out"
    arguments = ["insert", "--per_class", 1, "--methods", "asm", "random"]
    finished = _compare(os.path.join(CASES, compared_on), tmp_path, out, *arguments)
    assert finished.returncode == 0, finished.stderr
    with open(os.path.join(CASES, trained_on, "shape_names.txt"), encoding="utf-8") as file:
        names = file.read().split("\n")[:count]
    run = _run_json(out)
    assert run["class_names"] == names and set(run["classes"]) <= set(names)
    assert {line.split(",")[1] for line in _read(out)[1:]} == set(run["classes"])
    assert "{0} clouds of {0} classes".format(len(run["classes"])) in _summary(out)
