"""Two runs on one folder, the second at a drawn moment of the first: one goes on, the other waits or is refused."""

import os
import time

import chains
from bench import COMMENTS
from judgement import Outcome, files_in, judge
from runs import SECONDS

from utils import files
from utils.network import training

TITLE = "two at once"
SIZE = 1


def inject(rng, bench, folder):
    """Starts two runs; returns an Outcome."""
    kind = rng.choice((_trainings, _trainings, _comparisons, _comparisons, _explanations, _read_in_training))
    return [kind(rng, bench, folder)]


def _trainings(rng, bench, folder):
    """The second is refused, or comes after the end of the first; the log has every epoch once."""
    pair = chains.Training(rng, bench, folder)
    first, second = _run_both(rng, bench, folder, pair.words(), pair.words(), pair.whole, pair.before)
    wrong = _refusal(first, second) or pair.differs()
    if not wrong:
        lines = pair.test_lines(pair.out)
        wrong = None if len(lines) == 2 * chains.EPOCHS else "logs {} lines of tests".format(len(lines))
    return Outcome("two trainings", wrong)


def _comparisons(rng, bench, folder):
    """The second is refused, or comes after the end of the first; every row is there once."""
    pair = chains.Comparison(rng, bench, folder)
    first, second = _run_both(rng, bench, folder, pair.words(), pair.words(), pair.whole, pair.before)
    return Outcome("two comparisons", _refusal(first, second) or pair.differs())


def _explanations(rng, bench, folder):
    """Both end well: into one folder with the same flags, else into two."""
    pair = chains.Explanation(rng, bench, folder, is_fresh=True)
    is_same = rng.random() < 0.5
    others = pair.words() + ([] if is_same else ["--seed", "7"])
    first, second = _run_both(rng, bench, folder, pair.words(), others, pair.whole, None)
    wrong = judge(first, allowed=(0,)) or judge(second, allowed=(0,))
    folders = {os.path.dirname(path) for path in files_in(pair.out)}
    if not wrong and len(folders) != (1 if is_same else 2):
        wrong = "two runs of {} flags leave {}".format("the same" if is_same else "other", sorted(folders))
    wanted = sorted(os.listdir(os.path.dirname(files_in(pair.reference)[0])))
    for path in folders if not wrong else ():
        if sorted(os.listdir(path)) != wanted:
            wrong = "leaves {} for {}".format(sorted(os.listdir(path)), wanted)
    if not wrong and is_same:
        wrong = pair.differs()
    return Outcome("two explanations of {} flags".format("the same" if is_same else "other"), wrong)


def _read_in_training(rng, bench, folder):
    """A network is evaluated or explained while a training replaces it again and again: it reads one or the other."""
    out = os.path.join(folder, "out")
    log = os.path.join(out, "log")
    name = rng.choice(("evaluate", "explain"))

    def save_always():
        files.SECONDS_TO_KEEP = 0
        training.SAVE_SECONDS = 0

    train = bench.words("train", "--max_epoch", chains.EPOCHS, "--clouds_shown", "0", out=log)
    words = bench.words(name, out=os.path.join(out, "read"), log=log)
    words += ["--input", COMMENTS] if name == "explain" else []
    training_run = bench.start_words(train, os.path.join(folder, "in", "a"), before=save_always)
    _wait_for(os.path.join(log, "model.ckpt.index"))
    time.sleep(rng.random())
    reading = bench.run_words(
        words + ["--model_path", os.path.join(log, "model.ckpt")], os.path.join(folder, "in", "b")
    )
    trained = training_run.wait()
    wrong = judge(trained, allowed=(0,)) or judge(reading, allowed=(0,))
    if not wrong and any(".new" in path for path in files_in(log)):
        wrong = "leaves {}".format([path for path in files_in(log) if ".new" in path])
    return Outcome("training and {}".format(name), wrong)


def _wait_for(path):
    deadline = time.time() + SECONDS
    while not os.path.exists(path) and time.time() < deadline:
        time.sleep(0.01)


def _run_both(rng, bench, folder, words, others, whole, before):
    """Runs two commands, the second at a drawn moment of the first; returns both Runs."""
    first = bench.start_words(words, os.path.join(folder, "in", "a"), before=before)
    time.sleep(rng.random() * 1.1 * whole.seconds)
    second = bench.start_words(others, os.path.join(folder, "in", "b"), before=before)
    return first.wait(), second.wait()


def _refusal(first, second):
    """What is wrong with how two runs ended of which one may be refused; None where nothing is."""
    wrong = judge(first) or judge(second)
    refused = [run for run in (first, second) if run.status == 2]
    if wrong or len(refused) == 2:
        return wrong or "both are refused: {}".format(" | ".join(run.err.strip()[-200:] for run in refused))
    if refused and not ("is in use by" in refused[0].err and "process" in refused[0].err):
        return "is refused for another reason: " + refused[0].err.strip()[-300:]
    return None
