"""Methods that take points away, on networks that can be worked out: by hand, by brute force, by scikit-learn."""

import numpy as np
import pytest

from utils.clouds import sampling
from utils.explain import removal


def additive(worth):
    """A network whose answer of a part is the sum of what its points are worth: function of bool [B, S, N]."""
    return lambda kept: np.einsum("bsn,bn->bs", kept, worth)


@pytest.fixture
def clouds(rng):
    return rng.uniform(-1, 1, (2, 150, 3)).astype(np.float32)


@pytest.fixture
def rngs():
    return [np.random.RandomState(number) for number in range(2)]


def test_leave_one_out_asks_for_the_points_that_matter_alone(rng):
    worth = rng.standard_normal((2, 6))
    matters = np.array([[1, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1]], bool)
    asked = []

    def losses(kept):
        asked.append(kept)
        return additive(worth)(kept)

    found = removal.leave_one_out(np.zeros((2, 6, 3)), matters, losses)
    # Without a point the sum falls by what it is worth.
    np.testing.assert_allclose(found, np.where(matters, -worth, 0), atol=1e-6)
    assert asked[0].shape == (2, 4, 6) and asked[0].sum(axis=2).tolist() == [[5, 5, 5, 6], [5, 6, 6, 6]]


def test_where_no_point_matters_nothing_has_heat():
    found = removal.leave_one_out(np.zeros((1, 4, 3)), np.zeros((1, 4), bool), lambda kept: np.ones(kept.shape[:2]))
    assert found.tolist() == [[0, 0, 0, 0]]


def test_occlusion_is_the_mean_over_the_patches_that_hold_a_point(clouds, rng):
    worth = rng.standard_normal(clouds.shape[:2])
    found = removal.occlusion(clouds, additive(worth))
    for cloud, worths, heat in zip(clouds, worth, found):
        drops = [[] for _ in cloud]
        for centre in sampling.farthest_points(cloud, 64):
            distances = [float(((point - cloud[centre]).astype(np.float64) ** 2).sum()) for point in cloud]
            patch = sorted(range(len(cloud)), key=distances.__getitem__)[:64]
            for point in patch:
                drops[point].append(sum(worths[other] for other in patch))
        np.testing.assert_allclose(heat, [np.mean(values) if values else 0 for values in drops], atol=1e-5)


def test_a_patch_never_takes_all_of_a_small_cloud(rng):
    cloud = rng.uniform(-1, 1, (1, 10, 3)).astype(np.float32)
    seen = []

    def probabilities(kept):
        seen.append(kept.sum(axis=2))
        return np.ones(kept.shape[:2])

    assert not removal.occlusion(cloud, probabilities).any()
    assert seen[0].tolist() == [[10] + [5] * 10]


def test_lime_is_the_weighted_ridge_regression_of_an_independent_library(clouds, rngs, rng):
    linear_model = pytest.importorskip("sklearn.linear_model")
    worth = rng.standard_normal(clouds.shape[:2])
    seen = []

    def probabilities(kept):
        seen.append(kept)
        values = np.tanh(additive(worth)(kept) / 4)
        seen.append(values)
        return values

    found = removal.lime3d(clouds, probabilities, rngs)
    for number, cloud in enumerate(clouds):
        centres = sampling.farthest_points(cloud, 32)
        cluster = ((cloud[:, np.newaxis].astype(np.float64) - cloud[centres]) ** 2).sum(axis=2).argmin(axis=1)
        inputs = np.stack([seen[0][number][:, cluster == one].all(axis=1) for one in range(32)], axis=1).astype(float)
        whole = np.ones(32)
        cosines = inputs @ whole / np.linalg.norm(inputs, axis=1) / np.linalg.norm(whole)
        model = linear_model.Ridge(alpha=1.0)
        model.fit(inputs, seen[1][number], sample_weight=np.exp(-((1 - cosines) ** 2) / 0.25**2))
        np.testing.assert_allclose(found[number], model.coef_[cluster], atol=1e-6)


def test_lime_finds_what_the_clusters_of_an_additive_network_are_worth(clouds, rngs, rng, monkeypatch):
    monkeypatch.setattr(removal, "RIDGE", 1e-9)
    worth = rng.standard_normal(clouds.shape[:2])
    found = removal.lime3d(clouds, additive(worth), rngs)
    for heat, worths in zip(found, worth):
        for value in np.unique(heat):
            assert value == pytest.approx(worths[heat == value].sum(), abs=1e-4)


def test_no_part_of_a_cloud_of_few_places_is_empty(rngs, rng):
    cloud = np.repeat(rng.uniform(-1, 1, (2, 2, 3)), 20, axis=1).astype(np.float32)
    seen = []

    def probabilities(kept):
        seen.append(kept)
        return additive(np.ones((2, 40)))(kept)

    found = removal.lime3d(cloud, probabilities, rngs)
    assert seen[0].any(axis=2).all() and seen[0].shape == (2, 513, 40)
    assert all(len(set(heat)) == 2 and (heat > 10).all() for heat in found)


def test_rise_is_the_mean_over_the_halves_that_hold_a_point(clouds, rngs, rng):
    worth = rng.standard_normal(clouds.shape[:2])
    seen = []

    def probabilities(kept):
        seen.append(kept)
        return additive(worth)(kept)

    found = removal.rise(clouds, probabilities, rngs)
    assert seen[0].shape == (2, 512, 150) and (seen[0].sum(axis=2) == 75).all()
    for number in range(2):
        for point in (0, 70, 149):
            held = [mask for mask in seen[0][number] if mask[point]]
            assert found[number, point] == pytest.approx(
                np.mean([worth[number][mask].sum() for mask in held]), abs=1e-4
            )


def test_rise_tells_points_apart_where_the_network_is_certain(clouds, rngs, rng):
    answer = additive(rng.standard_normal(clouds.shape[:2]))
    plain = removal.rise(clouds, answer, rngs)
    again = [np.random.RandomState(number) for number in range(2)]
    certain = removal.rise(clouds, lambda kept: 1 + 1e-9 * answer(kept), again)
    assert np.argsort(plain, axis=1).tolist() == np.argsort(certain, axis=1).tolist()


def test_what_is_drawn_follows_from_the_generator_of_each_cloud(clouds):
    for method in (removal.lime3d, removal.rise):
        worth = np.arange(300.0).reshape(2, 150)
        both = method(clouds, additive(worth), [np.random.RandomState(5), np.random.RandomState(9)])
        alone = method(clouds[1:], additive(worth[1:]), [np.random.RandomState(9)])
        np.testing.assert_array_equal(both[1], alone[0])


def test_ape_keeps_the_greatest_share_of_the_rounds_that_a_point_is_in(rng):
    points = rng.standard_normal((2, 110, 3)).astype(np.float32)
    sizes = []

    def feature_map(left):
        sizes.append(left.shape[1])
        # Grad-CAM of one channel of gradient 1: the heat is the feature, another one in every round.
        features = np.abs(left[:, :, :1] + 0.3 * len(sizes))
        return features, np.ones_like(features), left

    found = removal.ape(points, feature_map)
    assert sizes == [110, 85, 60]
    for cloud, heats in zip(points[:, :, 0].astype(np.float64), found):
        left, best = list(range(110)), np.zeros(110)
        for number in (1, 2, 3):
            heat = {point: abs(cloud[point] + 0.3 * number) for point in left}
            for point in left:
                best[point] = max(best[point], heat[point] / max(heat.values()))
            left = sorted(sorted(left, key=heat.get)[25:])
        np.testing.assert_allclose(heats, best, atol=1e-5)
