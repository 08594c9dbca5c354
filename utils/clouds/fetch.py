"""Fetches a large file from mirrors: resumable, checked, and never without an end.

Our own: urlretrieve, requests and pooch begin a broken download anew; this goes on with it, at another mirror too.
"""

import contextlib
import hashlib
import http.client
import os
import queue
import re
import threading
import time
import urllib.error
import urllib.request

from utils import progress
from utils.files import InputError, printable, replace, writing

BLOCK_BYTES = 1 << 20
# Of a mirror that answers without an end; what it gave is kept, so that the next one or the next call goes on from it.
STALL_SECONDS = 60
STALL_BYTES = 1 << 18  # fewer in that time is no progress
MAX_SECONDS = 6 * 3600
RANGE_NOT_SATISFIABLE = 416
POLL_SECONDS = 0.5  # Windows hears no Ctrl-C while a queue is waited for
ANEW = ".new"  # ending of what may be something else than the file, or replaces a doubtful beginning
BROKEN_OFF = "the connection broke off; started again, it goes on from there"


class NotFetched(InputError):
    """No mirror gave the file."""


class _NoRange(OSError):
    """A mirror does not give the part of the file that it was asked for. It may give the whole."""


def download(urls, path, num_bytes, sha256):
    """Downloads a file from the first mirror that gives it.

    What a broken download left is kept, and continued by the next mirror or the next call. What an answer gives that
    turns out to be another file never takes its place: not a login page, and not a file of the same size.

    Args:
      urls: mirrors, in the order to try.
      path: the file, which is whole only once this returns; no other process downloads it at the same time.
      num_bytes: its size.
      sha256: its checksum, hexadecimal.

    Raises:
      NotFetched: no mirror gave the file, and the text says what each one answered.
      InputError: it cannot be written.
      KeyboardInterrupt: with words that say that the next call goes on.
    """
    try:
        if _size(path) >= num_bytes:
            if _is_right(path, num_bytes, sha256):
                return
            _remove(path)
        failures = []
        for url in urls:
            print("Fetching {}".format(url))
            try:
                if _complete(url, path, num_bytes, sha256):
                    return
                reason = "another file than expected"
            except (OSError, http.client.HTTPException, ValueError) as error:
                if isinstance(error, InputError):
                    raise
                reason = _reason(error)
            finally:
                _remove(path + ANEW)
            failures.append("{}: {}".format(url.split("/")[2], reason))
            print("  failed: {}".format(failures[-1]))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("what was fetched is kept, and the next run goes on from there")
    raise NotFetched("could not be fetched ({})".format("; ".join(failures)))


def has_checksum(path, sha256):
    """Whether a file's SHA-256 is the given one (hexadecimal)."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            digest.update(block)
    return digest.hexdigest() == sha256


def _complete(url, path, num_bytes, sha256):
    """Fetches from one mirror what a file lacks; whether it is whole and right then.

    If not, what was there before is there still, or more of the same.
    """
    done = _size(path)
    try:
        with contextlib.closing(_Answer(url, done)) as answer:
            start, size = answer.start_and_size(num_bytes)
            if start < done or size is None:
                return _fetch_anew(answer, path, num_bytes, sha256, is_more=size and _begins_with)
            _write(answer, path, done, num_bytes)
    except _NoRange:
        with contextlib.closing(_Answer(url, 0)) as answer:
            _, size = answer.start_and_size(num_bytes)
            return _fetch_anew(answer, path, num_bytes, sha256, is_more=size and _begins_with)
    if _is_right(path, num_bytes, sha256):
        return True
    if not done:
        _remove(path)
        return False
    with writing(path):
        os.truncate(path, done)
    # Its beginning may be another mirror's fault.
    with contextlib.closing(_Answer(url, 0)) as answer:
        _, size = answer.start_and_size(num_bytes)
        # Of two beginnings that differ, the one whose end has been seen to be wrong is the more doubtful.
        return _fetch_anew(answer, path, num_bytes, sha256, is_more=size and (lambda *_: True))


def _fetch_anew(answer, path, num_bytes, sha256, is_more):
    """Fetches a file beside one that was begun, which it replaces when it is whole; whether it is the right one.

    One that breaks off replaces it where it is longer and `is_more(new, path)` says so; None: never.
    """
    new = path + ANEW
    try:
        _write(answer, new, 0, num_bytes)
    except BaseException:  # Ctrl-C, too
        if is_more and _size(new) > _size(path) and is_more(new, path):
            with writing(path):
                replace(new, path)
        raise
    if not _is_right(new, num_bytes, sha256):
        return False
    with writing(path):
        replace(new, path)
    return True


def _write(answer, path, start, num_bytes):
    """Writes an answer into a file from a byte on, up to the size that it is to have. Raises what breaks it off."""
    with progress.Progress("Fetching", num_bytes, "bytes", start, is_bytes=True) as bar:
        with writing(path):
            file = open(path, "r+b" if start else "wb")  # noqa: SIM115, closed below
        with contextlib.closing(file):
            file.seek(start)
            for block in answer.blocks():
                block = block[: num_bytes - bar.done]
                with writing(path):
                    file.write(block)
                    file.flush()
                bar.update(len(block))
                if bar.done == num_bytes:
                    return
    raise OSError(BROKEN_OFF)


def _begins_with(longer, shorter):
    """Whether a file begins with the bytes of a shorter one."""
    with open(longer, "rb") as first, open(shorter, "rb") as second:
        blocks = iter(lambda: second.read(BLOCK_BYTES), b"")
        return all(first.read(len(block)) == block for block in blocks)


def _is_right(path, num_bytes, sha256):
    with writing(path):
        return _size(path) == num_bytes and has_checksum(path, sha256)


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def _remove(path):
    with writing(path), contextlib.suppress(FileNotFoundError):
        os.remove(path)


def _reason(error):
    """Why a mirror failed, in words for its user."""
    if isinstance(error, urllib.error.HTTPError):
        words = "status {} {}".format(error.code, error.reason)
    elif isinstance(error, http.client.IncompleteRead):
        words = BROKEN_OFF
    elif isinstance(error, (http.client.HTTPException, ValueError)):
        words = "what answers there is no web server, or a broken one"
    else:
        words = str(getattr(error, "reason", error)) or "it does not answer"
    return printable(" ".join(words.split()), 200)


class _Answer:
    """A mirror's answer, read in a thread of its own, so that one that never ends can be left."""

    def __init__(self, url, done):
        """Asks for a file, from a byte on."""
        self._request = urllib.request.Request(url, headers={"Range": "bytes={}-".format(done)} if done else {})
        self._done = done
        self._queue = queue.Queue(maxsize=64)
        self._is_left = threading.Event()
        self._start = self._window = time.monotonic()
        self._in_window = 0
        threading.Thread(target=self._read, daemon=True).start()

    def close(self):
        """Leaves the answer, be it at its end or not."""
        self._is_left.set()

    def start_and_size(self, num_bytes):
        """From which byte the answer gives the file, and the size of the whole file, None where it does not say.

        Raises:
          _NoRange: it does not give the file from where it was asked for, nor from its beginning.
          OSError: there is no answer in time, or the file has not `num_bytes` bytes.
        """
        try:
            code, headers = self._next()
        except urllib.error.HTTPError as error:
            raise _NoRange(str(error)) if error.code == RANGE_NOT_SATISFIABLE and self._done else error
        start, size = 0, headers.get("Content-Length", "")
        # A server that ignores the range sends the file from its beginning.
        if code == 206:
            found = re.match(r"bytes ([0-9]+)-[0-9]+/([0-9]{1,18})$", headers.get("Content-Range", ""))
            if not found or found.group(1) != str(self._done):
                raise _NoRange("it answers with another part of the file than asked for")
            start, size = self._done, found.group(2)
        if not re.match("[0-9]{1,18}$", size):
            return start, None
        if int(size) != num_bytes:
            raise OSError("the file there is {} than expected".format("larger" if int(size) > num_bytes else "smaller"))
        return start, num_bytes

    def blocks(self):
        """Yields the bytes as they come. Raises an OSError where they are too slow, and whatever breaks the answer."""
        while True:
            block = self._next()
            if not block:
                return
            self._in_window += len(block)
            yield block

    def _next(self):
        while True:
            now = time.monotonic()
            if now - self._start > MAX_SECONDS:
                raise OSError("it took too long; started again, it goes on from there")
            if now - self._window >= STALL_SECONDS:
                if self._in_window < STALL_BYTES:
                    raise OSError("it is too slow or silent; started again, it goes on from there")
                self._window, self._in_window = now, 0
            try:
                found = self._queue.get(timeout=min(POLL_SECONDS, STALL_SECONDS / 10))
            except queue.Empty:
                continue
            if isinstance(found, BaseException):
                raise found
            return found

    def _read(self):
        try:
            with urllib.request.urlopen(self._request, timeout=STALL_SECONDS) as answer:
                self._put((answer.getcode(), answer.headers))
                # Not `read`, which waits until a block is full.
                while self._put(answer.read1(BLOCK_BYTES)):
                    pass
        except Exception as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # else its page would be waited for
            self._put(error)

    def _put(self, found):
        """Hands something over; returns it where there is more to come."""
        while not self._is_left.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(found, timeout=1)
                return found
        return None
