"""The layers against NumPy."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from utils import tf_util


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def _set(session, values):
    """Gives variables random-looking values by name, gammas of both signs among them."""
    for variable in tf.global_variables():
        if variable.op.name in values:
            session.run(variable.assign(values[variable.op.name]))


def _layer_values(rng, scope, shape):
    width = shape[-1]
    return {
        scope + "/weights": rng.standard_normal(shape),
        scope + "/biases": rng.standard_normal(width),
        scope + "/bn/beta": rng.standard_normal(width),
        scope + "/bn/gamma": rng.standard_normal(width),
        scope + "/bn/moving_mean": rng.standard_normal(width),
        scope + "/bn/moving_variance": rng.uniform(0.5, 2, width),
    }


def test_shared_dense_in_evaluation_normalises_by_the_moving_averages(session, rng):
    points = rng.standard_normal((2, 5, 3))
    output = tf_util.shared_dense(tf.constant(points, tf.float32), 4, "conv1", is_training=False)
    session.run(tf.global_variables_initializer())
    values = _layer_values(rng, "conv1", (1, 3, 1, 4))
    _set(session, values)
    product = points @ values["conv1/weights"].reshape(3, 4) + values["conv1/biases"]
    normal = (product - values["conv1/bn/moving_mean"]) / np.sqrt(values["conv1/bn/moving_variance"] + 1e-3)
    expected = np.maximum(normal * values["conv1/bn/gamma"] + values["conv1/bn/beta"], 0)
    np.testing.assert_allclose(session.run(output), expected, rtol=1e-4, atol=1e-5)


def test_shared_dense_in_training_normalises_by_the_batch_and_moves_the_averages(session, rng):
    points = rng.standard_normal((2, 50, 6)) + 3
    output = tf_util.shared_dense(tf.constant(points, tf.float32), 4, "conv2", True, tf.constant(0.9))
    session.run(tf.global_variables_initializer())
    values = _layer_values(rng, "conv2", (1, 1, 6, 4))
    _set(session, values)
    product = (points @ values["conv2/weights"].reshape(6, 4) + values["conv2/biases"]).reshape(-1, 4)
    normal = (product - product.mean(axis=0)) / np.sqrt(product.var(axis=0) + 1e-3)
    expected = np.maximum(normal * values["conv2/bn/gamma"] + values["conv2/bn/beta"], 0).reshape(2, 50, 4)
    np.testing.assert_allclose(session.run(output), expected, rtol=1e-3, atol=1e-4)
    session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    averages = {variable.op.name: variable for variable in tf.global_variables()}
    np.testing.assert_allclose(
        session.run(averages["conv2/bn/moving_mean"]),
        0.9 * values["conv2/bn/moving_mean"] + 0.1 * product.mean(axis=0),
        rtol=1e-4,
    )
    np.testing.assert_allclose(
        session.run(averages["conv2/bn/moving_variance"]),
        0.9 * values["conv2/bn/moving_variance"] + 0.1 * product.var(axis=0),
        rtol=1e-4,
    )


def test_shared_dense_is_a_1x1_convolution(session, rng):
    points = tf.constant(rng.standard_normal((2, 7, 5)), tf.float32)
    output = tf_util.shared_dense(points, 4, "conv", is_training=False)
    session.run(tf.global_variables_initializer())
    weights = next(variable for variable in tf.global_variables() if variable.op.name == "conv/weights")
    # Fresh averages (0, 1), gamma 1 and biases 0 leave the product, but for epsilon.
    convolved = tf.nn.relu(tf.nn.conv2d(points[:, :, tf.newaxis], weights, [1, 1, 1, 1], "VALID"))[:, :, 0]
    np.testing.assert_allclose(*session.run([output, convolved / np.sqrt(1 + 1e-3)]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("num_clouds", (1, 3, 4, 9))
def test_gradients_of_a_linear_layer_in_evaluation_are_those_of_a_product(num_clouds, session, rng):
    inputs, out = rng.standard_normal((num_clouds, 6)), rng.standard_normal((num_clouds, 5))
    fed = tf.constant(inputs, tf.float32)
    output = tf_util.linear(fed, 5, "fc3", is_training=False)
    variables = {variable.op.name: variable for variable in tf.global_variables()}
    asked = [fed, variables["fc3/weights"], variables["fc3/biases"]]
    gradients = tf.gradients(output, asked, grad_ys=tf.constant(out, tf.float32))
    session.run(tf.global_variables_initializer())
    weights = session.run(variables["fc3/weights"])
    for found, expected in zip(session.run(gradients), (out @ weights.T, inputs.T @ out, out.sum(axis=0))):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_the_mean_in_training_and_does_nothing_else(session):
    ones = tf.ones([200, 200])
    assert tf_util.dropout(ones, 0.7, is_training=False) is ones
    dropped = session.run(tf_util.dropout(ones, 0.7, is_training=True))
    assert set(np.unique(dropped).round(4)) == {0.0, np.float32(1 / 0.7).round(4)}
    # Four standard errors of 40,000 draws.
    assert abs((dropped > 0).mean() - 0.7) < 4 * np.sqrt(0.7 * 0.3 / 40000)
