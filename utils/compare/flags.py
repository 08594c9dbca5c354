"""The flags of compare.py: which there are, and which do nothing in a run."""

import os

from utils import command_line
from utils.command_line import ROTATIONS, positive_int
from utils.compare import given_heat, settings
from utils.compare.protocols import PROTOCOLS
from utils.disk import shards
from utils.explain import picture_flags, point_drop
from utils.explain.flags import add_option_flags
from utils.explain.methods import METHODS
from utils.files import InputError, printable
from utils.network import workers
from utils.network.flags import add_network_flags

EXAMPLES = (
    "python compare.py",
    "python compare.py --protocol sanity --methods p-grad-cam asm --per_class 3",
    "python compare.py --report log/compare/drop",
)
# What --report can be given besides.
FLAGS_OF_FIGURES = ("figure_width", "figure_format")
FLAGS_OF_COLOURS = ("colormap", "scale", "view")
FLAGS_OF_LOOKS = FLAGS_OF_COLOURS + FLAGS_OF_FIGURES
FLAGS_OF_REPORT = ("report", "quiet", "verbose") + FLAGS_OF_LOOKS
FLAGS_OF_REPORT_OF_SEVERAL = ("report", "dump_dir", "methods", "quiet", "verbose") + FLAGS_OF_FIGURES


def parse_flags():
    """Parses the flags; fills in what depends on the protocol.

    Returns:
      The flags, as an argparse.Namespace.

    Raises:
      InputError: a flag was given that does nothing, or a value makes no sense.
    """
    parser = command_line.Parser("Compares methods of explanation over many test clouds.", EXAMPLES)
    _add_subject_flags(parser.add_argument_group("what is compared"))
    add_network_flags(parser.add_argument_group("network"))
    add_option_flags(parser.add_argument_group("heat"))
    _add_settings(parser)
    _add_file_flags(parser.add_argument_group("files and pictures"))
    flags = parser.parse_args()
    picture_flags.check_colours(flags)
    protocol = PROTOCOLS[flags.protocol]
    _take_defaults(flags, protocol)
    given_heat.check_names(flags.heat or [])
    if flags.report is None:
        _check_methods(flags.methods or [])
    flags.methods = list(dict.fromkeys(flags.methods or protocol.methods or _usual_methods()))
    flags.methods += [source.name for source in flags.heat or []]
    flags.per_class = flags.per_class or protocol.per_class
    if flags.dump_dir is None:
        flags.dump_dir = os.path.join(flags.log_dir, "compare", protocol.folder_name(own_settings(flags)))
    if flags.report is not None:
        _check_report_flags(flags)
    else:
        _refuse_idle_flags(flags, protocol)
        if flags.num_point is not None:
            check_points(flags)
        _check_heat(flags, protocol)
    return flags


def own_settings(flags):
    """The protocol's own settings: a dictionary from name to value."""
    return {setting.name: getattr(flags, setting.name) for setting in PROTOCOLS[flags.protocol].settings}


def _check_report_flags(flags):
    if len(flags.report) == 1:
        for name in sorted(flags.given - set(FLAGS_OF_REPORT)):
            command_line.refuse_idle(flags, name, "--report takes all but the looks of pictures from the folder")
        return
    for name in sorted(flags.given - set(FLAGS_OF_REPORT_OF_SEVERAL)):
        command_line.refuse_idle(
            flags, name, "--report of several folders takes all but --methods and the looks of figures from these"
        )
    if "dump_dir" not in flags.given:
        raise InputError("`report` of several folders: give the folder that the summary goes to with `dump_dir`")


def _check_methods(methods):
    """Raises an InputError for the first name that is no method's. Reports of several folders know others, too."""
    for name in methods:
        if name not in METHODS:
            raise InputError(
                "`methods` {}: no such method; give some of {}".format(printable(name, 60), ", ".join(METHODS))
            )


def _take_defaults(flags, protocol):
    """Gives the settings that are not on the command line the defaults of this protocol: others may have their own."""
    for setting in protocol.settings:
        if setting.name not in flags.given:
            setattr(flags, setting.name, setting.default)


def _refuse_idle_flags(flags, protocol):
    for name, owners in settings_of_others(protocol).items():
        command_line.refuse_idle(flags, name, "it goes with --protocol {}".format(" or ".join(owners)))
    for name in idle_options(flags):
        takers = [method for method in METHODS if name in METHODS[method].options]
        command_line.refuse_idle(flags, name, "it goes with --methods {}".format(" or ".join(takers)))
    refuse_idle_colours(flags, protocol)


def refuse_idle_colours(flags, protocol):
    if not protocol.shows_heat:
        for name in FLAGS_OF_COLOURS:
            command_line.refuse_idle(flags, name, "--protocol {} draws no heat".format(protocol.name))


def settings_of_others(protocol):
    """Names of settings that are of other protocols alone -> the names of these."""
    owners = {}
    for other in PROTOCOLS.values():
        for setting in other.settings:
            owners.setdefault(setting.name, []).append(other.name)
    return {name: names for name, names in owners.items() if protocol.name not in names}


def idle_options(flags):
    """Names of options that none of the methods takes: a list."""
    taken = settings.options_of(flags.methods)
    return [name for name in settings.OPTIONS if name not in taken]


def check_points(flags):
    """Raises an InputError for a protocol and settings that do not go with so many points."""
    if flags.num_point < point_drop.MIN_POINTS:
        raise InputError("`num_points` {}: give at least {}".format(flags.num_point, point_drop.MIN_POINTS))
    PROTOCOLS[flags.protocol].check(flags.num_point, **own_settings(flags))


def _check_heat(flags, protocol):
    """Refuses heat from elsewhere where the protocol takes more heat than a file can hold."""
    more = protocol.more_heat(**own_settings(flags))
    if flags.heat and more:
        raise InputError(
            "`heat` {}: --protocol {} takes {}, a file has that of whole clouds; --protocol {} takes no more".format(
                flags.heat[0].name,
                protocol.name,
                more,
                " or ".join(
                    other.name
                    for other in PROTOCOLS.values()
                    if not other.more_heat(**{setting.name: setting.default for setting in other.settings})
                ),
            )
        )


def _add_subject_flags(group):
    group.add_argument(
        "--protocol",
        choices=list(PROTOCOLS),
        default="drop",
        help="; ".join("{}: {}".format(protocol.name, protocol.help) for protocol in PROTOCOLS.values()),
    )
    exceptions = [
        "of {}: {}".format(protocol.name, " ".join(protocol.methods))
        for protocol in PROTOCOLS.values()
        if protocol.methods is not None
    ]
    slow = [name for name in METHODS if name not in _usual_methods()]
    group.add_argument(
        "--methods",
        nargs="+",
        metavar="METHOD",
        help="of {} (default: {})".format(
            ", ".join(METHODS), "; ".join(["all but the slow ones, {}".format(" ".join(slow))] + exceptions)
        ),
    )
    group.add_argument(
        "--heat",
        type=given_heat.source,
        action="append",
        metavar="NAME=FILE.npz",
        help="compare heat from elsewhere too, under that name: `heat` (clouds, points) with `class_name` and `index` "
        "of each cloud, or heat.npz of an explain run; give it again for more",
    )
    group.add_argument(
        "--classes", nargs="+", metavar="CLASS", help="names, or numbers from 1 (default: all that have test clouds)"
    )
    usual = max({protocol.per_class for protocol in PROTOCOLS.values()}, key=_num_protocols_with)
    exceptions = [
        "of {}: {}".format(protocol.name, protocol.per_class)
        for protocol in PROTOCOLS.values()
        if protocol.per_class != usual
    ]
    group.add_argument(
        "--per_class",
        type=positive_int,
        metavar="N",
        help="clouds of each class, the first ones (default: {})".format("; ".join([str(usual)] + exceptions)),
    )
    group.add_argument(
        "--num_point",
        type=positive_int,
        metavar="N",
        help="points of each cloud (default: as the network was trained, else 1024)",
    )
    command_line.add_data_flag(group)
    group.add_argument(
        "--rotation",
        choices=ROTATIONS,
        help="of the one view of each cloud, or of the votes (default: clouds as they lie, unless the network was "
        "trained with xyz; votes as it was trained)",
    )
    command_line.add_seed_flag(group, "all that is drawn")


def _usual_methods():
    return [name for name, method in METHODS.items() if not method.is_slow]


def _num_protocols_with(per_class):
    return sum(protocol.per_class == per_class for protocol in PROTOCOLS.values())


def _add_settings(parser):
    """A flag for each setting of the protocols; one that several have is declared once, with the defaults of all."""
    declared = set()
    for protocol in PROTOCOLS.values():
        own = [setting for setting in protocol.settings if setting.name not in declared]
        declared.update(setting.name for setting in own)
        if own:
            group = parser.add_argument_group("--protocol {}".format(protocol.name))
            for setting in own:
                _add_setting(group, setting)


def _add_setting(group, setting):
    if setting.choices:
        group.add_argument("--" + setting.name, choices=setting.choices, default=setting.default, help=setting.help)
        return
    if setting.kind is None:
        group.add_argument("--" + setting.name, action="store_true", help=setting.help)
        return
    defaults = {
        protocol.name: other.default
        for protocol in PROTOCOLS.values()
        for other in protocol.settings
        if other.name == setting.name
    }
    words = setting.help
    if len(set(defaults.values())) > 1:
        each = ["of {}: {}".format(name, default) for name, default in defaults.items()]
        words = "{} (default: {})".format(words, "; ".join(each))
    group.add_argument(
        "--" + setting.name, type=setting.kind, default=setting.default, metavar=setting.metavar, help=words
    )


def _add_file_flags(group):
    shards.add_flag(group, "cloud")
    workers.add_flag(group, "cloud")
    group.add_argument(
        "--dump_dir",
        metavar="FOLDER",
        help="where the files go (default: <log_dir>/compare/<protocol>, with the kind of dropping)",
    )
    group.add_argument(
        "--report",
        nargs="+",
        metavar="FOLDER",
        help="write summary.md and the figures of this folder anew, from its files alone; of several folders of one "
        "protocol, networks side by side, into --dump_dir",
    )
    picture_flags.add_colour_flags(group)
    picture_flags.add_figure_flags(group)
