"""Paths through pools over groups of points, against finding every maximum anew at every step."""

import numpy as np
import pytest

from utils.explain import ranking, runner_up

NUM_POINTS = 14


def _path_by_groups(layers, count):
    """The path of one cloud, every channel of every group that is there worked out anew; layers as for Groups."""
    left, going = list(range(NUM_POINTS)), []
    for _ in range(count):
        heat = dict.fromkeys(left, 0.0)
        for features, gradients, members, owners in layers:
            for row, owner in enumerate(owners):
                if owner >= 0 and owner not in left:
                    continue
                for channel, gradient in enumerate(gradients[row]):
                    values = dict(zip(members[row].tolist(), features[row, :, channel].astype(np.float64)))
                    there = [point for point in values if point in left]
                    ranked = sorted(there, key=lambda point: -values[point])
                    if ranked and ranked[0] != owner:
                        second = values[ranked[1]] if len(ranked) > 1 else 0.0
                        heat[ranked[0]] -= gradient * (values[ranked[0]] - second)
        going.append(max(left, key=heat.get))
        left.remove(going[-1])
    return going


def _layer(rng, num_groups, size, num_channels, is_owned, is_whole):
    """Features, gradients, members and owners of a cloud; values of a member that is there again are the same."""
    members = rng.randint(NUM_POINTS, size=(num_groups, size))
    of_points = np.maximum(rng.standard_normal((num_groups, NUM_POINTS, num_channels)), 0)
    gradients = rng.standard_normal((num_groups, num_channels))
    if is_whole:
        # Small whole numbers: shared maxima, points of equal heat, channels that nobody hears.
        of_points, gradients = np.round(2 * of_points), np.round(gradients)
    features = np.take_along_axis(of_points, members[:, :, np.newaxis], axis=1).astype(np.float32)
    owners = rng.permutation(NUM_POINTS)[:num_groups] if is_owned else np.full(num_groups, -1)
    return features, gradients.astype(np.float32), members, owners


@pytest.mark.parametrize("is_whole", (False, True))
def test_the_path_through_groups_is_that_of_finding_each_maximum_anew(is_whole, rng):
    shapes = ((9, 5, 4, True, is_whole), (6, 8, 3, False, is_whole), (1, 20, 6, False, False))
    clouds = [[_layer(rng, *shape) for shape in shapes] for _ in range(3)]
    clouds[1][0][1][3:] = 0  # a cloud that hears fewer channels than the others
    layers = [ranking.Groups(of_clouds, NUM_POINTS) for of_clouds in zip(*clouds)]
    found = runner_up.path(layers, NUM_POINTS)
    assert found.tolist() == [_path_by_groups(cloud, NUM_POINTS) for cloud in clouds]


def test_a_group_that_goes_with_its_point_is_heard_no_longer():
    # The group of point 2: point 0 leads by 5 - 4, but once 2 is gone nothing of it counts, and 1 leads the other by 1.
    own = np.array([[[5], [3], [4]]], np.float32), np.array([[-1.0]]), np.array([[0, 1, 2]]), np.array([2])
    other = np.array([[[1], [9]]], np.float32), np.array([[-1.0]]), np.array([[1, 2]]), np.array([-1])
    found = runner_up.path([ranking.Groups([layer], 3) for layer in (own, other)], 3)
    # 2 leads the other by 8, then 1 by 1; with the first group 0 would have led by 2.
    assert found.tolist() == [[2, 1, 0]]


def test_what_a_point_holds_in_its_own_group_gains_nothing():
    # Point 0 leads its own group by 9, point 1 another by 1.
    own = np.array([[[9], [0]]], np.float32), np.array([[-1.0]]), np.array([[0, 1]]), np.array([0])
    other = np.array([[[4], [5]]], np.float32), np.array([[-1.0]]), np.array([[0, 1]]), np.array([-1])
    found = runner_up.path([ranking.Groups([layer], 2) for layer in (own, other)], 2)
    assert found.tolist() == [[1, 0]]


def test_groups_and_pools_over_all_points_go_together(rng):
    features, gradients = np.maximum(rng.standard_normal((2, 5, NUM_POINTS)), 0), rng.standard_normal((2, 5))
    groups = [_layer(rng, 7, 4, 3, True, False) for _ in range(2)]
    whole = [
        (cloud.T[np.newaxis], values[np.newaxis], np.arange(NUM_POINTS)[np.newaxis], [-1])
        for cloud, values in zip(features, gradients)
    ]
    found = runner_up.path([ranking.AllPoints(features, gradients), ranking.Groups(groups, NUM_POINTS)], NUM_POINTS)
    assert found.tolist() == [_path_by_groups(layers, NUM_POINTS) for layers in zip(whole, groups)]


def test_a_layer_that_nobody_hears_orders_the_points_as_they_come():
    silent = np.ones((2, 3, 4), np.float32), np.zeros((2, 4)), np.array([[0, 1, 2], [2, 1, 0]]), np.array([-1, -1])
    assert runner_up.path([ranking.Groups([silent, silent], 3)], 3).tolist() == [[0, 1, 2]] * 2


def test_the_formula_takes_layers_of_both_kinds(rng):
    points = rng.standard_normal((2, NUM_POINTS, 3)).astype(np.float32)

    def of_cloud(number):
        drawn = np.random.RandomState(number)
        over_all = np.maximum(drawn.standard_normal((NUM_POINTS, 5)), 0).astype(np.float32)
        return (over_all, drawn.standard_normal(5)), _layer(drawn, 6, 4, 2, True, False)

    def pools_of(number, left):
        layers = zip(*(of_cloud(one) for one in range(number, number + len(left))))
        return [tuple(np.stack(arrays) for arrays in zip(*of_clouds)) for of_clouds in layers]

    found = runner_up.runner_up_path(points, pools_of)
    for number, heat in enumerate(found):
        (features, gradients), groups = of_cloud(number)
        whole = features[np.newaxis], gradients[np.newaxis], np.arange(NUM_POINTS)[np.newaxis], [-1]
        assert np.argsort(-heat).tolist() == _path_by_groups([whole, groups], NUM_POINTS)
