"""Where a command is run: without a home, in the C locale, with closed streams, a dead display, odd folders."""

import os
import shutil
import signal
import subprocess
import sys

from judgement import Outcome, files_in, judge, strays
from runs import start_afresh

from utils.files import PROJECT_DIR

TITLE = "surroundings"
SIZE = 1


def _closing(*numbers):
    def close():
        for number in numbers:
            os.close(number)

    return close


def _without_room():
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))


ENVIRONMENTS = {
    "no HOME": {"HOME": None},
    "a HOME that is not there": {"HOME": "/nowhere/at/all"},
    "LANG=C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "LC_ALL that is not there": {"LC_ALL": "xx_YY.UTF-8"},
    "PYTHONIOENCODING=ascii": {"PYTHONIOENCODING": "ascii"},
    "no PATH": {"PATH": ""},
    "a dead display": {"DISPLAY": ":77"},
    "MPLBACKEND=nonsense": {"MPLBACKEND": "nonsense"},
    "TERM=dumb": {"TERM": "dumb", "COLUMNS": "3", "LINES": "1"},
    "COLUMNS=x": {"COLUMNS": "x"},
    "no TMPDIR": {"TMPDIR": "/nowhere/tmp"},
    "CUDA_VISIBLE_DEVICES=x": {"CUDA_VISIBLE_DEVICES": "x"},
    "warnings are errors": {"PYTHONWARNINGS": "error::UserWarning"},
    "PYTHONOPTIMIZE": {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
    "PYTHONHASHSEED": {"PYTHONHASHSEED": "12345"},
    "TZ": {"TZ": "nonsense"},
}
PREPARATIONS = {
    "closed stdin": _closing(0),
    "closed stdout": _closing(1),
    "closed stderr": _closing(2),
    "all closed": _closing(0, 1, 2),
    "SIGINT ignored": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    "SIGPIPE as of old": lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL),
    "few files may be open": _without_room,
}
SPECIAL = ("pipe that nobody reads", "folder of spaces and letters", "working folder that vanished", "Ctrl-C")


def inject(rng, bench, folder):
    """Runs a script in odd surroundings; returns Outcomes."""
    kind = rng.choice(sorted(ENVIRONMENTS) + sorted(PREPARATIONS) + sorted(SPECIAL))
    name = rng.choice(("explain", "evaluate", "train", "compare"))
    out = os.path.join(folder, "out")
    if kind == "folder of spaces and letters":
        out = os.path.join(out, " na\u00efve \u98de\u673a ;'&")
    words = bench.short_words(name, out=out)
    if kind == "Ctrl-C":
        wrong = _interrupt(rng, folder, words)
    elif kind == "pipe that nobody reads":
        wrong = _pipe(folder, words)
    elif kind == "working folder that vanished":
        gone = os.path.join(folder, "in")
        os.makedirs(gone)
        run = start_afresh(words, folder, preexec=lambda: (os.chdir(gone), os.rmdir(gone)))
        wrong = judge(run)
    else:
        run = start_afresh(words, folder, ENVIRONMENTS.get(kind), PREPARATIONS.get(kind))
        # With few files it may end in a line.
        wrong = judge(run, (0, 2) if kind == "few files may be open" else (0,))
    if not wrong and kind not in ("Ctrl-C", "few files may be open", "working folder that vanished"):
        wrong = None if files_in(out) else "writes nothing"
    return [Outcome("{} of {}".format(kind, name), wrong or strays(folder, is_killed=kind == "Ctrl-C"))]


def _interrupt(rng, folder, words):
    """Ctrl-C at any moment: a line, no traceback, exit status 130."""
    os.makedirs(os.path.join(folder, "tmp"))
    process = subprocess.Popen(
        [sys.executable, os.path.join(PROJECT_DIR, words[0])] + words[1:],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(os.environ, TMPDIR=os.path.join(folder, "tmp")),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    # Python itself takes a tenth of a second before any line of ours.
    seconds = 0.3 + 5 * rng.random()
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return "hangs after Ctrl-C at {:.2f} s".format(seconds)
    err = err.decode("utf-8", "replace")
    if "Traceback" in err or process.returncode not in (0, 130):
        return "Ctrl-C at {:.2f} s ends with status {}: {}".format(seconds, process.returncode, err[-300:])
    shutil.rmtree(os.path.join(folder, "tmp"))
    return None


def _pipe(folder, words):
    """`| head -c 1`: goes on to its end, and says nothing of it."""
    reading, writing = os.pipe()
    os.close(reading)
    run = start_afresh(words, folder, preexec=lambda: os.dup2(writing, 1))
    os.close(writing)
    return judge(run, (0,))
