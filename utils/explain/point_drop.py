"""Thresholds over heat, dropping points by them, and the loop that drops until the network loses the object."""

import functools
import time

import numpy as np

from utils import wording
from utils.explain.results import DropRun, Round
from utils.metrics import cross_entropy

MIN_POINTS = 10
LOST_ACCURACY = 0.5
AUTO = "auto"  # in place of a K: few rounds classify
CURVE_ROUNDS = 12  # that do so at least, where there are as many
LOOK_BACK = 2  # rounds before the one that lost the object, which classify as well
THRESHOLDS = ("average", "median", "midrange")
DROP_MODES = tuple(sign + name for sign in "+-" for name in THRESHOLDS) + (
    "nonzero",
    "zero",
    "+random",
    "-random",
    "top",
)


def threshold(heat, kind):
    """A threshold taken over the positive heats.

    Args:
      heat: float array or list [N].
      kind: "average" (mean), "median" (sorted(h)[len(h) // 2]) or "midrange" ((min + max) / 2).

    Returns:
      The threshold; NaN where no heat is positive.

    Raises:
      ValueError: an unknown kind.
    """
    if kind not in THRESHOLDS:
        raise ValueError("unknown threshold {!r}: it is one of {}".format(kind, ", ".join(THRESHOLDS)))
    # In float32 the mean of equal heats can fall below them.
    positive = np.asarray(heat, np.float64)
    positive = positive[positive > 0]
    if not len(positive):
        return np.nan
    if kind == "average":
        return positive.mean()
    if kind == "median":
        return np.sort(positive)[len(positive) // 2]
    return (positive.min() + positive.max()) / 2


def points_to_drop(heat, mode, num_drop=1, lowest=False, rng=None):
    """Which points a round drops.

    Args:
      heat: float array [N].
      mode: one of DROP_MODES.
      num_drop: for "top": how many points.
      lowest: for "top": drop the points of lowest heat instead.
      rng: numpy RandomState, for "+random" and "-random".

    Returns:
      bool array [N]. Of points of equal heat, "top" drops the first.

    Raises:
      ValueError: an unknown mode.
    """
    if mode == "top":
        dropped = np.zeros(len(heat), bool)
        dropped[np.argsort(heat if lowest else -heat, kind="stable")[:num_drop]] = True
        return dropped
    if mode in ("+random", "-random"):
        count = np.count_nonzero(points_to_drop(heat, "nonzero" if mode == "+random" else "zero"))
        dropped = np.zeros(len(heat), bool)
        dropped[rng.choice(len(heat), count, replace=False)] = True
        return dropped
    if mode == "nonzero":
        return heat > 0
    if mode == "zero":
        return heat == 0
    if mode not in DROP_MODES:
        raise ValueError("unknown drop mode {!r}: it is one of {}".format(mode, ", ".join(DROP_MODES)))
    limit = threshold(heat, mode[1:])
    if np.isnan(limit):
        return np.zeros(len(heat), bool)
    return heat > limit if mode[0] == "+" else heat < limit


def drop_until_lost(
    points,
    label,
    vote_logits,
    heat_of,
    choose,
    max_rounds=None,
    eval_every=1,
    on_round=None,
    heat_to_drop=None,
    kept=None,
):
    """Drops points by their heat, round after round, until the network no longer recognises the object.

    A round (1) classifies what is left under all rotations, (2) stops when at most half of the votes are for the
    label or fewer than 10 points are left, (3) takes the heat of what is left and (4) drops; a round that drops nothing
    is the last. Every round sees the same rotations, and features and gradients of the unrotated cloud.

    With `eval_every` K > 1 only the first of every K rounds classifies. Once one finds the object lost, the rounds
    since the one before are classified as well, in order, and the first that had lost it is the last: where the
    accuracy falls steadily, the one that K = 1 stops at.

    With AUTO rounds 1, 2, 4, 8 and so on classify while points are dropped, and above 128 those halfway, too: there
    what would be dropped for nothing costs more than a vote. The round that lost the object is then found by halving
    the gap between the first that had lost it and the last before that had not. The LOOK_BACK rounds before it classify
    too, so that no dip is passed over, and others, in the widest gaps, until CURVE_ROUNDS have. Where one of these had
    lost the object, the search goes on before it.

    Args:
      points: float32 array [N, 3].
      label: class that is explained.
      vote_logits: function of points [M, 3] -> logits [V, C] under the V rotations.
      heat_of: function of points [M, 3] -> heat [M].
      choose: function of heat [M] -> bool [M], the points to drop.
      max_rounds: stop after as many rounds of dropping; None: no limit.
      eval_every: K, or AUTO.
      on_round: function that is given each finished Round; None for none.
      heat_to_drop: as `heat_of`, of what `choose` looks at, where that is less than people do; None: `heat_of`.
        `choose` takes the same points of either.
      kept: a new round_heats.RoundHeats, which says of which rounds the run keeps the heat; None: of none.

    Returns:
      A results.DropRun. Rounds that did not classify have NaN for accuracy and loss.
    """
    left = np.arange(len(points))
    removed_in_round = np.full(len(points), -1, np.int32)
    heat_when_removed = np.full(len(points), np.nan, np.float32)
    rounds = []
    start = time.time()
    # As a method returns it: what it tells apart in float64 can be one number in float32.
    whole_heat = heat_of(points)
    stop_reason = None
    while stop_reason is None:
        round_start = time.time()
        number = len(rounds) + 1
        stop_reason = _limit_reached(len(left), len(rounds), max_rounds)
        dropped = np.zeros(len(left), bool)
        votes = None
        if stop_reason or _classifies(number, eval_every):
            votes = _classify(vote_logits, points[left], label)
        if stop_reason is None and not (votes and votes[0] <= LOST_ACCURACY):
            is_kept = kept is not None and kept.wants(number)
            takes_heat = heat_of if is_kept or heat_to_drop is None else heat_to_drop
            heat = whole_heat if number == 1 else takes_heat(points[left])
            if is_kept:
                kept.keep(number, heat)
            dropped = choose(heat)
            removed_in_round[left[dropped]] = number
            heat_when_removed[left[dropped]] = heat[dropped]
            if not dropped.any():
                stop_reason = "the round dropped no point"
                votes = votes or _classify(vote_logits, points[left], label)
        accuracy, loss = votes or (np.nan, np.nan)
        rounds.append(Round(number, len(left), int(dropped.sum()), accuracy, loss, time.time() - round_start))
        # Lost, or NaN of no point at all: then it was lost on the way.
        is_lost = votes is not None and not accuracy > LOST_ACCURACY
        if is_lost or (stop_reason and eval_every == AUTO):
            seek = _end_where_sought if eval_every == AUTO else _end_where_lost
            rounds = seek(rounds, functools.partial(_classified, removed_in_round, points, vote_logits, label))
        if rounds[-1].accuracy <= LOST_ACCURACY:
            came_back = removed_in_round >= len(rounds)
            removed_in_round[came_back] = -1
            heat_when_removed[came_back] = np.nan
            stop_reason = "the accuracy is " + wording.percent(rounds[-1].accuracy)
            if len(rounds) == 1:
                stop_reason += " before any point is dropped"
        if on_round:
            on_round(rounds[-1])
        left = left[~dropped]
    round_heats = kept.up_to(len(rounds)) if kept is not None else []
    seconds = time.time() - start
    heat = whole_heat.astype(np.float32)
    return DropRun(points, heat, removed_in_round, heat_when_removed, rounds, stop_reason, seconds, round_heats)


def _classifies(number, eval_every):
    """Whether a round classifies as points are dropped."""
    if eval_every == AUTO:
        steps = number if number <= 128 or number % 3 else number // 3  # 192 is 3 * 64
        return steps & (steps - 1) == 0
    return (number - 1) % eval_every == 0


def _end_where_lost(rounds, classified):
    """Classifies the rounds between the last and the one that classified before it, in order.

    Args:
      rounds: list of Round.
      classified: function of a Round -> the same with accuracy and loss.

    Returns:
      The rounds up to the first that had lost the object.
    """
    rounds = list(rounds)
    last_seen = max((index for index, one in enumerate(rounds[:-1]) if not np.isnan(one.accuracy)), default=-1)
    for index in range(last_seen + 1, len(rounds) - 1):
        rounds[index] = classified(rounds[index])
        if rounds[index].accuracy <= LOST_ACCURACY:
            rounds[index] = rounds[index]._replace(points_dropped=0)
            return rounds[: index + 1]
    return rounds


def _end_where_sought(rounds, classified):
    """As `_end_where_lost`, classifying few of the rounds; the first and the last are classified."""
    rounds = list(rounds)
    while True:
        for index, one in enumerate(rounds):
            if one.accuracy <= LOST_ACCURACY:
                rounds[index:] = [one._replace(points_dropped=0)]
                break
        # Of no point at all there is no accuracy.
        known = [index for index, one in enumerate(rounds[:-1]) if not np.isnan(one.accuracy)] + [len(rounds) - 1]
        index = _next_to_classify(known, not rounds[-1].accuracy > LOST_ACCURACY)
        if index is None:
            return rounds
        rounds[index] = classified(rounds[index])


def _next_to_classify(known, is_lost):
    """The index of the round that is to classify next, None for none.

    Args:
      known: indices of those that have, ascending; the first and the last among them.
      is_lost: whether the last had lost the object.
    """
    last = known[-1]
    if is_lost and last > 0:
        gap = last - known[-2]
        if gap > 1:
            return last - gap // 2
        before = set(range(max(0, last - LOOK_BACK), last)) - set(known)
        if before:
            return max(before)
    if len(known) < min(CURVE_ROUNDS, last + 1):
        gaps = np.diff(known)
        return known[gaps.argmax()] + int(gaps.max()) // 2
    return None


def _classified(removed_in_round, points, vote_logits, label, one):
    """A Round `one` with accuracy and loss of the points that were left when it began."""
    start = time.time()
    was_left = (removed_in_round < 0) | (removed_in_round >= one.round)
    accuracy, loss = _classify(vote_logits, points[was_left], label)
    return one._replace(accuracy=accuracy, mean_loss=loss, seconds=one.seconds + time.time() - start)


def _classify(vote_logits, points, label):
    """Share of votes for the label and their mean cross-entropy; NaN of an empty cloud."""
    if not len(points):
        return float("nan"), float("nan")
    logits = vote_logits(points)
    return float((logits.argmax(axis=1) == label).mean()), float(cross_entropy(logits, label).mean())


def _limit_reached(num_left, num_rounds, max_rounds):
    """Why no further round may drop, whatever the accuracy; None if one may."""
    if num_left < MIN_POINTS:
        return "fewer than {} points are left".format(MIN_POINTS)
    if num_rounds == max_rounds:
        return "the {} rounds that were asked for are over".format(max_rounds)
    return None
