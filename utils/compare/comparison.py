"""What every protocol of compare.py needs: the clouds, the heat of many at once, and rows that outlive an interruption."""

import csv
import io
import os

import numpy as np

import provider
from utils.explain import heat
from utils.files import InputError, replace_file

CLOUDS_PER_BATCH = 32
KEY = ("method", "class", "index", "step")


def load_clouds(data_dir, classes, per_class, num_points):
    """The first test clouds of each class.

    Args:
      data_dir: folder of the data set.
      classes: list of labels.
      per_class: how many of each; all where there are fewer.
      num_points: points of each cloud, the first ones.

    Returns:
      List of provider.Cloud, class by class.

    Raises:
      InputError: there is none, or the data set is not whole.
    """
    points, labels = provider.load_split(data_dir, "test", num_points)
    names = provider.load_class_names(data_dir)
    clouds = [
        provider.Cloud(points[row], label, names[label], index, data_dir)
        for label in classes
        for index, row in enumerate(np.flatnonzero(labels == label)[:per_class])
    ]
    if not clouds:
        raise InputError(
            "--classes: {} holds no test cloud of {}".format(data_dir, ", ".join(names[label] for label in classes))
        )
    return clouds


def rng_of(cloud, *numbers):
    """A RandomState that follows from a cloud and further numbers alone, so not from what else is computed, or when."""
    return np.random.RandomState(list(numbers) + [cloud.label, cloud.index])


class RowFile:
    """Rows of a CSV file, each under its method, class, index and step. What is in the file already stays.

    Attributes:
      rows: list of dictionaries with the columns as keys; `index` an int, the values floats.
    """

    def __init__(self, path, columns):
        """Opens the file, or begins it.

        Args:
          path: the CSV file.
          columns: names of the values, after those of KEY.

        Raises:
          InputError: the file holds other columns.
        """
        self._path = path
        self._columns = KEY + tuple(columns)
        self.rows = []
        self._keys = set()
        lines = self._read()
        if lines and tuple(lines[0]) != self._columns:
            raise InputError("{} has other columns: delete it or give another --dump_dir".format(path))
        for line in lines[1:]:
            # A damaged line counts as none: its row is found anew.
            if len(line) == len(self._columns):
                self._take(self._parse(line))
        replace_file(path, lambda file: self._write(file, [self._columns] + [self._line(row) for row in self.rows]))

    def num_written(self):
        """How many rows are in the file."""
        return len(self.rows) - len(self._new)

    def has(self, method, cloud, step):
        """Whether there is a row of a method (name), cloud (provider.Cloud) and step (str or int)."""
        return (method, cloud.class_name, cloud.index, str(step)) in self._keys

    def count(self, methods, clouds, steps):
        """How many rows there are of some methods, clouds and steps."""
        return sum(self.has(method, cloud, step) for method in methods for cloud in clouds for step in steps)

    def add(self, method, cloud, step, *values):
        """Adds a row, unless there is one of the same method, cloud and step. `flush` writes it."""
        row = dict(zip(self._columns, (method, cloud.class_name, cloud.index, str(step)) + values))
        if self._take(row):
            self._new.append(row)

    def flush(self):
        """Appends the new rows to the file; returns how many."""
        with open(self._path, "a", encoding="utf-8", newline="") as file:
            self._write(file, [self._line(row) for row in self._new])
        count = len(self._new)
        self._new = []
        return count

    def select(self, methods, clouds, steps, column):
        """Values of a column: float array [methods, clouds, steps], NaN where there is no row."""
        values = {tuple(str(row[name]) for name in KEY): row[column] for row in self.rows}
        return np.array(
            [
                [
                    [values.get((method, cloud.class_name, str(cloud.index), str(step)), np.nan) for step in steps]
                    for cloud in clouds
                ]
                for method in methods
            ],
            float,
        )

    def _read(self):
        self._new = []
        if not os.path.exists(self._path):
            return []
        try:
            with open(self._path, encoding="utf-8", newline="") as file:
                text = file.read()
            # A kill can leave the last line torn, even within its last number, where it still looks whole.
            return list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1] or text, newline="")))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError("{} cannot be read ({}): delete it or give another --dump_dir".format(self._path, error))

    def _parse(self, line):
        try:
            row = dict(zip(self._columns, line), index=int(line[2]))
            row.update((name, float(row[name])) for name in self._columns[len(KEY) :])
        except ValueError as error:
            raise InputError("{} holds {}: delete it or give another --dump_dir".format(self._path, error))
        return row

    def _take(self, row):
        key = tuple(row[name] for name in KEY)
        is_new = key not in self._keys
        if is_new:
            self._keys.add(key)
            self.rows.append(row)
        return is_new

    def _line(self, row):
        return [row[name] for name in KEY] + ["{:.6g}".format(row[name]) for name in self._columns[len(KEY) :]]

    @staticmethod
    def _write(file, lines):
        csv.writer(file, lineterminator="\n").writerows(lines)


class Comparison:
    """One comparison: the network, the clouds, the flags of compare.py, and the rows found so far.

    Attributes:
      explainer: an explainer.Explainer.
      network: the checkpoint.Network that it explains.
      clouds: list of provider.Cloud, as they are classified and explained.
      flags: of compare.py.
      rows: a RowFile.
    """

    def __init__(self, explainer, network, clouds, flags, rows, progress):
        """progress: function that is told how many more rows there are."""
        self.explainer, self.network, self.clouds, self.flags, self.rows = explainer, network, clouds, flags, rows
        self._progress = progress

    def batches(self, steps, size=CLOUDS_PER_BATCH):
        """What is still to do: yields methods with lists of at most `size` clouds that lack a row of any of the steps.

        The rows that were added meanwhile are written after each.
        """
        for method in self.flags.methods:
            missing = self._missing(method, steps)
            for start in range(0, len(missing), size):
                yield method, missing[start : start + size]
                self._progress(self.rows.flush())

    def is_missing(self, steps):
        """Whether any method and cloud lacks a row of any of the steps."""
        return any(self._missing(method, steps) for method in self.flags.methods)

    def _missing(self, method, steps):
        return [cloud for cloud in self.clouds if not all(self.rows.has(method, cloud, step) for step in steps)]

    def heat_of(self, method, clouds, points=None, labels=None, explainer=None, draw=0):
        """Heat of several clouds.

        Args:
          method: a name in heat.METHODS.
          clouds: list of B provider.Cloud.
          points: float32 array [B, N, 3] in their place; None: their own.
          labels: int array [B], classes to explain; None: their own.
          explainer: of another network; None: of the one that is explained.
          draw: number of the draw, for methods that draw: another one gives other numbers.

        Returns:
          float32 array [B, N].
        """
        return heat.METHODS[method](
            explainer or self.explainer,
            points_of(clouds) if points is None else points,
            labels_of(clouds) if labels is None else labels,
            pooling=self.flags.pooling,
            power=self.flags.power,
            rngs=[rng_of(cloud, self.flags.seed, draw) for cloud in clouds],
        )


def points_of(clouds):
    """float32 array [B, N, 3] of the points of clouds."""
    return np.stack([cloud.points for cloud in clouds])


def labels_of(clouds):
    """int array [B] of the labels of clouds."""
    return np.array([cloud.label for cloud in clouds])
