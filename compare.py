"""Which heat to believe? Puts methods side by side over many test clouds, by five protocols.

    python compare.py
    python compare.py --protocol sanity --methods p-grad-cam asm --per_class 3

Started again with the same flags it goes on where it was.
"""

import json
import os

from tqdm import tqdm

import models
import provider
from utils import command_line, files
from utils.compare import comparison, protocols, report
from utils.explain import heat
from utils.files import InputError
from utils.network import loading

# What rows depend on: a comparison that goes on must have the same.
FLAGS_OF_ROWS = (
    "protocol",
    "num_point",
    "rotation",
    "num_drop",
    "num_steps",
    "drop_neg",
    "one_shot",
    "pooling",
    "power",
    "num_votes",
    "eval_every",
    "seed",
    "model",
    "weights",
    "data_dir",
)


def parse_flags():
    parser = command_line.Parser("Compares methods of explanation over many test clouds.")
    group = parser.add_argument_group("what is compared")
    group.add_argument(
        "--protocol",
        choices=list(protocols.PROTOCOLS),
        default="drop",
        help="drop: accuracy as the hottest points go; insert: as they come; thesis: points until the "
        "object is lost; sanity: against networks with re-initialised layers; stability: under "
        "rotation, jitter and re-sampling",
    )
    group.add_argument(
        "--methods",
        nargs="+",
        choices=list(heat.METHODS),
        metavar="METHOD",
        help="of {} (default: all; of thesis: p-grad-cam asm)".format(", ".join(heat.METHODS)),
    )
    group.add_argument("--classes", nargs="+", metavar="CLASS", help="names, or numbers from 1 to 40 (default: all)")
    group.add_argument(
        "--per_class",
        type=command_line.positive_int,
        metavar="N",
        help="clouds of each class, the first ones (default: 10; of thesis: 1)",
    )
    group.add_argument("--num_point", type=command_line.positive_int, default=1024, help="points of each cloud")
    group.add_argument(
        "--data_dir",
        metavar="FOLDER",
        help="the ModelNet40 HDF5 files, or `demo` for the built-in shapes (default: "
        "data/{}, fetched when missing)".format(provider.MODELNET40),
    )
    group.add_argument(
        "--rotation",
        choices=command_line.ROTATIONS,
        help="of the one view of each cloud, or of the votes of `thesis` (default: clouds as they lie, "
        "unless the network was trained with xyz; votes as it was trained)",
    )
    group.add_argument("--seed", type=command_line.seed, default=0, help="of all that is drawn")
    group = parser.add_argument_group("network")
    group.add_argument("--log_dir", default=os.path.join(files.PROJECT_DIR, "log"), help="folder that train.py wrote")
    group.add_argument(
        "--model_path",
        metavar="CHECKPOINT",
        help="checkpoint to explain (default: the best in --log_dir, else a shipped one)",
    )
    group.add_argument("--model", choices=models.NAMES, help="its network (default: what the checkpoint holds)")
    group.add_argument("--gpu", type=int, default=0, help="index of the GPU; -1 for the CPU")
    group = parser.add_argument_group("protocols and methods")
    group.add_argument("--num_drop", type=command_line.positive_int, default=5, help="points that a round drops")
    group.add_argument("--num_steps", type=command_line.positive_int, default=40, help="rounds of dropping")
    group.add_argument("--drop_neg", action="store_true", help="drop the points of lowest heat instead")
    group.add_argument("--one_shot", action="store_true", help="take the heat once, not anew in each round")
    group.add_argument("--pooling", choices=("max", "avg"), default="max", help="of p-grad-CAM")
    group.add_argument("--power", type=command_line.finite_float, default=1.0, help="alpha of ASM")
    group.add_argument(
        "--num_votes",
        type=command_line.positive_int,
        metavar="VOTES",
        help="rotations under which `thesis` classifies (default: 500 for p-grad-cam, else 100)",
    )
    group.add_argument(
        "--eval_every",
        type=command_line.positive_int,
        default=8,
        metavar="K",
        help="`thesis` classifies in every K-th round only, and goes back to find the last",
    )
    group = parser.add_argument_group("files and pictures")
    group.add_argument(
        "--dump_dir",
        metavar="FOLDER",
        help="where the files go (default: <log_dir>/compare/<protocol>, with the kind of dropping)",
    )
    group.add_argument("--colormap", default="viridis", help="of the clouds: `thesis` or any matplotlib colour map")
    group.add_argument("--scale", choices=("linear", "rank"), default="rank", help="from heat to colour")
    flags = parser.parse_args()
    if flags.protocol != "drop" and (flags.drop_neg or flags.one_shot):
        parser.error("--drop_neg and --one_shot go with --protocol drop")
    is_thesis = flags.protocol == "thesis"
    flags.methods = list(dict.fromkeys(flags.methods or (["p-grad-cam", "asm"] if is_thesis else heat.METHODS)))
    flags.per_class = flags.per_class or (1 if is_thesis else 10)
    if flags.dump_dir is None:
        name = flags.protocol + "_lowest" * flags.drop_neg + "_one_shot" * flags.one_shot
        flags.dump_dir = os.path.join(flags.log_dir, "compare", name)
    return flags


def main():
    flags = parse_flags()
    protocol = protocols.PROTOCOLS[flags.protocol]
    protocols.check_flags(flags)
    report.check_flags(flags)
    flags.data_dir = os.path.abspath(provider.find_data_dir(flags.data_dir))
    names = provider.load_class_names(flags.data_dir)
    classes = sorted({provider.class_label(name, names, "--classes") for name in flags.classes or names})
    clouds = comparison.load_clouds(flags.data_dir, classes, flags.per_class, flags.num_point)
    files.make_folder(flags.dump_dir, "--dump_dir")
    loading.load_tensorflow()
    # TensorFlow takes seconds to load: only once flags and data are known to be good.
    from utils.network import checkpoint, explainer

    flags.model_path = checkpoint.find(flags.model_path, flags.log_dir, flags.rotation)
    with checkpoint.restore(flags.model_path, flags.model, flags.gpu) as network:
        flags.model, flags.weights = network.model_name, checkpoint.digest(flags.model_path)
        flags.rotation = flags.rotation or default_rotation(flags.protocol, network.config)
        if flags.protocol != "thesis":
            clouds = protocols.turn_clouds(clouds, flags.rotation, flags.seed)
        print(
            "{} of {}: {} clouds of {} classes, {} points each, rotation {}, methods: {}".format(
                network.model_name,
                network.prefix,
                len(clouds),
                len({cloud.label for cloud in clouds}),
                flags.num_point,
                flags.rotation,
                ", ".join(flags.methods),
            )
        )
        keep_flags(flags)
        rows = comparison.RowFile(os.path.join(flags.dump_dir, "rows.csv"), protocol.columns)
        steps = protocol.steps(flags, network.model_name)
        total = len(flags.methods) * len(clouds) * len(steps)
        with tqdm(
            total=total, initial=rows.count(flags.methods, clouds, steps), unit="row", desc=flags.protocol
        ) as bar:
            bench = comparison.Comparison(explainer.Explainer(network), network, clouds, flags, rows, bar.update)
            try:
                protocol.run(bench)
            except KeyboardInterrupt:
                bar.write(
                    "{} rows are kept in {}; the same command goes on from there".format(
                        rows.num_written(), flags.dump_dir
                    )
                )
                raise
        report.write(bench, steps)


def default_rotation(protocol, config):
    """Votes are turned as the network was trained; a view is of the cloud as it lies, unless it never saw it so."""
    trained = config.get("rotation", "xyz" if protocol == "thesis" else "y")
    return trained if protocol == "thesis" or trained == "xyz" else "none"


def keep_flags(flags):
    """Writes run.json; refuses a folder whose rows came from other flags.

    Raises:
      InputError: the folder holds another comparison.
    """
    path = os.path.join(flags.dump_dir, "run.json")
    if os.path.exists(path):
        try:
            with open(path, encoding="utf-8") as file:
                before = dict(json.load(file))
        except (OSError, ValueError, TypeError) as error:
            raise InputError("{} cannot be read ({}): give another --dump_dir".format(path, error))
        if before.get("protocol") not in list(protocols.PROTOCOLS):
            raise InputError("{} is not of a comparison: give another --dump_dir".format(path))
        for name in FLAGS_OF_ROWS:
            if before.get(name) != getattr(flags, name):
                raise InputError(
                    "{} holds a comparison with {} {}, not {}: repeat that, or give another --dump_dir".format(
                        flags.dump_dir, name, before.get(name), getattr(flags, name)
                    )
                )
    elif os.path.exists(os.path.join(flags.dump_dir, "rows.csv")):
        raise InputError(
            "{} is missing, so nobody knows which flags the rows.csv beside it is of: delete that or give "
            "another --dump_dir".format(path)
        )
    files.write_json(path, dict(vars(flags), versions=files.versions()))


if __name__ == "__main__":
    command_line.run(main)
