"""Downloads from a server on this machine: broken off, resumed, wrong, and unpacked."""

import argparse
import contextlib
import errno
import hashlib
import http.server
import os
import socketserver
import threading
import time
import zipfile

import pytest

from utils.clouds import fetch
from utils.files import InputError

CONTENT = bytes(range(256)) * 40000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def serve(content, ranges=True, cut_at=None, has_length=True, seconds_a_byte=0, seconds_of_silence=0):
    """A server of one file on the loopback; yields its address and the list of the ranges asked for.

    With `cut_at`, its answers break off after so many bytes. It can leave out their length, drip, and think for long.
    """
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("Range"))
            start = int(asked[-1][6:-1]) if asked[-1] and ranges else 0
            time.sleep(seconds_of_silence)
            self.send_response(206 if start else 200)
            if start:
                total = len(content)
                self.send_header("Content-Range", "bytes {}-{}/{}".format(start, total - 1, total))
            if has_length:
                self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked has left
                for at in range(start, len(content) if seconds_a_byte else start):
                    self.wfile.write(content[at : at + 1])
                    time.sleep(seconds_a_byte)
                if not seconds_a_byte:
                    self.wfile.write(content[start:][:cut_at])

        def log_message(self, *_):
            pass

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Its thread ends with the test, however long an answer takes.
    server.block_on_close = False
    yield "http://127.0.0.1:{}/file.zip".format(server.server_address[1]), asked
    server.shutdown()
    server.server_close()


def _download(urls, path):
    fetch.download(urls, str(path), len(CONTENT), SHA256)


def test_a_file_arrives_whole(tmp_path):
    with serve(CONTENT) as (url, asked):
        _download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and asked == [None]
    assert os.listdir(str(tmp_path)) == ["file.zip"]


def test_a_broken_download_goes_on_where_it_was_at_the_next_mirror(tmp_path):
    with serve(CONTENT, cut_at=3000000) as (broken, _), serve(CONTENT) as (whole, asked):
        _download([broken, whole], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT
    assert asked == ["bytes=3000000-"]


def test_a_broken_download_goes_on_in_the_next_call(tmp_path):
    with serve(CONTENT, cut_at=3000000) as (url, _), pytest.raises(InputError, match="127.0.0.1"):
        _download([url], tmp_path / "file.zip")
    with serve(CONTENT) as (url, asked):
        _download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and asked == ["bytes=3000000-"]


def test_a_server_that_ignores_ranges_starts_over(tmp_path):
    (tmp_path / "file.zip").write_bytes(b"x" * 1000)
    with serve(CONTENT, ranges=False) as (url, _):
        _download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_another_file_than_expected_is_thrown_away(tmp_path):
    with serve(CONTENT[::-1]) as (wrong, _), serve(CONTENT) as (right, _):
        _download([wrong, right], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_an_answer_that_does_not_end_is_cut_at_the_expected_size(tmp_path):
    with serve(CONTENT * 3) as (url, _), pytest.raises(InputError, match="larger"):
        _download([url], tmp_path / "file.zip")
    assert not os.listdir(str(tmp_path))


LOGIN_PAGE = b"<html>Please log in.</html>" * 200


@pytest.mark.parametrize("has_length", [True, False])
def test_a_login_page_neither_wipes_what_is_there_nor_spoils_the_next_mirror(tmp_path, has_length):
    part = tmp_path / "file.zip"
    part.write_bytes(CONTENT[:2000000])
    portal = serve(LOGIN_PAGE, ranges=False, has_length=has_length)
    with portal as (page, _):
        with pytest.raises(InputError, match="smaller than expected|broke off"):
            _download([page], tmp_path / "file.zip")
        assert part.read_bytes() == CONTENT[:2000000] and os.listdir(str(tmp_path)) == [part.name]
        with serve(CONTENT) as (right, asked):
            _download([page, right], tmp_path / "file.zip")
        assert asked == ["bytes=2000000-"]
        os.remove(str(tmp_path / "file.zip"))
        # Where nothing is there yet, nothing of the page stays either.
        with serve(CONTENT) as (right, asked):
            _download([page, right], tmp_path / "file.zip")
        assert asked == [None]
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and os.listdir(str(tmp_path)) == ["file.zip"]


def test_a_file_without_a_length_arrives_whole_and_does_not_end_too_late(tmp_path):
    with serve(CONTENT, has_length=False) as (url, _):
        _download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT
    with serve(CONTENT * 2, has_length=False) as (url, _), pytest.raises(InputError, match="larger"):
        _download([url], tmp_path / "other.zip")
    assert os.listdir(str(tmp_path)) == ["file.zip"]


def test_a_beginning_of_another_file_is_not_the_next_mirrors_fault(tmp_path):
    (tmp_path / "file.zip").write_bytes(b"x" * 1000)
    with serve(CONTENT) as (url, asked):
        _download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and asked == ["bytes=1000-", None]


def test_a_part_that_was_not_asked_for_is_refused(tmp_path):
    (tmp_path / "file.zip").write_bytes(CONTENT[:1000])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(206)
            self.send_header("Content-Range", "bytes 0-9/{}".format(len(CONTENT)))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    with pytest.raises(InputError, match="another part"):
        _download(["http://127.0.0.1:{}/file.zip".format(server.server_port)], tmp_path / "file.zip")
    server.server_close()
    assert (tmp_path / "file.zip").read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("fault", [{"seconds_a_byte": 0.02}, {"seconds_of_silence": 5}])
def test_a_mirror_that_drips_or_is_silent_is_left_for_the_next_one(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(fetch, "STALL_SECONDS", 0.3)
    start = time.time()
    with serve(CONTENT, **fault) as (slow, _), serve(CONTENT) as (right, _):
        _download([slow, right], tmp_path / "file.zip")
        assert time.time() - start < 4
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_a_mirror_that_takes_too_long_in_all_is_left_and_what_it_gave_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_SECONDS", 0.3)
    with serve(CONTENT, seconds_a_byte=0.02) as (url, _), pytest.raises(InputError, match="took too long"):
        _download([url], tmp_path / "file.zip")
    part = (tmp_path / "file.zip").read_bytes()
    assert len(part) >= 1 and CONTENT.startswith(part)


def test_a_full_disk_is_no_fault_of_the_mirrors(tmp_path, monkeypatch):
    (tmp_path / "file.zip").mkdir()
    monkeypatch.setattr(fetch.os.path, "getsize", lambda path: 0)
    with serve(CONTENT) as (url, _), pytest.raises(InputError, match=r"^cannot write .*file.zip \(Is a directory"):
        _download([url, url], tmp_path / "file.zip")


def _zip(path, members):
    with zipfile.ZipFile(str(path), "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return str(path)


def test_a_zip_is_unpacked_to_the_folder(tmp_path):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A", "top/b.txt": "B", "__MACOSX/x": ""})
    fetch.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert sorted(os.listdir(str(tmp_path / "data"))) == ["a.txt", "b.txt"]
    assert sorted(os.listdir(str(tmp_path))) == ["a.zip", "data"]


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "top/../../out.txt"])
def test_a_zip_cannot_write_outside(tmp_path, name):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A", name: "!"})
    with pytest.raises(InputError, match="leads out"):
        fetch.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_damaged_or_incomplete_zip_leaves_nothing(tmp_path):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A" * 1000})
    with pytest.raises(InputError, match="holds no b.txt"):
        fetch.unpack(path, str(tmp_path / "data"), ["b.txt"])
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content[:500])
    with pytest.raises(InputError, match="cannot be unpacked"):
        fetch.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_zip_that_unpacks_to_more_than_sense_is_refused_by_its_list(tmp_path, monkeypatch):
    bomb = str(tmp_path / "a.zip")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("top/a.txt", b"0" * 5000000)
    with pytest.raises(InputError, match="times its size, more than the 100 of"):
        fetch.unpack(bomb, str(tmp_path / "data"), ["a.txt"])
    many = _zip(tmp_path / "b.zip", {"top/{}".format(number): "" for number in range(30)})
    monkeypatch.setattr(fetch, "MAX_FILES", 29)
    with pytest.raises(InputError, match="30 files, more than the 29 of"):
        fetch.unpack(many, str(tmp_path / "data"), [])
    monkeypatch.setattr(fetch, "MAX_RATIO", 10000)
    monkeypatch.setattr(fetch, "MAX_UNPACKED_BYTES", 4999999)
    with pytest.raises(InputError, match="5000000 bytes, more than the 4999999 of"):
        fetch.unpack(bomb, str(tmp_path / "data"), ["a.txt"])
    monkeypatch.undo()
    monkeypatch.setattr(fetch, "MAX_RATIO", 10000)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda path: argparse.Namespace(free=4999999))
    with pytest.raises(InputError, match="needs 5000000 bytes, and 4999999 are free"):
        fetch.unpack(bomb, str(tmp_path / "data"), ["a.txt"])
    assert sorted(os.listdir(str(tmp_path))) == ["a.zip", "b.zip"]


def test_what_a_killed_unpacking_left_is_gone_after_the_next(tmp_path):
    (tmp_path / ".unpacking-old" / "top").mkdir(parents=True)
    fetch.unpack(_zip(tmp_path / "a.zip", {"top/a.txt": "A"}), str(tmp_path / "data"), ["a.txt"])
    assert sorted(os.listdir(str(tmp_path))) == ["a.zip", "data"]


def test_a_disk_that_is_full_while_unpacking_is_no_fault_of_the_zip(tmp_path, monkeypatch):
    path = _zip(tmp_path / "a.zip", {"top/a.txt": "A"})

    def fill(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(zipfile.ZipFile, "extract", fill)
    with pytest.raises(InputError, match=r"No space left on device\): free space there") as raised:
        fetch.unpack(path, str(tmp_path / "data"), ["a.txt"])
    assert "delete" not in str(raised.value) and os.listdir(str(tmp_path)) == ["a.zip"]


def test_a_zip_with_a_password_is_said_so_in_one_line(tmp_path):
    path = tmp_path / "a.zip"
    _zip(path, {"top/a.txt": "A"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="cannot be unpacked .*encrypted.*delete it"):
        fetch.unpack(str(path), str(tmp_path / "data"), ["a.txt"])
    assert os.listdir(str(tmp_path)) == ["a.zip"]


def test_an_answer_without_a_length_leaves_nothing_on_a_full_disk_or_of_a_kill(tmp_path, monkeypatch):
    (tmp_path / "file.zip.new").write_bytes(b"of a killed run")

    @contextlib.contextmanager
    def full(path):
        yield
        raise InputError("cannot write {}".format(path))

    monkeypatch.setattr(fetch, "writing", full)
    with serve(CONTENT, has_length=False) as (url, _), pytest.raises(InputError, match="cannot write"):
        _download([url], tmp_path / "file.zip")
    assert os.listdir(str(tmp_path)) == []
