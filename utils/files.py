"""Files written whole or not at all, settings that must stay, and the error that names what cannot be used."""

import contextlib
import errno
import io
import json
import os
import platform
import re
import shutil
import sys
import time
import zipfile
import zlib

import utils

PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = "pointcloud-grad-cam"  # its name among the versions that files keep
LONG_LIST = 10
SECONDS_TO_KEEP = 3600  # what a killed process had begun to write
TEMPORARY = re.compile(r".+\.\d+\.tmp", re.DOTALL)
NOT_SYNCED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # what disks say that know no fsync
IN_THE_WAY = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST)  # a folder where a file is to be, or a file for a folder
WAITS = (0.1, 0.3, 1.0, 2.0)  # seconds between tries to replace a file that is held open
# What reading a damaged zip archive, and so an .npz, raises; NotImplementedError where it names an unknown packing.
ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError)


class InputError(ValueError):
    """Something the user gave cannot be used: a file, or the value of an argument.

    Its text is the one line that the user reads: what is wrong, with which file or value, and what to do. It names
    arguments in backticks, as in "`num_points` 5000: the cloud has 1024"; the command line makes flags of these.
    """


def printable(text, most=None):
    """Text of a file or a name as it may be printed: what would move the cursor, ring or break the line is escaped.

    Args:
      text: any text.
      most: cut to so many characters; None: whole.
    """
    if most is not None and len(text) > most:
        text = text[:most] + "..."
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def make_folder(path, argument):
    """Makes a folder, unless it is there, and makes sure that files can be written into it.

    Args:
      path: the folder.
      argument: name of the argument that it came from, for the message.

    Raises:
      InputError: it cannot be made or written.
    """
    try:
        os.makedirs(path, exist_ok=True)
        _try_to_write_in(path)
    except OSError as error:
        raise InputError(
            "cannot write to {} ({}): give another folder with `{}`".format(path, error.strerror, argument)
        )


def _try_to_write_in(folder):
    """Writes an empty file in a folder and removes it. Raises an OSError where that cannot be done.

    Not by `tempfile`: where Windows refuses, that takes its name for a folder's and tries 2^31 others (bpo-22107).
    """
    # By such a name (TEMPORARY) a later run knows, and removes, what a kill left.
    path = os.path.join(folder, "written-to-try.{}.tmp".format(os.getpid()))
    try:
        with open(path, "wb"):
            pass
    finally:
        with contextlib.suppress(OSError):
            os.remove(path)


def replace_file(path, write, mode="w"):
    """Writes a file whole or not at all: `write(file)` fills a temporary neighbour, which then takes its place.

    What holds after a power cut is said at `put_in_place`.

    Args:
      path: the file to write; what was there is kept until the new one is complete.
      write: function of one open file object.
      mode: "w" for text (UTF-8, line feeds alone) or "wb".
    """
    text_options = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    temporary = "{}.{}.tmp".format(path, os.getpid())  # TEMPORARY
    try:
        with writing(path), open(temporary, mode, **text_options) as file:
            write(file)
        with writing(path):
            put_in_place(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # it has its name, or the disk is gone
            os.remove(temporary)


def sweep(folder):
    """Removes the temporary neighbours of files that killed processes left in a folder, those of an hour ago and more.

    Younger ones may be of a process that still writes: a report is written while others go on.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if TEMPORARY.fullmatch(name) and time.time() - os.path.getmtime(path) > SECONDS_TO_KEEP:
                os.remove(path)


def replace(source, target):
    """As `os.replace`, but tried again for some seconds where another program holds the target open on Windows.

    A viewer, a spreadsheet or a virus scanner lets go of a file soon, or the user closes it.

    Raises:
      InputError: it is held open still.
      OSError: as of `os.replace`.
    """
    _once_let_go(target, lambda: os.replace(source, target))


def remove(path):
    """As `os.remove`, but tried again, and refused, as `replace` does."""
    _once_let_go(path, lambda: os.remove(path))


def remove_folder(path):
    """As `shutil.rmtree`, but tried again, and refused, as `replace` does."""
    _once_let_go(path, lambda: shutil.rmtree(path))


def open_to_add(path, mode):
    """As `open` of a text file (UTF-8) to add to it, but tried again, and refused, as `replace` does."""
    return _once_let_go(path, lambda: open(path, mode, encoding="utf-8", newline="\n"))


def _once_let_go(target, act):
    waits = iter(WAITS)
    while True:
        try:
            return act()
        except OSError as error:
            # A folder without permission is no better in a moment. What is removed but open elsewhere still fills one.
            is_windows = os.name == "nt" or getattr(error, "winerror", None) is not None
            if not is_windows or not (isinstance(error, PermissionError) or error.errno == errno.ENOTEMPTY):
                raise
            seconds = next(waits, None)
            if seconds is None:
                raise InputError("{} is held open by another program: close it there and run this again".format(target))
        time.sleep(seconds)


def write_json(path, values):
    """Writes a dictionary as JSON, sorted and indented, whole or not at all."""
    replace_file(path, lambda file: file.write(json.dumps(values, indent=2, sort_keys=True) + "\n"))


def write_npz(path, arrays):
    """Writes a dictionary of arrays as a compressed .npz, whole or not at all."""
    import numpy as np

    content = io.BytesIO()
    # Not straight to the file: where a disk is full, Python shows a traceback of the zip that it could not end.
    np.savez_compressed(content, **arrays)
    replace_file(path, lambda file: file.write(content.getvalue()), "wb")


def read_json(path, way_on):
    """Reads a dictionary that `write_json` wrote.

    Args:
      path: the file.
      way_on: what the user can do where it cannot be read, for the message.

    Raises:
      InputError: it cannot be read, or holds something else.
    """
    try:
        # Editors of Windows begin a file with a byte-order mark.
        with open(path, encoding="utf-8-sig") as file:
            return dict(json.load(file))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError("{} cannot be read ({}): {}".format(path, error, way_on))


def check_same_settings(path, settings, argument, way_on="repeat that or give another", newer=None, before=None):
    """Refuses to go on with other settings than what is in a folder began with.

    Args:
      path: the JSON file that holds the settings of the beginning, among others.
      settings: dictionary from the names of arguments to the values that must be the same. A setting that the file
        lacks, as it is older than the setting, is taken to be the same, unless `newer` has it.
      argument: name of the argument that gives the folder.
      way_on: what the user can do, for the message; the name of the argument follows.
      newer: dictionary from the names of settings that a file may lack to what these were before there was a choice.
      before: what the file holds, where that has been read; None: it is read here.

    Raises:
      InputError: one differs, or the file cannot be read.
    """
    there = read_json(path, "mend it or give another `{}`".format(argument)) if before is None else before
    before = dict(newer or {}, **there)
    for name, value in settings.items():
        value = json.loads(json.dumps(value))  # JSON has lists for tuples.
        if name in before and before[name] != value:
            now, then = _told_apart(value, before[name])
            raise InputError(
                "`{}` {}: what {} holds began {}; {} `{}`".format(
                    name,
                    "not given" if now is None else now,
                    os.path.dirname(path),
                    "without it" if then is None else "with {}".format(then),
                    way_on,
                    argument,
                )
            )


def _told_apart(first, second):
    """Two values that differ, for a message: of long lists their lengths, or where they differ at first."""
    if not (isinstance(first, list) and isinstance(second, list)) or max(len(first), len(second)) <= LONG_LIST:
        return first, second
    if len(first) != len(second):
        return "of {} entries".format(len(first)), "{}".format(len(second))
    place = next(at for at, pair in enumerate(zip(first, second)) if pair[0] != pair[1])
    return "with {} in place {}".format(first[place], place + 1), second[place]


def versions():
    """Versions of the program, Python, the platform and the loaded libraries: a dictionary of strings."""
    found = {PROGRAM: utils.__version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in ("tensorflow", "numpy", "scipy", "h5py", "open3d", "matplotlib"):
        if name in sys.modules:
            found[name] = sys.modules[name].__version__
    return found


def put_in_place(written, path):
    """Gives a whole new file or folder its name, in the place of a file that has it.

    This is what the program promises of its files: after a kill or a power cut there is the old one or the new one, and
    never a part. For that the content is on the disk before the name, and the name before this returns, so that of two
    files put in place one after the other the second is never there without the first.

    Args:
      written: the file or folder, complete and closed, in the same file system.
      path: where it goes.

    Raises:
      InputError, OSError: it cannot; what was at `path` is still there.
    """
    for folder, _, names in os.walk(written):
        for name in names:
            sync(os.path.join(folder, name))
        sync(folder)
    if os.path.isfile(written):
        sync(written)
    replace(written, path)
    sync(os.path.dirname(os.path.abspath(path)))


def sync(path):
    """Waits until a file's content, or a folder's names, are on the disk.

    Raises:
      OSError: the content is not.
    """
    is_folder = os.path.isdir(path)
    if is_folder and os.name == "nt":
        return  # Windows opens no folder; NTFS keeps renames in their order.
    try:
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        # The name is given already, and some disks sync no folder. Content that a disk does not take is lost.
        if not is_folder and error.errno not in NOT_SYNCED:
            raise


@contextlib.contextmanager
def writing(path, way_on=None):
    """A context in which a file is written: a full disk or a folder that vanished is said with its name.

    Args:
      path: the file.
      way_on: what the user can do, for the message; None: free space, or move away what is in the way.

    Raises:
      InputError: in the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        if way_on is None and error.errno in IN_THE_WAY:
            way_on = "move away what stands there under that name, or give another folder"
        way_on = way_on or "free space there or mend the disk, and run this again"
        reason = os.strerror(error.errno) if error.errno else error
        raise InputError("cannot write {} ({}): {}".format(path, reason, way_on))
