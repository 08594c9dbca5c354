"""Saving that a kill cannot spoil, other programs' checkpoints, and clear words for what does not fit."""

import contextlib
import os
import shutil
import sys
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import REFERENCE, needs
from numpy_network import NumpyNetwork

import models
from utils.demo import modelnet40
from utils.files import InputError, versions, write_json
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


def _restore(prefix, model_name=None):
    with checkpoint.restore(prefix, model_name, gpu=-1) as network:
        return network.model_name


@pytest.mark.parametrize("kill_after, num_classes", enumerate([3, 3, 40, 40, 40]))
def test_a_save_that_was_cut_off_is_opened_whole(tiny_log, tmp_path, monkeypatch, kill_after, num_classes):
    prefix, written = str(tmp_path / "model.ckpt"), str(tmp_path / "written")
    _save_network(prefix, 3)
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


def _save_network(prefix, num_classes, model_name="pointnet_cls_basic", extra=()):
    """Saves a fresh network, of other weights than a training draws, and further variables of the given names."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        models.network(model_name).get_model(tf.zeros([1, 8, 3]), num_classes, is_training=False)
        for name in extra:
            tf.get_variable(name, [2])
        session.run(tf.global_variables_initializer())
        os.makedirs(os.path.dirname(prefix), exist_ok=True)
        checkpoint.save(session, tf.train.Saver(), prefix)


LAYERS = [sorted(models.network(name).LAYERS_FROM_TOP) for name in models.NAMES]
# The others can be told by config.json alone.
TOLD_BY_LAYERS = [name for name, layers in zip(models.NAMES, LAYERS) if LAYERS.count(layers) == 1]


@pytest.mark.takes_turns
@pytest.mark.parametrize("name", TOLD_BY_LAYERS)
def test_the_network_and_its_number_of_classes_are_told_by_the_checkpoint(tmp_path, name):
    prefix = str(tmp_path / "model.ckpt")
    _save_network(prefix, 7, name, extra=["beta1_power", "training/Adam/decay", "conv1/weights/Adam"])
    with checkpoint.restore(prefix, gpu=-1) as network:
        assert network.model_name == name and network.logits.shape.as_list()[1] == 7
        assert network.class_names == tuple("class {}".format(number) for number in range(1, 8))
    other = TOLD_BY_LAYERS[TOLD_BY_LAYERS.index(name) - 1]
    with pytest.raises(InputError, match="does not fit `model` {}: it holds {};".format(other, name)):
        _restore(prefix, other)


@needs(REFERENCE)
def test_upstreams_checkpoint_is_told_by_its_layers():
    prefix = os.path.join(REFERENCE, "model.ckpt")
    with checkpoint.restore(prefix, gpu=-1) as network:
        assert network.model_name == "pointnet_cls" and network.class_names == modelnet40.CLASS_NAMES
    with pytest.raises(InputError, match="it holds pointnet_cls;"):
        _restore(prefix, "pointnet_cls_basic")


@pytest.mark.parametrize("model_name", (None,) + models.NAMES)
def test_a_checkpoint_of_no_network_of_ours_is_refused(tmp_path, model_name):
    prefix = str(tmp_path / "model.ckpt")
    foreign = {
        "alone": [],
        "part of dgcnn": ["dgcnn1/weights", "agg/weights", "fc3/weights"],
        "keras": ["dense/kernel"],
    }
    for folder, extra in foreign.items():
        prefix = str(tmp_path / folder / "model.ckpt")
        with tf.Graph().as_default(), tf.Session() as session:
            variables = [tf.get_variable(name, [2]) for name in extra + ["x"]]
            session.run(tf.global_variables_initializer())
            os.makedirs(os.path.dirname(prefix))
            checkpoint.save(session, tf.train.Saver(variables), prefix)
        with pytest.raises(InputError, match="holds no network of ours"):
            _restore(prefix, model_name)
    # One layer more than the network has is another network.
    _save_network(str(tmp_path / "more" / "model.ckpt"), 3, extra=["conv6/weights"])
    with pytest.raises(InputError, match="holds no network of ours"):
        _restore(str(tmp_path / "more" / "model.ckpt"), model_name)


def _add_a_variant(monkeypatch):
    """Adds `my_res` to the networks as CONTRIBUTING.md says: `pointnet_cls_basic` with one skip connection."""
    plain = models.network("pointnet_cls_basic")
    line = 'net = tf_util.shared_dense(net, 64, "conv2", is_training, bn_decay)'
    with open(plain.__file__, encoding="utf-8") as file:
        source = file.read()
    assert source.count(line) == 1
    variant = types.ModuleType("models.my_res")
    exec(source.replace(line, line.replace("= ", "= net + ")), variant.__dict__)
    monkeypatch.setitem(sys.modules, "models.my_res", variant)
    monkeypatch.setattr(models, "NAMES", models.NAMES + ("my_res",))


def test_networks_with_the_same_layers_are_told_apart_by_the_config_or_by_name(tmp_path, monkeypatch, rng):
    _add_a_variant(monkeypatch)
    log, prefix, points = str(tmp_path), str(tmp_path / "model.ckpt"), rng.uniform(-1, 1, (1, 8, 3))
    settings = training.TrainingSettings("my_res", ("a", "b"), batch_size=2, steps_per_epoch=1, max_epoch=1)
    with training_graph.open_training(log, settings, gpu=-1) as graph:
        expected = graph.logits(points)
        graph.save()
    with training_graph.open_training(log, settings, gpu=-1) as graph:
        np.testing.assert_array_equal(graph.logits(points), expected)

    def logits(model_name=None):
        with checkpoint.restore(prefix, model_name, gpu=-1) as network:
            return network.model_name, network.session.run(network.logits, {network.points: points})

    with pytest.raises(InputError, match="holds pointnet_cls_basic or my_res, which have the same layers.*`model`"):
        logits()
    # Without the skip connection, as the paper has it, it is another network.
    plain = NumpyNetwork(prefix).logits(points[0])
    assert np.abs(plain - expected[0]).max() > 1e-3
    np.testing.assert_allclose(logits("pointnet_cls_basic")[1][0], plain, atol=1e-5)
    np.testing.assert_allclose(logits("my_res")[1], expected, atol=1e-5)
    write_json(str(tmp_path / "config.json"), {"model": "my_res"})
    name, found = logits()
    assert name == "my_res"
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(InputError, match="it holds pointnet_cls_basic or my_res; give the checkpoint of a dgcnn"):
        logits("dgcnn")
    # Where the program was installed anew, without it.
    write_json(str(tmp_path / "config.json"), {"model": "my_res", "versions": versions()})
    monkeypatch.undo()
    with pytest.raises(InputError, match="config.json is of a network 'my_res' that models/__init__.py does not name"):
        logits()


def test_classes_are_named_by_the_caller_the_config_or_their_numbers(tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    _save_network(prefix, 3)

    def names(given=None):
        with checkpoint.restore(prefix, gpu=-1, class_names=given) as network:
            return network.class_names

    assert names() == ("class 1", "class 2", "class 3")
    write_json(str(tmp_path / "config.json"), {"model": "pointnet_cls_basic", "class_names": ["cup", "7", "Stuhl"]})
    assert names() == ("cup", "7", "Stuhl")
    assert names(["a", "b", "c"]) == ("a", "b", "c")
    with pytest.raises(InputError, match="tells 3 classes apart, but 2 are named: .*`data_dir`.*`class_names`"):
        names(["a", "b"])


def _other_than_in(prefix, session):
    """Names of the variables of the default graph that have other values than in a checkpoint."""
    there = tf.train.NewCheckpointReader(prefix)
    found = [one for one in tf.global_variables() if there.has_tensor(one.op.name)]
    return [one.op.name for one in found if not np.array_equal(one.eval(session), there.get_tensor(one.op.name))]


def test_of_weights_of_other_classes_all_but_the_last_layer_is_a_start(tmp_path):
    prefix = str(tmp_path / "start" / "model.ckpt")
    _save_network(prefix, 3)
    settings = training.TrainingSettings("pointnet_cls_basic", ("a", "b"), batch_size=4, steps_per_epoch=1, max_epoch=1)
    with training_graph.open_training(str(tmp_path), settings, prefix, gpu=-1) as graph:
        assert graph.fresh_layer == "fc3"
        assert _other_than_in(prefix, graph._session) == ["fc3/weights", "fc3/biases"]


def test_the_last_layer_begins_anew_where_a_class_has_another_name_or_place(tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    _save_network(prefix, 3)
    with tf.Graph().as_default(), tf.Session() as session:
        models.network("pointnet_cls_basic").get_model(tf.zeros([1, 8, 3]), 3, is_training=False)
        for trained, now, anew in (
            (None, "abc", []),
            ("abc", "abc", []),
            ("abc", "cba", ["fc3/weights"]),
            ("abc", "abd", ["fc3/weights"]),
            ("ab", "abc", []),  # not the names of this checkpoint
        ):
            write_json(
                str(tmp_path / "config.json"), {"model": "pointnet_cls_basic", "class_names": trained and list(trained)}
            )
            session.run(tf.global_variables_initializer())
            variables = tf.global_variables()
            fresh = checkpoint.begin_with(session, prefix, variables, "pointnet_cls_basic", tuple(now))
            # Biases begin with zeros, in the checkpoint as here.
            assert _other_than_in(prefix, session) == anew and fresh == ("fc3" if anew else None)


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


def test_memory_that_does_not_suffice_is_said_in_one_line():
    with tf.Graph().as_default(), pytest.raises(InputError) as raised, checkpoint.open_session(-1) as session:
        size = tf.placeholder(tf.int64, [])
        # 4 TiB.
        session.run(tf.reduce_sum(tf.random_uniform([size])), {size: 2**40})
    assert str(raised.value).startswith("out of memory (OOM when allocating tensor") and "`gpu` -1" in str(raised.value)
    assert "\n" not in str(raised.value)


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
