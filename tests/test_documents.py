"""The documents: the scripts take every command, every link leads somewhere, git ignores what the examples write.

The numbers of docs/results.md and docs/runner-up.md are in test_documented_results.py.
"""

import glob
import importlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from utils.compare import flags as compare_flags
from utils.explain import flags as explain_flags
from utils.explain.methods import METHODS
from utils.files import PROJECT_DIR

PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + sorted(
    os.path.relpath(path, PROJECT_DIR).replace(os.sep, "/")
    for pattern in ("docs/*.md", "data/*.md", "log/pretrained/*/*.md")
    for path in glob.glob(os.path.join(PROJECT_DIR, pattern))
)
PARSERS = {
    "compare": compare_flags.parse_flags,
    "p_grad_CAM": lambda: explain_flags.parse_flags("", (), METHODS["p-grad-cam"]),
    "ASM": lambda: explain_flags.parse_flags("", (), METHODS["asm"]),
    "explain": lambda: explain_flags.parse_flags("", ()),
}
for own in ("train", "evaluate", "quickstart"):
    PARSERS[own] = importlib.import_module(own).parse_flags


def _text(page):
    """A page without what stands in fences."""
    with open(os.path.join(PROJECT_DIR, page), encoding="utf-8") as file:
        return re.sub(r"(?ms)^```.*?^```$", "", file.read())


def _commands(pages=PAGES):
    """(page, command) of all lines that are set four spaces in, which is how the pages write shell commands."""
    return [(page, line.strip()) for page in pages for line in _text(page).splitlines() if line.startswith("    ")]


def _calls():
    """(page, script, arguments) of all calls of the project's scripts, on lines of their own and in sentences."""
    found = []
    in_sentences = [(page, one) for page in PAGES for one in re.findall(r"`(python \w+\.py[^`]*)`", _text(page))]
    for page, command in _commands() + in_sentences:
        match = re.search(r"python (\w+)\.py(.*)$", command.split(" #")[0].rstrip(" &"))
        if match:
            found.append((page, match.group(1), shlex.split(match.group(2))))
    return found


def test_commands_run_in_every_shell():
    pages = [page for page in PAGES if page == "README.md" or page.startswith("docs/") or "pretrained" in page]
    commands = _commands(pages)
    assert len(commands) > 60
    # PowerShell 5.1 knows no &&, and cmd.exe hands what follows # to the program.
    assert not [command for _, command in commands if "&&" in command or " #" in command]


def test_every_call_is_one_that_the_script_takes(monkeypatch, capsys):
    calls = _calls()
    assert len(calls) > 50 and {script for _, script, _ in calls} == set(PARSERS)
    for page, script, arguments in calls:
        monkeypatch.setattr(sys, "argv", [script + ".py"] + arguments)
        try:
            PARSERS[script]()
        except BaseException as error:
            raise AssertionError("{}: {} {}: {}".format(page, script, arguments, error)) from error


def test_what_the_examples_write_is_ignored_by_git():
    if subprocess.call(["git", "rev-parse"], cwd=PROJECT_DIR, stderr=subprocess.DEVNULL) != 0:
        pytest.skip("not a git checkout")
    written = {"log/explain", "log/compare", "log/evaluate", "data/demo_shapes", ".venv/bin", ".venv-tf2/bin"}
    for _, _, arguments in _calls():
        for flag, value in zip(arguments, arguments[1:]):
            if flag in ("--log_dir", "--dump_dir"):
                written.add(value)
    for page in PAGES:
        with open(os.path.join(PROJECT_DIR, page), encoding="utf-8") as file:
            written.update(re.findall(r"save_page\(\"([^\"]+)\"", file.read()))
    assert len(written) > 12 and "heat.html" in written
    for path in written:
        assert subprocess.call(["git", "check-ignore", "-q", path], cwd=PROJECT_DIR) == 0, path


def _anchor(heading):
    """As GitHub makes it of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", _text(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = os.path.normpath(os.path.join(PROJECT_DIR, os.path.dirname(page), path)) if path else page
        there = os.path.join(PROJECT_DIR, there)
        assert os.path.exists(there), "{}: {}".format(page, target)
        if anchor:
            headings = re.findall(r"(?m)^#+ (.*)$", _text(os.path.relpath(there, PROJECT_DIR)))
            assert anchor in map(_anchor, headings), "{}: {}".format(page, target)


def test_the_readme_is_two_screens_and_the_table_of_contents_has_every_page():
    with open(os.path.join(PROJECT_DIR, "README.md"), encoding="utf-8") as file:
        assert len(file.readlines()) <= 120
    contents = _text("docs/README.md")
    for page in PAGES:
        if page.startswith("docs/") and page != "docs/README.md":
            assert "({})".format(page[len("docs/") :]) in contents, page


def test_the_first_own_cloud_is_three_commands_away():
    commands = [command for _, command in _commands(["README.md"])]
    own = next(number for number, command in enumerate(commands) if "--input my_chair.ply" in command)
    assert own + 1 == 3


def test_every_method_has_its_formula_in_the_documents():
    formulas = _text("docs/methods.md")
    for name in METHODS:
        assert "\n| `{}` |".format(name) in formulas, name


def test_every_picture_of_the_pages_is_made_by_a_command_that_the_scripts_take(monkeypatch):
    spec = importlib.util.spec_from_file_location("pictures_of_docs", os.path.join(PROJECT_DIR, "docs", "pictures.py"))
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    there = {os.path.basename(path) for path in glob.glob(os.path.join(PROJECT_DIR, "docs", "*.png"))}
    assert set(pictures.PICTURES) == there
    shown = {target.split("/")[-1] for page in PAGES for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", _text(page))}
    assert there <= shown
    captions = " ".join(_text("docs/explaining.md").split())
    for picture in pictures.PICTURES.values():
        script, *arguments = picture.command.split()
        monkeypatch.setattr(sys, "argv", [script] + arguments)
        PARSERS[script[: -len(".py")]]()
        assert "`python {}`".format(picture.command.replace(" --no_window", "")) in captions


@pytest.mark.parametrize("name", ["rotation_y", "rotation_xyz", "rotation_none", "dgcnn", "pointnet2_cls_ssg"])
def test_the_accuracies_of_shipped_networks_are_those_of_their_logs(name):
    with open(os.path.join(PROJECT_DIR, "log", "pretrained", name, "log_train.txt"), encoding="utf-8") as file:
        tests = re.findall(r"test loss .*, accuracy ([\d.]+) ?%, mean class accuracy ([\d.]+) ?%", file.read())
    overall, mean_class = max(tests, key=lambda pair: float(pair[0]))
    page = _text("log/pretrained/{}/README.md".format(name))
    assert "\n| accuracy | {} % of the 2,468 test clouds".format(overall) in page
    assert "mean over the classes {} %".format(mean_class) in page
    # Wilson's interval, solved for p: (found - p)^2 = z^2 p (1 - p) / n.
    found, z, count = round(float(overall) * 24.68) / 2468, stats.norm.ppf(0.975), 2468
    ends = sorted(np.roots([1 + z * z / count, -2 * found - z * z / count, found * found]))
    assert "(95 % interval over the clouds: {:.1f} to {:.1f})".format(*(100 * end for end in ends)) in page
    training = " ".join(_text("docs/training.md").split())
    assert " {} %".format(overall) in training
    assert "{} % as the mean over the classes".format(mean_class) in training


def test_the_times_of_many_processes_are_those_that_their_command_prints():
    _, command = next(one for one in _commands(["docs/scaling.md"]) if "--step_seconds 0.34" in one[1])
    printed = subprocess.check_output([sys.executable] + shlex.split(command)[1:], cwd=PROJECT_DIR)
    rows = printed.decode().split("\n")[2:-1]
    assert len(rows) == 5
    assert "\n".join(rows) in _text("docs/scaling.md")
