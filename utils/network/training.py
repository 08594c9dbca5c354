"""The loop of a training: epochs of steps, a test after each, and a log of them.

Works on a `training_graph.TrainingGraph`, and needs no TensorFlow of its own.
"""

import contextlib
import os
import signal
import time
from typing import NamedTuple, Tuple

import numpy as np

from utils import files, metrics, progress, wording
from utils.files import InputError
from utils.network.processes import ONE, REQUEST, Processes

SAVE_SECONDS = 120
STEPS_PER_SUMMARY = 10
BATCHES_OF_AVERAGES = 16  # of whole clouds, that batch norm's averages are taken over before a test


class TrainingSettings(NamedTuple):
    """What a training is of, what it does when, and how each step changes the network.

    Attributes:
      model_name: one of models.NAMES.
      class_names: tuple of the C class names.
      batch_size: clouds a step, of all processes together.
      steps_per_epoch: how many steps pass over the training clouds once.
      max_epoch: epochs in all, those before a stop included.
      test_every: it tests after every so many epochs, and after the last.
      optimizer: "adam" or "momentum".
      learning_rate: at the start.
      momentum: of the momentum optimizer.
      schedule: of the learning rate: "steps" that decay it, or "cosine", half of one that ends with the training.
      decay_step: clouds after which a step of `steps` comes, and batch norm's momentum decays.
      decay_rate: factor of each such step.
      label_smoothing: of the labels in the loss, as for `tf_util.cross_entropy`.
      seed: of the first weights, of dropout and of the order of the clouds.
      density: share of the points of a cloud that it is trained on.
      processes: the processes.Processes that train together.
    """

    model_name: str
    class_names: Tuple[str, ...]
    batch_size: int
    steps_per_epoch: int
    max_epoch: int
    test_every: int = 1
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    schedule: str = "steps"
    decay_step: int = 200000
    decay_rate: float = 0.7
    label_smoothing: float = 0.0
    seed: int = 0
    density: float = 1.0
    processes: Processes = ONE


def train(graph, train_set, test_set, settings, augment, show, stop, log):
    """Trains until `max_epoch`: an epoch, a test of it, a save; of the networks tested, the best is kept as well.

    Args:
      graph: a training_graph.TrainingGraph; it knows how many epochs are done.
      train_set, test_set: points float32 [n, P, 3] and labels int [n] of each.
      settings: a TrainingSettings.
      augment: function of this process's share [B, P, 3] of the clouds of a step, and the number of that -> the clouds
        [B, N, 3] to train on; with `num_points=None`, of all P points.
      show: function without arguments; called after each test.
      stop: a StopOnSignal. Where it is asked, the training saves and returns.
      log: function of a line.
    """
    for epoch in range(graph.epochs_done, settings.max_epoch):
        train_one_epoch(graph, train_set, epoch, settings, augment, stop, log)
        is_tested = (epoch + 1) % settings.test_every == 0 or epoch + 1 == settings.max_epoch
        if is_tested and graph.sees_fewer and not stop.is_agreed():
            graph.take_averages(whole_batches(graph, train_set[0], epoch, settings, augment))
        logits = classify(graph, test_set[0], settings, stop) if is_tested else None
        if stop.is_agreed():
            graph.save()
            return
        graph.epochs_done = epoch + 1
        if is_tested:
            report_test(graph, logits, test_set[1], settings, log)
            show()
        graph.save()


def train_one_epoch(graph, train_set, epoch, settings, augment, stop, log):
    """Trains what is left of an epoch, which is nothing where a training was stopped in its test; as in `train`."""
    points, labels = train_set
    size, steps = settings.batch_size, settings.steps_per_epoch
    order = _order(settings, epoch, len(points))
    first = graph.step - epoch * steps
    if first >= steps:
        return
    totals = np.zeros(3)
    # Not `time.time`, which moves in steps of 16 ms on Windows, and back with the clock.
    start = last_save = time.perf_counter()
    title = "Epoch {}/{}".format(epoch + 1, settings.max_epoch)
    with progress.Progress(title, steps * size, "clouds", done=first * size) as bar:
        for number in range(first, steps):
            rows = settings.processes.share(order[number * size : (number + 1) * size])
            values = graph.train_step(augment(points[rows], graph.step), labels[rows])
            _check_goes_well(values["loss/total"], settings, graph.step)
            totals += [values["loss/total"], values["loss/classification"], values["accuracy/overall"]]
            if number % STEPS_PER_SUMMARY == 0:
                graph.summarise("train", values)
            means = totals / (number - first + 1)
            bar.tell("accuracy {}, loss {:.3f}".format(wording.percent(means[2]), means[0]))
            bar.update(size)
            if stop.is_agreed():
                return
            if time.perf_counter() - last_save > SAVE_SECONDS:
                graph.save()
                last_save = time.perf_counter()
    pace = (steps - first) * size / (time.perf_counter() - start)
    log(
        "Epoch {}: train loss {:.4f} (classification {:.4f}), accuracy {}, {:.1f} clouds/s".format(
            epoch + 1, means[0], means[1], wording.percent(means[2], 2), pace
        )
    )


def whole_batches(graph, points, epoch, settings, augment):
    """This process's share [B, P, 3] of the first clouds of an epoch, in batches, moved as in training; as `train`."""
    order, size = _order(settings, epoch, len(points)), settings.batch_size
    for number in range(min(BATCHES_OF_AVERAGES, settings.steps_per_epoch)):
        rows = settings.processes.share(order[number * size : (number + 1) * size])
        yield augment(points[rows], graph.step + number, num_points=None)


def _order(settings, epoch, num_clouds):
    """The order of the clouds of an epoch: of seed and epoch alone, so that one that is resumed has it too."""
    return np.random.RandomState([settings.seed, epoch]).permutation(num_clouds)


def classify(graph, points, settings, stop):
    """Logits [n, C] of clouds [n, P, 3], one view of each; None where `stop` is asked meanwhile."""
    own, size = settings.processes.share(points), settings.batch_size // settings.processes.size
    logits = [np.zeros((0, len(settings.class_names)), np.float32)]
    with progress.Progress("Testing", len(points), "clouds") as bar:
        for start in range(0, len(own), size):
            if stop.is_asked:
                break
            logits.append(graph.logits(own[start : start + size]))
            bar.update(len(logits[-1]) * settings.processes.size)
    return None if stop.is_agreed() else settings.processes.gather(np.concatenate(logits))


def _check_goes_well(loss, settings, step):
    """Raises an InputError where a training has diverged: no step leads back from there."""
    if not np.isfinite(loss):
        raise InputError(
            "`learning_rate` {:g}: the training diverged, its loss is {} after {} steps; train anew in another "
            "`log_dir`, with a smaller one".format(settings.learning_rate, loss, step)
        )


def report_test(graph, logits, labels, settings, log):
    """Logs how well an epoch classifies, and saves the weights if they are the best so far."""
    class_names = settings.class_names
    matrix = metrics.confusion_matrix(labels, logits.argmax(axis=1), len(class_names))
    loss = metrics.cross_entropy(logits, labels).mean()
    _check_goes_well(loss, settings, graph.step)
    accuracy, mean_class_accuracy = metrics.overall_accuracy(matrix), metrics.mean_class_accuracy(matrix)
    log(
        "Epoch {}: test loss {:.4f}, accuracy {}, mean class accuracy {}".format(
            graph.epochs_done, loss, wording.percent(accuracy, 2), wording.percent(mean_class_accuracy, 2)
        )
    )
    of_class = metrics.class_accuracies(matrix)
    weakest = np.nanargmin(of_class)
    log("  weakest class: {} {}".format(class_names[weakest], wording.percent(of_class[weakest])))
    graph.summarise(
        "test", {"loss/classification": loss, "accuracy/overall": accuracy, "accuracy/mean_class": mean_class_accuracy}
    )
    if accuracy > graph.best_accuracy:
        graph.save_best(accuracy)
        log("  best so far: saved to {}".format(graph.best_folder))


class Log:
    """Prints lines, above the progress bars, and adds them with the time to a file."""

    def __init__(self, path):
        self._path = path

    def __call__(self, line):
        progress.print_line(line)
        with files.writing(self._path), files.open_to_add(self._path, "a") as file:
            file.write("{} {}\n".format(time.strftime("%Y-%m-%d %H:%M:%S"), files.printable(line)))


class StopOnSignal:
    """Context that turns the first Ctrl-C into `is_asked`, so that a step ends whole; the second ends the program.

    Attributes:
      is_asked: whether the user wants to stop, as far as this process knows.
    """

    def __init__(self, processes=ONE):
        self.is_asked = False
        self._processes = processes
        self._is_signalled = False

    def is_agreed(self):
        """Whether any of the processes was asked to stop: all of them ask so at once, and get the same answer."""
        is_agreed = self._processes.any(self.is_asked)
        # Only ever set: a signal that comes while the others are asked is for the next time.
        if is_agreed:
            self.is_asked = True
        return is_agreed

    def __enter__(self):
        # SIGBREAK is Ctrl-Break, on Windows alone.
        numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
        numbers += [REQUEST] if REQUEST else []
        self._before = {number: signal.signal(number, self._ask) for number in numbers}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number, _):
        if number != REQUEST:
            if self._is_signalled:
                raise KeyboardInterrupt
            self._is_signalled = True
        if self.is_asked or not self._processes.is_first:
            self.is_asked = True
            return
        self.is_asked = True
        # Never through a stream: the signal may have come while that was being written; then it refuses or locks.
        with contextlib.suppress(OSError):
            os.write(2, b"\nStopping after this step; once more ends at once, without saving\n")
