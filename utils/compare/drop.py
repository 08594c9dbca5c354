"""`drop`: does the network need what is hot? The hottest points go, round by round (Zheng et al. 2019).

ASM argues with points that move to the cloud's centre where others take them away (arXiv 1812.01687, section 3.2): the
difference between the two shows what that argument costs.
"""

import numpy as np

from utils.command_line import positive_int
from utils.compare import curves
from utils.compare.protocol import Protocol, Setting
from utils.compare.run import points_of
from utils.explain import point_drop
from utils.files import InputError

CURVE_STEP = 25  # points between two classifications
AWAY, CENTRE = "away", "centre"  # what becomes of a point


def steps(_, num_drop, num_steps, **__):
    """How many points are gone where it classifies: at the start, after every 25, and at the end."""
    dropped = [number * num_drop for number in range(num_steps + 1)]
    return [
        now
        for before, now in zip([-CURVE_STEP] + dropped, dropped)
        if now // CURVE_STEP > before // CURVE_STEP or now == dropped[-1]
    ]


def run(comparison, num_drop, num_steps, drop_neg, one_shot, remove):
    """Drops the hottest points (or the coldest) of each cloud in rounds, and classifies what is left.

    Points that go to the centre, the per-axis median of the whole cloud, stay there: the cloud keeps its size, its heat
    is taken with them where they are now, and none of them is chosen again.

    Args:
      comparison: a run.Comparison.
      num_drop: points that a round drops.
      num_steps: rounds.
      drop_neg: whether those of lowest heat go instead.
      one_shot: whether the heat is that of the whole cloud; else it is taken anew in each round.
      remove: AWAY or CENTRE.
    """
    recorded = steps(comparison, num_drop, num_steps)
    for method, clouds in comparison.batches(recorded):
        points, heat = points_of(clouds), None
        centres = np.median(points, axis=1, keepdims=True)
        is_moved = np.zeros(points.shape[:2], bool)
        # Points at the centre may be among the hottest, and then others are sought.
        places = 0 if drop_neg or remove == CENTRE else num_drop * (num_steps if one_shot else 1)
        for number in range(num_steps + 1):
            if number * num_drop in recorded:
                curves.add_classified(comparison, method, clouds, number * num_drop, points)
            if number == num_steps:
                break
            if heat is None or not one_shot:
                heat = comparison.heat_of(method, clouds, points if number else None, draw=number, places=places)
            if remove == CENTRE:
                left = np.where(is_moved, np.inf if drop_neg else -np.inf, heat)
                is_moved |= _chosen(left, num_drop, drop_neg)
                points = np.where(is_moved[:, :, np.newaxis], centres, points)
            else:
                kept = ~_chosen(heat, num_drop, drop_neg)
                points, heat = (array[kept].reshape((len(clouds), -1) + array.shape[2:]) for array in (points, heat))


def _chosen(heat, num_drop, drop_neg):
    """Which points a round drops: bool array [B, M] of heat [B, M]."""
    return np.stack([point_drop.points_to_drop(row, "top", num_drop, drop_neg) for row in heat])


def report(results, num_drop, drop_neg, one_shot, remove, **_):
    word = "coldest" if drop_neg else "hottest"
    done, doing = ("moved", "moving") if remove == CENTRE else ("dropped", "dropping")
    where = " to the cloud's centre" if remove == CENTRE else ""
    return curves.report(
        results,
        "greatest" if drop_neg else "least",
        "{} points {}{}".format(word, done, where),
        "Accuracy in % after {} the {} points{}, heat taken {}.".format(
            doing, word, where, "once" if one_shot else "anew after every {}".format(num_drop)
        ),
    )


def measures(results, drop_neg, **_):
    return curves.measures(results, "greatest" if drop_neg else "least", "accuracy after {} points dropped")


def check(num_points, num_drop, num_steps, **_):
    if num_drop * num_steps > num_points - point_drop.MIN_POINTS:
        raise InputError(
            "`num_drop` {} in `num_steps` {} leaves fewer than {} of {} points: drop less".format(
                num_drop, num_steps, point_drop.MIN_POINTS, num_points
            )
        )


PROTOCOL = Protocol(
    "drop",
    help="accuracy as the hottest points go",
    columns=curves.COLUMNS,
    steps=steps,
    run=run,
    report=report,
    measures=measures,
    check=check,
    more_heat=lambda one_shot, **_: "" if one_shot else "heat anew in each round (`one_shot` takes it once)",
    settings=(
        Setting("num_drop", 5, "points that a round drops", positive_int, metavar="N"),
        Setting("num_steps", 40, "rounds of dropping", positive_int, metavar="ROUNDS"),
        Setting("drop_neg", False, "drop the points of lowest heat instead", folder_ending="_lowest"),
        Setting("one_shot", False, "take the heat once, not anew in each round", folder_ending="_one_shot"),
        Setting(
            "remove",
            AWAY,
            "what becomes of a point: it goes away, or to the per-axis median of the cloud, as ASM argues",
            choices=(AWAY, CENTRE),
        ),
    ),
)
