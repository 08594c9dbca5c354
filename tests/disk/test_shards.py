import argparse
import json
import ntpath
import os
import time

import pytest

from utils.disk import locks, shards
from utils.disk.shards import Shard


def test_shards_share_out_everything_once():
    parts = [Shard(number, 3).part(list(range(8))) for number in (1, 2, 3)]
    assert parts == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert Shard(9, 9).part(list(range(8))) == []


@pytest.mark.parametrize("text, expected", [("1/1", (1, 1)), ("3/8", (3, 8)), (" 8/8 ", (8, 8))])
def test_a_shard_is_named_by_its_number_and_count(text, expected):
    assert shards.shard(text) == expected


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "1/0", "-1/4", "1 of 4", "a/b", "1/4/2", ""])
def test_what_names_no_shard_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="give 1/4, 2/4, 3/4 or 4/4"):
        shards.shard(text)


def test_files_of_shards_are_found_in_order_packed_or_not_and_nothing_else(tmp_path):
    path = str(tmp_path / "a[1].b" / "rows.csv")
    (tmp_path / "a[1].b").mkdir()
    assert shards.path_of(path, None) == path
    for number, count in ((10, 12), (2, 12), (1, 2)):
        with open(shards.path_of(path, Shard(number, count)), "w"):
            pass
    for name in ("rows.3-of-12.csv.gz", "rows.2-of-12.csv.gz", "rows.csv", "rows.1-of-2.csv.77.tmp", "rows.x.csv"):
        (tmp_path / "a[1].b" / name).write_text("")
    found = shards.there(path, ".gz")
    assert list(found) == [(1, 2), (2, 12), (3, 12), (10, 12)]
    assert found[Shard(3, 12)] == str(tmp_path / "a[1].b" / "rows.3-of-12.csv")
    assert list(shards.there(path)) == [(1, 2), (2, 12), (10, 12)]
    assert shards.lacking(found)[:3] == [(2, 2), (1, 12), (4, 12)] and len(shards.lacking(found)) == 10


@pytest.mark.parametrize("end", ["", "/", "//", "/./"])
def test_files_of_shards_are_found_however_the_folder_is_written(end, tmp_path, monkeypatch):
    (tmp_path / "rows.1-of-2.csv").write_text("")
    path = os.path.join(str(tmp_path) + end, "rows.csv")
    assert shards.there(path) == {Shard(1, 2): shards.path_of(path, Shard(1, 2))}
    assert shards.there(os.path.join(str(tmp_path), "none", "rows.csv")) == {}
    monkeypatch.chdir(tmp_path)
    assert shards.there("rows.csv") == {Shard(1, 2): "rows.1-of-2.csv"}


@pytest.mark.parametrize("folder", ["log/compare/", "log/compare", "log\\compare\\", "C:/log/"])
def test_files_of_shards_are_found_under_paths_of_windows(folder, monkeypatch):
    monkeypatch.setattr(shards.os, "path", ntpath)
    monkeypatch.setattr(shards.os, "listdir", lambda _: ["rows.csv", "rows.1-of-2.csv"])
    path = ntpath.join(folder, "rows.csv")
    assert shards.there(path) == {Shard(1, 2): path[: -len("csv")] + "1-of-2.csv"}


def test_shards_work_beside_each_other_but_not_twice_nor_beside_the_whole(tmp_path):
    folder = str(tmp_path)
    with shards.hold(folder, "dump_dir", Shard(1, 2)) as beginning, shards.hold(folder, "dump_dir", Shard(2, 2)):
        with beginning():
            pass
        with pytest.raises(locks.Held, match="shard 1-of-2 of `x`"), shards.hold(folder, "x", Shard(1, 2)):
            pass
        with pytest.raises(locks.Held, match="shard 1-of-2 of `x`"), shards.hold(folder, "x", None):
            pass
    with shards.hold(folder, "dump_dir", None) as beginning, beginning():
        pass


def test_shards_that_were_killed_on_other_computers_are_watched_together(tmp_path, monkeypatch):
    now, beats = [1000.0], []

    def sleep(seconds):
        now[0] += seconds
        for lock in beats:
            os.utime(lock, (now[0], now[0]))

    monkeypatch.setattr(locks, "time", argparse.Namespace(time=lambda: now[0], sleep=sleep, strftime=time.strftime))
    for number in range(1, 9):
        holder = locks.Holder(4711, "node{}".format(number), "compare.py", "yesterday")
        lock = shards.path_of(str(tmp_path / shards.LOCK), Shard(number, 8))
        with open(lock, "w") as file:
            json.dump(holder._asdict(), file)
    with shards.hold(str(tmp_path), "dump_dir", None):
        # Not one after the other.
        assert locks.DEAD_SECONDS <= now[0] - 1000 < 2 * locks.DEAD_SECONDS
    # One that lives is told from those that do not, though it was watched no longer.
    with open(lock, "w") as file:
        json.dump(holder._asdict(), file)
    beats.append(lock)
    with pytest.raises(locks.Held, match="shard 8-of-8 .* host node8"), shards.hold(str(tmp_path), "x", None):
        pass


def test_no_shard_begins_while_the_whole_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SECONDS_TO_WAIT", 0)
    folder = str(tmp_path)
    with shards.hold(folder, "dump_dir", None), shards.hold(folder, "dump_dir", Shard(1, 2)) as beginning:  # noqa: SIM117
        with pytest.raises(locks.Held, match="`dump_dir`"), beginning():
            pass
