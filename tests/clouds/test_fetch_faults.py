"""Downloads from bad servers, of wrong files, on full disks, interrupted; and what is said of them."""

import _thread
import contextlib
import http.server
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

import pytest
from mirror import CONTENT, download, serve

from utils.clouds import fetch
from utils.files import PROJECT_DIR, InputError

pytestmark = pytest.mark.takes_turns

LOGIN_PAGE = b"<html>Please log in.</html>" * 200


@pytest.mark.parametrize("has_length", [True, False])
def test_a_login_page_neither_wipes_what_is_there_nor_spoils_the_next_mirror(tmp_path, has_length):
    part = tmp_path / "file.zip"
    part.write_bytes(CONTENT[:2000000])
    portal = serve(LOGIN_PAGE, ranges=False, has_length=has_length)
    with portal as (page, _):
        with pytest.raises(InputError, match="smaller than expected|broke off"):
            download([page], tmp_path / "file.zip")
        assert part.read_bytes() == CONTENT[:2000000] and os.listdir(str(tmp_path)) == [part.name]
        with serve(CONTENT) as (right, asked):
            download([page, right], tmp_path / "file.zip")
        assert asked == ["bytes=2000000-"]
        os.remove(str(tmp_path / "file.zip"))
        # Where nothing is there yet, nothing of the page stays either.
        with serve(CONTENT) as (right, asked):
            download([page, right], tmp_path / "file.zip")
        assert asked == [None]
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and os.listdir(str(tmp_path)) == ["file.zip"]


def test_a_file_without_a_length_arrives_whole_and_does_not_end_too_late(tmp_path):
    with serve(CONTENT, has_length=False) as (url, _):
        download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT
    endless = serve(CONTENT[::-1] * 2, has_length=False)
    with endless as (url, _), pytest.raises(InputError, match="another file"):
        download([url], tmp_path / "other.zip")
    assert os.listdir(str(tmp_path)) == ["file.zip"]


def test_a_beginning_of_another_file_is_not_the_next_mirrors_fault(tmp_path):
    (tmp_path / "file.zip").write_bytes(b"x" * 1000)
    with serve(CONTENT) as (url, asked):
        download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and asked == ["bytes=1000-", None]


def test_a_part_that_was_not_asked_for_adds_nothing(tmp_path):
    (tmp_path / "file.zip").write_bytes(CONTENT[:1000])

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(206)
            self.send_header("Content-Range", "bytes 0-9/{}".format(len(CONTENT)))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(InputError, match="broke off"):
        download(["http://127.0.0.1:{}/file.zip".format(server.server_port)], tmp_path / "file.zip")
    server.shutdown()
    server.server_close()
    assert (tmp_path / "file.zip").read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("fault", [{"seconds_a_byte": 0.02}, {"seconds_of_silence": 30}])
def test_a_mirror_that_drips_or_is_silent_is_left_for_the_next_one(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(fetch, "STALL_SECONDS", 1)
    start = time.time()
    with serve(CONTENT, **fault) as (slow, _), serve(CONTENT) as (right, _):
        download([slow, right], tmp_path / "file.zip")
        assert time.time() - start < 20
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("content_range", [None, "bytes x/y", "bytes 7-9/10"])
def test_a_mirror_without_the_part_asked_for_gives_the_whole(tmp_path, content_range):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("Range"))
            self.send_response(200 if asked[-1] is None else 206 if content_range else 416)
            if asked[-1] and content_range:
                self.send_header("Content-Range", content_range)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(CONTENT)

        def log_message(self, *_):
            pass

    (tmp_path / "file.zip").write_bytes(CONTENT[:2000000])
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    download(["http://127.0.0.1:{}/file.zip".format(server.server_address[1])], tmp_path / "file.zip")
    server.shutdown()
    server.server_close()
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and asked == ["bytes=2000000-", None]


def test_a_mirror_that_takes_too_long_in_all_is_left_and_what_it_gave_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_SECONDS", 0.3)
    with serve(CONTENT, seconds_a_byte=0.02) as (url, _), pytest.raises(InputError, match="took too long"):
        download([url], tmp_path / "file.zip")
    part = (tmp_path / "file.zip").read_bytes()
    assert len(part) >= 1 and CONTENT.startswith(part)


def test_a_full_disk_is_no_fault_of_the_mirrors(tmp_path, monkeypatch):
    (tmp_path / "file.zip").mkdir()
    monkeypatch.setattr(fetch.os.path, "getsize", lambda path: 0)
    with serve(CONTENT) as (url, _), pytest.raises(InputError, match=r"^cannot write .*file.zip \(Is a directory"):
        download([url, url], tmp_path / "file.zip")


def test_an_answer_without_a_length_leaves_nothing_on_a_full_disk_or_of_a_kill(tmp_path, monkeypatch):
    (tmp_path / "file.zip.new").write_bytes(b"of a killed run")

    @contextlib.contextmanager
    def full(path):
        yield
        raise InputError("cannot write {}".format(path))

    monkeypatch.setattr(fetch, "writing", full)
    with serve(CONTENT, has_length=False) as (url, _), pytest.raises(InputError, match="cannot write"):
        download([url], tmp_path / "file.zip")
    assert os.listdir(str(tmp_path)) == []


def test_a_wrong_file_of_the_right_size_does_not_replace_what_is_there(tmp_path):
    part = tmp_path / "file.zip"
    part.write_bytes(CONTENT[:2000000])
    with serve(CONTENT[::-1]) as (wrong, _):
        with pytest.raises(InputError, match="another file than expected"):
            download([wrong], part)
        assert part.read_bytes() == CONTENT[:2000000] and os.listdir(str(tmp_path)) == [part.name]
        with serve(CONTENT) as (right, asked):
            download([wrong, right], part)
    assert part.read_bytes() == CONTENT and asked == ["bytes=2000000-"]


@pytest.mark.parametrize(
    "content, cut_at, kept", [(CONTENT, 1000, 2000000), (CONTENT, 3000000, 3000000), (CONTENT[::-1], 3000000, 2000000)]
)
def test_a_server_that_begins_anew_and_breaks_off_leaves_what_is_there_or_more_of_it(tmp_path, content, cut_at, kept):
    part = tmp_path / "file.zip"
    part.write_bytes(CONTENT[:2000000])
    with serve(content, ranges=False, cut_at=cut_at) as (url, _), pytest.raises(InputError, match="broke off"):
        download([url], part)
    assert part.read_bytes() == CONTENT[:kept] and os.listdir(str(tmp_path)) == [part.name]


def test_a_beginning_of_another_file_gives_way_to_a_longer_one_that_breaks_off(tmp_path):
    part = tmp_path / "file.zip"
    part.write_bytes(b"x" * 1000)
    # From byte 1000 on this is to the end.
    with serve(CONTENT, cut_at=len(CONTENT) - 1000) as (url, _), pytest.raises(InputError, match="broke off"):
        download([url], part)
    assert part.read_bytes() == CONTENT[:-1000]


def test_more_than_promised_does_not_spoil_what_was_promised(tmp_path):
    part = tmp_path / "file.zip"
    part.write_bytes(CONTENT[:2000000])
    with serve(CONTENT, has_length=False, extra=b"more" * 1000) as (url, asked):
        download([url], part)
    assert part.read_bytes() == CONTENT and asked == ["bytes=2000000-"]


def test_an_interrupt_is_heard_while_a_mirror_is_silent_and_says_that_the_next_run_goes_on(tmp_path):
    interrupted = []

    def interrupt():
        while not asked:
            time.sleep(0.05)
        time.sleep(0.2)
        interrupted.append(time.time())
        # It sets Python's mark without waking the thread from its wait, as Ctrl-C does on Windows.
        _thread.interrupt_main()

    words = "what was fetched is kept, and the next run goes on from there"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests started in the background ignore it
    try:
        with serve(CONTENT, seconds_of_silence=20) as (url, asked), pytest.raises(KeyboardInterrupt, match=words):
            threading.Thread(target=interrupt, daemon=True).start()
            download([url], tmp_path / "file.zip")
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.time() - interrupted[0] < 10


LONG_REASON = "No\x1b[2J" + "x" * 500


def test_the_words_of_an_interrupt_reach_the_user():
    code = (
        "from utils import command_line\n"
        "def main(): raise KeyboardInterrupt('what was fetched is kept')\n"
        "command_line.run(main)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, stderr=subprocess.PIPE, universal_newlines=True)
    assert (run.returncode, run.stderr) == (130, "\nInterrupted: what was fetched is kept.\n")


@pytest.mark.parametrize(
    "status, words",
    [((503, ""), "127.0.0.1:[0-9]+: status 503\\)"), ((403, LONG_REASON), r"status 403 No\\x1b\[2Jxxx.*xxx\.\.\.")],
)
def test_a_refusal_is_named_by_its_number_and_in_few_printable_letters(tmp_path, status, words):
    with serve(b"", status=status) as (url, _), pytest.raises(fetch.NotFetched, match=words) as raised:
        download([url], tmp_path / "file.zip")
    assert str(raised.value).isprintable() and len(str(raised.value)) < 300 and not os.listdir(str(tmp_path))


def test_what_is_no_web_server_is_said_so(tmp_path):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)

    def answer():
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"\x00\xff garbage\r\n\r\n")
        connection.close()

    threading.Thread(target=answer, daemon=True).start()
    url = "http://127.0.0.1:{}/file.zip".format(listener.getsockname()[1])
    with listener, pytest.raises(fetch.NotFetched, match="no web server, or a broken one"):
        download([url], tmp_path / "file.zip")
