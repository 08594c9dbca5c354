"""Where faults are injected: prepared folders, runs of the scripts on them, and the judgement of what they did."""

import contextlib
import mmap
import os
import re
import resource
import runpy
import signal
import struct
import subprocess
import sys
import time
import traceback
from typing import NamedTuple, Optional

from operations import Operations

from utils.demo import shapes
from utils.files import PROJECT_DIR
from utils.network import loading

WITHOUT_OPEN3D = os.path.join(PROJECT_DIR, "tests", "without_open3d")
NUM_POINTS = 32
SECONDS = 120  # after which a run hangs; some hundred times of what one takes
MEBIBYTES = 1500  # of memory, of a run and of each process that it starts; TensorFlow alone takes 300 to 500
ADDRESS_SPACE = 12 << 30  # what a run cannot take in any case, so that the machine goes on
TRACE = re.compile("Traceback|Error:|Exception|Fatal|core dumped|terminate called|Aborted|Segmentation")
COMMAND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\x1b(?!\\[A)")
STARTS = {  # the beginning of a command on the prepared folders; {out} is the run's own folder
    "train": "train.py --gpu -1 --data_dir {data} --model pointnet_cls_basic --num_point 32 --batch_size 10 "
    "--log_dir {out}",
    "evaluate": "evaluate.py --gpu -1 --data_dir {data} --log_dir {log} --dump_dir {out}",
    "explain": "ASM.py --gpu -1 --no_window --log_dir {log} --num_votes 2 --num_steps 1 --dump_dir {out}",
    "compare": "compare.py --gpu -1 --data_dir {data} --log_dir {log} --num_point 32 --per_class 1 --num_steps 2 "
    "--dump_dir {out}",
}


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
        sys.path.insert(0, WITHOUT_OPEN3D)
        sys.path.insert(0, PROJECT_DIR)
        os.environ.update(PYTHONPATH=WITHOUT_OPEN3D, CUDA_VISIBLE_DEVICES="", POINTCLOUD_GRAD_CAM_VERBOSE="")
        for name in ("DISPLAY", "POINTCLOUD_GRAD_CAM_VERBOSE"):
            os.environ.pop(name, None)
        loading.load_tensorflow()
        _import_all()

    def prepare(self):
        """Makes the folders. Raises a RuntimeError where a run without any fault fails."""
        shapes.write_demo_shapes(self.data, num_train=2, num_test=1, num_points=NUM_POINTS, seed=1)
        for name, arguments, out in (
            ("train", ["--max_epoch", "2"], self.log),
            ("explain", ["--input", os.path.join(PROJECT_DIR, "tests", "cases", "09-ply-kinds", "comments.ply")],
             self.explained),
            ("compare", ["--methods", "asm", "random", "--classes", "airplane", "chair"], self.compared),
        ):  # fmt: skip
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


class Started:
    """A run in a forked process.

    Attributes:
      process: its number, which is that of its group too.
    """

    def __init__(self, words, folder, kill_after=None, act=None, is_counting=False, before=None, environment=None,
                 seconds=SECONDS):  # fmt: skip
        self._command = " ".join(words)
        self._outputs = [os.path.join(folder, "tmp", "..", name) for name in ("stdout.txt", "stderr.txt")]
        self._counter = mmap.mmap(-1, 8)
        self._kill_after = kill_after
        self._seconds = seconds
        self._start = time.time()
        sys.stdout.flush()
        sys.stderr.flush()
        self.process = os.fork()
        if self.process == 0:
            status = 1
            try:
                self._become(words, folder, act, is_counting, before, environment or {})
                status = _run_script(words)
            finally:
                os._exit(status)

    def _become(self, words, folder, act, is_counting, before, environment):
        os.setsid()
        for number, path in zip((0, 1, 2), [os.devnull] + self._outputs):
            descriptor = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(descriptor, number)
            os.close(descriptor)
        sys.stdin = os.fdopen(0, "r", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        os.environ.update(HOME=os.path.join(folder, "home"), TMPDIR=os.path.join(folder, "tmp"), **environment)
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if before is not None:
            before()
        if act is not None or is_counting:
            Operations(folder, act or (lambda number, name: None), self._store)

    def _store(self, count):
        self._counter[:] = struct.pack("q", count)

    def signal(self, number):
        """Sends a signal to it and to all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process, number)

    def wait(self):
        """Waits for its end, or brings it about; returns a Run."""
        limit = self._seconds if self._kill_after is None else self._kill_after
        is_over, pause = False, 0.002
        while not is_over and time.time() - self._start < limit:
            number, status, usage = os.wait4(self.process, os.WNOHANG)
            is_over = number != 0
            if not is_over:
                time.sleep(min(pause, max(0, limit - (time.time() - self._start))))
                pause = min(1.5 * pause, 0.05)
        if not is_over:
            self.signal(signal.SIGKILL)
            _, status, usage = os.wait4(self.process, 0)
        seconds = time.time() - self._start
        self.signal(signal.SIGKILL)  # what it left running
        texts = []
        for path in self._outputs:
            with open(path, "rb") as file:
                texts.append(file.read().decode("utf-8", "backslashreplace"))
            os.remove(path)
        ended = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        if not is_over and self._kill_after is None:
            ended = None
        scale = 1024.0**2 if sys.platform == "darwin" else 1024.0
        count = struct.unpack("q", self._counter[:])[0]
        self._counter.close()
        return Run(ended, texts[0], texts[1], seconds, usage.ru_maxrss / scale, count, self._command)


def _run_script(words):
    """Runs a script of the project in this process, as Python would; returns the exit status."""
    sys.argv = [os.path.join(PROJECT_DIR, words[0])] + words[1:]
    status = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return status


def start_afresh(words, folder, environment=None, preexec=None):
    """Runs a command in a process of its own that inherits nothing but the environment, as from a terminal; a Run."""
    for name in ("home", "tmp"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    command = [sys.executable, os.path.join(PROJECT_DIR, words[0])] + words[1:]
    variables = dict(os.environ, HOME=os.path.join(folder, "home"), TMPDIR=os.path.join(folder, "tmp"))
    variables.update(environment or {})
    start = time.time()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: value for name, value in variables.items() if value is not None},
        preexec_fn=preexec,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=SECONDS)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = None
    texts = [text.decode("utf-8", "backslashreplace") for text in (out, err)]
    return Run(status, texts[0], texts[1], time.time() - start, 0.0, 0, " ".join(words))


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


def _import_all():
    """Imports what the scripts import, once: each forked run then has it."""
    import importlib

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
