"""quickstart.py without a network: when it makes an environment anew, what it runs, what it says."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import quickstart
from quickstart import KINDS, Failure, NotHere

PAIRS = [kind.requirements for kind in KINDS.values()]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of quickstart's files; inside it, commands are noted instead of run. Returns the folder and the notes."""
    for name in sum(PAIRS, (quickstart.TEST_REQUIREMENTS, "quickstart.py")):
        shutil.copy(os.path.join(quickstart.PROJECT_DIR, name), str(tmp_path))
    commands = []
    monkeypatch.setattr(quickstart, "PROJECT_DIR", str(tmp_path))
    monkeypatch.setattr(quickstart, "run", lambda command, purpose: commands.append(command) or 0)
    monkeypatch.setattr(quickstart, "probe", lambda command: "runs")
    monkeypatch.setattr(quickstart, "find_python", lambda kind: "/a/python")
    monkeypatch.setattr(quickstart, "check_imports", lambda python, kind: None)
    monkeypatch.setattr(quickstart, "KINDS", {key: kind._replace(gigabytes=0) for key, kind in KINDS.items()})
    monkeypatch.chdir(tmp_path)
    return tmp_path, commands


def make(with_tests=False):
    return quickstart.make_environment(quickstart.KINDS[1], ".venv", with_tests)


# --- When the environment is made ---


def test_an_environment_is_made_once(project):
    _, commands = project
    python = make()
    assert [command[:3] for command in commands] == [
        ["/a/python", "-m", "venv"],
        [python, "-m", "pip"],
        [python, "-m", "pip"],
    ]
    assert commands[-1][-2:] == ["-r", "requirements.txt"]
    commands.clear()
    assert make() == python and commands == []


@pytest.mark.parametrize("name", KINDS[1].requirements)
def test_a_changed_requirement_makes_it_anew(project, name):
    folder, commands = project
    make()
    (folder / ".venv" / "old").write_text("")
    with open(name, "a") as file:
        file.write("another==1.0\n")
    commands.clear()
    make()
    assert commands[0][1:3] == ["-m", "venv"] and not (folder / ".venv" / "old").exists()


def test_an_interrupted_one_is_made_anew(project, monkeypatch):
    folder, commands = project

    def interrupted(command, purpose):
        (folder / ".venv" / "half").write_text("")
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(quickstart, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make()
    assert (folder / ".venv" / "half").exists() and not quickstart.is_ready(".venv", KINDS[1].requirements)
    make()
    assert len(commands) == 3 and not (folder / ".venv" / "half").exists()


def test_one_whose_python_is_gone_is_made_anew(project, monkeypatch):
    _, commands = project
    make()
    monkeypatch.setattr(quickstart, "probe", lambda command: None)
    make()
    assert len(commands) == 6


def test_the_tests_needs_are_added_to_what_is_there(project, monkeypatch):
    _, commands = project
    make()
    commands.clear()
    make(with_tests=True)
    assert [command[-4:] for command in commands] == [["-r", "requirements.txt", "-r", "requirements-test.txt"]]
    commands.clear()
    make()
    make(with_tests=True)
    assert commands == []


def test_when_they_cannot_be_added_the_environment_stays_good(project, monkeypatch):
    make()
    monkeypatch.setattr(quickstart, "run", lambda command, purpose: 1)
    with pytest.raises(Failure):
        make(with_tests=True)
    assert quickstart.is_ready(".venv", KINDS[1].requirements)


def test_a_folder_of_somebody_else_is_left_alone(project):
    folder, commands = project
    (folder / ".venv").mkdir()
    (folder / ".venv" / "thesis.txt").write_text("the only copy")
    with pytest.raises(Failure, match="was not made by quickstart.py"):
        make()
    assert (folder / ".venv" / "thesis.txt").read_text() == "the only copy" and commands == []


def test_too_little_room_is_said_before_anything_is_fetched(project, monkeypatch):
    monkeypatch.setattr(quickstart, "KINDS", {1: KINDS[1]._replace(gigabytes=10**9)})
    with pytest.raises(Failure, match="make room"):
        make()
    assert project[1] == []


@pytest.mark.parametrize(
    "log, kind_of_failure, advice",
    [
        ("OSError: [Errno 28] No space left on device", Failure, "disk is full"),
        (
            "Retrying after NewConnectionError\nERROR: No matching distribution found for x",
            Failure,
            "check the network",
        ),
        ("ERROR: No matching distribution found for x", NotHere, "no build for this machine"),
        ("something new", NotHere, "message of pip"),
    ],
)
def test_what_pip_failed_at_is_read_from_its_log(project, monkeypatch, log, kind_of_failure, advice):
    def failing_pip(command, purpose):
        with open(command[command.index("--log") + 1], "w") as file:
            file.write(log)
        return 1

    monkeypatch.setattr(quickstart, "run", failing_pip)
    with pytest.raises(Failure, match="^installing requirements.txt failed: .*" + advice) as caught:
        quickstart.pip_install("python", ".", ["-r", "requirements.txt"], "Installing")
    assert caught.type is kind_of_failure


@pytest.fixture
def unloadable(monkeypatch):
    """The packages whose import fails; a test adds their names."""
    names = []

    def import_fails(command, **options):
        fails = command[-1].startswith(tuple("import " + name for name in names))
        return subprocess.CompletedProcess(command, int(fails), stderr="Traceback\nImportError: libGL.so.1\n")

    monkeypatch.setattr(quickstart.subprocess, "run", import_fails)
    return names


def test_a_tensorflow_that_installs_but_does_not_load_is_a_failure(unloadable):
    unloadable.append("tensorflow")
    with pytest.raises(NotHere, match=r"^TensorFlow 2 does not load \(ImportError: libGL.so.1\)$"):
        quickstart.check_imports("python", KINDS[2])


def test_without_open3d_the_rest_still_works(unloadable, capsys):
    unloadable.append("open3d")
    quickstart.check_imports("python", KINDS[2])
    assert "Open3D does not load (ImportError: libGL.so.1)" in capsys.readouterr().out


# --- Which TensorFlow ---


def set_up(monkeypatch, *arguments, **failures):
    """What set_up made: [(name of the kind, folder)]; failures maps "one" or "two" to what making it raises."""
    made = []

    def make_environment(kind, folder, with_tests):
        made.append((kind.name, folder))
        failure = failures.get("one" if kind.pythons == ("3.7",) else "two")
        if failure:
            raise failure
        return "python"

    monkeypatch.setattr(quickstart, "make_environment", make_environment)
    monkeypatch.setattr(sys, "argv", ["quickstart.py"] + list(arguments))
    quickstart.set_up(quickstart.parse_flags()[0])
    return made


def test_tensorflow_1_comes_first(project, monkeypatch):
    assert set_up(monkeypatch) == [("TensorFlow 1.15", ".venv")]


def test_where_it_cannot_be_had_tensorflow_2_takes_its_place(project, monkeypatch):
    assert set_up(monkeypatch, one=NotHere("no Python")) == [("TensorFlow 1.15", ".venv"), ("TensorFlow 2", ".venv")]


def test_a_failure_that_would_hit_both_ends_the_run(project, monkeypatch):
    with pytest.raises(Failure, match="disk"):
        set_up(monkeypatch, one=Failure("disk"))


def test_a_tensorflow_2_that_took_its_place_is_kept(project, monkeypatch):
    quickstart.make_environment(quickstart.KINDS[2], ".venv", False)
    assert set_up(monkeypatch) == [("TensorFlow 2", ".venv")]


def test_a_forced_choice_has_no_second(project, monkeypatch):
    assert set_up(monkeypatch, "--tensorflow", "2") == [("TensorFlow 2", ".venv-tf2")]
    with pytest.raises(NotHere):
        set_up(monkeypatch, "--tensorflow", "1", one=NotHere("no Python"))


# --- The main job ---


@pytest.mark.parametrize("script, flags", [step[1:3] for step in quickstart.MAIN_JOB])
def test_the_flags_of_the_main_job_exist(script, flags):
    text = subprocess.run(
        [sys.executable, script, "--help"],
        cwd=quickstart.PROJECT_DIR,
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    ).stdout
    for flag in re.findall(r"--\w+", flags + " --no_window" * (script != "train.py")):
        assert re.search(re.escape(flag) + r"\b", text), flag


@pytest.mark.parametrize("display, no_window, expected", [(":0", False, 0), (":0", True, 2), (None, False, 2)])
def test_windows_open_where_there_is_a_display_unless_unwanted(project, monkeypatch, display, no_window, expected):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    quickstart.run_main_job("python", no_window)
    assert [command[1] for command in project[1]] == ["train.py", "p_grad_CAM.py", "ASM.py"]
    assert sum("--no_window" in command for command in project[1]) == expected


def test_quiet_is_handed_on_and_says_nothing(project, monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--quiet"])
    monkeypatch.setenv("PIP_QUIET", "0")
    quickstart.main()
    assert os.environ["PIP_QUIET"] == "1"
    assert ["--quiet" in command for command in project[1][-3:]] == [True] * 3
    assert capfd.readouterr() == ("", "")


def test_a_cloud_of_ones_own_is_explained_instead_wherever_it_lies(project, monkeypatch, tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "my chair.ply").write_text("")
    monkeypatch.chdir(tmp_path / "far")
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--no_window", "--input", "my chair.ply"])
    quickstart.main()
    _, commands = project
    path = str(tmp_path / "far" / "my chair.ply")
    assert commands[-1][1:] == ["p_grad_CAM.py", "--compare", "--input", path, "--no_window"]
    assert [command[1] for command in commands].count("p_grad_CAM.py") == 1


def test_a_cloud_that_is_not_there_is_said_before_anything_is_made(project, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--input", "nowhere.ply"])
    with pytest.raises(SystemExit) as caught:
        quickstart.main()
    assert caught.value.code == 1 and "nowhere.ply: there is no such file" in capsys.readouterr().err
    assert project[1] == []


def test_the_pictures_are_named_at_the_end(project, capsys):
    picture = os.path.join("log", "demo", "explain", "asm", "airplane_0", "heat.png")
    os.makedirs(os.path.dirname(picture))
    open(picture, "w").close()
    quickstart.run_main_job("python", True)
    assert capsys.readouterr().out.endswith("\n    {}\n".format(picture))


def test_a_step_that_fails_ends_the_job_by_name(project, monkeypatch):
    monkeypatch.setattr(quickstart, "run", lambda command, purpose: int(command[1] == "p_grad_CAM.py"))
    with pytest.raises(Failure, match="^p_grad_CAM.py ended with exit status 1"):
        quickstart.run_main_job("python", True)


# --- Exit statuses ---


def exit_status(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["quickstart.py"] + list(arguments))
    with pytest.raises(SystemExit) as caught:
        quickstart.main()
    return caught.value.code


def test_the_exit_status_of_pytest_is_passed_on_and_gets_its_arguments(project, monkeypatch):
    commands = []
    monkeypatch.setattr(quickstart, "set_up", lambda flags: "python")
    monkeypatch.setattr(quickstart, "run", lambda command, purpose: commands.append(command) or 5)
    assert exit_status(monkeypatch, "--test", "--", "-k", "--test") == 5
    assert commands == [["python", "-m", "pytest", "-k", "--test"]]


@pytest.mark.parametrize(
    "named, expected", [([], ["tests/a/test_a.py", "tests/test_b.py"]), (["tests/test_b.py"], ["tests/test_b.py"])]
)
def test_the_tests_that_are_named_run_alone_and_else_all(project, monkeypatch, named, expected):
    shutil.copy(os.path.join(os.path.dirname(quickstart.__file__), "pyproject.toml"), ".")
    for path in map(pathlib.Path, ("tests/a/test_a.py", "tests/test_b.py", "log/test_c.py")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def test(): pass")
    outputs = []

    def run(command, purpose):
        outputs.append(subprocess.check_output(command + ["-v"], universal_newlines=True))
        return 0

    monkeypatch.setattr(quickstart, "set_up", lambda flags: sys.executable)
    monkeypatch.setattr(quickstart, "run", run)
    assert exit_status(monkeypatch, "--test", "--", *named) == 0
    assert sorted(re.findall(r"^(\S+)::test PASSED", outputs[0], re.MULTILINE)) == expected


def test_what_goes_to_pytest_needs_the_tests(monkeypatch, capsys):
    assert exit_status(monkeypatch, "--", "-x") == 2
    assert capsys.readouterr().err.endswith("give --test too\n")


def test_ctrl_c_exits_with_130(monkeypatch, capsys):
    def interrupted(flags):
        raise KeyboardInterrupt

    monkeypatch.setattr(quickstart, "set_up", interrupted)
    assert exit_status(monkeypatch) == 130
    assert capsys.readouterr().err == "\nInterrupted. Run again to go on.\n"


@pytest.mark.skipif(os.name == "nt", reason="the py launcher finds other Pythons without a PATH")
def test_where_no_python_fits_one_line_says_so(project):
    folder = str(project[0])
    environment = dict(os.environ, PATH="", PYENV_ROOT=folder, HOME=folder)
    ended = subprocess.run(
        [sys.executable, "quickstart.py", "--tensorflow", "2" if sys.version_info < (3, 10) else "1"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert ended.returncode == 1
    assert re.match("quickstart.py: error: found no Python 3[^\n]*\n$", ended.stderr)
