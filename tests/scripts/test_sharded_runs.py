"""Work shared out among processes: `--shard` and `--workers`.

Most scripts run within the tests' own process, in which TensorFlow is loaded once; the shell loop and the comparison by
workers run as a user runs them.
"""

import contextlib
import importlib
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import HERE, run_script

from utils import command_line
from utils.files import PROJECT_DIR, InputError

pytestmark = pytest.mark.takes_turns

WITHOUT_OPEN3D = os.path.join(HERE, "without_open3d")


def _run(script, *arguments):
    """Runs the `main` of a script here; returns what it prints."""
    words = [str(one) for one in arguments]
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()) as out:
        patched.setattr(sys, "argv", [script + ".py"] + words)
        patched.setattr(command_line.Parser, "arguments", set())
        patched.setenv("PYTHONPATH", WITHOUT_OPEN3D)
        importlib.import_module(script).main()
    return out.getvalue()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a scheduler with a worker, as on a Dask cluster."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    folder = str(tmp_path_factory.mktemp("cluster"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", WITHOUT_OPEN3D)
        patched.chdir(folder)
        with distributed.LocalCluster(processes=True, local_directory=folder, **options) as found:
            patched.chdir(PROJECT_DIR)
            yield found.scheduler_address


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
    return _run("compare", *_flags(data, log), "--dump_dir", folder, *arguments)


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
    _compare(tiny_data, tiny_log, folder)
    return folder


def test_shards_leave_the_rows_and_the_report_of_one_process(whole, tiny_data, tiny_log, tmp_path):
    parts, elsewhere = tmp_path / "parts", tmp_path / "elsewhere"
    assert "Shard 1-of-2 is done" in _compare(tiny_data, tiny_log, parts, "--shard", "1/2")
    assert sorted(os.listdir(str(parts))) == ["heats.1-of-2.npz", "rows.1-of-2.csv", "run.1-of-2.json", "run.json"]
    _run("compare", "--report", parts)
    assert "Not finished: 2 clouds lack rows, for these shards have none: 2-of-2." in _summary(parts)

    # As on another machine: its files are brought together afterwards.
    _compare(tiny_data, tiny_log, elsewhere, "--shard", "2/2")
    for name in ("rows.2-of-2.csv", "run.2-of-2.json"):
        shutil.copy(str(elsewhere / name), str(parts / name))
    os.remove(str(parts / "run.json"))
    _run("compare", "--report", parts)
    assert _lines(parts) == _lines(whole) and len(_lines(whole)) == 2 * 4 * 2
    assert _summary(parts) == _summary(whole)
    assert (parts / "clouds.png").read_bytes() == (whole / "clouds.png").read_bytes()

    # Shards of other flags are refused; of ones that are brought there, tests/compare/test_comparison_settings.py.
    with pytest.raises(InputError, match="`seed` 5.* began with 0"):
        _compare(tiny_data, tiny_log, parts, "--shard", "2/3", "--seed", 5)


def test_a_shard_without_clouds_has_nothing_to_do(tiny_data, tiny_log, tmp_path):
    assert "there are 4 clouds" in _compare(tiny_data, tiny_log, tmp_path / "out", "--shard", "7/7")
    assert not (tmp_path / "out").exists()


def test_workers_leave_the_rows_and_the_report_of_one_process(whole, tiny_data, tiny_log, tmp_path):
    pytest.importorskip("distributed")
    # A row is there already, and one was torn as it was written.
    (tmp_path / "out").mkdir()
    shutil.copy(str(whole / "run.json"), str(tmp_path / "out" / "run.json"))
    lines = (whole / "rows.csv").read_text().splitlines(True)
    (tmp_path / "out" / "rows.csv").write_text("".join(lines[:2]) + lines[2][:-3])
    finished = run_script("compare.py", *_flags(tiny_data, tiny_log), "--dump_dir", tmp_path / "out", "--workers", 2)
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr and "distributed" not in finished.stderr
    _assert_same_comparison(tmp_path / "out", whole)


def test_a_cluster_leaves_the_rows_and_the_report_of_one_process(whole, tiny_data, tiny_log, tmp_path, cluster):
    with pytest.MonkeyPatch.context() as patched:
        # Where the worker is not, so that paths from here lead nowhere there.
        patched.chdir(os.path.dirname(tiny_log))
        _compare(tiny_data, os.path.basename(tiny_log), tmp_path / "out", "--workers", cluster)
    _assert_same_comparison(tmp_path / "out", whole)


def _assert_same_comparison(folder, other):
    assert _lines(folder) == _lines(other) and _summary(folder) == _summary(other)
    assert (folder / "clouds.png").read_bytes() == (other / "clouds.png").read_bytes()


def _evaluate(data, log, folder, *arguments):
    return _run(
        "evaluate",
        *("--data_dir", data, "--log_dir", log, "--dump_dir", folder, "--num_votes", 3, "--gpu", -1),
        *arguments,
    )


@pytest.fixture(scope="module")
def evaluated(tiny_data, tiny_log, tmp_path_factory):
    """The folder of an evaluation by one process."""
    folder = tmp_path_factory.mktemp("evaluation") / "whole"
    _evaluate(tiny_data, tiny_log, folder)
    return folder


def test_shards_of_an_evaluation_come_to_the_matrix_of_one_process(evaluated, tiny_data, tiny_log, tmp_path):
    assert "Shard 1-of-2 is done" in _evaluate(tiny_data, tiny_log, tmp_path, "--shard", "1/2")
    assert sorted(os.listdir(str(tmp_path))) == ["predictions.1-of-2.csv", "run.1-of-2.json"]
    # What a kill left of the second: half its rows. It finds the others, and what is left is found at the end.
    _evaluate(tiny_data, tiny_log, tmp_path, "--shard", "2/2")
    path = tmp_path / "predictions.2-of-2.csv"
    lines = path.read_text().splitlines(True)
    path.write_text("".join(lines[: len(lines) // 2]))
    assert "Overall accuracy" in _evaluate(tiny_data, tiny_log, tmp_path)
    _assert_same_evaluation(tmp_path, evaluated)
    found, alone = (json.loads((folder / "run.json").read_text()) for folder in (tmp_path, evaluated))
    assert found["overall_accuracy"] == alone["overall_accuracy"] and found["clouds"] == alone["clouds"] == 40


def test_a_cluster_comes_to_the_matrix_of_one_process(evaluated, tiny_data, tiny_log, tmp_path, cluster):
    _evaluate(tiny_data, tiny_log, tmp_path, "--workers", cluster)
    _assert_same_evaluation(tmp_path, evaluated)


def _assert_same_evaluation(folder, other):
    for name in ("confusion_matrix.csv", "confusion_matrix.png"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()


def _explain(log, folder, *arguments):
    flags = ("--log_dir", log, "--gpu", -1, "--dump_dir", folder, "--num_votes", 2, "--num_steps", 1, "--no_window")
    return _run("ASM", *flags, *arguments)


@pytest.fixture(scope="module")
def explained(tiny_log, tmp_path_factory):
    """A folder with a.xyz, b.xyz and c.xyz, and that of their results by two shards."""
    folder, rng = tmp_path_factory.mktemp("explained"), np.random.RandomState(0)
    clouds, out = folder / "clouds", folder / "out"
    clouds.mkdir()
    for name in ("a", "b", "c"):
        np.savetxt(str(clouds / (name + ".xyz")), rng.standard_normal((64, 3)))
    for shard, expected in (("1/2", ["a", "c"]), ("2/2", ["a", "b", "c"])):
        _explain(tiny_log, out, "--input", clouds, "--shard", shard)
        assert [name[0] for name in sorted(os.listdir(str(out / "asm")))] == expected
    return clouds, out


def test_a_shard_goes_on_with_the_files_that_have_no_results_of_this_run(explained, tiny_log, tmp_path):
    clouds, out = explained
    folder = tmp_path / "out"
    shutil.copytree(str(out), str(folder))
    (folder / "asm" / "c_0" / "run.json").unlink()
    before = {name: (folder / "asm" / name / "heat.npz").stat().st_mtime_ns for name in ("a_0", "c_0")}
    flags = ("--input", clouds, "--shard", "1/2")
    assert _explain(tiny_log, folder, *flags).count("explained already") == 1
    # Files of a run that nobody knows stay as well: those of c go to a folder beside them.
    assert sorted(os.listdir(str(folder / "asm"))) == ["a_0", "b_0", "c_0", "c_0_2"]
    assert before == {name: (folder / "asm" / name / "heat.npz").stat().st_mtime_ns for name in before}
    # There they are found, too.
    assert _explain(tiny_log, folder, *flags).count("explained already") == 2
    for more in (("--colormap", "viridis"), ("--overwrite",)):
        assert "explained already" not in _explain(tiny_log, folder, *(flags + more))


def test_shards_and_workers_are_for_several_files(explained, tiny_log, tmp_path):
    with pytest.raises(InputError, match="`shard` 1-of-2: there is one file"):
        _explain(tiny_log, tmp_path, "--input", explained[0] / "a.xyz", "--shard", "1/2")
    for flag, value in (("--shard", "1/2"), ("--workers", 2)):
        with pytest.raises(InputError, match=flag + " does nothing.*--input"):
            _explain(tiny_log, tmp_path, flag, value)


def test_a_cluster_leaves_the_results_of_one_process(explained, tiny_log, tmp_path, cluster, capsys):
    (tmp_path / "d.xyz").write_text("no numbers\n")
    clouds, expected = explained
    with pytest.raises(InputError, match="1 of 4 files were left out"):
        _explain(tiny_log, tmp_path / "out", "--input", clouds, tmp_path / "d.xyz", "--workers", cluster)
    assert "Left out: --input {}".format(tmp_path / "d.xyz") in capsys.readouterr().err
    found = _contents(tmp_path / "out" / "asm")
    assert found == _contents(expected / "asm") and len(found) == 3 * 8


# In run.json.
OF_ONE_RUN = ("seconds", "input", "dump_dir", "versions")


def _contents(folder):
    """What the files of a folder and those in it hold, but for times, what was given and what is loaded besides.

    Returns:
      {name: content}.
    """
    found = {}
    for parent, _, names in os.walk(str(folder)):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                content = file.read()
            if name == "run.json":
                kept = json.loads(content.decode())
                content = {key: value for key, value in kept.items() if key not in OF_ONE_RUN}
            elif name == "rounds.csv":
                content = [line.rsplit(b",", 1)[0] for line in content.splitlines()]
            found[os.path.relpath(path, str(folder))] = content
    return found


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_shell_loop_of_the_page_runs_all_shards_and_reports(whole, tiny_data, tiny_log, tmp_path):
    finished = subprocess.run(
        ["sh", os.path.join(PROJECT_DIR, "docs", "cluster", "shards.sh"), "2", str(tmp_path)]
        + [str(one) for one in _flags(tiny_data, tiny_log)],
        cwd=PROJECT_DIR,
        env=dict(os.environ, PYTHON=sys.executable),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert {"rows.1-of-2.csv", "rows.2-of-2.csv"} < set(os.listdir(str(tmp_path)))
    _assert_same_comparison(tmp_path, whole)
