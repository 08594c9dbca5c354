"""Folders of results: of one run each, whole, whatever was there before and wherever a run is cut off."""

import os
import pathlib
import re
import threading
import time

import pytest

from utils import files
from utils.disk import locks, result_folder
from utils.files import InputError

SETTINGS = {"rotation": "y", "names": ("a", "b")}


def is_ours(name):
    return name in ("heat.png", "heat.svg", "numbers", "run.json")


def _fill(text, names=("numbers", "heat.png"), settings=SETTINGS):
    def fill(folder):
        for name in names:
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        files.write_json(os.path.join(folder, "run.json"), dict(settings, text=text))
        return text

    return fill


def _write(folder, text, names=("numbers", "heat.png"), settings=SETTINGS, **options):
    """Writes a run; returns the folder that it went to, and the notice."""
    fill = _fill(text, names, settings)
    return result_folder.write(str(folder), settings, fill, is_ours, **options)[:2]


def _read(folder):
    """{name: text} of a folder."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != "run.json"}


def test_a_run_takes_the_place_of_the_same_run_whole_and_foreign_files_stay(tmp_path):
    folder = tmp_path / "x_0"
    written = result_folder.write(str(folder), SETTINGS, _fill("1", ["numbers", "heat.svg"]), is_ours)
    assert written == (str(folder), None, "1")
    (folder / "notes.txt").write_text("mine")
    assert _write(folder, "2") == (str(folder), None)
    assert _read(folder) == {"numbers": "2", "heat.png": "2", "notes.txt": "mine"}


def test_another_run_goes_beside_and_comes_back_to_its_own_folder(tmp_path):
    folder, other = tmp_path / "x_0", dict(SETTINGS, rotation="xyz")
    _write(folder, "1")
    path, line = _write(folder, "2", settings=other)
    assert path == str(folder) + "_2"
    assert line == "{0} holds another run (rotation y): this one goes to {0}_2; `overwrite` replaces that".format(
        folder
    )
    assert _write(folder, "3", settings=other)[0] == path and _write(folder, "4") == (str(folder), None)
    assert _write(folder, "5", settings=dict(SETTINGS, rotation="none"))[0] == str(folder) + "_3"
    # Of runs side by side it says which these are, or in what they differ.
    runs = {"asm": {"seed": 1}, "random": {"seed": 1}}
    _write(tmp_path / "both", "1", settings={"side_by_side": runs})
    for other_runs, words in (
        ({"asm": runs["asm"]}, "(side_by_side of asm, random)"),
        (dict(runs, asm={"seed": 2}), "(seed 1)"),
    ):
        assert words in _write(tmp_path / "both", "2", settings={"side_by_side": other_runs})[1]
    newer = {name: dict(one, points=9) for name, one in runs.items()}
    assert _write(tmp_path / "both", "3", settings={"side_by_side": newer}) == (str(tmp_path / "both"), None)
    # A setting that is newer than the folder is no other run.
    assert _write(folder, "6", settings=dict(SETTINGS, newer=1)) == (str(folder), None)
    assert _write(folder, "7", settings=other, overwrite=True) == (str(folder), None)
    texts = [_read(tmp_path / name)["numbers"] for name in ("x_0", "x_0_2", "x_0_3")]
    assert texts == ["7", "3", "5"]


def test_a_run_is_held_where_it_would_be_written(tmp_path):
    folder, other, more = tmp_path / "x_0", dict(SETTINGS, rotation="xyz"), dict(SETTINGS, rotation="xyz", colour="red")

    def holds(kept, settings):
        return result_folder.holds(str(folder), kept, settings, is_ours)

    assert not holds(SETTINGS, SETTINGS)
    _write(folder, "1")
    assert holds(SETTINGS, SETTINGS) and not holds(other, other)
    _write(folder, "2", settings=other)
    assert holds(other, other)
    # Of other colours it is the same run, which takes the place, but these are not its files.
    assert not holds(more, other)
    # A run that cannot be read stays, and those after it count.
    (tmp_path / "x_0" / "run.json").write_text("[")
    assert holds(other, other) and not holds(SETTINGS, SETTINGS)


def test_a_run_is_held_on_a_machine_with_another_kernel_and_not_of_another_program(tmp_path):
    def on(**versions):
        return dict(SETTINGS, versions=dict({"tensorflow": "2.21.0", "platform": "Linux-5.15"}, **versions))

    def holds(kept):
        both = {"side_by_side": {"asm": kept, "random": kept}}
        found = result_folder.holds(str(tmp_path / "x_0"), kept, SETTINGS, is_ours)
        assert found == result_folder.holds(str(tmp_path / "both"), both, {}, is_ours)
        return found

    before = on(matplotlib="3.10.9")
    _write(tmp_path / "x_0", "1", settings=before)
    _write(tmp_path / "both", "1", settings={"side_by_side": {"asm": before, "random": before}})
    assert holds(before) and holds(on(platform="Linux-6.18")) and holds(on(scipy="1.15.3"))
    assert not holds(on(tensorflow="1.15.5")) and not holds(on(matplotlib="3.5.3"))
    one = {"side_by_side": {"asm": before}}
    assert not result_folder.holds(str(tmp_path / "both"), one, {}, is_ours)


def test_a_run_that_another_program_holds_open_is_named_and_ended_by_the_next(tmp_path, monkeypatch):
    folder, remove = tmp_path / "x_0", os.remove
    _write(folder, "1")

    def held(path):
        if os.path.basename(path) == "numbers":
            error = PermissionError(13, "The process cannot access the file", path)
            error.winerror = 32
            raise error
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(files, "WAITS", (0.0,))
        patch.setattr(os, "remove", held)
        with pytest.raises(InputError, match="numbers is held open by another program: close it there and run this"):
            _write(folder, "2")
    assert (folder / "numbers").read_text() == "1"
    _write(folder, "3")
    assert _read(folder) == {"numbers": "3", "heat.png": "3"}


@pytest.mark.parametrize("text", [None, "", "[" * 100000, "nonsense"])
def test_files_that_nobody_knows_the_flags_of_stay(tmp_path, text):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "numbers").write_text("old")
    if text is not None:
        (tmp_path / "x" / "run.json").write_text(text)
    path, line = _write(tmp_path / "x", "new")
    assert path == str(tmp_path / "x_2") and "goes to" in line
    assert (tmp_path / "x" / "numbers").read_text() == "old"


def test_names_that_are_one_where_case_does_not_count_have_two_folders(tmp_path):
    (tmp_path / "chair_0").mkdir()
    assert _write(tmp_path / "Chair_0", "1")[0] == str(tmp_path / "Chair_0_2")


@pytest.mark.parametrize(
    "error, raised", [(OSError(28, "No space left on device"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_run_that_fails_leaves_what_was_there(error, raised, tmp_path):
    def fail(folder):
        _fill("2")(folder)
        raise error

    _write(tmp_path / "x", "1")
    for name in ("x", "new"):
        with pytest.raises(raised, match="No space left on device.*`dump_dir`" if raised is InputError else ""):
            result_folder.write(str(tmp_path / name), SETTINGS, fail, is_ours)
    assert os.listdir(str(tmp_path)) == ["x"] and _read(tmp_path / "x") == {"numbers": "1", "heat.png": "1"}


def test_wherever_a_run_is_cut_off_no_folder_holds_files_of_two(tmp_path, monkeypatch):
    """Kills before each change to the disk: then there are the old files, or those of the new run after `finish`."""

    class Killed(BaseException):
        pass

    seen = set()
    for allowed in range(40):
        folder = tmp_path / str(allowed)
        _write(folder, "1", ["numbers", "heat.svg"])
        left = [allowed]

        def may_be_killed(call, left=left):
            def change(*arguments):
                if not left[0]:
                    raise Killed
                left[0] -= 1
                return call(*arguments)

            return change

        with monkeypatch.context() as patch:
            for name in ("remove", "rename", "replace"):
                patch.setattr(os, name, may_be_killed(getattr(os, name)))
            patch.setattr(result_folder.shutil, "rmtree", lambda path, **_: None)
            try:
                _write(folder, "2")
                is_done = True
            except Killed:
                is_done = False
        texts = {
            (folder / name).read_text() for name in ("numbers", "heat.png", "heat.svg") if (folder / name).exists()
        }
        assert len(texts) <= 1
        # The next run finds either, and completes it before it begins its own.
        with pytest.raises(KeyError):
            result_folder.write(str(folder), SETTINGS, {}.__getitem__, is_ours)
        found = {name: text for name, text in _read_files(folder).items() if is_ours(name)}
        assert found in ({"numbers": "1", "heat.svg": "1"}, {"numbers": "2", "heat.png": "2"})
        assert files.read_json(str(folder / "run.json"), "")["text"] == found["numbers"]
        seen.add(found["numbers"])
        if is_done:
            break
    assert is_done and seen == {"1", "2"}


def test_killed_as_it_removes_the_emptied_folder_a_run_loses_nothing(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def remove_half(path, **_):
        if path.endswith(result_folder.WHOLE):
            os.remove(os.path.join(path, result_folder.CLEARED))
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(result_folder.shutil, "rmtree", remove_half)
        _write(tmp_path, "1")
    assert os.listdir(str(tmp_path / ".whole.tmp")) == [] and len(_read_files(tmp_path)) == 2
    # The next run fails, and what the killed one had put in place is there still.
    with pytest.raises(KeyError):
        result_folder.write(str(tmp_path), SETTINGS, {}.__getitem__, is_ours)
    assert _read(tmp_path) == {"numbers": "1", "heat.png": "1"}


def _read_files(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file() and path.name != "run.json"}


def test_what_killed_runs_had_begun_goes_and_one_of_the_same_number_is_in_nobodys_way(tmp_path):
    for number in (1, os.getpid()):
        (tmp_path / ".begun-{}.tmp".format(number)).mkdir()
        (tmp_path / ".begun-{}.tmp".format(number) / "numbers").write_text("half")
    _write(tmp_path, "1")
    assert sorted(os.listdir(str(tmp_path))) == ["heat.png", "numbers", "run.json"]


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
            _fill(str(number), settings=kinds[kind])(begun)
            inside.remove(begun)

        went.append((result_folder.write(str(folder), kinds[kind], fill, is_ours).folder, kind))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(went) == 10 and len(set(went)) == 2 and len({path for path, _ in went}) == 2
    for path in {path for path, _ in went}:
        texts = _read(pathlib.Path(path))
        assert set(texts) == {"numbers", "heat.png"} and len(set(texts.values())) == 1


@pytest.mark.parametrize("name", ["listdir", "read_json"])
def test_a_look_at_a_folder_while_another_run_is_put_in_place_takes_it_for_no_other_run(tmp_path, monkeypatch, name):
    """The other run begins to replace the files just before the name of each, or the run.json, is read."""
    _write(tmp_path / "x", "1")
    module = result_folder.os if name == "listdir" else result_folder.files
    read, started = getattr(module, name), []

    def read_late(path, *arguments):
        if not started and str(path).startswith(str(tmp_path / "x")):
            (tmp_path / "x" / ".whole.tmp").mkdir()
            os.rename(str(tmp_path / "x" / "run.json"), str(tmp_path / "x" / ".whole.tmp" / "run.json"))
            started.append(path)
        return read(path, *arguments)

    monkeypatch.setattr(module, name, read_late)
    assert _write(tmp_path / "x", "2") == (str(tmp_path / "x"), None) and started
    assert _read(tmp_path / "x") == {"numbers": "2", "heat.png": "2"}


def test_who_waits_for_a_run_that_fails_gets_the_folder_that_it_leaves_empty_and_removes(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "POLL_SECONDS", 0.005)
    waiting = threading.Thread(target=_write, args=(tmp_path / "x", "2"))

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
    assert _read(tmp_path / "x") == {"numbers": "2", "heat.png": "2"}


def test_a_folder_that_another_computer_holds_for_long_costs_no_results(tmp_path, monkeypatch):
    monkeypatch.setattr(result_folder, "SECONDS_TO_WAIT", 0)
    (tmp_path / "x").mkdir()
    with locks.hold(str(tmp_path / "x" / locks.FOLDER_LOCK), "x", "wait"):
        path, line = _write(tmp_path / "x", "1")
        assert path == str(tmp_path / "x_2") and "what is being written" in line and "process" in line
        with pytest.raises(InputError, match="in use by"):
            _write(tmp_path / "x", "1", overwrite=True)


def test_a_full_disk_is_said_with_the_place_where_the_file_was_to_be(tmp_path):
    def fill(folder):
        def write(file):
            raise OSError(28, "No space left on device")

        files.replace_file(os.path.join(folder, "heat.npz"), write)

    words = re.escape("cannot write {} (No space left on device)".format(tmp_path / "x" / "heat.npz"))
    with pytest.raises(InputError, match=words):
        result_folder.write(str(tmp_path / "x"), SETTINGS, fill, is_ours)
    assert not os.listdir(str(tmp_path))
