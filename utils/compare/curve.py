"""`curve`: how fast is the object lost, and how late? Hottest points first, and coldest first, to the end.

Deletion takes the hottest points away first. Insertion, the hottest points alone, few at first (Petsiuk et al.,
arXiv 1806.07421), is the same taking away read from its other end: what is left once the k coldest are gone are the
N - k hottest. No points at all cannot be classified, so both curves end at the last step that leaves some, 95 %.
"""

import functools

import numpy as np

from utils import metrics
from utils.compare import curves, figures, tables
from utils.compare.protocol import Figure, Measure, Protocol, Report, Setting
from utils.compare.run import points_of
from utils.explain import point_drop

STEPS = 20  # to all of the points, so 5 % each
# 500 of 1024 points at once, and in 20 rounds of 25, as InfoCons reports (arXiv 2505.19820); that share of others.
MANY_SHARE, ROUNDS = 500 / 1024, 20
KINDS = {"correct": "accuracy", "probability": "probability"}  # of a curve, by the column that it is of
HOTTEST, COLDEST, ONCE, ANEW = "hottest", "coldest", "once", "anew"


def removed_counts(num_points):
    """How many points are gone where the curves are classified: list of ints, ascending from 0."""
    return sorted({number * num_points // STEPS for number in range(STEPS)})


def many(num_points):
    """How many points go at once: 500 of 1024."""
    return int(round(MANY_SHARE * num_points))


def step(order, count):
    """Name of the step at which `count` points are gone, in an order: HOTTEST first, COLDEST first, ONCE or ANEW."""
    return "{} {}".format(order, count)


def steps(comparison, anew):
    """The whole cloud, both curves, and many points at once."""
    counts, count = removed_counts(comparison.num_points), many(comparison.num_points)
    found = [step(HOTTEST, one) for one in counts] + [step(COLDEST, one) for one in counts[1:]]
    return found + [step(ONCE, count)] + [step(ANEW, count)] * anew


def run(comparison, anew):
    """Classifies what is left of each cloud along both curves; the heat is that of the whole cloud.

    Args:
      comparison: a run.Comparison.
      anew: whether it also drops many points in rounds, with the heat of what is left in each.
    """
    num_points = comparison.num_points
    for method, clouds in comparison.batches(steps(comparison, anew)):
        heat = comparison.heat_of(method, clouds)
        points, order = points_of(clouds), np.argsort(-heat, axis=1, kind="stable")
        for count in removed_counts(num_points):
            left = curves.parts_of(points, order[:, count:])
            curves.add_classified(comparison, method, clouds, step(HOTTEST, count), left)
            if count:
                left = curves.parts_of(points, order[:, :-count])
                curves.add_classified(comparison, method, clouds, step(COLDEST, count), left)
        count = many(num_points)
        left = curves.parts_of(points, order[:, count:])
        curves.add_classified(comparison, method, clouds, step(ONCE, count), left)
        if anew:
            left = _drop_anew(comparison, method, clouds, heat)
            curves.add_classified(comparison, method, clouds, step(ANEW, count), left)


def _drop_anew(comparison, method, clouds, heat):
    """What is left of clouds, float32 [B, M, 3], after ROUNDS of dropping; `heat` [B, N] is that of the first."""
    points, count = points_of(clouds), many(comparison.num_points)
    for number in range(ROUNDS):
        num_drop = count * (number + 1) // ROUNDS - count * number // ROUNDS
        if not num_drop:
            continue
        if points.shape[1] < comparison.num_points:
            heat = comparison.heat_of(method, clouds, points, draw=number, places=num_drop)
        kept = ~np.stack([point_drop.points_to_drop(row, "top", num_drop) for row in heat])
        points = points[kept].reshape((len(clouds), -1, 3))
    return points


def aopc(probability):
    """Area over the perturbation curve: mean over the steps of p(0) - p(k) (Samek et al., arXiv 1509.06321).

    Args:
      probability: float array [..., S], of the class, the whole cloud first; as in the paper it is one of the S steps.

    Returns:
      float array [...].
    """
    return (probability[..., :1] - probability).mean(axis=-1)


def _curves(results):
    """Places in % of the points gone, [S], and of each curve and column the heights there, [methods, clouds, S]."""
    counts = removed_counts(results.settings.num_points)
    names = {
        "deletion": [step(HOTTEST, one) for one in counts],
        "insertion": [step(HOTTEST, 0)] + [step(COLDEST, one) for one in counts[1:]],
    }
    heights = {(curve, column): results.select(column, names[curve]) for curve in names for column in curves.COLUMNS}
    return [100 * one / results.settings.num_points for one in counts], heights


def measures(results, **_):
    """Insertion minus deletion by probability, which ranks methods."""
    places, heights = _curves(results)
    deletion, insertion = (
        100 * metrics.area_under_curve(places, heights[curve, "probability"]) for curve in ("deletion", "insertion")
    )
    unit = "percentage points"
    return [
        Measure("insertion minus deletion by probability", insertion - deletion, "greatest", unit),
        Measure("deletion by probability", deletion, "least", unit),
        Measure("insertion by probability", insertion, "greatest", unit),
    ]


def report(results, anew):
    """Areas under both curves, their difference, AOPC, the accuracy without many points; who ranks best; figures."""
    methods, num_points = results.methods, results.settings.num_points
    count = many(num_points)
    places, heights = _curves(results)
    areas = {key: metrics.area_under_curve(places, values) for key, values in heights.items()}
    columns = {"{}, {}".format(curve, KINDS[column]): area for (curve, column), area in areas.items()}
    for column in curves.COLUMNS:
        columns["difference, " + KINDS[column]] = areas["insertion", column] - areas["deletion", column]
    difference = columns["difference, probability"]
    columns["AOPC"] = aopc(heights["deletion", "probability"])
    columns["accuracy, {} gone at once".format(count)] = results.select("correct", [step(ONCE, count)])[:, :, 0]
    if anew:
        columns["accuracy, in {} rounds".format(ROUNDS)] = results.select("correct", [step(ANEW, count)])[:, :, 0]
    order = tables.order(difference, True)
    rows = [[methods[number]] + [tables.percent(values[number]) for values in columns.values()] for number in order]
    blocks = [_caption(places[-1], count, num_points, anew), tables.markdown(["method"] + list(columns), rows)]
    blocks += tables.lead(
        methods, order, difference * 100, "insertion minus deletion by probability", "greatest", "percentage points"
    )
    blocks += tables.by_class(results, order, difference, "Insertion minus deletion by probability in %, by class.")
    pictures = []
    for curve, word in (("deletion", "hottest"), ("insertion", "coldest")):
        panels = {
            KINDS[column]: {methods[number]: metrics.mean_and_error(heights[curve, column][number]) for number in order}
            for column in curves.COLUMNS
        }
        xlabel = "% of the points gone, {} first".format(word)
        save = functools.partial(
            figures.save_curves, places=places, panels=panels, xlabel=xlabel, num_clouds=len(results.clouds)
        )
        pictures.append(Figure("{}.png".format(curve), save))
    bars = {
        curve: metrics.mean_and_error(areas[curve, "probability"][order], axis=1) for curve in ("deletion", "insertion")
    }
    save = functools.partial(
        figures.save_bars,
        names=[methods[number] for number in order],
        series=bars,
        label="area by probability (deletion: least is best; insertion: greatest)",
    )
    return Report(blocks, pictures + [Figure("bars.png", save)])


def _caption(last, count, num_points, anew):
    return (
        "Deletion: the hottest points go first, and the least area is best. Insertion: the coldest go first, so that "
        "the hottest are left alone, and the greatest is best. Difference: insertion minus deletion. Heat is taken "
        "once. Area: mean height of the curve from 0 to {:.3g} % of the points gone, of the accuracy or of the "
        "probability of the class, in %; no points at all cannot be classified. AOPC: mean over the steps of deletion "
        "of the probability that is lost, in percentage points; the greatest is best. Accuracy in % once {} of the {} "
        "points are gone, hottest first{}: the least is best. ± is the standard error over the clouds."
    ).format(last, count, num_points, ", at once or in {} rounds with heat anew".format(ROUNDS) if anew else "")


PROTOCOL = Protocol(
    "curve",
    help="accuracy along the whole order, hottest first and coldest first",
    columns=curves.COLUMNS,
    steps=steps,
    run=run,
    report=report,
    measures=measures,
    more_heat=lambda anew: "heat anew in each round (so leave out `anew`)" if anew else "",
    settings=(
        Setting(
            "anew",
            False,
            "drop 500 of 1024 points also in 20 rounds of 25, with heat taken anew in each: 20 heats a cloud",
            folder_ending="_anew",
        ),
    ),
)
