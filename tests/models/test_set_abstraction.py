"""Set abstraction against the same layers written as in the paper: all rows of all balls, one product a layer."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from models import set_abstraction
from utils import tf_grouping

WIDTHS = (5, 6, 8)
RADIUS, BALL = 0.7, 6


def _plain(points, features, count, is_training, bn_decay):
    """The maximum [B, M, K] and the centres of a set abstraction with the variables of ours."""
    centres = tf.gather(points, tf_grouping.farthest_points(points, count), batch_dims=1)
    members = tf_grouping.ball_query(points, centres, RADIUS, BALL)
    net = tf.gather(points, members, batch_dims=1) - centres[:, :, tf.newaxis]
    if features is not None:
        net = tf.concat([net, tf.gather(features, members, batch_dims=1)], axis=3)
    for number in range(len(WIDTHS)):
        with tf.variable_scope("layer/conv{}".format(number), reuse=True):
            net = tf.nn.conv2d(net, tf.get_variable("weights"), [1, 1, 1, 1], "VALID") + tf.get_variable("biases")
            with tf.variable_scope("bn", reuse=True):
                beta, gamma, mean, variance = (
                    tf.get_variable(name) for name in ("beta", "gamma", "moving_mean", "moving_variance")
                )
            if is_training:
                mean, variance = tf.nn.moments(net, [0, 1, 2])
            net = tf.nn.relu(tf.nn.batch_normalization(net, mean, variance, beta, gamma, 1e-3))
    return tf.reduce_max(net, axis=2), centres


def _found(clouds, features, count, is_training, seed=3):
    """Ours and the plain way: of each the maximum, its gradients by all that goes in, and what batch norm keeps."""
    draw = np.random.RandomState(seed)
    with tf.Graph().as_default(), tf.Session() as session:
        points = tf.placeholder(tf.float32, [None, None, 3])
        inputs = {points: clouds}
        of_points = None
        if features is not None:
            of_points = tf.placeholder(tf.float32, [None, None, features.shape[2]])
            inputs[of_points] = features
        decay = tf.constant(0.75)
        ours = set_abstraction.set_abstraction(
            points, of_points, count, RADIUS, BALL, WIDTHS, "layer", is_training, decay
        )
        theirs, centres = _plain(points, of_points, ours.pool.maximum.shape.as_list()[1] or count, is_training, decay)
        weights = tf.constant(draw.standard_normal((WIDTHS[-1],)), tf.float32)
        by = list(inputs) + tf.trainable_variables()
        wanted = []
        for maximum, places in ((ours.pool.maximum, ours.centres), (theirs, centres)):
            goal = tf.reduce_sum(tf.sin(maximum) * weights) + tf.reduce_sum(tf.square(places))
            wanted.append([maximum, places] + [tf.convert_to_tensor(one) for one in tf.gradients(goal, by)])
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            shape = variable.shape.as_list()
            is_variance = variable.op.name.endswith("variance")
            variable.load(draw.uniform(0.5, 2, shape) if is_variance else draw.standard_normal(shape), session)
        names = ["maximum", "centres", "by points", "by features"][: 2 + len(inputs)]
        names += ["by " + variable.op.name for variable in tf.trainable_variables()]
        return [dict(zip(names, values)) for values in session.run(wanted, inputs)]


@pytest.mark.parametrize("is_training", (True, False))
@pytest.mark.parametrize("num_features", (0, 4))
def test_values_and_gradients_are_those_of_all_rows_written_out(num_features, is_training, rng):
    clouds = rng.uniform(-1, 1, (3, 40, 3))
    features = rng.standard_normal((3, 40, num_features)) + 1 if num_features else None
    ours, theirs = _found(clouds, features, 15, is_training)
    for name in theirs:
        # Batch norm takes the biases out again: what the plain way finds there is rounding.
        expected = np.zeros(1) if is_training and name.endswith("/biases") else theirs[name]
        scale = max(abs(expected).max(), 1)
        np.testing.assert_allclose(ours[name] - expected, 0, atol=1e-4 * scale, err_msg=name)
