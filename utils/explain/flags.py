"""The flags of the scripts that explain clouds: which there are, and which do nothing in a run."""

import collections
import os

import provider
from utils import command_line
from utils.clouds import readers
from utils.command_line import ROTATIONS, finite_float, non_negative_int, positive_int, positive_int_or
from utils.disk import shards
from utils.explain import picture_flags, point_drop
from utils.explain.methods import DEFAULT_METHOD, METHODS, OPTIONS, SCRIPTED
from utils.network import workers
from utils.network.flags import add_network_flags
from utils.pictures import heat_picture


def parse_flags(description, examples, method=None):
    """Parses the flags of a script that explains clouds.

    Args:
      description, examples: of the script, as for `command_line.Parser`.
      method: the script's, a methods.Method, which --compare puts others beside; None: those that --method names.

    Returns:
      The flags, as an argparse.Namespace; `methods` lists the names of the methods to run, the script's first.

    Raises:
      InputError: a flag was given that does nothing in this run.
    """
    parser = command_line.Parser(description, examples)
    _add_cloud_flags(parser.add_argument_group("cloud"))
    add_network_flags(parser.add_argument_group("network"))
    _add_heat_flags(parser.add_argument_group("heat"), method)
    _add_dropping_flags(parser.add_argument_group("dropping"), method)
    _add_file_flags(parser.add_argument_group("files and pictures"))
    flags = parser.parse_args()
    if method is None:
        named = flags.method
    else:
        others = [] if flags.compare is None else flags.compare or SCRIPTED
        if set(others) == {method.name}:
            command_line.refuse_idle(flags, "compare", "it names {} alone, which runs anyway".format(method.title))
        named = [method.name] + list(others)
    flags.methods = list(dict.fromkeys(named))
    if flags.dump_dir is None:
        flags.dump_dir = os.path.join(flags.log_dir, "explain")
    _refuse_idle_flags(flags)
    picture_flags.check_colours(flags)
    return flags


def _refuse_idle_flags(flags):
    """Refuses what was given and does nothing, and says what does something to some of the methods only."""
    if flags.input is None:
        for name in ("up", "sampling", "shard", "workers"):
            command_line.refuse_idle(flags, name, "it goes with --input")
    else:
        command_line.refuse_idle(flags, "data_dir", "the cloud comes from --input")
    for name in OPTIONS:
        takers = [method for method in flags.methods if name in METHODS[method].options]
        _refuse_or_say(flags, name, takers, "the formula of {} has none")
    takers = [method for method in flags.methods if (flags.drop_mode or METHODS[method].drop_mode) == "top"]
    for name in ("num_drop", "drop_neg"):
        _refuse_or_say(flags, name, takers, "it goes with --drop_mode top, and {} drops otherwise")


def _refuse_or_say(flags, name, takers, reason):
    others = [METHODS[method].title for method in flags.methods if method not in takers]
    reason = reason.format(" and ".join(others))
    if not takers:
        command_line.refuse_idle(flags, name, reason)
    elif others and name in flags.given and name not in OPTIONS:
        print("--{} is for {} alone: {}".format(name, " and ".join(METHODS[one].title for one in takers), reason))


def _add_cloud_flags(group):
    group.add_argument(
        "--desired_label",
        metavar="CLASS",
        help="class of the test cloud: its name, or its number from 1 (default: {}, else the first class; for an "
        "--input file: the class that the network sees in it)".format(provider.DEFAULT_CLASS),
    )
    group.add_argument(
        "--shape_index",
        type=non_negative_int,
        default=0,
        metavar="INDEX",
        help="which test cloud of the class, or which cloud of an .h5 --input, from 0",
    )
    command_line.add_data_flag(group)
    group.add_argument(
        "--input",
        metavar="FILE",
        nargs="+",
        help="clouds or meshes of your own, or a folder of them: {}".format(" ".join(readers.READERS)),
    )
    group.add_argument("--up", choices=("x", "y", "z"), default="y", help="axis of an --input that points up")
    group.add_argument(
        "--num_point",
        type=positive_int,
        metavar="N",
        help="points to use (default: of a network that sees density as many as in training, of others all of a test "
        "cloud, {} at most of a file)".format(readers.DEFAULT_POINTS),
    )
    group.add_argument(
        "--sampling",
        choices=readers.SAMPLINGS,
        default="farthest",
        help="of the points of a larger --input cloud: each as far as can be from those before, or random",
    )
    shards.add_flag(group, "file of --input")
    workers.add_flag(group, "file of --input")


def _add_heat_flags(group, method):
    group.add_argument(
        "--target_label",
        metavar="CLASS",
        help="class whose heat is shown, as in `why not a chair?` (default: the cloud's)",
    )
    if method is None:
        group.add_argument(
            "--method",
            nargs="+",
            choices=list(METHODS),
            default=[DEFAULT_METHOD],
            metavar="METHOD",
            help="whose heat; several go side by side: of {} (default: {})".format(" ".join(METHODS), DEFAULT_METHOD),
        )
    else:
        others = [METHODS[name].title for name in SCRIPTED if name != method.name]
        group.add_argument(
            "--compare",
            nargs="*",
            choices=list(METHODS),
            metavar="METHOD",
            help="run other methods on the same cloud too, side by side: of {}; alone, {}".format(
                " ".join(METHODS), " and ".join(others)
            ),
        )
    add_option_flags(group)


def add_option_flags(group):
    """--pooling, --power and --path_refresh, of every script that computes heat."""
    group.add_argument(
        "--pooling",
        choices=("max", "avg"),
        default="max",
        help="of the gradients over the channels, in {}".format(_titles_of_takers("pooling")),
    )
    group.add_argument(
        "--power",
        type=finite_float,
        default=1.0,
        metavar="ALPHA",
        help="alpha of {}".format(_titles_of_takers("power")),
    )
    group.add_argument(
        "--path_refresh",
        type=non_negative_int,
        default=0,
        metavar="POINTS",
        help="points after which {} takes new gradients, of those that are left; 0 for never".format(
            _titles_of_takers("path_refresh")
        ),
    )


def _titles_of_takers(option):
    return ", ".join(method.title for method in METHODS.values() if option in method.options)


def _usual(name):
    """What the methods usually take of something, in words: the most usual, and who takes another."""
    counts = collections.Counter(getattr(method, name) for method in METHODS.values())
    usual = counts.most_common(1)[0][0]
    others = [
        "{} for {}".format(value, " ".join(one.name for one in METHODS.values() if getattr(one, name) == value))
        for value in counts
        if value != usual
    ]
    return "; ".join(others + ["{} for all others".format(usual)])


def _add_dropping_flags(group, method):
    group.add_argument(
        "--drop_mode",
        choices=point_drop.DROP_MODES,
        metavar="MODE",
        help="which points a round drops: one of {} (default: {})".format(
            " ".join(point_drop.DROP_MODES), _usual("drop_mode") if method is None else method.drop_mode
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
        help="rotations under which each round classifies (default: {})".format(
            _usual("votes") if method is None else method.votes
        ),
    )
    group.add_argument(
        "--rotation",
        choices=ROTATIONS,
        help="of the votes: none, about the up axis, or any (default: what the network was trained with, else xyz)",
    )
    group.add_argument(
        "--eval_every",
        type=positive_int_or(point_drop.AUTO),
        default=point_drop.AUTO,
        metavar="K",
        help="classify in every K-th round only, and go back to find the round that lost the object; auto: in rounds "
        "1, 2, 4, 8, ..., then halve the way back",
    )
    command_line.add_seed_flag(group, "the rotations and random samples")


def _add_file_flags(group):
    group.add_argument("--dump_dir", metavar="FOLDER", help="where the files go (default: <log_dir>/explain)")
    command_line.add_overwrite_flag(group)
    picture_flags.add_colour_flags(group)
    group.add_argument(
        "--show",
        nargs="+",
        choices=heat_picture.PANELS,
        default=list(heat_picture.DEFAULT_PANELS),
        metavar="PANEL",
        help="what picture and window show, side by side: {}, of which {} is all dropped points by their heat when "
        "dropped (default: {})".format(
            ", ".join(heat_picture.PANELS), heat_picture.REMOVED, " ".join(heat_picture.DEFAULT_PANELS)
        ),
    )
    picture_flags.add_figure_flags(group)
    group.add_argument(
        "--turntable",
        action="store_true",
        help="write turntable.gif, the turning cloud, and turntable.mp4 where FFmpeg is installed",
    )
    group.add_argument("--rounds_gif", action="store_true", help="write rounds.gif, the dropping, likewise")
    group.add_argument("--no_window", action="store_true", help="open no window at the end")
