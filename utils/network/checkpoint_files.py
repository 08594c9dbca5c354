"""Where a checkpoint is, what stands beside it, and how it gets there whole. Needs no TensorFlow."""

import glob
import hashlib
import os
import re
import shutil

import models
from utils import wording
from utils.clouds import scaling
from utils.command_line import ROTATIONS
from utils.files import PROGRAM, PROJECT_DIR, InputError, printable, put_in_place, read_json

PRETRAINED_DIR = os.path.join(PROJECT_DIR, "log", "pretrained")
LONGEST_VALUE = 60  # letters of a value in a message
SCALINGS = (scaling.WHERE_NEEDED, scaling.ALWAYS)  # that a training writes
ENDINGS = (".data-00000-of-00001", ".index")
# What is to be known of a checkpoint, where something is: put in place with it, and before its index.
FACTS = ".json"
OF_PARTS = "averages_of_parts"  # of the facts
POINTNET = "pointnet_cls"  # the network that is shipped for several rotations
SAVING = ".saving"  # after the prefix: the folder in which a checkpoint is written


def num_points_of(config):
    """How many points the clouds had that a network of a config.json was trained for; 1024 where nobody knows."""
    return config.get("num_point") or 1024


def scaling_of(config):
    """Which clouds of a data set a network of a config.json is to see scaled into the unit sphere, as it was trained.

    Older trainings scaled none. Where they were not of ModelNet40, their clouds may lie anywhere.
    """
    is_own = config.get("data_dir") not in (None, "demo")
    return config.get("scaled") or (scaling.NEVER if is_own else scaling.WHERE_NEEDED)


def find(model_path, log_dir, rotation=None, argument="model_path", model=None):
    """The checkpoint to explain. Says which it takes where none is named. Changes no file.

    Args:
      model_path: a prefix such as `log/model.ckpt`, one of its files, or a folder.
        None: the best, else the last, in `log_dir`; without one there, a shipped one.
      log_dir: folder that `train.py` wrote.
      rotation: of the shipped PointNets, "xyz" takes the one that was trained for it.
      argument: name of the argument that gave `model_path`, for the message.
      model: the network of the shipped checkpoint, one of models.NAMES; None: PointNet.

    Returns:
      The prefix of a checkpoint that `exists`.

    Raises:
      InputError: there is none.
    """
    if model_path is None:
        tried = [os.path.join(log_dir, "best", "model.ckpt"), os.path.join(log_dir, "model.ckpt")]
        of_rotation = "rotation_xyz" if rotation == "xyz" else "rotation_y"
        shipped = os.path.join(PRETRAINED_DIR, model if model not in (None, POINTNET) else of_rotation, "model.ckpt")
        way_on = "train one with train.py, or name one with `model_path`"
    else:
        prefix = model_path
        for ending in (".meta",) + ENDINGS:
            prefix = prefix[: -len(ending)] if prefix.endswith(ending) else prefix
        tried = [prefix, os.path.join(model_path, "best", "model.ckpt"), os.path.join(model_path, "model.ckpt")]
        way_on = "give `{}` the prefix before .index, such as log/model.ckpt".format(argument)
    for prefix in tried:
        if exists(prefix):
            if model_path is None:
                print("Taking the network trained in {}{}".format(log_dir, _known_of(prefix)))
            return prefix
    if model_path is None and exists(shipped):
        print("No checkpoint in {}: taking the shipped network {}".format(log_dir, os.path.dirname(shipped)))
        return shipped
    raise InputError("no checkpoint at {}: {}".format(model_path or log_dir, way_on))


def _known_of(prefix):
    """How good a network was when it was saved, as a part of a sentence; nothing where nobody knows."""
    accuracy = read_facts(prefix).get("accuracy")
    if not isinstance(accuracy, float):
        return ""
    return ", which knew {} of its test clouds".format(wording.percent(accuracy, 2))


def exists(prefix):
    """Whether there is a checkpoint of this prefix, be it one whose save was cut off in its last step."""
    return os.path.isfile(prefix + ".index") or os.path.isfile(prefix + ".new.index")


def read_config(prefix):
    """The config.json that `train.py` wrote beside a checkpoint, or above its `best` folder; {} without one.

    A value of None is as good as no value, and left out.

    Raises:
      InputError: it cannot be read, or a value that later steps take from it is none of its kind.
    """
    folder = os.path.dirname(os.path.abspath(prefix))
    folders = [folder] + ([os.path.dirname(folder)] if os.path.basename(folder) == "best" else [])
    for path in (os.path.join(folder, "config.json") for folder in folders):
        if os.path.isfile(path):
            config = read_json(path, "mend it or delete it")
            if config.get("model") not in models.NAMES:
                # An unrelated config.json, of another program, counts as none.
                _check_is_of_another_program(config, path)
                return {}
            config = {name: value for name, value in config.items() if value is not None}
            _check_values(config, path)
            return config
    return {}


def _check_is_of_another_program(config, path):
    """Raises an InputError for a config.json of ours: one of our networks may have the same layers as its own."""
    versions = config.get("versions")
    if isinstance(versions, dict) and PROGRAM in versions:
        raise InputError(
            "{} is of a network {} that models/__init__.py does not name: add that to its NAMES, or delete this "
            "file".format(path, printable(repr(config.get("model")), LONGEST_VALUE))
        )


def _check_values(config, path):
    """Raises an InputError for a value that is not as `train.py` writes it."""
    names = config.get("class_names")
    wanted = {
        "num_point": (_is_count(config.get("num_point")), "a whole number of 1 or more"),
        "batch_size": (_is_count(config.get("batch_size")), "a whole number of 1 or more"),
        "processes": (_is_count(config.get("processes")), "a whole number of 1 or more"),
        "seed": (_is_seed(config.get("seed")), "a whole number from 0 to 4294967295"),
        "rotation": (config.get("rotation") in ROTATIONS, "one of " + ", ".join(ROTATIONS)),
        "scaled": (config.get("scaled") in SCALINGS, "one of " + ", ".join(SCALINGS)),
        "class_names": (_are_names(names), "a list of names, each once"),
        "data": (_are_digests(config.get("data")), "a sha256 each of train and test"),
    }
    for name, (is_right, kind) in wanted.items():
        if name in config and not is_right:
            raise InputError(
                "{} has {} {}: it must be {}; mend it, or delete the file".format(
                    path, name, printable(repr(config[name]), LONGEST_VALUE), kind
                )
            )


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_seed(value):
    return (_is_count(value) or value == 0) and value < 2**32


def _are_names(value):
    """Whether this is a list of distinct texts that can be written to a file."""
    is_list = isinstance(value, list) and value and all(isinstance(name, str) and name.strip() for name in value)
    return is_list and len(set(value)) == len(value) and not re.search("[\0\ud800-\udfff]", "".join(value))


def _are_digests(value):
    return isinstance(value, dict) and all(isinstance(value.get(split), str) for split in ("train", "test"))


def replace(written, prefix):
    """Puts a checkpoint in the place of another, so that a kill at any moment leaves the old one or the new one.

    What holds after a power cut is said at `files.put_in_place`.

    Args:
      written: prefix of the whole new checkpoint, with its facts if there are any, in the same file system.
      prefix: where it goes.
    """
    # Once the index stands under its `.new` name, the save counts: `finish_save` completes it, now or after a crash.
    for ending in (FACTS,) + ENDINGS:
        if ending != FACTS or os.path.isfile(written + FACTS):
            put_in_place(written + ending, prefix + ".new" + ending)
    finish_save(prefix)


def finish_save(prefix):
    """Completes a save that was cut off between its files, or removes what one left that was cut off before.

    Only a training does so, which holds its folder: of two that complete a save, one could take the file of the next.
    """
    counts = os.path.isfile(prefix + ".new.index")
    for path, ending in ((prefix + ".new" + ending, ending) for ending in (FACTS,) + ENDINGS):
        if counts and os.path.isfile(path):
            put_in_place(path, prefix + ending)
        elif os.path.isfile(path):
            os.remove(path)
    shutil.rmtree(prefix + SAVING, ignore_errors=True)


def read_facts(prefix):
    """What was saved with a checkpoint to be known of it: a dictionary, {} without any.

    Raises:
      InputError: it cannot be read.
    """
    path = prefix + FACTS
    return read_json(path, "delete it, and this checkpoint counts as any other") if os.path.isfile(path) else {}


def has_averages_of_parts(prefix):
    """Whether batch norm's averages in a checkpoint are of parts of clouds, as between two tests of `--train_points`.

    Of whole clouds such a network knows fewer: a maximum over part of a ball is less than one over all of it.
    """
    return read_facts(prefix).get(OF_PARTS) is True


def whole_files(prefix):
    """The files of a checkpoint: {ending: path}. After a save that was cut off, some have their `.new` names."""
    is_cut_off = os.path.isfile(prefix + ".new.index")
    news = {ending: prefix + ".new" + ending for ending in ENDINGS}
    return {
        ending: new if is_cut_off and os.path.isfile(new) else prefix + ending for ending, new in sorted(news.items())
    }


def state(prefix):
    """What tells a checkpoint from the one that takes its place: a tuple that differs once one of its files does."""
    return tuple(_file_state(path) for path in whole_files(prefix).values())


def _file_state(path):
    try:
        found = os.stat(path)
    except OSError:
        return path, None
    return path, found.st_ino, found.st_size, found.st_mtime_ns


def digest(prefix):
    """The sha256 of a checkpoint's values, as hexadecimal digits: says whether two runs had the same network."""
    found = hashlib.sha256()
    data = whole_files(prefix)[ENDINGS[0]]
    # Other programs' can lie in several files.
    for path in [data] if os.path.isfile(data) else sorted(glob.glob(glob.escape(prefix) + ".data-*")):
        with open(path, "rb") as file:
            found.update(file.read())
    return found.hexdigest()


def default_rotation(config, is_one_view=False):
    """How clouds are turned unless a flag says otherwise.

    Args:
      config: of `read_config`.
      is_one_view: whether each cloud is looked at once. Data sets are aligned, so such a cloud is taken as it lies,
        unless the network was trained for any rotation and never saw one so.

    Returns:
      "none", "y" or "xyz": what the network was trained with; "xyz" where nobody knows.
    """
    trained = config.get("rotation")
    if is_one_view:
        return "xyz" if trained == "xyz" else "none"
    return trained or "xyz"
