"""Farthest points and balls against NumPy that looks at every pair of points."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from models import grouping


def _squared_distances(points, centre):
    offsets = np.float32(points) - np.float32(centre)
    return (offsets[:, 0] ** 2 + offsets[:, 1] ** 2) + offsets[:, 2] ** 2


def _farthest_points(cloud, count):
    found, distances = [0], _squared_distances(cloud, cloud[0])
    while len(found) < count:
        found.append(int(np.flatnonzero(distances == distances.max())[0]))
        distances = np.minimum(distances, _squared_distances(cloud, cloud[found[-1]]))
    return found


def _ball(cloud, centre, radius, count):
    near = [place for place, square in enumerate(_squared_distances(cloud, centre)) if square < np.float32(radius) ** 2]
    return (near + [near[0]] * count)[:count]


def _run(function, clouds, *arguments):
    with tf.Graph().as_default(), tf.Session() as session:
        points = tf.placeholder(tf.float32, [None, None, 3])
        return session.run(function(points, *arguments), {points: clouds})


def _balls_at(points, centres, radius, count):
    return grouping.ball_query(points, tf.gather(points, centres, axis=1), radius, count)


def _clouds(rng, num_clouds, num_points):
    """Clouds on a coarse grid, so that distances are often equal and places often taken twice."""
    return rng.randint(-3, 4, (num_clouds, num_points, 3)).astype(np.float32) / 4


@pytest.mark.parametrize("shape", [(1, 1), (3, 17), (4, 60)])
def test_farthest_points_are_those_of_looking_at_all(shape, rng):
    for clouds in (rng.standard_normal(shape + (3,)), _clouds(rng, *shape)):
        for count in {1, shape[1] // 2 + 1, shape[1]}:
            found = _run(grouping.farthest_points, clouds, count)
            assert found.tolist() == [_farthest_points(cloud, count) for cloud in clouds]


def test_farthest_points_of_a_line():
    cloud = np.array([[0, 0, 0], [1, 0, 0], [4, 0, 0], [2, 0, 0], [-4, 0, 0]])
    assert _run(grouping.farthest_points, cloud[np.newaxis], 5).tolist() == [[0, 2, 4, 3, 1]]


def test_with_fewer_places_than_wanted_the_first_point_comes_again():
    assert _run(grouping.farthest_points, np.ones((1, 4, 3)), 4).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("count", [1, 4, 100])
@pytest.mark.parametrize("radius", [0.25, 0.6, 100.0])
def test_balls_are_those_of_looking_at_all(radius, count, rng):
    for clouds in (rng.uniform(-1, 1, (3, 50, 3)), _clouds(rng, 3, 50)):
        centres = rng.randint(0, 50, 20)
        found = _run(_balls_at, clouds, centres, radius, count)
        expected = [[_ball(cloud, cloud[centre], radius, count) for centre in centres] for cloud in clouds]
        np.testing.assert_array_equal(found, expected)


def test_a_point_exactly_at_the_radius_is_not_in_the_ball():
    radius = np.float32(0.2)
    cloud = np.array([[[0, 0, 0], [radius, 0, 0], [0, np.nextafter(radius, np.float32(0)), 0], [0, 0, -radius]]])
    found = _run(_balls_at, cloud, [0], 0.2, 4)
    assert found.tolist() == [[[0, 2, 0, 0]]]
