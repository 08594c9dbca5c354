"""What a training holds to that goes on where another run of it stopped, or begins with weights of another."""

import functools
import os

from utils import files
from utils.clouds import scaling
from utils.files import InputError
from utils.network import checkpoint_files

# A run that goes on must go on as it began: these flags decide what each step does.
FLAGS_OF_A_RUN = (
    "model",
    "num_point",
    "train_points",
    "batch_size",
    "learning_rate",
    "momentum",
    "optimizer",
    "schedule",
    "decay_step",
    "decay_rate",
    "rotation",
    "augment",
    "label_smoothing",
    "start_from",
    "seed",
)
# What trainings did that are older than these flags, or were not given them.
NEWER_FLAGS = {"augment": "none", "label_smoothing": 0.0, "train_points": None, "start_from": None}


def check(flags, config, idle=()):
    """Refuses to go on with other flags or data than a training in the same folder began with.

    Any number of processes goes on, with the same batch size of each or with the same in all.

    Args:
      flags: of train.py.
      config: what config.json is to keep of them and of the data; `data` has the sha256 of each split.
      idle: names of the flags that do nothing in this run.

    Raises:
      InputError: that training began otherwise.
    """
    if not is_begun(flags.log_dir):
        return
    before = checkpoint_files.read_config(_prefix(flags.log_dir))
    if not before:
        raise InputError(
            "{} holds a checkpoint, but no config.json that says how it was trained: give another `log_dir`, and this "
            "one as `start_from` to begin with its weights".format(flags.log_dir)
        )
    if config["scaled"] == scaling.ALWAYS and checkpoint_files.scaling_of(before) != scaling.ALWAYS:
        raise InputError(
            "`log_dir` {}: its training began with clouds as they lie, which are scaled into the unit sphere now; give "
            "another one, and this one as `start_from` to begin with its weights".format(flags.log_dir)
        )
    must_stay = [name for name in FLAGS_OF_A_RUN if name not in idle]
    same = {name: config[name] for name in must_stay}
    if config["batch_size"] * config["processes"] == before.get("batch_size", 0) * before.get("processes", 1):
        del same["batch_size"]
    # A null in the file is no value, and left out of `before`.
    check_same = functools.partial(
        files.check_same_settings, config_path(flags.log_dir), argument="log_dir", before=before
    )
    check_same(same, newer=NEWER_FLAGS)
    if flags.schedule == "cosine":
        way_on = "repeat that, as its cosine ends there, or begin with its weights by `start_from` in another"
        check_same({"max_epoch": flags.max_epoch}, way_on=way_on)
    of_data = {name: config[name] for name in ("class_names", "num_train")}
    check_same(of_data, way_on="give its `data_dir` or another")
    # Of older trainings nobody knows.
    known = before.get("data") or config["data"]
    others = [split for split, digest in config["data"].items() if known[split] != digest]
    if others:
        raise InputError(
            "`data_dir` {}: its clouds or labels for {} are not those that the training in {} began with; give its "
            "`data_dir` or another `log_dir`".format(flags.data_dir or "not given", " and ".join(others), flags.log_dir)
        )


def is_begun(log_dir):
    """Whether a training has left a checkpoint in a folder.

    A kill in the first epoch leaves the best network alone, which a training of other flags is not to replace.
    """
    best = os.path.join(log_dir, "best", "model.ckpt")
    return checkpoint_files.exists(_prefix(log_dir)) or checkpoint_files.exists(best)


def settle_seed(flags):
    """Draws anew, in a training that begins with weights, what those were trained on, unless a seed is given.

    Of the same seed, every cloud would come turned as it was then, and the network be asked what it knows by heart.

    Args:
      flags: of train.py; `seed` is set.

    Raises:
      InputError: there is no checkpoint to begin with, or what stands beside one cannot be read.
    """
    if flags.start_from is None or "seed" in flags.given:
        return
    if is_begun(flags.log_dir):
        flags.seed = checkpoint_files.read_config(_prefix(flags.log_dir)).get("seed") or 0
    else:
        start = checkpoint_files.find(flags.start_from, None, argument="start_from")
        flags.seed = ((checkpoint_files.read_config(start).get("seed") or 0) + 1) % 2**32


def config_path(log_dir):
    """Where a training in a folder keeps its flags."""
    return os.path.join(log_dir, "config.json")


def _prefix(log_dir):
    return os.path.join(log_dir, "model.ckpt")
