"""`stability`: does heat stay where the object does? Turned, jittered, or only every other point of it."""

import functools

import numpy as np

from utils import metrics
from utils.clouds import transforms
from utils.compare import figures, tables
from utils.compare.protocol import Figure, Measure, Protocol, Report
from utils.compare.run import points_of, rng_of

DISTURBANCES = ("rotation", "jitter", "half")
TURNS, JITTERS, HALVES = 1002, 1003, 1004  # streams of random numbers, so that one does not repeat another


def run(comparison):
    """Adds the rank correlation with the heat before, and the share of the 100 hottest points that stay so.

    Of "half", a random half of the points is explained as a cloud, and compared over its own points.

    Args:
      comparison: a run.Comparison.
    """
    count, seed = comparison.num_points, comparison.seed
    # A network that was trained without rotations is put to the test too: turned by none, heat would seem to be stable.
    rotation = "y" if comparison.trained_rotation == "none" else comparison.trained_rotation
    for method, clouds in comparison.batches(DISTURBANCES):
        points = points_of(clouds)
        before = comparison.heat_of(method, clouds)
        turns = [transforms.draw_rotations(rotation, 1, rng_of(cloud, seed, TURNS)) for cloud in clouds]
        turned = np.matmul(points, np.concatenate(turns))
        jittered = np.stack([transforms.jitter(cloud.points, rng_of(cloud, seed, JITTERS)) for cloud in clouds])
        # In their order, which some networks see: PointNet++ takes its centres from the first point on.
        halves = np.stack([np.sort(rng_of(cloud, seed, HALVES).permutation(count)[: count // 2]) for cloud in clouds])
        whole = np.broadcast_to(np.arange(count), points.shape[:2])
        for draw, (name, changed, members) in enumerate(
            (
                ("rotation", turned, whole),
                ("jitter", jittered, whole),
                ("half", np.take_along_axis(points, halves[:, :, np.newaxis], axis=1), halves),
            ),
            1,
        ):
            after = comparison.heat_of(method, clouds, changed, draw=draw)
            for cloud, one, other in zip(clouds, np.take_along_axis(before, members, axis=1), after):
                correlation = metrics.rank_correlation(one, other)
                overlap = metrics.top_overlap(one, other, top_count(count))
                comparison.rows.add(method, cloud, name, correlation, overlap)


def top_count(num_points):
    """How many of the hottest points it follows: 100, or a quarter of a small cloud."""
    return min(100, num_points // 4)


def report(results):
    """A table and a figure of each column."""
    num_points = results.settings.num_points
    top = top_count(num_points)
    blocks, pictures = [], []
    for column, what in (
        ("rank_correlation", "Spearman's rank correlation with the heat before"),
        ("top_overlap", "share of the {} hottest points that stay so".format(top)),
    ):
        values = results.select(column)
        order = tables.order(values.mean(axis=2), True)
        blocks += [
            what[0].upper() + what[1:] + ". ± is the standard error over the clouds." + _left_out(results, values),
            tables.markdown(
                ["method"] + results.steps,
                [
                    [results.methods[number]]
                    + [tables.mean(values[number][:, place], 3) for place in range(len(results.steps))]
                    for number in order
                ],
            ),
        ]
        series = {}
        for place, step in enumerate(results.steps):
            series[step] = metrics.mean_and_error(values[order][:, :, place], axis=1)
        names = [results.methods[number] for number in order]
        save = functools.partial(figures.save_bars, names=names, series=series, label=what)
        pictures.append(Figure("bars_{}.png".format(column), save))
    blocks.append(
        "By chance {:.3f} of the hottest points would stay so, {:.3f} under `half`.".format(
            top / num_points, top / (num_points // 2)
        )
    )
    return Report(blocks, pictures)


def measures(results):
    """Rank correlation and share of the hottest points, each the mean over the disturbances."""
    return [
        Measure(
            column.replace("_", " "), metrics.mean_and_error(results.select(column), axis=2)[0], "greatest", digits=3
        )
        for column in PROTOCOL.columns
    ]


def _left_out(results, values):
    lacking = np.isnan(values).sum(axis=1).max(axis=1)
    left_out = ["{} up to {}".format(method, count) for method, count in zip(results.methods, lacking) if count]
    return " Clouds left out, where all points have the same heat: {}.".format(", ".join(left_out)) if left_out else ""


PROTOCOL = Protocol(
    "stability",
    help="heat under rotation, jitter and re-sampling",
    columns=("rank_correlation", "top_overlap"),
    steps=lambda *_: list(DISTURBANCES),
    run=run,
    report=report,
    more_heat=lambda: "the heat of turned, jittered and halved clouds",
    measures=measures,
)
