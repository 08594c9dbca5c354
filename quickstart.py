"""From a fresh clone to pictures of what a PointNet looks at, in one command.

    python quickstart.py                        makes the environment, then trains and explains on the built-in shapes
    python quickstart.py --input my_chair.ply   makes the same environment and explains a cloud of your own
    python quickstart.py --test                 makes it and runs the tests; what follows `--` goes to pytest

Starts under any Python from 3.7 on, and makes the environment with one that TensorFlow is built for: 3.7, or 3.10 to
3.12, found on this computer or fetched by uv. Run again, it goes on with what is there.
"""

import sys

if sys.version_info < (3, 7):  # to get here, Python 2 has to be able to parse the whole file
    sys.exit("quickstart.py: error: this is Python {}.{}, 3.7 or later is needed".format(*sys.version_info[:2]))

import argparse
import collections
import glob
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

EXAMPLES = (
    "python quickstart.py",
    "python quickstart.py --input my_chair.ply",
    "python quickstart.py --test -- -k heat",
)
# The main job: what each step is for, its script, and its flags.
DEMO = "--data_dir demo --log_dir log/demo"
AIRPLANE = DEMO + " --desired_label airplane --num_point 1024 --num_votes 100"
# A network of so few shapes may call any handful of points an airplane; that of this seed loses it under both methods.
MAIN_JOB = (
    ("Training PointNet on the built-in shapes", "train.py", DEMO + " --num_point 256 --max_epoch 15 --seed 2"),
    ("Explaining an airplane with p-grad-CAM", "p_grad_CAM.py", AIRPLANE),
    ("Explaining the same airplane with ASM", "ASM.py", AIRPLANE + " --num_drop 5"),
)
OWN_CLOUD = ("--compare", "--input")  # flags of p_grad_CAM.py, with the shipped network
PICTURES = ("log/demo/explain/*/airplane_*/heat.png", "log/demo/explain/*/airplane_*/heat.html")

# Here alone, records are no classes with typed fields: Python 2 cannot parse those, so would not say what it lacks.
# Of a TensorFlow: the Pythons and machines that it is built for, its requirement files, and the room that it takes.
Kind = collections.namedtuple("Kind", "name pythons machines requirements gigabytes")
LINUX, WINDOWS, MAC = "linux-x86_64", "win32-amd64", "darwin-arm64"
REQUIREMENTS = ("requirements.txt", "requirements-lock.txt")
TF2_REQUIREMENTS = ("requirements-tf2.txt", "requirements-tf2-lock.txt")
KINDS = {
    1: Kind("TensorFlow 1.15", ("3.7",), (LINUX, WINDOWS), REQUIREMENTS, 4),
    2: Kind("TensorFlow 2", ("3.12", "3.11", "3.10"), (LINUX, WINDOWS, MAC), TF2_REQUIREMENTS, 5),
}
TEST_REQUIREMENTS = "requirements-test.txt"
PIP = "pip==24.0"  # the last for Python 3.7; what a Python brings along can be too old to know today's wheels
STAMP = "quickstart-stamp.txt"  # says which requirements an environment fulfils; empty while it is half-made
PROJECT_DIR = os.path.dirname(os.path.abspath(__file__))
START, NOWHERE = time.time(), subprocess.DEVNULL

# Asked of every Python that might do: what stands on the PATH may be a shim or an app-store link that runs nothing.
PROBE = """
import importlib.util, platform, sys
machine = platform.machine().lower() if sys.maxsize > 2 ** 32 else "32bit"
has_venv = importlib.util.find_spec("ensurepip") is not None
print("%d.%d" % sys.version_info[:2], sys.platform + "-" + machine, has_venv, sys.executable, sep="|")
"""
# What it answers: "3.7" and the like, one of a Kind's machines, whether it can make environments, and where it is.
FoundPython = collections.namedtuple("FoundPython", "version machine has_venv path")
# What a failed pip wrote into its log, what to do, and whether the other TensorFlow might still install.
PIP_FAILURES = (
    (r"No space left on device|not enough space on the disk", "the disk is full: make room and run again", False),
    (r"Long Path", "the path is too long for Windows: move the project to a shorter one, such as C:\\pgc", False),
    (
        r"NewConnectionError|NameResolutionError|Timeout|ProxyError|SSLError|ConnectionReset|ProtocolError|HTTP error",
        "the package index cannot be reached: check the network (behind a proxy, set HTTPS_PROXY) and run again",
        False,
    ),
    (r"No matching distribution found", "no build for this machine, or pip is told not to look (PIP_NO_INDEX)", True),
    (r"", "the message of pip is above", True),
)


class Failure(Exception):
    """Its text is the one line that the user reads: what failed and what to do."""


class NotHere(Failure):
    """This TensorFlow cannot be had on this machine; the other one may be."""


def main():
    flags, pytest_arguments = parse_flags()
    if flags.quiet:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, it stays open to the end
        os.environ["PIP_QUIET"] = "1"  # which pip takes for its --quiet
    try:
        if flags.input and not os.path.exists(flags.input):
            raise Failure("--input {}: there is no such file".format(flags.input))
        python = set_up(flags)
        if flags.test:
            # Which tests are all, where none are named, stands in pyproject.toml.
            sys.exit(run([python, "-m", "pytest"] + ["--quiet"] * flags.quiet + pytest_arguments, "Running the tests"))
        if flags.input:
            explain_own_cloud(python, flags)
        else:
            run_main_job(python, flags.no_window, flags.quiet)
    except (Failure, OSError) as error:
        sys.stderr.write("quickstart.py: error: {}\n".format(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. Run again to go on.\n")
        sys.exit(130)


def parse_flags():
    parser = argparse.ArgumentParser(
        prog="quickstart.py",
        description="Makes the environment and shows which points a PointNet looks at.",
        epilog="\n  ".join(("examples:",) + EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--test", action="store_true", help="run the tests instead; what follows -- goes to pytest")
    parser.add_argument("--input", metavar="FILE", help="explain this cloud or mesh instead, as p_grad_CAM.py does")
    parser.add_argument(
        "--tensorflow",
        type=int,
        choices=sorted(KINDS),
        help="1: TensorFlow 1.15 on Python 3.7, in "
        ".venv; 2: TensorFlow 2, in .venv-tf2 (default: 1 where it can be had, else 2, in .venv)",
    )
    parser.add_argument("--no_window", action="store_true", help="open no windows (default where there is no display)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors; the files are as ever")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    flags = parser.parse_args(sys.argv[1:end])
    flags.input = flags.input and os.path.abspath(flags.input)
    if sys.argv[end + 1 :] and not flags.test:
        parser.error("what follows -- goes to pytest: give --test too")
    if flags.input and flags.test:
        parser.error("--input and --test: give one of them")
    return flags, sys.argv[end + 1 :]


def set_up(flags):
    """Makes the environment that the flags ask for, or finds it there; returns its Python, relative to the project."""
    os.chdir(PROJECT_DIR)
    for name in ("PYTHONPATH", "PYTHONHOME"):  # they would lead another Python to this one's packages
        os.environ.pop(name, None)
    say("Working in {}".format(PROJECT_DIR))
    if flags.tensorflow:
        return make_environment(KINDS[flags.tensorflow], ".venv-tf2" if flags.tensorflow == 2 else ".venv", flags.test)
    if not is_ready(".venv", KINDS[2].requirements):
        try:
            return make_environment(KINDS[1], ".venv", flags.test)
        except NotHere as failure:
            say("No TensorFlow 1.15 here: {}. Going on with TensorFlow 2.".format(failure))
    return make_environment(KINDS[2], ".venv", flags.test)


def make_environment(kind, folder, with_tests):
    """Makes a virtual environment, completes it, or finds it complete; returns its Python.

    Args:
      kind: one of KINDS.
      folder: where; what a quickstart left half-made or out of date there is made anew.
      with_tests: whether what the tests need goes in, too.

    Raises:
      NotHere: no Python fits, or the packages do not install or load.
      Failure: something that the other TensorFlow would fail at, too.
    """
    files = kind.requirements + ((TEST_REQUIREMENTS,) if with_tests else ())
    python = python_of(folder)
    if is_ready(folder, files):
        say("The {} environment in {} is ready".format(kind.name, folder))
        return python
    # Adding the tests' needs changes nothing that is there: when it fails, the environment is as good as it was.
    if not is_ready(folder, kind.requirements):
        base_python = find_python(kind)
        empty_folder(folder)
        free = shutil.disk_usage(folder).free / 1e9
        if free < kind.gigabytes:
            message = "{} needs {} GB in {}, where {:.1f} GB are free: make room and run again"
            raise Failure(message.format(kind.name, kind.gigabytes, PROJECT_DIR, free))
        if run([base_python, "-m", "venv", folder], "Making the {} environment".format(kind.name)) != 0:
            raise NotHere("{} cannot make environments".format(base_python))
        pip_install(python, folder, ["--quiet", PIP], "Bringing pip up to date")
    wanted = [word for name in files if "lock" not in name for word in ("-r", name)]
    pip_install(python, folder, wanted, "Installing packages (up to 1 GB to fetch)")
    check_imports(python, kind)
    pathlib.Path(folder, STAMP).write_text("\n".join(fingerprints(files)), encoding="utf-8")
    say("The {} environment in {} is complete".format(kind.name, folder))
    return python


def is_ready(folder, files):
    """Whether an environment is complete, was made from these very requirement files, and starts."""
    stamp = pathlib.Path(folder, STAMP)
    made_from = stamp.read_text(encoding="utf-8", errors="replace").split("\n") if stamp.is_file() else ()
    return set(fingerprints(files)).issubset(made_from) and probe([python_of(folder)]) is not None


def fingerprints(files):
    """One line for each requirement file: its name and the SHA-256 of what it says."""
    return [name + " " + hashlib.sha256(pathlib.Path(PROJECT_DIR, name).read_bytes()).hexdigest() for name in files]


def empty_folder(folder):
    """Makes a folder hold nothing but an empty stamp, which marks it as ours to empty."""
    os.makedirs(folder, exist_ok=True)
    stamp = pathlib.Path(folder, STAMP)
    if os.listdir(folder) and not stamp.exists():
        raise Failure("{} is there, but was not made by quickstart.py: move it away and run again".format(folder))
    stamp.write_text("", encoding="utf-8")
    for path in pathlib.Path(folder).iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        elif path != stamp:
            path.unlink()


def python_of(folder):
    return os.path.join(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def find_python(kind):
    """The first Python that runs, that this kind of TensorFlow is built for, and that can make environments."""
    lacks_venv = set()
    for command in candidates(kind.pythons):
        found = probe(command)
        if not found or found.version not in kind.pythons or found.machine not in kind.machines:
            continue
        if is_within(found.path, PROJECT_DIR):
            continue  # an environment of this project may be emptied before the next one is made with it
        if found.has_venv:
            return found.path
        lacks_venv.add("{} lacks venv (on Debian: apt install python{}-venv)".format(found.path, found.version))
    none = "found no Python {} for {} ({}): install one from python.org, conda or pyenv"
    versions, machines = " or ".join(kind.pythons), ", ".join(kind.machines)
    raise NotHere("; ".join(sorted(lacks_venv)) or none.format(versions, kind.name, machines))


def candidates(versions):
    """Yields commands that may start a Python of one of these versions, such as "3.7": the nearest first."""
    yield [sys.executable]
    for name in ["python" + version for version in versions] + ["python3", "python"]:
        yield [shutil.which(name) or name]
    home = os.path.join(os.path.expanduser("~"), ".pyenv")
    for version in versions:
        yield ["py", "-" + version]
        for root in (os.environ.get("PYENV_ROOT", home), os.environ.get("PYENV", os.path.join(home, "pyenv-win"))):
            installed = os.path.join(glob.escape(root), "versions", version + ".*")
            for path in glob.glob(os.path.join(installed, "bin", "python")) + glob.glob(installed + "/python.exe"):
                yield [path]
    if shutil.which("uv"):
        run(["uv", "python", "install", versions[0]], "Fetching Python " + versions[0])
        command = ["uv", "python", "find", "--system", "--python-preference", "only-managed", versions[0]]
        yield [ask(command, stdout=subprocess.PIPE, stderr=NOWHERE).stdout.strip()]


def is_within(path, folder):
    """Whether a path lies in a folder, as the system compares paths: on Windows by any case and either slash."""
    path, folder = (os.path.normcase(os.path.abspath(one)) for one in (path, folder))
    return path.startswith(os.path.join(folder, ""))


def ask(command, **options):
    """Runs a command and returns how it ended; what it says is UTF-8, whatever the code page of the console is."""
    environment = dict(os.environ, PYTHONIOENCODING="utf-8:surrogateescape")
    return subprocess.run(command, env=environment, encoding="utf-8", errors="surrogateescape", **options)


def probe(command):
    """What the Python that a command starts says of itself, or None when it does not run."""
    try:
        answer = ask(command + ["-c", PROBE], stdin=NOWHERE, stdout=subprocess.PIPE, stderr=NOWHERE, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.strip().split("|")
    return FoundPython(words[0], words[1], words[2] == "True", words[3]) if len(words) == 4 else None


def pip_install(python, folder, what, purpose):
    """Installs with pip's own progress on the terminal; a failure is explained from its log."""
    log = pathlib.Path(folder, "pip.log")
    log.write_text("", encoding="utf-8")
    if run([python, "-m", "pip", "--log", str(log), "install"] + what, purpose) == 0:
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    for pattern, advice, other_may_install in PIP_FAILURES:
        if re.search(pattern, text):
            raise (NotHere if other_may_install else Failure)("installing {} failed: {}".format(what[-1], advice))


def check_imports(python, kind):
    """Loads every package that the program imports: one can install well and yet miss a library of the system."""
    say("Loading TensorFlow and Open3D for the first time")
    for modules in ("tensorflow, tensorboard, numpy, scipy, h5py, matplotlib, plotly, tabulate, tqdm", "open3d"):
        answer = ask([python, "-c", "import " + modules], stdout=NOWHERE, stderr=subprocess.PIPE)
        if answer.returncode != 0:
            complaint = answer.stderr.strip().split("\n")[-1] or "exit status {}".format(answer.returncode)
            if modules != "open3d":
                raise NotHere("{} does not load ({})".format(kind.name, complaint))
            say(
                "Open3D does not load ({}), so there are no windows. On Debian, this helps: "
                "apt install libgl1 libegl1 libgomp1 libx11-6".format(complaint)
            )


def run_main_job(python, no_window, is_quiet=False):
    """Runs every step of MAIN_JOB and says where the pictures are."""
    for purpose, script, script_flags in MAIN_JOB:
        run_script(python, script, script_flags.split(), purpose, no_window, is_quiet)
    say("Done. Pictures of what the network looks at, and pages to turn in a browser, one for each method:")
    for picture in sorted(picture for pattern in PICTURES for picture in glob.glob(pattern)):
        put("    {}\n".format(os.path.normpath(picture)))


def explain_own_cloud(python, flags):
    """Explains the file of --input by the methods of both scripts, which say where the pictures are."""
    arguments = list(OWN_CLOUD) + [flags.input]
    run_script(python, "p_grad_CAM.py", arguments, "Explaining " + flags.input, flags.no_window, flags.quiet)


def run_script(python, script, arguments, purpose, no_window, is_quiet):
    """Runs a script of the project; raises a Failure where it fails."""
    has_display = sys.platform in ("win32", "darwin") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    command = [python, script] + arguments
    if script != "train.py" and (no_window or not has_display):
        command.append("--no_window")
    if is_quiet:
        command.append("--quiet")
    status = run(command, purpose)
    if status != 0:
        raise Failure("{} ended with exit status {}; its own message is above".format(script, status))


def run(command, purpose):
    """Says what a command is for, runs it on this terminal and returns its exit status."""
    say("{}: {}".format(purpose, " ".join(command)))
    child = subprocess.Popen(command)
    try:
        status = child.wait()
    except KeyboardInterrupt:
        child.wait()  # Ctrl-C reached it, too: it may have something to save
        raise
    if status in (128 + signal.SIGINT, -signal.SIGINT):
        raise KeyboardInterrupt
    return status


def say(text):
    minutes, seconds = divmod(int(time.time() - START), 60)
    put("[{:2d}:{:02d}] {}\n".format(minutes, seconds, text))


def put(text):
    """Prints a text as far as the terminal has its letters; where there is no terminal any more, goes on quietly."""
    try:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except (AttributeError, OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for the commands to come, too


if __name__ == "__main__":
    main()
