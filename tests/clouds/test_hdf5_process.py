"""The process that reads a data set's files: what it hands over, and how it ends when a file is crafted."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import zlib

import h5py
import numpy as np
import pytest

import provider
from utils.clouds import hdf5_process, limits
from utils.files import InputError

CLOUDS = np.random.RandomState(3).random_sample((7, 16, 3))


def _write_h5(path, data, label):
    with h5py.File(str(path), "w") as file:
        file["data"], file["label"] = data, label
    return str(path)


def _bomb(path, pieces, piece=3 * 10**6):
    """A file of zeros: `pieces` times `piece` points, all packed to some bytes."""
    packed = zlib.compress(bytes(piece * 12), 9)
    with h5py.File(str(path), "w") as file:
        data = file.create_dataset("data", (pieces, piece, 3), "f4", chunks=(1, piece, 3), compression="gzip")
        for number in range(pieces):
            data.id.write_direct_chunk((number, 0, 0), packed)
        file["label"] = np.zeros(pieces, int)
    return str(path)


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Puts a shell's commands in the place of Python in the process to come."""

    def put(commands):
        path = tmp_path / "python"
        path.write_text("#!/bin/sh\n" + commands.format(python=sys.executable))
        path.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(path))

    return put


@pytest.mark.parametrize("dtype", ["f4", ">f4", "f8", "i2"])
def test_files_come_back_in_turn_bit_for_bit_from_one_process(tmp_path, monkeypatch, dtype):
    clouds = (100 * CLOUDS).astype(dtype)
    paths = [_write_h5(tmp_path / "{}.h5".format(n), clouds[n : 2 * n], np.arange(n)[:, None]) for n in (3, 0, 1)]
    started, start = [], subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *words, **options: started.append(words) or start(*words, **options)
    )
    found = list(hdf5_process.read(paths, 5))
    assert len(started) == 1 and [len(points) for points, _ in found] == [3, 0, 1]
    for n, (points, labels) in zip((3, 0, 1), found):
        assert points.dtype == np.float32 and labels.dtype == np.int64
        assert points.shape == (n, 5, 3) and points.tobytes() == clouds[n : 2 * n, :5].astype("f4").tobytes()
        assert labels.tolist() == list(range(n))
        points += 1  # they are the caller's own
    assert [labels.tolist() for labels in hdf5_process.read_labels(paths)] == [[0, 1, 2], [], [0]]


def test_the_files_before_a_damaged_one_are_given_first_and_paths_are_named_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _write_h5("a.h5", CLOUDS, range(7))
    (tmp_path / "b \u00e9.h5").write_bytes(b"junk")
    parts = hdf5_process.read(["a.h5", "b \u00e9.h5"])
    assert next(parts)[0].shape == CLOUDS.shape
    with pytest.raises(InputError, match="^b \u00e9.h5 is damaged or not a whole HDF5 file"):
        next(parts)


def test_a_caller_that_has_enough_ends_the_process(tmp_path, monkeypatch):
    path = _bomb(tmp_path / "a.h5", 4)
    started, start = [], subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *words, **options: started.append(start(*words, **options)) or started[0]
    )
    with contextlib.closing(hdf5_process.read([path] * 3)) as parts:
        next(parts)
        assert started[0].returncode is None
    assert started[0].returncode is not None and started[0].stdout.closed and started[0].stderr.closed


def test_a_crash_of_the_reader_is_one_line_that_names_the_file(tmp_path, reader):
    paths = [_write_h5(tmp_path / name, CLOUDS, range(7)) for name in ("test_a.h5", "test_b.h5")]
    # The first file is read; then the library crashes, in the midst of the second's points.
    crash = (
        "from utils.clouds import hdf5_process as p; import os, sys; send = p._send\n"
        "def crash(told, *arrays):\n"
        "    if not os.path.exists('{0}'): open('{0}', 'w'); return send(told, *arrays)\n"
        "    send(told, arrays[0][:2]); print('*** corrupted size', file=sys.stderr, flush=True); os.abort()\n"
        "p._send = crash; p._main()"
    ).format(tmp_path / "first")
    reader('exec {python} -c "' + crash.replace("{", "{{").replace("}", "}}") + '"\n')
    with pytest.raises(InputError) as raised:
        provider.load_split(provider.open_data(str(tmp_path)), "test")
    assert str(raised.value) == (
        "{} cannot be read: its reader ended with status {} (*** corrupted size): is the file damaged? copy or fetch "
        "it again".format(paths[1], -signal.SIGABRT)
    )


def test_a_reader_that_never_ends_is_ended(tmp_path, reader, monkeypatch):
    path = _write_h5(tmp_path / "a.h5", CLOUDS, range(7))
    reader("exec sleep 60\n")
    monkeypatch.setattr(limits, "SECONDS", 1)
    start = time.time()
    with pytest.raises(InputError, match="a.h5 was not read in 1 s: is it damaged"):
        list(hdf5_process.read([path]))
    assert time.time() - start < 20


def test_zeros_packed_to_nothing_are_refused_by_the_size_of_the_files(tmp_path):
    # 396 MB in 0.4 MB.
    path = _bomb(tmp_path / "test.h5", 11)
    assert os.path.getsize(path) < 10**6
    with pytest.raises(InputError, match="test.h5 promises 396 MB as 'data', more than a file of 0.3.. MB should hold"):
        provider.load_split(provider.open_data(str(tmp_path)), "test")
    # Nor do several, each of which would be allowed.
    paths = [_bomb(tmp_path / "{}.h5".format(n), 3) for n in range(3)]
    with pytest.raises(InputError, match="2.h5 promises 108 MB"):
        list(hdf5_process.read(paths))


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is limited on Linux alone")
def test_a_reader_that_takes_too_much_memory_says_so(tmp_path, reader):
    path = _bomb(tmp_path / "a.h5", 2, 10**7)
    reader(
        "exec {python} -c 'from utils.clouds import hdf5_process, limits; limits.MEMORY_BYTES = 1 << 26; "
        "limits.MEMORY_A_BYTE = 1 << 40; hdf5_process._main()'\n"
    )
    with pytest.raises(InputError, match="a.h5 takes more memory to read than a file of its size should"):
        list(hdf5_process.read([path]))


def test_without_limits_of_memory_as_on_windows_files_are_read(tmp_path, reader):
    path = _write_h5(tmp_path / "a.h5", CLOUDS, range(7))
    reader(
        'exec {python} -c \'import sys; sys.modules["resource"] = None; from utils.clouds import hdf5_process; '
        "hdf5_process._main()'\n"
    )
    ((points, _),) = hdf5_process.read([path])
    np.testing.assert_array_equal(points, CLOUDS.astype(np.float32))


def test_more_files_than_a_command_of_windows_could_name(tmp_path):
    folder = tmp_path / ("long" * 50)
    folder.mkdir()
    path = _write_h5(folder / "a.h5", CLOUDS, range(7))
    assert sum(len(labels) for labels in hdf5_process.read_labels([path] * 400)) == 2800


def test_a_file_that_vanished_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match="gone.h5 is damaged or not a whole HDF5 file .*No such file"):
        list(hdf5_process.read([str(tmp_path / "gone.h5")]))
