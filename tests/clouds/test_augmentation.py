"""What is done to training clouds follows from seed, step and place alone, and keeps within its bounds."""

import numpy as np
import pytest

from utils.clouds import augmentation, transforms


def test_augmentation_follows_from_seed_and_step(rng):
    points = rng.standard_normal((4, 20, 3)).astype(np.float32)
    moved = augmentation.augment(points, 7, "y", None, seed=3)
    np.testing.assert_array_equal(moved, augmentation.augment(points, 7, "y", None, seed=3))
    assert not np.array_equal(moved, augmentation.augment(points, 8, "y", None, seed=3))
    # About y: heights and distances from the axis stay, but for the jitter.
    np.testing.assert_allclose(moved[..., 1], points[..., 1], atol=0.0501)
    np.testing.assert_allclose(
        np.hypot(moved[..., 0], moved[..., 2]), np.hypot(points[..., 0], points[..., 2]), atol=0.08
    )


def test_a_stretched_cloud_is_scaled_and_shifted_along_each_axis(rng):
    points = rng.standard_normal((300, 3, 3)).astype(np.float32)
    moved = augmentation.augment(points, 7, "none", None, seed=3, is_stretched=True)
    # Two points tell the scale of an axis, within the jitter of at most 0.05 each; then a point tells the shift.
    far = np.abs(points[:, 0] - points[:, 1]) > 1
    scales = (moved[:, 0] - moved[:, 1]) / (points[:, 0] - points[:, 1])
    assert 2 / 3 - 0.1 < scales[far].min() < 0.75 and 1.4 < scales[far].max() < 1.6
    exact = transforms.scale_and_shift(points.astype(np.float64), rng)
    scales = (exact[:, 0] - exact[:, 1]) / (points[:, 0] - points[:, 1])
    shifts = exact[:, 2] - scales * points[:, 2]
    assert 2 / 3 < scales.min() < 0.68 and 1.48 < scales.max() < 1.5 and len(np.unique(scales)) == scales.size
    assert -0.201 < shifts.min() < -0.19 and 0.19 < shifts.max() < 0.201


def test_train_points_draws_other_points_at_each_step(rng):
    points = np.arange(20, dtype=np.float32).reshape(1, 20, 1) * np.ones((2, 1, 3), np.float32)
    drawn = [np.rint(augmentation.augment(points, step, "none", 5, seed=3)) for step in (7, 7, 8)]
    assert drawn[0].shape == (2, 5, 3) and len(np.unique(drawn[0][0, :, 0])) == 5
    assert set(drawn[0][0, :, 0]) == set(drawn[1][0, :, 0]) != set(drawn[2][0, :, 0])


@pytest.mark.parametrize("rotation, num_points, is_stretched", [("xyz", None, False), ("y", 5, True)])
def test_shares_are_moved_as_the_whole_batch_is(rotation, num_points, is_stretched, rng):
    points = rng.standard_normal((80, 10, 3)).astype(np.float32)
    whole = augmentation.augment(points, 7, rotation, num_points, 3, is_stretched)
    for size in (2, 5, 80):
        each = 80 // size
        shares = [
            augmentation.augment(points[first : first + each], 7, rotation, num_points, 3, is_stretched, first, 80)
            for first in range(0, 80, each)
        ]
        np.testing.assert_array_equal(np.concatenate(shares), whole)
    # No two clouds are moved alike.
    same = augmentation.augment(np.repeat(points[:1], 80, axis=0), 7, rotation, num_points, 3, is_stretched)
    assert len({cloud.tobytes() for cloud in same}) == 80
