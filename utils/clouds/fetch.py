"""Fetches a large file from mirrors and unpacks it: resumable, checked, and whole or not at all.

Our own: urlretrieve, requests and pooch begin a broken download anew; this goes on with it, at another mirror too.
"""

import contextlib
import errno
import glob
import hashlib
import http.client
import lzma
import os
import queue
import re
import shutil
import struct
import tempfile
import threading
import time
import urllib.request
import zipfile
import zlib

from tqdm import tqdm

from utils.files import InputError, put_in_place, writing

BLOCK_BYTES = 1 << 20
# Of a mirror that answers without an end; what it gave is kept, so that the next one or the next call goes on from it.
STALL_SECONDS = 60
STALL_BYTES = 1 << 18  # fewer in that time is no progress
MAX_SECONDS = 6 * 3600
# Of a zip; ModelNet40's has 30 files and hardly shrinks.
MAX_FILES = 10000
MAX_UNPACKED_BYTES = 1 << 33
MAX_RATIO = 100
UNPACKING = ".unpacking-"
UNSIZED = ".new"  # ending of an answer whose size nobody knows
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG)
DAMAGED = (zlib.error, lzma.LZMAError, struct.error, IndexError)
BROKEN_ANSWERS = (OSError, ValueError, http.client.HTTPException)  # the last two of a proxy, perhaps


def download(urls, path, num_bytes, sha256):
    """Downloads a file from the first mirror that gives it.

    What a broken download left is kept, and continued by the next mirror or the next call. An answer that does not
    promise a file of this size, as a login page does not, leaves it as it is.

    Args:
      urls: mirrors, in the order to try.
      path: the file, which is whole only once this returns; no other process downloads it at the same time.
      num_bytes: its size.
      sha256: its checksum, hexadecimal.

    Raises:
      InputError: no mirror gave the file, and the text says what each one answered; or it cannot be written.
    """
    if os.path.isfile(path) and os.path.getsize(path) == num_bytes and has_checksum(path, sha256):
        return
    failures = []
    for url in urls:
        print("Fetching {}".format(url))
        try:
            if _continue_download(url, path, num_bytes, sha256):
                return
            reason = "another file than expected"
        except InputError:
            raise
        except BROKEN_ANSWERS as error:
            reason = getattr(error, "reason", error)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path + UNSIZED)
        failures.append("{}: {}".format(url.split("/")[2], reason))
        print("  failed: {}".format(failures[-1]))
    raise InputError("could not be fetched ({})".format("; ".join(failures)))


def has_checksum(path, sha256):
    """Whether a file's SHA-256 is the given one (hexadecimal)."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            digest.update(block)
    return digest.hexdigest() == sha256


def unpack(zip_path, folder, required):
    """Unpacks the one top folder of a zip to `folder`, which appears only when it is whole.

    Args:
      zip_path: the zip.
      folder: where its top folder goes; it must not exist.
      required: names of files that must be in it.

    Raises:
      InputError: the zip is damaged, lacks a file, or has a path that leads out of its folder.
    """
    parent = os.path.dirname(os.path.abspath(folder))
    for left in glob.glob(os.path.join(glob.escape(parent), UNPACKING + "*")):
        shutil.rmtree(left, ignore_errors=True)
    with writing(folder):
        temporary = tempfile.mkdtemp(prefix=UNPACKING, dir=parent)
    try:
        _extract(zip_path, temporary)
        tops = [top for top in os.listdir(temporary) if top != "__MACOSX"]
        top = os.path.join(temporary, tops[0]) if len(tops) == 1 else temporary
        missing = [name for name in required if not os.path.isfile(os.path.join(top, name))]
        if missing:
            raise InputError("{} holds no {}: it is another zip; delete it".format(zip_path, missing[0]))
        with writing(folder):
            put_in_place(top, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(zip_path, folder):
    """Unpacks a zip into a folder, unless it is damaged, leads out of it, or holds more than any that we know."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            members = archive.infolist()
            _check_size(zip_path, members, shutil.disk_usage(folder).free)
            inside = os.path.realpath(folder) + os.sep
            for member in members:
                if not os.path.realpath(os.path.join(folder, member.filename)).startswith(inside):
                    raise InputError(
                        "{} holds the path {}, which leads out of its folder: delete it".format(
                            zip_path, member.filename
                        )
                    )
            for member in tqdm(members, desc="Unpacking", unit="file"):
                archive.extract(member, folder)
    except InputError:
        raise
    # A RuntimeError of a password or an unknown method; ValueErrors of names; the rest of cut or damaged content.
    except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError, OSError, *DAMAGED) as error:
        if getattr(error, "errno", None) in DISK_ERRORS:
            raise InputError(
                "{} cannot be unpacked into {} ({}): free space there or mend the disk, and run this again".format(
                    zip_path, os.path.dirname(folder), os.strerror(error.errno)
                )
            )
        raise InputError("{} cannot be unpacked ({}): delete it and try again".format(zip_path, error))


def _check_size(zip_path, members, free_bytes):
    """Refuses a zip of more files or bytes than sense, by what its list says, which is all that is ever unpacked."""
    unpacked, packed = sum(one.file_size for one in members), os.path.getsize(zip_path)
    for number, most, what in (
        (len(members), MAX_FILES, "files"),
        (unpacked, MAX_UNPACKED_BYTES, "bytes"),
        (unpacked // max(packed, 1), MAX_RATIO, "times its size"),
    ):
        if number > most:
            raise InputError(
                "{} would unpack to {} {}, more than the {} of any data set known here: delete it".format(
                    zip_path, number, what, most
                )
            )
    if unpacked > free_bytes:
        raise InputError(
            "{} needs {} bytes, and {} are free there: free more, and run this again".format(
                zip_path, unpacked, free_bytes
            )
        )


def _continue_download(url, part, num_bytes, sha256):
    """Fetches what a part lacks; whether it is whole then and the right file. Of a wrong one nothing is left."""
    done = os.path.getsize(part) if os.path.exists(part) else 0
    if done < num_bytes:
        _fetch_rest(url, part, done, num_bytes)
    if has_checksum(part, sha256):
        return True
    os.remove(part)
    # Its beginning may have been another mirror's fault.
    return _continue_download(url, part, num_bytes, sha256) if done else False


def _fetch_rest(url, part, done, num_bytes):
    """Adds to a part what it lacks. What came of an answer of another size, or of none, leaves it as it is."""
    with contextlib.closing(_Answer(url, done)) as answer:
        start, size = answer.start_and_size()
        if size not in (None, num_bytes):
            raise OSError("the file there is {} than expected".format("larger" if size > num_bytes else "smaller"))
        # Only the whole can show what an answer without a size is: a login page has none, often.
        target = part if size else part + UNSIZED
        with tqdm(total=num_bytes, initial=start, unit="B", unit_scale=True, unit_divisor=1024) as bar:
            with writing(target):
                file = open(target, "r+b" if size and done else "wb")  # noqa: SIM115, closed below
            with file:
                file.seek(start)
                for block in answer.blocks():
                    with writing(target):
                        file.write(block)
                        file.flush()
                    bar.update(len(block))
                    if bar.n >= num_bytes:
                        break
            fetched = bar.n
    if not size and fetched == num_bytes:
        os.replace(target, part)
    if fetched > num_bytes:
        raise OSError("the file there is larger than expected")
    if fetched < num_bytes:
        raise OSError("the connection broke off; started again, it goes on from there")


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

    def start_and_size(self):
        """From which byte the answer gives the file, and the size of the whole file, None where it does not say.

        Raises:
          OSError: there is no answer in time, or it is not what was asked for.
        """
        code, headers = self._next()
        if code != 206:
            # A server that ignores the range sends the file from its beginning.
            length = headers.get("Content-Length", "")
            return 0, int(length) if length.isdecimal() else None
        found = re.match(r"bytes (\d+)-\d+/(\d+)$", headers.get("Content-Range", ""))
        if not found or int(found.group(1)) != self._done:
            raise OSError("it answers with another part of the file than asked for")
        return self._done, int(found.group(2))

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
                found = self._queue.get(timeout=max(self._window + STALL_SECONDS - now, 0.001))
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
            self._put(error)

    def _put(self, found):
        """Hands something over; returns it where there is more to come."""
        while not self._is_left.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(found, timeout=1)
                return found
        return None
