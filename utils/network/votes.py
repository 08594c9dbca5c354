"""Classifies one cloud, and what is left of it, under the same rotations again and again; keeps what stays the same.

Under a rotation the features that a network has of a point alone never change: those of PointNet's input T-Net, and
those of conv5 of a network without T-Nets. Their maxima over the points are kept, with the points that hold them, and
fed to the network in place of its own. As points go, only the channels whose holder went are found anew. Where only
points went that hold no maximum of any pool, the answer is the one before.
"""

import collections
from typing import Any, NamedTuple

import numpy as np

from models.max_pool import MAX_BLOCK
from utils.tf_util import VECTOR

MOST_BYTES = 2 * 2**30  # that all that is kept may take
MOST_ANSWERS = 16  # that are kept
LEAST_POINTS = 32 * 1024  # of all rotated clouds: for fewer TensorFlow prepares longer than it saves
# Where of such a share of the rotations nothing changed, as far as is known, it is worth knowing who holds the other
# maxima, too.
WORTH_HOLDERS = 0.25


def pays(num_points, num_votes, num_channels):
    """Whether to keep maxima of so many points under so many rotations: they fit, and there is enough to save."""
    return num_points * num_votes >= LEAST_POINTS and _answers_that_fit(num_votes, num_channels) >= 2


def _answers_that_fit(num_votes, num_channels):
    # Maxima and holders of the kept pool, and holders of two others.
    return MOST_BYTES // (4 * num_votes * 4 * num_channels)


class Answer(NamedTuple):
    """What is known of the V rotations of a part of the cloud.

    Attributes:
      is_left: bool [N], the points that are there.
      maxima: float32 [V, K], of the kept pool.
      holders: int32 [V, K], a point that holds each.
      logits: float32 [V, C].
      others: int32 [V, P, K], the points that hold the maxima of the other pools, N for none; None where not asked for.
    """

    is_left: Any
    maxima: Any
    holders: Any
    logits: Any
    others: Any


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
        self._answers = collections.deque(maxlen=min(MOST_ANSWERS, _answers_that_fit(len(rotations), num_channels)))

    def __call__(self, points):
        is_left = self._find(points)
        if is_left is None:
            return self._classifier.vote_logits(points, self._rotations)
        before = self._before(is_left)
        if before is None or before.is_left.sum() > is_left.sum():
            before = self._answer(is_left, before)
            self._answers.append(before)
        return before.logits.copy()

    def _find(self, points):
        """Which points are there, bool [N]; None where others are. Of equal points all count, as no maximum knows."""
        is_left = np.zeros(self._turned.shape[1], bool)
        for point in np.float32(points):
            places = self._places.get(point.tobytes())
            if places is None:
                return None
            is_left[places] = True
        return is_left

    def _before(self, is_left):
        """Of the answers about these points and more the one about the fewest; None where there is none."""
        found = [answer for answer in self._answers if not (is_left & ~answer.is_left).any()]
        return min(found, key=lambda answer: answer.is_left.sum(), default=None)

    def _answer(self, is_left, before):
        """An Answer about points, by that about these and more (None: by none)."""
        places = np.flatnonzero(is_left)
        # Filled up to whole blocks, within which holders are sought; fewer points would be summed up in another order.
        lacking = max(-len(places) % MAX_BLOCK, VECTOR - len(places))
        places = np.append(places, np.repeat(places[:1], lacking))
        clouds = self._turned[:, places]
        if before is None:
            logits, maxima, holders = self._classifier.logits_and_maxima(clouds)
            return Answer(is_left, maxima, places[holders], logits, None)
        maxima, holders = self._pool(is_left, before, clouds, places)
        todo = (maxima != before.maxima).any(axis=1)
        if before.others is not None:
            went = np.append(~is_left, False)
            todo |= went[before.others].any(axis=(1, 2))
        is_worth = np.mean(~todo) >= WORTH_HOLDERS
        if before.others is None:
            todo[:] = True
        logits, others = before.logits.copy(), before.others.copy() if is_worth and before.others is not None else None
        if todo.any():
            logits[todo], found = self._classifier.logits_by_maxima(clouds[todo], maxima[todo], is_worth)
            if is_worth:
                found = self._places_of(found, places)
                others = found if others is None else others
                others[todo] = found
        return Answer(is_left, maxima, holders, logits, others)

    def _places_of(self, holders, places):
        """Holders, numbers of the points of clouds or -1 for none, as numbers of the points of the whole cloud."""
        return np.append(places, self._turned.shape[1]).astype(np.int32)[holders]

    def _pool(self, is_left, before, clouds, places):
        """The maxima of the kept pool and who holds them, both [V, K]: anew where the holder went."""
        maxima, holders = before.maxima.copy(), before.holders.copy()
        # A maximum of 0 stays: features are ReLUs.
        is_lost = ~is_left[holders] & (maxima > 0)
        for batch, channels, anew, holders_anew in self._classifier.kept_maxima(clouds, is_lost):
            maxima[batch[:, np.newaxis], channels] = anew
            holders[batch[:, np.newaxis], channels] = places[holders_anew]
        return maxima, holders
