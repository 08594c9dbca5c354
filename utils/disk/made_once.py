"""A folder that is made once: of several processes that want it one makes it, and the others take what that made."""

import contextlib
import glob
import os
import shutil

from utils.disk import locks
from utils.files import InputError, make_folder

LOCK = ".lock"
BEGUN_BY_VERSION_1 = ".unpacking-*"
MOST_SECONDS_TO_WAIT = 24 * 3600  # for the other process; a download of ours ends sooner


def begun(folder):
    """Where this process makes the content of a folder, which then gets its name."""
    return "{}.{}.tmp".format(folder, os.getpid())


def make_once(folder, make, argument, needless=()):
    """Makes a folder unless it is there, and removes what killed processes left beside it.

    Only one process at a time makes it, so that whatever is begun there, and not its own, is of a dead one.

    Args:
      folder: the folder.
      make: function of the folder, which fills `begun(folder)` and gives it its name.
      argument: name of the argument that gives the folder, for the message.
      needless: paths of files that serve the making alone, and are removed once the folder is there.

    Returns:
      Whether it was made here; otherwise it was there, or another process made it in the meantime.

    Raises:
      InputError: it cannot be written; or as `make` does.
    """
    folder = os.path.abspath(folder)
    is_there = os.path.isdir(folder)
    if is_there and not _left(folder, needless):
        return False
    seconds = 0 if is_there else MOST_SECONDS_TO_WAIT
    way_on = "wait until that ends, or give another `{}`".format(argument)
    try:
        if not is_there:
            make_folder(os.path.dirname(folder), argument)
        with locks.hold(folder + LOCK, "{} is being made by".format(folder), way_on, seconds, seconds):
            for path in _begun(folder):
                shutil.rmtree(path, ignore_errors=True)
            is_missing = not os.path.isdir(folder)
            if is_missing:
                make(folder)
            for path in needless:
                with contextlib.suppress(OSError):
                    os.remove(path)
            return is_missing
    except InputError:
        # Who reads a folder that is there needs neither the lock nor leave to write.
        if not is_there:
            raise
        return False


def _begun(folder):
    parent = glob.escape(os.path.dirname(folder))
    return glob.glob(glob.escape(folder) + ".*.tmp") + glob.glob(os.path.join(parent, BEGUN_BY_VERSION_1))


def _left(folder, needless):
    """Whether a process that was killed, or one that is about to end, left something beside the folder."""
    return bool(_begun(folder)) or any(os.path.lexists(path) for path in (folder + LOCK,) + tuple(needless))
