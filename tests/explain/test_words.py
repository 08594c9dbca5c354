"""What a run says at the end: what the network saw, how much of the cloud that hung on, and what to open."""

import io
import sys

import numpy as np
import pytest

from utils import progress
from utils.clouds.cloud import Cloud
from utils.explain import cases, words
from utils.explain.results import DropRun, Round
from utils.explain.run import Dropping

CASE = cases.Case(
    Cloud(np.zeros((8, 3), np.float32), 0, "chair", 3, "here"), np.log([0.8, 0.2]), ("chair", "sofa"), False, {}
)


def _run(num_dropped, accuracies, reason="the round dropped no point"):
    removed = np.where(np.arange(8) < num_dropped, 1, -1)
    left = [8 - num_dropped if number else 8 for number in range(len(accuracies))]
    rounds = [Round(number + 1, left[number], 0, accuracy, 0.0, 0.0) for number, accuracy in enumerate(accuracies)]
    return DropRun(CASE.cloud.points, np.zeros(8), removed, np.zeros(8), rounds, reason, 0.0)


@pytest.mark.parametrize(
    "run, dropping, said",
    [
        (
            _run(2, [1.0, 1 / 3]),
            Dropping("y", drop_mode="+midrange"),
            "by ASM chair was lost once 25.0 % of the cloud, 2 of 8 points, was dropped, the hottest first",
        ),
        (
            _run(5, [1.0, 0.5]),
            Dropping("y", drop_mode="top", lowest=True),
            "by ASM chair was lost once 62.5 % of the cloud, 5 of 8 points, was dropped, the coldest first",
        ),
        (
            _run(5, [1.0, 0.75]),
            Dropping("y", drop_mode="-random"),
            "by ASM chair was never lost: 75.0 % of the votes were for it with 5 of 8 points dropped, by chance",
        ),
        (
            _run(8, [0.75, np.nan]),
            Dropping("y", drop_mode="nonzero"),
            "by ASM all 8 points were dropped, the hottest first; with 8 left 75.0 % of the votes were for chair",
        ),
        (
            _run(0, [0.25]),
            Dropping("xyz", drop_mode="top"),
            "under rotation xyz only 25.0 % of the votes were for chair, so ASM dropped no point",
        ),
    ],
)
def test_the_last_sentence_says_what_the_answer_hung_on_and_what_to_open(run, dropping, said):
    assert words.conclusion(CASE, [("ASM", run, dropping)], "out/heat.html") == (
        "The network: chair 3 is seen as chair (80.0 %); " + said + ". Open out/heat.html in a browser to see its heat."
    )


def test_where_another_class_is_asked_about_both_are_named():
    other = CASE._replace(cloud=CASE.cloud._replace(label=1), is_target=True)
    said = words.conclusion(other, [("ASM", _run(2, [1.0, 0.0]), Dropping("y", drop_mode="top"))], "heat.html")
    assert "seen as chair (80.0 %), sofa 20.0 %; by ASM sofa was lost once 25.0 %" in said


def test_several_methods_are_one_sentence():
    dropping = Dropping("y", drop_mode="top")
    found = [("ASM", _run(2, [1.0, 0.0]), dropping), ("runner-up", _run(1, [1.0, 0.0]), dropping)]
    said = words.conclusion(CASE, found, "heat.html")
    assert said.count("is seen as") == 1 and said.count("Open") == 1
    assert said.index("by ASM chair was lost once 25.0 %") < said.index("; by runner-up chair was lost once 12.5 %")


def test_the_dropping_tells_accuracy_and_points_left_first(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setattr(progress, "LOG_SECONDS", 0)
    with progress.Progress("ASM: dropping") as line:
        told = words.DroppingLine(line, 1, "ASM", lambda points: np.float32([[0, 1], [0, 1], [0, 1], [1, 0]]))
        told.vote_logits(np.zeros((1024, 3)))
        told.show_round(Round(17, 1007, 1, float("nan"), 0.0, 0.0))
    assert log.getvalue().splitlines() == [
        "accuracy 75.0 % at 1024 points, ASM, 0 s",
        "accuracy 75.0 % at 1024, 1007 left, round 17, ASM, 0 s",
    ]
