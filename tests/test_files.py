"""Files that are whole or not there, settings that must stay, and errors that name arguments."""

import builtins
import errno
import os

import numpy as np
import pytest
from conftest import run_python

from utils import command_line, files
from utils.files import InputError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = str(tmp_path / "a.txt")
    files.replace_file(path, lambda file: file.write("first"))

    def fail(file):
        file.write("second")
        raise KeyError("half way")

    with pytest.raises(KeyError):
        files.replace_file(path, fail)
    assert (tmp_path / "a.txt").read_text() == "first" and os.listdir(str(tmp_path)) == ["a.txt"]


def test_a_folder_that_windows_lets_nobody_write_is_said_at_once(tmp_path, monkeypatch):
    tried = []

    def refuse(path, *_, **__):
        tried.append(path)
        assert len(tried) < 10
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    with monkeypatch.context() as windows:
        # Of a folder, `access` of Windows knows no better.
        windows.setattr(os, "name", "nt")
        windows.setattr(os, "access", lambda *_: True)
        windows.setattr(os, "open", refuse)
        windows.setattr(builtins, "open", refuse)
        with pytest.raises(InputError, match="cannot write to .* .Permission denied.: give another folder with `x`"):
            files.make_folder(str(tmp_path), "x")
    files.make_folder(str(tmp_path / "new" / "one"), "x")
    assert os.listdir(str(tmp_path / "new" / "one")) == []


def _held_open(times, act=os.replace, number=errno.EACCES, winerror=32):
    """What a function does on a Windows where another program lets go of the file after some tries."""
    left = [times]

    def fail_first(*arguments, **options):
        if left[0]:
            left[0] -= 1
            error = OSError(number, "The process cannot access the file", arguments[0])
            error.winerror = winerror
            raise error
        return act(*arguments, **options)

    return fail_first


def test_a_file_that_another_program_holds_open_is_replaced_once_it_lets_go(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(os, "replace", _held_open(2))
    files.replace_file(str(tmp_path / "a.txt"), lambda file: file.write("new"))
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_file_that_stays_open_elsewhere_is_named_and_kept(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("old")
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(os, "replace", _held_open(3))
    with pytest.raises(InputError, match="a.txt is held open by another program: close it"):
        files.replace_file(str(tmp_path / "a.txt"), lambda file: file.write("new"))
    assert (tmp_path / "a.txt").read_text() == "old" and os.listdir(str(tmp_path)) == ["a.txt"]


def test_a_text_that_another_program_holds_open_is_added_to_once_it_lets_go(tmp_path, monkeypatch):
    path = tmp_path / "log.txt"
    path.write_text("one\n")
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(files, "open", _held_open(2, open), raising=False)
    with files.open_to_add(str(path), "a") as file:
        file.write("two\n")
    assert path.read_text() == "one\ntwo\n"
    monkeypatch.setattr(files, "open", _held_open(3, open), raising=False)
    with pytest.raises(InputError, match="log.txt is held open by another program"):
        files.open_to_add(str(path), "a")


def test_a_folder_whose_files_go_in_a_moment_is_removed_once_they_have(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "WAITS", (0.0, 0.0))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("")
    with monkeypatch.context() as windows:
        windows.setattr(os, "rmdir", _held_open(2, os.rmdir, errno.ENOTEMPTY, 145))
        files.remove_folder(str(tmp_path / "a"))
    assert os.listdir(str(tmp_path)) == []
    # Elsewhere nothing goes by itself.
    monkeypatch.setattr(os, "rmdir", _held_open(1, os.rmdir, errno.ENOTEMPTY, None))
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="cannot access"):
        files.remove_folder(str(tmp_path / "a"))


def test_settings_may_grow_but_not_change(tmp_path):
    path = str(tmp_path / "config.json")
    files.write_json(path, {"seed": 0, "names": ["a", "b"], "other": 5})
    files.check_same_settings(path, {"seed": 0, "names": ("a", "b"), "newer": True}, "log_dir")
    files.check_same_settings(path, {"newer": 0.0}, "log_dir", newer={"newer": 0, "seed": 3})
    with pytest.raises(InputError, match="`newer` 0.2: what .* holds began with 0;"):
        files.check_same_settings(path, {"newer": 0.2}, "log_dir", newer={"newer": 0})
    with pytest.raises(InputError, match="`seed` 1: what .* holds began with 0; .*`log_dir`"):
        files.check_same_settings(path, {"seed": 1}, "log_dir")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(InputError, match="config.json cannot be read .*`log_dir`"):
        files.check_same_settings(path, {"seed": 1}, "log_dir")


def _parser():
    parser = command_line.Parser("A test.")
    parser.add_argument("--num_point", type=int, default=7)
    command_line.add_seed_flag(parser, "nothing")
    return parser


def test_the_command_line_names_the_flag_of_an_argument():
    _parser().parse_args([])
    error = InputError("`num_points` 5: give `seed` 1,\nnot `label`")
    assert command_line.one_line(error) == "--num_point 5: give --seed 1, not `label`"


def test_flags_know_whether_they_were_given():
    flags = _parser().parse_args(["--seed", "0"])
    assert flags.given == {"seed"} and flags.num_point == 7
    with pytest.raises(InputError, match="--seed does nothing here: it is a test"):
        command_line.refuse_idle(flags, "seed", "it is a test")
    command_line.refuse_idle(flags, "num_point", "it was not given")
    assert command_line.kept_flags(flags) == {"seed": 0, "num_point": 7}


def test_a_value_that_begins_with_a_minus_may_stand_with_a_space():
    parser = _parser()
    parser.add_argument("--view")
    parser.add_argument("--mode", choices=["-low", "+low"])
    parser.add_argument("--several", nargs="+")
    flags = parser.parse_args(["--view", "-30,20", "--mode", "-low", "--several", "a", "--num_point", "-3"])
    assert (flags.view, flags.mode, flags.several, flags.num_point) == ("-30,20", "-low", ["a"], -3)
    assert flags.given == {"view", "mode", "several", "num_point"}
    with pytest.raises(SystemExit):
        parser.parse_args(["--view", "--mode", "-low"])


def test_version_is_the_same_everywhere(capsys):
    with pytest.raises(SystemExit):
        _parser().parse_args(["--version"])
    version = capsys.readouterr().out.split()[-1]
    assert files.versions()["pointcloud-grad-cam"] == version
    # A version that is on its way has the changes of the one that it becomes.
    for name, text in (("CITATION.cff", "version: " + version), ("CHANGELOG.md", "## " + version.split(".dev")[0])):
        with open(os.path.join(files.PROJECT_DIR, name), encoding="utf-8") as file:
            assert text in [" ".join(line.split()[:2]) for line in file]


def _watch_the_disk(monkeypatch):
    """Records what is synced, by its inode, and what is renamed, in their order."""
    events, sync, replace = [], os.fsync, os.replace

    def watched_sync(descriptor):
        events.append(("sync", os.fstat(descriptor).st_ino))
        sync(descriptor)

    def watched_replace(source, target):
        events.append(("rename", os.path.basename(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(os, "replace", watched_replace)
    return events


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folder")
def test_a_power_cut_finds_the_content_on_the_disk_before_the_name_and_the_name_before_the_next_step(
    tmp_path, monkeypatch
):
    events = _watch_the_disk(monkeypatch)
    files.replace_file(str(tmp_path / "a.txt"), lambda file: file.write("first"))
    file, folder = os.stat(str(tmp_path / "a.txt")).st_ino, os.stat(str(tmp_path)).st_ino
    assert events == [("sync", file), ("rename", "a.txt"), ("sync", folder)]

    made = tmp_path / "made.tmp" / "inner"
    made.mkdir(parents=True)
    (made / "b.txt").write_text("b")
    within = [os.stat(str(path)).st_ino for path in (made / "b.txt", made, made.parent)]
    events.clear()
    files.put_in_place(str(made.parent), str(tmp_path / "made"))
    at = events.index(("rename", "made"))
    assert sorted(events[:at]) == sorted(("sync", number) for number in within)
    assert events[at + 1 :] == [("sync", folder)]


def test_a_full_disk_is_said_with_the_file_and_a_way_on_and_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fill(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match=r"cannot write .*a.txt \(No space left on device\): free space there"):
        files.replace_file(str(path), fill)
    assert path.read_text() == "old" and os.listdir(str(tmp_path)) == ["a.txt"]
    # Some disks say it only when the content is to be on them.
    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(InputError, match="No space left"):
        files.replace_file(str(path), lambda file: file.write("new"))
    monkeypatch.undo()
    assert os.listdir(str(tmp_path)) == ["a.txt"]
    with pytest.raises(InputError, match=r"cannot write .*gone.*a.txt \(No such file"):
        files.replace_file(str(tmp_path / "gone" / "a.txt"), lambda file: None)


def test_what_killed_processes_left_goes_after_an_hour_and_nothing_else(tmp_path):
    for name, age in (("a.txt.17.tmp", 2), ("rows.csv.8.tmp", 0), ("b.tmp", 2), ("c.1.tmp.txt", 2)):
        (tmp_path / name).write_text("half")
        then = os.path.getmtime(str(tmp_path / name)) - age * files.SECONDS_TO_KEEP
        os.utime(str(tmp_path / name), (then, then))
    files.sweep(str(tmp_path))
    assert sorted(os.listdir(str(tmp_path))) == ["b.tmp", "c.1.tmp.txt", "rows.csv.8.tmp"]
    files.sweep(str(tmp_path / "none"))


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folder")
@pytest.mark.parametrize("number, is_loss", [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_disk_that_knows_no_sync_takes_files_and_one_that_fails_does_not(tmp_path, monkeypatch, number, is_loss):
    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    path = tmp_path / "a.txt"
    path.write_text("old")
    if is_loss:
        with pytest.raises(InputError, match="cannot write .*a.txt"):
            files.replace_file(str(path), lambda file: file.write("new"))
    else:
        files.replace_file(str(path), lambda file: file.write("new"))
    assert path.read_text() == ("old" if is_loss else "new")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_disk_that_is_full_within_an_npz_is_one_line_and_no_traceback_of_the_zip(tmp_path):
    finished = run_python(
        "import resource, signal, sys, numpy as np; from utils import files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "try: files.write_npz(sys.argv[1], {'a': np.random.RandomState(0).rand(99), 'b': np.zeros(9)})\n"
        "except files.InputError as error: print(error)",
        tmp_path / "a.npz",
    )
    assert finished.stdout.startswith("cannot write {} (File too large)".format(tmp_path / "a.npz"))
    assert finished.stderr == "" and not os.listdir(str(tmp_path))
    arrays = {"a": np.arange(3.0), "b": np.zeros((2, 2), np.float32)}
    files.write_npz(str(tmp_path / "a.npz"), arrays)
    with np.load(str(tmp_path / "a.npz")) as found:
        assert all((found[name] == arrays[name]).all() and found[name].dtype == arrays[name].dtype for name in arrays)


def test_what_stands_in_the_way_is_to_be_moved_and_no_space_freed(tmp_path):
    (tmp_path / "taken.json").mkdir()
    with pytest.raises(InputError, match="taken.json .*: move away what stands there"):
        files.write_json(str(tmp_path / "taken.json"), {})
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="move away what stands there"):
        files.write_json(str(tmp_path / "file" / "a.json"), {})


def test_a_setting_that_was_not_given_is_a_value_too(tmp_path):
    path = str(tmp_path / "run.json")
    files.write_json(path, {"seed": None})
    files.check_same_settings(path, {"seed": None, "newer": 5}, "dump_dir")
    with pytest.raises(InputError, match="`seed` 3: what .* began without it"):
        files.check_same_settings(path, {"seed": 3}, "dump_dir")
    # Of a file that has been read, what was read counts.
    files.check_same_settings(path, {"seed": 3}, "dump_dir", before={})
