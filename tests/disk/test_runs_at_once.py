"""Several runs that want one folder of results at once: none is torn, and none is taken for another."""

import os
import pathlib
import threading
import time

import pytest
from runs_of_results import SETTINGS, filler_of, is_ours, texts_of, write_run

from utils.disk import locks, result_folder
from utils.files import InputError


def test_two_runs_at_once_wait_for_each_other_and_the_other_one_goes_beside(tmp_path, monkeypatch):
    """Ten threads, of two kinds of run, all want one folder: two folders, none of them torn."""
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.005)
    folder, kinds = tmp_path / "x", [SETTINGS, dict(SETTINGS, rotation="xyz")]
    went, inside = [], []

    def work(number):
        kind = number % 2

        def fill(begun):
            inside.append(begun)
            assert inside.count(begun) == 1
            time.sleep(0.01)
            filler_of(str(number), settings=kinds[kind])(begun)
            inside.remove(begun)

        went.append((result_folder.write(str(folder), kinds[kind], fill, is_ours).folder, kind))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(went) == 10 and len(set(went)) == 2 and len({path for path, _ in went}) == 2
    for path in {path for path, _ in went}:
        texts = texts_of(pathlib.Path(path))
        assert set(texts) == {"numbers", "heat.png"} and len(set(texts.values())) == 1


@pytest.mark.parametrize("name", ["listdir", "read_json"])
def test_a_look_at_a_folder_while_another_run_is_put_in_place_takes_it_for_no_other_run(tmp_path, monkeypatch, name):
    """The other run begins to replace the files just before the name of each, or the run.json, is read."""
    write_run(tmp_path / "x", "1")
    module = result_folder.os if name == "listdir" else result_folder.files
    read, started = getattr(module, name), []

    def read_late(path, *arguments):
        if not started and str(path).startswith(str(tmp_path / "x")):
            (tmp_path / "x" / ".whole.tmp").mkdir()
            os.rename(str(tmp_path / "x" / "run.json"), str(tmp_path / "x" / ".whole.tmp" / "run.json"))
            started.append(path)
        return read(path, *arguments)

    monkeypatch.setattr(module, name, read_late)
    assert write_run(tmp_path / "x", "2") == (str(tmp_path / "x"), None) and started
    assert texts_of(tmp_path / "x") == {"numbers": "2", "heat.png": "2"}


def test_who_waits_for_a_run_that_fails_gets_the_folder_that_it_leaves_empty_and_removes(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.005)
    waiting = threading.Thread(target=write_run, args=(tmp_path / "x", "2"))

    def fail(begun):
        waiting.start()
        time.sleep(0.05)
        raise KeyError

    remove = os.rmdir

    def remove_slowly(path, **options):
        remove(path, **options)
        time.sleep(0.05)

    monkeypatch.setattr(result_folder.os, "rmdir", remove_slowly)
    with pytest.raises(KeyError):
        result_folder.write(str(tmp_path / "x"), SETTINGS, fail, is_ours)
    waiting.join()
    assert texts_of(tmp_path / "x") == {"numbers": "2", "heat.png": "2"}


def test_a_folder_that_another_computer_holds_for_long_costs_no_results(tmp_path, monkeypatch):
    monkeypatch.setattr(result_folder, "SECONDS_TO_WAIT", 0)
    (tmp_path / "x").mkdir()
    with locks.hold(str(tmp_path / "x" / locks.FOLDER_LOCK), "x", "wait"):
        path, line = write_run(tmp_path / "x", "1")
        assert path == str(tmp_path / "x_2") and "what is being written" in line and "process" in line
        with pytest.raises(InputError, match="in use by"):
            write_run(tmp_path / "x", "1", overwrite=True)
