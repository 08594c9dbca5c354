"""Set abstraction against the same layers written as in the paper: all rows of all balls, one product a layer."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from models import grouping, set_abstraction

WIDTHS = (5, 6, 8)
RADIUS, BALL = 0.7, 6


def _plain(points, features, count, is_training, bn_decay):
    """The features [B, M, S, K] before the maximum, and the centres, with the variables of ours."""
    centres = tf.gather(points, grouping.farthest_points(points, count), batch_dims=1)
    members = grouping.ball_query(points, centres, RADIUS, BALL)
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
    return net, centres


def _found(clouds, features, count, is_training, seed=3):
    """Ours and the plain way: of each the features, their maximum, and its gradients by all that goes in."""
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
        theirs, centres = _plain(points, of_points, count, is_training, decay)
        weights = tf.constant(draw.standard_normal((WIDTHS[-1],)), tf.float32)
        by = list(inputs) + tf.trainable_variables()
        wanted = []
        for one in (
            (ours.pool.maximum, ours.centres, ours.pool.features[:, :, :BALL]),
            (tf.reduce_max(theirs, axis=2), centres, theirs),
        ):
            goal = tf.reduce_sum(tf.sin(one[0]) * weights) + tf.reduce_sum(tf.square(one[1]))
            wanted.append(list(one) + [tf.convert_to_tensor(gradient) for gradient in tf.gradients(goal, by)])
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            shape = variable.shape.as_list()
            is_variance = variable.op.name.endswith("variance")
            variable.load(draw.uniform(0.5, 2, shape) if is_variance else draw.standard_normal(shape), session)
        names = ["maximum", "centres", "features", "by points", "by features"][: 3 + len(inputs)]
        names += ["by " + variable.op.name for variable in tf.trainable_variables()]
        return [dict(zip(names, values)) for values in session.run(wanted, inputs)]


@pytest.mark.parametrize("is_training", (True, False))
@pytest.mark.parametrize("num_features", (0, 4))
def test_values_and_gradients_are_those_of_all_rows_written_out(num_features, is_training, rng):
    clouds = rng.uniform(-1, 1, (3, 40, 3))
    features = rng.standard_normal((3, 40, num_features)) + 1 if num_features else None
    ours, theirs = _found(clouds, features, 15, is_training)
    # While it trains, values for looking at are those of the moving averages.
    for name in set(theirs) - ({"features"} if is_training else set()):
        # Batch norm takes the biases out again: what the plain way finds there is rounding.
        expected = np.zeros(1) if is_training and name.endswith("/biases") else theirs[name]
        scale = max(abs(expected).max(), 1)
        np.testing.assert_allclose(ours[name] - expected, 0, atol=1e-4 * scale, err_msg=name)


def test_without_its_holder_a_maximum_falls_to_the_second(rng):
    clouds = rng.uniform(-0.5, 0.5, (2, 25, 3))
    clouds[0, 20], clouds[1, 7] = clouds[0, 2], clouds[1, 6]  # two points at one place
    clouds[:, 24] = 9  # one that is alone in its ball
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        points = tf.placeholder(tf.float32, [None, None, 3])
        layers = set_abstraction.set_abstraction(points, None, 25, 0.45, 8, WIDTHS, "layer", is_training=False)
        session.run(tf.global_variables_initializer())
        pool = session.run(layers.pool, {points: clouds})
    numbers_of_points, shared = set(), 0
    for cloud in range(2):
        for ball, members in enumerate(pool.members[cloud, :, : pool.size]):
            numbers_of_points.add(len(set(members)))
            for channel in range(WIDTHS[-1]):
                values = dict(zip(members, pool.features[cloud, ball, :, channel]))
                holder = pool.holders[cloud, ball, channel]
                assert values.pop(holder) == pool.maximum[cloud, ball, channel]
                second = max(values.values()) if values else 0
                shared += second == pool.maximum[cloud, ball, channel] > 0
                assert pool.seconds[cloud, ball, channel] == second
    assert {1, 8} < numbers_of_points and shared


def test_two_points_at_one_place_share_a_gradient_equally_in_balls_that_are_filled_up(rng):
    clouds = rng.uniform(-0.5, 0.5, (1, 12, 3))
    clouds[0, 9] = clouds[0, 0]  # the first of all balls that it is in, so the one that fills them up
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        points = tf.placeholder(tf.float32, [None, None, 3])
        features = tf.ones([1, 12, 2])
        layers = set_abstraction.set_abstraction(points, features, 12, 0.5, 16, WIDTHS, "layer", is_training=False)
        gradients = tf.gradients(tf.reduce_sum(tf.square(layers.pool.maximum)), features)[0]
        session.run(tf.global_variables_initializer())
        found = session.run(gradients, {points: clouds})[0]
    assert found[0].any()
    np.testing.assert_allclose(found[9], found[0], rtol=1e-5)
