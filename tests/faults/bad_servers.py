"""Downloads of the data set from servers that break off, lie, drip, or answer with something else."""

import functools
import hashlib
import http.server
import io
import os
import signal
import socket
import socketserver
import struct
import threading
import time
import zipfile

from judgement import Outcome, files_in, judge, strays

import provider
from utils.clouds import fetch

TITLE = "downloads from bad servers"
SIZE = 2
ENDS = {None: "", signal.SIGKILL: ", killed", signal.SIGINT: ", interrupted"}
PAGE = b"<html><body>Please log in.</body></html>" * 50
# What a server does with a request for a file; see `_Handler`.
WAYS = (
    "whole", "breaks off", "breaks off with half a header", "says less than it sends", "says more than it sends",
    "no length", "no length and breaks off", "login page", "login page without length", "another file", "empty",
    "ignores ranges", "another range", "a range of another file", "nonsense for a range", "drips", "is silent",
    "status 500", "status 404", "status 416", "status 403", "status 204", "redirects to a page", "redirects in circles",
    "redirects nowhere", "closes at once", "garbage", "endless headers", "chunks that break off", "twice the file",
    "ignores ranges and breaks off", "more than the range", "another file in part", "a long reason", "resets",
)  # fmt: skip

SPOILING = ("another file", "ignores ranges and breaks off", "more than the range", "login page without length")


def inject(rng, bench, folder):
    """Fetches from one to three mirrors, some or all of them bad, at times with a beginning there; returns Outcomes."""
    content = _zip_of(bench, rng)
    data_dir = os.path.join(folder, "out")
    os.makedirs(data_dir)
    zip_path = os.path.join(data_dir, provider.MODELNET40 + ".zip")
    ways = [rng.choice(WAYS if rng.random() < 0.7 else SPOILING) for _ in range(rng.randrange(1, 4))]
    begun = rng.choice((0, 0, rng.randrange(1, len(content)), len(content)))
    is_right = rng.random() < 0.7
    if begun:
        with open(zip_path + ".part", "wb") as file:
            file.write(content[:begun] if is_right else bytes(rng.randrange(256) for _ in range(begun)))
    if rng.random() < 0.2:
        # Of a run that was killed long ago.
        os.makedirs(os.path.join(data_dir, rng.choice((".unpacking-x", provider.MODELNET40 + ".99999.tmp")), "top"))
    is_full = rng.random() < 0.1
    servers = [_Server(way, content, rng.random()) for way in ways]
    try:
        before = functools.partial(_aim, data_dir, [server.url for server in servers], content, is_full)
        words = bench.words("fetch", out=os.path.join(folder, "in"))
        end = rng.choice((signal.SIGKILL, signal.SIGINT)) if rng.random() < 0.25 else None
        started = bench.start_words(words, folder, before=before)
        if end:
            time.sleep(0.2 + 1.5 * rng.random())
            started.signal(end)
        run = started.wait()
        kind = " then ".join(ways) + ENDS[end] + (", disk full" if is_full else "")
        wrong = judge(run, {None: (0, 2), signal.SIGKILL: (0, 2, -9), signal.SIGINT: (0, 2, 130)}[end])
        wrong = wrong or strays(folder, is_killed=end == signal.SIGKILL)
        wrong = wrong or _judge_folder(run, data_dir, content, "whole" in ways and not end and not is_full)
        # Where a server's end was wrong, its beginning that breaks off counts for more than what was there.
        if not wrong and run.status != 0 and is_right and "another file in part" not in ways:
            wrong = _lost(data_dir, content[:begun])
        outcomes = [Outcome(kind if len(ways) == 1 else "{} mirrors".format(len(ways)), wrong and kind + ": " + wrong)]
        if not wrong:
            # The same command, once one mirror is well.
            server = _Server("whole", content, 0.5)
            servers.append(server)
            run = bench.run_words(words, folder, before=functools.partial(_aim, data_dir, [server.url], content, False))
            wrong = judge(run, (0,)) or strays(folder) or _judge_folder(run, data_dir, content, True)
            outcomes.append(Outcome("a good mirror afterwards", wrong and kind + ": " + wrong))
        return outcomes
    finally:
        for server in servers:
            server.close()


def _zip_of(bench, rng):
    """The prepared data set as ModelNet40's zip has it: bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files_in(bench.data):
            archive.write(path, provider.MODELNET40 + "/" + os.path.relpath(path, bench.data))
        # It does not shrink, and makes the download long enough to break.
        archive.writestr(provider.MODELNET40 + "/noise", rng.getrandbits(8 * 200000).to_bytes(200000, "big"))
    return file.getvalue()


def _aim(data_dir, urls, content, is_full):
    """In the new process: what is fetched, from where, to where, and how long it may take."""
    # The campaign ignores it in the process that this one was forked from.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    provider.DATA_DIR = data_dir
    provider.MIRRORS = urls
    provider.ZIP_BYTES = len(content)
    provider.ZIP_SHA256 = hashlib.sha256(content).hexdigest()
    fetch.STALL_SECONDS = 2
    if is_full:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))


def _judge_folder(run, data_dir, content, must_be_there):
    """What is wrong with what lies in data/; None where all is right."""
    found = [os.path.relpath(path, data_dir) for path in files_in(data_dir)]
    inside = [path for path in found if path.startswith(provider.MODELNET40 + os.sep)]
    others = sorted(set(found) - set(inside))
    if run.status == 0 or inside:
        archive = zipfile.ZipFile(io.BytesIO(content))
        unpacked = {}
        for path in inside:
            with open(os.path.join(data_dir, path), "rb") as file:
                unpacked[path.replace(os.sep, "/")] = file.read()
        if unpacked != {name: archive.read(name) for name in archive.namelist()}:
            return "unpacks other files, {}".format(len(inside))
        if others and run.status == 0:
            return "leaves {}".format(", ".join(others))
    folders = sorted(set(os.listdir(data_dir)) - {provider.MODELNET40} - set(others))
    endings = (".zip.part",) if run.status != -9 else (".zip.part", ".zip.part.new", ".lock")
    # Ended before it was at its own data, it swept nothing either; killed, it leaves what it was at.
    allowed = {provider.MODELNET40 + ending for ending in endings}
    if set(others) - allowed and run.status != -9 or run.status in (0, 2) and folders:
        return "leaves {}".format(", ".join(others + folders))
    if must_be_there and run.status != 0:
        return "fails, though a mirror is well: " + run.err
    return None


def _lost(data_dir, begun):
    """What is wrong with what was fetched before and is right; None where it is there still."""
    path = os.path.join(data_dir, provider.MODELNET40)
    if os.path.isdir(path):
        return None
    there = b""
    if os.path.isfile(path + ".zip.part"):
        with open(path + ".zip.part", "rb") as file:
            there = file.read(len(begun))
    return None if there == begun else "loses {} bytes that were fetched".format(len(begun))


class _Server:
    """A server of one file on this machine.

    Attributes:
      url: of the file.
    """

    def __init__(self, way, content, where):
        """way: one of WAYS; where: share of the file after which it breaks."""
        handler = type("Handler", (_Handler,), {"way": way, "content": content, "cut_at": int(where * len(content))})
        self._server = _ThreadingServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = "http://127.0.0.1:{}/file.zip".format(self._server.server_address[1])

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _ThreadingServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass  # whoever asked has left


class _Handler(http.server.BaseHTTPRequestHandler):
    way, content, cut_at = "whole", b"", 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        way, content, asked = self.way, self.content, self.headers.get("Range")
        start = int(asked[6:-1]) if asked else 0
        if self.path == "/page":
            return self._send(200, PAGE)
        if way == "resets":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return self.connection.close()
        if way == "a long reason":
            return self.wfile.write(b"HTTP/1.0 500 \x1b[2J" + b"no " * 9000 + b"\r\n\r\n")
        if way.startswith("status "):
            return self._send(int(way[7:]), b"" if way.endswith("204") else PAGE)
        if way.startswith("redirects"):
            place = {"to a page": "/page", "in circles": self.path, "nowhere": "http://127.0.0.1:9/x"}[way[10:]]
            return self._send(302, b"", Location=place)
        if way in ("closes at once", "garbage", "endless headers"):
            self.wfile.write({"garbage": b"\x00\xff garbage\r\n\r\n", "closes at once": b""}.get(way, b""))
            if way == "endless headers":
                self.wfile.write(b"HTTP/1.0 200 OK\r\n" + b"X-Header: x\r\n" * 5000)
            return None
        if way in ("login page", "login page without length", "empty"):
            return self._send(200, b"" if way == "empty" else PAGE, has_length=way != "login page without length")
        if way.startswith("another file"):
            content = content[::-1]
        if way == "twice the file":
            content = content * 2
        if way.startswith("ignores ranges"):
            start = 0
        if way == "is silent":
            time.sleep(6)
            return None
        return self._send_file(way, content, start)

    def _send_file(self, way, content, start):
        if start > len(content) or start == len(content) and way != "twice the file":
            return self._send(416, b"")
        total, first = len(content), start
        if way == "another range" and start:
            first = start // 2
        if way == "a range of another file":
            total += 17
        headers = {"Content-Range": "bytes {}-{}/{}".format(first, len(content) - 1, total)} if start else {}
        if way == "nonsense for a range" and start:
            headers = {"Content-Range": "bytes x/y"}
        body = content[first:]
        length = len(body) + {"says less than it sends": -1000, "says more than it sends": 1000}.get(way, 0)
        if "breaks off" in way or way == "another file in part":
            body = body[: self.cut_at]
        if way == "breaks off with half a header":
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Len")
            return None
        if way == "chunks that break off":
            self.protocol_version = "HTTP/1.1"
            return self._send(206 if start else 200, b"ffff\r\n" + body[:1000], False, **dict(headers, **CHUNKED))
        if way == "drips":
            return self._drip(206 if start else 200, body, length, headers)
        if way == "more than the range":
            return self._send(206 if start else 200, body + PAGE, not start, length, **headers)
        return self._send(206 if start else 200, body, not way.startswith("no length"), length, **headers)

    def _drip(self, status, body, length, headers):
        self._send(status, b"", True, length, **headers)
        for at in range(len(body)):
            self.wfile.write(body[at : at + 1])
            time.sleep(0.05)

    def _send(self, status, body, has_length=True, length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if has_length:
            self.send_header("Content-Length", str(max(0, len(body) if length is None else length)))
        self.end_headers()
        self.wfile.write(body)


CHUNKED = {"Transfer_Encoding": "chunked"}
