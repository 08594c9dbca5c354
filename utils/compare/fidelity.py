"""`fidelity`: does heat say how much the network loses? By many points at once, and by every point alone.

By many points: infidelity (Yeh et al., arXiv 1901.09392), with points that are really taken away. By one point: the
rank correlation with exact leave-one-out.
"""

import functools
from typing import NamedTuple

import numpy as np

from utils import metrics
from utils.command_line import positive_int
from utils.compare import figures, tables
from utils.compare.protocol import Figure, Measure, Protocol, Report, Setting
from utils.compare.run import labels_of, points_of, rng_of
from utils.files import InputError

WHOLE = "whole"  # the one step
KINDS = ("patches", "sets", "together")
INFIDELITY = tuple("infidelity_" + kind for kind in KINDS)
RELATIVE = tuple("relative_" + kind for kind in KINDS)
COLUMNS = INFIDELITY + RELATIVE + ("rank_correlation",)
# Few sizes, so that many clouds of one size go through the network together.
SHARES = (0.05, 0.1, 0.15, 0.2, 0.25)
LEAST_PERTURBATIONS = 4
PERTURBATIONS = 1005  # stream of random numbers
ORACLE = "leave-one-out"


class Reference(NamedTuple):
    """What the heat of a cloud is measured by.

    Attributes:
      removed: bool array [P, N], the points that each perturbation takes away: patches first, then as many sets.
      drops: float array [P], how much the probability of the class falls by each.
      oracle: float array [N], the heat of ORACLE.
    """

    removed: np.ndarray
    drops: np.ndarray
    oracle: np.ndarray


def run(comparison, perturbations):
    """Adds the infidelity of each method's heat, and its rank correlation with exact leave-one-out.

    Args:
      comparison: a run.Comparison.
      perturbations: P, of each cloud; half of them are patches.
    """
    # All methods of a few clouds at a time: what they are measured by is found once.
    for clouds in comparison.unfinished([WHOLE]):
        known = dict(zip(map(_key, clouds), references(comparison, clouds, perturbations)))
        for method, members in comparison.batches([WHOLE], clouds=clouds):
            for cloud, heat in zip(members, comparison.heat_of(method, members)):
                comparison.rows.add(method, cloud, WHOLE, *_measure(heat, known[_key(cloud)]))


def _key(cloud):
    return cloud.label, cloud.index


def _measure(heat, reference):
    """The values of a row, for heat [N] and a Reference."""
    num_patches = len(reference.drops) // 2
    sums = reference.removed.astype(np.float64).dot(heat.astype(np.float64))
    parts = (slice(None, num_patches), slice(num_patches, None), slice(None))
    found = [infidelity(sums[part], reference.drops[part]) for part in parts]
    return (
        [pair[0] for pair in found] + [pair[1] for pair in found] + [metrics.rank_correlation(heat, reference.oracle)]
    )


def infidelity(sums, drops):
    """Infidelity of heat that is scaled by its best factor (Yeh et al., arXiv 1901.09392).

    With S_j the sum of the heat over the points that perturbation j takes away, and D_j = p_c(X) - p_c(X without them),
    it is the mean over j of (beta S_j - D_j)^2, with beta = sum_j S_j D_j / sum_j S_j^2, by least squares. So neither
    the unit of the heat counts nor its sign, which the rank correlation tells. As perturbations are of several sizes,
    heat that is the same everywhere says something too: how many points go.

    Args:
      sums: float array [P], S.
      drops: float array [P], D.

    Returns:
      The infidelity, and its share of the mean square of the drops: 0 where heat says it all, 1 where nothing, NaN
      where the probability never moves. As beta is of the same perturbations, it is never above 1.
    """
    squares = (sums**2).sum()
    beta = (sums * drops).sum() / squares if squares > 0 else 0.0
    found, mean_square = ((beta * sums - drops) ** 2).mean(), (drops**2).mean()
    return float(found), float(found / mean_square) if mean_square > 0 else float("nan")


def references(comparison, clouds, perturbations):
    """A Reference for each of some clouds: list."""
    removed = [draw_perturbations(cloud, comparison.seed, perturbations) for cloud in clouds]
    drops = probability_drops(comparison.classifier, points_of(clouds), labels_of(clouds), np.stack(removed))
    return [Reference(*one) for one in zip(removed, drops, comparison.heat_of(ORACLE, clouds))]


def draw_perturbations(cloud, seed, count):
    """Which points each perturbation of a cloud takes away.

    Half are patches, the nearest neighbours of a random point, itself among them; the others are random sets. Each
    takes one of SHARES of the points.

    Args:
      cloud: a Cloud of N points.
      seed: of the comparison.
      count: P; of an odd number one more is a set.

    Returns:
      bool array [P, N].
    """
    rng, num_points = rng_of(cloud, seed, PERTURBATIONS), len(cloud.points)
    points = cloud.points.astype(np.float64)
    removed = np.zeros((count, num_points), bool)
    for number, share in enumerate(rng.choice(SHARES, count)):
        size = max(1, int(round(share * num_points)))
        if number < count // 2:
            distances = ((points - points[rng.randint(num_points)]) ** 2).sum(axis=1)
            removed[number, np.argsort(distances, kind="stable")[:size]] = True
        else:
            removed[number, rng.choice(num_points, size, replace=False)] = True
    return removed


def probability_drops(classifier, points, labels, removed):
    """How much the probability of the class falls as points are taken away.

    Args:
      classifier: of the network.
      points: float32 array [B, N, 3].
      labels: int array [B].
      removed: bool array [B, P, N].

    Returns:
      float array [B, P].
    """
    whole = metrics.probabilities(classifier.logits(points), labels)
    drops = np.empty(removed.shape[:2])
    sizes = removed.sum(axis=2)
    for size in np.unique(sizes):
        places, numbers = np.nonzero(sizes == size)
        left = np.stack([points[place][~removed[place, number]] for place, number in zip(places, numbers)])
        drops[places, numbers] = whole[places] - metrics.probabilities(classifier.logits(left), labels[places])
    return drops


def measures(results, **_):
    """Relative infidelity and rank correlation with exact leave-one-out."""
    return [
        Measure("relative infidelity", results.select(RELATIVE[-1])[:, :, 0], "least", digits=3),
        Measure(
            "rank correlation with exact leave-one-out", results.select(COLUMNS[-1])[:, :, 0], "greatest", digits=3
        ),
    ]


def report(results, perturbations):
    """Table and figures of infidelity and rank correlation, methods by their relative infidelity."""
    methods = results.methods
    values = {name: results.select(name)[:, :, 0] for name in COLUMNS}
    relative, correlation = values[RELATIVE[-1]], values[COLUMNS[-1]]
    order = tables.order(relative, False)
    header = ["method"] + ["relative, " + kind for kind in KINDS] + ["infidelity, " + kind for kind in KINDS]
    rows = [
        [methods[number]]
        + [tables.mean(values[name][number], 3) for name in RELATIVE]
        + [_small(values[name][number]) for name in INFIDELITY]
        + [tables.mean(correlation[number], 3)]
        for number in order
    ]
    blocks = [
        "Infidelity: mean square of the difference between the sum of the heat over points that are taken away, times "
        "its best factor, and the fall of the probability of the class; {} perturbations of each cloud, half of them "
        "patches, half random sets, of 5 to 25 % of the points. Relative: divided by the mean square of the falls, "
        "cloud by cloud, so that each counts alike; 1: heat says nothing. Heat above 0 everywhere tells how many "
        "points go, which counts: `random` shows how much. The best factor knows no sign; the rank correlation with "
        "exact leave-one-out does. ± is the standard error over the clouds.".format(perturbations),
        tables.markdown(header + ["rank correlation"], rows),
    ]
    blocks += _left_out(results, relative, correlation)
    blocks += tables.lead(methods, order, relative, "relative infidelity", "least", "shares of the mean square")
    blocks += tables.by_class(results, order, relative, "Relative infidelity in %, by class.")
    names = [methods[number] for number in order]
    bars = {kind: metrics.mean_and_error(values[name][order], axis=1) for kind, name in zip(KINDS, RELATIVE)}
    by_rank = [methods[number] for number in tables.order(correlation, True)]
    correlations = {"each point alone": metrics.mean_and_error(correlation[tables.order(correlation, True)], axis=1)}
    return Report(
        blocks,
        [
            Figure(
                "bars_{}.png".format(what), functools.partial(figures.save_bars, names=who, series=series, label=label)
            )
            for what, who, series, label in (
                ("infidelity", names, bars, "infidelity, relative to the mean square of the falls (least is best)"),
                ("rank_correlation", by_rank, correlations, "rank correlation with exact leave-one-out"),
            )
        ],
    )


def _small(values):
    """Mean and standard error of numbers of any size as text."""
    mean, error = metrics.mean_and_error(values)
    return "{:.2g}".format(mean) + ("" if np.isnan(error) else " ± {:.1g}".format(error))


def _left_out(results, relative, correlation):
    """A sentence on clouds without a value, if there are any: list of Markdown texts."""
    still, flat = int(np.isnan(relative).all(axis=0).sum()), np.isnan(correlation).sum(axis=1)
    texts = []
    if still:
        texts.append("{} of which no perturbation moves the probability".format(still))
    if flat.any():
        of = ["{} of {}".format(count, method) for method, count in zip(results.methods, flat) if count]
        texts.append("in the rank correlation, as all points have the same heat, {}".format(", ".join(of)))
    return ["Clouds left out: {}.".format("; ".join(texts))] if texts else []


def check(num_points, perturbations):
    if perturbations < LEAST_PERTURBATIONS:
        raise InputError("`perturbations` {}: give at least {}".format(perturbations, LEAST_PERTURBATIONS))


PROTOCOL = Protocol(
    "fidelity",
    help="heat against what the network loses, by many points and by each",
    columns=COLUMNS,
    steps=lambda *_, **__: [WHOLE],
    run=run,
    report=report,
    measures=measures,
    check=check,
    shares_work=True,
    settings=(
        Setting(
            "perturbations",
            64,
            "ways of taking points of a cloud away, half of them patches and half random sets",
            positive_int,
            metavar="N",
        ),
    ),
)
