"""Saving that a kill cannot spoil, upstream's names, and clear words for what does not fit."""

import os
import shutil

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import REFERENCE, needs

from utils.files import InputError
from utils.network import checkpoint


def _save_value(folder, value):
    with tf.Graph().as_default(), tf.Session() as session:
        variable = tf.get_variable("x", initializer=float(value))
        session.run(variable.initializer)
        checkpoint.save(session, tf.train.Saver([variable]), os.path.join(folder, "model.ckpt"))


def _saved_value(folder):
    checkpoint.finish_save(os.path.join(folder, "model.ckpt"))
    return float(tf.train.load_variable(os.path.join(folder, "model.ckpt"), "x"))


def test_a_save_replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    _save_value(str(tmp_path), 1)
    _save_value(str(tmp_path), 2)
    assert _saved_value(str(tmp_path)) == 2
    assert sorted(os.listdir(str(tmp_path))) == ["checkpoint", "model.ckpt.data-00000-of-00001", "model.ckpt.index"]
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt")


def test_a_save_killed_at_any_moment_leaves_the_old_or_the_new_one(tmp_path, monkeypatch):
    replace = os.replace
    outcomes = []
    for kill_after in range(5):
        folder = str(tmp_path / str(kill_after))
        os.makedirs(folder)
        _save_value(folder, 1)
        calls = []

        def replace_until_killed(source, target):
            if target.endswith((".index", ".data-00000-of-00001")):
                if len(calls) == kill_after:
                    raise KeyboardInterrupt
                calls.append(target)
            replace(source, target)

        monkeypatch.setattr(os, "replace", replace_until_killed)
        try:
            _save_value(folder, 2)
        except KeyboardInterrupt:
            pass
        monkeypatch.setattr(os, "replace", replace)
        outcomes.append(_saved_value(folder))
    # Before the new index is in place, the old one counts; from then on, the new one.
    assert outcomes == [1, 1, 2, 2, 2]


def test_the_best_comes_before_the_last_and_prefixes_and_folders_are_found(tiny_log):
    best, last = os.path.join(tiny_log, "best", "model.ckpt"), os.path.join(tiny_log, "model.ckpt")
    assert checkpoint.find(None, tiny_log) == best
    assert checkpoint.find(last, "elsewhere") == last
    assert checkpoint.find(last + ".index", "elsewhere") == last
    assert checkpoint.find(tiny_log, "elsewhere") == best


def test_without_one_of_the_users_own_a_shipped_one_is_taken_and_named(tiny_log, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checkpoint, "PRETRAINED_DIR", str(tmp_path / "shipped"))
    for name in ("rotation_y", "rotation_xyz"):
        shutil.copytree(os.path.join(tiny_log, "best"), str(tmp_path / "shipped" / name))
    for rotation, name in ((None, "rotation_y"), ("none", "rotation_y"), ("xyz", "rotation_xyz")):
        found = checkpoint.find(None, str(tmp_path), rotation)
        assert found == str(tmp_path / "shipped" / name / "model.ckpt")
        assert str(tmp_path / "shipped" / name) in capsys.readouterr().out
    assert checkpoint.find(None, tiny_log) == os.path.join(tiny_log, "best", "model.ckpt")
    assert not capsys.readouterr().out


def test_no_checkpoint_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "PRETRAINED_DIR", str(tmp_path / "shipped"))
    with pytest.raises(InputError, match="train one with train.py"):
        checkpoint.find(None, str(tmp_path))
    with pytest.raises(InputError, match="--model_path"):
        checkpoint.find(str(tmp_path / "model.ckpt"), None)


def test_only_a_best_folder_takes_the_config_above_it(tiny_log, tmp_path):
    assert checkpoint.read_config(os.path.join(tiny_log, "best", "model.ckpt"))["rotation"] == "y"
    assert checkpoint.read_config(os.path.join(tiny_log, "pretrained", "model.ckpt")) == {}


def test_best_holds_the_weights_alone(tiny_log):
    names = [name for name, _ in tf.train.list_variables(os.path.join(tiny_log, "best", "model.ckpt"))]
    assert "conv5/bn/moving_variance" in names and "conv5/weights" in names
    assert not any("Adam" in name or name in ("global_step", "best_accuracy") for name in names)


def _restore(prefix, model_name=None):
    with checkpoint.restore(prefix, model_name, gpu=-1) as network:
        return network.model_name


def test_a_checkpoint_of_the_other_network_is_refused(tiny_log):
    prefix = checkpoint.find(None, tiny_log)
    assert _restore(prefix) == "pointnet_cls_basic"
    with pytest.raises(InputError, match="does not fit --model pointnet_cls: it holds pointnet_cls_basic"):
        _restore(prefix, "pointnet_cls")


@needs(REFERENCE)
def test_the_larger_networks_checkpoint_is_not_taken_for_the_smaller(tmp_path):
    with pytest.raises(InputError, match="it holds pointnet_cls;"):
        _restore(os.path.join(REFERENCE, "model.ckpt"), "pointnet_cls_basic")


def test_another_number_of_classes_is_refused(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        from models import pointnet_cls_basic

        pointnet_cls_basic.get_model(tf.zeros([1, 8, 3]), is_training=False, num_classes=10)
        session.run(tf.global_variables_initializer())
        checkpoint.save(session, tf.train.Saver(), str(tmp_path / "model.ckpt"))
    with pytest.raises(InputError, match=r"fc3/.* is \[.*10\] there.*40 classes"):
        _restore(str(tmp_path / "model.ckpt"))


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    _save_value(str(tmp_path), 1)
    with pytest.raises(InputError, match="no network of ours"):
        _restore(str(tmp_path / "model.ckpt"))


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
        _restore(str(tmp_path / "model.ckpt"))


def test_upstreams_names_of_the_moving_averages_load(tiny_log, tmp_path):
    """A checkpoint rewritten under upstream's names gives the same network."""
    prefix = checkpoint.find(None, tiny_log)
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
    with pytest.raises(InputError, match="--gpu 97"):
        checkpoint.open_session(97)
