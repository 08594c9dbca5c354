"""What a summary claims: a best method where paired tests of SciPy say so, and a warning where clouds are few."""

import numpy as np
import pytest
from scipy import stats

from utils.clouds.cloud import Cloud
from utils.compare import report, tables

METHODS = ["a", "b", "c", "d"]


def _losses(gaps, num_clouds=30):
    """Losses of four methods on clouds that differ more among each other than the methods do."""
    rng = np.random.RandomState(3)
    of_clouds = 100 * rng.rand(num_clouds)
    return np.array([of_clouds + gap + rng.randn(num_clouds) for gap in gaps])


@pytest.mark.parametrize("gaps", [(0, 2, 3, 4), (0, 0.3, 0.55, 4), (0, 0.6, 0.7, 0.8), (1.2, 0, 1, 0.5)])
def test_a_best_is_named_where_every_paired_t_test_says_so_by_bonferroni(gaps):
    losses = _losses(gaps)
    order = tables.order(losses, False)
    text, _ = tables.lead(METHODS, order, losses, "loss", "least", "points")
    # Three comparisons: each at 0.05 / 3.
    alike = [
        METHODS[number] for number in order[1:] if 3 * stats.ttest_rel(losses[number], losses[order[0]]).pvalue > 0.05
    ]
    first = METHODS[order[0]]
    if alike:
        assert text.startswith("First, but not surely best, by loss (least): {}; not told apart from ".format(first))
        assert "from {}{}.".format(", ".join(alike), " (from the others it is)" * (len(alike) < 3)) in text
    else:
        assert text.startswith("Best by loss (least): **{}**; told apart from each of the others.".format(first))
    # Not by way of the means alone, which the clouds' own differences drown.
    assert all(stats.ttest_ind(losses[number], losses[order[0]]).pvalue > 0.05 for number in order[1:])


def test_what_one_comparison_tells_apart_several_together_may_not():
    losses = _losses((0, 0.2, 9, 9))
    p_value = stats.ttest_rel(losses[1], losses[0]).pvalue
    assert 0.05 / 3 < p_value < 0.05
    alone, _ = tables.lead(METHODS[:2], [0, 1], losses[:2], "loss", "least", "points")
    together, _ = tables.lead(METHODS, [0, 1, 2, 3], losses, "loss", "least", "points")
    assert alone.startswith("Best by loss (least): **a**; told apart from the other.")
    assert "a; not told apart from b (from the others it is)." in together


def test_chance_is_hardly_ever_called_best():
    rng = np.random.RandomState(0)
    named = 0
    for _ in range(300):
        losses = rng.randn(4, 20)
        named += tables.lead(METHODS, tables.order(losses, False), losses, "loss", "least", "points")[0][:4] == "Best"
    assert named <= 15


def test_fewer_than_20_clouds_are_warned_of():
    clouds = [Cloud(np.zeros((1, 3)), 0, "chair", number, "here") for number in range(20)]
    assert report.warnings(clouds) == []
    (text,) = report.warnings(clouds[:19])
    assert text.startswith("**Only 19 clouds**") and "20 or more" in text
    assert report.warnings(clouds[:1])[0].startswith("**Only 1 cloud**")


def test_a_measure_that_few_of_the_clouds_have_says_so():
    losses = _losses((0, 2, 3, 4))
    losses[:, 8:] = np.nan
    text, _ = tables.lead(METHODS, [0, 1, 2, 3], losses, "loss", "least", "points")
    assert text.endswith("Only 8 clouds count here, which is few:")
