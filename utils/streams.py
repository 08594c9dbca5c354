"""What a script may rely on at its terminal: it is never closed to it, and Ctrl-C is one line from the first import on.

Imports next to nothing, since scripts import it before all else.
"""

import contextlib
import errno
import os
import re
import signal
import sys

# Nobody reads any more: a closed pipe, a terminal that is gone. Windows calls a closed pipe an invalid argument.
GONE = {errno.EPIPE, errno.EBADF, errno.EIO, errno.ESHUTDOWN} | ({errno.EINVAL} if os.name == "nt" else set())
# Moves the cursor, rings, changes the window's title, or turns the direction of writing.
COMMAND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PROGRESS_MOVE = re.compile("(\n|\x1b\\[A)+")  # how tqdm goes to a bar's line


class Terminal:
    """A text stream that shows control characters as escapes, and that swallows what nobody reads any more.

    All else is as of the stream that it stands for.
    """

    def __init__(self, stream):
        self.stand_for(stream)

    def stand_for(self, stream):
        """Takes a stream in the place of the one before."""
        self._stream = stream

    def write(self, text):
        if not PROGRESS_MOVE.fullmatch(text):
            text = COMMAND.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)
        self._try(self._stream.write, text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        self._try(self._stream.flush)

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def _try(self, call, *arguments):
        try:
            call(*arguments)
        except OSError as error:
            if error.errno not in GONE:
                raise
            # What is still to come, from this process, its libraries and those that it starts, goes nowhere.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def guard():
    """Makes Terminals of sys.stdout and sys.stderr, whatever has become of them."""
    try:
        # The system gives a closed number to the next file that is opened: a warning of a library would land in it.
        while os.open(os.devnull, os.O_RDWR) <= 2:
            pass
    except OSError:
        pass
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name) or open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        if not isinstance(stream, Terminal):
            # A file name outside the console's code page must not end a long run.
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, Terminal(stream))


def reopen_stderr():
    """Opens sys.stderr anew where its number, 2, has led elsewhere and back: a console of Windows loses it by that.

    Before Python 3.10 a stream writes to what its number was first, which is closed by then (bpo-30555).
    """
    try:
        is_console = os.name == "nt" and sys.stderr.isatty() and sys.stderr.fileno() == 2
    except (AttributeError, OSError):  # there is none, or one of a notebook
        return
    if is_console:
        encoding = sys.stderr.encoding
        stream = open(2, "w", 1, encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115, it stays open
        if isinstance(sys.stderr, Terminal):
            sys.stderr.stand_for(stream)  # others know that by now, as those who log do
        else:
            sys.stderr = stream


@contextlib.contextmanager
def one_line_interrupts():
    """While it is open, Ctrl-C ends the process with one line and exit status 130, as `command_line.run` does later.

    Around a script's imports, which take a second: Python would show where among them it was.
    """
    with contextlib.suppress(ValueError):  # of a thread other than the first, which gets no signals
        before = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, NameError):
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def kept_from_interrupts():
    """While it is open, Ctrl-C waits for this thread, and does nothing to threads and processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(*_):
    # No exception: libraries take one within their imports for a failure of their own.
    with contextlib.suppress(OSError):
        os.write(2, b"\nInterrupted.\n")
    os._exit(130)
