"""The second largest value of a product and who holds the largest, against sorting all of it."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from models import max_pool
from utils.network import checkpoint


def _pool(points, num_outputs=24):
    """Maximum, features, second largest values and holders of a layer in evaluation mode."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        placeholder = tf.placeholder(tf.float32, [None, None, points.shape[2]])
        pool = max_pool.shared_dense_max(placeholder, num_outputs, "layer", is_training=False)
        session.run(tf.global_variables_initializer())
        return session.run(pool, {placeholder: points})


@pytest.mark.parametrize("points_per_chunk", (40, 4096))
@pytest.mark.parametrize("num_points", (2, 13, 32, 97, 160))
def test_the_second_largest_value_is_that_of_sorting_all(num_points, points_per_chunk, rng, monkeypatch):
    monkeypatch.setattr(max_pool, "POINTS_PER_CHUNK", points_per_chunk)
    found = _pool(rng.standard_normal((5, num_points, 6)))
    ordered = np.sort(found.features, axis=1)
    np.testing.assert_allclose(found.maximum, ordered[:, -1], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.seconds, ordered[:, -2], rtol=1e-6, atol=1e-6)
    held = np.take_along_axis(found.features, found.holders[:, np.newaxis], axis=1)[:, 0]
    np.testing.assert_allclose(held, found.maximum, rtol=1e-6, atol=1e-6)


def test_a_point_that_fills_a_block_up_is_not_its_own_second(rng):
    points = rng.standard_normal((3, 35, 4))
    points[0, -1] *= 50  # the last points fill the last block up; that is one of them, and this was in another block
    points[1, 25] *= 50
    points[2, 23] *= 50
    points[2, 24] = 0.9 * points[2, 23]
    found = _pool(points)
    ordered = np.sort(found.features, axis=1)
    np.testing.assert_allclose(found.seconds, ordered[:, -2], rtol=1e-6, atol=1e-6)
    for number, place in enumerate((34, 25, 23)):
        assert (found.holders[number] == place).sum() > 5
        is_positive = found.maximum[number] > 0
        largest = found.features[number].argmax(axis=0)
        np.testing.assert_array_equal(found.holders[number][is_positive], largest[is_positive])


def test_a_maximum_that_points_share_is_second_to_itself(rng):
    points = rng.standard_normal((2, 48, 3))
    points[:, 7] *= 5  # far out, so that it holds maxima
    points[0, 40] = points[0, 7]  # in another block
    points[1, 8] = points[1, 7]  # in the same
    found = _pool(points)
    ordered = np.sort(found.features, axis=1)
    assert (ordered[:, -1] == ordered[:, -2]).any(axis=1).all()
    np.testing.assert_allclose(found.seconds, ordered[:, -2], rtol=1e-6, atol=1e-6)


def test_without_its_only_point_nothing_is_left(rng):
    found = _pool(rng.standard_normal((3, 1, 4)))
    assert not found.seconds.any() and found.maximum.any() and not found.holders.any()


def test_the_maximum_alone_is_found_without_its_holders(rng):
    kinds = []
    with tf.Graph().as_default(), checkpoint.open_session(-1) as session:
        placeholder = tf.placeholder(tf.float32, [None, None, 5])
        pool = max_pool.shared_dense_max(placeholder, 24, "layer", is_training=False)
        session.run(tf.global_variables_initializer())
        for fetched in (pool.maximum, [pool.maximum, pool.holders]):
            told, options = tf.RunMetadata(), tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            session.run(fetched, {placeholder: rng.standard_normal((3, 32, 5))}, options, told)
            names = [node.node_name for device in told.step_stats.dev_stats for node in device.node_stats]
            kinds.append({name.rsplit("/", 1)[-1].split("_")[0] for name in names})
    assert "MatMul" in kinds[0] and "UnsortedSegmentMax" not in kinds[0]
    assert "UnsortedSegmentMax" in kinds[1]


def test_maxima_of_some_channels_are_those_of_all(rng):
    points = rng.standard_normal((3, 48, 6))
    points[1, 30] = points[1, 3] = 4 * points[1, 3]  # where two hold a maximum, the first is told
    channels = np.argsort(rng.random((3, 24)), axis=1)[:, :10]
    with tf.Graph().as_default(), tf.Session() as session:
        placeholder = tf.placeholder(tf.float32, [None, None, 6])
        pool = max_pool.shared_dense_max(placeholder, 24, "layer", is_training=False)
        some = max_pool.maximum_of_channels(pool, tf.constant(channels, tf.int32))
        session.run(tf.global_variables_initializer())
        features, (maximum, holders) = session.run([pool.features, some], {placeholder: points})
    np.testing.assert_allclose(maximum, np.take_along_axis(features.max(axis=1), channels, axis=1), rtol=1e-6)
    first = np.take_along_axis(features.argmax(axis=1), channels, axis=1)
    is_positive = maximum > 0
    assert is_positive.any() and (first[1] == 3).any()
    np.testing.assert_array_equal(holders[is_positive], first[is_positive])
