"""Locks: the other's name in the refusal, free after a kill, taken over from the dead, kept for other computers."""

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from utils.disk import locks
from utils.files import PROJECT_DIR, InputError

HOLD = (
    "import sys, time; from utils.disk import locks\n"
    "with locks.hold_folder(sys.argv[1], 'log_dir'): print('held', flush=True); {}"
)


@contextlib.contextmanager
def _another_process(folder, then="time.sleep(60)"):
    """A context with a process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(then), str(folder)], cwd=PROJECT_DIR, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline().strip() == b"held"
        yield process
    finally:
        process.kill()
        process.communicate()


def _file(folder):
    return folder / locks.FOLDER_LOCK


def _write(folder, **holder):
    values = {"process": 1, "host": socket.gethostname(), "program": "train.py", "since": "yesterday"}
    _file(folder).write_text(json.dumps(dict(values, **holder)))


@pytest.mark.skipif(os.name == "nt", reason="Windows starts processes otherwise")
def test_a_lock_that_a_killed_process_left_to_one_that_it_began_is_waited_for(tmp_path):
    # Between fork and exec the new process has all that its parent has open.
    then = "import os; os.fork() or (time.sleep(2), os._exit(0)); time.sleep(60)"
    with _another_process(tmp_path, then) as other:
        time.sleep(0.3)
        other.kill()
        other.wait()
        start = time.time()
        with locks.hold_folder(str(tmp_path), "log_dir"):
            assert time.time() - start > 0.2
            assert json.loads(_file(tmp_path).read_text())["process"] == os.getpid()


def test_the_other_process_is_named_and_a_kill_releases_its_lock(tmp_path):
    with _another_process(tmp_path) as other:
        with pytest.raises(InputError) as raised, locks.hold_folder(str(tmp_path), "log_dir"):
            pass
        text = str(raised.value)
        assert text.startswith("`log_dir` {} is in use by ".format(tmp_path)) and "\n" not in text
        assert "process {} on host {}".format(other.pid, socket.gethostname()) in text
        assert text.endswith("wait until that ends, or give another `log_dir`") and "delete" not in text
        other.kill()
        other.wait()
        assert _file(tmp_path).exists()
        with locks.hold_folder(str(tmp_path), "log_dir"):
            assert json.loads(_file(tmp_path).read_text())["process"] == os.getpid()
    assert not os.listdir(str(tmp_path))


def test_of_many_that_want_it_at_once_one_at_a_time_holds_it(tmp_path):
    path, inside, most = str(tmp_path / "a.lock"), [], []

    def work():
        for _ in range(20):
            try:
                with locks.hold(path, "a is in use by", "wait"):
                    inside.append(1)
                    most.append(len(inside))
                    time.sleep(0.001)
                    inside.pop()
            except InputError:
                time.sleep(0.0005)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1 and len(most) > 1
    assert not os.listdir(str(tmp_path))


@pytest.mark.parametrize("process", [1, os.getpid(), 0, -1, 4000000, "x", None, 10**30])
def test_a_lock_that_a_dead_process_of_this_computer_left_is_taken_over(tmp_path, process):
    # Process 1 lives, but is another than the one that wrote this: numbers come again.
    _write(tmp_path, process=process)
    with locks.hold_folder(str(tmp_path), "log_dir"):
        assert json.loads(_file(tmp_path).read_text())["process"] == os.getpid()
    assert not os.listdir(str(tmp_path))


@pytest.mark.parametrize("content", ["", "{", "[]", "\0\0", '{"host": 7}'])
def test_a_damaged_lock_that_nobody_holds_is_taken_over(tmp_path, content):
    _file(tmp_path).write_text(content)
    with locks.hold_folder(str(tmp_path), "log_dir"):
        pass
    assert not os.listdir(str(tmp_path))


def test_a_lock_of_another_computer_counts_as_long_as_that_touches_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(locks, "DEAD_SECONDS", 0.5)
    _write(tmp_path, process=4711, host="node7")
    is_over = threading.Event()

    def beat():
        while not is_over.wait(0.1):
            os.utime(str(_file(tmp_path)))

    other = threading.Thread(target=beat)
    other.start()
    words = r"train.py \(process 4711 on host node7, since yesterday\): wait until that ends, or give another"
    with pytest.raises(InputError, match=words), locks.hold_folder(str(tmp_path), "log_dir"):
        pass
    is_over.set()
    other.join()
    assert "host node7, since yesterday), or was: looking for 0 s whether" in capsys.readouterr().out
    # After a kill it beats no more: a training that a cluster starts again on another computer goes on.
    with locks.hold_folder(str(tmp_path), "log_dir"):
        assert json.loads(_file(tmp_path).read_text())["process"] == os.getpid()
    assert not os.listdir(str(tmp_path))


def test_a_holder_touches_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.02)
    with locks.hold_folder(str(tmp_path), "log_dir"):
        os.utime(str(_file(tmp_path)), (1, 1))
        deadline = time.time() + 10
        while os.path.getmtime(str(_file(tmp_path))) < 1000 and time.time() < deadline:
            time.sleep(0.01)
        assert os.path.getmtime(str(_file(tmp_path))) > 1000
    time.sleep(0.1)
    assert not os.listdir(str(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such users")
def test_a_lock_that_another_user_of_the_folder_left_is_taken_over(tmp_path):
    before = os.umask(0o077)
    try:
        with locks.hold_folder(str(tmp_path), "log_dir"):
            assert _file(tmp_path).stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)


def test_a_lock_whose_text_a_network_drive_keeps_from_others_is_refused_all_the_same(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    with locks.hold_folder(str(tmp_path), "log_dir"), monkeypatch.context() as smb:
        smb.setattr(os, "read", refuse)
        words = "is in use by another process: wait until that ends"
        with pytest.raises(locks.Held, match=words), locks.hold_folder(str(tmp_path), "log_dir"):
            pass


def test_a_full_disk_and_a_folder_in_the_place_of_the_lock_are_one_line(tmp_path, monkeypatch):
    def fill(*_):
        raise OSError(locks.errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(locks, "_write", fill)
        words = r"cannot write .*\.lock \(No space left on device\)"
        with pytest.raises(InputError, match=words), locks.hold_folder(str(tmp_path), "log_dir"):
            pass
    os.remove(str(_file(tmp_path)))
    _file(tmp_path).mkdir()
    words = r"cannot write .*\.lock \(Is a directory\): delete it"
    with pytest.raises(InputError, match=words), locks.hold_folder(str(tmp_path), "log_dir"):
        pass


def test_one_who_waits_says_so_once_and_goes_on_when_the_other_has_ended(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.05)
    waiting = locks.hold(str(_file(tmp_path)), "the data is being made by", "wait", wait_seconds=30)
    with _another_process(tmp_path, then="time.sleep(0.5)"), waiting:
        pass
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.startswith("the data is being made by -c (process ")


@pytest.fixture
def disk_without_locks(monkeypatch):
    def refuse(*_):
        raise OSError(locks.errno.ENOLCK, "no locks available")

    if os.name == "nt":
        pytest.skip("Windows always has locks")
    monkeypatch.setattr(locks.fcntl, "flock", refuse)


def test_where_a_disk_has_no_locks_the_number_of_the_process_and_its_touches_decide(
    tmp_path, monkeypatch, disk_without_locks
):
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(locks, "DEAD_SECONDS", 0.6)
    held = HOLD.replace("from utils.disk import locks", "from utils.disk import locks; locks.BEAT_SECONDS = 0.1")
    monkeypatch.setitem(globals(), "HOLD", held)
    with _another_process(tmp_path, then="time.sleep(60)") as other:
        words = "process {} ".format(other.pid)
        with pytest.raises(InputError, match=words), locks.hold_folder(str(tmp_path), "log_dir"):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
        with locks.hold_folder(str(tmp_path), "log_dir"):
            pass
        # Numbers come again: one that lives, but touches nothing, is another.
        _write(tmp_path, process=os.getppid())
        with locks.hold_folder(str(tmp_path), "log_dir"):
            pass
    assert not os.listdir(str(tmp_path))


def test_where_a_disk_has_no_locks_one_of_several_that_come_at_once_has_it(tmp_path, disk_without_locks):
    code = HOLD.replace(
        "from utils.disk import locks",
        "import fcntl; from utils.disk import locks\n"
        "def refuse(*_): raise OSError(37, 'no locks')\n"
        "locks.fcntl.flock = refuse; locks.BEAT_SECONDS = 0.1\n"
        "while time.time() < float(sys.argv[2]): time.sleep(0.001)",
    ).format("time.sleep(2)")
    start = str(time.time() + 2)
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), start], cwd=PROJECT_DIR, **_PIPES)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=60) for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1, 1, 1], said
    assert sum(b"held" in out for out, _ in said) == 1
    assert all(b"in use by" in err for (_, err), process in zip(said, processes) if process.returncode)


_PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def test_windows_locks_a_byte_behind_the_text(tmp_path, monkeypatch):
    """With a stand-in for msvcrt: another who reads meets no locked byte, and an ended lock leaves no file."""
    calls = []

    class Msvcrt:
        LK_NBLCK = 2

        @staticmethod
        def locking(descriptor, mode, count):
            calls.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, count))
            if len(calls) > 1:
                raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", Msvcrt, raising=False)
    with locks.hold_folder(str(tmp_path), "log_dir"):
        text = _file(tmp_path).read_bytes()
        assert json.loads(text.decode())["process"] == os.getpid()
        words = "process {} on".format(os.getpid())
        with pytest.raises(InputError, match=words), locks.hold_folder(str(tmp_path), "log_dir"):
            pass
        assert _file(tmp_path).read_bytes() == text
    assert calls == [(locks.LOCKED_BYTE, 2, 1)] * 2 and len(text) < locks.LOCKED_BYTE
    assert not os.listdir(str(tmp_path))
