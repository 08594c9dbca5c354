import numpy as np
import pytest

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
