"""Folders of results: of one run each, whole, whatever was there before and wherever a run is cut off."""

import os

import pytest

from utils import files, result_folder
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


def _choose(folder, settings=SETTINGS, **options):
    return result_folder.choose(str(folder), settings, is_ours, **options)


def _read(folder):
    """{name: text} of a folder."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != "run.json"}


def test_a_run_takes_the_place_of_the_same_run_whole_and_foreign_files_stay(tmp_path):
    folder = tmp_path / "x_0"
    assert _choose(folder) == (str(folder), None)
    assert result_folder.write(str(folder), _fill("1", ["numbers", "heat.svg"]), is_ours) == "1"
    (folder / "notes.txt").write_text("mine")
    assert _choose(folder) == (str(folder), None)
    result_folder.write(str(folder), _fill("2"), is_ours)
    assert _read(folder) == {"numbers": "2", "heat.png": "2", "notes.txt": "mine"}


def test_another_run_goes_beside_and_comes_back_to_its_own_folder(tmp_path):
    folder, other = tmp_path / "x_0", dict(SETTINGS, rotation="xyz")
    result_folder.write(str(folder), _fill("1"), is_ours)
    path, line = _choose(folder, other)
    assert path == str(folder) + "_2"
    assert line == "{0} holds another run (rotation y): this one goes to {0}_2; `overwrite` replaces that".format(
        folder
    )
    result_folder.write(path, _fill("2", settings=other), is_ours)
    assert _choose(folder, other)[0] == path and _choose(folder) == (str(folder), None)
    assert _choose(folder, dict(SETTINGS, rotation="none"))[0] == str(folder) + "_3"
    assert _choose(folder, other, overwrite=True) == (str(folder), None)
    # A setting that is newer than the folder is no other run.
    assert _choose(folder, dict(SETTINGS, newer=1)) == (str(folder), None)


@pytest.mark.parametrize("text", [None, "", "[" * 100000, "nonsense"])
def test_files_that_nobody_knows_the_flags_of_stay(tmp_path, text):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "numbers").write_text("old")
    if text is not None:
        (tmp_path / "x" / "run.json").write_text(text)
    path, line = _choose(tmp_path / "x")
    assert path == str(tmp_path / "x_2") and "goes to" in line


def test_names_that_are_one_where_case_does_not_count_have_two_folders(tmp_path):
    (tmp_path / "chair_0").mkdir()
    assert _choose(tmp_path / "Chair_0")[0] == str(tmp_path / "Chair_0_2")


@pytest.mark.parametrize(
    "error, raised", [(OSError(28, "No space left on device"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_run_that_fails_leaves_what_was_there(error, raised, tmp_path):
    def fail(folder):
        _fill("2")(folder)
        raise error

    result_folder.write(str(tmp_path / "x"), _fill("1"), is_ours)
    for name in ("x", "new"):
        with pytest.raises(raised, match="No space left on device.*`dump_dir`" if raised is InputError else ""):
            result_folder.write(str(tmp_path / name), fail, is_ours)
    assert os.listdir(str(tmp_path)) == ["x"] and _read(tmp_path / "x") == {"numbers": "1", "heat.png": "1"}


def test_wherever_a_run_is_cut_off_no_folder_holds_files_of_two(tmp_path, monkeypatch):
    """Kills before each change to the disk: then there are the old files, or those of the new run after `finish`."""

    class Killed(BaseException):
        pass

    seen = set()
    for allowed in range(40):
        folder = tmp_path / str(allowed)
        result_folder.write(str(folder), _fill("1", ["numbers", "heat.svg"]), is_ours)
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
                result_folder.write(str(folder), _fill("2"), is_ours)
                is_done = True
            except Killed:
                is_done = False
        texts = {
            (folder / name).read_text() for name in ("numbers", "heat.png", "heat.svg") if (folder / name).exists()
        }
        assert len(texts) <= 1
        assert _choose(folder) == (str(folder), None)
        found = {name: text for name, text in _read_files(folder).items() if is_ours(name)}
        assert found in ({"numbers": "1", "heat.svg": "1"}, {"numbers": "2", "heat.png": "2"})
        assert files.read_json(str(folder / "run.json"), "")["text"] == found["numbers"]
        seen.add(found["numbers"])
        if is_done:
            break
    assert is_done and seen == {"1", "2"}


def _read_files(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file() and path.name != "run.json"}


def test_what_was_killed_long_ago_goes(tmp_path):
    for name, age in ((".begun-1.tmp", 2 * result_folder.SECONDS_TO_KEEP), (".begun-2.tmp", 60)):
        (tmp_path / name).mkdir()
        time = os.path.getmtime(str(tmp_path)) - age
        os.utime(str(tmp_path / name), (time, time))
    result_folder.write(str(tmp_path), _fill("1"), is_ours)
    assert sorted(os.listdir(str(tmp_path))) == [".begun-2.tmp", "heat.png", "numbers", "run.json"]
