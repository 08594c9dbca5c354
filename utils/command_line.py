"""What every script's command line shares: flags, one-line errors, exit status.

Imports nothing but the standard library, so that `--help` answers at once.
"""
import argparse
import json
import logging
import os
import platform
import sys
import tempfile
import warnings

PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROTATIONS = ("none", "y", "xyz")


class InputError(Exception):
    """Something the user gave cannot be used.

    Its text is the one line that the user reads: what is wrong, with which file or flag, and what to do.
    """


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line; `--help` shows every default."""

    def __init__(self, description):
        super().__init__(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)

    def error(self, message):
        self.exit(2, "{}: error: {} (--help lists the flags)\n".format(self.prog, message))


def positive_int(text):
    """argparse type: an integer of at least 1."""
    return _bounded_number(int, text, lambda value: value >= 1, "a whole number of 1 or more")


def non_negative_int(text):
    """argparse type: an integer of at least 0."""
    return _bounded_number(int, text, lambda value: value >= 0, "a whole number of 0 or more")


def seed(text):
    """argparse type: what NumPy takes for a seed, an integer from 0 to 2^32 - 1."""
    return _bounded_number(int, text, lambda value: 0 <= value < 2 ** 32, "a whole number from 0 to 4294967295")


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
    """Keeps TensorFlow's chatter off the terminal, and its memory in hand. Call it before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Feature maps of 100 MB and more are otherwise given back to the system and faulted in again in every step.
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")
