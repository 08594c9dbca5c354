"""Locks that keep two processes from writing the same thing at once. A kill releases them; reading asks for none."""

import contextlib
import errno
import json
import os
import socket
import sys
import threading
import time
from typing import NamedTuple, Optional, Tuple

from utils import files
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
# A holder touches its file so often, and counts as dead after so many seconds without, where nothing else tells.
BEAT_SECONDS, DEAD_SECONDS = 10, 60
SETTLE_SECONDS = 0.2
# A process that was killed as it started another one leaves it the lock until that runs, which is a moment as a rule.
LET_GO_SECONDS = 10
HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)


class Held(InputError):
    """Another process holds the lock."""


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

    def is_dead(self):
        """Whether it certainly no longer runs. Windows does not tell: to ask there by signal 0 would be Ctrl-C."""
        return fcntl is not None and self.process > 0 and not self.is_elsewhere() and not _is_alive(self.process)

    def __str__(self):
        if not self.process:
            return self.program
        return "{} (process {} on host {}, since {})".format(self.program, self.process, self.host, self.since)


@contextlib.contextmanager
def hold_folder(folder, argument, wait_seconds=0):
    """A context in which no other process holds the same folder.

    Args:
      folder: one that is there, and can be written.
      argument: name of the argument that gave it, for the message.
      wait_seconds: how long to wait for a holder, wherever it runs.

    Raises:
      Held: another process holds it; the text names that.
    """
    words = "`{}` {} is in use by".format(argument, folder)
    way_on = "wait until that ends, or give another `{}`".format(argument)
    with hold(os.path.join(folder, FOLDER_LOCK), words, way_on, wait_seconds, wait_seconds):
        yield


@contextlib.contextmanager
def hold(path, words, way_on, wait_seconds=0, wait_elsewhere_seconds=0, seen=None):
    """A context in which this process holds a lock.

    A lock whose process is dead is taken over. Of one on another computer, or on a disk without locks, the time of the
    file tells: its holder touches it, so that one without is watched for a minute.

    Args:
      path: the lock's file, which is there as long as the lock is held; its folder is made where need be.
      words: the beginning of the message, to which the holder is added: "x is in use by".
      way_on: its end: what the user can do.
      wait_seconds: how long to wait, saying so, for a holder on this computer.
      wait_elsewhere_seconds: the same for one on another.
      seen: of `look`, since when the file is watched; None: from now on.

    Raises:
      Held: another process holds it.
      InputError: the file cannot be written.
    """
    descriptor = _wait(path, words, way_on, wait_seconds, wait_elsewhere_seconds, seen)
    is_released = threading.Event()
    threading.Thread(target=_beat, args=(path, is_released), daemon=True).start()
    try:
        yield
    finally:
        is_released.set()
        _release(descriptor, path)


def look(path):
    """What `hold` goes by that watches a lock from now on: of several, all are watched while one waits for the first.

    Returns:
      What changes each time that its holder touches the file, and the time; None where there is no such file.
    """
    try:
        # Opened, since a disk of the network may tell what it knew of a file a minute ago.
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return _beat_of(descriptor), time.time()
    finally:
        os.close(descriptor)


def _beat(path, is_released):
    while not is_released.wait(BEAT_SECONDS):
        with contextlib.suppress(OSError):
            os.utime(path)


class _Attempt(NamedTuple):
    """What came of an attempt to take a lock.

    Attributes:
      descriptor: of its file, open as long as the lock is held; None where it was not taken.
      holder: the Holder who has it, or had it.
      is_certain: whether that lives for certain.
      beat: what changes each time that it touches the file.
    """

    descriptor: Optional[int]
    holder: Optional[Holder] = None
    is_certain: bool = False
    beat: Tuple[int, ...] = ()


def _wait(path, words, way_on, wait_seconds, wait_elsewhere_seconds, seen):
    start, said = time.time(), None
    (beat, watched_since), is_seen_alive = seen or (None, start), False
    while True:
        now = time.time()
        found = _try_to_take(path, dead_beat=beat if now - watched_since >= DEAD_SECONDS else None)
        if found.descriptor is not None:
            return found.descriptor
        if found.beat != beat:
            is_seen_alive = beat is not None
            beat, watched_since = found.beat, now
        if found.is_certain or is_seen_alive:
            line = "{} {}: waiting until that ends".format(words, found.holder)
            seconds = wait_elsewhere_seconds if found.holder.is_elsewhere() else wait_seconds
            if found.holder.is_dead():
                seconds = max(seconds, LET_GO_SECONDS)
            if now - start >= seconds:
                raise Held("{} {}: {}".format(words, found.holder, way_on))
        else:
            line = "{} {}, or was: looking for {:.0f} s whether that still runs".format(
                words, found.holder, DEAD_SECONDS
            )
        if line != said:
            print(line)
            said = line
        time.sleep(POLL_SECONDS)


def _try_to_take(path, dead_beat):
    """Takes a lock, if nobody has it; returns an _Attempt.

    Args:
      path: its file.
      dead_beat: the beat of a holder that was watched for long enough, or None.
    """
    while True:
        with files.writing(path, "delete it if no such process runs, or give another folder"):
            descriptor, is_kept = _open(path), False
        try:
            holder = _read(descriptor)
            is_free = _lock(descriptor)
            # On Windows an open file stays where it is.
            if is_free and fcntl is not None and not _is_at(descriptor, path):
                continue  # its holder deleted it in between, as it ended
            # Read anew: an earlier holder may have let go of it in between.
            holder, beat = _read(descriptor), _beat_of(descriptor)
            if is_free is False:
                return _Attempt(None, holder, True, beat)
            is_doubtful = holder.is_elsewhere() or (is_free is None and _is_alive(holder.process))
            if is_doubtful and beat != dead_beat:
                return _Attempt(None, holder, False, beat)
            with files.writing(path):
                _write(descriptor)
            if is_free is None:
                # Of several that came at once, the last to write its name has it.
                time.sleep(SETTLE_SECONDS)
                holder = _read(descriptor)
                if holder.process != os.getpid() or holder.is_elsewhere() or not _is_at(descriptor, path):
                    return _Attempt(None, holder, True, beat)
            is_kept = True
            return _Attempt(descriptor)
        finally:
            if not is_kept:
                os.close(descriptor)


def _beat_of(descriptor):
    state = os.fstat(descriptor)
    return state.st_ino, state.st_mtime_ns


def _open(path):
    tries_left = 10
    while True:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            break
        except FileNotFoundError:
            tries_left -= 1
            if not tries_left:
                raise
            # Another process removed the folder in between, as it was left empty.
        except PermissionError:
            tries_left -= 1
            if not (os.name == "nt" and os.path.isfile(path) and tries_left):
                raise
            time.sleep(POLL_SECONDS)  # its holder is deleting it
    # Who shares the folder is to take the lock over after a kill.
    with contextlib.suppress(OSError):
        os.chmod(path, 0o666)
    return descriptor


def _lock(descriptor):
    """Asks the system for the lock, which it frees when this process ends, be it killed.

    Returns:
      Whether it gave it; None where the disk has no locks.
    """
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        return True
    except OSError as error:
        return False if error.errno in HELD or fcntl is None else None


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
    """The Holder that a lock's file names; nobody where it cannot be read, as a file on SMB that another has locked."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        held = json.loads(os.read(descriptor, 4096).decode("utf-8"))
        return Holder(int(held["process"]), str(held["host"]), str(held["program"]), str(held["since"]))
    except (ValueError, KeyError, TypeError, OSError):
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
            os.unlink(path)
    os.close(descriptor)
    with contextlib.suppress(OSError):
        if fcntl is None:
            os.remove(path)
