"""Rows that outlive an interruption: a CSV file of values under a method, a class, an index and a step each."""

import csv
import gzip
import io
import os
import zlib
from typing import NamedTuple

import numpy as np

from utils.disk import names
from utils.files import InputError, open_to_add, replace_file, writing

KEY = ("method", "class", "index", "step")
PACKED = ".gz"  # ending of a file that gzip packed, which is read where there is no other


class NamedCloud(NamedTuple):
    """A test cloud as rows name it; a cloud.Cloud serves as well.

    Attributes:
      class_name: its class.
      index: which of its class, from 0.
    """

    class_name: str
    index: int


class RowFile:
    """The rows of a file, and those that are to follow. Opening it changes nothing; what is in it stays.

    Attributes:
      rows: list of dictionaries with the columns as keys; `index` an int, `step` a text, the values floats.
    """

    def __init__(self, path, columns, others=()):
        """Reads the file, if it is there; else the one that gzip made of it, if that is there.

        Args:
          path: the CSV file, which new rows go to; None: rows are kept in memory alone.
          columns: names of the values, after those of KEY.
          others: further files of such rows, which count as well and are not written to.

        Raises:
          InputError: a file holds other columns, or cannot be read.
        """
        self._path = path
        self._columns = KEY + tuple(columns)
        self.rows = []
        self._keys = set()
        self._own = []  # those of `rows` that are in the file, and then those that `flush` will write
        self._is_begun = False
        if path is not None:
            self._read(read_path(path), self._own)
        self._num_written = len(self._own)
        self._others = [read_path(other) for other in others]
        for other in self._others:
            self._read(other, [])

    def paths(self):
        """The files that rows are in, or will be: one that gzip packed where there is no other."""
        is_needed = self._num_written or not self._others
        return [read_path(self._path)] * bool(is_needed) + self._others

    def num_written(self):
        """How many rows are in the files, those included that a `flush` wrote which was broken off."""
        of_others = len(self.rows) - len(self._own)
        if self._num_written < len(self._own) and self._path and os.path.exists(self._path):
            return of_others + min(len(self._own), max(self._num_written, len(_lines(self._path)) - 1))
        return of_others + self._num_written

    def has(self, method, cloud, step):
        """Whether there is a row of a method (name), cloud (or NamedCloud) and step (str or int)."""
        return (method, cloud.class_name, cloud.index, str(step)) in self._keys

    def count(self, methods, clouds, steps):
        """How many rows there are of some methods, clouds and steps."""
        return sum(self.has(method, cloud, step) for method in methods for cloud in clouds for step in steps)

    def methods(self):
        """Names of the methods that have rows, in the order of these."""
        return list(dict.fromkeys(row["method"] for row in self.rows))

    def clouds(self):
        """The NamedClouds that have rows, in the order of these."""
        return list(dict.fromkeys(NamedCloud(row["class"], row["index"]) for row in self.rows))

    def steps(self):
        """The steps that have rows, as texts, in the order of these."""
        return list(dict.fromkeys(row["step"] for row in self.rows))

    def add(self, method, cloud, step, *values):
        """Adds a row, unless there is one of the same method, cloud and step. `flush` writes it."""
        row = dict(zip(self._columns, (method, cloud.class_name, cloud.index, str(step)) + values))
        self.take(row)

    def take(self, row):
        """Adds a row, a dictionary as in `rows`, as `add` does."""
        self._take(row, self._own)

    def flush(self):
        """Appends the new rows to the file, begins it where need be; returns how many."""
        new = self._own[self._num_written :]
        if self._path is None:
            pass
        elif self._is_begun:
            self._is_begun = False
            # Not "a": a file that somebody deleted meanwhile is not to begin anew with rows that have no heading.
            with writing(self._path), open_to_add(self._path, "r+") as file:
                file.seek(0, os.SEEK_END)
                self._write(file, new)
        else:
            # A torn last line must not run into the next one, so the first time the whole file is written.
            replace_file(self._path, self._write_all)
        self._is_begun = True
        self._num_written = len(self._own)
        return len(new)

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
        ).reshape(len(methods), len(clouds), len(steps))

    def _read(self, path, into):
        """Takes the rows of a file, if it is there, and adds those that are new to the list `into` as well."""
        lines = _lines(path) if os.path.exists(path) else []
        if lines and tuple(lines[0]) != self._columns:
            raise InputError("{} has other columns: delete it or give another `dump_dir`".format(path))
        for line in lines[1:]:
            # A damaged line counts as none: its row is found anew.
            if len(line) == len(self._columns):
                self._take(self._parse(line, path), into)

    def _parse(self, line, path):
        try:
            row = dict(zip(self._columns, line), index=int(line[2]))
            row["class"] = names.from_cell(row["class"])
            row.update((name, float(row[name])) for name in self._columns[len(KEY) :])
        except ValueError as error:
            raise InputError("{} holds {}: delete it or give another `dump_dir`".format(path, error))
        return row

    def _take(self, row, into):
        key = tuple(row[name] for name in KEY)
        if key not in self._keys:
            self._keys.add(key)
            self.rows.append(row)
            into.append(row)

    def _write_all(self, file):
        csv.writer(file, lineterminator="\n").writerow(self._columns)
        self._write(file, self._own)

    def _write(self, file, rows):
        values = self._columns[len(KEY) :]
        csv.writer(file, lineterminator="\n").writerows(
            [names.to_cell(row[name]) if name == "class" else row[name] for name in KEY]
            + ["{:.6g}".format(row[name]) for name in values]
            for row in rows
        )


def _lines(path):
    """The lines of a CSV file, packed or not, as lists of texts; without a torn last one."""
    try:
        if path.endswith(PACKED):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                text = file.read()
        else:
            with open(path, encoding="utf-8", newline="") as file:
                text = file.read()
        # A kill can leave the last line torn, even within its last number, where it still looks whole.
        return list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1] or text, newline="")))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise InputError("{} cannot be read ({}): delete it or give another `dump_dir`".format(path, error))


def read_path(path):
    """The file that rows are read from: a path, or the packed one beside it where there is that alone."""
    return path + PACKED if os.path.exists(path + PACKED) and not os.path.exists(path) else path
