import numpy as np
import pytest
from scipy import stats

from utils import metrics

# Class 0: 2 of 3 right; class 1: 1 of 1; class 2 has no cloud.
MATRIX = metrics.confusion_matrix([0, 0, 0, 1], [0, 2, 0, 1], 3)


def test_confusion_matrix_has_labels_in_rows():
    assert MATRIX.tolist() == [[2, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_accuracies_overall_and_by_class():
    assert metrics.overall_accuracy(MATRIX) == 0.75
    assert metrics.mean_class_accuracy(MATRIX) == pytest.approx((2 / 3 + 1) / 2)
    assert np.isnan(metrics.class_accuracies(MATRIX)[2])


def test_cross_entropy_of_known_odds_and_of_great_logits():
    odds = np.log([[1.0, 3.0]])
    assert metrics.cross_entropy(odds, [0]) == pytest.approx([np.log(4)])
    assert metrics.cross_entropy(np.array([[1000.0, 0.0]]), 1) == pytest.approx([1000.0])
    # e^-60 + e^-61, of which nothing would be left beside 1; and a network of one class.
    tiny = np.exp(-60) + np.exp(-61)
    assert metrics.cross_entropy(np.array([[60.0, 0.0, -1.0]]), 0) == pytest.approx([tiny], rel=1e-9, abs=0)
    assert metrics.cross_entropy(np.array([[3.0]]), 0).tolist() == [0.0]


def test_probability_of_equal_logits_is_shared():
    assert metrics.probabilities(np.zeros((2, 4)), np.array([0, 3])).tolist() == [0.25, 0.25]
    assert metrics.probabilities(np.log([[1.0, 2.0, 5.0]]), np.array([2])) == pytest.approx([0.625])


def test_area_is_the_mean_height_of_straight_lines():
    # From 1 to 0.5 over two fifths of the width, then at 0.5.
    assert metrics.area_under_curve([0, 10, 25], [1, 0.5, 0.5]) == pytest.approx(0.4 * 0.75 + 0.6 * 0.5)
    assert metrics.area_under_curve([2, 4], [[1, 1], [0, 1]]).tolist() == [1.0, 0.5]


def test_rank_correlation_of_few_values_by_hand():
    assert metrics.rank_correlation([1, 2, 3], [10, 100, 1000]) == pytest.approx(1)
    assert metrics.rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # 1 - 6 * (4 + 1 + 1) / (3 * 8), and with ties the correlation of (1.5, 1.5, 3) and (1, 2, 3).
    assert metrics.rank_correlation([1, 2, 3], [3, 1, 2]) == pytest.approx(-0.5)
    assert metrics.rank_correlation([0, 0, 7], [1, 2, 3]) == pytest.approx(np.sqrt(3) / 2)
    assert np.isnan(metrics.rank_correlation([0, 0, 0], [1, 2, 3]))
    assert np.isnan(metrics.rank_correlation([1, 2, 3, 4], [np.nan, 2, 3, 4]))


def _ranks(values):
    """Mean ranks from 1, by counting for each value how many are smaller or equal."""
    values = list(values)
    return [sum(other < value for other in values) + (values.count(value) + 1) / 2 for value in values]


def test_ranks_from_one_are_shared_by_equal_values(rng):
    assert metrics.average_ranks([3, 1, 3, 9]).tolist() == [2.5, 1, 2.5, 4]
    values = rng.randint(0, 9, 40)
    assert metrics.average_ranks(values).tolist() == _ranks(values)


def test_rank_correlation_is_the_correlation_of_the_ranks(rng):
    for _ in range(5):
        first, second = rng.randint(0, 9, (2, 40))
        wanted = np.corrcoef(_ranks(first), _ranks(second))[0, 1]
        assert metrics.rank_correlation(first, second) == pytest.approx(wanted)


def test_softmax_of_known_odds_and_of_great_logits():
    assert metrics.softmax(np.log([1.0, 2.0, 5.0])) == pytest.approx([0.125, 0.25, 0.625])
    assert metrics.softmax(np.array([1000.0, 1000.0, 0.0])) == pytest.approx([0.5, 0.5, 0])


def test_top_overlap_counts_shared_points():
    assert metrics.top_overlap([5, 4, 3, 0], [0, 4, 5, 3], 2) == 0.5
    assert metrics.top_overlap([5, 4, 3, 0], [0, 4, 5, 3], 4) == 1.0


def test_equal_heat_overlaps_by_chance_wherever_the_points_stand():
    # Any two of three points against the first two: each of these is in with 2 / 3.
    assert metrics.top_overlap([1, 1, 1], [2, 3, 0], 2) == pytest.approx(2 / 3)
    assert metrics.top_overlap(np.zeros(8), np.zeros(8), 2) == pytest.approx(2 / 8)
    # 9 is in both; for the second place 3 and 3 draw on the one side, 4 is sure on the other.
    assert metrics.top_overlap([9, 3, 3, 1], [9, 4, 0, 0], 2) == pytest.approx((1 + 0.5) / 2)


def test_mean_and_error_leave_out_what_is_missing():
    mean, error = metrics.mean_and_error([[1.0, 5.0], [3.0, np.nan], [np.nan, np.nan]])
    assert mean.tolist() == [2.0, 5.0]
    assert error[0] == pytest.approx(np.sqrt(2) / np.sqrt(2)) and np.isnan(error[1])
    mean, error = metrics.mean_and_error([[np.nan], [np.nan]])
    assert np.isnan(mean[0]) and np.isnan(error[0])


# Of Student's t, 97.5 %: from the tables of any textbook.
@pytest.mark.parametrize("count, student", [(2, 12.706), (3, 4.303), (10, 2.262), (11, 2.228), (30, 2.045), (61, 2.0)])
def test_the_interval_of_few_values_is_students(rng, count, student):
    values = np.append(rng.standard_normal(count), np.nan)
    error = values[:-1].std(ddof=1) / np.sqrt(count)
    low, high = metrics.interval(values)
    assert (low + high) / 2 == pytest.approx(values[:-1].mean())
    assert (high - low) / 2 == pytest.approx(student * error, rel=3e-4)


def test_one_value_has_no_interval():
    assert np.isnan(metrics.interval([1.0, np.nan])).all()


# Of Student's t at other levels and numbers of comparisons, likewise.
@pytest.mark.parametrize("count, level, student", [(5, 0.99, 4.604), (10, 0.9, 1.833), (31, 0.999, 3.646)])
def test_an_interval_has_the_level_that_it_is_asked_for(rng, count, level, student):
    values = rng.standard_normal(count)
    low, high = metrics.interval(values, level)
    assert (high - low) / 2 == pytest.approx(student * values.std(ddof=1) / np.sqrt(count), rel=3e-4)
    scipy_low, scipy_high = stats.t.interval(level, count - 1, values.mean(), stats.sem(values))
    assert (low, high) == (pytest.approx(scipy_low), pytest.approx(scipy_high))


def test_several_intervals_hold_together_as_often_as_one():
    assert metrics.bonferroni(1) == pytest.approx(0.95) and metrics.bonferroni(5) == pytest.approx(0.99)
    # 15 of them, 16 values each: t of 1 - 0.05 / 30 at 15 degrees of freedom.
    assert metrics.bonferroni(15) == pytest.approx(1 - 0.05 / 15)
    low, high = metrics.interval(np.arange(16.0), metrics.bonferroni(15))
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(1 - 0.05 / 30, 15) * np.arange(16).std(ddof=1) / 4)


@pytest.mark.parametrize("num_right, num_clouds", [(3, 10), (1970, 2468), (0, 5), (5, 5)])
def test_the_interval_of_a_share_is_where_its_distance_is_that_of_the_normal(num_right, num_clouds):
    # Wilson's ends p solve (share - p)^2 = z^2 p (1 - p) / n.
    share, squared = num_right / num_clouds, stats.norm.ppf(0.975) ** 2 / num_clouds
    ends = np.sort(np.roots([1 + squared, -(2 * share + squared), share**2]))
    assert metrics.share_interval(num_right, num_clouds) == pytest.approx(tuple(ends), abs=1e-9)
