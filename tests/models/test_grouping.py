"""Neighbours and their features against NumPy."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from models import grouping


def _neighbours(features, k):
    with tf.Graph().as_default(), tf.Session() as session:
        placeholder = tf.placeholder(tf.float32, [None, None, features.shape[2]])
        return session.run(grouping.nearest_neighbours(placeholder, k), {placeholder: features})


def _nearest_first(features, k):
    """The same in float64, of all distances."""
    differences = features[:, :, np.newaxis].astype(np.float64) - features[:, np.newaxis]
    return np.argsort((differences**2).sum(axis=3), axis=2, kind="stable")[:, :, :k]


@pytest.mark.parametrize("num_channels", (3, 40))
@pytest.mark.parametrize("num_points", (21, 64, 130))
def test_neighbours_are_the_nearest_of_all_points(num_points, num_channels, rng):
    features = rng.standard_normal((3, num_points, num_channels)).astype(np.float32)
    found = _neighbours(features, 20)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, _nearest_first(features, 20))
    np.testing.assert_array_equal(found[:, :, 0], [np.arange(num_points)] * 3)


@pytest.mark.parametrize("num_points", (1, 7, 20))
def test_of_fewer_points_all_are_neighbours(num_points, rng):
    found = _neighbours(rng.standard_normal((2, num_points, 3)), 20)
    assert found.shape == (2, num_points, num_points)
    np.testing.assert_array_equal(np.sort(found, axis=2), np.tile(np.arange(num_points), (2, num_points, 1)))


def test_of_equally_near_points_the_first_come_first(rng):
    # On a grid, so that distances are exact.
    features = rng.randint(0, 3, (2, 50, 3)).astype(np.float32)
    np.testing.assert_array_equal(_neighbours(features, 8), _nearest_first(features, 8))


@pytest.mark.parametrize("distances_per_chunk", (1, 2 * 50 * 50, 10**6))
def test_neighbours_are_the_same_for_chunks_of_any_size(distances_per_chunk, rng, monkeypatch):
    monkeypatch.setattr(grouping, "DISTANCES_PER_CHUNK", distances_per_chunk)
    features = rng.standard_normal((5, 50, 3)).astype(np.float32)
    np.testing.assert_array_equal(_neighbours(features, 6), _nearest_first(features, 6))


@pytest.mark.parametrize("num_points", (1, 100, 1024, 46341, 65536, 65537, 100000, 131072))
def test_of_clouds_of_any_size_at_least_one_has_its_distances_found_at_a_time(num_points):
    # Python's numbers do not overflow.
    expected = max(1, grouping.DISTANCES_PER_CHUNK // num_points**2)
    with tf.Graph().as_default(), tf.Session() as session:
        placeholder = tf.placeholder(tf.int32, [])
        assert session.run(grouping._clouds_in_a_chunk(placeholder), {placeholder: num_points}) == expected


@pytest.mark.parametrize("shape", ((2, 4), (2, 4, 3)))
def test_gathered_features_are_those_of_the_points_and_their_gradient_goes_back_there(shape, rng):
    features = rng.standard_normal((2, 6, 5)).astype(np.float32)
    indices = rng.randint(0, 6, shape)
    upstream = rng.standard_normal(shape + (5,)).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        placeholder = tf.placeholder(tf.float32, [None, None, 5])
        taken = grouping.gather_points(placeholder, tf.constant(indices, tf.int32))
        wanted = [taken, tf.gradients(taken, placeholder, upstream)[0]]
        found, gradient = session.run(wanted, {placeholder: features})
    expected = np.zeros(features.shape)
    for cloud in range(2):
        np.testing.assert_array_equal(found[cloud], features[cloud][indices[cloud]])
        np.add.at(expected[cloud], indices[cloud], upstream[cloud])
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("each", (1, 3))
def test_sums_in_order_are_of_all_that_leads_to_a_point(each, rng):
    indices = rng.randint(0, 5, (2, 5, 3))
    indices[indices == 2] = 1  # nothing leads to point 2
    values = rng.standard_normal((2 * 5 * 3 // each, 4)).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        ordered = grouping.in_order(tf.constant(indices, tf.int32))
        found = session.run(grouping.sums_in_order(tf.constant(values), ordered, 5, each))
    expected = np.zeros((10, 4))
    np.add.at(expected, (indices + 5 * np.arange(2).reshape(2, 1, 1)).ravel(), np.repeat(values, each, axis=0))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert not found[[2, 7]].any()
