"""Locks that keep two processes from writing the same thing at once. A kill releases them; reading asks for none."""

import contextlib
import errno
import json
import os
import socket
import sys
import time
from typing import NamedTuple

from utils.files import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

FOLDER_LOCK = ".lock"
POLL_SECONDS = 0.5
# Windows locks bytes, against reading too: one far behind the text that names the holder.
LOCKED_BYTE = 1 << 20
HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


class Holder(NamedTuple):
    """Who holds a lock, as its file says.

    Attributes:
      process: its number; 0 where nobody knows.
      host: name of its computer; "" where nobody knows.
      program: its script.
      since: when it took the lock, as a text.
    """

    process: int = 0
    host: str = ""
    program: str = "another process"
    since: str = ""

    def is_elsewhere(self):
        """Whether it ran on another computer, where nobody here can see whether it still does."""
        return bool(self.host) and self.host != socket.gethostname()

    def __str__(self):
        if not self.process:
            return self.program
        return "{} (process {} on host {}, since {})".format(self.program, self.process, self.host, self.since)


@contextlib.contextmanager
def hold_folder(folder, argument):
    """A context in which no other process holds the same folder.

    Args:
      folder: one that is there, and can be written.
      argument: name of the argument that gave it, for the message.

    Raises:
      InputError: another process holds it; the text names that.
    """
    words = "`{}` {} is in use by".format(argument, folder)
    with hold(os.path.join(folder, FOLDER_LOCK), words, "wait until that ends, or give another `{}`".format(argument)):
        yield


@contextlib.contextmanager
def hold(path, words, way_on, wait_seconds=0, wait_elsewhere_seconds=0):
    """A context in which this process holds a lock.

    A lock whose process on this computer is dead is taken over. Of one on another computer nobody knows, so it counts
    until its file is deleted.

    Args:
      path: the lock's file, which is there as long as the lock is held; its folder exists.
      words: the beginning of the message, to which the holder is added: "x is in use by".
      way_on: its end: what the user can do.
      wait_seconds: how long to wait, saying so, for a holder on this computer.
      wait_elsewhere_seconds: the same for one on another.

    Raises:
      InputError: another process holds it.
      OSError: the file cannot be written.
    """
    descriptor = _wait(path, words, way_on, wait_seconds, wait_elsewhere_seconds)
    try:
        yield
    finally:
        _release(descriptor, path)


def _wait(path, words, way_on, wait_seconds, wait_elsewhere_seconds):
    start, is_said = time.time(), False
    while True:
        descriptor, holder = _try_to_take(path)
        if descriptor is not None:
            return descriptor
        doubt = "delete {} if it runs no more, else ".format(path) if holder.is_elsewhere() else ""
        if time.time() - start >= (wait_elsewhere_seconds if holder.is_elsewhere() else wait_seconds):
            raise InputError("{} {}: {}{}".format(words, holder, doubt, way_on))
        if not is_said:
            print("{} {}: {}waiting until that ends".format(words, holder, doubt))
            is_said = True
        time.sleep(POLL_SECONDS)


def _try_to_take(path):
    """Takes a lock: (open descriptor of its file, None), or (None, its Holder) where another process has it."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except PermissionError:
            if os.name == "nt" and os.path.exists(path):  # its holder is deleting it
                time.sleep(POLL_SECONDS)
                continue
            raise
        holder = None
        try:
            holder = _read(descriptor)
            is_free = _lock(descriptor, holder)
            if is_free and not _is_at(descriptor, path):
                continue  # its holder deleted it in between, as it ended
            # Read anew: an earlier holder may have let go of it in between.
            holder = _read(descriptor)
            if is_free and not holder.is_elsewhere():
                _write(descriptor)
                descriptor, taken = None, descriptor
                return taken, None
            return None, holder
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _lock(descriptor, holder):
    """Asks the system for the lock, which it frees when this process ends, be it killed; returns whether it gave it."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        return True
    except OSError as error:
        if error.errno in HELD or fcntl is None:
            return False
        # A file system without locks: the file has to tell.
        return not _is_alive(holder.process)


def _is_alive(process):
    try:
        if process > 0:
            os.kill(process, 0)
        return process > 0
    except OverflowError:
        return False
    except OSError as error:
        return error.errno == errno.EPERM


def _is_at(descriptor, path):
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _read(descriptor):
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        held = json.loads(os.read(descriptor, 4096).decode("utf-8"))
        return Holder(int(held["process"]), str(held["host"]), str(held["program"]), str(held["since"]))
    except (ValueError, KeyError, TypeError):
        return Holder()


def _write(descriptor):
    holder = Holder(
        os.getpid(), socket.gethostname(), os.path.basename(sys.argv[0]), time.strftime("%Y-%m-%d %H:%M:%S")
    )
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(holder._asdict()).encode("utf-8"))


def _release(descriptor, path):
    # Deleted while it is held, so that nobody else's is; Windows deletes no open file, and no other's that is open.
    with contextlib.suppress(OSError):
        if fcntl is not None and _is_at(descriptor, path):
            os.remove(path)
    os.close(descriptor)
    with contextlib.suppress(OSError):
        if fcntl is None:
            os.remove(path)
