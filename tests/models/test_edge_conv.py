"""Layers on edges against the same written as in a textbook, finite differences and sorting all values."""

import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from benchmarks import textbook

from models import edge_conv, edges

K = 6
WIDTHS = {"one": (24,), "two": (16, 24)}


def _layer(module, kind, features, neighbours, is_training):
    if kind == "one":
        return module.edge_conv_max(features, neighbours, WIDTHS[kind][0], "layer", is_training, tf.constant(0.8))
    return module.two_edge_convs_max(
        features, neighbours, WIDTHS[kind], ("first", "layer"), is_training, tf.constant(0.8)
    )


def _load(session, seed=3):
    """Gives the variables of the default graph values by their names, gammas of both signs among them."""
    draw = np.random.RandomState(seed)
    for variable in sorted(tf.global_variables(), key=lambda variable: variable.op.name):
        shape = variable.shape.as_list()
        is_variance = variable.op.name.endswith("moving_variance")
        values = draw.uniform(0.5, 2, shape) if is_variance else draw.standard_normal(shape)
        # Divided so that sums of many inputs are as large as one: the sine would magnify their rounding.
        variable.load(values / np.sqrt(np.prod(shape[:-1])), session)


def _found(module, kind, features, neighbours, is_training):
    """Maximum, gradients by features and variables, and moving averages of a layer, as a dictionary of arrays."""
    with tf.Graph().as_default(), tf.Session() as session:
        placeholders = tf.placeholder(tf.float32, [None, None, features.shape[2]]), tf.placeholder(tf.int32, [None] * 3)
        feed = dict(zip(placeholders, (features, neighbours)))
        maximum = _layer(module, kind, *placeholders, is_training=is_training).maximum
        # Any smooth function in which every output counts differently.
        weights = np.random.RandomState(5).standard_normal(features.shape[:2] + WIDTHS[kind][-1:])
        goal = tf.reduce_sum(tf.sin(maximum) * weights.astype(np.float32))
        wanted = {"maximum": maximum, "by features": tf.gradients(goal, placeholders[0])[0]}
        for variable, gradient in zip(tf.trainable_variables(), tf.gradients(goal, tf.trainable_variables())):
            wanted["by " + variable.op.name] = gradient
        _load(session)
        found = session.run(wanted, feed)
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS), feed)
        for variable in tf.global_variables():
            found["after " + variable.op.name] = session.run(variable)
        return found


def _assert_textbook(kind, features, neighbours, is_training):
    ours, theirs = (_found(module, kind, features, neighbours, is_training) for module in (edge_conv, textbook))
    assert ours.keys() == theirs.keys()
    for name in theirs:
        scale = max(abs(theirs[name]).max(), 1)
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-4 * scale, err_msg=name)


def _neighbours(rng, num_clouds, num_points, k=K):
    """Any k points for each, all different."""
    found = [[rng.choice(num_points, k, replace=False) for _ in range(num_points)] for _ in range(num_clouds)]
    return np.array(found, np.int32)


# One of the two sizes of chunks on each of the two TensorFlows, as both take long.
@pytest.mark.parametrize("values_per_chunk", (1, 3 * 17 * K * 40)[sys.version_info < (3, 8) :: 2])
@pytest.mark.parametrize("is_training", (True, False))
@pytest.mark.parametrize("kind", WIDTHS)
def test_values_gradients_and_moving_averages_are_the_textbooks(kind, is_training, values_per_chunk, rng, monkeypatch):
    monkeypatch.setattr(edges, "VALUES_PER_CHUNK", values_per_chunk)
    features = (rng.standard_normal((5, 17, 7)) + 1).astype(np.float32)
    _assert_textbook(kind, features, _neighbours(rng, 5, 17), is_training)


@pytest.mark.skipif(sys.version_info < (3, 8), reason="takes long on TensorFlow 1.15; TensorFlow 2 does it")
@pytest.mark.parametrize("is_training", (True, False))
@pytest.mark.parametrize("kind", WIDTHS)
def test_neighbours_that_share_a_maximum_share_its_gradient(kind, is_training, rng):
    # Three points at one place: two or three of them are often among the neighbours of one.
    features = rng.standard_normal((2, 16, 4)).astype(np.float32)
    features[:, 4:6] = features[:, 3:4]
    _assert_textbook(kind, features, _neighbours(rng, 2, 16, 8), is_training)


@pytest.mark.parametrize("kind", WIDTHS)
def test_the_gradient_is_the_slope(kind, rng):
    features, neighbours = rng.standard_normal((2, 15, 3)).astype(np.float32), _neighbours(rng, 2, 15)
    weights = rng.standard_normal((2, 15, 24))
    with tf.Graph().as_default(), tf.Session() as session:
        placeholder = tf.placeholder(tf.float32, [None, None, 3])
        maximum = _layer(edge_conv, kind, placeholder, tf.constant(neighbours), is_training=True).maximum
        gradients = tf.gradients(maximum, placeholder, tf.constant(weights, tf.float32))[0]
        _load(session)
        gradients = session.run(gradients, {placeholder: features})
        slopes, wanted = [], []
        for _ in range(20):
            way = rng.standard_normal(features.shape)
            values = [session.run(maximum, {placeholder: features + step * way}) for step in (1e-3, -1e-3)]
            slopes.append(((values[0].astype(np.float64) - values[1]) * weights).sum() / 2e-3)
            wanted.append((gradients * way).sum())
    # A ReLU or a maximum that changes hands within a step spoils single ways.
    assert np.median(abs(np.array(slopes) - wanted)) < 2e-2 * np.std(wanted)


def _all_edges(features, neighbours, kind, session):
    """The layer's values of each edge [B, N, k, K], in float64, from the variables of the default graph."""
    values = {variable.op.name: session.run(variable).astype(np.float64) for variable in tf.global_variables()}
    others = np.stack([cloud[places] for cloud, places in zip(features, neighbours)]).astype(np.float64)
    layer = np.concatenate([np.broadcast_to(features[:, :, np.newaxis], others.shape), others], axis=3)
    layer[..., features.shape[2] :] -= features[:, :, np.newaxis]
    for scope in ("first", "layer")[-len(WIDTHS[kind]) :]:
        layer = layer @ values[scope + "/weights"][0, 0] + values[scope + "/biases"]
        layer = (layer - values[scope + "/bn/moving_mean"]) / np.sqrt(values[scope + "/bn/moving_variance"] + 1e-3)
        layer = np.maximum(layer * values[scope + "/bn/gamma"] + values[scope + "/bn/beta"], 0)
    return layer


@pytest.mark.parametrize("kind", WIDTHS)
def test_seconds_and_holders_are_those_of_sorting_all_values(kind, rng):
    features, neighbours = rng.standard_normal((3, 14, 5)).astype(np.float32), _neighbours(rng, 3, 14)
    # Of cloud 1 two points are the same; point 0 has both among its neighbours.
    features[1, 9], neighbours[1, 0, :2] = features[1, 8], (8, 9)
    neighbours[1, 0, 2:] = (1, 2, 3, 4)
    with tf.Graph().as_default(), tf.Session() as session:
        pool = _layer(edge_conv, kind, tf.constant(features), tf.constant(neighbours), is_training=False)
        _load(session)
        maximum, seconds, holders = session.run([pool.maximum, pool.seconds, pool.holders])
        edges = _all_edges(features, neighbours, kind, session)
    ordered = np.sort(edges, axis=2)
    scale = edges.max()
    np.testing.assert_allclose(maximum, ordered[:, :, -1], rtol=0, atol=1e-5 * scale)
    np.testing.assert_allclose(seconds, ordered[:, :, -2], rtol=0, atol=1e-5 * scale)
    places = (neighbours[..., np.newaxis] == holders[:, :, np.newaxis]).argmax(axis=2)
    assert (np.take_along_axis(neighbours, places, axis=2) == holders).all(), "a holder is a neighbour"
    held = np.take_along_axis(edges, places[:, :, np.newaxis], axis=2)[:, :, 0]
    np.testing.assert_allclose(held, maximum, rtol=0, atol=1e-5 * scale)
    is_of_both = np.isin(holders[1, 0], (8, 9)) & (maximum[1, 0] > 0)
    assert is_of_both.any() and (seconds[1, 0] == maximum[1, 0])[is_of_both].all()


def test_without_its_only_neighbour_nothing_is_left(rng):
    for kind in WIDTHS:
        with tf.Graph().as_default(), tf.Session() as session:
            features = tf.constant(rng.standard_normal((2, 1, 4)), tf.float32)
            pool = _layer(edge_conv, kind, features, tf.zeros([2, 1, 1], tf.int32), is_training=False)
            _load(session)
            maximum, seconds, holders = session.run([pool.maximum, pool.seconds, pool.holders])
        assert maximum.any() and not seconds.any() and not holders.any()
