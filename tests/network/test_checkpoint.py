"""Saving that a kill cannot spoil, other programs' checkpoints, and clear words for what does not fit."""

import contextlib
import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from saved_networks import restore, save_network

import models
from utils.files import InputError
from utils.network import checkpoint, checkpoint_files, training, training_graph


def _save_value(folder, value):
    with tf.Graph().as_default(), tf.Session() as session:
        variable = tf.get_variable("x", initializer=float(value))
        session.run(variable.initializer)
        checkpoint.save(session, tf.train.Saver([variable]), os.path.join(folder, "model.ckpt"))


def _saved_value(folder):
    checkpoint_files.finish_save(os.path.join(folder, "model.ckpt"))
    return float(tf.train.load_variable(os.path.join(folder, "model.ckpt"), "x"))


def test_a_save_replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    _save_value(str(tmp_path), 1)
    _save_value(str(tmp_path), 2)
    assert _saved_value(str(tmp_path)) == 2
    assert sorted(os.listdir(str(tmp_path))) == ["checkpoint", "model.ckpt.data-00000-of-00001", "model.ckpt.index"]
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt")


def _kill_after(count, monkeypatch):
    """Lets `os.replace` put so many files of a checkpoint in their places, then ends the process, as it were."""
    replace, done = os.replace, []

    def replace_until_killed(source, target):
        if target.endswith(checkpoint_files.ENDINGS):
            if len(done) == count:
                raise KeyboardInterrupt
            done.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_until_killed)


# Before the new index is in place, the old one counts; from then on, the new one.
@pytest.mark.parametrize("kill_after, outcome", enumerate([1, 1, 2, 2, 2]))
def test_a_save_killed_at_any_moment_leaves_the_old_or_the_new_one(tmp_path, monkeypatch, kill_after, outcome):
    folder = str(tmp_path)
    _save_value(folder, 1)
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        _kill_after(kill_after, patch)
        _save_value(folder, 2)
    assert _saved_value(folder) == outcome


def test_best_holds_the_weights_alone(tiny_log):
    names = [name for name, _ in tf.train.list_variables(os.path.join(tiny_log, "best", "model.ckpt"))]
    assert "conv5/bn/moving_variance" in names and "conv5/weights" in names
    assert not any("Adam" in name or name in ("global_step", "best_accuracy") for name in names)


@pytest.mark.parametrize("kill_after, num_classes", enumerate([3, 3, 40, 40, 40]))
def test_a_save_that_was_cut_off_is_opened_whole(tiny_log, tmp_path, monkeypatch, kill_after, num_classes):
    prefix, written = str(tmp_path / "model.ckpt"), str(tmp_path / "written")
    save_network(prefix, 3)
    for ending in checkpoint_files.ENDINGS:
        shutil.copy(os.path.join(tiny_log, "best", "model.ckpt") + ending, written + ending)
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        _kill_after(kill_after, patch)
        checkpoint_files.replace(written, prefix)
    before = sorted(os.listdir(str(tmp_path)))
    assert checkpoint_files.find(prefix, None) == prefix
    assert checkpoint_files.exists(prefix) and checkpoint_files.read_config(prefix) == {}
    assert sorted(os.listdir(str(tmp_path))) == before, "looking changed a file"
    with checkpoint.restore(prefix, gpu=-1) as network:
        assert len(network.class_names) == num_classes


@pytest.mark.parametrize(
    "ending, damage",
    [
        (".index", "cut"),
        (".index", "empty"),
        (".index", "noise"),
        (".data-00000-of-00001", "cut"),
        (".data-00000-of-00001", "empty"),
        (".data-00000-of-00001", "noise"),
        (".data-00000-of-00001", "missing"),
    ],
)
def test_a_damaged_checkpoint_is_refused(tiny_log, tmp_path, ending, damage):
    for name in ("model.ckpt.index", "model.ckpt.data-00000-of-00001"):
        shutil.copy(os.path.join(tiny_log, "best", name), str(tmp_path / name))
    path = tmp_path / ("model.ckpt" + ending)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        noise = np.random.RandomState(0).bytes(len(content))
        path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "noise": noise}[damage])
    with pytest.raises(InputError, match="damaged"):
        restore(str(tmp_path / "model.ckpt"))


def test_a_checkpoint_that_holds_no_numbers_is_refused(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        points = tf.placeholder(tf.float32, [None, None, 3])
        models.network("pointnet_cls_basic").get_model(points, 4, is_training=False)
        session.run(tf.global_variables_initializer())
        (layer,) = [one for one in tf.global_variables() if one.op.name == "conv3/biases"]
        layer.load(np.where(np.arange(64) == 5, np.nan, 0), session)
        checkpoint.save(session, tf.train.Saver(), str(tmp_path / "model.ckpt"))
    with pytest.raises(InputError, match="holds numbers that are none, in conv3/biases: its training diverged"):
        checkpoint.restore(str(tmp_path / "model.ckpt"), gpu=-1).__enter__()


def test_upstreams_names_of_the_moving_averages_load(tiny_log, tmp_path):
    """A checkpoint rewritten under upstream's names gives the same network."""
    prefix = checkpoint_files.find(None, tiny_log)
    with tf.Graph().as_default(), tf.Session() as session:
        renamed = []
        for name, _ in tf.train.list_variables(prefix):
            scope = name.split("/bn/")[0] + "/bn"
            upstream = {
                "moving_mean": scope + "/" + scope + "/moments/Squeeze/ExponentialMovingAverage",
                "moving_variance": scope + "/" + scope + "/moments/Squeeze_1/ExponentialMovingAverage",
            }
            renamed.append(
                tf.Variable(tf.train.load_variable(prefix, name), name=upstream.get(name.split("/")[-1], name))
            )
        session.run(tf.global_variables_initializer())
        checkpoint.save(session, tf.train.Saver(renamed), str(tmp_path / "model.ckpt"))
    cloud = np.random.RandomState(0).uniform(-1, 1, (1, 32, 3))
    logits = []
    for path in (prefix, str(tmp_path / "model.ckpt")):
        with checkpoint.restore(path, gpu=-1) as network:
            logits.append(network.session.run(network.logits, {network.points: cloud}))
    np.testing.assert_array_equal(logits[0], logits[1])


def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="`gpu` 97"), checkpoint.open_session(97):
        pass


@pytest.mark.takes_turns
def test_memory_that_does_not_suffice_is_said_in_one_line():
    with tf.Graph().as_default(), pytest.raises(InputError) as raised, checkpoint.open_session(-1) as session:
        size = tf.placeholder(tf.int64, [])
        # 4 TiB.
        session.run(tf.reduce_sum(tf.random_uniform([size])), {size: 2**40})
    assert str(raised.value).startswith("out of memory (OOM when allocating tensor") and "`gpu` -1" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.takes_turns
def test_a_full_gpu_is_said_in_one_line_wherever_a_session_is_open(tiny_log, tmp_path):
    full = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor\n\t [[node a]]\nHint: a page")
    settings = training.TrainingSettings("pointnet_cls_basic", ("a", "b"), batch_size=4, steps_per_epoch=1, max_epoch=1)
    prefix = checkpoint_files.find(None, tiny_log)
    for context in (
        checkpoint.open_session(-1),
        checkpoint.restore(prefix, gpu=-1),
        training_graph.open_training(str(tmp_path), settings, gpu=-1),
    ):
        line = r"^out of memory \(OOM when allocating tensor\): take fewer points or smaller batches"
        with pytest.raises(InputError, match=line), context:
            raise full
