"""Folders of one protocol, of several networks or draws -> one summary that puts them side by side, without a network.

An order of methods that holds for one network is an anecdote: how much it differs between networks counts as much as
how much it differs between clouds.
"""

import os
import re

import numpy as np

from utils import files, metrics
from utils.compare import network_figures, report, settings, tables
from utils.disk import names
from utils.files import InputError
from utils.pictures import plots


def write(folders, target, methods=None, figure_format=plots.FORMATS[0], figure_width=None):
    """Writes the summary and the figures of several comparisons, and prints the summary and the paths.

    Args:
      folders: list of at least two folders of compare.py.
      target: the folder that the files go to.
      methods: names of those that it is about; None: of all that the folders have in common.
      figure_format: one of plots.FORMATS.
      figure_width: in inches; None for the usual one.

    Raises:
      InputError: a folder cannot be reported on, or they are not of one protocol and the same settings.
    """
    found = _read(folders, methods)
    first = found[0].settings
    name = first.protocol.folder_name(first.own) + "_networks"
    labels = short_names(folders)
    blocks = _heading(found, folders, labels)
    groups = _measures(found, folders)
    for group in groups:
        blocks += blocks_of(group, found[0].methods, labels)
    text = "\n\n".join(blocks) + "\n"
    files.make_folder(target, "dump_dir")
    files.replace_file(os.path.join(target, name + ".md"), lambda file: file.write(text))
    print(text)
    methods, order = found[0].methods, _order(groups[0])
    bars, clouds = ("{}{}.{}".format(name, ending, figure_format) for ending in ("", "_clouds"))
    for figure in (bars, clouds):
        report.remove_other_formats(target, figure)
    network_figures.save_bars(os.path.join(target, bars), groups[0], methods, order, labels, figure_width)
    written = [name + ".md", bars]
    best_first = [methods[place] for place in order]
    path = os.path.join(target, clouds)
    if network_figures.save_clouds(path, found, folders, labels, best_first, figure_width):
        written.append(clouds)
    elif os.path.exists(path):
        # Of other networks than the summary.
        os.remove(path)
    print("Written to {}: {}".format(target, ", ".join(written)))


def _read(folders, methods):
    """The report.Results of folders, each with the methods and clouds that all of them have.

    Raises:
      InputError: as `write`.
    """
    found = [report.read(folder) for folder in folders]
    for one, folder in zip(found[1:], folders[1:]):
        _check_alike(found[0].settings, one.settings, folders[0], folder)
    if found[0].settings.protocol.measures is None:
        raise InputError(
            "`report` of several folders: --protocol {} has no number of each cloud that ranks methods; report on one "
            "folder at a time".format(found[0].settings.protocol.name)
        )
    known = {}
    for one, folder in zip(found, folders):
        key = (one.settings.weights, one.settings.seed, one.settings.rotation)
        if key in known:
            raise InputError(
                "`report` {}: it is of the same network and seed as {}: give each once".format(folder, known[key])
            )
        known[key] = folder
    _check_draws(found, folders)
    common = [method for method in found[0].methods if all(method in one.methods for one in found)]
    lacking = [method for method in methods or () if method not in common]
    if lacking:
        raise InputError("`methods` {}: not all of the folders have rows of it; leave it out".format(lacking[0]))
    methods = tuple(methods or common)
    there = [set(one.clouds) for one in found]
    clouds = [cloud for cloud in found[0].clouds if all(cloud in those for those in there)]
    if not methods or not clouds:
        raise InputError(
            "`report` {}: they have no {} in common".format(" ".join(folders), "clouds" if methods else "methods")
        )
    for one, folder in zip(found[1:], folders[1:]):
        _check_options(found[0].settings, one.settings, methods, folders[0], folder)
    return [one._replace(methods=methods, clouds=clouds) for one in found]


def _check_draws(found, folders):
    """Raises an InputError for the first two report.Results whose networks were partly drawn from the same seeds."""
    pairs = [(first, other) for other in range(len(found)) for first in range(other)]
    for first, other in pairs:
        ours, theirs = found[first].settings, found[other].settings
        draws = max(one.own.get("draws", 1) for one in (ours, theirs))
        if (ours.weights, ours.rotation) == (theirs.weights, theirs.rotation) and abs(ours.seed - theirs.seed) < draws:
            raise InputError(
                "`report` {}: with {} draws from seed {} on it shares fresh weights with {}, seed {}: give seeds that "
                "are {} apart or more".format(
                    folders[other], theirs.own["draws"], theirs.seed, folders[first], ours.seed, draws
                )
            )


def _measures(found, folders):
    """The measures that all report.Results have: list of lists of a protocol.Measure for each of them.

    Raises:
      InputError: there are none.
    """
    of_each = [
        {measure.name: measure for measure in one.settings.protocol.measures(one, **one.settings.own)} for one in found
    ]
    groups = [[of_one[name] for of_one in of_each] for name in of_each[0] if all(name in of_one for of_one in of_each)]
    if not groups:
        raise InputError("`report` {}: they have no steps in common".format(" ".join(folders)))
    return groups


def _check_alike(first, other, first_folder, folder):
    """Raises an InputError for two settings.Settings of comparisons that nobody can put side by side."""
    pairs = [("protocol", first.protocol.name, other.protocol.name)]
    if first.protocol is other.protocol:
        pairs.append(("num_points", first.num_points, other.num_points))
        pairs += [
            (setting.name, first.own[setting.name], other.own[setting.name])
            for setting in first.protocol.settings
            if not setting.is_selection
        ]
        if first.data is not None and other.data is not None:
            pairs.append(("data", first.data[:16], other.data[:16]))
    _check_pairs(pairs, first_folder, folder)


def _check_options(first, other, methods, first_folder, folder):
    """The same of what the methods (names) take."""
    pairs = [(name, first.options.get(name), other.options.get(name)) for name in settings.options_of(methods)]
    _check_pairs(pairs, first_folder, folder)


def _check_pairs(pairs, first_folder, folder):
    for name, ours, theirs in pairs:
        if ours != theirs:
            raise InputError(
                "`report` {}: its {} is {}, that of {} is {}; give folders of one protocol, the same data and the same "
                "settings".format(folder, name, theirs, first_folder, ours)
            )


def short_names(paths):
    """What tells paths apart: the parts between those that all begin and all end with; else their numbers.

    Args:
      paths: list of at least two.

    Returns:
      List of as many texts.
    """
    parts = [re.split(r"[\\/]+", os.path.abspath(path).rstrip("\\/")) for path in paths]
    while all(parts) and len({one[0] for one in parts}) == 1:
        parts = [one[1:] for one in parts]
    while all(parts) and len({one[-1] for one in parts}) == 1:
        parts = [one[:-1] for one in parts]
    found = ["/".join(one) for one in parts]
    is_plain = all(found) and len(set(found)) == len(found)
    return found if is_plain else ["folder {}".format(number + 1) for number in range(len(paths))]


def _heading(found, folders, labels):
    """The first paragraphs: what the folders are of."""
    first = found[0].settings
    rows = [
        [label, folder, one.settings.model_name, one.settings.rotation, str(one.settings.seed)]
        + [one.settings.weights[:16] + "..."]
        for label, folder, one in zip(labels, folders, found)
    ]
    num_networks = len({one.settings.weights for one in found})
    text = "{} comparisons of {} networks, on the {} clouds of {} classes that all have, {} points each.".format(
        len(found),
        num_networks,
        len(found[0].clouds),
        len({cloud.class_name for cloud in found[0].clouds}),
        first.num_points,
    )
    if num_networks < len(found):
        text += " Some are of one network under other seeds or rotations, which count as networks below."
    header = ["network", "folder", "model", "rotation", "seed", "weights sha256"]
    title = "## compare.py {}".format(first.protocol.title(first.own))
    return [title, text] + report.warnings(found[0].clouds) + [tables.markdown(header, rows)]


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
    means, _ = metrics.mean_and_error(values, axis=2)
    order = list(range(len(methods)))
    if measure.bests:
        order = tables.order(means.T, measure.bests == "greatest")
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


def _order(group):
    """The places of the methods by the measure of a group, the best first; as they are where none is."""
    means, _ = metrics.mean_and_error(np.stack([one.values for one in group]), axis=2)
    return tables.order(means.T, group[0].bests == "greatest") if group[0].bests else list(range(means.shape[1]))
