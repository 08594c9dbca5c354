"""The rules of the house: who imports whom, and what is loaded where."""

import ast
import os
import subprocess
import sys
from collections import Counter

import pytest

from utils.files import PROJECT_DIR

SCRIPTS = ("ASM.py", "compare.py", "evaluate.py", "explain.py", "p_grad_CAM.py", "train.py")
# From the top down; a file may import from its own floor and those below it.
FLOORS = (
    SCRIPTS,
    ("utils/compare/",),
    ("utils/explain/",),
    ("provider.py",),
    ("utils/viewer/",),
    ("utils/pictures/",),
    ("utils/network/",),
    ("models/",),
    ("utils/clouds/",),
    ("utils/demo/",),
    ("utils/disk/",),
    ("utils/",),
)
# Heavy packages, and where they may be imported.
ROOMS = {
    "tensorflow": ("models/", "utils/network/", "utils/tf_util.py"),
    "tensorboard": ("utils/network/",),
    "open3d": ("utils/pictures/",),
    "matplotlib": ("utils/pictures/",),
    "plotly": ("utils/viewer/",),
    "dask": ("utils/network/local_workers.py",),
    "distributed": ("utils/network/workers.py", "utils/network/local_workers.py"),
    "horovod": ("utils/network/",),
}


def _python_files():
    """Paths of the program's files, relative to the project, with forward slashes."""
    found = [name for name in os.listdir(PROJECT_DIR) if name.endswith(".py")]
    for folder in ("models", "utils"):
        for parent, _, names in os.walk(os.path.join(PROJECT_DIR, folder)):
            found += [os.path.join(parent, name) for name in names if name.endswith(".py")]
    paths = [os.path.relpath(os.path.join(PROJECT_DIR, path), PROJECT_DIR).replace(os.sep, "/") for path in found]
    return sorted(set(paths) - {"quickstart.py"})


def _imports(path):
    """(line, dotted name) of all that a file imports, within functions too; also of importlib.import_module("...")."""
    with open(os.path.join(PROJECT_DIR, path), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "{}:{} imports by dots: name the folder".format(path, node.lineno)
            for name in node.names:
                yield node.lineno, node.module + "." + name.name
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            names = [leaf.value for leaf in ast.walk(node.args[0]) if isinstance(getattr(leaf, "value", None), str)]
            names += [leaf.s for leaf in ast.walk(node.args[0]) if hasattr(leaf, "s") and isinstance(leaf.s, str)]
            for name in set(names):
                yield node.lineno, name


def _file_of(name):
    """The project's file that a dotted name leads to, or None: `utils.files.InputError` leads to utils/files.py."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        stem = "/".join(parts[:length])
        for path in (stem + ".py", stem + "/__init__.py"):
            if os.path.isfile(os.path.join(PROJECT_DIR, path)):
                return path
    return None


def _floor(path):
    return next(number for number, places in enumerate(FLOORS) if path.startswith(places))


@pytest.mark.parametrize("path", _python_files())
def test_a_file_imports_from_its_own_floor_and_below(path):
    wrong = []
    for line, name in _imports(path):
        imported = _file_of(name)
        if imported is None or imported == path or (name == "utils" and imported == "utils/__init__.py"):
            continue
        if _floor(imported) < _floor(path) or imported in SCRIPTS:
            wrong.append("{}:{} imports {}, which stands above it".format(path, line, imported))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", sorted(ROOMS))
def test_a_heavy_package_stays_in_its_room(package):
    wrong = [
        "{}:{} imports {}".format(path, line, name)
        for path in _python_files()
        if not path.startswith(ROOMS[package])
        for line, name in _imports(path)
        if name.split(".")[0] == package
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", ROOMS["distributed"])
def test_dask_is_imported_where_workers_are_asked_for_alone(path):
    with open(os.path.join(PROJECT_DIR, path), encoding="utf-8") as file:
        outside = [
            node for node in ast.parse(file.read()).body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))
        ]
    assert not any(word in ast.dump(node) for node in outside for word in ("distributed'", "dask"))


def test_files_of_tests_have_names_of_their_own():
    # pytest imports them by their bare names: of two alike, one would be taken for the other.
    folder = os.path.join(PROJECT_DIR, "tests")
    names = [name for _, _, files in os.walk(folder) for name in files if name.endswith(".py")]
    assert not [name for name, times in Counter(names).items() if times > 1]


def test_the_rules_see_what_they_are_to_see(tmp_path, monkeypatch):
    # A picture that asks for a method, within a function; TensorFlow by import_module.
    folder = tmp_path / "utils" / "pictures"
    folder.mkdir(parents=True)
    (tmp_path / "utils" / "explain").mkdir()
    (tmp_path / "utils" / "explain" / "methods.py").write_text("")
    (folder / "a.py").write_text(
        "import importlib\ndef f():\n    from utils.explain import methods\n    importlib.import_module('tensorflow')\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "PROJECT_DIR", str(tmp_path))
    with pytest.raises(AssertionError, match="utils/pictures/a.py:3 imports utils/explain/methods.py"):
        test_a_file_imports_from_its_own_floor_and_below("utils/pictures/a.py")
    assert (4, "tensorflow") in list(_imports("utils/pictures/a.py"))


def test_every_file_but_those_of_tensorflow_imports_without_the_heavy_packages():
    names = [path[:-3].replace("/", ".").replace(".__init__", "") for path in _python_files()]
    rooms = tuple(room.rstrip("/").replace(".py", "").replace("/", ".") for room in ROOMS["tensorflow"])
    of_network = (".loading", ".checkpoint_files", ".checkpoint_paths")
    light = [name for name in names if not name.startswith(rooms) or name.endswith(of_network)]
    code = "import sys, {}; print(sorted({} & set(sys.modules)))".format(", ".join(light), set(ROOMS))
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_DIR, stdout=subprocess.PIPE, universal_newlines=True, check=True
    )
    assert found.stdout == "[]\n"
