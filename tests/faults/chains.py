"""The commands that are killed, each with what it must not lose and what it must come to."""

import contextlib
import csv
import os
import re
import shutil

import numpy as np
import one_layer_network
from bench import COMMENTS
from judgement import Run, files_in, judge, strays

from utils import files
from utils.compare import run as compare_run
from utils.explain import results
from utils.network import checkpoint_files, training

EPOCHS = 4
COMPARISON = ("--methods", "asm", "random", "grad-cam", "--classes", "airplane", "chair", "cone", "lamp")
PROTOCOLS = ("drop", "insert", "sanity", "stability")


class Chain:
    """One command, run again and again in one folder.

    Attributes:
      name: of what it does.
      out: the folder that it writes to.
      reference: that of the same command that nobody killed.
      whole: the Run of that.
    """

    name = ""
    before = None

    def __init__(self, rng, bench, folder, is_fresh=False):
        """is_fresh: whether nothing is to lie in the folder at first."""
        self._bench, self._folder = bench, folder
        self.out = os.path.join(folder, "out")
        self._draw(rng)
        if is_fresh:
            shutil.rmtree(self.out, ignore_errors=True)
        self.reference, self.whole = self._unbroken()
        self._saved = self._state()

    def run(self, **options):
        words = self.words()
        return self._bench.run_words(words, self._folder, before=self.before, **options)

    def words(self, out=None):
        return self._bench.words(*self._words(), out=out or self.out)

    def leaves(self, is_killed):
        return strays(self._folder, is_killed=is_killed)

    def lost(self):
        """What that was saved is lost, in words; None where nothing is."""
        before, self._saved = self._saved, self._state()
        return self._less(before, self._saved)

    def differs(self):
        """What is not as of the unbroken run, in words; None where nothing is."""
        names, wanted = ({self._plain(path, folder) for path in files_in(folder)}
                         for folder in (self.out, self.reference))  # fmt: skip
        if names != wanted:
            return "leaves {}, lacks {}".format(sorted(names - wanted), sorted(wanted - names))
        return self._differs()

    def _plain(self, path, folder):
        # Each start has an event file of its own.
        return re.sub(r"events\.out\.tfevents.*", "events", os.path.relpath(path, folder))

    def _unbroken(self):
        """The folder of the same command that nobody killed, and its Run; made once, by whoever comes first."""
        key = re.sub(r"\W+", "_", " ".join(str(word) for word in self._words()[:2]) + self.name)
        folder = os.path.join(self._bench.folder, "unbroken", key)
        if not os.path.exists(folder):
            own = "{}.{}".format(folder, os.getpid())
            words = self.words(os.path.join(own, "out"))
            run = self._bench.run_words(words, own, before=self.before, is_counting=True)
            wrong = judge(run, allowed=(0,))
            if wrong:
                raise RuntimeError("without a kill: " + wrong)
            files.write_json(os.path.join(own, "run.json"), {"run": run})
            try:
                os.rename(own, folder)
            except OSError:
                shutil.rmtree(own)
        return os.path.join(folder, "out"), Run(*files.read_json(os.path.join(folder, "run.json"), "")["run"])


class Training(Chain):
    """A training of a network without dropout, so that the end is the same bit for bit."""

    def _draw(self, rng):
        self._is_small = rng.random() < 0.8
        self._is_saving_always = rng.random() < 0.7
        self.name = "training{}{}".format(
            "" if self._is_small else " of the real network", " that saves always" if self._is_saving_always else ""
        )

    def before(self):
        files.SECONDS_TO_KEEP = 0
        training.SAVE_SECONDS = 0 if self._is_saving_always else 120
        (one_layer_network.install if self._is_small else one_layer_network.forget_dropout)()

    def _words(self):
        return "train", "--max_epoch", EPOCHS, "--clouds_shown", "0"

    def _prefixes(self, folder):
        return [os.path.join(folder, *parts) for parts in (["model.ckpt"], ["best", "model.ckpt"])]

    def _state(self):
        """(step of the last checkpoint, accuracy of the best): -1 where there is none."""
        last, best = self._prefixes(self.out)
        step = int(one_layer_network.read(last)["global_step"]) if checkpoint_files.exists(last) else -1
        accuracy = -1
        if checkpoint_files.exists(best):
            one_layer_network.read(best)
            is_cut_off = os.path.exists(best + ".new.index") and os.path.exists(best + ".new.json")
            accuracy = checkpoint_files.read_facts(best + (".new" if is_cut_off else ""))["accuracy"]
        return step, accuracy

    def _less(self, before, after):
        if after[0] < before[0] or after[1] < before[1]:
            return "is back from step and best accuracy {} to {}".format(before, after)
        return None

    def _differs(self):
        for ours, theirs in zip(self._prefixes(self.out), self._prefixes(self.reference)):
            found, wanted = one_layer_network.read(ours), one_layer_network.read(theirs)
            differing = [name for name in wanted if wanted[name].tobytes() != found[name].tobytes()]
            if differing:
                return "has other values of {}".format(", ".join(differing)[:100])
        found, wanted = (set(self.test_lines(folder)) for folder in (self.out, self.reference))
        if found != wanted:
            return "logs {} in the place of {}".format(sorted(found - wanted), sorted(wanted - found))
        facts = [checkpoint_files.read_facts(self._prefixes(folder)[1]) for folder in (self.out, self.reference)]
        return None if facts[0] == facts[1] else "keeps {} for {}".format(*facts)

    def test_lines(self, folder):
        """What the log in a folder says of the tests of epochs, two lines each. One that is repeated says the same."""
        with open(os.path.join(folder, "log_train.txt"), encoding="utf-8") as file:
            lines = [line[len("2026-01-01 00:00:00 ") :] for line in file.read().splitlines()]
        return [line for line in lines if re.match(r"Epoch \d+: test|  weakest", line)]


class Comparison(Chain):
    """A comparison by one of the protocols."""

    def _draw(self, rng):
        self._protocol = rng.choice(PROTOCOLS)
        self.name = "comparison " + self._protocol

    def before(self):
        files.SECONDS_TO_KEEP = 0
        compare_run.CLOUDS_PER_BATCH = 2
        compare_run.Comparison.batches.__defaults__ = (2, None)

    def _words(self):
        steps = ("--num_steps", 2) if self._protocol == "drop" else ()
        return ("compare", "--protocol", self._protocol) + COMPARISON + steps

    def _state(self):
        """Its rows that are whole: {key: values}."""
        return dict(self._rows_in(self.out))

    def _rows_in(self, folder):
        path = os.path.join(folder, "rows.csv")
        return _rows(path) if os.path.exists(path) else []

    def _less(self, before, after):
        lost = [key for key in before if after.get(key) != before[key]]
        return "loses or changes rows {}".format(lost[:3]) if lost else None

    def _differs(self):
        found, wanted = (self._rows_in(folder) for folder in (self.out, self.reference))
        if len(found) != len(dict(found)) or set(dict(found)) != set(dict(wanted)):
            return "has {} rows of {}, wanted {}".format(len(found), len(dict(found)), len(wanted))
        # A batch of other clouds gives other last digits.
        if any(not _near(values, dict(wanted)[key]) for key, values in found):
            return "has other values in rows.csv"
        texts = []
        for folder in (self.out, self.reference):
            with open(os.path.join(folder, "summary.md"), encoding="utf-8") as file:
                texts.append(file.read().replace(folder, "").split())
        if len(texts[0]) != len(texts[1]) or not all(_same_word(*pair) for pair in zip(*texts)):
            return "has another summary.md"
        return self._other_heat()

    def _other_heat(self):
        return _differing_arrays(*(os.path.join(folder, "heats.npz") for folder in (self.out, self.reference)))


class SharedComparison(Comparison):
    """A comparison by two shards in turn, whichever is killed, and then by a process that finds what both left."""

    def _draw(self, rng):
        super()._draw(rng)
        self.name = "shared " + self.name
        self._number = 0

    def run(self, **options):
        self._number += 1
        shard = ["--shard", "{}/2".format(1 + self._number % 2)] if options else []
        return self._bench.run_words(self.words() + shard, self._folder, before=self.before, **options)

    def _plain(self, path, folder):
        # A killed shard leaves its lock to whoever works on it next.
        name = super()._plain(path, folder)
        return "rows.csv" if re.search(r"\.[12]-of-2\.(csv|json|npz|lock)$|^heats.npz$", name) else name

    def _rows_in(self, folder):
        paths = [path for path in files_in(folder) if re.match(r"rows\..*csv$", os.path.basename(path))]
        return [row for path in paths for row in _rows(path)]

    def _other_heat(self):
        return None  # it lies in pieces


class HandedOutComparison(Comparison):
    """A comparison by two workers, who are killed or their parent is; at last by a process that finds what is there.

    Attributes:
      num_rows: that it comes to.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.num_rows = len(self._rows_in(self.reference))
        self._log = os.path.join(self._folder, "home", "killed.txt")

    def _draw(self, rng):
        super()._draw(rng)
        self.name = "handed-out " + self.name

    def run_with(self, kill):
        """Runs it with workers. `kill` is called in its process at first, with a function to call before each kill."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._log)

        def before():
            self.before()
            kill(self._count)

        return self._bench.run_words(self.words() + ["--workers", "2"], self._folder, before=before)

    def _count(self):
        with open(self._log, "a") as file:
            file.write(".")

    def num_killed(self):
        """How many kills there were in the last run."""
        return os.path.getsize(self._log) if os.path.exists(self._log) else 0

    def _other_heat(self):
        return None  # of other batches


class Explanation(Chain):
    """An explanation of one cloud; the same command may have left results there already."""

    name = "explanation"

    def _draw(self, rng):
        if rng.random() < 0.5:
            shutil.copytree(self._bench.explained, self.out)

    def _words(self):
        return "explain", "--input", COMMENTS

    def _state(self):
        paths = [path for path in files_in(self.out) if ".begun" not in path]
        return [os.path.dirname(path) for path in paths if os.path.basename(path) == "run.json"]

    def _less(self, before, after):
        # What stands in its place is of one run, and what does not is still whole beside it.
        for folder in {os.path.dirname(path) for path in files_in(self.out)}:
            is_hidden = os.path.basename(folder).startswith(".")
            there = os.path.join(folder, "run.json"), os.path.join(folder, ".whole.tmp", "run.json")
            if not is_hidden and any(map(results.is_ours, os.listdir(folder))) and not any(map(os.path.exists, there)):
                return "leaves {} without run.json".format(sorted(os.listdir(folder)))
        return "loses all results" if before and not after else None

    def _differs(self):
        (found,), (wanted,) = (
            [path for path in files_in(folder) if path.endswith("heat.npz")] for folder in (self.out, self.reference)
        )
        return _differing_arrays(found, wanted)


def _rows(path):
    """The whole rows of a rows.csv: a list of (key, values)."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    lines = list(csv.reader(text[: text.rfind("\n") + 1].splitlines()))[1:]
    return [(tuple(line[:4]), tuple(line[4:])) for line in lines]


def _near(values, others):
    return all(one == other or abs(float(one) - float(other)) <= 1e-3 for one, other in zip(values, others))


def _same_word(one, other):
    if one == other:
        return True
    with contextlib.suppress(ValueError):
        return abs(float(one.strip("*%|")) - float(other.strip("*%|"))) <= 0.2
    return False


def _differing_arrays(path, other):
    if not os.path.exists(other):
        return None
    with np.load(path) as found, np.load(other) as wanted:
        if set(found.files) != set(wanted.files):
            return "has {} in {}".format(found.files, os.path.basename(path))
        for name in wanted.files:
            one, two = found[name], wanted[name]
            if one.shape != two.shape:
                return "has another {} in {}".format(name, os.path.basename(path))
            is_number = one.dtype.kind == "f"
            if not (np.allclose(one, two, atol=1e-4, equal_nan=True) if is_number else (one == two).all()):
                return "has other {} in {}".format(name, os.path.basename(path))
    return None
