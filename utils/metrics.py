"""How well a network classifies: confusion matrix and accuracies."""
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
    return np.bincount(flat, minlength=num_classes ** 2).reshape(num_classes, num_classes)


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
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(logits)), labels]
    return np.log(np.exp(shifted).sum(axis=1)) - picked
