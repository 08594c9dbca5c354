"""Where faults are injected: prepared folders, and runs of the scripts on them."""

import importlib
import os

from judgement import files_in, judge
from runs import Started

from utils.demo import shapes
from utils.files import PROJECT_DIR
from utils.network import loading

COMMENTS = os.path.join(PROJECT_DIR, "tests", "cases", "09-ply-kinds", "comments.ply")
NUM_POINTS = 32
STARTS = {  # the beginning of a command on the prepared folders; {out} is the run's own folder
    "train": "train.py --gpu -1 --data_dir {data} --model pointnet_cls_basic --num_point 32 --batch_size 10 "
    "--log_dir {out}",
    "evaluate": "evaluate.py --gpu -1 --data_dir {data} --log_dir {log} --dump_dir {out}",
    "explain": "ASM.py --gpu -1 --no_window --log_dir {log} --num_votes 2 --num_steps 1 --dump_dir {out}",
    "compare": "compare.py --gpu -1 --data_dir {data} --log_dir {log} --num_point 32 --per_class 1 --dump_dir {out}",
    "fetch": "evaluate.py --gpu -1 --log_dir {log} --dump_dir {out}",
}
# What `compared` holds.
COMPARISON = ("--methods", "asm", "random", "--classes", "airplane", "chair", "--num_steps", "2")
SHORT = {  # what makes a short one of it
    "train": ["--max_epoch", "1"],
    "evaluate": [],
    "explain": ["--input", COMMENTS],
    "compare": ["--methods", "asm", "--classes", "chair", "--num_steps", "2"],
}


class Bench:
    """Prepared folders, and runs on them.

    Attributes:
      data: a data set of 20 classes, 2 train and 1 test clouds of NUM_POINTS points each.
      log: the folder of a training on it.
      explained: results of explaining one file of one's own with `log`.
      compared: the folder of a finished comparison with `log`.
    """

    def __init__(self, folder):
        """Loads TensorFlow for the runs to come, which are forked. `prepare` makes the folders."""
        self.folder = folder
        self.data, self.log, self.explained, self.compared = (
            os.path.join(folder, name) for name in ("data", "log", "explained", "compared")
        )
        os.environ.update(CUDA_VISIBLE_DEVICES="")
        for name in ("DISPLAY", "POINTCLOUD_GRAD_CAM_VERBOSE"):
            os.environ.pop(name, None)
        loading.load_tensorflow()
        _import_all()

    def prepare(self):
        """Makes the folders. Raises a RuntimeError where a run without any fault fails."""
        shapes.write_demo_shapes(self.data, num_train=2, num_test=1, num_points=NUM_POINTS, seed=1)
        for name, arguments, out in (
            ("train", ["--max_epoch", "2"], self.log),
            ("explain", ["--input", COMMENTS], self.explained),
            (
                "compare",
                ["--methods", "asm", "random", "--classes", "airplane", "chair", "--num_steps", "2"],
                self.compared,
            ),
        ):
            run = self.run(name, *arguments, folder=os.path.join(self.folder, "made_" + name), out=out)
            if run.status != 0:
                raise RuntimeError("without any fault {}: {}".format(name, judge(run) or run.err))
        self.before = self.listing()

    def listing(self):
        """What lies in the prepared folders: {path: (size, time of change)}. No run may change it."""
        return {
            path: (os.path.getsize(path), os.stat(path).st_mtime_ns)
            for folder in (self.data, self.log, self.explained, self.compared)
            for path in files_in(folder)
        }

    def words(self, name, *arguments, **places):
        """The words of a command: STARTS[name] with the prepared folders, then the arguments."""
        places = dict({"data": self.data, "log": self.log}, **places)
        return [word.format(**places) for word in STARTS[name].split()] + [str(word) for word in arguments]

    def short_words(self, name, **places):
        """The words of a command that is soon over, as of `words`."""
        return self.words(name, *SHORT[name], **places)

    def run(self, name, *arguments, folder, out=None, log=None, data=None, **options):
        """Runs a script on a folder of its own, which holds `out`, `home` and `tmp` too.

        Args:
          name: one of STARTS.
          arguments: further words of its command.
          folder: an existing folder or a new one.
          out: where it writes (default: `out` in the folder).
          log, data: other than the prepared ones.
          options: as for `run_words`.

        Returns:
          A Run.
        """
        places = {"out": out or os.path.join(folder, "out"), "log": log or self.log, "data": data or self.data}
        return self.run_words(self.words(name, *arguments, **places), folder, **options)

    def run_words(self, words, folder, **options):
        """Runs a command: in a forked process, in which TensorFlow is loaded.

        Args:
          words: name of the script, then its arguments.
          folder: its working folder; what it does below it is counted.
          kill_after: seconds after which it, and what it started, gets SIGKILL; None: never.
          act: as for `operations.Operations`; None: nothing is counted, but by `is_counting`.
          is_counting: count operations.
          before: function that the new process calls at first.
          environment: dictionary of what is to be set.
          seconds: after which it hangs.

        Returns:
          A Run.
        """
        started = self.start_words(words, folder, **options)
        return started.wait()

    def start_words(self, words, folder, **options):
        """As `run_words`, but returns at once: a Started."""
        for name in ("home", "tmp"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        return Started(words, folder, **options)


def _import_all():
    """Imports what the scripts import, once: each forked run then has it."""
    for name in (
        "h5py",
        "matplotlib.pyplot",
        "scipy.stats",
        "tqdm",
        "provider",
        "utils.compare.run",
        "utils.compare.report",
        "utils.explain.run",
        "utils.network.classifier",
        "utils.network.training",
        "utils.network.training_graph",
    ):
        importlib.import_module(name)
