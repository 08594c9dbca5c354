"""Downloads from a server on this machine: broken off, resumed, wrong, and unpacked."""

import contextlib
import hashlib
import http.server
import os
import threading
import zipfile

import pytest

from utils.clouds import fetch
from utils.files import InputError

CONTENT = bytes(range(256)) * 40000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def serve(content, ranges=True, cut_at=None):
    """A server of one file on the loopback; yields its address and the list of the ranges asked for.

    With `cut_at`, its answers break off after so many bytes.
    """
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("Range"))
            start = int(asked[-1][6:-1]) if asked[-1] and ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][:cut_at])

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:{}/file.zip".format(server.server_port), asked
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
    (tmp_path / "file.zip.part").write_bytes(b"x" * 1000)
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
