"""The fast layers against the same layers written as in a textbook, which TensorFlow differentiates by itself."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from benchmarks import textbook

import models
from models import max_pool
from utils import tf_util

LAYERS = {"shared_dense": 3, "shared_dense_max": 3, "dense": 2}


def _values_and_gradients(module, layer, inputs, variables, is_training):
    """Output, gradients by input and variables, and moving averages of a layer, as a dictionary of arrays."""
    with tf.Graph().as_default(), tf.Session() as session:
        placeholder = tf.placeholder(tf.float32, [None] * (inputs.ndim - 1) + [inputs.shape[-1]])
        output = getattr(module, layer)(placeholder, 24, "layer", is_training, tf.constant(0.8))
        output = output[0] if isinstance(output, tuple) else output
        # Any smooth function in which every output counts differently.
        weights = np.random.RandomState(5).standard_normal((24,)).astype(np.float32)
        goal = tf.reduce_sum(tf.sin(output) * weights)
        wanted = {"output": output, "by input": tf.gradients(goal, placeholder)[0]}
        for variable, gradient in zip(tf.trainable_variables(), tf.gradients(goal, tf.trainable_variables())):
            wanted["by " + variable.op.name] = gradient
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            variable.load(variables[variable.op.name].reshape(variable.shape.as_list()), session)
        found = session.run(wanted, {placeholder: inputs})
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS), {placeholder: inputs})
        for variable in tf.global_variables():
            found["after " + variable.op.name] = session.run(variable)
        return found


def _assert_same(layer, inputs, rng, is_training):
    width = 24
    variables = {
        "layer/weights": rng.standard_normal((inputs.shape[-1], width)),
        "layer/biases": rng.standard_normal(width),
        "layer/bn/gamma": rng.standard_normal(width),
        "layer/bn/beta": rng.standard_normal(width),
        "layer/bn/moving_mean": rng.standard_normal(width),
        "layer/bn/moving_variance": rng.uniform(0.5, 2, width),
    }
    assert (variables["layer/bn/gamma"] < 0).any() and (variables["layer/bn/gamma"] > 0).any()
    module = max_pool if layer == "shared_dense_max" else tf_util
    ours = _values_and_gradients(module, layer, inputs, variables, is_training)
    theirs = _values_and_gradients(textbook, layer, inputs, variables, is_training)
    assert ours.keys() == theirs.keys()
    for name in theirs:
        scale = max(abs(theirs[name]).max(), 1)
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=2e-5 * scale, err_msg=name)


@pytest.mark.parametrize("is_training", (True, False))
@pytest.mark.parametrize("layer", sorted(LAYERS))
def test_values_gradients_and_moving_averages_are_the_textbooks(layer, is_training, rng):
    shape = (6, 48, 7) if LAYERS[layer] == 3 else (40, 7)
    _assert_same(layer, rng.standard_normal(shape) + 1, rng, is_training)


@pytest.mark.parametrize("is_training", (True, False))
@pytest.mark.parametrize("num_points", (1, 13, 30, 97))
def test_the_maximum_is_right_for_any_number_of_points(num_points, is_training, rng):
    _assert_same("shared_dense_max", rng.standard_normal((5, num_points, 3)), rng, is_training)


@pytest.mark.parametrize("points_per_chunk", (1, 40, 60, 1000))
def test_the_maximum_is_right_for_chunks_of_any_size(points_per_chunk, rng, monkeypatch):
    monkeypatch.setattr(max_pool, "POINTS_PER_CHUNK", points_per_chunk)
    _assert_same("shared_dense_max", rng.standard_normal((7, 20, 5)), rng, is_training=True)


@pytest.mark.parametrize("is_training", (True, False))
def test_points_that_share_a_maximum_share_its_gradient(is_training, rng):
    points = rng.standard_normal((2, 32, 5))
    points[:, 20:] = points[:, :12]
    points[1, 5] = points[1, 0]
    _assert_same("shared_dense_max", points, rng, is_training)


def test_a_layer_whose_gammas_are_zero_is_right(rng):
    with tf.Graph().as_default(), tf.Session() as session:
        points = tf.constant(rng.standard_normal((3, 20, 4)), tf.float32)
        output, *_ = max_pool.shared_dense_max(points, 5, "layer", True, tf.constant(0.9))
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            if variable.op.name.endswith(("gamma", "beta")):
                variable.load(np.full(5, 0 if variable.op.name.endswith("gamma") else 2, np.float32), session)
        values, gradient = session.run([output, tf.gradients(output, points)[0]])
    assert (values == 2).all() and not gradient.any()


def test_the_feature_map_is_what_the_maximum_is_taken_of(rng):
    with tf.Graph().as_default(), tf.Session() as session:
        points = tf.constant(rng.standard_normal((3, 20, 4)), tf.float32)
        maximum, features, *_ = max_pool.shared_dense_max(points, 50, "layer", is_training=False)
        session.run(tf.global_variables_initializer())
        maximum, features = session.run([maximum, features])
    np.testing.assert_allclose(maximum, features.max(axis=1), rtol=1e-6, atol=1e-6)


def _train(name, clouds, labels, num_steps=50):
    """Losses of some training steps, and the logits of the trained network in evaluation mode."""
    with tf.Graph().as_default(), tf.Session() as session:
        network = models.network(name)
        points, targets = tf.placeholder(tf.float32, [None, None, 3]), tf.placeholder(tf.int32, [None])
        with _no_dropout():
            logits, end_points = network.get_model(points, 4, True, tf.constant(0.5))
        loss, _ = network.get_loss(logits, targets, end_points)
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            evaluated, _ = network.get_model(points, 4, False)
        step = tf.train.GradientDescentOptimizer(0.003).minimize(loss)
        session.run(tf.global_variables_initializer())
        draw = np.random.RandomState(1)
        for variable in tf.trainable_variables():
            if variable.op.name.endswith(("weights", "gamma")):
                shape = variable.shape.as_list()
                scale = 1 if variable.op.name.endswith("gamma") else np.sqrt(2 / (np.prod(shape[:-1]) + shape[-1]))
                # Of the layers that end a T-Net little is kept, so that its matrix begins near the identity.
                scale *= 0.01 if "/transform_" in variable.op.name else 1
                variable.load((scale * draw.standard_normal(shape)).astype(np.float32), session)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        losses = [session.run([loss, step, updates], {points: clouds, targets: labels})[0] for _ in range(num_steps)]
        return np.array(losses), session.run(evaluated, {points: clouds})


def _no_dropout():
    """Dropout draws; without it, two trainings see the same network."""
    return textbook.mock.patch.object(tf_util, "dropout", lambda inputs, *_: inputs)


# Those that are made of layers that the textbook has, and of no others.
@pytest.mark.takes_turns
@pytest.mark.parametrize("name", ["pointnet_cls", "pointnet_cls_basic"])
def test_a_network_trained_fifty_steps_is_the_textbooks(name, rng):
    clouds, labels = rng.uniform(-1, 1, (24, 40, 3)).astype(np.float32), np.arange(24) % 4
    clouds *= 1 + labels[:, np.newaxis, np.newaxis] * [0.5, 0, -0.2]
    losses, logits = _train(name, clouds, labels)
    with textbook.layers():
        textbook_losses, textbook_logits = _train(name, clouds, labels)
    # A training magnifies rounding; by how much, the textbook's shows from clouds changed in their last digits.
    with textbook.layers():
        nudged_losses, nudged_logits = _train(name, clouds * np.float32(1 + 3e-7), labels)
    assert losses[-1] < 0.5 * losses[0]
    assert losses[0] == pytest.approx(textbook_losses[0], rel=1e-5)
    assert losses[-1] == pytest.approx(textbook_losses[-1], abs=0.005 * float(losses[0]))
    assert abs(logits - textbook_logits).max() < 5 * abs(nudged_logits - textbook_logits).max()
