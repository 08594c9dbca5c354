"""The short fault campaign, and that the bench sees what it is to see. The long one is run by hand: campaign.py."""

import os
import random
import subprocess
import sys

import pytest

if not hasattr(os, "fork"):
    pytest.skip("the campaign forks processes", allow_module_level=True)

import campaign  # noqa: E402
import corruptor  # noqa: E402
from judgement import Outcome, Run, judge  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.mark.takes_turns
def test_the_short_campaign_is_survived():
    # The others start several processes that each load TensorFlow.
    families = "ABCDEH"
    assert set(families) <= set(campaign.FAMILIES)
    finished = subprocess.run(
        [sys.executable, os.path.join(HERE, "campaign.py"), "--faults", "6", "--seed", "1", "--families", families],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=900,
    )
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-2000:]
    rows = [line.split("|")[1:-1] for line in finished.stdout.splitlines() if line.startswith("| ")][1:]
    assert [row[0].strip()[0] for row in rows[:-1]] == list(families)
    assert int(rows[-1][1]) >= 6 and int(rows[-1][1]) == int(rows[-1][2])


def _run(status=0, out="", err="", mebibytes=100.0):
    return Run(status, out, err, 1.0, mebibytes, 0, "ASM.py")


LINE = "ASM.py: error: x: is damaged: copy it again\n"


@pytest.mark.parametrize(
    "run, words",
    [
        (_run(status=None), "hangs"),
        (_run(status=-11), "crashes by signal 11"),
        (_run(status=1), "status 1"),
        (_run(status=2), "0 lines"),
        (_run(status=2, err=LINE + LINE), "2 lines"),
        (_run(status=1, err="Traceback (most recent call last):\n"), "traceback"),
        (_run(status=2, err="ASM.py: error: ValueError: x\n"), "for programmers"),
        (_run(out="a\x1b[2J"), "terminal obeys"),
        (_run(mebibytes=5000.0), "5000 MiB"),
    ],
)
def test_the_judgement_sees_a_bad_end(run, words):
    assert words in judge(run)


def test_the_judgement_takes_good_ends():
    assert judge(_run()) is None
    assert judge(_run(status=2, err=LINE)) is None
    assert "status 2" in judge(_run(status=2, err=LINE), allowed=(0,))
    assert judge(_run(status=-9), allowed=(-9,)) is None


def test_damage_is_drawn_from_the_seed_and_changes_the_file():
    content = b"ply\nformat ascii 1.0\nelement vertex 3\nend_header\n" + b"1.5 2.5 3.5\n" * 3
    first, second = ([corruptor.damage(random.Random(seed), content) for seed in range(300)] for _ in range(2))
    assert first == second
    assert {way for way, _ in first} == set(corruptor.WAYS)
    assert sum(changed != content for _, changed in first) > 250


def test_a_plan_mixes_all_families_and_is_the_same_again():
    steps = campaign.plan(200, "BH", seed=4)
    assert steps == campaign.plan(200, "BH", seed=4) != campaign.plan(200, "BH", seed=5)
    assert len(set(steps)) == len(steps) and {step[0] for step in steps} == {"B", "H"}


def test_the_table_counts_failures_by_kind():
    outcomes = [("B1", Outcome("cut")), ("B2", Outcome("cut", "hangs: x")), ("B3", Outcome("cut", "hangs: y"))]
    assert "| B corrupted files | 3 | 1 | 1 | 1 |" in campaign.table(outcomes)
