"""Which rounds' heat a run keeps for the page, and how much of it at most."""

import numpy as np

from utils.explain.point_drop import AUTO, drop_until_lost, points_to_drop
from utils.explain.round_heats import MOST_HEATS, RoundHeats, for_costly


def _run(num_points, num_lost_at, kept, **options):
    """A run on points whose heat is x plus ten times the number of points left, lost once so few are."""
    points = np.zeros((num_points, 3), np.float32)
    points[:, 0] = np.arange(num_points)
    return drop_until_lost(
        points,
        0,
        vote_logits=lambda left: np.float32([[1, 0] if len(left) > num_lost_at else [0, 1]]),
        heat_of=lambda left: left[:, 0] + 10 * len(left),
        choose=lambda heat: points_to_drop(heat, "top"),
        kept=kept,
        **options,
    )


def test_a_run_keeps_the_heat_of_every_round_that_dropped():
    run = _run(14, 10, RoundHeats())
    assert [one.round for one in run.round_heats] == [2, 3, 4]
    for one in run.round_heats:
        left = np.flatnonzero((run.removed_in_round < 0) | (run.removed_in_round >= one.round))
        assert one.heat.tolist() == (left + 10 * len(left)).tolist() and one.heat.dtype == np.float32


def test_rounds_after_the_one_that_lost_the_object_are_not_kept():
    # AUTO drops on to round 16 before it finds that round 13 had lost it.
    run = _run(40, 28, RoundHeats(), eval_every=AUTO)
    assert len(run.rounds) == 13 and [one.round for one in run.round_heats] == list(range(2, 13 + 1))


def test_no_heat_is_kept_unless_asked_for():
    assert len(_run(14, 10, None).round_heats) == 0


def test_where_dropping_needs_less_the_heat_of_all_is_taken_in_the_kept_rounds_alone():
    asked = []

    def heat_to_drop(left):
        asked.append(len(left))
        return left[:, 0]

    run = _run(40, 12, RoundHeats(most_rounds=4), heat_to_drop=heat_to_drop)
    # Every round was kept up to the fifth, then every second, fourth and eighth.
    assert [one.round for one in run.round_heats] == [9, 17, 25]
    took_all = {2, 3, 4, 5, 6, 7, 9, 11, 13, 17, 21, 25}
    assert [41 - left for left in asked] == [number for number in range(2, 29) if number not in took_all]
    assert all(len(one.heat) == 41 - one.round for one in run.round_heats)


def test_memory_is_bounded_and_what_is_kept_is_evenly_spread():
    kept = RoundHeats()
    for number in range(1, 301):
        if kept.wants(number):
            kept.keep(number, np.zeros(100000))
        assert sum(len(one.heat) for one in kept.up_to(number)) <= MOST_HEATS
    numbers = [one.round for one in kept.up_to(300)]
    assert 2 <= len(numbers) <= 5 and len(set(np.diff([1] + numbers))) == 1


def test_all_rounds_of_1024_points_lost_one_by_one_may_fit():
    kept = RoundHeats()
    for number in range(2, 1015):
        assert kept.wants(number)
        kept.keep(number, np.zeros(1025 - number))
    assert [one.round for one in kept.up_to(1014)] == list(range(2, 1015))


def test_where_the_heat_of_all_is_work_of_its_own_few_rounds_take_it():
    kept, taken = for_costly(), []
    for number in range(1, 301):
        if kept.wants(number):
            taken.append(number)
            kept.keep(number, np.zeros(9))
    assert taken == [33, 65, 97, 129, 161, 193, 257] and [one.round for one in kept.up_to(300)] == [65, 129, 193, 257]
