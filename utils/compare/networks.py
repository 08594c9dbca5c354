"""Folders of one protocol, of several networks or draws -> one summary that puts them side by side, without a network.

An order of methods that holds for one network is an anecdote: how much it differs between networks counts as much as
how much it differs between clouds.
"""

import os
import re

from utils import files
from utils.compare import network_figures, network_tables, report, settings, tables
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
        blocks += network_tables.blocks_of(group, found[0].methods, labels)
    text = "\n\n".join(blocks) + "\n"
    files.make_folder(target, "dump_dir")
    files.replace_file(os.path.join(target, name + ".md"), lambda file: file.write(text))
    print(text)
    methods, order = found[0].methods, network_tables.order_of(groups[0])
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
        files.remove(path)
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
