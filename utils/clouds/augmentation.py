"""What a training does to its clouds before each step: sampling, turning, stretching, jitter."""

import numpy as np

from utils.clouds import transforms

# What moves the clouds of a step is drawn for so many at a time, so that each of many processes draws little more than
# it needs.
CLOUDS_DRAWN_FOR = 32


def augment(points, step, rotation, num_points, seed, is_stretched=False, first=0, total=None):
    """Samples, rotates, stretches and jitters the clouds of a step.

    What is drawn for a cloud follows from seed, step and its place among the clouds of the step, so that several
    processes see what one would.

    Args:
      points: float32 array [B, P, 3].
      step: its number.
      rotation: "none", "y" or "xyz".
      num_points: how many points to keep, others at each step; None: all.
      seed: of what is drawn.
      is_stretched: whether they are scaled and shifted along each axis too.
      first: place of the first of the clouds in the step.
      total: how many clouds the step has, those of other processes included; None: these.

    Returns:
      float32 array [B, N, 3].
    """
    end = first + len(points)
    total = end if total is None else total
    moved = []
    for start in range(first - first % CLOUDS_DRAWN_FOR, end, CLOUDS_DRAWN_FOR):
        number = start // CLOUDS_DRAWN_FOR
        # A batch of the usual size is the first block, and gets what it always got.
        rng = np.random.RandomState([seed, 1, step] + ([number] if number else []))
        block = np.zeros((min(CLOUDS_DRAWN_FOR, total - start),) + points.shape[1:], points.dtype)
        places = slice(max(first, start) - start, min(end, start + len(block)) - start)
        block[places] = points[places.start + start - first : places.stop + start - first]
        moved.append(_augment_block(block, rng, rotation, num_points, is_stretched)[places])
    return np.concatenate(moved)


def _augment_block(points, rng, rotation, num_points, is_stretched):
    """As `augment`, by what a numpy RandomState draws for all of the clouds."""
    if num_points is not None:
        points = points[:, rng.choice(points.shape[1], num_points, replace=False)]
    rotations = transforms.draw_rotations(rotation, len(points), rng)
    points = np.matmul(points, rotations)
    if is_stretched:
        points = transforms.scale_and_shift(points, rng)
    return transforms.jitter(points, rng)
