"""A network simple enough to count along, for the tests of protocols."""

import contextlib

import numpy as np

from utils.clouds.cloud import Cloud
from utils.compare import fidelity
from utils.compare.run import Comparison
from utils.disk.rows import RowFile
from utils.explain.methods import METHODS, Method

CLOUD = Cloud(np.zeros((4, 3), np.float32), 8, "chair", 0, "")


class CountingClassifier:
    """Sees class 8 while at least three of the points that are left have x > 0, else class 0.

    Attributes:
      heats: how many times quantities were taken of it.
      sign: of the points that it tells of; -1 for a network that sees everything turned round.
    """

    def __init__(self, sign=1):
        self.heats = 0
        self.sign = sign

    def logits(self, clouds):
        is_seen = (clouds[:, :, 0] > 0).sum(axis=1) >= 3
        logits = np.zeros((len(clouds), 40))
        logits[:, 8] = np.where(is_seen, 1, -1)
        return logits

    def vote_logits(self, points, rotations):
        return np.repeat(self.logits(points[np.newaxis]), len(rotations), axis=0)

    def voter(self, points, rotations):
        return lambda left: self.vote_logits(left, rotations)

    def quantities(self, names, clouds, labels, is_target=False):
        assert names == ("points",)
        self.heats += 1
        # Of another class than 8 the heat is the other way round.
        yield [self.sign * np.where(np.equal(labels, 8), 1, -1)[:, np.newaxis, np.newaxis] * clouds]


def x_method(**changes):
    """A method named "x", whose heat is x."""
    row = Method("x", title="x", needs=("points",), formula=lambda points: points[:, :, 0], colour="red", marker="o")
    return row._replace(**changes)


def comparison(tmp_path, monkeypatch, protocol, **options):
    """Two clouds of 20 points, x from -10 to 9 and from -9 to 10 in any order, under a method whose heat is x.

    The heat of exact leave-one-out is x as well: this network has no quantities to take it by.
    """
    monkeypatch.setitem(METHODS, "x", x_method())
    monkeypatch.setitem(METHODS, fidelity.ORACLE, x_method(name=fidelity.ORACLE))
    rng = np.random.RandomState(0)
    clouds = [
        CLOUD._replace(points=np.float32([[x, 0, 0] for x in rng.permutation(20) - low]), index=number)
        for number, low in enumerate((10, 9))
    ]
    rows = RowFile(str(tmp_path / "rows.csv"), protocol.columns)
    options.setdefault("rotation", "y")
    return Comparison(CountingClassifier(), clouds, rows, ["x"], num_points=20, **options)


@contextlib.contextmanager
def turned_round(layers, draw):
    """What `Comparison.open_fresh` is to be: the trained network up to fc2, then one that sees the opposite.

    In the third draw fc2 is as it was.
    """
    yield CountingClassifier(sign=1 if layers == ["fc3"] or (draw == 2 and len(layers) == 2) else -1)
