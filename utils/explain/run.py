"""The steps that the explain scripts share: opening the network, the dropping loop, what a run leaves, the window."""

import functools
import os
from typing import Any, Dict, NamedTuple, Optional, Union

import numpy as np
from tabulate import tabulate

from utils import command_line, progress, wording
from utils.clouds import own_cloud, transforms
from utils.disk import result_folder
from utils.explain import kept_settings, point_drop, results, round_heats, side_by_side, words
from utils.explain.methods import METHODS
from utils.files import printable
from utils.pictures import animation, colours, heat_picture, open3d_scene, rounds_figure, window


class Dropping(NamedTuple):
    """How points are dropped, and what is counted as recognised.

    Attributes:
      rotation: "none", "y" or "xyz", of the votes.
      num_votes: rotations under which each round classifies; None: as the method usually does.
      drop_mode: one of point_drop.DROP_MODES; None: as the method usually does.
      num_drop, lowest: of drop mode "top"; see `point_drop.points_to_drop`.
      max_rounds, eval_every: see `point_drop.drop_until_lost`.
      seed: of rotations and random choices.
      options: pooling and others, as for `Method.heat`.
    """

    rotation: str
    num_votes: Optional[int] = None
    drop_mode: Optional[str] = None
    num_drop: int = 1
    lowest: bool = False
    max_rounds: Optional[int] = None
    eval_every: Union[int, str] = 1
    seed: int = 0
    options: Dict[str, Any] = {}

    def of(self, method):
        """The same with the usual votes and drop mode of a methods.Method filled in."""
        return self._replace(num_votes=self.num_votes or method.votes, drop_mode=self.drop_mode or method.drop_mode)


class Files(NamedTuple):
    """What a run leaves, and how its pictures look.

    Attributes:
      look: a heat_picture.Look.
      figure_format: one of plots.FORMATS.
      turntable, rounds_gif: whether to write these films.
      settings: dictionary of what run.json keeps besides.
      overwrite: whether what another run left in the folder goes.
      resumes: whether results that are there, of this very run, are left as they are: see `is_saved`.
    """

    look: heat_picture.Look
    figure_format: str
    turntable: bool
    rounds_gif: bool
    settings: Dict[str, Any]
    overwrite: bool = False
    resumes: bool = False


def drop_until_lost(classifier, case, method, dropping, is_shown=True):
    """Runs the dropping loop for one method, with a progress bar, and says why it stopped.

    Args:
      classifier: a classifier.Classifier.
      case: a cases.Case.
      method: a methods.Method.
      dropping: a Dropping.
      is_shown: whether there is a progress bar.

    Returns:
      A results.DropRun.
    """
    dropping, cloud = dropping.of(method), case.cloud
    # The rotations come from a generator of their own, so that every method and drop mode sees the same.
    rotations = transforms.draw_rotations(dropping.rotation, dropping.num_votes, np.random.RandomState(dropping.seed))
    rng = np.random.RandomState(dropping.seed)

    def heat_of(points, places=0):
        one, options = points[np.newaxis], dropping.options
        return method.heat(classifier, one, cloud.label, [rng], case.is_target, places=places, **options)[0]

    is_ordered = dropping.drop_mode == "top" and not dropping.lowest
    # Where a method orders only the points that go, the heat of all is work that the run does not need.
    is_costly = is_ordered and "places" in method.options
    title = "{}: dropping".format(method.title)
    with progress.Progress(title, is_shown=is_shown) as line:
        told = words.DroppingLine(line, cloud.label, method.title, classifier.voter(cloud.points, rotations))
        found = point_drop.drop_until_lost(
            cloud.points,
            cloud.label,
            vote_logits=told.vote_logits,
            heat_of=heat_of,
            choose=lambda heat: point_drop.points_to_drop(
                heat, dropping.drop_mode, dropping.num_drop, dropping.lowest, rng
            ),
            max_rounds=dropping.max_rounds,
            eval_every=dropping.eval_every,
            on_round=told.show_round,
            heat_to_drop=functools.partial(heat_of, places=dropping.num_drop if is_ordered else 0),
            kept=round_heats.for_costly() if is_costly else round_heats.RoundHeats(),
        )
    removed = found.removed_in_round > 0
    print(
        "{} of {}: stopped after round {}: {}. {} of {} points removed in {:.1f} s.".format(
            method.title, case.name, len(found.rounds), found.stop_reason, removed.sum(), len(removed), found.seconds
        )
    )
    if words.is_lost(found) and len(found.rounds) == 1 and case.explained == case.predicted:
        print(
            "The network does not recognise this cloud as {} under `--rotation {}`; try another --rotation.".format(
                printable(case.explained), dropping.rotation
            )
        )
    return found


def is_saved(case, methods, dropping, files):
    """Whether a run that resumes has left all files of a case before; says so.

    Args:
      case: a cases.Case.
      methods: names of the methods.
      dropping: a Dropping.
      files: a Files.
    """
    if not files.resumes:
        return False
    kept = {name: kept_settings.of(case, name, dropping.of(METHODS[name]), files) for name in methods}
    matters = {name: kept_settings.what_matters(one) for name, one in kept.items()}
    kept = {name: kept_settings.but_places(one) for name, one in kept.items()}
    if not all(result_folder.holds(case.folders[name], kept[name], matters[name], results.is_ours) for name in methods):
        return False
    if len(methods) > 1 and not side_by_side.is_saved(case, kept, matters):
        return False
    print("It is explained already: its results stay as they are.")
    return True


def save(case, runs, dropping, files):
    """Writes the files of a case, a folder for each method.

    A folder that holds another run, of other flags or another cloud, stays: see `result_folder.write`.

    Args:
      case: a cases.Case.
      runs: dictionary from the names of methods to their results.DropRun.
      dropping: the Dropping that gave them.
      files: a Files.

    Returns:
      What to tell the user, a list of texts: where the files are, and what was found.

    Raises:
      InputError: a folder cannot be written.
    """
    kept, folders, told = {}, [], []
    for name, one in runs.items():
        kept[name], folder, texts = _save_one(case, name, one, dropping.of(METHODS[name]), files)
        folders.append(folder)
        told += texts
    page = os.path.join(folders[0], "heat.html")
    if len(runs) > 1:
        matters = {name: kept_settings.what_matters(one) for name, one in kept.items()}
        kept = {name: kept_settings.but_places(one) for name, one in kept.items()}
        written = side_by_side.save(case, runs, files, kept, matters)
        told += [command_line.one_line(written.notice)] if written.notice else []
        told.append("Side by side in {}:\n  {}".format(printable(written.folder), ", ".join(written.found)))
        page = os.path.join(written.folder, side_by_side.PAGE)
    found = [(METHODS[name].title, one, dropping.of(METHODS[name])) for name, one in runs.items()]
    return told + [words.conclusion(case, found, page)]


def _save_one(case, name, one, dropping, files):
    """Writes the files of one method, all or none, into a folder that holds no other run's.

    Returns:
      Its settings, a dictionary, the folder, and what to tell the user, a list of texts.
    """
    settings = kept_settings.of(case, name, dropping, files)
    written = result_folder.write(
        case.folders[name],
        kept_settings.what_matters(settings),
        lambda begun: _write_files(begun, case, name, one, settings, files),
        results.is_ours,
        files.overwrite,
    )
    paths, renderer = written.found
    told = [command_line.one_line(written.notice)] if written.notice else []
    told.append("Written to {} (pictures by {}):\n  {}".format(printable(written.folder), renderer, ", ".join(paths)))
    return settings, written.folder, told


def _write_files(folder, case, name, one, settings, files):
    """Writes the files of one method and its results.DropRun into an empty folder.

    Returns:
      List of their names, and which renderer drew the picture.
    """
    method, cloud = METHODS[name], case.cloud
    ply_points, ply_places = cloud.points, np.arange(len(cloud.points))
    if cloud.own is not None:
        ply_points, ply_places = cloud.own.all_points, own_cloud.nearest_used(cloud.own)
    ply_colours = colours.heat_colours(one.heat, files.look.colormap, files.look.scale)[ply_places]
    results.save(folder, one, case, settings, ply_points, ply_colours, ply_places)
    title = "{} of {}: {}".format(method.title, case.name, case.seen_as())
    names = {"rounds": "rounds." + files.figure_format, "heat": "heat." + files.figure_format}
    curve = side_by_side.curve_of(one)
    rounds_figure.save(os.path.join(folder, names["rounds"]), [curve], title, width=files.look.width)
    picture = {"title": title, "look": files.look, "label": "heat for " + printable(case.explained)}
    ending = side_by_side.ending_of(one)
    renderer = heat_picture.save(os.path.join(folder, names["heat"]), one, ending=ending, **picture)
    side_by_side.save_page(os.path.join(folder, "heat.html"), case, {name: one}, files.look)
    written = [
        names["heat"],
        "heat.html",
        "heat.ply",
        "heat.npz",
        "heat.csv",
        "rounds.csv",
        names["rounds"],
        "run.json",
    ]
    if files.turntable:
        paths = animation.save_turntable(os.path.join(folder, "turntable.gif"), one.points, one.heat, **picture)
        written += [os.path.basename(path) for path in paths]
    if files.rounds_gif:
        paths = animation.save_rounds(os.path.join(folder, "rounds.gif"), one, **picture)
        written += [os.path.basename(path) for path in paths]
    return written, renderer


def show(case, runs, files):
    """Opens the window, unless there is no display.

    Args:
      case, runs, files: as for `save`.
    """
    if not open3d_scene.has_display():
        print("There is no display, so no window: heat.html, in any browser, turns the cloud.")
        return
    panels = []
    for name, one in runs.items():
        for shown in heat_picture.shown_of(one, files.look):
            there = heat_picture.there(shown)
            label = "{}: {}".format(METHODS[name].title, shown.caption)
            panels.append(window.Panel(label, one.points[there], shown.colours[there], shown.strengths[there]))
    titles = ", ".join(METHODS[name].title for name in runs)
    columns = -(-len(panels) // len(runs))
    window.show(panels, columns, "{}: {}".format(titles, printable(case.cloud.class_name)), files.look.view)


def summary_of(case, runs):
    """The lines of the table at the end that one cloud takes, one for each method: list of tuples.

    Args:
      case, runs: as for `save`.
    """
    return [
        (
            case.name,
            METHODS[name].title,
            printable(case.explained),
            wording.percent(case.probability),
            (one.removed_in_round > 0).sum(),
            len(one.points),
            len(one.rounds),
            wording.percent(one.rounds[-1].accuracy),
            "{:.1f}".format(one.seconds),
        )
        for name, one in runs.items()
    ]


def print_summary(lines):
    """Prints the table of what was explained, which says no more than the sentences where that is one cloud and method.

    Args:
      lines: list of tuples, those of all clouds, as of `summary_of`.
    """
    if len(lines) < 2:
        return
    header = ("cloud", "method", "class", "probability", "dropped", "of", "rounds", "accuracy", "seconds")
    alignment = ("left",) * 3 + ("right",) * 6
    print("\n" + tabulate(lines, header, "plain", disable_numparse=True, colalign=alignment))
