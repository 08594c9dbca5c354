"""Heat of centres brought to points: by hand, against going through all centres, and where rows lie at the points."""

import numpy as np
import pytest

from utils.explain import centres
from utils.explain.methods import METHODS, Method


def _at(points, feature_points, heat):
    """Heat of one cloud, whose points and centres lie along x."""
    along_x = [np.float32([[[x, 0, 0] for x in values]]) for values in (feature_points, points)]
    return centres.at_points(np.float32([heat]), *along_x)[0].tolist()


def test_a_point_has_the_mean_of_its_three_nearest_centres_weighted_by_one_over_their_distances():
    # From 1: centres at the distances 1, 1, 2 and 9. (1 * 3 + 1 * 6 + 0.5 * 2) / 2.5
    assert _at([1], [0, 2, 3, 10], [3, 6, 2, 100]) == pytest.approx([4.0])


def test_a_point_at_a_centre_has_its_heat_as_it_is():
    assert _at([2, 10], [0, 2, 3, 10], [3, 6, 2, 0.1]) == [6, np.float32(0.1)]
    # However near: beside it the others count as little as they are far.
    assert _at([2 + 1e-30], [0, 2, 3, 10], [3, 6, 2, 0.1]) == [6]
    assert _at([1e-30], [0, 2, 3, 10], [3, 6, 2, 0.1]) == pytest.approx([3])


def test_of_centres_in_one_place_a_point_there_has_the_mean():
    assert _at([2], [2, 2, 3, 10], [4, 6, 100, 100]) == [5]
    # Elsewhere each of them counts: (1 * 4 + 1 * 6 + 0.5 * 1) / 2.5
    assert _at([1], [2, 2, 3, 10], [4, 6, 1, 100]) == pytest.approx([4.2])
    assert _at([1], [0] * 5, [7] * 5) == [7]


def test_fewer_than_three_centres_are_all_that_count():
    assert _at([1, 5], [0], [3]) == [3, 3]
    assert _at([1], [0, 3], [3, 6]) == pytest.approx([(3 + 6 / 2) / 1.5])


@pytest.mark.parametrize("at_once", (1, 40, 1 << 18))
def test_many_clouds_are_as_each_point_on_its_own(at_once, rng, monkeypatch):
    monkeypatch.setattr(centres, "DISTANCES_AT_ONCE", at_once)
    points = rng.uniform(-1, 1, (3, 30, 3)).astype(np.float32)
    feature_points = np.stack([cloud[rng.choice(30, 12, replace=False)] for cloud in points])
    heat = rng.standard_normal((3, 12))
    found = centres.at_points(heat, feature_points, points)
    assert found.dtype == heat.dtype and centres.at_points(np.float32(heat), feature_points, points).dtype == np.float32
    for number in range(3):
        for point, value in zip(points[number], found[number]):
            far = [float(np.linalg.norm(np.float64(point) - centre)) for centre in feature_points[number]]
            nearest = sorted(range(12), key=far.__getitem__)[:3]
            weights = [1.0 if one == nearest[0] else 0.0 for one in nearest]
            if far[nearest[0]] > 0:
                weights = [1 / far[one] for one in nearest]
            wanted = sum(weight * heat[number, one] for weight, one in zip(weights, nearest)) / sum(weights)
            assert value == pytest.approx(wanted)


def test_where_each_row_lies_at_its_point_nothing_is_done(rng):
    points, heat = rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 5))
    points[:, 3] = points[:, 1]  # two points in one place keep each its own
    assert centres.at_points(heat, points, points) is heat and centres.at_points(heat, points.copy(), points) is heat


class OnCentres:
    """A network whose feature map has one channel and lies at every other point of a cloud."""

    def quantities(self, names, clouds, labels, is_target=False):
        for start in range(0, len(clouds), 2):
            yield [self._of(clouds[start : start + 2])[name] for name in names]

    def _of(self, clouds):
        found = {"points": clouds, "feature_points": clouds[:, ::2], "features": np.abs(clouds[:, ::2, :1])}
        found["feature_gradients"] = np.ones_like(found["features"])
        found["feature_map_of"] = lambda others: [
            self._of(others)[name] for name in ("features", "feature_gradients", "feature_points")
        ]
        return found


def test_every_method_on_the_feature_map_has_heat_at_the_points(rng):
    clouds = rng.uniform(-1, 1, (3, 20, 3)).astype(np.float32)
    wanted = centres.at_points(np.abs(clouds[:, ::2, 0]), clouds[:, ::2], clouds)
    for name in ("p-grad-cam", "grad-cam", "hirescam", "feature-norm"):
        np.testing.assert_allclose(METHODS[name].heat(OnCentres(), clouds, 0), wanted, rtol=1e-6, err_msg=name)
    # So few points that it takes one round: the same, divided by the greatest.
    wanted /= wanted.max(axis=1, keepdims=True)
    np.testing.assert_allclose(METHODS["ape"].heat(OnCentres(), clouds, 0), wanted, rtol=1e-6)
    critical = METHODS["critical"].heat(OnCentres(), clouds, 0)
    assert (critical[:, ::2].sum(axis=1) == 1).all() and (critical[:, 1::2] > 0).any()


def test_a_formula_of_points_is_left_alone(rng):
    clouds = rng.uniform(-1, 1, (3, 20, 3)).astype(np.float32)
    row = Method("x", "x", ("points",), lambda points: points[:, :, 0], "red", "o")
    np.testing.assert_array_equal(row.heat(OnCentres(), clouds, 0), clouds[:, :, 0])
