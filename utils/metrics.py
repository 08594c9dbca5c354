"""How well a network classifies, and how far two heats agree: accuracies, areas under curves, rank correlations.

SciPy takes half a second to load, so the functions that need it load it.
"""

import numpy as np


def confusion_matrix(labels, predictions, num_classes):
    """Counts of predictions by class.

    Args:
      labels: int array [n], 0 .. num_classes - 1.
      predictions: int array [n], likewise.
      num_classes: number of classes.

    Returns:
      int array [num_classes, num_classes]: row = label, column = prediction.
    """
    flat = np.asarray(labels, np.int64) * num_classes + np.asarray(predictions, np.int64)
    return np.bincount(flat, minlength=num_classes**2).reshape(num_classes, num_classes)


def overall_accuracy(matrix):
    """Share of all clouds on the diagonal of a confusion matrix, which holds at least one."""
    return np.trace(matrix) / matrix.sum()


def class_accuracies(matrix):
    """Share of each class's clouds that is classified right: float array [C], NaN for a class without clouds."""
    clouds = matrix.sum(axis=1)
    return np.divide(np.diag(matrix), clouds, out=np.full(len(matrix), np.nan), where=clouds > 0)


def mean_class_accuracy(matrix):
    """Mean of the accuracies of the classes that have clouds."""
    return np.nanmean(class_accuracies(matrix))


def cross_entropy(logits, labels):
    """Softmax cross-entropy.

    Args:
      logits: float array [n, C].
      labels: int array [n], or one int for all.

    Returns:
      float array [n], in nats.
    """
    # log(1 + sum of exp(y_k - y_c) over the others), which is no rounding where the label is all but certain.
    others = np.array(logits) * 1.0
    rows = np.arange(len(others))
    picked = others[rows, labels]
    others[rows, labels] = -np.inf
    return np.logaddexp(0, np.logaddexp.reduce(others, axis=1) - picked)


def probabilities(logits, labels):
    """Softmax probability of each row's label: float array [n] for logits [n, C] and labels [n]."""
    return np.exp(-cross_entropy(np.asarray(logits, np.float64), labels))


def softmax(logits):
    """Probabilities of all classes: float64 array [C] for logits [C]."""
    from scipy import special

    return special.softmax(np.asarray(logits, np.float64))


def area_under_curve(places, values):
    """Mean height of a curve: the area under straight lines between its points, over its width.

    Args:
      places: float array [S], ascending.
      values: float array [..., S].

    Returns:
      float array [...].
    """
    places, values = np.asarray(places, float), np.asarray(values, float)
    widths = np.diff(places)
    return ((values[..., 1:] + values[..., :-1]) / 2 * widths).sum(axis=-1) / widths.sum()


def average_ranks(values):
    """Ranks from 1 of an array [n]; equal values share the mean of theirs: float array [n]."""
    from scipy import stats

    return stats.rankdata(values)


def rank_correlation(first, second):
    """Spearman's rank correlation, with shared ranks for equal values.

    Args:
      first, second: float arrays [n].

    Returns:
      float in -1 .. 1; NaN where all values of one are equal, or any is NaN.
    """
    from scipy import stats

    if any(np.isnan(values).any() or np.ptp(values) == 0 for values in (first, second)):
        return float("nan")
    return float(stats.spearmanr(first, second)[0])


def top_overlap(first, second, count):
    """Share of the `count` greatest of one array [n] that are among the `count` greatest of another.

    Where equal values compete for the last places, each has the same chance, in either array on its own, and the share
    is the mean over all draws: two arrays without any order share what they would by chance, count / n.
    """
    chances = [_chance_of_top(np.asarray(values), count) for values in (first, second)]
    return float((chances[0] * chances[1]).sum() / count)


def _chance_of_top(values, count):
    """How likely each value of an array [n] is to be among the `count` <= n greatest, at random among equal ones."""
    last = np.sort(values)[-count]
    above, tied = values > last, values == last
    return above + tied * (count - above.sum()) / tied.sum()


def mean_and_error(values, axis=0):
    """Mean and standard error of the mean along an axis, NaNs left out; the error is NaN of fewer than two values."""
    values = np.asarray(values, float)
    count = np.isfinite(values).sum(axis=axis)
    # Of nothing the mean is NaN, without a warning.
    total = np.nansum(values, axis=axis)
    mean = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
    squares = np.nansum((values - np.expand_dims(mean, axis)) ** 2, axis=axis)
    variance = np.divide(squares, count - 1, out=np.full(np.shape(total), np.nan), where=count > 1)
    return mean, np.sqrt(np.divide(variance, count, out=np.full(np.shape(total), np.nan), where=count > 1))


def interval(values, level=0.95):
    """The interval of a mean by Student's t.

    Args:
      values: float array [n]; NaNs are left out.
      level: how often such intervals hold the mean, in 0..1.

    Returns:
      low and high end; NaN of fewer than two values.
    """
    from scipy import stats

    mean, error = mean_and_error(values)
    freedom = int(np.isfinite(values).sum()) - 1
    if freedom < 1:
        return np.nan, np.nan
    student = stats.t.ppf((1 + level) / 2, freedom)
    return mean - student * error, mean + student * error


def share_interval(num_right, num_clouds):
    """The 95 % interval of a share of clouds, after Wilson (1927), which does not close where all or none are right.

    Args:
      num_right, num_clouds: ints, num_clouds >= 1.

    Returns:
      low and high end, in 0..1.
    """
    from scipy import stats

    return tuple(stats.binomtest(int(num_right), int(num_clouds)).proportion_ci(method="wilson")[:2])


def bonferroni(count, level=0.95):
    """The level of each of some intervals at which all of them hold together in a share `level` of all experiments.

    Args:
      count: how many intervals, at least 1.
      level: of all together, in 0..1.

    Returns:
      float in 0..1.
    """
    return 1 - (1 - level) / count
