"""What a network sees in the clouds of a test split, kept where shards of the work are done by other processes."""

import os
from typing import Any, NamedTuple, Tuple

import numpy as np

from utils import files
from utils.disk import result_folder, shards
from utils.disk.rows import NamedCloud, RowFile
from utils.network import workers

FILE_NAME = "predictions.csv"
STEP = "predicted"  # all rows are of one kind
CLOUDS_PER_BATCH = 32  # those that a shard loses when it is killed


class Predictions:
    """The predicted classes of the clouds of a test split, as far as they are known.

    Attributes:
      found: int array [n], -1 where nobody knows yet.
    """

    def __init__(self, folder, settings, labels, class_names, own=None):
        """Reads what the shards of a folder found; begins the file of one.

        Args:
          folder: where these files are.
          settings: dictionary of what predictions depend on, `model` among it; also kept in run.I-of-N.json.
          labels: int array [n], of the clouds.
          class_names: the C names.
          own: the shards.Shard that is to be found; None: all of them, and what is found is kept nowhere.

        Raises:
          InputError: a file cannot be read, or is of other settings.
        """
        self._method, self._own = settings["model"], own
        records = os.path.join(folder, result_folder.RUN_FILE)
        for record in shards.there(records).values():
            files.check_same_settings(record, settings, "dump_dir")
        if own is not None:
            files.write_json(shards.path_of(records, own), settings)
        path = os.path.join(folder, FILE_NAME)
        others = [] if own is not None else list(shards.there(path).values())
        self._rows = RowFile(shards.path_of(path, own), (STEP,), others)
        counts = np.zeros(len(class_names), int)
        self._clouds = []
        for label in labels:
            self._clouds.append(NamedCloud(class_names[label], int(counts[label])))
            counts[label] += 1
        known = self._rows.select([self._method], self._clouds, [STEP], STEP)[0, :, 0]
        self.found = np.where(np.isnan(known), -1, known).astype(int)

    def missing(self):
        """Places of the clouds that are still to be classified, in batches: list of int arrays."""
        places = np.arange(len(self.found))
        places = self._own.part(places) if self._own else places
        places = places[self.found[places] < 0]
        return [places[start : start + CLOUDS_PER_BATCH] for start in range(0, len(places), CLOUDS_PER_BATCH)]

    def add(self, places, predicted):
        """Takes the predicted classes, int array [B], of clouds at int array [B]; a shard writes them to its file."""
        self.found[places] = predicted
        if self._own is not None:
            for place, label in zip(places, predicted):
                self._rows.add(self._method, self._clouds[place], STEP, float(label))
            self._rows.flush()


class Piece(NamedTuple):
    """Clouds that a worker classifies.

    Attributes:
      arguments, digest: of the network, as for `workers.open_once`.
      places: int array [B], of the clouds in the test split.
      points: float32 array [B, P, 3].
      turns: float32 array [V, B, 3, 3], as for `vote`.
    """

    arguments: Tuple[Any, ...]
    digest: str
    places: np.ndarray
    points: np.ndarray
    turns: np.ndarray


def find(piece, num_workers):
    """The predicted classes, int array [B], of a Piece; `num_workers` share this machine."""
    classifier = workers.open_once(piece.arguments, piece.digest, num_workers)
    return vote(classifier, piece.points, piece.turns).argmax(axis=1)


def vote(classifier, points, turns):
    """Adds up the logits of several views of each cloud.

    Args:
      classifier: a classifier.Classifier.
      points: float32 array [B, P, 3].
      turns: float32 array [V, B, 3, 3], of the views.

    Returns:
      float32 array [B, C].
    """
    return sum(classifier.logits(np.matmul(points, turn)) for turn in turns)
