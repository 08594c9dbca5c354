"""The graph of a training and its session: steps, evaluation, TensorBoard, checkpoints that resume."""

import contextlib
import os

import numpy as np
import tensorflow.compat.v1 as tf

import models
from utils.network import checkpoint, explainer

BATCH_NORM_DECAY_START = 0.5
BATCH_NORM_DECAY_LIMIT = 0.99
BATCH_NORM_DECAY_RATE = 0.5
LEARNING_RATE_FLOOR = 1e-5
# Of TensorBoard's three.js. Through its 75 degrees, from so near, the front points would hide the rest. The size of a
# point knows nothing of the angle: through 30 degrees 0.1 looks like 0.1 tan(15 degrees) = 0.027 sphere radii.
MESH_CONFIG = {
    "camera": {"cls": "PerspectiveCamera", "fov": 30, "near": 0.1, "far": 1000},
    "material": {"cls": "PointsMaterial", "size": 0.1},
}


@contextlib.contextmanager
def open_training(flags, clouds_in_all):
    """Opens a session with a network in training; it goes on from the last checkpoint of `flags.log_dir`, if any.

    Args:
      flags: of train.py.
      clouds_in_all: how many clouds all epochs together train on; a cosine ends there.

    Yields:
      A TrainingGraph.

    Raises:
      InputError: the checkpoint is damaged or of another network.
    """
    with tf.Graph().as_default():
        tf.set_random_seed(flags.seed)
        with checkpoint.open_session(flags.gpu) as session:
            training = TrainingGraph(session, flags, clouds_in_all)
            try:
                yield training
            finally:
                training.close()


class TrainingGraph:
    """A network in training, in the default graph.

    Attributes:
      step: steps done, over all calls.
      epochs_done: epochs trained and evaluated.
      best_accuracy: of the network in `best/`, 0 before there is one.
    """

    def __init__(self, session, flags, clouds_in_all):
        """Builds the graph, and restores the last checkpoint if there is one; as in `open_training`."""
        self._session = session
        self._prefix = os.path.join(flags.log_dir, "model.ckpt")
        self._best_prefix = os.path.join(flags.log_dir, "best", "model.ckpt")
        weights = self._build(flags, clouds_in_all)
        session.run(tf.global_variables_initializer())
        checkpoint.finish_save(self._prefix)
        if os.path.isfile(self._prefix + ".index"):
            checkpoint.load(session, self._prefix, tf.global_variables(), flags.model)
        elif flags.start_from is not None:
            start = checkpoint.find(flags.start_from, None, flag="--start_from")
            checkpoint.load(session, start, weights, flags.model)
        self.step, self.epochs_done, self.best_accuracy = session.run(
            [self._step, self._epochs_done, self._best_accuracy]
        )
        self._writers = {
            split: tf.summary.FileWriter(os.path.join(flags.log_dir, split), graph=session.graph)
            for split in ("train", "test")
        }

    def close(self):
        """Closes the TensorBoard files."""
        for writer in self._writers.values():
            writer.close()

    def train_step(self, points, labels):
        """One step of the optimizer.

        Args:
          points: float32 array [B, N, 3].
          labels: int array [B].

        Returns:
          Dictionary of numbers: loss/total, loss/classification, accuracy/overall, learning_rate, batch_norm_decay.
        """
        self.step, values = self._session.run(
            [self._next_step, self._values], {self._points: points, self._labels: labels}
        )
        return values

    def logits(self, points):
        """Logits [B, 40] of clouds [B, N, 3] in evaluation mode."""
        return self._session.run(self._logits, {self._points: points})

    def explainer(self):
        """An Explainer of the network as it is at each call, in evaluation mode. Adds gradients to the graph."""
        return explainer.Explainer(self._network)

    def summarise(self, split, values):
        """Writes a dictionary of numbers to TensorBoard, under `split`, at the current step."""
        summary = tf.Summary(value=[tf.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        self._writers[split].add_summary(summary, self.step)
        self._writers[split].flush()

    def summarise_clouds(self, split, clouds):
        """Writes coloured clouds to TensorBoard's mesh plugin, under `split`, at the current step.

        Args:
          split: "train" or "test".
          clouds: {tag: (points float32 [N, 3], colours [N, 3] in 0..1)}.

        Raises:
          ImportError: the package tensorboard is not installed.
        """
        from tensorboard.plugins.mesh import summary as mesh_summary

        for tag, (points, colours) in clouds.items():
            # `pb` needs neither an op, which would add to the graph, nor TensorFlow 2's eager mode.
            summary = mesh_summary.pb(
                tag, points[np.newaxis], colors=np.uint8(np.rint(255 * colours))[np.newaxis], config_dict=MESH_CONFIG
            )
            self._writers[split].add_summary(summary, self.step)
        self._writers[split].flush()

    def save(self):
        """Saves all that a resumed training needs to model.ckpt."""
        self._session.run(self._keep, {self._kept: [self.epochs_done, self.best_accuracy]})
        checkpoint.save(self._session, self._saver, self._prefix)

    def save_best(self, accuracy):
        """Saves the weights alone to best/model.ckpt, and remembers their accuracy."""
        self.best_accuracy = accuracy
        os.makedirs(os.path.dirname(self._best_prefix), exist_ok=True)
        checkpoint.save(self._session, self._weights_saver, self._best_prefix)

    def _build(self, flags, clouds_in_all):
        network = models.network(flags.model)
        self._points = tf.placeholder(tf.float32, [None, None, 3], "points")
        self._labels = tf.placeholder(tf.int32, [None], "labels")
        self._step = tf.train.get_or_create_global_step()
        clouds_seen = self._step * flags.batch_size
        bn_decay = _batch_norm_decay(clouds_seen, flags.decay_step)
        learning_rate = _learning_rate(flags, clouds_seen, clouds_in_all)

        logits, end_points = network.get_model(self._points, is_training=True, bn_decay=bn_decay)
        loss, cross_entropy = network.get_loss(logits, self._labels, end_points)
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            self._logits, end_points = network.get_model(self._points, is_training=False)
        self._network = checkpoint.Network(
            self._session, self._points, self._logits, end_points, flags.model, vars(flags), self._prefix
        )
        weights = [variable for variable in tf.global_variables() if variable is not self._step]

        optimizer = (
            tf.train.AdamOptimizer(learning_rate)
            if flags.optimizer == "adam"
            else tf.train.MomentumOptimizer(learning_rate, flags.momentum)
        )
        correct = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), self._labels)
        self._values = {
            "loss/total": loss,
            "loss/classification": cross_entropy,
            "accuracy/overall": tf.reduce_mean(tf.cast(correct, tf.float32)),
            "learning_rate": learning_rate,
            "batch_norm_decay": bn_decay,
        }
        gradients = optimizer.compute_gradients(loss)
        # Learning rate and decay of this step are read before its end changes them.
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS) + list(self._values.values())):
            apply = optimizer.apply_gradients(gradients)
        with tf.control_dependencies([apply]):
            self._next_step = tf.assign_add(self._step, 1)

        self._best_accuracy = tf.get_variable("best_accuracy", [], initializer=tf.zeros_initializer(), trainable=False)
        self._epochs_done = tf.get_variable("epochs_done", [], tf.int32, tf.zeros_initializer(), trainable=False)
        self._kept = tf.placeholder(tf.float32, [2])
        self._keep = [
            tf.assign(self._epochs_done, tf.cast(self._kept[0], tf.int32)),
            tf.assign(self._best_accuracy, self._kept[1]),
        ]
        self._saver = tf.train.Saver(tf.global_variables())
        self._weights_saver = tf.train.Saver(weights)
        return weights


def _learning_rate(flags, clouds_seen, clouds_in_all):
    """The learning rate of a step: decayed by steps, or along half a cosine that ends with the training."""
    if flags.schedule == "cosine":
        decayed = tf.train.cosine_decay(flags.learning_rate, clouds_seen, clouds_in_all)
    else:
        decayed = tf.train.exponential_decay(
            flags.learning_rate, clouds_seen, flags.decay_step, flags.decay_rate, staircase=True
        )
    return tf.maximum(LEARNING_RATE_FLOOR, decayed)


def _batch_norm_decay(clouds_seen, decay_step):
    """0.5 at first, its distance to 1 halved every `decay_step` clouds, 0.99 at most."""
    momentum = tf.train.exponential_decay(
        1 - BATCH_NORM_DECAY_START, clouds_seen, decay_step, BATCH_NORM_DECAY_RATE, staircase=True
    )
    return tf.minimum(BATCH_NORM_DECAY_LIMIT, 1 - momentum)
