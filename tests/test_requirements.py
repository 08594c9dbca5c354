"""The pins: exact, locked, and what this environment holds."""

import os
import re
import subprocess
import sys

import pytest

import quickstart
from quickstart import KINDS, STAMP

PAIRS = [kind.requirements for kind in KINDS.values()]


def pins(name):
    """{package: version} of a requirements file, which may hold nothing but exact pins."""
    found = {}
    with open(os.path.join(quickstart.PROJECT_DIR, name)) as file:
        for line in file:
            if line.startswith(("#", "-c ", "-r ")):
                continue
            package, version = re.match(r"([\w.-]+)==([\w.]+)( ; .+)?\n$", line).groups()[:2]
            found.setdefault(re.sub("[-_.]+", "-", package).lower(), set()).add(version)
    return found


@pytest.mark.parametrize("requirements, lock", PAIRS)
def test_every_pin_is_exact_and_the_lock_agrees(requirements, lock):
    with open(os.path.join(quickstart.PROJECT_DIR, requirements)) as file:
        assert file.readline() == "-c {}\n".format(lock)
    locked = pins(lock)
    for package, versions in pins(requirements).items():
        assert len(versions) == 1 and versions <= locked[package], package


@pytest.mark.parametrize("package", ["pytest", "playwright", "axe-playwright-python", "ruff"])
def test_the_locks_cover_what_the_tests_need(package):
    locked = set.union(*(pins(lock).get(package, set()) for _, lock in PAIRS))
    assert locked == pins(quickstart.TEST_REQUIREMENTS)[package]


def test_the_locks_cover_what_workers_need():
    wanted = pins("requirements-cluster.txt")["distributed"]
    assert set.union(*(pins(lock)["distributed"] for _, lock in PAIRS)) == wanted
    assert pins("requirements-cluster.txt")["click"] <= pins("requirements-lock.txt")["click"]


def test_what_horovod_needs_agrees_with_the_locks():
    # CMake alone is in neither.
    for package, versions in pins("requirements-horovod.txt").items():
        locked = set.union(*(pins(lock).get(package, set()) for _, lock in PAIRS))
        assert versions == locked or (package, locked) == ("cmake", set()), package


def test_conda_makes_the_environment_that_pip_makes_without_anacondas_own_channel():
    with open(os.path.join(quickstart.PROJECT_DIR, "environment.yml"), encoding="utf-8") as file:
        lines = [line.split("#")[0].rstrip() for line in file]
    start, end = lines.index("channels:"), lines.index("dependencies:")
    assert [line.strip() for line in lines[start + 1 : end] if line] == ["- conda-forge", "- nodefaults"]
    wanted = [line.strip() for line in lines[end + 1 :] if line]
    kind = KINDS[1]
    # TensorFlow 1.15 was built for CUDA 10.0 and cuDNN 7.
    assert wanted[:4] == [
        "- python=" + kind.pythons[0],
        "- cudatoolkit=10.0",
        "- cudnn=7.6",
        "- " + quickstart.PIP.replace("==", "="),
    ]
    # All else comes from the very file that pip takes, whose lock the other tests look at.
    assert wanted[4:] == ["- pip:", "- -r " + kind.requirements[0]]


@pytest.mark.skipif(not os.path.exists(os.path.join(sys.prefix, STAMP)), reason="not an environment of quickstart.py")
def test_this_environment_holds_nothing_but_what_is_locked():
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    ).stdout
    locked = pins(KINDS[1 if sys.version_info < (3, 8) else 2].requirements[1])
    for package, version in re.findall(r"^([\w.-]+)==(\S+)$", listing, re.MULTILINE):
        name = re.sub("[-_.]+", "-", package).lower()
        # What `tensorflow[and-cuda]` adds for a GPU goes by TensorFlow's own pins.
        # Horovod and CMake are not locked: docs/cluster/build_horovod.py adds them.
        is_added = name in ("pip", "horovod", "cmake") or name.startswith("nvidia-")
        assert is_added or version in locked[name], package
