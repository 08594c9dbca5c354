"""Paths under which TensorFlow reads and writes a checkpoint whose own it does not take. Needs no TensorFlow."""

import contextlib
import os
import shutil
import tempfile

from utils.files import InputError
from utils.network import checkpoint_files

PATTERN_LETTERS = frozenset("[]*?{}\\")


@contextlib.contextmanager
def readable(prefix):
    """A context with a prefix under which TensorFlow's reader finds the files of a checkpoint. It changes none of them.

    The reader looks for the index by pattern, and then opens the files by name, so that no escaping helps: of a folder
    `runs [1]` it would look for `runs 1`. On Windows its patterns have none of the letters that names can have.
    Nor does it take a name that is no UTF-8, as an old zip or another locale leaves it.

    Args:
      prefix: of a checkpoint.

    Yields:
      The prefix, or one of links to its files in a temporary folder that is there as long as the context.

    Raises:
      InputError: there is no folder for them.
    """
    paths = checkpoint_files.whole_files(prefix)
    if _is_plain(prefix) and all(path == prefix + ending for ending, path in paths.items()):
        yield prefix
        return
    with _plain_folder(prefix) as folder:
        for ending, path in paths.items():
            _link(os.path.abspath(path), os.path.join(folder, "model.ckpt" + ending))
        yield os.path.join(folder, "model.ckpt")


@contextlib.contextmanager
def writable(folder):
    """A context with a name under which TensorFlow writes to a folder: its own, or that of a link to it.

    Raises:
      InputError: there is no folder for the link.
    """
    if _is_utf_8(folder):
        yield folder
        return
    with _plain_folder(folder) as plain:
        link = os.path.join(plain, "folder")
        os.symlink(os.path.abspath(folder), link)
        yield link


@contextlib.contextmanager
def _plain_folder(path):
    """A context with a temporary folder of a name that TensorFlow takes, in the place of a path that it does not."""
    tried = (tempfile.gettempdir(), "/tmp", "/var/tmp")
    parent = next((one for one in tried if os.access(one, os.W_OK) and _is_plain(one)), None)
    if parent is None:
        raise InputError(
            "checkpoint {}: TensorFlow reads none in a folder with any of []*?{{}}\\ or no UTF-8 in its name; rename "
            "that, or set TMPDIR to a folder without them".format(path)
        )
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield folder


def _link(path, name):
    try:
        os.symlink(path, name)
    except (OSError, NotImplementedError):  # Windows gives links to few users only
        with contextlib.suppress(FileNotFoundError):  # the reader says what is missing
            shutil.copyfile(path, name)


def _is_plain(path):
    """Whether TensorFlow's reader finds a path as it stands."""
    return _is_utf_8(path) and (os.name == "nt" or not PATTERN_LETTERS & set(path))


def _is_utf_8(path):
    """Whether the bytes of a path are those that TensorFlow makes of its text, whatever this system's encoding is."""
    return os.fsencode(path) == path.encode("utf-8", "surrogatepass")
