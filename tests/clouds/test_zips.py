"""Zips unpacked: whole, nothing outside, nothing left behind, and no more than makes sense."""

import argparse
import errno
import os
import stat
import warnings
import zipfile

import pytest

from utils.clouds import zips
from utils.files import InputError


def _zip(path, members):
    with zipfile.ZipFile(str(path), "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return str(path)


def test_a_zip_is_unpacked_to_the_folder(tmp_path):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A", "top/b.txt": "B", "__MACOSX/x": ""})
    zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert sorted(os.listdir(str(tmp_path / "data"))) == ["a.txt", "b.txt"]
    assert sorted(os.listdir(str(tmp_path))) == ["a.zip", "data"]


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "top/../../out.txt"])
def test_a_zip_cannot_write_outside(tmp_path, name):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A", name: "!"})
    with pytest.raises(InputError, match="leads out"):
        zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_damaged_or_incomplete_zip_leaves_nothing(tmp_path):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A" * 1000})
    with pytest.raises(InputError, match="holds no b.txt"):
        zips.unpack(path, str(tmp_path / "data"), ["b.txt"])
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content[:500])
    with pytest.raises(InputError, match="cannot be unpacked"):
        zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_zip_that_unpacks_to_more_than_sense_is_refused_by_its_list(tmp_path, monkeypatch):
    bomb = str(tmp_path / "a.zip")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("top/a.txt", b"0" * 5000000)
    with pytest.raises(InputError, match="times its size, more than the 100 of"):
        zips.unpack(bomb, str(tmp_path / "data"), ["a.txt"])
    many = _zip(tmp_path / "b.zip", {"top/{}".format(number): "" for number in range(30)})
    monkeypatch.setattr(zips, "MAX_FILES", 29)
    with pytest.raises(InputError, match="30 files, more than the 29 of"):
        zips.unpack(many, str(tmp_path / "data"), [])
    monkeypatch.setattr(zips, "MAX_RATIO", 10000)
    monkeypatch.setattr(zips, "MAX_UNPACKED_BYTES", 4999999)
    with pytest.raises(InputError, match="5000000 bytes, more than the 4999999 of"):
        zips.unpack(bomb, str(tmp_path / "data"), ["a.txt"])
    monkeypatch.undo()
    monkeypatch.setattr(zips, "MAX_RATIO", 10000)
    monkeypatch.setattr(zips.shutil, "disk_usage", lambda path: argparse.Namespace(free=4999999))
    with pytest.raises(InputError, match="needs 5000000 bytes, and 4999999 are free"):
        zips.unpack(bomb, str(tmp_path / "data"), ["a.txt"])
    assert sorted(os.listdir(str(tmp_path))) == ["a.zip", "b.zip"]


def test_a_disk_that_is_full_while_unpacking_is_no_fault_of_the_zip(tmp_path, monkeypatch):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A"})

    def fill(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(zipfile.ZipFile, "extract", fill)
    with pytest.raises(InputError, match=r"No space left on device\): free space there") as raised:
        zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert "delete" not in str(raised.value) and os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_zip_with_a_password_is_said_so_in_one_line(tmp_path):
    path = tmp_path / "a.zip"
    _zip(path, {"top/a.txt": "A"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="cannot be unpacked .*encrypted.*delete it"):
        zips.unpack(str(path), str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


HARMLESS = ["top/.DS_Store", "top/na\u00efve chair (1).txt", "__MACOSX/top/._a.txt", "top/sub/a.txt", "top/console.txt"]
OUTSIDE_OR_NO_NAME = [
    "C:/x", "C:x", "//host/x", "..\\x", "top\\x", "top/./x", "top//x", "", "/", ".", "top/a:b", "top/CON",
    "top/nul.txt", "top/Com1.h5", "top/x.", "top/x ", "top/a\nb", "top/\x1b[2J", "top/" + "x" * 300, "../", "top/../",
    "top/\u202egpj.exe",
]  # fmt: skip


def _zip_with_raw_name(path, name):
    """zipfile makes names harmless as it writes: another of the same length is put in its place."""
    raw = name.encode("utf-8")
    with zipfile.ZipFile(str(path), "w") as archive:
        archive.writestr("top/a.txt", "A")
        info = zipfile.ZipInfo("x")
        info.filename = "x" * len(raw)
        archive.writestr(info, "")
    content = bytearray(path.read_bytes())
    for mark, length, flags in ((b"PK\x03\x04", 30, 6), (b"PK\x01\x02", 46, 8)):
        at = content.rindex(mark)
        content[at + length : at + length + len(raw)] = raw
        content[at + flags + 1] |= 8  # the name is in UTF-8
    path.write_bytes(bytes(content))
    return str(path)


@pytest.mark.parametrize("name", OUTSIDE_OR_NO_NAME)
def test_a_path_that_leads_out_or_is_no_name_on_every_system_is_refused(tmp_path, name):
    path = _zip_with_raw_name(tmp_path / "a.zip", name)
    with pytest.raises(InputError, match="leads out of its folder, or is no name on every system: delete it") as raised:
        zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert str(raised.value).isprintable() and os.listdir(str(tmp_path)) == ["a.zip"]


@pytest.mark.parametrize("name", HARMLESS)
def test_other_names_are_unpacked(tmp_path, name):
    path = _zip_with_raw_name(tmp_path / "a.zip", name)
    zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    unpacked = tmp_path / "data" / name[4:]
    assert name.startswith("__MACOSX") or unpacked.exists()


@pytest.mark.parametrize("second", ["top/a.txt", "top/A.TXT", "TOP/a.txt", "top/cafe\u0301.txt"])
def test_two_files_of_one_name_are_refused_where_case_does_not_count_too(tmp_path, second):
    path = str(tmp_path / "a.zip")
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for name in ("top/a.txt", "top/caf\u00e9.txt", second):
            archive.writestr(name, "A")
    with pytest.raises(InputError, match="twice, where upper and lower case do not count: delete it"):
        zips.unpack(path, str(tmp_path / "data"), [])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_file_where_a_folder_is_is_refused(tmp_path):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A", "top/a.txt/b.txt": "B"})
    with pytest.raises(InputError, match="holds top/a.txt as a file and as a folder"):
        zips.unpack(path, str(tmp_path / "data"), [])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_unpacks_by_blocks_of_any_size_is_refused(tmp_path, packing):
    path = str(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("top/a.txt", "A" * 1000)
    with pytest.raises(InputError, match="packed in a way that no zip of a data set is: delete it"):
        zips.unpack(path, str(tmp_path / "data"), [])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    link = zipfile.ZipInfo("top/link")
    link.create_system = 3
    link.external_attr = (kind | 0o777) << 16
    path = str(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("top/a.txt", "A")
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="top/link, which is a link or a device"):
        zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


@pytest.mark.parametrize("error", [MemoryError(), OverflowError("too large"), AttributeError("x"), KeyError("x")])
def test_whatever_a_parser_stumbles_on_is_one_line(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(zipfile.ZipFile, "extract", fail)
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A"})
    with pytest.raises(InputError, match=r"cannot be unpacked \(.+\): delete it and try again"):
        zips.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("names", [["top/a.txt"], ["a.txt", "b.txt"]])
def test_who_shares_the_machine_may_read_what_was_unpacked(tmp_path, names):
    zips.unpack(_zip(tmp_path / "a.zip", dict.fromkeys(names, "A")), str(tmp_path / "data"), ["a.txt"])
    (tmp_path / "made").mkdir()
    assert (tmp_path / "data").stat().st_mode == (tmp_path / "made").stat().st_mode
