"""What every script's command line shares: flags, one-line errors, exit status.

Imports nothing but the standard library, so that `--help` answers at once.
"""

import argparse
import os
import re
import signal
import sys
import warnings

import utils
from utils import streams
from utils.files import PROJECT_DIR, InputError, printable

ROTATIONS = ("none", "y", "xyz")
VERBOSE = "POINTCLOUD_GRAD_CAM_VERBOSE"  # environment variable, so that processes that we start know it too
# Arguments that the flags call otherwise: upstream's names.
FLAG_NAMES = {"num_points": "num_point", "class_name": "desired_label", "target_class": "target_label"}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line; `--help` shows every default.

    Has --version, --quiet and --verbose. The flags that it returns know which of them were given: `flags.given`.

    Attributes:
      arguments: names of all flags that this process has parsed.
    """

    arguments = set()

    def __init__(self, description, examples=()):
        """
        Args:
          description: what the script does, in one sentence.
          examples: commands that `--help` shows below the flags.
        """
        epilog = "\n  ".join(("examples:",) + tuple(examples)) if examples else None
        super().__init__(description=description, epilog=epilog, formatter_class=_DefaultsFormatter)
        terminal = self.add_argument_group("terminal")
        terminal.add_argument("--version", action="version", version="pointcloud-grad-CAM " + utils.__version__)
        terminal = terminal.add_mutually_exclusive_group()
        terminal.add_argument("--quiet", action="store_true", help="print nothing but errors; the files are as ever")
        terminal.add_argument(
            "--verbose", action="store_true", help="print what TensorFlow and Open3D have to say, too"
        )

    def parse_args(self, arguments=None):
        """The flags, as an argparse.Namespace; `given` is the set of names of those on the command line.

        Args:
          arguments: list of texts; None: those of the command line.
        """
        arguments = self._with_values(sys.argv[1:] if arguments is None else arguments)
        flags = super().parse_args(arguments)
        self.arguments.update(vars(flags))
        flags.given = self._given(arguments)
        if flags.quiet:
            be_quiet()
        if flags.verbose:
            os.environ[VERBOSE] = "1"
        return flags

    def error(self, message):
        self.exit(2, "{}: error: {} (--help lists the flags)\n".format(self.prog, message))

    def _with_values(self, arguments):
        """Lets `--drop_mode -midrange` and `--view -30,20` stand with a space: argparse would take them for flags."""
        joined = []
        for argument in arguments:
            takes = self._option_string_actions.get(joined[-1]) if joined else None
            # Of flags that take one value, and not of those that take none or a list.
            is_value = takes is not None and takes.nargs is None and argument not in self._option_string_actions
            if is_value and (argument in (takes.choices or ()) or re.match(r"-[\d.]", argument)):
                joined[-1] += "=" + argument
            else:
                joined.append(argument)
        return joined

    def _given(self, arguments):
        defaults = [(action, action.default) for action in self._actions]
        try:
            for action, _ in defaults:
                action.default = argparse.SUPPRESS
            return set(vars(super().parse_args(arguments)))
        finally:
            for action, default in defaults:
                action.default = default


class _DefaultsFormatter(argparse.HelpFormatter):
    """Adds the default to a flag's help, unless it has none or the help tells it in words; keeps lines of examples."""

    def _fill_text(self, text, width, indent):
        return text if "\n" in text else super()._fill_text(text, width, indent)

    def _get_help_string(self, action):
        if action.default in (None, argparse.SUPPRESS) or isinstance(action.default, bool) or "(default" in action.help:
            return action.help
        return action.help + " (default: %(default)s)"


def add_data_flag(group):
    """--data_dir, of every script that reads a data set."""
    group.add_argument(
        "--data_dir",
        metavar="FOLDER",
        help="HDF5 files as of ModelNet40, of any classes; or `demo` for the built-in shapes (default: "
        "data/modelnet40_ply_hdf5_2048, fetched when missing)",
    )


def add_log_flag(group):
    """--log_dir, of every script."""
    group.add_argument(
        "--log_dir",
        default=os.path.join(PROJECT_DIR, "log"),
        metavar="FOLDER",
        help="folder that train.py writes (default: log, beside the scripts)",
    )


def add_gpu_flag(group):
    """--gpu, of every script."""
    group.add_argument("--gpu", type=int, default=0, metavar="INDEX", help="of the GPU; -1 for the CPU")


def add_seed_flag(group, what):
    """--seed, of every script; `what` is drawn from it, in words."""
    group.add_argument("--seed", type=seed, default=0, help="of {}".format(what))


def add_overwrite_flag(group):
    """--overwrite, of every script that leaves a folder of results."""
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the results of a run of other flags, which else stay, and this run's get a folder of their own",
    )


def refuse_idle(flags, name, reason):
    """Refuses a flag that was given, but does nothing in this run.

    Args:
      flags: of `Parser.parse_args`.
      name: of the flag.
      reason: why it does nothing, in words.

    Raises:
      InputError: it was given.
    """
    if name in flags.given:
        raise InputError("--{} does nothing here: {}".format(name, reason))


def kept_flags(flags):
    """What run.json and config.json keep of flags: all but what concerns the terminal, as a dictionary."""
    left_out = ("given", "quiet", "verbose")
    return {name: value for name, value in vars(flags).items() if name not in left_out}


def be_quiet():
    """Silences print and all progress for the rest of the process; stderr is left to errors."""
    from utils import progress

    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, it stays open to the end
    progress.Progress.is_silenced = True


def is_verbose():
    """Whether --verbose was given to this process or to the one that started it."""
    return bool(os.environ.get(VERBOSE))


def positive_int(text):
    """argparse type: an integer of at least 1."""
    return _bounded_number(int, text, lambda value: value >= 1, "a whole number of 1 or more")


def positive_int_or(word):
    """argparse type: an integer of at least 1, or a word."""

    def kind(text):
        wanted = "{} or a whole number of 1 or more".format(word)
        return word if text == word else _bounded_number(int, text, lambda value: value >= 1, wanted)

    return kind


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

    Exit status 2 and one line on stderr for an InputError or a file that cannot be read or written; 130 for Ctrl-C,
    with the words of the KeyboardInterrupt, if it has some.
    """
    # TensorFlow 1.15 greets a current NumPy with pages of them.
    warnings.filterwarnings("ignore", category=FutureWarning)
    streams.guard()
    # No picture of ours opens a window of matplotlib, which refuses to load with a back end that it does not know.
    os.environ.pop("MPLBACKEND", None)
    if hasattr(signal, "SIGBREAK"):  # Ctrl-Break, on Windows
        signal.signal(signal.SIGBREAK, signal.default_int_handler)
    try:
        main()
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:
        interrupt = _interrupt_behind(error)
        if interrupt is not None:
            sys.stderr.write("\nInterrupted{}.\n".format("".join(": {}".format(words) for words in interrupt.args)))
            sys.exit(130)
        if isinstance(error, (InputError, OSError)):
            sys.stderr.write("{}: error: {}\n".format(os.path.basename(sys.argv[0]), one_line(error)))
            sys.exit(2)
        raise


def _interrupt_behind(error):
    """The KeyboardInterrupt that an exception is, or that Python made it of, as within an import; None without one."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__
    return error


def one_line(error):
    """The text of an error as the user reads it: in one line, with a flag for each `argument` that it names."""

    def flag(match):
        name = FLAG_NAMES.get(match.group(1), match.group(1))
        return "--" + name if name in Parser.arguments else match.group(0)

    return re.sub(r"`([a-z_]+)`", flag, printable(" ".join(str(error).split())))
