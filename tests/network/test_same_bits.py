"""What a network infers of a cloud is the same bit for bit, however the work is shared out."""

import os

import numpy as np
import pytest

from utils.files import PROJECT_DIR
from utils.network import checkpoint, classifier


def _quantities(classifier_, names, clouds, labels):
    """Each quantity of all clouds, the batches put together."""
    return [np.concatenate(parts) for parts in zip(*classifier_.quantities(names, clouds, labels))]


@pytest.fixture(scope="module")
def shipped_classifier():
    with checkpoint.restore(
        os.path.join(PROJECT_DIR, "log", "pretrained", "rotation_y", "model.ckpt"), gpu=-1
    ) as network:
        yield classifier.Classifier(network)


@pytest.mark.parametrize("num_points", [64, 61])
def test_a_cloud_has_the_same_bits_whatever_clouds_go_with_it(num_points, shipped_classifier, rng):
    clouds, labels = rng.uniform(-0.7, 0.7, (20, num_points, 3)).astype(np.float32), np.arange(20)
    names = ("loss_gradients", "logit_gradients", "features", "feature_gradients")
    together = [shipped_classifier.logits(clouds)] + _quantities(shipped_classifier, names, clouds, labels)
    for size in (1, 2, 3, 8):
        for start in (0, 7):
            part, of = slice(start, start + size), labels[start : start + size]
            alone = [shipped_classifier.logits(clouds[part])]
            alone += _quantities(shipped_classifier, names, clouds[part], of)
            for name, one, whole in zip(("logits",) + names, alone, together):
                assert (one == whole[part]).all(), (name, size, start)
