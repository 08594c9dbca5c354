"""The folder of a run's results: no run overwrites another's in silence, and no folder holds files of two runs.

A run is written into a folder within its own, which is then renamed: from there on it counts. Only then what was there
goes, and the new files take its place, run.json last; what is cut off within that the next run completes.
"""

import itertools
import json
import os
import shutil
import time

from utils import files
from utils.files import InputError
from utils.names import same_folder

RUN_FILE = "run.json"
BEGUN, WHOLE, CLEARED = ".begun-{}.tmp", ".whole.tmp", ".cleared"
SECONDS_TO_KEEP = 24 * 3600  # what a killed run began


def choose(folder, settings, is_ours, overwrite=False):
    """Where the results of a run go: the wanted folder, unless it holds those of another run; then one beside it.

    Args:
      folder: the wanted one.
      settings: dictionary of what makes this run another than one whose run.json says otherwise. A setting that the
        file lacks, as it is older than the setting, is taken to be the same.
      is_ours: function of a name that says whether it is a file of such a run.
      overwrite: whether the wanted folder is taken whatever it holds.

    Returns:
      The folder, which may not be there yet, and a line on why it is another than the wanted one; else None.

    Raises:
      InputError: a folder cannot be read or written.
    """
    if os.path.basename(folder) in ("", ".", ".."):
        folder = os.path.abspath(folder)
    if overwrite:
        return folder, None
    reason = None
    for number in itertools.count(1):
        path = folder if number == 1 else "{}_{}".format(folder, number)
        try:
            other = _what_differs(path, settings, is_ours)
        except OSError as error:
            raise _cannot_write(path, error)
        if other is None:
            break
        reason = reason or other
    line = "{} holds {}: this one goes to {}; `overwrite` replaces that".format(folder, reason, path)
    return path, line if reason else None


def write(folder, fill, is_ours):
    """Writes the results of a run: all of them, or none, and then what was there stays.

    Args:
      folder: where they go; made where need be. Files in it that are not `is_ours` stay.
      fill: function of an empty folder that writes the files there, run.json among them.
      is_ours: as for `choose`.

    Returns:
      What `fill` returns.

    Raises:
      InputError: the folder cannot be written.
    """
    begun = os.path.join(folder, BEGUN.format(os.getpid()))
    try:
        os.makedirs(begun)
        found = fill(begun)
        finish(folder, is_ours)
        files.put_in_place(begun, os.path.join(folder, WHOLE))
        finish(folder, is_ours)
        _sweep(folder)
    except OSError as error:
        raise _cannot_write(folder, error)
    finally:
        shutil.rmtree(begun, ignore_errors=True)
        if os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)
    return found


def finish(folder, is_ours):
    """Puts a run that is whole in its place, now or after it was cut off there. Does nothing where there is none."""
    whole = os.path.join(folder, WHOLE)
    if not os.path.isdir(whole):
        return
    if not os.path.exists(os.path.join(whole, CLEARED)):
        # Without its run.json, what is left of the run of before is no run.
        for name in sorted(filter(is_ours, os.listdir(folder)), key=lambda name: name != RUN_FILE):
            os.remove(os.path.join(folder, name))
        with open(os.path.join(whole, CLEARED), "w"):
            pass
    names = [name for name in os.listdir(whole) if name != CLEARED]
    for name in sorted(names, key=lambda name: name == RUN_FILE):
        files.replace(os.path.join(whole, name), os.path.join(folder, name))
    shutil.rmtree(whole)


def _what_differs(path, settings, is_ours):
    """What makes the run in a folder another one, in words; None where there is none, or the same."""
    parent, name = os.path.split(path)
    if os.path.isdir(parent or "."):
        # Copied to Windows, the two would be one.
        others = [other for other in os.listdir(parent or ".") if other != name and same_folder(other, name)]
        if others:
            return "{}, whose name differs in case alone,".format(others[0])
    if not os.path.isdir(path):
        return "no folder, but a file" if os.path.lexists(path) else None
    finish(path, is_ours)
    there = [other for other in os.listdir(path) if is_ours(other)]
    if not there:
        return None
    if RUN_FILE not in there:
        return "files of a run that nobody knows the flags of"
    try:
        before = files.read_json(os.path.join(path, RUN_FILE), "")
    except InputError:
        return "a run whose run.json cannot be read"
    now = json.loads(json.dumps(settings))  # JSON has lists for tuples.
    differing = [key for key in now if key in before and before[key] != now[key]]
    if not differing:
        return None
    return "another run ({})".format(", ".join("{} {}".format(key, _short(before[key])) for key in differing))


def _short(value):
    return files.printable(str(value), 60)


def _cannot_write(folder, error):
    return InputError(
        "cannot write to {} ({}): make room there, or give another folder with `dump_dir`".format(
            folder, error.strerror or error
        )
    )


def _sweep(folder):
    """Removes what runs that were killed long ago had begun."""
    first, last = BEGUN.split("{}")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        is_begun = name.startswith(first) and name.endswith(last)
        if is_begun and time.time() - os.path.getmtime(path) > SECONDS_TO_KEEP:
            shutil.rmtree(path, ignore_errors=True)
