"""Terminals that are closed, gone or odd: they end no run, and Ctrl-C is one line from the first import on."""

import errno
import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import explain

from utils import command_line, streams
from utils.files import PROJECT_DIR

pytestmark = pytest.mark.takes_turns
# Runs a script once Python itself has started, which takes long on a busy machine and tells of Ctrl-C in its own way.
BEGIN = """\
import runpy, sys
from utils import streams
print("begun", flush=True)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _start(code, **options):
    return subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT_DIR, universal_newlines=True, **options)


PRINTS = """
import os, sys
from utils import command_line
def main():
    for number in range(20000):
        print("line", number)
        sys.stderr.write("warning\\n")
    held = os.open(sys.argv[0] if os.path.isfile(sys.argv[0]) else os.devnull, os.O_RDONLY)
    open({path!r}, "w").write("{{}}".format(held))
command_line.run(main)
"""


@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2), (0, 1, 2)])
def test_a_run_without_streams_ends_well_and_no_file_of_its_own_gets_their_numbers(closed, tmp_path):
    path = str(tmp_path / "done")
    started = _start(PRINTS.format(path=path), preexec_fn=lambda: [os.close(number) for number in closed])
    assert started.wait(60) == 0
    with open(path) as file:
        assert int(file.read()) > 2


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_run_goes_on_quietly_when_nobody_reads_any_more(stream, tmp_path):
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    path, kept = str(tmp_path / "done"), tmp_path / "kept"
    with open(str(kept), "w") as file:
        started = _start(PRINTS.format(path=path), **{stream: subprocess.PIPE, other: file})
        pipe = getattr(started, stream)
        pipe.readline()
        pipe.close()
        assert started.wait(60) == 0
    assert os.path.exists(path) and kept.read_text().count("\n") == 20000
    assert "Traceback" not in kept.read_text() and "Broken" not in kept.read_text()


def test_a_full_disk_behind_stdout_is_said():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        streams.Terminal(Full()).write("x")


def test_control_characters_are_shown_and_bars_go_on_moving():
    kept = io.StringIO()
    terminal = streams.Terminal(kept)
    terminal.write("a\x1b[2J\x07\x9b\u202eb\tc\r\n")
    terminal.write("\x1b[A")
    terminal.write("\n\x1b[A")
    assert kept.getvalue() == "a\\x1b[2J\\x07\\x9b\\u202eb\tc\r\n\x1b[A\n\x1b[A"


@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C cannot be sent to one process on Windows")
@pytest.mark.parametrize("script", ["p_grad_CAM.py", "ASM.py", "explain.py", "compare.py", "evaluate.py", "train.py"])
def test_ctrl_c_while_a_script_loads_is_one_line(script, tmp_path):
    for seconds in (0.1, 0.3):
        started = subprocess.Popen(
            [sys.executable, "-c", BEGIN, script, "--data_dir", "nowhere", "--log_dir", str(tmp_path)],
            cwd=PROJECT_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            env=dict(os.environ, PYTHONPATH=""),
        )
        assert started.stdout.readline() == "begun\n"
        time.sleep(seconds)
        started.send_signal(signal.SIGINT)
        said = started.communicate(timeout=60)[1]
        # On a fast machine it has found by then that there is no such folder.
        assert (started.returncode, said) == (130, "\nInterrupted.\n") or "nowhere" in said, said


def test_the_handler_of_before_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with streams.one_line_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_back_end_that_nobody_knows_changes_nothing():
    code = "from utils import command_line\nfrom utils.pictures import plots\n"
    started = _start(
        code + "command_line.run(lambda: plots.new_figure(1, 1))",
        env=dict(os.environ, MPLBACKEND="nonsense"),
        stderr=subprocess.PIPE,
    )
    assert started.communicate(timeout=60)[1] == "" and started.returncode == 0


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_a_file_name_that_is_no_utf_8_ends_no_folder(tiny_log, tmp_path, rng):
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in (b"caf\xe9.npy", b"z.npy"):
        with open(os.path.join(os.fsencode(str(folder)), name), "wb") as file:
            np.save(file, rng.rand(30, 3))
    finished = explain(
        "ASM.py",
        *["--input", folder, "--log_dir", tiny_log, "--num_steps", 1, "--rotation", "none"],
        *["--dump_dir", tmp_path / "out"],
    )
    assert finished.returncode == 0, finished.stderr
    assert r"caf\udce9 0" in finished.stdout
    first, second = sorted(os.listdir(str(tmp_path / "out" / "asm")))
    assert first.startswith("caf__0-") and second == "z_0"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a field"), ImportError("initialization failed")])
def test_a_ctrl_c_that_python_turns_into_another_error_is_one_all_the_same(error, monkeypatch, capsys):
    monkeypatch.setattr(streams, "guard", lambda: None)

    def main():
        raise error from (None if isinstance(error, KeyboardInterrupt) else KeyboardInterrupt())

    with pytest.raises(SystemExit) as ended:
        command_line.run(main)
    assert (ended.value.code, capsys.readouterr().err) == (130, "\nInterrupted.\n")


def test_an_error_of_our_own_shows_where_it_was(monkeypatch):
    monkeypatch.setattr(streams, "guard", lambda: None)

    def main():
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        command_line.run(main)
