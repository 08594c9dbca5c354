"""Heat and paths through pools over groups of points, by hand and against finding every maximum anew at every step."""

import numpy as np
import pytest

from utils.explain import groups, ranking, runner_up

NUM_POINTS = 14


def _heat(layers, left):
    """Runner-up heat of those of a cloud's points that are left: of every group the maxima with and without each."""
    heat = dict.fromkeys(left, 0.0)
    for features, gradients, members, owners, size in layers:
        for row, owner in enumerate(owners):
            if owner >= 0 and owner not in left:
                continue
            values = {}
            for point, of_point in zip(members[row].tolist(), features[row].astype(np.float64)):
                values.setdefault(point, of_point)
            # In the order in which they wait.
            there = [point for point in values if point in left]
            for point in there[:size]:
                after = [other for other in there if other != point][:size]
                before, after = (
                    np.max([values[other] for other in some] + [np.zeros(features.shape[2])], axis=0)
                    for some in (there[:size], after)
                )
                if point != owner:
                    heat[point] -= gradients[row].dot(before - after)
    return heat


def _path_of(layers, count):
    left, going = list(range(NUM_POINTS)), []
    for _ in range(count):
        heat = _heat(layers, left)
        going.append(max(left, key=heat.get))
        left.remove(going[-1])
    return going


def _layer(rng, num_groups, num_members, num_channels, size, is_owned, is_whole):
    """What `Groups` takes of a cloud; values of a member that is there again are the same."""
    members = rng.randint(NUM_POINTS, size=(num_groups, num_members))
    of_points = np.maximum(rng.standard_normal((num_groups, NUM_POINTS, num_channels)), 0)
    gradients = rng.standard_normal((num_groups, num_channels))
    if is_whole:
        # Small whole numbers: shared maxima, points of equal heat, channels that nobody hears.
        of_points, gradients = np.round(2 * of_points), np.round(gradients)
    features = np.take_along_axis(of_points, members[:, :, np.newaxis], axis=1).astype(np.float32)
    owners = rng.permutation(NUM_POINTS)[:num_groups] if is_owned else np.full(num_groups, -1)
    return features, gradients, members, owners, size


SHAPES = ((9, 5, 4, 3, True), (6, 8, 3, 8, False), (1, 20, 6, 20, False))


@pytest.fixture(params=(False, True))
def clouds(request, rng, monkeypatch):
    """Three clouds of three layers each, the values of whose points are whole numbers or not."""
    monkeypatch.setattr(groups, "GROUPS_AT_ONCE", 4)
    found = [[_layer(rng, *shape, is_whole=request.param) for shape in SHAPES] for _ in range(3)]
    found[1][0][1][3:] = 0  # a cloud that hears fewer groups than the others
    return found


def test_gains_are_those_of_finding_each_maximum_anew(clouds):
    for number, layer in enumerate(zip(*clouds)):
        found = groups.Groups(layer, NUM_POINTS)
        heat = np.bincount(found.holders, found.gains, 3 * (NUM_POINTS + 1)).reshape(3, NUM_POINTS + 1)
        for of_cloud, cloud in zip(heat, clouds):
            wanted = _heat([cloud[number]], range(NUM_POINTS))
            np.testing.assert_allclose(of_cloud, [wanted[point] for point in range(NUM_POINTS)] + [0], atol=1e-6)


def test_the_path_through_groups_is_that_of_finding_each_maximum_anew(clouds):
    layers = [groups.Groups(of_clouds, NUM_POINTS) for of_clouds in zip(*clouds)]
    found = runner_up.path(layers, NUM_POINTS)
    assert found.tolist() == [_path_of(cloud, NUM_POINTS) for cloud in clouds]


def _group(values, members, owner=-1, size=9):
    """A layer of one group and one channel, which the loss falls with."""
    return np.float32(values).reshape(1, -1, 1), np.array([[-1.0]]), np.array([members]), np.array([owner]), size


def _found(*layers):
    num_points = 1 + max(layer[2].max() for layer in layers)
    return runner_up.path([groups.Groups([layer], num_points) for layer in layers], num_points)[0].tolist()


def test_a_group_that_goes_with_its_point_is_heard_no_longer():
    # Point 0 leads the group of point 2 by 1, and would lead it by 2 once 2 is gone; there 1 leads another by 1.
    assert _found(_group([5, 3, 4], [0, 1, 2], owner=2), _group([1, 9], [1, 2])) == [2, 1, 0]


def test_what_a_point_holds_in_its_own_group_gains_nothing():
    assert _found(_group([9, 0], [0, 1], owner=0), _group([4, 5], [0, 1])) == [1, 0]


def test_who_waits_steps_in_for_any_that_goes():
    # Of two at a time, 5 and 4; the next has 7, so that the loss falls by 2 when either goes.
    found = groups.Groups([_group([5, 4, 7, 1], [0, 1, 2, 3], size=2)], 4)
    assert dict(zip(found.holders, found.gains)) == {0: -2, 1: -2, 2: 0, 3: 0}
    # Without 2, who waits, 0 leads by 1, and without 0 then 1 by 3.
    assert _found(_group([5, 4, 7, 1], [0, 1, 2, 3], size=2)) == [2, 0, 1, 3]
    # Once 0 is gone, 2 is in the group and leads by 3.
    assert _found(_group([5, 4, 7, 1], [0, 1, 2, 3], size=2), _group([20], [0])) == [0, 2, 1, 3]


def test_members_that_fill_a_group_up_are_one_point():
    found = groups.Groups([_group([5, 4, 5, 5], [0, 1, 0, 0], size=4)], 2)
    assert np.bincount(found.holders, found.gains, 3).tolist() == [1, 0, 0]


def test_groups_and_pools_over_all_points_go_together(rng):
    features, gradients = np.maximum(rng.standard_normal((2, 5, NUM_POINTS)), 0), rng.standard_normal((2, 5))
    of_groups = [_layer(rng, *SHAPES[0], is_whole=False) for _ in range(2)]
    whole = [
        (cloud.T[np.newaxis], values[np.newaxis], np.arange(NUM_POINTS)[np.newaxis], [-1], NUM_POINTS)
        for cloud, values in zip(features, gradients)
    ]
    found = runner_up.path([ranking.AllPoints(features, gradients), groups.Groups(of_groups, NUM_POINTS)], NUM_POINTS)
    assert found.tolist() == [_path_of(layers, NUM_POINTS) for layers in zip(whole, of_groups)]


def test_a_layer_that_nobody_hears_orders_the_points_as_they_come():
    members, owners = np.array([[0, 1, 2], [2, 1, 0]]), np.array([-1, -1])
    silent = np.ones((2, 3, 4), np.float32), np.zeros((2, 4)), members, owners, 3
    assert runner_up.path([groups.Groups([silent, silent], 3)], 3).tolist() == [[0, 1, 2]] * 2


def test_the_formulas_take_layers_of_both_kinds(rng):
    points = rng.standard_normal((2, NUM_POINTS, 3)).astype(np.float32)
    over_all = np.maximum(rng.standard_normal((2, NUM_POINTS, 5)), 0).astype(np.float32), rng.standard_normal((2, 5))
    clouds = [_layer(rng, *SHAPES[0], is_whole=False) for _ in range(2)]
    of_groups = tuple(np.stack(arrays) for arrays in zip(*clouds))
    found = runner_up.runner_up_path(points, lambda number, left: [over_all, of_groups])
    wholes = [
        (features[np.newaxis], gradients[np.newaxis], np.arange(NUM_POINTS)[np.newaxis], [-1], NUM_POINTS)
        for features, gradients in zip(*over_all)
    ]
    for path, *layers in zip(found, wholes, clouds):
        assert np.argsort(-path).tolist() == _path_of(layers, NUM_POINTS)
    # The same of what a network says of its maxima; a group of few members is filled up with the first.
    features, gradients, members, owners, size = clouds[0]
    found = []
    for values, points_of in zip(features, members):
        who = list(dict.fromkeys(points_of.tolist()))
        values = np.stack([values[points_of.tolist().index(point)] for point in who] + [0 * values[0]] * (size + 1))
        second, largest = np.sort(values[:size], axis=0)[-2:]
        holders = [(who * size)[place] for place in values[:size].argmax(axis=0)]
        found.append((largest, second, holders, values[size], (who + who[:1] * size)[:size]))
    layer = [gradients] + [np.array(arrays) for arrays in zip(*found)] + [owners]
    (heat,) = runner_up.runner_up(points[:1], [[array[np.newaxis] for array in layer]])
    wanted = _heat([clouds[0]], range(NUM_POINTS))
    np.testing.assert_allclose(heat, [wanted[point] for point in range(NUM_POINTS)], rtol=1e-5, atol=1e-6)
