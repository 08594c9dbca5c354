"""A folder that several want is made by one, and what dead processes left beside it goes."""

import os
import subprocess
import sys
import time

import pytest

from utils.disk import locks
from utils.disk.made_once import begun, make_once
from utils.files import PROJECT_DIR, InputError

MAKE = """
import os, sys, time
from utils.disk import locks, made_once

locks.POLL_SECONDS = 0.05


def make(folder):
    os.mkdir(made_once.begun(folder))
    print("making", flush=True)
    time.sleep(float(sys.argv[2]))
    os.rename(made_once.begun(folder), folder)


print(made_once.make_once(sys.argv[1], make, "out"), flush=True)
"""


def _start(folder, seconds):
    words = [sys.executable, "-c", MAKE, str(folder), str(seconds)]
    return subprocess.Popen(words, cwd=PROJECT_DIR, stdout=subprocess.PIPE, universal_newlines=True)


def _make(folder):
    os.mkdir(begun(folder))
    os.rename(begun(folder), folder)


def test_the_second_of_two_waits_and_takes_what_the_first_made(tmp_path):
    first = _start(tmp_path / "data", 1)
    assert first.stdout.readline() == "making\n"
    said = _start(tmp_path / "data", 0).communicate()[0]
    assert first.communicate()[0] == "True\n"
    assert said.endswith("\nFalse\n") and "making" not in said and said.count("\n") == 2
    assert said.startswith("{} is being made by -c (process {} ".format(tmp_path / "data", first.pid))
    assert os.listdir(str(tmp_path)) == ["data"]


def test_what_a_killed_process_began_is_gone_at_once_after_the_next_makes_it(tmp_path):
    killed = _start(tmp_path / "data", 60)
    assert killed.stdout.readline() == "making\n"
    killed.kill()
    killed.communicate()
    (tmp_path / ".unpacking-old" / "top").mkdir(parents=True)
    assert len(os.listdir(str(tmp_path))) == 3
    assert make_once(str(tmp_path / "data"), _make, "out")
    assert os.listdir(str(tmp_path)) == ["data"]


def test_what_a_process_killed_at_its_end_left_is_gone_after_the_next_that_reads(tmp_path):
    (tmp_path / "data").mkdir()
    for name in (".unpacking-old", "data.123.tmp"):
        (tmp_path / name).mkdir()
    for name in ("data.lock", "data.zip.part", "data.zip", "other.tmp"):
        (tmp_path / name).write_text("")
    assert not make_once(str(tmp_path / "data"), _make, "out", needless=[str(tmp_path / "data.zip.part")])
    assert sorted(os.listdir(str(tmp_path))) == ["data", "data.zip", "other.tmp"]


def test_what_a_live_process_works_on_stays(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data.123.tmp").mkdir()
    start = time.time()
    with locks.hold(str(tmp_path / "data.lock"), "x is in use by", "wait"):
        assert not make_once(str(tmp_path / "data"), _make, "out")
    assert time.time() - start < 1 and sorted(os.listdir(str(tmp_path))) == ["data", "data.123.tmp"]


def test_who_may_not_write_reads_what_is_there_and_is_told_so_where_nothing_is(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise InputError("cannot write")

    monkeypatch.setattr(locks, "hold", refuse)
    (tmp_path / "data").mkdir()
    (tmp_path / "data.lock").write_text("")
    assert not make_once(str(tmp_path / "data"), _make, "out")
    with pytest.raises(InputError, match="cannot write"):
        make_once(str(tmp_path / "new"), _make, "out")


def test_names_with_brackets_are_names(tmp_path):
    (tmp_path / "a [1]").mkdir()
    (tmp_path / "a [1]" / "data.7.tmp").mkdir()
    (tmp_path / "a 1").mkdir()
    (tmp_path / "a 1" / "data.7.tmp").mkdir()
    assert make_once(str(tmp_path / "a [1]" / "data"), _make, "out")
    assert os.listdir(str(tmp_path / "a [1]")) == ["data"] and os.listdir(str(tmp_path / "a 1")) == ["data.7.tmp"]
