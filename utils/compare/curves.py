"""What `drop` and `insert` share: rows of classified points, and the report on curves of accuracy."""

import functools

import numpy as np

from utils import metrics
from utils.compare import figures, tables
from utils.compare.protocol import Figure, Measure, Report
from utils.compare.run import labels_of

COLUMNS = ("correct", "probability")


def add_classified(comparison, method, clouds, step, points):
    """Classifies points [B, M, 3] of B clouds, and adds a row for each under a method and step."""
    logits = comparison.classifier.logits(points)
    labels = labels_of(clouds)
    for cloud, is_right, probability in zip(
        clouds, logits.argmax(axis=1) == labels, metrics.probabilities(logits, labels)
    ):
        comparison.rows.add(method, cloud, step, float(is_right), probability)


def parts_of(points, places):
    """Parts of clouds whose points stand in the order in which they stood: networks that group points see it.

    Args:
      points: float32 array [B, N, 3].
      places: int array [B, M], the points that are there, in any order.

    Returns:
      float32 array [B, M, 3].
    """
    return np.take_along_axis(points, np.sort(places, axis=1)[:, :, np.newaxis], axis=1)


def _areas(results, column):
    """Mean heights of curves whose steps are numbers: float array [methods, clouds]."""
    return metrics.area_under_curve([int(step) for step in results.steps], results.select(column))


def measures(results, bests, at_the_end=None):
    """The Measures of a report.Results whose steps are numbers of points, the first that of its order.

    Args:
      results: a report.Results.
      bests: as of `report`.
      at_the_end: what an accuracy at the last step is called, with a place for its number; None where that of all
        methods is the same.
    """
    found = [Measure("area by probability", 100 * _areas(results, "probability"), bests, "percentage points")]
    if at_the_end is not None:
        accuracy = 100 * results.select("correct")[:, :, -1]
        found.append(Measure(at_the_end.format(results.steps[-1]), accuracy, bests, "percentage points"))
    return found


def report(results, bests, xlabel, caption, is_log=False):
    """Table of accuracies, areas under the curves, who ranks best and by how much, areas by class; two figures.

    Args:
      results: a report.Results whose steps are numbers of points.
      bests: "least" or "greatest", which area is best.
      xlabel: what the steps are.
      caption: of the table.
      is_log: whether the figure's horizontal axis is logarithmic.

    Returns:
      A Report.
    """
    methods, steps = results.methods, [int(step) for step in results.steps]
    correct, probability = (results.select(name) for name in COLUMNS)
    areas = {"accuracy": _areas(results, "correct"), "probability": _areas(results, "probability")}
    order = tables.order(areas["probability"], bests == "greatest")
    rows = []
    for number in order:
        means, _ = metrics.mean_and_error(correct[number])
        rows.append(
            [methods[number]]
            + ["{:.1f}".format(100 * mean) for mean in means[:-1]]
            + [tables.percent(correct[number][:, -1])]
            + [tables.percent(areas[kind][number]) for kind in areas]
        )
    header = ["method"] + [str(step) for step in steps] + ["area by accuracy", "area by probability"]
    blocks = [
        caption + " Area: mean height of the curve, of the accuracy or of the probability of the class, in %. "
        "± is the standard error over the clouds.",
        tables.markdown(header, rows),
    ]
    blocks += tables.lead(methods, order, areas["probability"] * 100, "area by probability", bests, "percentage points")
    blocks += tables.by_class(results, order, areas["probability"], "Area by probability in %, by class.")
    panels = {
        kind: {methods[number]: metrics.mean_and_error(values[number]) for number in order}
        for kind, values in (("accuracy", correct), ("probability", probability))
    }
    bars = {kind: metrics.mean_and_error(values[order], axis=1) for kind, values in areas.items()}
    return Report(
        blocks,
        [
            Figure(
                "curves.png",
                functools.partial(
                    figures.save_curves,
                    places=steps,
                    panels=panels,
                    xlabel=xlabel,
                    num_clouds=len(results.clouds),
                    is_log=is_log,
                ),
            ),
            Figure(
                "bars.png",
                functools.partial(
                    figures.save_bars,
                    names=[methods[number] for number in order],
                    series=bars,
                    label="area under the curve of {} ({} is best)".format(xlabel, bests),
                ),
            ),
        ],
    )
