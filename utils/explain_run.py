"""The steps that the explain scripts share: flags, opening the network, the dropping loop, files and window."""
import contextlib
import os
import sys

import numpy as np
from tqdm import tqdm

import models
import provider
from utils import colours, heat, point_drop, results
from utils.command_line import (PROJECT_DIR, ROTATIONS, InputError, Parser, finite_float, make_folder,
                                non_negative_int, positive_int, prepare_tensorflow, seed, versions)

TITLES = {"p-grad-cam": "p-grad-CAM", "asm": "ASM"}


def parse_flags(description, num_votes, drop_mode):
    """Parses the flags of a script that explains one cloud.

    Args:
      description: what the script does, in one sentence.
      num_votes: default of --num_votes.
      drop_mode: default of --drop_mode.

    Returns:
      The flags, as an argparse.Namespace.
    """
    parser = Parser(description)
    parser.add_argument("--desired_label", metavar="CLASS",
                        help="class to explain: its name, or its number from 1 to 40 (default: airplane; for an --input "
                        "file: the class that the network sees in it)")
    parser.add_argument("--shape_index", type=non_negative_int, default=0,
                        help="which test cloud of the class, or which cloud of an .h5 --input, from 0")
    parser.add_argument("--input", metavar="FILE",
                        help="a cloud or mesh of your own, y up: .ply .pcd .xyz .off .obj .stl .npy .txt .h5")
    parser.add_argument("--data_dir", metavar="FOLDER",
                        help="the ModelNet40 HDF5 files, or `demo` for the built-in shapes (default: "
                        "data/{}, fetched when missing)".format(provider.MODELNET40))
    parser.add_argument("--log_dir", default=os.path.join(PROJECT_DIR, "log"), help="folder that train.py wrote")
    parser.add_argument("--model_path", metavar="CHECKPOINT",
                        help="checkpoint to explain (default: the best in --log_dir, else a shipped one)")
    parser.add_argument("--model", choices=models.NAMES, help="its network (default: what the checkpoint holds)")
    parser.add_argument("--num_point", type=positive_int, metavar="N",
                        help="points of the cloud to use (default: all of a test cloud, 2048 at most of a file)")
    parser.add_argument("--rotation", choices=ROTATIONS,
                        help="rotations of the votes: none, about the up axis, or any (default: what the network was "
                        "trained with, else xyz)")
    parser.add_argument("--num_votes", type=positive_int, default=num_votes,
                        help="rotations under which each round classifies")
    parser.add_argument("--pooling", choices=("max", "avg"), default="max",
                        help="of p-grad-CAM's gradients, over the channels")
    parser.add_argument("--power", type=finite_float, default=1.0, help="alpha of ASM")
    parser.add_argument("--drop_mode", choices=point_drop.DROP_MODES, default=drop_mode,
                        help="which points a round drops")
    parser.add_argument("--num_drop", type=positive_int, default=1, help="points that a round of `top` drops")
    parser.add_argument("--drop_neg", action="store_true", help="`top` drops the points of lowest heat instead")
    parser.add_argument("--num_steps", type=positive_int, metavar="ROUNDS",
                        help="rounds of dropping at most (default: until the object is lost)")
    parser.add_argument("--eval_every", type=positive_int, default=1, metavar="K",
                        help="classify in every K-th round only, and go back to find the round that lost the object")
    parser.add_argument("--dump_dir", metavar="FOLDER", help="where the files go (default: <log_dir>/explain)")
    parser.add_argument("--no_window", action="store_true", help="open no window at the end")
    parser.add_argument("--colormap", default=colours.DEFAULT_COLORMAP,
                        help="`thesis` (red hot, green cold, black none) or any matplotlib colour map")
    parser.add_argument("--scale", choices=colours.SCALES, default="linear", help="from heat to colour")
    parser.add_argument("--gpu", type=int, default=0, help="index of the GPU; -1 for the CPU")
    parser.add_argument("--seed", type=seed, default=0, help="of the rotations and random samples")
    flags = parser.parse_args(_join_drop_mode(sys.argv[1:]))
    if flags.drop_neg and flags.drop_mode != "top":
        parser.error("--drop_neg goes with --drop_mode top")
    if flags.dump_dir is None:
        flags.dump_dir = os.path.join(flags.log_dir, "explain")
    return flags


def _join_drop_mode(arguments):
    """Lets `--drop_mode -midrange` stand with a space: argparse would take -midrange for a flag of its own."""
    joined = []
    for argument in arguments:
        if joined and joined[-1] == "--drop_mode" and argument in point_drop.DROP_MODES:
            joined[-1] = "--drop_mode=" + argument
        else:
            joined.append(argument)
    return joined


@contextlib.contextmanager
def open_explainer(flags):
    """Restores the checkpoint that the flags name; settles `flags.rotation` by what it was trained with.

    Yields:
      An explainer.Explainer.
    """
    prepare_tensorflow()
    # TensorFlow takes seconds to load: only once flags and cloud are known to be good.
    from utils import checkpoint, explainer
    prefix = checkpoint.find(flags.model_path, flags.log_dir, flags.rotation)
    with checkpoint.restore(prefix, flags.model, flags.gpu) as network:
        print("Network: {} of {}".format(network.model_name, prefix))
        flags.model_path, flags.model = prefix, network.model_name
        flags.rotation = flags.rotation or network.config.get("rotation", "xyz")
        yield explainer.Explainer(network)


def recognise(explainer, cloud):
    """Classifies the whole, unrotated cloud, and says what came out.

    Returns:
      The cloud, with the predicted class for its label where it had none; its logits, float32 array [40].
    """
    logits = explainer.logits(cloud.points[np.newaxis])[0]
    predicted = int(logits.argmax())
    probability = np.exp(logits[predicted] - logits.max()) / np.exp(logits - logits.max()).sum()
    print("Cloud: {} points of {}".format(len(cloud.points), cloud.source))
    print("Recognised as {} ({:.1%})".format(provider.class_name(predicted), probability))
    return cloud._replace(label=predicted if cloud.label is None else cloud.label), logits


def drop_until_lost(explainer, cloud, method, flags):
    """Runs the dropping loop for one method, with a progress bar.

    Args:
      explainer: an explainer.Explainer.
      cloud: a provider.Cloud with its label.
      method: a name in heat.METHODS.
      flags: of `parse_flags`, after `open_explainer`.

    Returns:
      A results.DropRun.
    """
    # The rotations come from a generator of their own, so that every method and drop mode sees the same.
    num_votes = 1 if flags.rotation == "none" else flags.num_votes
    rotations = provider.draw_rotations(flags.rotation, num_votes, np.random.RandomState(flags.seed))
    rng = np.random.RandomState(flags.seed)
    options = {"pooling": flags.pooling, "power": flags.power, "rngs": [rng]}
    with tqdm(total=len(cloud.points), unit="point", desc="Dropping") as bar:
        def show_round(finished):
            shown = {} if np.isnan(finished.accuracy) else {"accuracy": finished.accuracy}
            bar.set_postfix(round=finished.round, left=finished.points_left, **shown)
            bar.update(finished.points_dropped)

        return point_drop.drop_until_lost(
            cloud.points, cloud.label,
            vote_logits=lambda points: explainer.vote_logits(points, rotations),
            heat_of=lambda points: heat.METHODS[method](explainer, points[np.newaxis], cloud.label, **options)[0],
            choose=lambda values: point_drop.points_to_drop(
                values, flags.drop_mode, flags.num_drop, flags.drop_neg, rng),
            max_rounds=flags.num_steps, eval_every=flags.eval_every, on_round=show_round)


def output_folder(cloud, method, flags):
    """Makes <dump_dir>/<method>/<class>_<index> and returns its path.

    Raises:
      InputError: what would spoil the end of a long run, or what it would spoil: the folder cannot be written, the
        colour map does not exist, or the folder holds what another cloud of the same name gave.
    """
    colours.heat_colours(np.zeros(1), flags.colormap, flags.scale)
    folder = os.path.join(flags.dump_dir, method, "{}_{}".format(cloud.class_name, cloud.index))
    make_folder(folder, "--dump_dir")
    other = results.source_of(folder)
    if other not in (None, cloud.source):
        raise InputError("{} holds the results of {}: give another folder with --dump_dir".format(folder, other))
    return folder


def save(folder, run, cloud, logits, method, flags):
    """Writes the files of a run, and prints why it stopped and where they are.

    Args:
      folder: as `output_folder` made it.
      run: a results.DropRun.
      cloud, logits: of `recognise`.
      method: a name in heat.METHODS.
      flags: of `parse_flags`.
    """
    from utils import plots, render
    explained = provider.class_name(cloud.label)
    removed = run.removed_in_round > 0
    print("Stopped after round {}: {}. {} of {} points removed in {:.1f} s.".format(
        len(run.rounds), run.stop_reason, removed.sum(), len(removed), run.seconds))
    if run.rounds[0].accuracy <= point_drop.LOST_ACCURACY:
        print("The network does not recognise this cloud as {} under `--rotation {}`; try another --rotation.".format(
            explained, flags.rotation))
    settings = dict(vars(flags), method=method, source=cloud.source, explained_class=explained,
                    predicted_class=provider.class_name(int(logits.argmax())),
                    versions=versions())
    point_colours = colours.heat_colours(run.heat, flags.colormap, flags.scale)
    results.save(folder, run, logits, cloud.label, point_colours, settings)
    title = "{}: {} {}, seen as {}".format(
        TITLES[method], cloud.class_name, cloud.index, settings["predicted_class"])
    classified = [one for one in run.rounds if not np.isnan(one.accuracy)]
    plots.save_rounds(os.path.join(folder, "rounds.png"), [one.points_left for one in classified],
                      [one.accuracy for one in classified], title)
    renderer = render.save_heat_picture(os.path.join(folder, "heat.png"), run.points, run.heat, removed, title,
                                        flags.colormap, flags.scale)
    print("Written to {} (picture by {}):".format(folder, renderer))
    for name in ("heat.png", "heat.ply", "heat.npz", "rounds.csv", "rounds.png", "run.json"):
        print("  {}".format(os.path.join(folder, name)))


def show(run, cloud, method, flags):
    """Opens the window, unless it is not wanted or there is no display."""
    from utils import render
    if flags.no_window:
        return
    if not render.has_display():
        print("There is no display, so no window: heat.png shows the same.")
        return
    kept = run.removed_in_round < 0
    point_colours = colours.heat_colours(run.heat, flags.colormap, flags.scale)
    render.show_window([("all points", run.points, point_colours), ("what remained", run.points[kept], point_colours[kept])],
                       "{}: {}".format(TITLES[method], cloud.class_name))
