"""Pictures and the page of all methods of a run on one cloud, beside the files that each method has of its own."""

import os

import numpy as np

from utils import wording
from utils.disk import result_folder
from utils.explain.methods import METHODS
from utils.files import printable, write_json
from utils.pictures import heat_picture, rounds_figure
from utils.viewer import html_page

FOLDER = "compare"  # beside the folders of the methods
KEY = "side_by_side"  # of the settings, in run.json
PICTURE = "compare"
PAGE = PICTURE + ".html"


def save(case, runs, files, kept, matters):
    """Writes compare.png and compare.html, the heat of all methods, and rounds.png, their accuracies.

    They go to <dump_dir>/compare/<class>_<index>, as all files of a run: see `result_folder.write`.

    Args:
      case: a cases.Case.
      runs: dictionary from the names of methods to their results.DropRun, two or more.
      files: a run.Files.
      kept: of each method what run.json keeps, a dictionary.
      matters: of each method what of that makes this run another than one whose run.json says otherwise.

    Returns:
      A result_folder.Written, whose `found` lists the names of the files.

    Raises:
      InputError: the folder cannot be written.
    """
    return result_folder.write(
        _folder(case),
        {KEY: matters},
        lambda begun: _write(begun, case, runs, files, {KEY: kept}),
        is_ours,
        files.overwrite,
    )


def is_saved(case, kept, matters):
    """Whether the files of `save` are there, of a run whose settings were these; arguments as there."""
    return result_folder.holds(_folder(case), {KEY: kept}, {KEY: matters}, is_ours)


def _folder(case):
    of_method = next(iter(case.folders.values()))
    return os.path.join(os.path.dirname(os.path.dirname(of_method)), FOLDER, os.path.basename(of_method))


def is_ours(name):
    """Whether a name is that of a file that `save` leaves in its folder."""
    return os.path.splitext(name)[0] in (PICTURE, "rounds") or name == result_folder.RUN_FILE


def save_page(path, case, runs, look):
    """Writes the page to turn a cloud in a browser, by the heat of one or more methods.

    Args:
      path: the HTML file.
      case, runs: as for `save`; one method will do.
      look: a heat_picture.Look.

    Raises:
      OSError: the file cannot be written.
    """
    index = None if case.cloud.own is None else case.cloud.own.file_index
    views = [
        html_page.View(
            METHODS[name].title,
            case.seen_as(),
            one.points,
            one.heat,
            one.removed_in_round,
            one.rounds,
            one.round_heats,
            index,
        )
        for name, one in runs.items()
    ]
    title = "{}: heat for {}".format(case.name, printable(case.explained))
    html_page.save(path, title, views, look.colormap, look.scale, look.view)


def curve_of(run, method=None):
    """The rounds_figure.Curve of a results.DropRun, with the name and look of a methods.Method where one is given."""
    measured = [one for one in run.rounds if not np.isnan(one.accuracy)]
    points_left, accuracies = [one.points_left for one in measured], [one.accuracy for one in measured]
    if method is None:
        return rounds_figure.Curve("", points_left, accuracies)
    return rounds_figure.Curve(method.title, points_left, accuracies, method.colour, method.marker)


def ending_of(run):
    """How surely what was left is recognised, after its number of points."""
    return ", accuracy {}".format(wording.percent(run.rounds[-1].accuracy))


def _write(folder, case, runs, files, settings):
    names = ["{}.{}".format(name, files.figure_format) for name in (PICTURE, "rounds")]
    title = "{}: {}".format(case.name, case.seen_as())
    heat_picture.save_rows(
        os.path.join(folder, names[0]),
        [(METHODS[name].title, run, ending_of(run)) for name, run in runs.items()],
        title,
        files.look,
        "heat for " + printable(case.explained),
    )
    curves = [curve_of(run, METHODS[name]) for name, run in runs.items()]
    rounds_figure.save(os.path.join(folder, names[1]), curves, title, width=files.look.width)
    names.insert(1, PAGE)
    save_page(os.path.join(folder, names[1]), case, runs, files.look)
    write_json(os.path.join(folder, result_folder.RUN_FILE), settings)
    return names + [result_folder.RUN_FILE]
