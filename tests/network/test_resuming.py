"""Trainings that go on: from which step, with how many processes, and with which settings."""

import argparse
import os

import numpy as np
import one_layer_network
import pytest

import models
from utils import files
from utils.files import InputError
from utils.network import resuming, training, training_graph

SETTINGS = training.TrainingSettings("pointnet_cls", ("a", "b", "c"), batch_size=6, steps_per_epoch=3, max_epoch=1)


@pytest.mark.parametrize(
    "before, now, step, goes_on_at",
    [
        ((32, 10), (32, 10), 17, 17),
        # Half as many steps pass over an epoch; what makes no whole step comes again.
        ((16, 20), (32, 10), 25, 12),
        ((32, 10), (16, 20), 13, 26),
        # Stopped in the test of the first epoch: all of its clouds are done, also where more of them are left over.
        ((16, 5), (32, 2), 5, 2),
        ((32, 2), (16, 5), 2, 5),
        ((16, 5), (32, 2), 4, 2),
        ((32, 10), (128, 2), 0, 0),
    ],
)
def test_a_training_goes_on_after_as_many_clouds_with_another_number_of_processes(before, now, step, goes_on_at):
    assert training_graph.Pace(*now).step_after(training_graph.Pace(*before), step) == goes_on_at


def test_steps_are_counted_anew_where_a_checkpoint_goes_on_with_more_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "network", lambda name: one_layer_network)
    clouds = np.zeros((6, 4, 3), np.float32), np.arange(6) % 3
    settings = SETTINGS._replace(batch_size=3, steps_per_epoch=6)

    def step_of(settings):
        with training_graph.open_training(str(tmp_path), settings, gpu=-1) as graph:
            return graph.step

    with training_graph.open_training(str(tmp_path), settings, gpu=-1) as graph:
        for _ in range(9):
            graph.train_step(clouds[0][:3], clouds[1][:3])
        graph.epochs_done = 1
        graph.save()
    assert step_of(SETTINGS) == 4  # one epoch of 3, and 3 steps of 3 are one of 6
    # It was saved so: killed here, it is not counted twice.
    assert step_of(SETTINGS) == 4
    # Of one of an older version config.json tells how fast it went.
    os.remove(str(tmp_path / "model.ckpt.json"))
    config = {"model": "pointnet_cls", "batch_size": 3, "num_train": 20, "processes": 2}
    files.write_json(str(tmp_path / "config.json"), config)
    assert step_of(settings) == 8
    # Without the number of processes it is of one: 8 of its steps are one epoch of 6, and 2 that are one of 6 clouds.
    os.remove(str(tmp_path / "model.ckpt.json"))
    files.write_json(str(tmp_path / "config.json"), dict(config, processes=None))
    assert step_of(SETTINGS) == 4


def _flags(log_dir, batch_size):
    values = dict(dict.fromkeys(resuming.FLAGS_OF_A_RUN), **resuming.NEWER_FLAGS)
    values.update(log_dir=str(log_dir), optimizer="adam", schedule="steps", batch_size=batch_size)
    return argparse.Namespace(**values)


@pytest.mark.parametrize(
    "batch_size, num_processes, is_taken",
    [(16, 2, True), (32, 1, True), (16, 1, True), (8, 4, True), (16, 5, True), (32, 2, False), (20, 2, False)],
)
def test_any_number_of_processes_goes_on_with_the_same_batch_of_each_or_in_all(
    batch_size, num_processes, is_taken, tmp_path
):
    (tmp_path / "model.ckpt.index").write_bytes(b"")
    config = {"model": "pointnet_cls", "batch_size": 16, "processes": 2, "class_names": ["a"], "num_train": 99}
    files.write_json(str(tmp_path / "config.json"), config)
    flags = _flags(tmp_path, batch_size)
    now = dict(
        vars(flags),
        class_names=["a"],
        num_train=99,
        processes=num_processes,
        scaled="where needed",
        data={"train": "1", "test": "2"},
        model="pointnet_cls",
    )
    if is_taken:
        resuming.check(flags, now)
    else:
        with pytest.raises(InputError, match="`batch_size` {}: .* began with 16;".format(batch_size)):
            resuming.check(flags, now)


def test_a_null_in_config_json_is_no_value_but_where_a_flag_was_not_given(tmp_path):
    (tmp_path / "model.ckpt.index").write_bytes(b"")
    flags = _flags(tmp_path, 16)
    now = dict(vars(flags), class_names=["a"], num_train=99, processes=1, scaled="where needed", model="pointnet_cls")
    now.update(rotation="y", seed=3, data={"train": "a", "test": "b"})
    nulls = ["batch_size", "processes", "rotation", "class_names", "num_train", "seed", "augment", "data"]
    nulls = dict.fromkeys(nulls)
    files.write_json(str(tmp_path / "config.json"), dict(now, **nulls))
    resuming.check(flags, now)
    for name, value in (("train_points", 32), ("start_from", "elsewhere"), ("label_smoothing", 0.2)):
        with pytest.raises(InputError, match="`{}` {}: .* began (without it|with 0.0);".format(name, value)):
            resuming.check(flags, dict(now, **{name: value}))
