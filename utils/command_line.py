"""What every script's command line shares: flags, one-line errors, exit status.

Imports nothing but the standard library, so that `--help` answers at once.
"""

import argparse
import contextlib
import functools
import importlib
import json
import logging
import os
import platform
import sys
import tempfile
import warnings

PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROTATIONS = ("none", "y", "xyz")
VERBOSE = "POINTCLOUD_GRAD_CAM_VERBOSE"  # environment variable, so that processes that we start know it too


class InputError(Exception):
    """Something the user gave cannot be used.

    Its text is the one line that the user reads: what is wrong, with which file or flag, and what to do.
    """


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line; `--help` shows every default. Has --quiet and --verbose."""

    def __init__(self, description):
        super().__init__(description=description, formatter_class=_DefaultsFormatter)
        terminal = self.add_argument_group("terminal").add_mutually_exclusive_group()
        terminal.add_argument("--quiet", action="store_true", help="print nothing but errors")
        terminal.add_argument(
            "--verbose", action="store_true", help="print what TensorFlow and Open3D have to say, too"
        )

    def parse_args(self, *arguments, **options):
        flags = super().parse_args(*arguments, **options)
        if flags.quiet:
            _be_quiet()
        if flags.verbose:
            os.environ[VERBOSE] = "1"
        return flags

    def error(self, message):
        self.exit(2, "{}: error: {} (--help lists the flags)\n".format(self.prog, message))


class _DefaultsFormatter(argparse.HelpFormatter):
    """Adds the default to a flag's help, unless it has none or the help tells it in words."""

    def _get_help_string(self, action):
        if action.default in (None, argparse.SUPPRESS) or isinstance(action.default, bool) or "(default" in action.help:
            return action.help
        return action.help + " (default: %(default)s)"


def _be_quiet():
    """Silences print and every tqdm bar for the rest of the process; stderr is left to errors."""
    from tqdm import tqdm

    sys.stdout = open(os.devnull, "w", encoding="utf-8")
    tqdm.__init__ = functools.partialmethod(tqdm.__init__, disable=True)


def is_verbose():
    """Whether --verbose was given to this process or to the one that started it."""
    return bool(os.environ.get(VERBOSE))


def table(header, rows):
    """Rows of texts as lines of aligned columns under a header; columns of numbers are aligned on the right."""
    columns = list(zip(header, *rows))
    lines = []
    for number, column in enumerate(columns):
        width = max(map(len, column))
        is_text = number == 0 or any(cell[:1].isalpha() for cell in column[1:])
        lines.append([cell.ljust(width) if is_text else cell.rjust(width) for cell in column])
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*lines))


def positive_int(text):
    """argparse type: an integer of at least 1."""
    return _bounded_number(int, text, lambda value: value >= 1, "a whole number of 1 or more")


def non_negative_int(text):
    """argparse type: an integer of at least 0."""
    return _bounded_number(int, text, lambda value: value >= 0, "a whole number of 0 or more")


def seed(text):
    """argparse type: what NumPy takes for a seed, an integer from 0 to 2^32 - 1."""
    return _bounded_number(int, text, lambda value: 0 <= value < 2**32, "a whole number from 0 to 4294967295")


def positive_float(text):
    """argparse type: a number above 0."""
    return _bounded_number(float, text, lambda value: 0 < value < float("inf"), "a number above 0")


def fraction(text):
    """argparse type: a number of at least 0 and below 1."""
    return _bounded_number(float, text, lambda value: 0 <= value < 1, "a number from 0 up to, but not including, 1")


def finite_float(text):
    """argparse type: a finite number."""
    return _bounded_number(float, text, lambda value: abs(value) < float("inf"), "a finite number")


def _bounded_number(kind, text, is_allowed, wanted):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not is_allowed(value):
        raise argparse.ArgumentTypeError("{!r} is not {}".format(text, wanted))
    return value


def run(main):
    """Runs a script's `main` and ends the process with its exit status.

    Exit status 2 and one line on stderr for an InputError or a file that cannot be read or written; 130 for Ctrl-C.
    """
    # TensorFlow 1.15 greets a current NumPy with pages of them.
    warnings.filterwarnings("ignore", category=FutureWarning)
    for stream in (sys.stdout, sys.stderr):
        # A file name outside the console's code page must not end a long run.
        stream.reconfigure(errors="backslashreplace")
    try:
        main()
    except (InputError, OSError) as error:
        sys.stderr.write("{}: error: {}\n".format(os.path.basename(sys.argv[0]), " ".join(str(error).split())))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        sys.exit(130)


def make_folder(path, flag):
    """Makes a folder, unless it is there, and makes sure that files can be written into it.

    Args:
      path: the folder.
      flag: the flag that names it, for the message.

    Raises:
      InputError: it cannot be made or written.
    """
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InputError("cannot write to {} ({}): give another folder with {}".format(path, error.strerror, flag))


def replace_file(path, write, mode="w"):
    """Writes a file whole or not at all: `write(file)` fills a temporary neighbour, which then takes its place.

    Args:
      path: the file to write; what was there is kept until the new one is complete.
      write: function of one open file object.
      mode: "w" for text (UTF-8, line feeds alone) or "wb".
    """
    text_options = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    temporary = "{}.{}.tmp".format(path, os.getpid())
    try:
        with open(temporary, mode, **text_options) as file:
            write(file)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def write_json(path, values):
    """Writes a dictionary as JSON, sorted and indented, whole or not at all."""
    replace_file(path, lambda file: file.write(json.dumps(values, indent=2, sort_keys=True) + "\n"))


def versions():
    """Versions of Python, the platform and the loaded libraries that results depend on, as a dictionary of strings."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("tensorflow", "numpy", "h5py", "open3d", "matplotlib"):
        if name in sys.modules:
            found[name] = sys.modules[name].__version__
    return found


def prepare_tensorflow():
    """Loads TensorFlow, with its chatter off the terminal unless --verbose was given, and its memory in hand."""
    # Feature maps of 100 MB and more are otherwise given back to the system and faulted in again in every step.
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")
    if is_verbose():
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with _stderr_held_back():
        importlib.import_module("tensorflow")


@contextlib.contextmanager
def _stderr_held_back():
    """Drops what libraries write to stderr from C++ too; where an exception comes out, shows it after all."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        before = os.dup(2)
        os.dup2(held.fileno(), 2)
        is_done = False
        try:
            yield
            is_done = True
        finally:
            os.dup2(before, 2)
            os.close(before)
            if not is_done:
                held.seek(0)
                os.write(2, held.read())
