"""A server on this machine that gives a file, well or badly."""

import contextlib
import hashlib
import http.server
import socketserver
import threading
import time

from utils.clouds import fetch

CONTENT = bytes(range(256)) * 40000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.contextmanager
def serve(
    content, ranges=True, cut_at=None, has_length=True, seconds_a_byte=0, seconds_of_silence=0, extra=b"", status=None
):
    """A server of one file on the loopback; yields its address and the list of the ranges asked for.

    With `cut_at`, its answers break off after so many bytes. It can leave out their length, drip, think for long, send
    something more, and say a (status, reason) of its own.
    """
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("Range"))
            start = int(asked[-1][6:-1]) if asked[-1] and ranges else 0
            time.sleep(seconds_of_silence)
            self.send_response(*(status or (206 if start else 200,)))
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
                    self.wfile.write(content[start:][:cut_at] + extra)

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


def download(urls, path):
    """Fetches CONTENT from one of the addresses."""
    fetch.download(urls, str(path), len(CONTENT), SHA256)
