"""Work shared out among processes, run as a user runs it: `--shard`."""

import os
import shutil

from conftest import assert_one_line_error, run_script


def _compare(data, log, folder, *arguments):
    return run_script(
        "compare.py",
        *("--data_dir", data, "--log_dir", log, "--num_point", 64, "--gpu", -1, "--dump_dir", folder),
        *("--protocol", "drop", "--num_steps", 4, "--methods", "runner-up", "random", "--classes", "cone", "9"),
        *("--per_class", 2),
        *arguments,
    )


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


def test_shards_leave_the_rows_and_the_report_of_one_process(tiny_data, tiny_log, tmp_path):
    whole, parts, elsewhere = tmp_path / "whole", tmp_path / "parts", tmp_path / "elsewhere"
    assert _compare(tiny_data, tiny_log, whole).returncode == 0
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

    # Whoever goes on without shards finds nothing left to do.
    again = _compare(tiny_data, tiny_log, parts)
    assert again.returncode == 0 and not (parts / "rows.csv").exists(), again.stderr
    other = _compare(tiny_data, tiny_log, parts, "--shard", "2/3", "--seed", 5)
    assert_one_line_error(other, "--seed 5", "began with 0")
    # A shard of other flags that was computed elsewhere is told when it is brought there.
    assert _compare(tiny_data, tiny_log, tmp_path / "foreign", "--shard", "2/3", "--seed", 5).returncode == 0
    for name in ("rows.2-of-3.csv", "run.2-of-3.json"):
        shutil.copy(str(tmp_path / "foreign" / name), str(parts / name))
    assert_one_line_error(run_script("compare.py", "--report", parts), "seed", "5")


def test_a_shard_without_clouds_has_nothing_to_do(tiny_data, tiny_log, tmp_path):
    finished = _compare(tiny_data, tiny_log, tmp_path / "out", "--shard", "7/7")
    assert finished.returncode == 0 and "there are 4 clouds" in finished.stdout, finished.stderr
    assert not (tmp_path / "out").exists()
