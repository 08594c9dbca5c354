"""`insert`: is what is hot enough? Begins with the few hottest points and adds the rest in order of heat."""

import numpy as np

from utils.compare import curves
from utils.compare.protocol import Protocol
from utils.compare.run import points_of

KEPT_SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1)  # of the points


def steps(comparison):
    """How many points are there where it classifies, ascending."""
    return sorted({max(1, int(round(share * comparison.num_points))) for share in KEPT_SHARES})


def run(comparison):
    """Classifies the hottest points of each cloud alone; the heat is that of the whole cloud.

    Args:
      comparison: a run.Comparison.
    """
    counts = steps(comparison)
    for method, clouds in comparison.batches(counts):
        points = points_of(clouds)
        order = np.argsort(-comparison.heat_of(method, clouds), axis=1, kind="stable")
        for count in counts:
            curves.add_classified(comparison, method, clouds, count, curves.parts_of(points, order[:, :count]))


def report(results):
    return curves.report(
        results,
        "greatest",
        "hottest points kept",
        "Accuracy in % of the hottest points alone, by how many they are.",
        is_log=True,
    )


PROTOCOL = Protocol(
    "insert",
    help="accuracy of the hottest points alone",
    columns=curves.COLUMNS,
    steps=steps,
    run=run,
    report=report,
    measures=lambda results: curves.measures(results, "greatest"),
)
