"""Parts of clouds: which of their points go to the network together, and what it makes of them."""

import numpy as np

from models import max_pool
from utils import metrics

# Clouds whose parts are classified are filled up to a multiple of as many points, the blocks of `max_pool`.
PART_MULTIPLE = max_pool.MAX_BLOCK


def members_of(parts, may_repeat, points_per_call):
    """The points of parts, bool [S, N], for parts of one size at a time.

    Where points may be repeated, parts of different sizes go together, filled up with one of their own points: a
    maximum does not see that. Elsewhere those of one size do.

    Args:
      parts: bool array [S, N].
      may_repeat: whether the network ignores repeated points.
      points_per_call: of parts that go together, at most.

    Yields:
      Places among the parts, int array [P], and the points of these, int array [P, M].
    """
    sizes = parts.sum(axis=1)
    order = np.argsort(sizes, kind="stable")
    alike = [order] if may_repeat else [order[sizes[order] == size] for size in np.unique(sizes)]
    count = max(1, points_per_call // parts.shape[1])
    for places in (one[start : start + count] for one in alike for start in range(0, len(one), count)):
        size = sizes[places].max()
        if may_repeat:
            size = -(-size // PART_MULTIPLE) * PART_MULTIPLE
        # Those that are there come first, and the first of them after them.
        members = np.argsort(~parts[places], axis=1, kind="stable")
        members = np.concatenate([members, members[:, :1].repeat(PART_MULTIPLE, axis=1)], axis=1)[:, :size]
        is_there = np.arange(size) < sizes[places][:, np.newaxis]
        yield places, np.where(is_there, members, members[:, :1])


def probabilities(logits_of_parts, labels, kept):
    """p_c [B, S] of parts of clouds, bool [B, S, N], for the classes [B]."""
    logits = logits_of_parts(kept)
    flat = logits.reshape(-1, logits.shape[-1])
    return metrics.probabilities(flat, np.repeat(labels, logits.shape[1])).reshape(logits.shape[:2])


def losses(logits_of_parts, labels, is_target, kept):
    """L [B, S], as `probabilities`."""
    # In float32 the loss of a cloud that is recognised for certain would drown in its rounding.
    logits = logits_of_parts(kept).astype(np.float64)
    flat, classes = logits.reshape(-1, logits.shape[-1]), np.repeat(labels, logits.shape[1])
    found = -flat[np.arange(len(flat)), classes] if is_target else metrics.cross_entropy(flat, classes)
    return found.reshape(logits.shape[:2])
