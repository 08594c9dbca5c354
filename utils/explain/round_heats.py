"""The heat of rounds of the dropping loop, kept in memory for the page: of all of them, or of some, evenly spread."""

from typing import NamedTuple

import numpy as np

MOST_HEATS = 1 << 19  # numbers that are kept of a run: 2 MiB, all rounds of 1,024 points lost one by one
MOST_COSTLY_ROUNDS = 4  # where dropping asks for the heat of a few points, and that of all is work of its own
COSTLY_STEP = 32  # K to begin with there


class RoundHeat(NamedTuple):
    """The heat that one round took.

    Attributes:
      round: its number, from 2; the first round's is the heat of the whole cloud.
      heat: float32 array [M] of the M points that were left, in their order in the cloud.
    """

    round: int
    heat: np.ndarray


class RoundHeats:
    """Keeps the heat of every K-th round after the first; K doubles whenever more would be kept than there is room for.

    So what is kept lies evenly over a run of any length, and is bounded: of 100,000 points at most 5 rounds.
    """

    def __init__(self, most_heats=MOST_HEATS, most_rounds=None, step=1):
        """Args: the most numbers and the most rounds to keep; None: as many as the numbers allow; K to begin with."""
        self._most_heats, self._most_rounds = most_heats, most_rounds
        self._step = step
        self._kept = []

    def wants(self, number):
        """Whether the heat of a round is to be kept, as far as is known when it begins."""
        return number > 1 and (number - 1) % self._step == 0

    def keep(self, number, heat):
        """Keeps the heat, array [M], of a round that is wanted; rounds come in order."""
        self._kept.append(RoundHeat(number, np.float32(heat)))
        while self._is_full():
            self._step *= 2
            self._kept = [one for one in self._kept if self.wants(one.round)]

    def up_to(self, last):
        """List of RoundHeat of the rounds up to the number `last`, in order."""
        return [one for one in self._kept if one.round <= last]

    def _is_full(self):
        is_over = self._most_rounds is not None and len(self._kept) > self._most_rounds
        return is_over or sum(len(one.heat) for one in self._kept) > self._most_heats


def for_costly():
    """The RoundHeats of a run that does not need the heat of all points."""
    return RoundHeats(most_rounds=MOST_COSTLY_ROUNDS, step=COSTLY_STEP)
