"""Thresholds and drop modes, on heats few enough to follow by hand."""

import numpy as np
import pytest

from utils.explain.point_drop import points_to_drop, threshold


def test_midrange_is_halfway_between_least_and_greatest_positive_heat():
    assert threshold([0.0, 1.0, 2.0, 5.0], "midrange") == 3.0


def test_average_and_median_leave_out_heats_that_are_not_positive():
    assert threshold([-7.0, 0.0, 1.0, 2.0, 6.0], "average") == 3.0
    assert threshold([-7.0, 0.0, 6.0, 1.0, 2.0], "median") == 2.0
    # Of an even number, the upper of the two in the middle.
    assert threshold([1.0, 2.0, 5.0, 9.0], "median") == 5.0


def test_equal_heats_are_not_above_their_own_average():
    heat = np.full(1000, 0.1, np.float32)
    assert not points_to_drop(heat, "+average").any() and not points_to_drop(heat, "-average").any()


def test_an_unknown_threshold_or_mode_is_refused():
    with pytest.raises(ValueError, match="mean"):
        threshold([1.0], "mean")
    with pytest.raises(ValueError, match="best"):
        points_to_drop(np.ones(3), "best")


@pytest.mark.parametrize(
    "mode, dropped",
    [
        ("+midrange", [4]),
        ("-midrange", [0, 1, 2]),
        ("+average", [4]),
        ("-average", [0, 1, 2]),
        ("+median", [4]),
        ("-median", [0, 1, 2]),
        ("nonzero", [2, 3, 4]),
        ("zero", [1]),
    ],
)
def test_modes_drop_what_they_name(mode, dropped):
    # Positive heats 1, 3, 5: average, median and midrange are all 3.
    assert np.flatnonzero(points_to_drop(np.array([-2.0, 0.0, 1.0, 3.0, 5.0]), mode)).tolist() == dropped


def test_nothing_is_dropped_where_no_heat_is_positive():
    for mode in ("+midrange", "-midrange", "+median", "-average", "nonzero"):
        assert not points_to_drop(np.array([-1.0, 0.0]), mode).any()


def test_top_drops_the_highest_or_the_lowest_and_the_first_of_equals():
    heat = np.array([3.0, 5.0, -1.0, 5.0])
    assert np.flatnonzero(points_to_drop(heat, "top")).tolist() == [1]
    assert np.flatnonzero(points_to_drop(heat, "top", num_drop=3)).tolist() == [0, 1, 3]
    assert np.flatnonzero(points_to_drop(heat, "top", lowest=True)).tolist() == [2]


def test_random_modes_drop_as_many_as_their_counterparts_and_others_each_time(rng):
    heat = np.array([0.0] * 60 + [1.0] * 40)
    draws = [points_to_drop(heat, "+random", rng=rng) for _ in range(3)]
    assert [draw.sum() for draw in draws] == [40, 40, 40]
    assert not (draws[0] == draws[1]).all()
    assert points_to_drop(heat, "-random", rng=rng).sum() == 60
