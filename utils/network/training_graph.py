"""The graph of a training and its session: steps, evaluation, TensorBoard, checkpoints that resume."""

import contextlib
import os
from typing import NamedTuple

import tensorflow.compat.v1 as tf

import models
from utils import files, tf_util
from utils.files import InputError
from utils.network import checkpoint, checkpoint_files, classifier, events

BATCH_NORM_DECAY_START = 0.5
BATCH_NORM_DECAY_LIMIT = 0.99
BATCH_NORM_DECAY_RATE = 0.5
LEARNING_RATE_FLOOR = 1e-5


@contextlib.contextmanager
def open_training(log_dir, settings, start_from=None, gpu=0):
    """Opens a session with a network in training; it goes on from the last checkpoint of a folder, if there is one.

    Args:
      log_dir: folder to write to; it exists.
      settings: a training.TrainingSettings.
      start_from: checkpoint or folder of one whose weights to begin with, where there is none to go on from.
      gpu: index of the GPU; -1 for the CPU.

    Yields:
      A TrainingGraph.

    Raises:
      InputError: a checkpoint is missing, damaged or of another network, or memory is full.
    """
    with tf.Graph().as_default():
        processes = settings.processes
        # The first weights are those of the first process; the others are to draw another dropout.
        tf.set_random_seed(settings.seed + processes.rank)
        with checkpoint.open_session(gpu, processes=processes) as session, processes.others_needed():
            graph = TrainingGraph(session, log_dir, settings, start_from)
            try:
                yield graph
            finally:
                graph.close()


class TrainingGraph:
    """A network in training, in the default graph.

    Where several processes train it, all do so alike, and the first alone reads and writes files.

    Attributes:
      step: steps done, over all calls.
      epochs_done: epochs trained and tested.
      best_accuracy: of the network in `best_folder`, 0 before there is one.
      best_folder: where the best network is kept.
      fresh_layer: name of the last layer where it begins anew, as the weights to begin with are of other classes; else
        None.
      sees_fewer: whether it is trained on fewer points than whole clouds have, and would tell: see `take_averages`.
    """

    def __init__(self, session, log_dir, settings, start_from=None):
        """Builds the graph, and restores the last checkpoint if there is one; as in `open_training`."""
        self._session = session
        self._is_first = settings.processes.is_first
        self._pace = Pace(settings.batch_size, settings.steps_per_epoch)
        self._prefix = os.path.join(log_dir, "model.ckpt")
        self.best_folder = os.path.join(log_dir, "best")
        self._best_prefix = os.path.join(self.best_folder, "model.ckpt")
        self._has_averages_of_parts = False
        self.fresh_layer = None
        weights = self._build(settings)
        session.run(tf.global_variables_initializer())
        if self._is_first:
            self._restore(settings, weights, start_from)
        settings.processes.broadcast(session, tf.global_variables())
        self.step, self.epochs_done, self.best_accuracy = session.run(
            [self._step, self._epochs_done, self._best_accuracy]
        )
        self._events = {}
        if self._is_first:
            self.best_accuracy = self._accuracy_of_best(self.best_accuracy)
            self._events = {
                split: events.EventFile(os.path.join(log_dir, split), session.graph) for split in ("train", "test")
            }

    def close(self):
        """Closes the TensorBoard files."""
        for file in self._events.values():
            file.close()

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
        self._has_averages_of_parts = self.sees_fewer
        return values

    def take_averages(self, batches):
        """Sets the moving averages of batch norm to the means over batches of whole clouds.

        Where it is trained on fewer points, they are of smaller groups, whose maxima are less than those of whole ones.

        Args:
          batches: iterable of float32 arrays [B, N, 3].
        """
        for number, points in enumerate(batches):
            kept = number / (number + 1)
            self._session.run(self._updates_of_whole, {self._points: points, self._share_kept: kept})
        self._has_averages_of_parts = False

    def logits(self, points):
        """Logits [B, C] of clouds [B, N, 3] in evaluation mode."""
        return self._session.run(self._logits, {self._points: points})

    def classifier(self):
        """A Classifier of the network as it is at each call, in evaluation mode. Adds gradients to the graph."""
        return classifier.Classifier(self._network)

    def summarise(self, split, values):
        """Writes a dictionary of numbers to TensorBoard, under `split`, at the current step."""
        if self._is_first:
            self._events[split].add_numbers(values, self.step)

    def summarise_clouds(self, split, clouds):
        """Writes coloured clouds to TensorBoard's mesh plugin, under `split`, at the current step.

        Args:
          split: "train" or "test".
          clouds: {tag: (points float32 [N, 3], colours [N, 3] in 0..1)}.

        Raises:
          ImportError: the package tensorboard is not installed.
        """
        self._events[split].add_clouds(clouds, self.step)

    def save(self):
        """Saves all that a resumed training needs to model.ckpt."""
        if self._is_first:
            self._session.run(self._keep, {self._kept: [self.epochs_done, self.best_accuracy]})
            facts = dict(self._pace._asdict(), **{checkpoint_files.OF_PARTS: self._has_averages_of_parts})
            checkpoint.save(self._session, self._saver, self._prefix, facts)

    def save_best(self, accuracy):
        """Saves the weights alone to best/model.ckpt, with their accuracy."""
        if self._is_first:
            if not os.path.isdir(self.best_folder):
                with files.writing(self.best_folder):
                    os.mkdir(self.best_folder)
            facts = {"accuracy": float(accuracy), "step": int(self.step), "epoch": int(self.epochs_done)}
            checkpoint.save(self._session, self._weights_saver, self._best_prefix, facts)
        self.best_accuracy = accuracy

    def _restore(self, settings, weights, start_from):
        """Loads the last checkpoint, else the one to start from, if there is one."""
        checkpoint_files.finish_save(self._prefix)
        if checkpoint_files.exists(self._prefix):
            self._has_averages_of_parts = checkpoint_files.has_averages_of_parts(self._prefix)
            checkpoint.load(self._session, self._prefix, tf.global_variables(), settings.model_name)
            before = _pace_of(self._prefix, self._pace)
            if before != self._pace:
                step = self._pace.step_after(before, int(self._session.run(self._step)))
                self._step.load(step, self._session)
                # Before config.json, which an older checkpoint goes by, tells of this pace.
                self.epochs_done, self.best_accuracy = self._session.run([self._epochs_done, self._best_accuracy])
                self.save()
        elif start_from is not None:
            start = checkpoint_files.find(start_from, None, argument="start_from")
            self.fresh_layer = checkpoint.begin_with(
                self._session, start, weights, settings.model_name, settings.class_names
            )

    def _accuracy_of_best(self, last_known):
        """The accuracy of the network in `best_folder`, 0 without one.

        A kill can leave a better one there than the last checkpoint knows of, so what is saved with it counts. Where
        nothing is, as in a folder of an older version, that is `last_known`, which the last checkpoint has.
        """
        checkpoint_files.finish_save(self._best_prefix)
        if not checkpoint_files.exists(self._best_prefix):
            return 0.0
        accuracy = checkpoint_files.read_facts(self._best_prefix).get("accuracy", float(last_known))
        if not isinstance(accuracy, (int, float)) or not 0 <= accuracy <= 1:
            raise InputError(
                "{} has {!r} for an accuracy: delete that file, and the next test decides anew".format(
                    self._best_prefix + checkpoint_files.FACTS, accuracy
                )
            )
        return accuracy

    def _build(self, settings):
        """Builds the graph of a TrainingSettings; returns the network's variables."""
        network, num_classes = models.network(settings.model_name), len(settings.class_names)
        processes = settings.processes
        if processes.size > 1:
            tf.add_to_collection(tf_util.PROCESSES, processes)
        self._points = tf.placeholder(tf.float32, [None, None, 3], "points")
        self._labels = tf.placeholder(tf.int32, [None], "labels")
        self._step = tf.train.get_or_create_global_step()
        clouds_seen = self._step * settings.batch_size
        bn_decay = _batch_norm_decay(clouds_seen, settings.decay_step)
        learning_rate = _learning_rate(settings, clouds_seen)

        # PointNet's maxima hardly differ with density, and a network of one's own need not know of it.
        self.sees_fewer = settings.density != 1 and not network.IGNORES_REPEATED_POINTS
        density = {"density": settings.density} if self.sees_fewer else {}
        logits, end_points = network.get_model(
            self._points, num_classes, is_training=True, bn_decay=bn_decay, **density
        )
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        loss, cross_entropy = network.get_loss(logits, self._labels, end_points, settings.label_smoothing)
        if settings.label_smoothing:
            # Logged as of the test clouds, of which no label is smoothed.
            cross_entropy = tf_util.cross_entropy(logits, self._labels)
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            if self.sees_fewer:
                self._share_kept = tf.placeholder(tf.float32, [])
                network.get_model(self._points, num_classes, is_training=True, bn_decay=self._share_kept)
                self._updates_of_whole = tf.get_collection(tf.GraphKeys.UPDATE_OPS)[len(updates) :]
            self._logits, end_points = network.get_model(self._points, num_classes, is_training=False)
        self._network = checkpoint.Network(
            session=self._session,
            points=self._points,
            logits=self._logits,
            end_points=end_points,
            model_name=settings.model_name,
            class_names=settings.class_names,
            config={},
            prefix=self._prefix,
        )
        weights = [variable for variable in tf.global_variables() if variable is not self._step]

        optimizer = (
            tf.train.AdamOptimizer(learning_rate)
            if settings.optimizer == "adam"
            else tf.train.MomentumOptimizer(learning_rate, settings.momentum)
        )
        correct = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), self._labels)
        accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
        means = processes.average([loss, cross_entropy, accuracy])
        self._values = dict(zip(("loss/total", "loss/classification", "accuracy/overall"), means))
        self._values.update({"learning_rate": learning_rate, "batch_norm_decay": bn_decay})
        gradients = processes.average_gradients(optimizer.compute_gradients(loss))
        # Learning rate and decay of this step are read before its end changes them.
        with tf.control_dependencies(updates + list(self._values.values())):
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


class Pace(NamedTuple):
    """How fast steps pass over the training clouds. A checkpoint is saved with it, as it counts in steps.

    Attributes:
      batch_size: clouds a step, of all processes.
      steps_per_epoch: as of a training.TrainingSettings.
    """

    batch_size: int
    steps_per_epoch: int

    def step_after(self, before, step):
        """The step of this pace at which a training goes on that made so many of another.

        Whole epochs stay whole. Of the current one as many clouds are done, or fewer by what makes no step: these come
        again.
        """
        epoch, number = divmod(step, before.steps_per_epoch)
        number = min(number * before.batch_size // self.batch_size, self.steps_per_epoch)
        return epoch * self.steps_per_epoch + number


def _pace_of(prefix, pace_now):
    """The Pace of a checkpoint. Older ones were saved without; their config.json has it, else it is as now."""
    facts = checkpoint_files.read_facts(prefix)
    if all(isinstance(facts.get(name), int) and facts[name] > 0 for name in Pace._fields):
        return Pace(*(facts[name] for name in Pace._fields))
    config = checkpoint_files.read_config(prefix)
    if not all(isinstance(config.get(name), int) and config[name] > 0 for name in ("batch_size", "num_train")):
        return pace_now
    batch_size = config["batch_size"] * config.get("processes", 1)
    return Pace(batch_size, config["num_train"] // batch_size)


def _learning_rate(settings, clouds_seen):
    """The learning rate of a step: decayed by steps, or along half a cosine that ends with the training."""
    if settings.schedule == "cosine":
        clouds_in_all = settings.max_epoch * settings.steps_per_epoch * settings.batch_size
        decayed = tf.train.cosine_decay(settings.learning_rate, clouds_seen, clouds_in_all)
    else:
        decayed = tf.train.exponential_decay(
            settings.learning_rate, clouds_seen, settings.decay_step, settings.decay_rate, staircase=True
        )
    # A rate that is below the floor from the first stays what it is.
    return tf.maximum(min(LEARNING_RATE_FLOOR, settings.learning_rate), decayed)


def _batch_norm_decay(clouds_seen, decay_step):
    """0.5 at first, its distance to 1 halved every `decay_step` clouds, 0.99 at most."""
    momentum = tf.train.exponential_decay(
        1 - BATCH_NORM_DECAY_START, clouds_seen, decay_step, BATCH_NORM_DECAY_RATE, staircase=True
    )
    return tf.minimum(BATCH_NORM_DECAY_LIMIT, 1 - momentum)
