"""compare.py, run as a user runs it."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import assert_one_line_error, run_script

import compare
from utils.compare import report
from utils.files import PROJECT_DIR, InputError

# Rows of one cloud and method: of 64 points, the points that drop leaves, the shares of insert, and so on.
ROWS = {"drop": 3, "insert": 10, "thesis": 1, "sanity": 9, "stability": 3}
FIGURES = {
    "drop": ["bars.png", "clouds.png", "curves.png", "gallery.html"],
    "insert": ["bars.png", "clouds.png", "curves.png", "gallery.html"],
    "thesis": ["bars.png"],
    "sanity": ["bars.png", "clouds.png", "curves.png", "gallery.html"],
    "stability": ["bars_rank_correlation.png", "bars_top_overlap.png", "clouds.png", "gallery.html"],
}


def _compare(tiny_data, tiny_log, folder, *arguments):
    return run_script(
        "compare.py",
        "--data_dir",
        tiny_data,
        "--log_dir",
        tiny_log,
        "--num_point",
        64,
        "--num_steps",
        10,
        "--num_votes",
        4,
        "--gpu",
        -1,
        "--dump_dir",
        folder,
        *arguments,
    )


def _read(folder):
    with open(os.path.join(str(folder), "rows.csv")) as file:
        return file.read().splitlines()


@pytest.mark.parametrize("protocol", sorted(ROWS))
def test_every_protocol_leaves_a_table_a_summary_and_figures(protocol, tiny_data, tiny_log, tmp_path):
    finished = _compare(
        tiny_data, tiny_log, tmp_path, "--protocol", protocol, "--classes", "cone", "9", "--per_class", 2
    )
    assert finished.returncode == 0, finished.stderr
    methods = 2 if protocol == "thesis" else 9
    assert len(_read(tmp_path)) == 1 + methods * 4 * ROWS[protocol]
    assert sorted(os.listdir(str(tmp_path))) == sorted(["rows.csv", "run.json", "summary.md"] + FIGURES[protocol])
    with open(str(tmp_path / "summary.md"), encoding="utf-8") as file:
        summary = file.read()
    assert "4 clouds of 2 classes" in summary and "| asm |" in summary
    assert "nan" not in summary
    with open(str(tmp_path / "run.json")) as file:
        run = json.load(file)
    assert run["protocol"] == protocol and len(run["weights"]) == 64
    assert run["rotation"] == ("y" if protocol == "thesis" else "none")


def test_cut_off_anywhere_it_goes_on_to_the_same_rows(tiny_data, tiny_log, tmp_path):
    whole, cut = str(tmp_path / "whole"), str(tmp_path / "cut")
    arguments = ["--protocol", "insert", "--classes", "cone", "chair", "--methods", "asm", "random", "critical"]
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
            "--num_steps",
            "10",
            "--protocol",
            "sanity",
            "--gpu",
            "-1",
            "--dump_dir",
            str(tmp_path),
        ],
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


def test_a_finished_comparison_takes_more_methods_and_refuses_other_flags(tiny_data, tiny_log, tmp_path):
    arguments = ["--protocol", "insert", "--classes", "cone", "--per_class", 1, "--methods", "asm"]
    assert _compare(tiny_data, tiny_log, tmp_path, *arguments).returncode == 0
    before = _read(tmp_path)
    assert_one_line_error(
        _compare(tiny_data, tiny_log, tmp_path, *(arguments + ["--seed", 1])), "seed 0, not 1", "--dump_dir"
    )
    assert _read(tmp_path) == before
    assert _compare(tiny_data, tiny_log, tmp_path, *(arguments + ["random"])).returncode == 0
    assert _read(tmp_path)[: len(before)] == before and len(_read(tmp_path)) == len(before) + 10


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("rows.csv", "method,class,index,step,value\n", "run.json is missing.*rows.csv"),
        ("run.json", json.dumps({"source": "airplane"}), "not of a comparison"),
        ("run.json", json.dumps({"protocol": []}), "not of a comparison"),
        ("run.json", "[1]", "cannot be read"),
    ],
)
def test_a_folder_of_something_else_is_refused_and_kept(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    flags = argparse.Namespace(dump_dir=str(tmp_path), **dict.fromkeys(compare.FLAGS_OF_ROWS, 1))
    with pytest.raises(InputError, match=words + ".*--dump_dir"):
        compare.keep_flags(flags)
    assert os.listdir(str(tmp_path)) == [name] and (tmp_path / name).read_text() == text


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--methods", "gradcam"], ["gradcam", "p-grad-cam"]),
        (["--classes", "aeroplane"], ["--classes aeroplane", "airplane"]),
        (["--classes", "bathtub"], ["no test cloud of bathtub"]),
        (["--num_drop", "6"], ["--num_drop 6", "64 points"]),
        (["--protocol", "insert", "--drop_neg"], ["--drop_neg", "--protocol drop"]),
        (["--colormap", "hot-dog"], ["--colormap hot-dog"]),
        (["--num_point", "65"], ["--num_point 65", "64"]),
    ],
)
def test_bad_flags(arguments, words, tiny_data, tiny_log, tmp_path):
    assert_one_line_error(_compare(tiny_data, tiny_log, tmp_path, *arguments), *words)


def test_the_best_method_leads_by_its_differences_cloud_by_cloud():
    values = np.array([[3.0, 5.0, 7.0], [1.0, 3.0, 5.0], [2.0, 2.0, 8.0]])
    lead, table = report._lead(["a", "b", "c"], [1, 2, 0], values, "loss", "least", "points")
    assert "**b**" in lead
    # Differences 1, -1, 3: mean 1, standard error 2 / sqrt(3), 4.303 of it on either side for two degrees of freedom.
    assert "| c | +1.00 | -3.97 to +5.97 |" in table
    assert "| a | +2.00 | +2.00 to +2.00 |" in table


def test_of_one_cloud_or_none_nothing_is_claimed():
    one, none = (
        report._lead(["a", "b"], [0, 1], values, "loss", "least", "points")
        for values in (np.array([[1.0], [2.0]]), np.full((2, 3), np.nan))
    )
    assert "| b | +1.00 | one cloud has none |" in one[1] and none == []
    assert [report._mean(np.array(values)) for values in ([2.0], [np.nan], [1.0, 3.0])] == ["2.0", "-", "2.0 ± 1.0"]
