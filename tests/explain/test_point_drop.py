"""The dropping loop, on clouds small enough to follow by hand."""

import numpy as np
import pytest

from utils.explain.point_drop import AUTO, drop_until_lost, points_to_drop


def _line(num_points):
    points = np.zeros((num_points, 3), np.float32)
    points[:, 0] = np.arange(num_points)
    return points


def _vote_for_class_1_while(is_seen):
    """Four votes; each sees class 1 while `is_seen(points, vote)`."""

    def vote_logits(points):
        logits = np.zeros((4, 40))
        for vote in range(4):
            logits[vote, 1 if is_seen(points, vote) else 2] = 10
        return logits

    return vote_logits


def _hottest_first(heat):
    return points_to_drop(heat, "top")


def test_the_loop_drops_the_hottest_until_half_the_votes_are_lost():
    # Heat is x. Vote v sees the class while more than 15 + v of 20 points are left: at 17, two of the four.
    run = drop_until_lost(
        _line(20),
        1,
        _vote_for_class_1_while(lambda points, vote: len(points) > 15 + vote),
        lambda points: points[:, 0],
        _hottest_first,
    )
    assert [one.points_left for one in run.rounds] == [20, 19, 18, 17]
    assert [one.accuracy for one in run.rounds] == [1.0, 1.0, 0.75, 0.5]
    assert [one.points_dropped for one in run.rounds] == [1, 1, 1, 0]
    assert run.stop_reason == "the accuracy is 50.0 %"
    assert run.removed_in_round.tolist() == [-1] * 17 + [3, 2, 1]
    assert run.heat_when_removed[-3:].tolist() == [17.0, 18.0, 19.0]
    assert np.isnan(run.heat_when_removed[:17]).all()
    assert run.heat.tolist() == list(range(20))


def test_people_see_the_heat_of_the_whole_cloud_and_rounds_drop_by_what_they_need():
    asked = []

    def heat_of(points, name):
        asked.append((name, len(points)))
        return points[:, 0]

    run = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(lambda points, vote: len(points) > 10),
        heat_of=lambda points: heat_of(points, "whole"),
        choose=_hottest_first,
        heat_to_drop=lambda points: heat_of(points, "part"),
    )
    assert asked == [("whole", 12), ("part", 11)]
    assert run.heat.tolist() == list(range(12)) and run.removed_in_round.tolist() == [-1] * 10 + [2, 1]


def test_the_first_round_chooses_by_the_heat_as_it_comes():
    # In float32 all of these are 1.
    heats = 1 - 1e-9 * np.arange(12.0)
    run = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(lambda points, vote: len(points) > 10),
        lambda points: heats[points[:, 0].astype(int)],
        choose=lambda heat: points_to_drop(heat, "+midrange"),
    )
    assert run.rounds[0].points_dropped == 6 and run.removed_in_round.tolist() == [1] * 6 + [-1] * 6
    assert run.heat.dtype == np.float32


def test_the_last_mean_loss_is_the_mean_cross_entropy():
    run = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(lambda points, vote: vote == 0),
        lambda points: points[:, 0],
        _hottest_first,
    )
    # log(e^10 + 39) - 10 for one vote, log(e^10 + 39) for three.
    assert run.rounds[0].mean_loss == pytest.approx(np.log(np.exp(10) + 39) - 2.5)
    assert "before any point" in run.stop_reason


def test_heat_is_taken_anew_of_what_is_left():
    seen = []

    def heat_of(points):
        seen.append(points[:, 0].tolist())
        return points[:, 0]

    drop_until_lost(
        _line(12), 1, _vote_for_class_1_while(lambda points, vote: len(points) > 10), heat_of, _hottest_first
    )
    assert seen == [list(range(12)), list(range(11))]


def test_the_loop_stops_below_ten_points():
    run = drop_until_lost(
        _line(12), 1, _vote_for_class_1_while(lambda points, vote: True), lambda points: points[:, 0], _hottest_first
    )
    assert [one.points_left for one in run.rounds] == [12, 11, 10, 9]
    assert "fewer than 10" in run.stop_reason


@pytest.mark.parametrize("eval_every", (1, 3, AUTO))
def test_the_loop_survives_a_round_that_drops_everything(eval_every):
    run = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(lambda points, vote: True),
        lambda points: np.ones(len(points)),
        lambda heat: heat > 0,
        eval_every=eval_every,
    )
    assert run.rounds[-1].points_left == 0 and np.isnan(run.rounds[-1].accuracy)
    assert "fewer than 10" in run.stop_reason


def test_the_loop_stops_when_a_round_drops_nothing():
    run = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(lambda points, vote: True),
        lambda points: np.zeros(len(points)),
        lambda heat: heat > 0,
    )
    assert len(run.rounds) == 1 and "dropped no point" in run.stop_reason


def test_the_loop_ends_after_num_steps():
    run = drop_until_lost(
        _line(20),
        1,
        _vote_for_class_1_while(lambda points, vote: True),
        lambda points: points[:, 0],
        _hottest_first,
        max_rounds=3,
    )
    assert (run.removed_in_round > 0).sum() == 3 and "asked for" in run.stop_reason


@pytest.mark.parametrize("eval_every", list(range(1, 12)) + [AUTO])
def test_classifying_in_every_kth_round_finds_the_same_last_round(eval_every):
    def run_with(every):
        return drop_until_lost(
            _line(40),
            1,
            _vote_for_class_1_while(lambda points, vote: len(points) > 30 + vote),
            lambda points: points[:, 0],
            _hottest_first,
            eval_every=every,
        )

    each, some = run_with(1), run_with(eval_every)
    assert [one.points_left for one in some.rounds] == [one.points_left for one in each.rounds]
    assert [one.points_dropped for one in some.rounds] == [one.points_dropped for one in each.rounds]
    assert some.rounds[-1].accuracy == each.rounds[-1].accuracy == 0.5
    assert some.removed_in_round.tolist() == each.removed_in_round.tolist()
    assert np.allclose(some.heat_when_removed, each.heat_when_removed, equal_nan=True)
    assert some.stop_reason == each.stop_reason


def test_rounds_between_the_classified_ones_cost_no_classification():
    classified = []

    def vote_logits(points):
        classified.append(len(points))
        return _vote_for_class_1_while(lambda points, vote: len(points) > 27)(points)

    run = drop_until_lost(_line(40), 1, vote_logits, lambda points: points[:, 0], _hottest_first, eval_every=4)
    # Rounds 1, 5, 9, 13, ... classify; at 28 points all is well, at 24 lost: of 27, 26, 25 the first is the last.
    assert classified == [40, 36, 32, 28, 24, 27]
    assert [one.round for one in run.rounds if np.isnan(one.accuracy)] == [2, 3, 4, 6, 7, 8, 10, 11, 12]
    assert run.rounds[-1].points_left == 27 and (run.removed_in_round > 0).sum() == 13


@pytest.mark.parametrize("eval_every", (2, 5, 100, AUTO))
def test_other_ends_are_the_same_when_few_rounds_classify(eval_every):
    def always(points, vote):
        return True

    few_left = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(always),
        lambda points: points[:, 0],
        _hottest_first,
        eval_every=eval_every,
    )
    assert [one.points_left for one in few_left.rounds] == [12, 11, 10, 9] and "fewer" in few_left.stop_reason
    steps_over = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(always),
        lambda points: points[:, 0],
        _hottest_first,
        max_rounds=2,
        eval_every=eval_every,
    )
    assert len(steps_over.rounds) == 3 and "asked for" in steps_over.stop_reason
    assert steps_over.rounds[-1].accuracy == 1
    # All but the first point go at once, after one round that drops one.
    emptied = drop_until_lost(
        _line(12),
        1,
        _vote_for_class_1_while(lambda points, vote: len(points) == 12),
        lambda points: points[:, 0],
        lambda heat: heat == 11 if len(heat) == 12 else heat >= 0,
        eval_every=eval_every,
    )
    assert [one.points_left for one in emptied.rounds] == [12, 11] and "is 0.0 %" in emptied.stop_reason


def _auto_run(is_seen, num_points=40):
    """A run that drops a point a round, and the numbers of the rounds that classified, in their order."""
    classified = []

    def vote_logits(points):
        classified.append(num_points + 1 - len(points))
        return _vote_for_class_1_while(is_seen)(points)

    run = drop_until_lost(
        _line(num_points), 1, vote_logits, lambda points: points[:, 0], _hottest_first, eval_every=AUTO
    )
    return run, classified


def test_the_lost_round_is_found_by_doubling_and_halving():
    run, classified = _auto_run(lambda points, vote: len(points) > 27)
    # Doubled until lost, halved to round 14, the first at 27 points; then the middles of the widest gaps, up to 12.
    assert classified == [1, 2, 4, 8, 16, 12, 14, 13, 6, 10, 3, 5, 7]
    assert len(run.rounds) == 14 and run.rounds[-1].points_dropped == 0
    assert [one.round for one in run.rounds if np.isnan(one.accuracy)] == [9, 11]
    assert (run.removed_in_round > 0).sum() == 13 and "is 0.0 %" in run.stop_reason


def test_a_long_run_classifies_few_rounds():
    run, classified = _auto_run(lambda points, vote: len(points) > 300, num_points=1000)
    assert classified[:13] == [1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 384, 512, 768]
    assert len(run.rounds) == 701 and len(classified) < 25
    each = [one for one in run.rounds if not np.isnan(one.accuracy)]
    assert [one.accuracy > 0.5 for one in each] == [True] * (len(each) - 1) + [False]


@pytest.mark.parametrize("dips, last", [((12,), 12), ((12, 10), 10), ((13, 11, 10), 10)])
def test_a_loss_just_before_the_one_that_is_found_is_the_end(dips, last):
    def is_seen(points, vote):
        return len(points) > 27 and 41 - len(points) not in dips

    each = drop_until_lost(
        _line(40), 1, _vote_for_class_1_while(is_seen), lambda points: points[:, 0], _hottest_first, eval_every=1
    )
    run, _ = _auto_run(is_seen)
    assert len(run.rounds) == len(each.rounds) == last
    assert run.removed_in_round.tolist() == each.removed_in_round.tolist()


def test_an_object_that_is_never_lost_has_a_curve():
    run, classified = _auto_run(lambda points, vote: True)
    assert len(run.rounds) == 32 and "fewer than 10" in run.stop_reason
    assert len(classified) == len(set(classified)) == 12 and run.rounds[-1].accuracy == 1
