"""Work shared out among processes, run as a user runs it: `--shard`."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import assert_one_line_error, run_script

from utils.files import PROJECT_DIR


def _flags(data, log):
    """Of a small comparison."""
    flags = [
        "--data_dir",
        data,
        "--log_dir",
        log,
        "--num_point",
        64,
        "--gpu",
        -1,
        "--protocol",
        "drop",
        "--num_steps",
        4,
    ]
    return flags + ["--num_steps", 4, "--methods", "runner-up", "random", "--classes", "cone", "9", "--per_class", 2]


def _compare(data, log, folder, *arguments):
    return run_script("compare.py", *_flags(data, log), "--dump_dir", folder, *arguments)


def _lines(folder):
    """The rows in all files of a folder, sorted."""
    found = []
    for name in os.listdir(str(folder)):
        if name.startswith("rows."):
            with open(os.path.join(str(folder), name), encoding="utf-8") as file:
                found += file.read().splitlines()[1:]
    return sorted(found)


def _summary(folder):
    with open(os.path.join(str(folder), "summary.md"), encoding="utf-8") as file:
        return file.read()


@pytest.fixture(scope="module")
def whole(tiny_data, tiny_log, tmp_path_factory):
    """The folder of a comparison by one process."""
    folder = tmp_path_factory.mktemp("comparison") / "whole"
    assert _compare(tiny_data, tiny_log, folder).returncode == 0
    return folder


def test_shards_leave_the_rows_and_the_report_of_one_process(whole, tiny_data, tiny_log, tmp_path):
    parts, elsewhere = tmp_path / "parts", tmp_path / "elsewhere"
    first = _compare(tiny_data, tiny_log, parts, "--shard", "1/2")
    assert first.returncode == 0 and "Shard 1-of-2 is done" in first.stdout, first.stderr
    assert sorted(os.listdir(str(parts))) == ["heats.1-of-2.npz", "rows.1-of-2.csv", "run.1-of-2.json", "run.json"]
    early = run_script("compare.py", "--report", parts)
    assert early.returncode == 0, early.stderr
    assert "Not finished: 2 clouds lack rows, for these shards have none: 2-of-2." in _summary(parts)

    # As on another machine: its files are brought together afterwards.
    assert _compare(tiny_data, tiny_log, elsewhere, "--shard", "2/2").returncode == 0
    for name in ("rows.2-of-2.csv", "run.2-of-2.json"):
        shutil.copy(str(elsewhere / name), str(parts / name))
    os.remove(str(parts / "run.json"))
    assert run_script("compare.py", "--report", parts).returncode == 0
    assert _lines(parts) == _lines(whole) and len(_lines(whole)) == 2 * 4 * 2
    assert _summary(parts) == _summary(whole)
    assert (parts / "clouds.png").read_bytes() == (whole / "clouds.png").read_bytes()

    # Shards of other flags are refused; of ones that are brought there, tests/compare/test_comparison_settings.py.
    other = _compare(tiny_data, tiny_log, parts, "--shard", "2/3", "--seed", 5)
    assert_one_line_error(other, "--seed 5", "began with 0")


def test_a_shard_without_clouds_has_nothing_to_do(tiny_data, tiny_log, tmp_path):
    finished = _compare(tiny_data, tiny_log, tmp_path / "out", "--shard", "7/7")
    assert finished.returncode == 0 and "there are 4 clouds" in finished.stdout, finished.stderr
    assert not (tmp_path / "out").exists()


def test_workers_leave_the_rows_and_the_report_of_one_process(whole, tiny_data, tiny_log, tmp_path):
    pytest.importorskip("distributed")
    # A row is there already, and one was torn as it was written.
    (tmp_path / "out").mkdir()
    shutil.copy(str(whole / "run.json"), str(tmp_path / "out" / "run.json"))
    lines = (whole / "rows.csv").read_text().splitlines(True)
    (tmp_path / "out" / "rows.csv").write_text("".join(lines[:2]) + lines[2][:-3])
    finished = _compare(tiny_data, tiny_log, tmp_path / "out", "--workers", 2)
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr and "distributed" not in finished.stderr
    assert _lines(tmp_path / "out") == _lines(whole)
    assert _summary(tmp_path / "out") == _summary(whole)
    assert (tmp_path / "out" / "clouds.png").read_bytes() == (whole / "clouds.png").read_bytes()


def test_without_its_package_workers_are_refused_in_a_line(tiny_data, tiny_log, tmp_path):
    (tmp_path / "distributed.py").write_text("raise ImportError('not here')\n")
    env = {"PYTHONPATH": str(tmp_path)}
    finished = run_script(
        "compare.py",
        *("--data_dir", tiny_data, "--log_dir", tiny_log, "--num_point", 64, "--gpu", -1, "--dump_dir", tmp_path / "o"),
        *("--num_steps", 4, "--workers", 2),
        env=env,
    )
    assert_one_line_error(finished, "--workers 2", "requirements-cluster.txt")
    assert_one_line_error(run_script("compare.py", "--workers", "0"), "--workers", "tcp://")


def _evaluate(data, log, folder, *arguments):
    return run_script(
        "evaluate.py",
        *("--data_dir", data, "--log_dir", log, "--dump_dir", folder, "--num_votes", 3, "--gpu", -1),
        *arguments,
    )


def test_shards_of_an_evaluation_come_to_the_matrix_of_one_process(tiny_data, tiny_log, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert _evaluate(tiny_data, tiny_log, whole).returncode == 0
    first = _evaluate(tiny_data, tiny_log, parts, "--shard", "1/2")
    assert first.returncode == 0 and "Shard 1-of-2 is done" in first.stdout, first.stderr
    assert sorted(os.listdir(str(parts))) == ["predictions.1-of-2.csv", "run.1-of-2.json"]
    # What a kill left of the second: half its rows. It finds the others, and what is left is found at the end.
    assert _evaluate(tiny_data, tiny_log, parts, "--shard", "2/2").returncode == 0
    path = parts / "predictions.2-of-2.csv"
    lines = path.read_text().splitlines(True)
    path.write_text("".join(lines[: len(lines) // 2]))
    finished = _evaluate(tiny_data, tiny_log, parts)
    assert finished.returncode == 0 and "Overall accuracy" in finished.stdout, finished.stderr
    for name in ("confusion_matrix.csv", "confusion_matrix.png"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()
    found, alone = (json.loads((folder / "run.json").read_text()) for folder in (parts, whole))
    assert found["overall_accuracy"] == alone["overall_accuracy"] and found["clouds"] == alone["clouds"] == 40
    pytest.importorskip("distributed")
    handed_out = _evaluate(tiny_data, tiny_log, tmp_path / "workers", "--workers", 2)
    assert handed_out.returncode == 0, handed_out.stderr
    assert (tmp_path / "workers" / "confusion_matrix.csv").read_bytes() == (whole / "confusion_matrix.csv").read_bytes()


def test_shards_explain_each_file_once(tiny_log, tmp_path, rng):
    clouds, out = tmp_path / "clouds", tmp_path / "out"
    clouds.mkdir()
    for name in ("a", "b", "c"):
        np.savetxt(str(clouds / (name + ".xyz")), rng.standard_normal((64, 3)))
    command = ["ASM.py", "--log_dir", tiny_log, "--gpu", -1, "--dump_dir", out, "--num_votes", 2, "--no_window"]
    for shard, expected in (("1/2", ["a", "c"]), ("2/2", ["a", "b", "c"])):
        finished = run_script(*command, "--num_steps", 1, "--input", clouds, "--shard", shard)
        assert finished.returncode == 0, finished.stderr
        assert [name[0] for name in sorted(os.listdir(str(out / "asm")))] == expected
    assert_one_line_error(run_script(*command, "--input", clouds / "a.xyz", "--shard", "1/2"), "--shard", "one file")
    assert_one_line_error(run_script(*command, "--shard", "1/2"), "--shard does nothing", "--input")


def _cluster_file(name):
    return os.path.join(PROJECT_DIR, "docs", "cluster", name)


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_shell_loop_of_the_page_runs_all_shards_and_reports(whole, tiny_data, tiny_log, tmp_path):
    finished = subprocess.run(
        ["sh", _cluster_file("shards.sh"), "2", str(tmp_path)] + [str(one) for one in _flags(tiny_data, tiny_log)],
        cwd=PROJECT_DIR,
        env=dict(os.environ, PYTHON=sys.executable),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert _lines(tmp_path) == _lines(whole) and _summary(tmp_path) == _summary(whole)


@pytest.mark.skipif(os.name == "nt", reason="needs bash")
def test_a_task_of_the_slurm_array_works_through_its_shard(tmp_path):
    env = {"SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_CPUS_PER_TASK": "4", "SLURM_ARRAY_TASK_ID": "3"}
    said = subprocess.check_output(
        ["bash", _cluster_file("slurm.sh"), "a folder", "--protocol", "insert"],
        env=dict(os.environ, PYTHON="echo", SLURM_ARRAY_TASK_COUNT="16", **env),
        universal_newlines=True,
    )
    assert said == "compare.py --protocol insert --dump_dir a folder --shard 3/16\n"
    with open(_cluster_file("slurm.sh"), encoding="utf-8") as file:
        assert re.findall(r"#SBATCH --array=1-(\d+)", file.read()) == ["16"]


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_pods_of_the_indexed_job_work_through_all_shards():
    yaml = pytest.importorskip("yaml")
    with open(_cluster_file("kubernetes.yaml"), encoding="utf-8") as file:
        job = yaml.safe_load(file)
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    values = {one["name"]: one["value"] for one in container["env"]}
    count = job["spec"]["completions"]
    said = [
        subprocess.check_output(
            container["command"] + [container["args"][0].replace("exec python", "echo")],
            env=dict(os.environ, JOB_COMPLETION_INDEX=str(index), **values),
            universal_newlines=True,
        )
        for index in (0, count - 1)
    ]
    assert [text.split("--shard ")[1] for text in said] == ["1/16\n", "{0}/{0}\n".format(count)]
