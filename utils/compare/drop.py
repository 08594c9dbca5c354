"""`drop`: does the network need what is hot? The hottest points go, round by round (Zheng et al. 2019)."""

import numpy as np

from utils.command_line import positive_int
from utils.compare import curves
from utils.compare.protocol import Protocol, Setting
from utils.compare.run import points_of
from utils.explain import point_drop
from utils.files import InputError

CURVE_STEP = 25  # points between two classifications


def steps(_, num_drop, num_steps, **__):
    """How many points are gone where it classifies: at the start, after every 25, and at the end."""
    dropped = [number * num_drop for number in range(num_steps + 1)]
    return [
        now
        for before, now in zip([-CURVE_STEP] + dropped, dropped)
        if now // CURVE_STEP > before // CURVE_STEP or now == dropped[-1]
    ]


def run(comparison, num_drop, num_steps, drop_neg, one_shot):
    """Drops the hottest points (or the coldest) of each cloud in rounds, and classifies what is left.

    Args:
      comparison: a run.Comparison.
      num_drop: points that a round drops.
      num_steps: rounds.
      drop_neg: whether those of lowest heat go instead.
      one_shot: whether the heat is that of the whole cloud; else it is taken anew in each round.
    """
    recorded = steps(comparison, num_drop, num_steps)
    for method, clouds in comparison.batches(recorded):
        points, heat = points_of(clouds), None
        for number in range(num_steps + 1):
            if number * num_drop in recorded:
                curves.add_classified(comparison, method, clouds, number * num_drop, points)
            if number == num_steps:
                break
            if heat is None or not one_shot:
                heat = comparison.heat_of(method, clouds, points, draw=number)
            kept = ~np.stack([point_drop.points_to_drop(row, "top", num_drop, drop_neg) for row in heat])
            points, heat = (array[kept].reshape((len(clouds), -1) + array.shape[2:]) for array in (points, heat))


def report(results, num_drop, drop_neg, one_shot, **_):
    word = "coldest" if drop_neg else "hottest"
    return curves.report(
        results,
        "greatest" if drop_neg else "least",
        "{} points dropped".format(word),
        "Accuracy in % after dropping the {} points, heat taken {}.".format(
            word, "once" if one_shot else "anew after every {}".format(num_drop)
        ),
    )


def measures(results, drop_neg, **_):
    return curves.measures(results, "greatest" if drop_neg else "least")


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
    settings=(
        Setting("num_drop", 5, "points that a round drops", positive_int, metavar="N"),
        Setting("num_steps", 40, "rounds of dropping", positive_int, metavar="ROUNDS"),
        Setting("drop_neg", False, "drop the points of lowest heat instead", folder_ending="_lowest"),
        Setting("one_shot", False, "take the heat once, not anew in each round", folder_ending="_one_shot"),
    ),
)
