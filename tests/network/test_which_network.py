"""Of which network and of which classes a checkpoint is: told by its layers, its config.json, or the caller."""

import os
import sys
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import REFERENCE, needs
from numpy_network import NumpyNetwork
from saved_networks import restore, save_network

import models
from utils.demo import modelnet40
from utils.files import InputError, versions, write_json
from utils.network import checkpoint, training, training_graph

LAYERS = [sorted(models.network(name).LAYERS_FROM_TOP) for name in models.NAMES]
# The others can be told by config.json alone.
TOLD_BY_LAYERS = [name for name, layers in zip(models.NAMES, LAYERS) if LAYERS.count(layers) == 1]


@pytest.mark.takes_turns
@pytest.mark.parametrize("name", TOLD_BY_LAYERS)
def test_the_network_and_its_number_of_classes_are_told_by_the_checkpoint(tmp_path, name):
    prefix = str(tmp_path / "model.ckpt")
    save_network(prefix, 7, name, extra=["beta1_power", "training/Adam/decay", "conv1/weights/Adam"])
    with checkpoint.restore(prefix, gpu=-1) as network:
        assert network.model_name == name and network.logits.shape.as_list()[1] == 7
        assert network.class_names == tuple("class {}".format(number) for number in range(1, 8))
    other = TOLD_BY_LAYERS[TOLD_BY_LAYERS.index(name) - 1]
    with pytest.raises(InputError, match="does not fit `model` {}: it holds {};".format(other, name)):
        restore(prefix, other)


@needs(REFERENCE)
def test_upstreams_checkpoint_is_told_by_its_layers():
    prefix = os.path.join(REFERENCE, "model.ckpt")
    with checkpoint.restore(prefix, gpu=-1) as network:
        assert network.model_name == "pointnet_cls" and network.class_names == modelnet40.CLASS_NAMES
    with pytest.raises(InputError, match="it holds pointnet_cls;"):
        restore(prefix, "pointnet_cls_basic")


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
            restore(prefix, model_name)
    # One layer more than the network has is another network.
    save_network(str(tmp_path / "more" / "model.ckpt"), 3, extra=["conv6/weights"])
    with pytest.raises(InputError, match="holds no network of ours"):
        restore(str(tmp_path / "more" / "model.ckpt"), model_name)


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


@pytest.mark.takes_turns
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


@pytest.mark.takes_turns
def test_classes_are_named_by_the_caller_the_config_or_their_numbers(tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    save_network(prefix, 3)

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


@pytest.mark.takes_turns
def test_of_weights_of_other_classes_all_but_the_last_layer_is_a_start(tmp_path):
    prefix = str(tmp_path / "start" / "model.ckpt")
    save_network(prefix, 3)
    settings = training.TrainingSettings("pointnet_cls_basic", ("a", "b"), batch_size=4, steps_per_epoch=1, max_epoch=1)
    with training_graph.open_training(str(tmp_path), settings, prefix, gpu=-1) as graph:
        assert graph.fresh_layer == "fc3"
        assert _other_than_in(prefix, graph._session) == ["fc3/weights", "fc3/biases"]


@pytest.mark.takes_turns
def test_the_last_layer_begins_anew_where_a_class_has_another_name_or_place(tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    save_network(prefix, 3)
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
