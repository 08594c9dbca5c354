"""The flags of every script that opens a trained network, and what they name. Needs no TensorFlow."""

from typing import Any, Dict, NamedTuple, Optional, Tuple

import models
from utils.clouds.class_lists import read_class_names
from utils.command_line import add_gpu_flag, add_log_flag
from utils.files import InputError
from utils.network import checkpoint_files


def add_network_flags(group):
    """--log_dir, --model_path, --model, --class_names and --gpu."""
    add_log_flag(group)
    group.add_argument(
        "--model_path", metavar="CHECKPOINT", help="checkpoint (default: the best in --log_dir, else a shipped one)"
    )
    group.add_argument(
        "--model", choices=models.NAMES, help="its network, and which shipped one (default: what the checkpoint holds)"
    )
    group.add_argument(
        "--class_names",
        metavar="FILE",
        help="names of its classes, one a line, for a checkpoint of another program (default: as its config.json says)",
    )
    add_gpu_flag(group)


def known_class_names(config, path):
    """The names of the classes that a network was trained on.

    Args:
      config: of `checkpoint_files.read_config`.
      path: text file with one name a line, or None.

    Returns:
      Tuple of names; None where nobody knows.

    Raises:
      InputError: the file cannot be read, or names other classes than those that the network was trained on.
    """
    trained = tuple(config["class_names"]) if config.get("class_names") else None
    if path is None:
        return trained
    names = read_class_names(path)
    if trained not in (None, names):
        raise InputError(
            "`class_names` {}: the checkpoint's config.json names other classes; leave it out".format(path)
        )
    return names


class FoundNetwork(NamedTuple):
    """A checkpoint before it is opened.

    Attributes:
      prefix: its path.
      config: what stands beside it, as `checkpoint_files.read_config` reads it.
      class_names: tuple of the names of its classes; None where neither a flag nor the config has them.
    """

    prefix: str
    config: Dict[str, Any]
    class_names: Optional[Tuple[str, ...]]


def find_network(flags):
    """The FoundNetwork that the flags of `add_network_flags` name; --model and --rotation choose among shipped ones.

    Raises:
      InputError: there is none, or what stands beside it cannot be read.
    """
    prefix = checkpoint_files.find(flags.model_path, flags.log_dir, flags.rotation, model=flags.model)
    config = checkpoint_files.read_config(prefix)
    if checkpoint_files.has_averages_of_parts(prefix):
        print(
            "{} was saved between two tests of a training on parts of clouds (--train_points): it recognises fewer "
            "whole ones than it will after the next".format(prefix)
        )
    return FoundNetwork(prefix, config, known_class_names(config, flags.class_names))
