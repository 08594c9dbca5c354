"""The flags of the scripts that explain clouds."""

import os
import sys

import models
import provider
from utils.clouds import readers
from utils.command_line import ROTATIONS, Parser, finite_float, non_negative_int, positive_int, seed
from utils.explain import point_drop
from utils.files import PROJECT_DIR
from utils.pictures import colours, plots

# What the loop of each method does unless a flag says otherwise (Struhs 2020).
NUM_VOTES = {"p-grad-cam": 500, "asm": 100}
DROP_MODES = {"p-grad-cam": "+midrange", "asm": "top"}


def parse_flags(description, method):
    """Parses the flags of a script that explains clouds.

    Args:
      description: what the script does, in one sentence.
      method: the script's, a key of NUM_VOTES.

    Returns:
      The flags, as an argparse.Namespace.
    """
    parser = Parser(description)
    _add_cloud_flags(parser.add_argument_group("cloud"))
    _add_network_flags(parser.add_argument_group("network"))
    _add_heat_flags(parser.add_argument_group("heat"))
    _add_dropping_flags(parser.add_argument_group("dropping"), method)
    _add_file_flags(parser.add_argument_group("files and pictures"))
    flags = parser.parse_args(_join_drop_mode(sys.argv[1:]))
    if flags.drop_neg and (flags.drop_mode or DROP_MODES[method]) != "top":
        parser.error("--drop_neg goes with --drop_mode top")
    if flags.dump_dir is None:
        flags.dump_dir = os.path.join(flags.log_dir, "explain")
    return flags


def _add_cloud_flags(group):
    group.add_argument(
        "--desired_label",
        metavar="CLASS",
        help="class of the test cloud: its name, or its number from 1 to 40 (default: airplane; for an "
        "--input file: the class that the network sees in it)",
    )
    group.add_argument(
        "--shape_index",
        type=non_negative_int,
        default=0,
        metavar="INDEX",
        help="which test cloud of the class, or which cloud of an .h5 --input, from 0",
    )
    group.add_argument(
        "--data_dir",
        metavar="FOLDER",
        help="the ModelNet40 HDF5 files, or `demo` for the built-in shapes (default: "
        "data/{}, fetched when missing)".format(provider.MODELNET40),
    )
    group.add_argument(
        "--input",
        metavar="FILE",
        nargs="+",
        help="clouds or meshes of your own, or a folder of them: .ply .pcd .xyz .off .obj .stl .npy .txt .h5",
    )
    group.add_argument("--up", choices=("x", "y", "z"), default="y", help="axis of an --input that points up")
    group.add_argument(
        "--num_point",
        type=positive_int,
        metavar="N",
        help="points to use (default: all of a test cloud, 2048 at most of a file)",
    )
    group.add_argument(
        "--sampling",
        choices=readers.SAMPLINGS,
        default="farthest",
        help="of the points of a larger --input cloud: each as far as can be from those before, or random",
    )


def _add_network_flags(group):
    group.add_argument(
        "--log_dir",
        default=os.path.join(PROJECT_DIR, "log"),
        metavar="FOLDER",
        help="folder that train.py wrote (default: log, beside the scripts)",
    )
    group.add_argument(
        "--model_path",
        metavar="CHECKPOINT",
        help="checkpoint to explain (default: the best in --log_dir, else a shipped one)",
    )
    group.add_argument("--model", choices=models.NAMES, help="its network (default: what the checkpoint holds)")
    group.add_argument("--gpu", type=int, default=0, metavar="INDEX", help="of the GPU; -1 for the CPU")


def _add_heat_flags(group):
    group.add_argument(
        "--target_label",
        metavar="CLASS",
        help="class whose heat is shown, as in `why not a chair?` (default: the cloud's)",
    )
    group.add_argument("--compare", action="store_true", help="run the other of p-grad-CAM and ASM too, side by side")
    group.add_argument(
        "--pooling", choices=("max", "avg"), default="max", help="of p-grad-CAM's gradients, over the channels"
    )
    group.add_argument("--power", type=finite_float, default=1.0, metavar="ALPHA", help="alpha of ASM")


def _add_dropping_flags(group, method):
    group.add_argument(
        "--drop_mode",
        choices=point_drop.DROP_MODES,
        metavar="MODE",
        help="which points a round drops: one of {} (default: {})".format(
            " ".join(point_drop.DROP_MODES), DROP_MODES[method]
        ),
    )
    group.add_argument(
        "--num_drop", type=positive_int, default=1, metavar="N", help="points that a round of `top` drops"
    )
    group.add_argument("--drop_neg", action="store_true", help="`top` drops the points of lowest heat instead")
    group.add_argument(
        "--num_steps",
        type=positive_int,
        metavar="ROUNDS",
        help="rounds of dropping at most (default: until the object is lost)",
    )
    group.add_argument(
        "--num_votes",
        type=positive_int,
        metavar="VOTES",
        help="rotations under which each round classifies (default: {})".format(NUM_VOTES[method]),
    )
    group.add_argument(
        "--rotation",
        choices=ROTATIONS,
        help="of the votes: none, about the up axis, or any (default: what the network was trained with, else xyz)",
    )
    group.add_argument(
        "--eval_every",
        type=positive_int,
        default=1,
        metavar="K",
        help="classify in every K-th round only, and go back to find the round that lost the object",
    )
    group.add_argument("--seed", type=seed, default=0, help="of the rotations and random samples")


def _add_file_flags(group):
    group.add_argument("--dump_dir", metavar="FOLDER", help="where the files go (default: <log_dir>/explain)")
    group.add_argument(
        "--colormap",
        default=colours.DEFAULT_COLORMAP,
        metavar="MAP",
        help="`thesis` (red hot, green cold, black none) or any matplotlib colour map",
    )
    group.add_argument(
        "--scale",
        choices=colours.SCALES,
        default="linear",
        help="from heat to colour; `rank` shows what a few outliers hide",
    )
    group.add_argument("--figure_format", choices=plots.FORMATS, default="png", help="of the pictures")
    group.add_argument(
        "--turntable",
        action="store_true",
        help="write turntable.gif, the turning cloud, and turntable.mp4 where FFmpeg is installed",
    )
    group.add_argument("--rounds_gif", action="store_true", help="write rounds.gif, the dropping, likewise")
    group.add_argument("--no_window", action="store_true", help="open no window at the end")


def _join_drop_mode(arguments):
    """Lets `--drop_mode -midrange` stand with a space: argparse would take -midrange for a flag of its own."""
    joined = []
    for argument in arguments:
        if joined and joined[-1] == "--drop_mode" and argument in point_drop.DROP_MODES:
            joined[-1] = "--drop_mode=" + argument
        else:
            joined.append(argument)
    return joined
