"""The files of a comparison -> summary.md and figures: its rows, run.json and heats.npz, and no network."""

import functools
import os
from typing import List, NamedTuple, Tuple

import numpy as np

from utils import progress, wording
from utils.clouds.cloud import Cloud
from utils.compare import grid_figure, heats, settings, tables
from utils.compare.protocol import Figure
from utils.disk import names, shards
from utils.disk.rows import NamedCloud, RowFile
from utils.files import LONG_LIST, InputError, remove, replace_file
from utils.pictures import colours, plots, render
from utils.viewer import html_page


class Results(NamedTuple):
    """What a report is made of.

    Attributes:
      settings: a settings.Settings.
      rows: a rows.RowFile.
      methods: tuple of names of those that are compared.
      clouds: list of NamedCloud, class by class, that have all rows under each of the methods.
      steps: list of texts, in the order of the protocol: of those that have rows, what it shows under its settings.
      num_lacking: clouds that are left out, since they lack rows.
      steps_lacking: list of the steps that it would show and no cloud has rows of.
      shards_lacking: tuple of the shards.Shard that have no rows, though others of their count have.
    """

    settings: settings.Settings
    rows: RowFile
    methods: Tuple[str, ...]
    clouds: List[NamedCloud]
    steps: List[str]
    num_lacking: int
    steps_lacking: List[str] = []
    shards_lacking: Tuple[shards.Shard, ...] = ()

    def select(self, column, steps=None):
        """Values of a column: float array [methods, clouds, steps], by default of all steps; NaN without a row."""
        return self.rows.select(self.methods, self.clouds, self.steps if steps is None else steps, column)


def read(folder):
    """The Results in a folder of compare.py.

    Raises:
      InputError: a file is missing or damaged, or there are too few rows yet.
    """
    found = settings.of(settings.read(folder), settings.path_in(folder))
    rows = settings.open_rows(folder, found.protocol)
    methods = tuple(method for method in found.methods if method in rows.methods())
    # Shards and kills leave rows in any order.
    there = rows.steps()
    there = [step for step in found.steps if step in there] + [step for step in there if step not in found.steps]
    steps = found.protocol.shown(there, **found.own)
    steps_lacking = [step for step in found.protocol.shown(found.steps, **found.own) if step not in steps]
    clouds = _clouds_of(rows, found)
    whole = [cloud for cloud in clouds if rows.count(methods, [cloud], steps) == len(methods) * len(steps)]
    if not methods or not steps or not whole:
        raise InputError(
            "{} holds no cloud with all rows of {} yet: let the comparison go on".format(
                folder, ", ".join(methods or found.methods)
            )
        )
    num_clouds = len(clouds) if found.num_clouds is None else found.num_clouds
    # Where heat from elsewhere is of fewer clouds than there are rows of, before it has rows itself.
    num_lacking = max(0, num_clouds - len(whole))
    shards_lacking = tuple(settings.shards_lacking(folder))
    return Results(found, rows, methods, whole, steps, num_lacking, steps_lacking, shards_lacking)


def _clouds_of(rows, found):
    """The NamedClouds that a comparison is about, class by class. Its folder can hold rows of more."""
    there = [cloud for cloud in rows.clouds() if cloud.index < found.per_class]
    # Without a list of the classes, those that there are, in the order of their rows.
    classes = list(found.classes or dict.fromkeys(cloud.class_name for cloud in there))
    there = [cloud for cloud in there if cloud.class_name in classes]
    return sorted(there, key=lambda cloud: (classes.index(cloud.class_name), cloud.index))


def write(folder):
    """Writes summary.md and the figures of a comparison, and prints the summary and the paths.

    Raises:
      InputError: as `read`, or the kept heat cannot be read.
    """
    results = read(folder)
    found = results.settings
    report = found.protocol.report(results, **found.own)
    text = "\n\n".join(_heading(results) + report.blocks) + "\n"
    # Whatever happens to a figure, the numbers are there.
    replace_file(os.path.join(folder, "summary.md"), lambda file: file.write(text))
    print(text)
    pictures = report.figures + (_heat_pictures(folder, results) if found.protocol.shows_heat else [])
    pictures = [_as_asked(picture, results.settings) for picture in pictures]
    with progress.Progress("Drawing", len(pictures), "pictures") as line:
        for picture in pictures:
            picture.save(os.path.join(folder, picture.name))
            remove_other_formats(folder, picture.name)
            line.update()
    written = [os.path.basename(path) for path in results.rows.paths()] + ["summary.md", "run.json"]
    print("Written to {}: {}".format(folder, ", ".join(written + [picture.name for picture in pictures])))


def _as_asked(picture, found):
    """A Figure in the format and width that settings.Settings ask for; a page stays as it is."""
    name, ending = os.path.splitext(picture.name)
    if ending[1:] not in plots.FORMATS:
        return picture
    return Figure("{}.{}".format(name, found.figure_format), functools.partial(picture.save, width=found.figure_width))


def remove_other_formats(folder, name):
    """Removes what an earlier report drew of a figure in another format: it would show other numbers than this one."""
    start, ending = os.path.splitext(name)
    for other in plots.FORMATS:
        path = os.path.join(folder, "{}.{}".format(start, other))
        if ending[1:] in plots.FORMATS and other != ending[1:] and os.path.exists(path):
            remove(path)


def _heading(results):
    """The first paragraphs of summary.md."""
    found = results.settings
    blocks = [
        "## compare.py {}".format(found.protocol.title(found.own)),
        "{} of {}, {} points each, rotation `{}`; network `{}`, weights sha256 {}...".format(
            wording.counted(len(results.clouds), "cloud"),
            wording.counted(len({cloud.class_name for cloud in results.clouds}), "class", "classes"),
            found.num_points,
            names.markdown(found.rotation),
            names.markdown(found.model_name),
            names.markdown(found.weights[:16]),
        ),
    ]
    blocks += [
        "{}: heat from elsewhere, of {}, sha256 {}...".format(
            names.markdown(name), names.markdown(os.path.basename(one["file"])), names.markdown(one["sha256"][:16])
        )
        for name, one in found.given.items()
    ]
    blocks += _left_out(results) + warnings(results.clouds)
    missing = [method for method in found.methods if method not in results.methods]
    lacking = []
    if results.num_lacking:
        number = "1 cloud lacks" if results.num_lacking == 1 else "{} clouds lack".format(results.num_lacking)
        lacking.append("{} rows{}".format(number, " or heat from elsewhere" if found.given else ""))
    if missing:
        lacking.append("there are no rows of " + ", ".join(map(names.markdown, missing)))
    if results.steps_lacking:
        steps = [names.markdown(step) for step in results.steps_lacking[:LONG_LIST]]
        num_more = len(results.steps_lacking) - LONG_LIST
        more = ["{} more".format(num_more)] if num_more > 0 else []
        lacking.append("there are no rows yet of " + ", ".join(steps + more))
    if lacking:
        shards = ", ".join(map(str, results.shards_lacking))
        reason = ", for these shards have none: " + shards if shards else ""
        blocks.append("Not finished: {}{}.".format("; ".join(lacking), reason))
    return blocks


def _left_out(results):
    """Says what the folder has rows of that the last command did not name: list of Markdown texts."""
    found, rows = results.settings, results.rows
    methods = [names.markdown(name) for name in rows.methods() if name not in found.methods]
    num_clouds = len(rows.clouds()) - len(_clouds_of(rows, found))
    parts = methods + ([wording.counted(num_clouds, "more cloud")] if num_clouds else [])
    if not parts:
        return []
    return [
        "There are also rows of {}, which the last command did not name: to compare all, name all of them in one "
        "(`--methods`, `--classes`, `--per_class`); no row is computed twice.".format(", ".join(parts))
    ]


def warnings(clouds):
    """What a reader is to know before believing means over clouds: list of Markdown texts."""
    if len(clouds) >= tables.FEW_CLOUDS:
        return []
    return [
        "**Only {}**: the next ones may turn the order round. Compare {} or more (`--per_class`, `--classes`) "
        "before you believe it.".format(wording.counted(len(clouds), "cloud"), tables.FEW_CLOUDS)
    ]


def _heat_pictures(folder, results):
    """The Figures of clouds and their heat, as far as heat was kept."""
    kept = heats.KeptHeat(folder)
    firsts = [
        cloud
        for cloud in heats.first_of_each_class(results.clouds)
        if all(kept.has(method, cloud) for method in results.methods)
    ]
    if not firsts:
        print("{} holds no heat: the same command without --report adds it, and draws it".format(folder))
        return []
    methods, found = results.methods, results.settings
    clouds = [
        Cloud(kept.points(cloud), label, cloud.class_name, cloud.index, folder) for label, cloud in enumerate(firsts)
    ]
    heat = {method: [kept.heat(method, cloud) for cloud in firsts] for method in methods}
    return [
        Figure("clouds.png", functools.partial(save_clouds, clouds=clouds, heat=heat, found=found)),
        Figure(
            "gallery.html",
            functools.partial(
                html_page.save_gallery,
                title="Heat of {} methods on {} objects".format(len(methods), len(firsts)),
                clouds=clouds,
                methods=methods,
                heats=heat,
                colormap=found.colormap,
                scale=found.scale,
            ),
        ),
    ]


def save_clouds(path, clouds, heat, found, width=None, least=0):
    """Writes a grid of coloured clouds: a row for each of a few objects.

    Args:
      path: the file to write.
      clouds: list of Cloud.
      heat: dictionary from the name of a column, such as a method, to list of float arrays [N], one for each cloud.
      found: a settings.Settings.
      width: of the figure, in inches; None for the usual one.
      least: how many objects to show, if there are so many, where more than fit on a page.
    """
    shown = max(grid_figure.num_rows(len(heat), width), least)
    places = np.unique(np.linspace(0, len(clouds) - 1, shown).astype(int))
    look = found.colormap, found.scale, found.view
    rows = [
        [
            grid_figure.Cell(
                *render.small_picture(clouds[place].points, heat[method][place], *look),
                note="" if np.any(heat[method][place]) else "no heat",
            )
            for method in heat
        ]
        for place in places
    ]
    least = min(np.min(heat[method][place]) for method in heat for place in places)
    bar = grid_bar(least < 0, found.colormap, found.scale)
    grid_figure.save_grid(path, [clouds[place].class_name for place in places], list(heat), rows, bar, width)


def grid_bar(has_signs, colormap, scale):
    """The ColourBar of clouds each of which has colours of its own: its numbers are shares of each cloud's range.

    Args:
      has_signs: whether there are heats below 0.
      colormap, scale: as for `colours.heat_colours`.
    """
    is_from_zero = colormap == "thesis" or colours.is_diverging(colormap)
    words = "rank of the heat of each cloud" if scale == colours.RANK else "heat of each cloud"
    if not is_from_zero:
        words += ", from the least to the greatest"
    elif scale == colours.ROBUST:
        words += ", in units of its {}th percentile".format(colours.ROBUST_PERCENTILE)
    elif scale == colours.LINEAR:
        words += ", in units of its greatest"
    low = -1.0 if has_signs and colours.is_diverging(colormap) else 0.0
    bar = colours.colour_bar(np.linspace(low, 1, 257), colormap, colours.LINEAR, words)
    if scale != colours.ROBUST:
        return bar
    # Some clouds have heat beyond; how much differs.
    return bar._replace(least=-np.inf if low < 0 else bar.least, greatest=np.inf)
