"""Tables of one measure on several networks: where the order of methods holds, and how far they are from the best."""

import numpy as np

from utils import metrics
from utils.compare import tables
from utils.disk import names


def order_of(group):
    """The places of the methods, the best first; as they are where none is. A group is as for `blocks_of`."""
    return _means_and_order(group[0], np.stack([one.values for one in group]))[1]


def _means_and_order(measure, values):
    """Means [networks, methods] over the clouds of values [networks, methods, clouds], and the places as `order_of`."""
    means, _ = metrics.mean_and_error(values, axis=2)
    if not measure.bests:
        return means, list(range(means.shape[1]))
    return means, tables.order(means.T, measure.bests == "greatest")


def blocks_of(group, methods, labels):
    """Tables of one measure on several networks.

    Args:
      group: list of a protocol.Measure for each network; the values are of the same clouds.
      methods: names.
      labels: of the networks.

    Returns:
      List of Markdown texts.
    """
    measure, values = group[0], np.stack([one.values for one in group])  # [networks, methods, clouds]
    means, order = _means_and_order(measure, values)
    ranks = [tables.ranks(of_network, measure.bests == "greatest") for of_network in means]
    rows = []
    for number in order:
        cells = ["-" if np.isnan(value) else "{:.{}f}".format(value, measure.digits) for value in means[:, number]]
        if measure.bests:
            cells = ["{} ({})".format(cell, one[number]) for cell, one in zip(cells, ranks)]
        rows.append([methods[number]] + cells + [tables.mean(means[:, number], measure.digits)])
    words = [part for part in (measure.unit, measure.bests and measure.bests + " is best") if part]
    blocks = [
        "### {}{}".format(
            measure.name[0].upper() + measure.name[1:], " ({})".format("; ".join(words)) if words else ""
        ),
        "Mean over the clouds{}; last the mean over the networks, ± its standard error over them.".format(
            ", with the rank on that network" if measure.bests else ""
        ),
        tables.markdown(["method"] + labels + ["mean"], rows),
    ]
    return blocks + (_lead(measure, values, methods, order, ranks, labels) if measure.bests else [])


def _lead(measure, values, methods, order, ranks, labels):
    """Where the order holds, and how far the others are from the best, over networks and over clouds."""
    best, others = order[0], order[1:]
    if not others:
        return []
    levels = [0.95] + [metrics.bonferroni(len(others))] * (len(others) > 1)
    digits, sign = measure.digits + 1, 1 if measure.bests == "least" else -1
    over_networks, over_clouds, rows, by_network = {}, {}, [], []
    for other in others:
        name, differences = methods[other], values[:, other] - values[:, best]  # [networks, clouds]
        over_networks[name], _ = metrics.mean_and_error(differences, axis=1)
        over_clouds[name] = by_cloud(differences)
        rows.append(
            [name, tables.signed(over_networks[name], digits)]
            + [tables.interval_text(over_networks[name], level, "network", digits) for level in levels]
            + [tables.interval_text(over_clouds[name], level, "cloud", digits) for level in levels]
            + ["{} of {}".format(int((sign * over_networks[name] > 0).sum()), len(labels))]
        )
        by_network.append([name] + [tables.interval_text(one, levels[-1], digits=digits) for one in differences])
    first = names.markdown(methods[best])
    alike = {
        what: tables.not_told_apart(found, levels[-1], sign)
        for found, what in ((over_networks, "networks"), (over_clouds, "clouds"))
    }
    is_sure = not any(alike.values())
    text = "{} by the mean over the networks: {}. The others' difference from it{}, cloud by cloud on each network."
    text = text.format(
        "Best" if is_sure else "First, but not surely best,",
        "**{}**".format(first) if is_sure else first,
        ", in " + measure.unit if measure.unit else "",
    )
    text += " Over networks: of its mean on each of them. Over clouds: of each cloud's mean over the networks, all of "
    text += "which count alike, also those on which fewer clouds have a value."
    if len(levels) > 1:
        text += " All together: the interval that holds for all {} at once (Bonferroni).".format(len(others))
    for what, found in alike.items():
        text += " Over {} it is {}.".format(what, tables.how_far_apart(found, len(others)))
    together = ["all together"] * (len(levels) - 1)
    header = ["method", "difference", "95 % over networks"] + together + ["95 % over clouds"] + together
    together = ", all {} methods together".format(len(others)) if together else ""
    return [
        _where_it_holds(methods, order, ranks, labels),
        text,
        tables.markdown(header + ["behind the best on"], rows),
        "The difference from {} on each network alone, 95 % over its clouds{}:".format(first, together),
        tables.markdown(["method"] + labels, by_network),
    ]


def by_cloud(values):
    """What each cloud says of the mean over networks of their means, each over its own clouds.

    Args:
      values: float array [networks, clouds]; NaN: the cloud has no value on that network.

    Returns:
      Float array [clouds], NaN where a cloud has no value at all. Their mean is that mean over networks, and their
      standard error over the clouds is its own, to first order: a cloud adds on each network how far it is from the
      mean there, weighed by how few others are. Without NaN it is each cloud's mean over the networks.
    """
    is_there = ~np.isnan(values)
    values, is_there = values[is_there.any(axis=1)], is_there[is_there.any(axis=1)]
    is_in = is_there.any(axis=0)
    means, _ = metrics.mean_and_error(values, axis=1)
    weights = is_in.sum() / is_there.sum(axis=1)
    apart = np.where(is_there, values - means[:, np.newaxis], 0) * weights[:, np.newaxis]
    mean = means.mean() if len(means) else np.nan
    return np.where(is_in, mean + apart.sum(axis=0) / max(1, len(means)), np.nan)


def _where_it_holds(methods, order, ranks, labels):
    """Says on which networks the order of the means is that of all, and which neighbours change places elsewhere."""
    same, texts = [], []
    for label, one in zip(labels, ranks):
        swapped = [
            "{} before {}".format(names.markdown(methods[after]), names.markdown(methods[before]))
            for before, after in zip(order, order[1:])
            if one[after] < one[before]
        ]
        if swapped:
            texts.append("on {} {}".format(names.markdown(label), ", ".join(swapped)))
        else:
            same.append(names.markdown(label))
    if not texts:
        return "The order is the same on every network."
    start = (
        "The order is the same on {}".format(", ".join(same)) if same else "On no network is the whole order the same"
    )
    return "{}. Neighbours that stand the other way round: {}.".format(start, "; ".join(texts))
