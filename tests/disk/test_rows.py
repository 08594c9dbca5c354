"""Rows that outlive an interruption."""

import errno
import gzip
import os

import numpy as np
import pytest

from utils.disk.rows import NamedCloud, RowFile
from utils.files import InputError

CLOUD = NamedCloud("chair", 0)


def test_rows_stay_and_are_not_added_twice(tmp_path):
    path = str(tmp_path / "rows.csv")
    rows = RowFile(path, ("value",))
    rows.add("asm", CLOUD, 25, 0.5)
    assert rows.flush() == 1
    rows.add("asm", CLOUD, 25, 0.75)
    rows.add("asm", CLOUD._replace(index=1), 25, 0.25)
    assert rows.flush() == 1
    with open(path) as file:
        assert file.read() == "method,class,index,step,value\nasm,chair,0,25,0.5\nasm,chair,1,25,0.25\n"
    again = RowFile(path, ("value",))
    assert again.has("asm", CLOUD, 25) and not again.has("asm", CLOUD, 50)
    found = again.select(["random", "asm"], [CLOUD, CLOUD._replace(index=1)], [25, 50], "value")
    np.testing.assert_array_equal(found, [[[np.nan, np.nan]] * 2, [[0.5, np.nan], [0.25, np.nan]]])


def test_packed_rows_are_read_and_go_on_in_a_plain_file(tmp_path):
    path = str(tmp_path / "rows.csv")
    text = "method,class,index,step,value\nasm,chair,0,25,0.5\n"
    with gzip.open(path + ".gz", "wb") as file:
        file.write(text.encode("utf-8"))
    packed = (tmp_path / "rows.csv.gz").read_bytes()
    rows = RowFile(path, ("value",))
    assert rows.has("asm", CLOUD, 25) and rows.paths() == [path + ".gz"]
    rows.add("asm", CLOUD, 50, 0.25)
    rows.flush()
    with open(path) as file:
        assert file.read() == text + "asm,chair,0,50,0.25\n"
    # The plain file holds more, so it counts from now on; the packed one stays.
    assert rows.paths() == [path] and len(RowFile(path, ("value",)).rows) == 2
    assert (tmp_path / "rows.csv.gz").read_bytes() == packed


@pytest.mark.parametrize("damage", ["cut", "changed", "no gzip", "empty"])
def test_packed_rows_that_are_damaged_are_refused_in_one_line(tmp_path, damage):
    path = tmp_path / "rows.csv.gz"
    lines = ["asm,chair,{},25,{}".format(index, index / 7) for index in range(200)]
    whole = gzip.compress("\n".join(["method,class,index,step,value"] + lines).encode("utf-8"))
    ways = {"cut": whole[:300], "changed": whole[:200] + b"\xff" * 20 + whole[220:], "no gzip": b"letter", "empty": b""}
    path.write_bytes(ways[damage])
    if damage == "empty":
        assert RowFile(str(tmp_path / "rows.csv"), ("value",)).rows == []
        return
    with pytest.raises(InputError, match=r"rows.csv.gz cannot be read \(.*\): delete it or give another `dump_dir`"):
        RowFile(str(tmp_path / "rows.csv"), ("value",))


def test_a_file_says_of_what_it_has_rows_in_their_order(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("method,class,index,step,value\nb,cone,1,50,1\na,cone,1,50,1\na,chair,0,25,1\n")
    rows = RowFile(str(path), ("value",))
    assert (rows.methods(), rows.steps()) == (["b", "a"], ["50", "25"])
    assert rows.clouds() == [NamedCloud("cone", 1), NamedCloud("chair", 0)]


@pytest.mark.parametrize(
    "torn", ["asm,chair,1,2", "asm,chair,1,25,0.5,", "asm,chair,1,25,0.5,1.2e", "asm,chair,1,25,0.5,0.9"]
)
def test_a_torn_last_line_is_forgotten_wherever_it_is_torn(tmp_path, torn):
    path = tmp_path / "rows.csv"
    whole = "method,class,index,step,one,two\nasm,chair,0,25,0.5,1\n"
    path.write_text(whole + torn)
    rows = RowFile(str(path), ("one", "two"))
    assert len(rows.rows) == 1
    # Looking at it, as a report does while a comparison runs, changes nothing.
    assert path.read_text() == whole + torn
    rows.add("asm", CLOUD._replace(index=1), 25, 0.5, 0.75)
    rows.flush()
    assert path.read_text() == whole + "asm,chair,1,25,0.5,0.75\n"


def test_rows_count_as_written_once_they_are_in_the_file(tmp_path, monkeypatch):
    rows = RowFile(str(tmp_path / "rows.csv"), ("value",))
    rows.add("asm", CLOUD, 25, 0.5)
    assert rows.num_written() == 0
    rows.flush()
    assert rows.num_written() == 1
    rows.add("asm", CLOUD, 50, 0.5)
    write = rows._write

    def write_and_be_broken_off(file, new):
        write(file, new)
        raise KeyboardInterrupt

    monkeypatch.setattr(rows, "_write", write_and_be_broken_off)
    with pytest.raises(KeyboardInterrupt):
        rows.flush()
    assert rows.num_written() == 2


def test_a_class_of_any_name_comes_back(tmp_path):
    path, odd = str(tmp_path / "rows.csv"), CLOUD._replace(class_name='4" pipe, "großes" | $x$')
    rows = RowFile(path, ("value",))
    rows.add("asm", odd, 25, 0.5)
    rows.flush()
    assert RowFile(path, ("value",)).has("asm", odd, 25)


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "-5", "@SUM(1)", "'=x", "'tis"])
def test_a_class_is_no_formula_in_a_spreadsheet_and_comes_back(tmp_path, name):
    path, odd = str(tmp_path / "rows.csv"), CLOUD._replace(class_name=name)
    rows = RowFile(path, ("value",))
    rows.add("asm", odd, 25, -0.5)
    rows.flush()
    with open(path, newline="", encoding="utf-8") as file:
        line = file.read().splitlines()[1]
    assert line.split(",")[1].strip('"')[0] not in "=+-@" and line.endswith(",-0.5")
    again = RowFile(path, ("value",))
    assert again.has("asm", odd, 25) and again.clouds() == [NamedCloud(name, 0)]


@pytest.mark.parametrize(
    "text", ["a letter", "method,class,index,step,other\n", "method,class,index,step,value\nasm,chair,0,25,many\n"]
)
def test_a_file_of_something_else_is_refused_and_kept(tmp_path, text):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="`dump_dir`"):
        RowFile(str(path), ("value",))
    assert path.read_text() == text


def test_a_full_disk_is_said_with_the_file_and_the_rows_before_stay(tmp_path, monkeypatch):
    path = str(tmp_path / "rows.csv")
    written = RowFile(path, ("loss",))
    written.add("a", NamedCloud("cup", 0), 1, 0.5)
    written.flush()
    written.add("a", NamedCloud("cup", 1), 1, 0.5)

    def fill(self, file, new):
        file.write("a,cu")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RowFile, "_write", fill)
    with pytest.raises(InputError, match=r"cannot write .*rows.csv \(No space left on device\): free space there"):
        written.flush()
    monkeypatch.undo()
    assert [row["index"] for row in RowFile(path, ("loss",)).rows] == [0]


def test_a_file_that_was_deleted_meanwhile_does_not_begin_anew_without_its_heading(tmp_path):
    path = tmp_path / "rows.csv"
    written = RowFile(str(path), ("loss",))
    for index in range(3):
        written.add("a", NamedCloud("cup", index), 1, 0.5)
        if index == 1:
            path.unlink()
            with pytest.raises(InputError, match=r"cannot write .*rows.csv \(No such file or directory\)"):
                written.flush()
            assert not path.exists()
        else:
            written.flush()
    # Written again, it is whole.
    assert [row["index"] for row in RowFile(str(path), ("loss",)).rows] == [0, 1, 2]
