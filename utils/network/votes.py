"""Classifies one cloud, and what is left of it, under the same rotations again and again; keeps what stays the same.

Under a rotation the features that a network has of a point alone never change: those of PointNet's input T-Net, and
those of conv5 of a network without T-Nets. Their maximum over the points is kept for blocks of points, found anew for
the blocks of which points went or came, and fed to the network in place of its own. Where only points went that hold no
maximum, the answer is the one before.
"""

import numpy as np

BLOCK = 16  # points; of larger ones more is found anew, smaller ones take more memory
MOST_BYTES = 2 * 2**30  # that the maxima may take
LEAST_POINTS = 32 * 1024  # of all rotated clouds: for fewer TensorFlow prepares longer than it saves
NEVER = np.iinfo(np.int64).max


def pays(num_points, num_votes, num_channels):
    """Whether to keep maxima of so many points under so many rotations: they fit, and there is enough to save."""
    num_bytes = 4 * num_votes * -(-num_points // BLOCK) * num_channels
    return num_points * num_votes >= LEAST_POINTS and num_bytes <= MOST_BYTES


class Votes:
    """A function of points of one cloud [M, 3], some of all or all -> logits [V, C] under V rotations."""

    def __init__(self, classifier, points, rotations, num_channels):
        """
        Args:
          classifier: a classifier.Classifier whose network keeps the maxima of a pool.
          points: float32 array [N, 3].
          rotations: float32 array [V, 3, 3], applied as points . rotation.
          num_channels: of the kept pool, K.
        """
        self._classifier, self._rotations = classifier, rotations
        self._turned = np.matmul(points, rotations)
        self._places = {}
        for place, point in enumerate(np.float32(points)):
            self._places.setdefault(point.tobytes(), []).append(place)
        num_points, num_blocks = len(points), -(-len(points) // BLOCK)
        self._maxima = np.zeros((len(rotations), num_blocks, num_channels), np.float32)
        self._order = self._blocks_of(np.arange(num_points))
        self._is_left = np.zeros(num_points, bool)
        # The call that first missed a point: points that went together come back together, so they share blocks.
        self._missed = np.full(num_points, NEVER)
        self._calls = 0
        self._pooled = self._logits = self._holders = None

    def __call__(self, points):
        is_left = self._find(points)
        if is_left is None:
            return self._classifier.vote_logits(points, self._rotations)
        self._calls += 1
        self._missed[~is_left & (self._missed == NEVER)] = self._calls
        self._update_maxima(is_left)
        self._update_logits(is_left)
        self._is_left = is_left
        return self._logits.copy()

    def _find(self, points):
        """Which points are there, bool [N]; None where others are. Of equal points all count, as no maximum knows."""
        is_left = np.zeros(len(self._is_left), bool)
        for point in np.float32(points):
            places = self._places.get(point.tobytes())
            if places is None:
                return None
            is_left[places] = True
        return is_left

    def _blocks_of(self, order):
        """Places [N] as blocks [N / BLOCK, BLOCK], filled up with N, which is no place."""
        filled = np.full(-(-len(order) // BLOCK) * BLOCK, len(order))
        filled[: len(order)] = order
        return filled.reshape(-1, BLOCK)

    def _update_maxima(self, is_left):
        """Finds the maxima of blocks anew of which points went or came; where that are most, of better blocks."""
        is_changed = np.append(is_left != self._is_left, False)[self._order].any(axis=1)
        if 2 * is_changed.sum() > len(is_changed):
            self._order = self._blocks_of(np.argsort(self._missed, kind="stable"))
            is_changed[:] = True
        is_there = np.append(is_left, False)[self._order]
        self._maxima[:, is_changed & ~is_there.any(axis=1)] = 0  # features are ReLUs
        blocks = np.flatnonzero(is_changed & is_there.any(axis=1))
        if len(blocks):
            places, is_there = self._order[blocks], is_there[blocks]
            first = places[np.arange(len(blocks)), is_there.argmax(axis=1)]
            places = np.where(is_there, places, first[:, np.newaxis]).ravel()
            self._maxima[:, blocks] = self._classifier.block_maxima(self._turned[:, places], BLOCK)

    def _update_logits(self, is_left):
        """Classifies under the rotations under which points went that hold a maximum, or came."""
        pooled = self._maxima.max(axis=1)
        todo = np.ones(len(pooled), bool)
        if self._logits is not None and not (is_left & ~self._is_left).any():
            went = np.append(self._is_left & ~is_left, False)
            todo = (pooled != self._pooled).any(axis=1) | went[self._holders].any(axis=(1, 2))
        self._pooled = pooled
        if not todo.any():
            return
        places = np.flatnonzero(is_left)
        logits, holders = self._classifier.logits_by_maxima(self._turned[todo][:, places], pooled[todo])
        holders = np.append(places, len(is_left))[holders]  # the last for -1: no point
        if todo.all():
            self._logits, self._holders = logits, holders
        else:
            self._logits[todo], self._holders[todo] = logits, holders
