"""Kills of shards, of workers and of who hands out the work, at drawn moments, until a comparison is through.

No row is lost, and at the end all is as of one process that nobody killed.
"""

import functools
import importlib.util
import os
import random
import signal
import threading
import time

from chains import HandedOutComparison, SharedComparison
from judgement import Outcome, judge
from kills import KILLED, one_after_another, until_through

TITLE = "kills of shards and workers"
SIZE = 6
SECONDS_TO_LOOK = 0.05
SECONDS_OF_START = 8  # of a worker, about: it loads TensorFlow


def inject(rng, bench, folder):
    """Kills shards or workers of one comparison after the other; returns an Outcome for each kill."""
    if importlib.util.find_spec("distributed") is not None and rng.random() < 0.5:
        kill, kind = _kill_workers, HandedOutComparison
    else:
        kill, kind = until_through, SharedComparison
    return one_after_another(folder, SIZE, lambda place, most: kill(rng, kind(rng, bench, place), most))


def _kill_workers(rng, chain, most):
    """Runs a comparison until it is through, with kills of its workers, and of itself; then once more without."""
    outcomes, wrong, is_through = [], None, False
    while len(outcomes) < most and not wrong and not is_through:
        moments = [_moment(rng, chain.num_rows) for _ in range(rng.randrange(1, min(3, most - len(outcomes)) + 1))]
        is_last_of_itself = rng.random() < 0.4
        run = chain.run_with(functools.partial(_kill_at, moments, is_last_of_itself, chain.out, rng.random()))
        is_through = run.status != KILLED
        wrong = judge(run, allowed=(0, KILLED)) or chain.leaves(is_killed=not is_through) or chain.lost()
        wrong = wrong or (is_through and chain.differs()) or None
        kinds = ["{} {}".format(chain.name, moment[0]) for moment in moments[: chain.num_killed()]]
        outcomes += [Outcome(kind, wrong if number == len(kinds) - 1 else None) for number, kind in enumerate(kinds)]
        if wrong and not kinds:
            outcomes.append(Outcome(chain.name, wrong))
    if not wrong:
        run = chain.run()
        wrong = judge(run, allowed=(0,)) or chain.lost() or chain.differs()
        if wrong:
            outcomes.append(Outcome(chain.name + " after its kills", wrong))
    return outcomes


def _moment(rng, num_rows):
    """When to kill: in words, how many rows are to be there, and seconds after that."""
    if rng.random() < 0.5:
        return "killed as workers start", 0, SECONDS_OF_START * rng.random()
    return "killed between rows", rng.randrange(1, num_rows), 0.3 * rng.random()


def _kill_at(moments, is_last_of_itself, out, drawn, count):
    """Has a thread of this process kill one of its workers at each moment; at the last, perhaps, this process itself.

    Args:
      moments: list, as of `_moment`.
      is_last_of_itself: whether the last is of this process.
      out: the folder of the comparison.
      drawn: seed of which worker.
      count: function to call before each kill.
    """

    def kill():
        rng = random.Random(drawn)
        for number, (_, num_rows, seconds) in enumerate(moments):
            while _rows_in(out) < num_rows or not _workers():
                time.sleep(SECONDS_TO_LOOK)
            time.sleep(seconds)
            there = _workers()
            count()
            if number == len(moments) - 1 and is_last_of_itself:
                os.kill(os.getpid(), signal.SIGKILL)
            for process in rng.sample(there, min(1, len(there))):
                process.kill()

    threading.Thread(target=kill, daemon=True).start()


def _rows_in(out):
    path = os.path.join(out, "rows.csv")
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return file.read().count(b"\n") - 1


def _workers():
    """The workers that this process started: list of psutil.Process."""
    import psutil

    found = []
    for one in psutil.Process().children(recursive=True):
        try:
            if any("spawn_main" in word for word in one.cmdline()):
                found.append(one)
        except psutil.Error:
            continue
    return found
