"""A checkpoint, ours or one of upstream PointNet, -> a session that holds the network."""

import collections
import contextlib
import glob
import hashlib
import json
import os
import shutil

import tensorflow.compat.v1 as tf

import models
from utils.command_line import PROJECT_DIR, InputError

NUM_CLASSES = 40
PRETRAINED_DIR = os.path.join(PROJECT_DIR, "log", "pretrained")

Network = collections.namedtuple("Network", "session points logits end_points model_name config prefix")
Network.__doc__ = """A network in evaluation mode with the weights of a checkpoint.

session: the tf.Session; points: placeholder [B, N, 3], N free; logits: Tensor [B, 40]; end_points: as `get_model` returns;
model_name: one of models.NAMES; config: what config.json beside the checkpoint holds, {} without one;
prefix: path of the checkpoint.
"""


def find(model_path, log_dir, rotation=None, flag="--model_path"):
    """The checkpoint to explain. Says so where it takes one that the program ships.

    Args:
      model_path: what --model_path names: a prefix such as `log/model.ckpt`, one of its files, or a folder.
        None: the best, else the last, in `log_dir`; without one there, a shipped one.
      log_dir: folder that `train.py` wrote.
      rotation: of the shipped checkpoints, "xyz" takes the one that was trained for it.
      flag: that gave `model_path`, for the message.

    Returns:
      The prefix of a checkpoint whose index file exists.

    Raises:
      InputError: there is none.
    """
    if model_path is None:
        tried = [os.path.join(log_dir, "best", "model.ckpt"), os.path.join(log_dir, "model.ckpt")]
        shipped = os.path.join(PRETRAINED_DIR, "rotation_xyz" if rotation == "xyz" else "rotation_y", "model.ckpt")
        way_on = "train one with train.py, or name one with --model_path"
    else:
        prefix = model_path
        for ending in (".index", ".meta", ".data-00000-of-00001"):
            prefix = prefix[: -len(ending)] if prefix.endswith(ending) else prefix
        tried = [prefix, os.path.join(model_path, "best", "model.ckpt"), os.path.join(model_path, "model.ckpt")]
        way_on = "give {} the prefix before .index, such as log/model.ckpt".format(flag)
    for prefix in tried:
        finish_save(prefix)
        if os.path.isfile(prefix + ".index"):
            return prefix
    if model_path is None and os.path.isfile(shipped + ".index"):
        print("No checkpoint in {}: taking the shipped network {}".format(log_dir, os.path.dirname(shipped)))
        return shipped
    raise InputError("no checkpoint at {}: {}".format(model_path or log_dir, way_on))


def read_config(prefix):
    """The config.json that `train.py` wrote beside a checkpoint, or above its `best` folder; {} without one."""
    folder = os.path.dirname(os.path.abspath(prefix))
    folders = [folder] + ([os.path.dirname(folder)] if os.path.basename(folder) == "best" else [])
    for path in (os.path.join(folder, "config.json") for folder in folders):
        if os.path.isfile(path):
            try:
                with open(path, encoding="utf-8") as file:
                    config = json.load(file)
                # An unrelated config.json, of another program, counts as none.
                return config if isinstance(config, dict) and config.get("model") in models.NAMES else {}
            except (OSError, ValueError) as error:
                raise InputError("{} cannot be read ({}): mend it or delete it".format(path, error))
    return {}


@contextlib.contextmanager
def restore(prefix, model_name=None, gpu=0, fresh_layers=(), seed=0):
    """Opens a session with the network of a checkpoint, in evaluation mode.

    Args:
      prefix: path of the checkpoint, as `find` returns it.
      model_name: one of models.NAMES; None: whichever the checkpoint holds.
      gpu: index of the GPU, -1 for the CPU.
      fresh_layers: names of layers, such as "fc3" or "transform_net1", that get the weights of a network before any
        training instead: drawn anew, with the batch norm of a new layer.
      seed: of those weights.

    Yields:
      A Network.

    Raises:
      InputError: the checkpoint is damaged, or is not of this network.
    """
    stored = _StoredWeights(prefix)
    model_name = model_name or stored.model_name
    if model_name not in models.NAMES:
        raise InputError("{} holds {}: give a checkpoint of {}".format(prefix, model_name, " or ".join(models.NAMES)))
    stored.check_is_of(model_name)

    def value_of(getter, name, shape, **options):
        if name.split("/")[0] in fresh_layers:
            return getter(name, shape, **options)
        return tf.constant(stored.read(name, list(shape)), name=name)

    with tf.Graph().as_default(), open_session(gpu) as session:
        tf.set_random_seed(seed)
        points = tf.placeholder(tf.float32, [None, None, 3], "points")
        # With constants for variables, TensorFlow folds batch norm into weights and biases once, not in every call.
        with tf.variable_scope("", custom_getter=value_of):
            logits, end_points = models.network(model_name).get_model(
                points, is_training=False, num_classes=NUM_CLASSES
            )
        session.run(tf.global_variables_initializer())
        yield Network(session, points, logits, end_points, model_name, read_config(prefix), prefix)


def load(session, prefix, variables, model_name):
    """Loads variables by name, under our names or under upstream PointNet's.

    Args:
      session: the tf.Session.
      prefix: path of the checkpoint.
      variables: list of tf.Variable.
      model_name: what the variables are of, for the message.

    Raises:
      InputError: the checkpoint is damaged, or a variable is missing from it or has another shape there.
    """
    stored = _StoredWeights(prefix)
    stored.check_is_of(model_name)
    for variable in variables:
        variable.load(stored.read(variable.op.name, variable.shape.as_list()), session)


def open_session(gpu):
    """A session on one device.

    Args:
      gpu: index of the GPU; -1 for the CPU. Where there is no GPU at all, 0 means the CPU too.

    Raises:
      InputError: there is no such GPU.
    """
    # Asking for a GPU that is not there would end the process, not raise, in TensorFlow 1.15.
    num_gpus = 0 if gpu < 0 else len(tf.config.experimental.list_physical_devices("GPU"))
    if gpu > 0 and gpu >= num_gpus:
        raise InputError(
            "--gpu {}: TensorFlow sees {} GPUs here; give {}-1 for the CPU".format(
                gpu, num_gpus, "0 to {}, or ".format(num_gpus - 1) if num_gpus else "0 or "
            )
        )
    config = tf.ConfigProto(allow_soft_placement=True, device_count={} if num_gpus else {"GPU": 0})
    if num_gpus:
        config.gpu_options.allow_growth = True
        config.gpu_options.visible_device_list = str(gpu)
    return tf.Session(config=config)


def save(session, saver, prefix):
    """Saves a checkpoint under a fixed name, so that a kill at any moment leaves the old one or the new one.

    Args:
      session: the tf.Session.
      saver: the tf.train.Saver.
      prefix: path to save under; its folder exists.
    """
    folder, name = os.path.split(prefix)
    temporary = os.path.join(folder, name + ".saving")
    shutil.rmtree(temporary, ignore_errors=True)
    os.makedirs(temporary)
    written = saver.save(session, os.path.join(temporary, name), write_meta_graph=False, write_state=False)
    # Once the index stands under its `.new` name, the save counts: `finish_save` completes it, now or after a crash.
    for ending in (".data-00000-of-00001", ".index"):
        os.replace(written + ending, prefix + ".new" + ending)
    shutil.rmtree(temporary)
    finish_save(prefix)
    tf.train.update_checkpoint_state(folder, name)


def digest(prefix):
    """The sha256 of a checkpoint's values, as hexadecimal digits: says whether two runs had the same network."""
    found = hashlib.sha256()
    for path in sorted(glob.glob(glob.escape(prefix) + ".data-*")):
        with open(path, "rb") as file:
            found.update(file.read())
    return found.hexdigest()


def finish_save(prefix):
    """Completes a save that was cut off between its two files. Does nothing otherwise."""
    if os.path.isfile(prefix + ".new.index"):
        for ending in (".data-00000-of-00001", ".index"):
            # A script that opens the checkpoint while it is being saved completes it too; one of the two is first.
            with contextlib.suppress(FileNotFoundError):
                os.replace(prefix + ".new" + ending, prefix + ending)


class _StoredWeights:
    """The variables of a checkpoint, under our names.

    Attributes:
      model_name: one of models.NAMES, or words that say it holds none of them.
    """

    def __init__(self, prefix):
        self._prefix = prefix
        try:
            self._reader = tf.train.NewCheckpointReader(prefix)
        # TensorFlow 1.15 raises OpErrors here, TensorFlow 2 whatever the C++ status maps to.
        except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
            raise _damaged(prefix, error)
        self._shapes = self._reader.get_variable_to_shape_map()
        self.model_name = "no network of ours"
        if "conv5/weights" in self._shapes:
            has_t_nets = "transform_net1/tconv1/weights" in self._shapes
            self.model_name = "pointnet_cls" if has_t_nets else "pointnet_cls_basic"

    def check_is_of(self, model_name):
        """Raises an InputError unless the checkpoint is of this network.

        The smaller network would load from the larger one's checkpoint, by name and shape, and compute nonsense.
        """
        if self.model_name != model_name:
            raise InputError(
                "{} does not fit --model {}: it holds {}; give the checkpoint of a {}".format(
                    self._prefix, model_name, self.model_name, model_name
                )
            )

    def read(self, name, shape):
        """The value of a variable, as an array.

        Args:
          name: its name here, such as `conv1/weights`.
          shape: list of its sizes.

        Raises:
          InputError: it is not there, has another shape, or is damaged.
        """
        stored_name = next((known for known in _names_of(name) if known in self._shapes), None)
        if stored_name is None:
            raise InputError(
                "{} does not fit {}: it holds no {}; train it again".format(self._prefix, self.model_name, name)
            )
        if self._shapes[stored_name] != shape:
            raise InputError(
                "{} does not fit {}: {} is {} there, {} here; a network for {} classes is needed".format(
                    self._prefix, self.model_name, stored_name, self._shapes[stored_name], shape, NUM_CLASSES
                )
            )
        try:
            return self._reader.get_tensor(stored_name)
        except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
            raise _damaged(self._prefix, error)


def _names_of(name):
    """The names a variable may have in a checkpoint: ours, then upstream's for the averages of a batch norm."""
    yield name
    for ours, theirs in (("moving_mean", "Squeeze"), ("moving_variance", "Squeeze_1")):
        if name.endswith("/bn/" + ours):
            scope = name[: -len("/" + ours)]
            yield "{0}/{0}/moments/{1}/ExponentialMovingAverage".format(scope, theirs)


def _damaged(prefix, error):
    reason = getattr(error, "message", str(error)).strip().split("\n")[0]
    return InputError("checkpoint {} is damaged or incomplete ({}): copy or train it again".format(prefix, reason))
