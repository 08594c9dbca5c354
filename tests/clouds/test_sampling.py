"""Farthest-point sampling against the plain way, which goes through all points."""

import numpy as np
import pytest

from utils.clouds import sampling


def _plainly(points, count):
    latest = ((points - points.mean(axis=0)) ** 2).sum(axis=1).argmax()
    distances, found = np.full(len(points), np.inf), []
    for _ in range(count):
        found.append(latest)
        distances = np.minimum(distances, ((points - points[latest]) ** 2).sum(axis=1))
        latest = distances.argmax()
    return np.sort(found)


@pytest.mark.parametrize("num_points, count", [(12, 12), (500, 40), (20000, 300)])
def test_each_point_is_the_farthest_from_those_before(rng, num_points, count):
    points = rng.standard_normal((num_points, 3))
    points[num_points // 3 :] /= np.linalg.norm(points[num_points // 3 :], axis=1, keepdims=True)
    found = []
    np.testing.assert_array_equal(sampling.farthest_points(points, count, found.append), _plainly(points, count))
    assert sum(found) == count


def test_on_a_line_by_hand():
    # The mean is 4.2: 10 is the farthest from it, then 0 from 10, then 4, 4 away from both 0 and 10's side.
    points = np.array([[0.0, 0, 0], [3, 0, 0], [4, 0, 0], [4, 0, 0], [10, 0, 0]])
    assert sampling.farthest_points(points, 2).tolist() == [0, 4]
    assert sampling.farthest_points(points, 3).tolist()[1] in (2, 3)


def test_points_in_one_place_are_each_taken_once():
    assert sampling.farthest_points(np.zeros((20, 3)), 20).tolist() == list(range(20))


def test_a_dense_patch_is_thinned_out(rng):
    dense, sparse = rng.uniform(0, 1, (9000, 2)), rng.uniform(1, 2, (1000, 2))
    points = np.hstack([np.concatenate([dense, sparse]), np.zeros((10000, 1))])
    share = (sampling.farthest_points(points, 200) < 9000).mean()
    assert 0.4 < share < 0.6
    assert (sampling.random_points(10000, 200, 0) < 9000).mean() > 0.8


def test_random_points_are_drawn_once_each_and_again_from_the_same_seed():
    found = sampling.random_points(100, 60, 5)
    assert len(set(found)) == 60 and (np.diff(found) > 0).all()
    np.testing.assert_array_equal(found, sampling.random_points(100, 60, 5))
