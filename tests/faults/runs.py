"""Runs of the scripts under fault: forked, so that TensorFlow is loaded once, or afresh as from a terminal."""

import contextlib
import mmap
import os
import resource
import runpy
import signal
import struct
import subprocess
import sys
import time
import traceback

from judgement import Run
from operations import Operations

from utils.files import PROJECT_DIR

SECONDS = 600  # after which a run hangs; a comparison of all methods takes two minutes of a core that others want too
ADDRESS_SPACE = 12 << 30  # what a run cannot take in any case, so that the machine goes on


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
