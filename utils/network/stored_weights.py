"""The weights in a checkpoint, ours or one of the networks' authors, by our names."""

import time

import numpy as np
import tensorflow.compat.v1 as tf

import models
from utils.files import InputError
from utils.network import checkpoint_files, checkpoint_paths

MOST_READS, SECONDS_BETWEEN_READS = 10, 0.2  # of a checkpoint that a training replaces meanwhile
LEAST_VARIANCE = -1e-4  # that rounding leaves of one of 0; batch norm adds 1e-3 to it


def read_whole(prefix, read):
    """What a function returns of the StoredWeights of a checkpoint; called again where that is replaced meanwhile.

    Between the two renames of a training that saves, the index is of one network and the values are of another, which
    the reader calls damaged.
    """
    tries_left = MOST_READS
    while True:
        tries_left -= 1
        before = checkpoint_files.state(prefix)
        try:
            with checkpoint_paths.readable(prefix) as readable:
                found = read(StoredWeights(prefix, readable))
            if not tries_left or checkpoint_files.state(prefix) == before:
                return found
        except InputError:
            if not tries_left or checkpoint_files.state(prefix) == before:
                raise
        time.sleep(SECONDS_BETWEEN_READS)


class StoredWeights:
    """The variables of a checkpoint, under our names.

    Attributes:
      model_names: tuple of those of models.NAMES whose layers are the ones in the checkpoint; empty without any.
      model_name: the one of them that `take_as` takes it for; None before.
    """

    def __init__(self, prefix, readable):
        """readable: a prefix of the same checkpoint, of `checkpoint_paths.readable`."""
        self._prefix = prefix
        try:
            self._reader = tf.train.NewCheckpointReader(readable)
        # TensorFlow 1.15 raises OpErrors here, TensorFlow 2 whatever the C++ status maps to.
        except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
            raise _damaged(prefix, error)
        self._shapes = self._reader.get_variable_to_shape_map()
        self._types = self._reader.get_variable_to_dtype_map()
        # Optimizers store no `weights`.
        layers = {name.split("/")[0] for name in self._shapes if name.endswith("/weights")}
        self.model_names = tuple(name for name in models.NAMES if layers == set(models.network(name).LAYERS_FROM_TOP))
        self.model_name = None

    @property
    def num_classes(self):
        """How many classes its network tells apart: the width of the topmost layer."""
        name = models.network(self.model_name).LAYERS_FROM_TOP[0] + "/weights"
        shape = self._shapes.get(name)
        if not shape:
            raise InputError("{} holds no matrix {}: give one of a {}".format(self._prefix, name, self.model_name))
        return shape[-1]

    def take_as(self, asked=None, trained=None):
        """Settles of which network it is; several can have the same layers.

        The smaller network would load from the larger one's checkpoint, by name and shape, and compute nonsense.

        Args:
          asked: the name of the network that it is to be of; None: of any.
          trained: the name in its config.json, None without one. It decides where several have these layers.

        Raises:
          InputError: it is of another network, of none that we know, or of one of several, and nobody says which.
        """
        names = " or ".join(self.model_names) or "no network of ours"
        if asked is not None and asked not in self.model_names:
            raise InputError(
                "{} does not fit `model` {}: it holds {}; give the checkpoint of a {}".format(
                    self._prefix, asked, names, asked
                )
            )
        if not self.model_names:
            raise InputError(
                "{} holds {}: give a checkpoint of {}".format(self._prefix, names, " or ".join(models.NAMES))
            )
        if asked is None and trained not in self.model_names and len(self.model_names) > 1:
            raise InputError(
                "{} holds {}, which have the same layers, and no config.json says which: say it by `model`".format(
                    self._prefix, names
                )
            )
        self.model_name = asked or (trained if trained in self.model_names else self.model_names[0])

    def read(self, name, shape, kind=np.float32):
        """The value of a variable, as an array.

        Args:
          name: its name here, such as `conv1/weights`.
          shape: list of its sizes.
          kind: NumPy type of its numbers here; there they can be of any precision.

        Raises:
          InputError: it is not there, has another shape, is damaged, or holds anything but real numbers that float32
            has; or, as a variance, one below 0.
        """
        stored_name = next((known for known in names_of(name) if known in self._shapes), None)
        if stored_name is None:
            raise InputError(
                "{} does not fit {}: it holds no {}, so it is of another network with layers of these names, or is "
                "not whole; give one of a {}".format(self._prefix, self.model_name, name, self.model_name)
            )
        if self._shapes[stored_name] != shape:
            if name.split("/")[0] == models.network(self.model_name).LAYERS_FROM_TOP[0]:
                raise InputError(
                    "{} tells {} classes apart, the network here {}: give a checkpoint of as many".format(
                        self._prefix, self._shapes[stored_name][-1], shape[-1]
                    )
                )
            raise InputError(
                "{} does not fit {}: {} is {} there, {} here".format(
                    self._prefix, self.model_name, stored_name, self._shapes[stored_name], shape
                )
            )
        stored_type = self._types[stored_name]
        if not (stored_type.is_floating or stored_type.is_integer):
            raise InputError(
                "{} does not fit {}: {} is of {} there, {} here".format(
                    self._prefix, self.model_name, stored_name, stored_type.name, np.dtype(kind).name
                )
            )
        try:
            found = self._reader.get_tensor(stored_name)
        except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
            raise _damaged(self._prefix, error)
        with np.errstate(over="ignore"):
            numbers = found.astype(np.float32)
        if not np.isfinite(numbers).all():
            raise InputError(
                "{} holds numbers that are none, in {}: its training diverged; give a checkpoint of before, such as "
                "that in best/, or train anew with a smaller `learning_rate`".format(self._prefix, stored_name)
            )
        if name.endswith("/moving_variance") and (numbers < LEAST_VARIANCE).any():
            raise InputError(
                "{} holds a variance below 0, {:g} in {}: it is damaged, or of a program that went wrong; copy it "
                "again, or give another".format(self._prefix, numbers.min(), stored_name)
            )
        # Counts of steps are beyond what float32 tells apart.
        return numbers if kind == np.float32 else found.astype(kind)


def names_of(name):
    """The names a variable may have in a checkpoint: ours, then upstream's for the averages of a batch norm."""
    yield name
    for ours, theirs in (("moving_mean", "Squeeze"), ("moving_variance", "Squeeze_1")):
        if name.endswith("/bn/" + ours):
            scope = name[: -len("/" + ours)]
            yield "{0}/{0}/moments/{1}/ExponentialMovingAverage".format(scope, theirs)


def _damaged(prefix, error):
    reason = getattr(error, "message", str(error)).strip().split("\n")[0]
    return InputError("checkpoint {} is damaged or incomplete ({}): copy or train it again".format(prefix, reason))
