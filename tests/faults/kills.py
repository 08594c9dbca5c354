"""Kills of a training, a comparison and an explanation, at a drawn moment, again and again until it is through.

What was saved is never lost, and at the end all is as of a run that nobody killed.
"""

import functools
import os
import signal

from chains import Comparison, Explanation, SharedComparison, Training
from judgement import Outcome, judge

TITLE = "kills"
SIZE = 5
MOST_CHAINS = 12
KILLED = -signal.SIGKILL


def inject(rng, bench, folder):
    """Kills runs of one kind, one after the other, SIZE times in all; returns an Outcome for each kill."""
    kind = rng.choice((Training, Training, Training, Comparison, SharedComparison, Explanation))
    return one_after_another(folder, SIZE, lambda place, most: until_through(rng, kind(rng, bench, place), most))


def one_after_another(folder, size, follow):
    """Follows chains, MOST_CHAINS at most, until there are `size` Outcomes or one is wrong; returns these.

    Args:
      folder: for all of them.
      size: how many.
      follow: function (folder of a chain, how many at most) -> its Outcomes.
    """
    outcomes = []
    for number in range(MOST_CHAINS):
        outcomes += follow(os.path.join(folder, str(number)), size - len(outcomes))
        if len(outcomes) >= size or any(outcome.wrong for outcome in outcomes):
            break
    return outcomes


def until_through(rng, chain, most):
    """Kills a run, starts it again, and so on, at most so often; then lets it end. Returns an Outcome for each kill."""
    outcomes, wrong, is_through = [], None, False
    while len(outcomes) < most and not wrong and not is_through:
        name, options = _moment(rng, chain.whole)
        run = chain.run(**options)
        is_through = run.status != KILLED
        wrong = judge(run, allowed=(0, KILLED)) or chain.leaves(is_killed=not is_through) or chain.lost()
        if not is_through:
            outcomes.append(Outcome("{} {}".format(chain.name, name), wrong))
    if not wrong:
        # One that is through has nothing left to do.
        run = chain.run()
        wrong = judge(run, allowed=(0,)) or chain.lost() or chain.differs()
    if wrong and (is_through or not outcomes[-1].wrong):
        outcomes.append(Outcome(chain.name + " after its kills", "after {} kills {}".format(len(outcomes), wrong)))
    return outcomes


def _moment(rng, whole):
    """When to kill, in words, and as options of `Bench.run_words`; of a run that takes as long as `whole`."""
    if rng.random() < 0.5:
        # A run begins with what it reads; what it writes lies later.
        return "killed at a moment", {"kill_after": whole.seconds * (0.2 + 0.9 * rng.random())}
    at = rng.randrange(1, whole.operations + 1)
    is_after = rng.random() < 0.3
    return "killed at an operation", {"act": functools.partial(_kill, at, is_after)}


def _kill(at, is_after, number, name):
    if number == at and is_after:
        return _kill_now
    if number == at:
        _kill_now()
    return None


def _kill_now():
    os.kill(os.getpid(), signal.SIGKILL)
