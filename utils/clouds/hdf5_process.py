"""Reads the HDF5 files of a data set in a process of their own, one for all of them.

A crafted file can crash HDF5's library, keep it busy without end or have it take all memory: the program goes on, and
says so in one line. What is read comes back by a pipe while the next file is read, which takes no time and no disk.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np

from utils.clouds import hdf5, limits
from utils.files import PROJECT_DIR, InputError, printable

# How much the clouds and labels of files may take for each byte of these: compression makes less of it.
CONTENT_BYTES, CONTENT_A_BYTE = 1 << 28, 40
# For a cloud as its file has it, as float32, and whether it is finite.
COPIES = 4


def read(paths, num_points=None, is_scaled=False):
    """Clouds and labels of each file, in turn. A caller that needs no more of them closes the generator.

    Args:
      paths: the files.
      num_points: how many points of each cloud, the first ones; None: all.
      is_scaled: as for `hdf5.read`.

    Yields:
      points: float32 array [n, num_points, 3].
      labels: int64 array [n].

    Raises:
      InputError: as of `hdf5.read`, or a file ends its reader, or takes longer or more memory than its size explains.
        The files before it are yielded.
    """
    return _read(paths, {"num_points": num_points, "is_scaled": is_scaled, "is_labels_alone": False})


def read_labels(paths):
    """The labels alone of each file, in turn: int64 arrays [n]. Raises InputErrors as `read` does."""
    with contextlib.closing(_read(paths, {"is_labels_alone": True})) as parts:
        for _, labels in parts:
            yield labels


def _read(paths, order):
    size = sum(_size(path) for path in paths)
    process = subprocess.Popen(
        [sys.executable, "-m", "utils.clouds.hdf5_process"],
        cwd=PROJECT_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    has_expired, words = threading.Event(), []
    threads = (
        threading.Timer(limits.seconds(size), lambda: (has_expired.set(), process.kill())),
        threading.Thread(target=lambda: words.append(process.stderr.read())),
    )
    for thread in threads:
        thread.daemon = True
        thread.start()
    try:
        # Not by arguments: Windows takes 32,767 characters of them.
        with contextlib.suppress(OSError), process.stdin as file:
            file.write(json.dumps(dict(order, paths=[os.path.abspath(path) for path in paths])).encode())
        for path in paths:
            answer = _answer(process.stdout)
            if answer is None:
                threads[1].join(10)
                raise InputError(_end(path, process, has_expired.is_set() and limits.seconds(size), words))
            if isinstance(answer, str):
                # The reader knows the file by its absolute path.
                raise InputError(answer.replace(os.path.abspath(path), path))
            yield answer
    except MemoryError:
        raise InputError("{} and the files before it take more memory than there is: give fewer points".format(path))
    finally:
        threads[0].cancel()
        process.kill()
        process.wait()
        threads[1].join(10)
        process.stdout.close()
        process.stderr.close()


def _size(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0  # The reader says so.


def _end(path, process, seconds, words):
    """Why there is no answer on a file, for the user."""
    if seconds:
        return "{} was not read in {:.0f} s: is it damaged? copy or fetch it again".format(path, seconds)
    last = b"".join(words).decode("utf-8", "replace").strip().split("\n")[-1]
    return (
        "{} cannot be read: its reader ended with status {} ({}): is the file damaged? copy or fetch it again".format(
            path, process.wait(), printable(last, 200)
        )
    )


def _answer(stream):
    """(points, labels) of a file, or the text of an error; None: the process ended before."""
    try:
        told = json.loads(stream.readline().decode())
    except ValueError:
        return None
    if "error" in told:
        return told["error"]
    arrays = np.empty(told["shape"], np.float32), np.empty(told["count"], np.int64)
    return arrays if all(_fill(array, stream) for array in arrays) else None


def _fill(array, stream):
    """Fills an array with the bytes that follow; returns whether there were enough."""
    rest = memoryview(array.reshape(-1).view(np.uint8))
    while len(rest):
        count = stream.readinto(rest)
        if not count:
            return False
        rest = rest[count:]
    return True


def _main():
    # Ctrl-C is the program's to answer, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    order = json.loads(sys.stdin.buffer.read().decode())
    sizes = [_size(path) for path in order["paths"]]
    limits.limit_memory(COPIES * (CONTENT_A_BYTE * max(sizes, default=0)) // limits.MEMORY_A_BYTE)
    most = CONTENT_BYTES + CONTENT_A_BYTE * sum(sizes)
    for path in order["paths"]:
        try:
            if order["is_labels_alone"]:
                points, labels = np.empty((0, 0, 3), np.float32), hdf5.read_labels(path, most)
            else:
                points, labels = hdf5.read(path, order["num_points"], most, order["is_scaled"])
        except InputError as error:
            _send({"error": str(error)})
            return
        _send({"shape": points.shape, "count": len(labels)}, points, labels)
        most -= points.nbytes + labels.nbytes


def _send(told, *arrays):
    stream = sys.stdout.buffer
    stream.write(json.dumps(told).encode() + b"\n")
    for array in arrays:
        stream.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    stream.flush()


if __name__ == "__main__":
    _main()
