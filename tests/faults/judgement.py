"""What came of a run under fault, and whether that is right."""

import os
import re
from typing import NamedTuple, Optional

MEBIBYTES = 1500  # of memory, of a run and of each process that it starts; TensorFlow alone takes 300 to 500
TRACE = re.compile("Traceback|Error:|Exception|Fatal|core dumped|terminate called|Aborted|Segmentation")
COMMAND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\x1b(?!\\[A)")


class Outcome(NamedTuple):
    """What came of one fault.

    Attributes:
      kind: what was done, in few words, the same for all faults of a kind: "PLY cut off".
      wrong: what went wrong, in a line; None where the program survived it.
    """

    kind: str
    wrong: Optional[str] = None


class Run(NamedTuple):
    """How a run ended.

    Attributes:
      status: exit status; negative: the number of the signal that ended it; None: it hung and was killed.
      out, err: what it printed, texts.
      seconds: that it took.
      mebibytes: of memory that it, or a process that it waited for, had at most.
      operations: how many operations on files of its folder it did, in so far as `Bench.run` counted them.
      command: the words of the command.
    """

    status: Optional[int]
    out: str
    err: str
    seconds: float
    mebibytes: float
    operations: int
    command: str


def judge(run, allowed=(0, 2)):
    """What is wrong with how a run ended, in a line; None where nothing is.

    Right is: an end with exit status 0, or with 2 and a line that says why; no traceback, no terminal sequence, no
    crash, no hang, no more than MEBIBYTES of memory.

    Args:
      run: a Run.
      allowed: the exit statuses that are right.
    """
    said = "{} | {}".format(" ".join(run.err.split())[-300:], run.command[:200])
    if run.status is None:
        return "hangs: " + said
    if run.mebibytes > MEBIBYTES:
        return "takes {:.0f} MiB: {}".format(run.mebibytes, said)
    if "Traceback" in run.err + run.out:
        return "traceback: " + said
    if run.status < 0 and run.status not in allowed:
        return "crashes by signal {}: {}".format(-run.status, said)
    if run.status not in allowed:
        return "ends with status {}: {}".format(run.status, said)
    errors = [line for line in run.err.splitlines() if ": error: " in line]
    if run.status == 2 and len(errors) != 1:
        return "says {} lines of error: {}".format(len(errors), said)
    if run.status == 2 and TRACE.search(errors[0].replace(": error: ", "", 1)):
        return "says what is for programmers: " + said
    if COMMAND.search(run.out + run.err):
        return "prints what a terminal obeys: " + said
    return None


def files_in(folder):
    """Paths of all files below a folder, sorted."""
    return sorted(os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names)


def strays(folder, allowed=("out", "home", "tmp", "in"), is_killed=False):
    """What a run left where it does not belong, in a line; None where there is nothing.

    Args:
      folder: as given to `Bench.run`.
      allowed: names in it that it may write, `tmp` only as long as it runs.
      is_killed: whether it had no chance to clean up.
    """
    found = [name for name in sorted(os.listdir(folder)) if name not in allowed]
    if not is_killed:
        found += [os.path.relpath(path, folder) for path in files_in(os.path.join(folder, "tmp"))]
    return "leaves {}".format(", ".join(found)[:200]) if found else None
