"""What a network infers of a cloud is the same bit for bit, however the work is shared out."""

import os
import subprocess
import sys

import numpy as np
import pytest

from utils.files import PROJECT_DIR
from utils.network import checkpoint, classifier

SHIPPED = os.path.join(PROJECT_DIR, "log", "pretrained", "rotation_y", "model.ckpt")


def _quantities(classifier_, names, clouds, labels):
    """Each quantity of all clouds, the batches put together."""
    return [np.concatenate(parts) for parts in zip(*classifier_.quantities(names, clouds, labels))]


@pytest.fixture(scope="module")
def shipped_classifier():
    with checkpoint.restore(SHIPPED, gpu=-1) as network:
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


# Prints what a network infers of clouds of two sizes, and of one alone.
INFER = """\
import hashlib, sys
import numpy as np
from utils.explain.methods import METHODS
from utils.network import loading
with loading.open_classifier(sys.argv[1], gpu=-1) as network:
    for size in (64, 20):
        clouds = np.random.RandomState(size).uniform(-0.7, 0.7, (3, size, 3)).astype(np.float32)
        for name, found in (
            ("logits", network.logits(clouds)),
            ("logits of one", network.logits(clouds[:1])),
            ("asm", METHODS["asm"].heat(network, clouds[:1], 0)),
            ("runner-up", METHODS["runner-up"].heat(network, clouds[:1], 0)),
        ):
            print(size, name, hashlib.sha256(found.tobytes()).hexdigest())
"""


def test_a_cloud_has_the_same_bits_on_any_number_of_threads():
    # All sessions of a process have as many as its first.
    started = [
        subprocess.Popen(
            [sys.executable, "-c", INFER, SHIPPED],
            cwd=PROJECT_DIR,
            env=dict(os.environ, TF_NUM_INTRAOP_THREADS=str(number), PYTHONPATH=PROJECT_DIR),
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        for number in (1, 2)
    ]
    printed = [process.communicate(timeout=300)[0].splitlines() for process in started]
    assert len(printed[0]) == 8 and printed[1] == printed[0]
