"""The loop of a training and the schedules of its steps."""

import argparse
import os
import signal
import sys
import time

import numpy as np
import one_layer_network
import pytest
import tensorflow.compat.v1 as tf

import models
from utils import files, metrics, tf_util
from utils.files import InputError
from utils.network import checkpoint_files, training, training_graph


class FakeGraph:
    """Stands in for a TrainingGraph: counts steps and answers class 0; asks to stop at its first evaluation."""

    def __init__(self, stop):
        self.step = self.epochs_done = self.best_accuracy = 0
        self.best_folder, self.sees_fewer = "best", False
        self.stop, self.calls = stop, []

    def train_step(self, points, labels):
        self.step += 1
        return {"loss/total": 1.0, "loss/classification": 1.0, "accuracy/overall": 0.5}

    def logits(self, points):
        self.calls.append("logits")
        self.stop.is_asked = True
        return np.eye(2)[[0] * len(points)]

    def summarise(self, split, values):
        pass

    def save(self):
        self.calls.append("save")

    def save_best(self, accuracy):
        self.best_accuracy = accuracy
        self.calls.append("save_best")


def test_smoothed_labels_reach_the_loss_of_the_network_and_not_what_is_logged_beside_it(tmp_path, monkeypatch, rng):
    seen = []

    def get_loss(logits, labels, end_points, label_smoothing):
        seen.append(label_smoothing)
        loss, _ = one_layer_network.get_loss(logits, labels, end_points)
        return 7 + loss, 7 + loss

    network = argparse.Namespace(get_model=one_layer_network.get_model, get_loss=get_loss)
    monkeypatch.setattr(models, "network", lambda name: network)
    settings = training.TrainingSettings("pointnet_cls", ("a", "b"), 4, 1, 1, label_smoothing=0.3)
    clouds, labels = rng.standard_normal((4, 5, 3)).astype(np.float32), np.array([0, 1, 1, 0])
    with training_graph.open_training(str(tmp_path), settings, gpu=-1) as graph:
        assert seen == [0.3]
        unsmoothed = metrics.cross_entropy(graph.logits(clouds), labels).mean()
        values = graph.train_step(clouds, labels)
    assert values["loss/total"] == pytest.approx(7 + unsmoothed, rel=1e-5)
    assert values["loss/classification"] == pytest.approx(unsmoothed, rel=1e-5)


@pytest.mark.parametrize("ignores, expected", [(False, [0.25, None, None]), (True, [None, None])])
def test_a_network_that_sees_density_is_trained_at_that_of_fewer_points(ignores, expected, tmp_path, monkeypatch):
    seen = []

    def get_model(*arguments, density=None, **options):
        seen.append(density)
        return one_layer_network.get_model(*arguments, **options)

    network = argparse.Namespace(
        get_model=get_model, get_loss=one_layer_network.get_loss, IGNORES_REPEATED_POINTS=ignores
    )
    monkeypatch.setattr(models, "network", lambda name: network)
    settings = training.TrainingSettings("pointnet_cls", ("a", "b"), 4, 1, 1, density=0.25)
    with training_graph.open_training(str(tmp_path), settings, gpu=-1):
        # Batch norm's averages are of whole clouds, and so is the evaluation.
        assert seen == expected


def test_averages_of_batch_norm_are_of_whole_clouds_where_it_trains_on_fewer_points(tmp_path, monkeypatch, rng):
    def get_model(points, num_classes, is_training, bn_decay=None, density=1.0):
        # The greatest of fewer points is less.
        greatest = density * tf.reduce_max(points, axis=1)
        return tf_util.dense(greatest, num_classes, "fc3", is_training, bn_decay), {}

    network = argparse.Namespace(
        get_model=get_model,
        get_loss=one_layer_network.get_loss,
        IGNORES_REPEATED_POINTS=False,
        LAYERS_FROM_TOP=one_layer_network.LAYERS_FROM_TOP,
    )
    monkeypatch.setattr(models, "network", lambda name: network)
    monkeypatch.setattr(training, "BATCHES_OF_AVERAGES", 2)
    settings = training.TrainingSettings("pointnet_cls", ("a", "b"), 4, 3, 1, density=0.25, learning_rate=0.5)
    clouds, labels = rng.standard_normal((12, 10, 3)).astype(np.float32), np.arange(12) % 2
    taken, prefix = [], str(tmp_path / "model.ckpt")

    def moved(points, step, **options):
        taken.append((step, options, points))
        return points

    with training_graph.open_training(str(tmp_path), settings, gpu=-1) as graph:
        stop = training.StopOnSignal()
        training.train(
            graph, (clouds, labels), (clouds, labels), settings, moved, lambda: None, stop, lambda line: None
        )
        values = {one.op.name: one for one in tf.global_variables()}
        weights, biases, mean, variance = graph._session.run(
            [values["fc3/" + name] for name in ("weights", "biases", "bn/moving_mean", "bn/moving_variance")]
        )
        assert not checkpoint_files.has_averages_of_parts(prefix)
        graph.train_step(clouds[:4], labels[:4])
        graph.save()
    for _ in range(2):
        # Saved between two tests, it says of what they are, also once it goes on from there.
        assert checkpoint_files.has_averages_of_parts(prefix)
        with training_graph.open_training(str(tmp_path), settings, gpu=-1) as graph:
            graph.save()
    assert [(step, options) for step, options, _ in taken] == [(0, {}), (1, {}), (2, {})] + [
        (3, {"num_points": None}),
        (4, {"num_points": None}),
    ]
    # Those of the first two steps, whole, with the weights after the third.
    products = [points.max(axis=1).astype(np.float64) @ weights + biases for _, _, points in taken[3:]]
    np.testing.assert_array_equal(
        np.concatenate([one[2] for one in taken[3:]]), np.concatenate([one[2] for one in taken[:2]])
    )
    np.testing.assert_allclose(mean, np.mean([one.mean(axis=0) for one in products], axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, np.mean([one.var(axis=0) for one in products], axis=0), rtol=1e-4)


@pytest.mark.parametrize("loss, logits, steps", [(np.nan, 1, 1), (np.inf, 1, 1), (1.0, np.nan, 2)])
def test_a_training_that_diverges_ends_and_saves_nothing(loss, logits, steps, monkeypatch):
    graph = FakeGraph(argparse.Namespace(is_asked=False))
    values = {"loss/total": loss, "loss/classification": 1.0, "accuracy/overall": 0.5}
    monkeypatch.setattr(graph, "train_step", lambda *_: setattr(graph, "step", graph.step + 1) or values)
    monkeypatch.setattr(graph, "logits", lambda points: np.full((len(points), 2), logits, np.float32))
    settings = training.TrainingSettings("none", ("a", "b"), 4, steps_per_epoch=2, max_epoch=1, learning_rate=0.5)
    clouds = np.zeros((8, 10, 3), np.float32), np.arange(8) % 2
    with pytest.raises(InputError, match="`learning_rate` 0.5: .*diverged, .* after {} steps".format(steps)):
        training.train(
            graph, clouds, clouds, settings, lambda points, _: points, None, training.StopOnSignal(), lambda line: None
        )
    assert not graph.calls


def test_an_evaluation_that_was_interrupted_is_made_up_for():
    stop = training.StopOnSignal()
    graph = FakeGraph(stop)
    settings = training.TrainingSettings("none", ("a", "b"), batch_size=4, steps_per_epoch=2, max_epoch=1)
    clouds = np.zeros((8, 10, 3), np.float32), np.array([0, 0, 0, 0, 0, 0, 1, 1])
    lines = []

    def as_they_are(points, step):
        return points

    def show():
        graph.calls.append("show")

    training.train(graph, clouds, clouds, settings, as_they_are, show, stop, lines.append)
    # Stopped after the first of two batches: saved, but not as an epoch done.
    assert graph.calls == ["logits", "save"] and (graph.step, graph.epochs_done) == (2, 0)

    graph.calls, graph.stop = [], argparse.Namespace()
    stop.is_asked = False
    training.train(graph, clouds, clouds, settings, as_they_are, show, stop, lines.append)
    assert graph.calls == ["logits", "logits", "save_best", "show", "save"]
    assert (graph.step, graph.epochs_done) == (2, 1)
    assert graph.best_accuracy == 0.75 and any("accuracy 75.00 %" in line for line in lines)


def test_an_epoch_may_end_before_the_clock_of_windows_moves(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1e9)
    settings = training.TrainingSettings("none", ("a", "b"), batch_size=4, steps_per_epoch=1, max_epoch=1)
    clouds, lines = (np.zeros((4, 10, 3), np.float32), np.zeros(4, int)), []
    training.train_one_epoch(
        FakeGraph(None), clouds, 0, settings, lambda points, _: points, training.StopOnSignal(), lines.append
    )
    assert float(lines[0].split()[-2]) > 0 and lines[0].endswith("clouds/s")


@pytest.mark.parametrize("clouds, rate", [(0, 1e-3), (500, 5e-4), (750, 1e-3 * (1 - np.sqrt(0.5)) / 2), (1000, 1e-5)])
def test_a_cosine_ends_with_the_training(clouds, rate):
    settings = training.TrainingSettings(
        "pointnet_cls", ("a",), batch_size=10, steps_per_epoch=25, max_epoch=4, schedule="cosine"
    )
    with tf.Graph().as_default(), tf.Session() as session:
        value = session.run(training_graph._learning_rate(settings, tf.constant(clouds)))
    assert value == pytest.approx(rate, rel=1e-4)


@pytest.mark.parametrize("schedule", ["steps", "cosine"])
def test_a_rate_below_the_floor_is_not_lifted_to_it(schedule):
    settings = training.TrainingSettings(
        "pointnet_cls", ("a",), batch_size=10, steps_per_epoch=25, max_epoch=4, learning_rate=1e-6, schedule=schedule
    )
    with tf.Graph().as_default(), tf.Session() as session:
        for clouds in (0, 500):
            value = session.run(training_graph._learning_rate(settings, tf.constant(clouds)))
            assert value == pytest.approx(1e-6, rel=1e-4)


@pytest.mark.parametrize("clouds, decay", [(0, 0.5), (199999, 0.5), (200000, 0.75), (400000, 0.875), (2000000, 0.99)])
def test_batch_norm_decay_halves_its_distance_to_one(clouds, decay):
    with tf.Graph().as_default(), tf.Session() as session:
        value = session.run(training_graph._batch_norm_decay(tf.constant(clouds), 200000))
    assert value == pytest.approx(decay)


def test_a_log_takes_names_of_folders_that_are_no_utf_8(tmp_path):
    training.Log(str(tmp_path / "log.txt"))("saved to Jürgen/caf\udce9")
    assert (tmp_path / "log.txt").read_bytes().endswith("saved to Jürgen/caf\\udce9\n".encode("utf-8"))


def test_many_class_names_are_told_apart_in_a_short_line(tmp_path):
    before = ["class {}".format(number) for number in range(40)]
    path = str(tmp_path / "config.json")
    files.write_json(path, {"class_names": before})
    with pytest.raises(files.InputError) as raised:
        files.check_same_settings(path, {"class_names": tuple(before[:-1] + ["cup"])}, "log_dir")
    assert "`class_names` with cup in place 40:" in str(raised.value) and "began with class 39;" in str(raised.value)
    with pytest.raises(files.InputError, match="`class_names` of 39 entries: .* began with 40;"):
        files.check_same_settings(path, {"class_names": before[:-1]}, "log_dir")
    files.check_same_settings(path, {"class_names": tuple(before)}, "log_dir")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGBREAK"])
def test_a_signal_that_comes_while_a_line_is_written_stops_after_the_step(name, monkeypatch):
    class Busy:
        def write(self, text):
            raise RuntimeError("reentrant call inside")

        flush = write

    if name == "SIGBREAK":  # of Windows; another signal stands in for it
        monkeypatch.setattr(signal, name, signal.SIGUSR1, raising=False)
    with training.StopOnSignal() as stop:
        monkeypatch.setattr(sys, "stdout", Busy())
        os.kill(os.getpid(), getattr(signal, name))
        assert stop.is_asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), getattr(signal, name))
            time.sleep(1)
