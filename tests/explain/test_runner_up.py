"""Runner-up heat and its path: by hand, and against going through all points anew at every step."""

import numpy as np
import pytest

from utils.explain import ranking, runner_up

# One cloud of three points; two layers of two channels and of one.
MAXIMA = [
    (np.array([[-2.0, 0.5]]), np.array([[5.0, 4.0]]), np.array([[2.0, 3.0]]), np.array([[0, 0]])),
    (np.array([[-1.0]]), np.array([[7.0]]), np.array([[7.0]]), np.array([[2]])),
]


def test_a_point_gets_what_its_channels_lose_times_what_the_loss_makes_of_it():
    # 2 * (5 - 2) - 0.5 * (4 - 3); of the shared maximum nobody has anything.
    assert runner_up.runner_up(np.zeros((1, 3, 3)), MAXIMA).tolist() == [[5.5, 0.0, 0.0]]


def test_clouds_do_not_mix():
    both = [tuple(np.concatenate([array, array[:, ::-1]]) for array in layer) for layer in MAXIMA]
    both[0][3][1] = [2, 1]
    # Of the second cloud the channels come the other way round, held by points 2 and 1.
    assert runner_up.runner_up(np.zeros((2, 3, 3)), both).tolist() == [[5.5, 0, 0], [0, 6.0, -0.5]]


def test_the_path_hands_channels_to_their_seconds():
    # Two channels of four points, both heard with gradient -1. Heats 5 - 4, 6 - 5.5, and then as they pass on.
    features = np.array([[[5.0, 4.0, 0.0, 1.0], [0.0, 6.0, 5.5, 0.0]]])
    # Point 0 leads by 1; without it point 1 leads both channels, by 3 and by 0.5; then 2 by 5.5; then 3.
    assert _path(features, np.array([[-1.0, -1.0]]), 4) == [[0, 1, 2, 3]]
    # Where the loss grows with the first channel, whoever leads it stays to the end.
    assert _path(features, np.array([[1.0, -1.0]]), 4) == [[1, 2, 3, 0]]


def _path(features, gradients, count):
    return runner_up.path([ranking.AllPoints(features, gradients)], count).tolist()


def _path_by_sorting(features, gradients, count):
    """The same path, every heat worked out anew at every step."""
    left, going = list(range(features.shape[1])), []
    for _ in range(count):
        heat = dict.fromkeys(left, 0.0)
        for values, gradient in zip(features.astype(np.float64), gradients):
            ranked = sorted(left, key=lambda point: -values[point])
            second = values[ranked[1]] if len(left) > 1 else 0.0
            heat[ranked[0]] -= gradient * (values[ranked[0]] - second)
        going.append(max(left, key=heat.get))
        left.remove(going[-1])
    return going


@pytest.mark.parametrize("sorted_at_once, columns_at_once", ((3, 1), (8, 4), (64, 16)))
@pytest.mark.parametrize("is_whole", (False, True))
@pytest.mark.parametrize("num_points, num_channels", ((40, 60), (25, 8), (3, 5), (1, 4)))
def test_the_path_is_that_of_sorting_anew(
    num_points, num_channels, is_whole, sorted_at_once, columns_at_once, rng, monkeypatch
):
    monkeypatch.setattr(ranking, "SORTED_AT_ONCE", sorted_at_once)
    monkeypatch.setattr(ranking, "COLUMNS_AT_ONCE", columns_at_once)
    features = np.maximum(rng.standard_normal((3, num_channels, num_points)), 0).astype(np.float32)
    gradients = rng.standard_normal((3, num_channels)).astype(np.float32)
    if is_whole:
        # Small whole numbers: shared maxima, points of equal heat, channels that nobody hears.
        features, gradients = np.round(2 * features), np.round(gradients)
    found = _path(features, gradients, num_points)
    assert found == [_path_by_sorting(*cloud, num_points) for cloud in zip(features, gradients)]
    assert _path(features, gradients, 2) == [one[:2] for one in found]


class TwoLayers:
    """A network that can be worked out in the head: one layer of max(x, 0), its maxima, and a loss by their squares."""

    def __init__(self, points):
        self.points, self.asked = points, []

    def __call__(self, number, clouds):
        self.asked.append(clouds.shape[:2])
        features = np.maximum(clouds, 0)
        return [(features, -features.max(axis=1))]


def test_new_gradients_are_taken_of_what_is_left(rng):
    points = rng.standard_normal((1, 11, 3))
    once, anew = TwoLayers(points), TwoLayers(points)
    heat = runner_up.runner_up_path(points, once)
    refreshed = runner_up.runner_up_path(points, anew, path_refresh=4)
    assert once.asked == [(1, 11)] and anew.asked == [(1, 11), (1, 7), (1, 3)]
    assert sorted(heat[0]) == sorted(refreshed[0]) == list(range(1, 12))
    assert (np.argsort(-heat[0])[:4] == np.argsort(-refreshed[0])[:4]).all()
    # From there on a path of its own, among those that are left.
    left = np.setdiff1d(np.arange(11), np.argsort(-refreshed[0])[:4])
    ((features, gradients),) = once(0, points[:, left])
    following = left[_path_by_sorting(features[0].T, gradients[0], 4)]
    assert np.argsort(-refreshed[0])[4:8].tolist() == following.tolist()


def test_as_many_points_are_ordered_as_are_asked_for(rng):
    points = rng.standard_normal((2, 11, 3))
    whole, part = TwoLayers(points), TwoLayers(points)
    heat = runner_up.runner_up_path(points, whole, path_refresh=4)
    first = runner_up.runner_up_path(points, part, path_refresh=4, places=6)
    assert first.tolist() == np.where(heat > 11 - 6, heat, 0).tolist()
    assert part.asked == [(2, 11), (2, 7)] and whole.asked == [(2, 11), (2, 7), (2, 3)]
    assert (runner_up.runner_up_path(points, whole, places=99) > 0).all()
