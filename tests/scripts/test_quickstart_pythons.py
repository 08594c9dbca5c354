"""Which Python quickstart.py takes, and that the oldest ones can read why they are not taken."""

import ast
import glob
import ntpath
import os
import shutil
import subprocess
import sys

import pytest

import quickstart
from quickstart import KINDS, FoundPython, NotHere

FITTING = {kind: FoundPython(kind.pythons[0], kind.machines[0], True, "/a/python") for kind in KINDS.values()}


def found_by(monkeypatch, kind, *answers):
    monkeypatch.setattr(quickstart, "candidates", lambda versions: range(len(answers)))
    monkeypatch.setattr(quickstart, "probe", lambda command: answers[command])
    return quickstart.find_python(kind).replace("\\", "/")


def test_the_running_python_says_what_it_is():
    found = quickstart.probe([sys.executable])
    assert found.version == "{}.{}".format(*sys.version_info[:2])
    assert os.path.samefile(found.path, sys.executable)


def test_a_command_that_starts_but_runs_no_python_is_no_python():
    assert quickstart.probe([sys.executable, "-c", "raise SystemExit(127)"]) is None  # as a pyenv shim does
    assert quickstart.probe([sys.executable, "-c", "print('Python was not found')"]) is None
    assert quickstart.probe(["no-such-python"]) is None
    assert quickstart.probe([""]) is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_what_does_not_fit_is_passed_over(monkeypatch, kind):
    fitting = FITTING[kind]
    assert (
        found_by(
            monkeypatch,
            kind,
            None,
            fitting._replace(version="3.13", path="/b"),
            fitting._replace(machine="win32-32bit", path="/c"),
            fitting._replace(has_venv=False, path="/d"),
            fitting,
        )
        == "/a/python"
    )


def test_no_environment_of_this_project_makes_the_next_one(monkeypatch):
    own = FITTING[KINDS[1]]._replace(path=os.path.join(quickstart.PROJECT_DIR, ".venv", "bin", "python"))
    assert found_by(monkeypatch, KINDS[1], own, FITTING[KINDS[1]]) == "/a/python"


def test_a_python_that_only_lacks_venv_is_named_once_with_what_to_install(monkeypatch):
    bare = FITTING[KINDS[1]]._replace(has_venv=False)
    with pytest.raises(NotHere) as caught:
        found_by(monkeypatch, KINDS[1], bare, bare)
    assert str(caught.value) == "/a/python lacks venv (on Debian: apt install python3.7-venv)"


def test_pyenv_is_searched_though_its_version_is_not_selected(monkeypatch, tmp_path):
    python = tmp_path / "versions" / "3.7.16" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert [str(python)] in list(quickstart.candidates(("3.7",)))
    assert [str(python)] not in list(quickstart.candidates(("3.11", "3.10")))


# --- What is too old ---

NEW_SYNTAX = (ast.JoinedStr, ast.AnnAssign, ast.AsyncFunctionDef, ast.Nonlocal, ast.YieldFrom)


def test_nothing_in_it_is_newer_than_python_2():
    with open(quickstart.__file__, encoding="ascii") as file:  # without a line on the encoding, Python 2 takes no other
        nodes = list(ast.walk(ast.parse(file.read())))
    assert not [node.lineno for node in nodes if isinstance(node, NEW_SYNTAX)]
    assert not [node.lineno for node in nodes if isinstance(node, ast.FunctionDef) and node.args.kwonlyargs]
    assert not [node.lineno for node in nodes if isinstance(node, ast.arg) and node.annotation]
    assert not [node.lineno for node in nodes if isinstance(node, ast.Raise) and node.cause]


def test_python_2_is_told_that_it_is_too_old(tmp_path):
    installed = glob.glob(os.path.expanduser("~/.pyenv/versions/2.7.*/bin/python"))
    python = (installed + [shutil.which("python2.7")])[0]
    if not python:
        pytest.skip("needs a Python 2.7")
    shutil.copy(quickstart.__file__, str(tmp_path))
    ended = subprocess.run([python, "quickstart.py"], cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert ended.stderr.split() == b"quickstart.py: error: this is Python 2.7, 3.7 or later is needed".split()


@pytest.mark.parametrize(
    "path, folder, is_inside",
    [
        ("c:/Work/PGC/.venv/Scripts/python.exe", "C:\\work\\pgc", True),
        ("C:\\work\\pgc2\\python.exe", "C:\\work\\pgc", False),
        ("D:\\work\\pgc\\python.exe", "C:\\work\\pgc", False),
    ],
)
def test_a_path_of_windows_lies_in_a_folder_by_any_case_and_slash(path, folder, is_inside, monkeypatch):
    monkeypatch.setattr(quickstart.os, "path", ntpath)
    assert quickstart.is_within(path, folder) == is_inside


def test_an_answer_is_read_right_whatever_the_code_page(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    monkeypatch.setenv("LC_ALL", "C")
    said = quickstart.ask([sys.executable, "-c", "print('\\u00fc\\u4e2d\\udcff')"], stdout=subprocess.PIPE).stdout
    assert said == "\u00fc\u4e2d\udcff\n"


def test_files_are_never_opened_in_the_code_page():
    with open(quickstart.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    opened = [one for one in calls if getattr(one.func, "attr", "") in ("read_text", "write_text")]
    assert len(opened) >= 5
    assert all("encoding" in [keyword.arg for keyword in one.keywords] for one in opened)


@pytest.mark.parametrize("stream", ["closed", "gone", "ascii"])
def test_quickstart_prints_where_it_can(stream, tmp_path):
    code = "import os, sys, quickstart\nfor number in range(5000):\n    quickstart.say('\\u00fc %d' % number)\n"
    code += "open(sys.argv[1], 'w').close()\n"
    options = {"closed": {"preexec_fn": lambda: os.close(1)}}.get(stream, {"stdout": subprocess.PIPE})
    command = [sys.executable, "-c", code, str(tmp_path / "done")]
    environment = dict(os.environ, PYTHONIOENCODING="ascii")
    with subprocess.Popen(
        command, cwd=quickstart.PROJECT_DIR, env=environment, stderr=subprocess.PIPE, **options
    ) as started:
        if stream != "closed":
            assert started.stdout.readline().endswith(b"\\xfc 0\n")
        if stream == "gone":
            started.stdout.close()
        elif stream == "ascii":
            assert started.stdout.read().endswith(b"\\xfc 4999\n")
        assert started.stderr.read() == b"" and started.wait(60) == 0
    assert (tmp_path / "done").exists()
