import numpy as np
import pytest

from utils.clouds import transforms


def test_rotations_turn_without_bending(rng):
    for kind in transforms.draw_rotations("y", 20, rng), transforms.draw_rotations("xyz", 20, rng):
        np.testing.assert_allclose(kind @ kind.transpose(0, 2, 1), np.tile(np.eye(3), (20, 1, 1)), atol=1e-6)
        np.testing.assert_allclose(np.linalg.det(kind), 1, atol=1e-6)


def test_rotation_y_keeps_up_up_and_xyz_does_not(rng):
    up = np.array([0, 1, 0], np.float32)
    np.testing.assert_allclose(up @ transforms.draw_rotations("y", 20, rng), np.tile(up, (20, 1)), atol=1e-6)
    assert np.ptp((up @ transforms.draw_rotations("xyz", 20, rng))[:, 1]) > 1


def test_rotation_xyz_is_rx_ry_rz(rng):
    # The product of the three elementary matrices, as textbooks write it out.
    rotation = transforms.draw_rotations("xyz", 1, np.random.RandomState(4))[0]
    a, b, c = np.random.RandomState(4).uniform(0, 2 * np.pi, 3)
    expected = [
        [np.cos(b) * np.cos(c), -np.cos(b) * np.sin(c), np.sin(b)],
        [
            np.cos(a) * np.sin(c) + np.sin(a) * np.sin(b) * np.cos(c),
            np.cos(a) * np.cos(c) - np.sin(a) * np.sin(b) * np.sin(c),
            -np.sin(a) * np.cos(b),
        ],
        [
            np.sin(a) * np.sin(c) - np.cos(a) * np.sin(b) * np.cos(c),
            np.sin(a) * np.cos(c) + np.cos(a) * np.sin(b) * np.sin(c),
            np.cos(a) * np.cos(b),
        ],
    ]
    np.testing.assert_allclose(rotation, expected, atol=1e-6)


def test_rotation_none_is_the_identity(rng):
    assert (transforms.draw_rotations("none", 2, rng) == np.eye(3)).all()


def test_jitter_has_the_papers_spread_and_is_clipped(rng):
    moved = transforms.jitter(np.zeros((8, 4096, 3), np.float32), rng)
    assert moved.std() == pytest.approx(0.01, rel=0.02) and abs(moved.mean()) < 1e-4
    wide = transforms.jitter(np.zeros((8, 4096, 3), np.float32), rng, sigma=0.1)
    assert abs(wide).max() == pytest.approx(0.05)
