"""Clouds seen otherwise than they lie: turned, jittered, scaled and shifted."""

import numpy as np


def draw_rotations(kind, count, rng):
    """Random rotation matrices, to be applied as points . R.

    Args:
      kind: "none" (identities), "y" (a uniform angle about the up axis), or "xyz" (Rx Ry Rz with three uniform
        Euler angles, as upstream).
      count: how many.
      rng: numpy RandomState.

    Returns:
      float32 array [count, 3, 3].
    """
    angles = rng.uniform(0, 2 * np.pi, (count, 3))
    if kind == "none":
        return np.tile(np.eye(3, dtype=np.float32), (count, 1, 1))
    about_x, about_y, about_z = (_rotation_about(axis, angles[:, axis]) for axis in range(3))
    rotations = about_y if kind == "y" else about_x @ about_y @ about_z
    return rotations.astype(np.float32)


def _rotation_about(axis, angles):
    """Right-handed rotation matrices [n, 3, 3] about x, y or z (axis 0, 1, 2) by angles [n] in radians."""
    after, last = (axis + 1) % 3, (axis + 2) % 3
    matrices = np.tile(np.eye(3), (len(angles), 1, 1))
    matrices[:, after, after] = matrices[:, last, last] = np.cos(angles)
    matrices[:, last, after] = np.sin(angles)
    matrices[:, after, last] = -np.sin(angles)
    return matrices


def jitter(points, rng, sigma=0.01, clip=0.05):
    """Moves every coordinate by a normal deviate of `sigma`, at most `clip`: float32 array of the shape of `points`."""
    noise = np.clip(sigma * rng.standard_normal(points.shape), -clip, clip)
    return points + noise.astype(np.float32)


def scale_and_shift(points, rng):
    """Scales each axis of each cloud [B, N, 3] by 2/3 to 3/2, then shifts it by at most 0.2: float32 array.

    As trainings of DGCNN do it; both are uniform.
    """
    scales = rng.uniform(2 / 3, 3 / 2, (len(points), 1, 3)).astype(np.float32)
    shifts = rng.uniform(-0.2, 0.2, (len(points), 1, 3)).astype(np.float32)
    return points * scales + shifts
