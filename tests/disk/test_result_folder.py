"""Folders of results: of one run each, whole, whatever was there before and wherever a run is cut off."""

import os
import re

import pytest
from runs_of_results import SETTINGS, filler_of, is_ours, texts_of, write_run

from utils import files
from utils.disk import result_folder
from utils.files import InputError


def test_a_run_takes_the_place_of_the_same_run_whole_and_foreign_files_stay(tmp_path):
    folder = tmp_path / "x_0"
    written = result_folder.write(str(folder), SETTINGS, filler_of("1", ["numbers", "heat.svg"]), is_ours)
    assert written == (str(folder), None, "1")
    (folder / "notes.txt").write_text("mine")
    assert write_run(folder, "2") == (str(folder), None)
    assert texts_of(folder) == {"numbers": "2", "heat.png": "2", "notes.txt": "mine"}


def test_another_run_goes_beside_and_comes_back_to_its_own_folder(tmp_path):
    folder, other = tmp_path / "x_0", dict(SETTINGS, rotation="xyz")
    write_run(folder, "1")
    path, line = write_run(folder, "2", settings=other)
    assert path == str(folder) + "_2"
    assert line == "{0} holds another run (rotation y): this one goes to {0}_2; `overwrite` replaces that".format(
        folder
    )
    assert write_run(folder, "3", settings=other)[0] == path and write_run(folder, "4") == (str(folder), None)
    assert write_run(folder, "5", settings=dict(SETTINGS, rotation="none"))[0] == str(folder) + "_3"
    # Of runs side by side it says which these are, or in what they differ.
    runs = {"asm": {"seed": 1}, "random": {"seed": 1}}
    write_run(tmp_path / "both", "1", settings={"side_by_side": runs})
    for other_runs, words in (
        ({"asm": runs["asm"]}, "(side_by_side of asm, random)"),
        (dict(runs, asm={"seed": 2}), "(seed 1)"),
    ):
        assert words in write_run(tmp_path / "both", "2", settings={"side_by_side": other_runs})[1]
    newer = {name: dict(one, points=9) for name, one in runs.items()}
    assert write_run(tmp_path / "both", "3", settings={"side_by_side": newer}) == (str(tmp_path / "both"), None)
    # A setting that is newer than the folder is no other run.
    assert write_run(folder, "6", settings=dict(SETTINGS, newer=1)) == (str(folder), None)
    assert write_run(folder, "7", settings=other, overwrite=True) == (str(folder), None)
    texts = [texts_of(tmp_path / name)["numbers"] for name in ("x_0", "x_0_2", "x_0_3")]
    assert texts == ["7", "3", "5"]


def test_a_run_is_held_where_it_would_be_written(tmp_path):
    folder, other, more = tmp_path / "x_0", dict(SETTINGS, rotation="xyz"), dict(SETTINGS, rotation="xyz", colour="red")

    def holds(kept, settings):
        return result_folder.holds(str(folder), kept, settings, is_ours)

    assert not holds(SETTINGS, SETTINGS)
    write_run(folder, "1")
    assert holds(SETTINGS, SETTINGS) and not holds(other, other)
    write_run(folder, "2", settings=other)
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
    write_run(tmp_path / "x_0", "1", settings=before)
    write_run(tmp_path / "both", "1", settings={"side_by_side": {"asm": before, "random": before}})
    assert holds(before) and holds(on(platform="Linux-6.18")) and holds(on(scipy="1.15.3"))
    assert not holds(on(tensorflow="1.15.5")) and not holds(on(matplotlib="3.5.3"))
    one = {"side_by_side": {"asm": before}}
    assert not result_folder.holds(str(tmp_path / "both"), one, {}, is_ours)


def test_a_run_that_another_program_holds_open_is_named_and_ended_by_the_next(tmp_path, monkeypatch):
    folder, remove = tmp_path / "x_0", os.remove
    write_run(folder, "1")

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
            write_run(folder, "2")
    assert (folder / "numbers").read_text() == "1"
    write_run(folder, "3")
    assert texts_of(folder) == {"numbers": "3", "heat.png": "3"}


@pytest.mark.parametrize("text", [None, "", "[" * 100000, "nonsense"])
def test_files_that_nobody_knows_the_flags_of_stay(tmp_path, text):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "numbers").write_text("old")
    if text is not None:
        (tmp_path / "x" / "run.json").write_text(text)
    path, line = write_run(tmp_path / "x", "new")
    assert path == str(tmp_path / "x_2") and "goes to" in line
    assert (tmp_path / "x" / "numbers").read_text() == "old"


def test_names_that_are_one_where_case_does_not_count_have_two_folders(tmp_path):
    (tmp_path / "chair_0").mkdir()
    assert write_run(tmp_path / "Chair_0", "1")[0] == str(tmp_path / "Chair_0_2")


@pytest.mark.parametrize(
    "error, raised", [(OSError(28, "No space left on device"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_run_that_fails_leaves_what_was_there(error, raised, tmp_path):
    def fail(folder):
        filler_of("2")(folder)
        raise error

    write_run(tmp_path / "x", "1")
    for name in ("x", "new"):
        with pytest.raises(raised, match="No space left on device.*`dump_dir`" if raised is InputError else ""):
            result_folder.write(str(tmp_path / name), SETTINGS, fail, is_ours)
    assert os.listdir(str(tmp_path)) == ["x"] and texts_of(tmp_path / "x") == {"numbers": "1", "heat.png": "1"}


def test_wherever_a_run_is_cut_off_no_folder_holds_files_of_two(tmp_path, monkeypatch):
    """Kills before each change to the disk: then there are the old files, or those of the new run after `finish`."""

    class Killed(BaseException):
        pass

    seen = set()
    for allowed in range(40):
        folder = tmp_path / str(allowed)
        write_run(folder, "1", ["numbers", "heat.svg"])
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
                write_run(folder, "2")
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
        write_run(tmp_path, "1")
    assert os.listdir(str(tmp_path / ".whole.tmp")) == [] and len(_read_files(tmp_path)) == 2
    # The next run fails, and what the killed one had put in place is there still.
    with pytest.raises(KeyError):
        result_folder.write(str(tmp_path), SETTINGS, {}.__getitem__, is_ours)
    assert texts_of(tmp_path) == {"numbers": "1", "heat.png": "1"}


def _read_files(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file() and path.name != "run.json"}


def test_what_killed_runs_had_begun_goes_and_one_of_the_same_number_is_in_nobodys_way(tmp_path):
    for number in (1, os.getpid()):
        (tmp_path / ".begun-{}.tmp".format(number)).mkdir()
        (tmp_path / ".begun-{}.tmp".format(number) / "numbers").write_text("half")
    write_run(tmp_path, "1")
    assert sorted(os.listdir(str(tmp_path))) == ["heat.png", "numbers", "run.json"]


def test_a_full_disk_is_said_with_the_place_where_the_file_was_to_be(tmp_path):
    def fill(folder):
        def write(file):
            raise OSError(28, "No space left on device")

        files.replace_file(os.path.join(folder, "heat.npz"), write)

    words = re.escape("cannot write {} (No space left on device)".format(tmp_path / "x" / "heat.npz"))
    with pytest.raises(InputError, match=words):
        result_folder.write(str(tmp_path / "x"), SETTINGS, fill, is_ours)
    assert not os.listdir(str(tmp_path))
