"""What becomes of stderr where TensorFlow loads: nothing, whatever it is."""

import errno
import io
import os
import subprocess
import sys

import pytest

from utils import streams
from utils.files import PROJECT_DIR
from utils.network import loading


@pytest.fixture
def console_class(monkeypatch):
    """Streams of a Windows console under Python 3.7, which are dead once os.dup2 has led their number elsewhere."""
    led, dup2 = [], os.dup2

    class Console(io.StringIO):
        encoding = "utf-8"

        def __init__(self):
            super().__init__()
            self.num_led = len(led)

        def write(self, text):
            if self.num_led < len(led):
                raise OSError(errno.EBADF, "The handle is invalid")
            return super().write(text)

        def isatty(self):
            return True

        def fileno(self):
            return 2

    monkeypatch.setattr(os, "dup2", lambda one, other: (led.append(other), dup2(one, other)))
    return Console


@pytest.mark.parametrize("is_of_a_script", [True, False])
def test_a_console_of_windows_shows_errors_after_tensorflow_has_loaded(is_of_a_script, console_class, monkeypatch):
    opened, error = [], RuntimeError("of the import")
    monkeypatch.setattr(streams, "open", lambda *_, **__: opened.append(console_class()) or opened[-1], raising=False)
    stderr = streams.Terminal(console_class()) if is_of_a_script else console_class()
    with monkeypatch.context() as windows:
        windows.setattr(sys, "stderr", stderr)
        windows.setattr(os, "name", "nt")
        with pytest.raises(RuntimeError), loading._stderr_held_back():
            raise error
        sys.stderr.write("error: what went wrong\n")
        assert (sys.stderr is stderr) == is_of_a_script
    assert [one.getvalue() for one in opened] == ["error: what went wrong\n"]


def test_a_stream_that_is_no_console_stays(monkeypatch):
    kept = io.StringIO()
    monkeypatch.setattr(sys, "stderr", kept)
    with loading._stderr_held_back():
        os.write(2, b"chatter")
    assert sys.stderr is kept and kept.getvalue() == ""


def test_a_program_without_a_console_loads_too():
    code = (
        "import os, sys; from utils.network import loading; fail = lambda _: os.close(99); os.dup = fail\n"
        "with loading._stderr_held_back(): print('loaded')"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, stdout=subprocess.PIPE, timeout=60)
    assert finished.stdout.split() == [b"loaded"]
