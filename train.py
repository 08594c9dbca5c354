"""Trains a PointNet classifier on ModelNet40.

    python train.py
    python train.py --data_dir demo --max_epoch 20

Started again on the same --log_dir it goes on where it was, with the same clouds, rotations and jitter as if it had not
stopped; only dropout draws anew. Ctrl-C saves first.
"""

import json
import os
import signal
import sys
import time

import numpy as np
from tqdm import tqdm

import models
import provider
from utils import command_line, files, metrics
from utils.explain import shown_clouds
from utils.files import InputError
from utils.network import loading

SAVE_SECONDS = 120
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
    "start_from",
    "seed",
)


def parse_flags():
    parser = command_line.Parser("Trains a PointNet classifier on ModelNet40; started again, it resumes.")
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data_dir",
        metavar="FOLDER",
        help="the ModelNet40 HDF5 files, or `demo` for the built-in shapes (default: "
        "data/{}, fetched when missing)".format(provider.MODELNET40),
    )
    group.add_argument("--num_point", type=command_line.positive_int, default=1024, help="points of each cloud")
    group.add_argument(
        "--train_points",
        metavar="POINTS",
        type=command_line.positive_int,
        help="train on so many of them, drawn anew at each step; half as many train twice as fast (default: all)",
    )
    group.add_argument(
        "--rotation",
        choices=command_line.ROTATIONS,
        default="y",
        help="random rotation of the training clouds: none, about the up axis, or any",
    )
    group.add_argument("--batch_size", type=command_line.positive_int, default=32, help="clouds a step")
    group = parser.add_argument_group("network")
    group.add_argument("--model", choices=models.NAMES, default="pointnet_cls", help="network")
    group.add_argument(
        "--start_from",
        metavar="CHECKPOINT",
        help="begin with its weights instead of random ones, to train on or for another task",
    )
    group.add_argument("--gpu", type=int, default=0, help="index of the GPU; -1 for the CPU")
    group = parser.add_argument_group("optimizer")
    group.add_argument("--max_epoch", type=command_line.positive_int, default=250, help="epochs in all")
    group.add_argument("--learning_rate", type=command_line.positive_float, default=1e-3, help="at the start")
    group.add_argument("--momentum", type=command_line.fraction, default=0.9, help="of the momentum optimizer")
    group.add_argument("--optimizer", choices=("adam", "momentum"), default="adam", help="optimizer")
    group.add_argument(
        "--schedule",
        choices=("steps", "cosine"),
        default="steps",
        help="of the learning rate: it decays by --decay_rate after every --decay_step clouds, or along "
        "half a cosine down to 1e-5 at --max_epoch",
    )
    group.add_argument(
        "--decay_step",
        type=command_line.positive_int,
        default=200000,
        help="clouds after which the learning rate decays, and batch norm's momentum",
    )
    group.add_argument("--decay_rate", type=command_line.positive_float, default=0.7, help="factor of each decay")
    group.add_argument("--seed", type=command_line.seed, default=0, help="of weights, order, rotations and jitter")
    group = parser.add_argument_group("files and tests")
    group.add_argument("--log_dir", default=os.path.join(files.PROJECT_DIR, "log"), help="folder to write to")
    group.add_argument(
        "--test_every",
        type=command_line.positive_int,
        default=1,
        metavar="K",
        help="test after every K-th epoch, and after the last",
    )
    group.add_argument(
        "--clouds_shown",
        type=command_line.non_negative_int,
        default=4,
        metavar="N",
        help="show so many test clouds in TensorBoard, after each test by their heat; 0 for none",
    )
    return parser.parse_args()


def main():
    flags = parse_flags()
    if flags.train_points is not None and flags.train_points > flags.num_point:
        raise InputError(
            "--train_points {}: a cloud has --num_point {}; give that or less".format(
                flags.train_points, flags.num_point
            )
        )
    files.make_folder(flags.log_dir, "--log_dir")
    data_dir = provider.find_data_dir(flags.data_dir)
    class_names = provider.load_class_names(data_dir)
    train_set = provider.load_split(data_dir, "train", flags.num_point)
    test_set = provider.load_split(data_dir, "test", flags.num_point)
    if len(train_set[0]) < flags.batch_size:
        raise InputError(
            "--batch_size {}: there are only {} training clouds".format(flags.batch_size, len(train_set[0]))
        )
    _check_resumable(flags, len(train_set[0]))
    loading.load_tensorflow()
    # TensorFlow takes seconds to load: only once flags and data are known to be good.
    from utils.network.training_graph import open_training

    steps_per_epoch = len(train_set[0]) // flags.batch_size
    with open_training(flags, flags.max_epoch * steps_per_epoch * flags.batch_size) as graph, _StopOnSignal() as stop:
        _write_config(flags, len(train_set[0]))
        with open(os.path.join(flags.log_dir, "log_train.txt"), "a", encoding="utf-8") as log_file:
            train(graph, train_set, test_set, class_names, flags, stop, Log(log_file))
    if stop.is_asked:
        sys.exit(130)


def train(graph, train_set, test_set, class_names, flags, stop, log):
    """The training loop: epochs of steps, an evaluation after each.

    Args:
      graph: a training_graph.TrainingGraph.
      train_set, test_set: points [n, P, 3] and labels [n] of each.
      class_names: the 40 names.
      flags: of `parse_flags`.
      stop: a _StopOnSignal.
      log: a Log.
    """
    steps_per_epoch = len(train_set[0]) // flags.batch_size
    if graph.step:
        log(
            "Resumed after {} steps, in epoch {} of {}".format(
                graph.step, min(graph.step // steps_per_epoch + 1, flags.max_epoch), flags.max_epoch
            )
        )
    if graph.epochs_done >= flags.max_epoch:
        log("All {} epochs are done; a greater --max_epoch trains on".format(flags.max_epoch))
        return
    shown = _choose_shown_clouds(graph, test_set, class_names, flags, log)
    for epoch in range(graph.epochs_done, flags.max_epoch):
        _train_one_epoch(graph, train_set, epoch, steps_per_epoch, flags, stop, log)
        is_tested = (epoch + 1) % flags.test_every == 0 or epoch + 1 == flags.max_epoch
        matrix, loss = evaluate(graph, test_set, flags, stop) if is_tested else (None, None)
        if stop.is_asked:
            graph.save()
            log("Stopped at step {}; started again on the same --log_dir, training goes on".format(graph.step))
            return
        graph.epochs_done = epoch + 1
        if is_tested:
            _report_test(graph, matrix, loss, class_names, flags, log)
            shown.show()
        graph.save()


def _choose_shown_clouds(graph, test_set, class_names, flags, log):
    try:
        return shown_clouds.ShownClouds(graph, test_set, class_names, flags.clouds_shown)
    except ImportError as error:
        # TensorFlow 2 comes without it, and writes the curves all the same.
        log("No clouds for TensorBoard ({}): pip install tensorboard".format(error))
        return shown_clouds.ShownClouds(graph, test_set, class_names, 0)


def _report_test(graph, matrix, loss, class_names, flags, log):
    """Logs what an evaluation found, and saves the weights if they are the best so far."""
    accuracy, class_accuracy = metrics.overall_accuracy(matrix), metrics.mean_class_accuracy(matrix)
    log(
        "Epoch {}: test loss {:.4f}, accuracy {:.2%}, mean class accuracy {:.2%}".format(
            graph.epochs_done, loss, accuracy, class_accuracy
        )
    )
    worst = np.nanargmin(metrics.class_accuracies(matrix))
    log("  weakest class: {} {:.1%}".format(class_names[worst], metrics.class_accuracies(matrix)[worst]))
    graph.summarise(
        "test", {"loss/classification": loss, "accuracy/overall": accuracy, "accuracy/mean_class": class_accuracy}
    )
    if accuracy > graph.best_accuracy:
        graph.save_best(accuracy)
        log("  best so far: saved to {}".format(os.path.join(flags.log_dir, "best")))


def _train_one_epoch(graph, train_set, epoch, steps_per_epoch, flags, stop, log):
    """Trains what is left of an epoch, which is nothing where a training was stopped in its evaluation."""
    points, labels = train_set
    # The order follows from seed and epoch alone, so that a resumed epoch goes on with the same clouds.
    order = np.random.RandomState([flags.seed, epoch]).permutation(len(points))
    first = graph.step - epoch * steps_per_epoch
    totals = np.zeros(3)
    start = last_save = time.time()
    with tqdm(
        total=steps_per_epoch * flags.batch_size,
        initial=first * flags.batch_size,
        unit="cloud",
        desc="Epoch {}/{}".format(epoch + 1, flags.max_epoch),
    ) as bar:
        for number in range(first, steps_per_epoch):
            rows = order[number * flags.batch_size : (number + 1) * flags.batch_size]
            values = graph.train_step(augment(points[rows], flags, graph.step), labels[rows])
            totals += [values["loss/total"], values["loss/classification"], values["accuracy/overall"]]
            if number % 10 == 0:
                graph.summarise("train", values)
            bar.update(len(rows))
            means = totals / (number - first + 1)
            bar.set_postfix(loss="{:.3f}".format(means[0]), accuracy="{:.1%}".format(means[2]), refresh=False)
            if stop.is_asked:
                return
            if time.time() - last_save > SAVE_SECONDS:
                graph.save()
                last_save = time.time()
    if first < steps_per_epoch:
        log(
            "Epoch {}: train loss {:.4f} (classification {:.4f}), accuracy {:.2%}, {:.1f} clouds/s".format(
                epoch + 1, *means, (steps_per_epoch - first) * flags.batch_size / (time.time() - start)
            )
        )


def augment(points, flags, step):
    """Samples, rotates and jitters a batch [B, N, 3]; what is drawn follows from the seed and the step alone."""
    rng = np.random.RandomState([flags.seed, 1, step])
    if flags.train_points is not None:
        points = points[:, rng.choice(points.shape[1], flags.train_points, replace=False)]
    rotations = provider.draw_rotations(flags.rotation, len(points), rng)
    return provider.jitter(np.matmul(points, rotations), rng)


def evaluate(graph, test_set, flags, stop):
    """Classifies the test split, one view of each cloud.

    Clouds of ModelNet40 are aligned, so they are left as they are; a network of any rotation is tested under any,
    the same ones in every epoch.

    Returns:
      The confusion matrix [40, 40] and the mean cross-entropy; None twice where `stop` is asked meanwhile.
    """
    points, labels = test_set
    if flags.rotation == "xyz":
        points = np.matmul(points, provider.draw_rotations("xyz", len(points), np.random.RandomState(flags.seed)))
    with tqdm(total=len(points), unit="cloud", desc="Testing", leave=False) as bar:
        logits = []
        for start in range(0, len(points), flags.batch_size):
            if stop.is_asked:
                return None, None
            logits.append(graph.logits(points[start : start + flags.batch_size]))
            bar.update(len(logits[-1]))
    logits = np.concatenate(logits)
    matrix = metrics.confusion_matrix(labels, logits.argmax(axis=1), provider.NUM_CLASSES)
    return matrix, metrics.cross_entropy(logits, labels).mean()


class Log:
    """Prints lines and keeps them in log_train.txt."""

    def __init__(self, file):
        self._file = file

    def __call__(self, line):
        tqdm.write(line)
        self._file.write("{} {}\n".format(time.strftime("%Y-%m-%d %H:%M:%S"), line))
        self._file.flush()


class _StopOnSignal:
    """Turns the first Ctrl-C into `is_asked`, so that a step ends whole; the second one ends the program at once."""

    def __init__(self):
        self.is_asked = False

    def __enter__(self):
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number, _):
        if self.is_asked:
            raise KeyboardInterrupt
        self.is_asked = True
        tqdm.write("Stopping after this step; once more ends at once, without saving")


def _config_path(flags):
    return os.path.join(flags.log_dir, "config.json")


def _check_resumable(flags, num_train):
    """Refuses to go on with other flags than a training in the same folder began with."""
    has_checkpoint = any(
        os.path.isfile(os.path.join(flags.log_dir, name + ".index")) for name in ("model.ckpt", "model.ckpt.new")
    )
    if not has_checkpoint or not os.path.isfile(_config_path(flags)):
        return
    try:
        with open(_config_path(flags), encoding="utf-8") as file:
            before = dict(json.load(file))
    except (OSError, ValueError, TypeError) as error:
        raise InputError("{} cannot be read ({}): mend it or give another --log_dir".format(_config_path(flags), error))
    for name in FLAGS_OF_A_RUN:
        # What an older version did not know yet is as the flag's default was.
        if before.get(name, getattr(flags, name)) != getattr(flags, name):
            raise InputError(
                "--{} {}: the training in {} began with {}; repeat that or give another --log_dir".format(
                    name, getattr(flags, name), flags.log_dir, before.get(name)
                )
            )
    if flags.schedule == "cosine" and before.get("max_epoch") != flags.max_epoch:
        raise InputError(
            "--max_epoch {}: the training in {} began with {}, where its cosine ends; repeat that, or train "
            "on in another --log_dir with --start_from".format(flags.max_epoch, flags.log_dir, before.get("max_epoch"))
        )
    if before.get("num_train") != num_train:
        raise InputError(
            "--data_dir holds {} training clouds, but the training in {} began with {}; give its data or "
            "another --log_dir".format(num_train, flags.log_dir, before.get("num_train"))
        )


def _write_config(flags, num_train):
    files.write_json(_config_path(flags), dict(vars(flags), num_train=num_train, versions=files.versions()))


if __name__ == "__main__":
    command_line.run(main)
