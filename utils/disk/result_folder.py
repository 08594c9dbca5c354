"""The folder of a run's results: no run overwrites another's in silence, and no folder holds files of two runs.

A run is written into a folder within its own, which is then renamed: from there on it counts. Only then what was there
goes, and the new files take its place, run.json last; what is cut off within that the next run completes.
"""

import contextlib
import itertools
import json
import os
import shutil
from typing import Any, NamedTuple, Optional

from utils import files
from utils.disk import locks
from utils.disk.names import same_folder
from utils.files import InputError

RUN_FILE = "run.json"
BEGUN, WHOLE, CLEARED = ".begun-{}.tmp", ".whole.tmp", ".cleared"
SECONDS_TO_WAIT = 600  # for another process that writes to the folder: films take minutes


class Written(NamedTuple):
    """What `write` did.

    Attributes:
      folder: where the results are.
      notice: a line on why that is another folder than the wanted one; else None.
      found: what `fill` returned.
    """

    folder: str
    notice: Optional[str]
    found: Any


def write(folder, settings, fill, is_ours, overwrite=False):
    """Writes the results of a run: all of them, or none, and then what was there stays.

    They go to the wanted folder, unless that holds those of another run; then to one beside it. While one process
    writes to a folder, another with results for the same waits.

    Args:
      folder: the wanted one; made where need be. Files in it that are not `is_ours` stay.
      settings: dictionary of what makes this run another than one whose run.json says otherwise. A setting that the
        file lacks, as it is older than the setting, is taken to be the same.
      fill: function of an empty folder that writes the files there, run.json among them.
      is_ours: function of a name that says whether it is a file of such a run.
      overwrite: whether the wanted folder is taken whatever it holds.

    Returns:
      A Written.

    Raises:
      InputError: a folder cannot be read or written.
    """
    folder = _with_a_name(folder)
    reason = None
    for path in _paths(folder):
        try:
            # Before anything is written, as the folder may be another's, and again once no other process writes there.
            other = None if overwrite else _what_differs(path, settings, is_ours)
            if other is None:
                with _alone_in(path):
                    finish(path, is_ours)
                    other = None if overwrite else _what_differs(path, settings, is_ours)
                    if other is None:
                        found = _write_whole(path, fill, is_ours)
                        break
        except locks.Held as error:
            if overwrite:
                raise
            other = "what is being written ({})".format(error)
        except OSError as error:
            raise _cannot_write(path, error)
        reason = reason or other
    line = "{} holds {}: this one goes to {}; `overwrite` replaces that".format(folder, reason, path)
    return Written(path, line if reason else None, found)


def holds(folder, kept, settings, is_ours):
    """Whether a run of just these settings is whole where `write` would put its results.

    Args:
      kept: dictionary of all that its run.json has to hold; that may hold more.
      folder, settings, is_ours: as for `write`.
    """
    folder = _with_a_name(folder)
    now = json.loads(json.dumps(kept))  # JSON has lists for tuples.
    for path in _paths(folder):
        before = {} if os.path.exists(os.path.join(path, WHOLE)) else _run_of(path)
        if all(key in before and _agree(key, before[key], value) for key, value in now.items()):
            return True
        try:
            if _what_differs(path, settings, is_ours) is None:
                break
        except OSError:
            break  # `write` says what is wrong
    return False


def _agree(name, before, now):
    """Whether two values under a name of run.json are of one run, which went on elsewhere in between."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return before == now
    if name == "versions":
        # Machines of a cluster differ in their kernels, and what is loaded by now in what was explained before.
        return all(before[one] == now[one] for one in (set(before) & set(now)) - {"platform"})
    return set(before) == set(now) and all(_agree(one, before[one], now[one]) for one in now)


def _run_of(folder):
    """What the run.json of a folder holds, a dictionary; of none, or one that cannot be read, nothing."""
    try:
        return files.read_json(os.path.join(folder, RUN_FILE), "")
    except InputError:
        return {}


def _with_a_name(folder):
    return os.path.abspath(folder) if os.path.basename(folder) in ("", ".", "..") else folder


def _paths(folder):
    """The wanted folder, and where results go that it cannot take, one after the other."""
    yield folder
    for number in itertools.count(2):
        yield "{}_{}".format(folder, number)


@contextlib.contextmanager
def _alone_in(folder):
    """A context in which no other process writes to a folder, which is made; it goes again if it is left empty."""
    path = os.path.join(folder, locks.FOLDER_LOCK)
    words = "{} is in use by".format(folder)
    try:
        with locks.hold(path, words, "wait until that ends", SECONDS_TO_WAIT, SECONDS_TO_WAIT):
            yield
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _write_whole(folder, fill, is_ours):
    _sweep(folder)
    begun = os.path.join(folder, BEGUN.format(os.getpid()))
    try:
        os.makedirs(begun)
        found = fill(begun)
        files.put_in_place(begun, os.path.join(folder, WHOLE))
        finish(folder, is_ours)
    except InputError as error:
        # The user looks for the file where it was to be.
        raise InputError(str(error).replace(begun, folder))
    finally:
        shutil.rmtree(begun, ignore_errors=True)
    return found


def finish(folder, is_ours):
    """Puts a run that is whole in its place, now or after it was cut off there. Does nothing where there is none."""
    whole = os.path.join(folder, WHOLE)
    if not os.path.isdir(whole):
        return
    is_cleared = os.path.exists(os.path.join(whole, CLEARED))
    if not is_cleared and not os.path.exists(os.path.join(whole, RUN_FILE)):
        # All of it is in its place, where it stays: this is what a kill left of an emptied folder.
        files.remove_folder(whole)
        return
    if not is_cleared:
        # Without its run.json, what is left of the run of before is no run.
        for name in sorted(filter(is_ours, os.listdir(folder)), key=lambda name: name != RUN_FILE):
            files.remove(os.path.join(folder, name))
        with open(os.path.join(whole, CLEARED), "w"):
            pass
        # Only then may files of the new run stand in their places, from where they would go with the old ones.
        files.sync(whole)
    names = [name for name in os.listdir(whole) if name != CLEARED]
    for name in sorted(names, key=lambda name: name == RUN_FILE):
        files.replace(os.path.join(whole, name), os.path.join(folder, name))
    files.sync(folder)
    files.remove_folder(whole)


def _what_differs(path, settings, is_ours):
    """What makes the run in a folder another one, in words; None where there is none, or the same."""
    parent, name = os.path.split(path)
    if os.path.isdir(parent or "."):
        # Copied to Windows, the two would be one.
        others = [other for other in os.listdir(parent or ".") if other != name and same_folder(other, name)]
        if others:
            return "{}, whose name differs in case alone,".format(others[0])
    # One look at all: another process may be putting its run in place, which WHOLE tells, or making the folder.
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return "no folder, but a link to nothing" if os.path.islink(path) else None
    except NotADirectoryError:
        return "no folder, but a file"
    if WHOLE in names:
        return None  # of a run that ends or was killed: it is known once `finish` has put that in its place
    there = [other for other in names if is_ours(other)]
    if not there:
        return None
    if RUN_FILE not in there:
        return "files of a run that nobody knows the flags of"
    try:
        before = files.read_json(os.path.join(path, RUN_FILE), "")
    except InputError as error:
        # Gone since the look: it is being replaced.
        return None if isinstance(error.__context__, FileNotFoundError) else "a run whose run.json cannot be read"
    now = json.loads(json.dumps(settings))  # JSON has lists for tuples.
    differing = _differences(before, now)
    return "another run ({})".format(", ".join(dict.fromkeys(differing))) if differing else None


def _differences(before, now):
    """What settings were, where both of two dictionaries have them and they differ: list of texts, some deeper down."""
    found = []
    for key in now:
        was, other = before.get(key), now[key]
        if key not in before or was == other:
            continue
        if isinstance(was, dict) and isinstance(other, dict):
            # The settings of several runs are all there; those of one may be older than some that there are now.
            is_of_others = all(isinstance(one, dict) for one in was.values()) and set(was) != set(other)
            found += ["{} of {}".format(key, ", ".join(was))] if is_of_others else _differences(was, other)
        else:
            found.append("{} {}".format(key, files.printable(str(was), 60)))
    return found


def _cannot_write(folder, error):
    return InputError(
        "cannot write to {} ({}): make room there, or give another folder with `dump_dir`".format(
            folder, error.strerror or error
        )
    )


def _sweep(folder):
    """Removes what killed runs had begun; no other writes to the folder now."""
    first, last = BEGUN.split("{}")
    for name in os.listdir(folder):
        if name.startswith(first) and name.endswith(last):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
