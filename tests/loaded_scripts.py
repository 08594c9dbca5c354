"""Scripts run in forks of a process that has loaded TensorFlow, as loading it takes longer than most of them do.

A fork has the arguments, the environment and the streams of a process of its own, and ends like one. What happens as
Python starts and as TensorFlow is loaded needs a process of its own.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Elsewhere libraries of the system do not survive a fork.
CAN_FORK = sys.platform.startswith("linux")


def run(path, arguments, environment, timeout):
    """Runs a script.

    Args:
      path: of the script.
      arguments: list of str.
      environment: dict, all of its environment.
      timeout: seconds.

    Returns:
      subprocess.CompletedProcess with text in stdout and stderr.

    Raises:
      subprocess.TimeoutExpired: if it did not end in time; it is killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow.compat.v1"])
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as error:
        process = context.Process(target=_run, args=(path, arguments, environment, out.name, error.name))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([path] + arguments, timeout)
        return subprocess.CompletedProcess([path] + arguments, process.exitcode, out.read(), error.read())


def _run(path, arguments, environment, out, error):
    """Runs a script in the process that this is, as if it had been started for it."""
    for stream, name in ((sys.stdout, out), (sys.stderr, error)):
        number = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(number, stream.fileno())
        os.close(number)
    os.environ.clear()
    os.environ.update(environment)
    added = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
    sys.path[:] = [os.path.dirname(path)] + added + [folder for folder in sys.path if not _is_of_tests(folder)]
    sys.argv[1:] = arguments
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        atexit._run_exitfuncs()


def _is_of_tests(folder):
    return os.path.abspath(folder) == os.path.dirname(HERE) or (os.path.abspath(folder) + os.sep).startswith(
        HERE + os.sep
    )
