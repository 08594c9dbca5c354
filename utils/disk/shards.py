"""Shards: every N-th of many clouds, for a process of its own, which leaves files of its own beside those of others."""

import argparse
import contextlib
import os
import re
from typing import NamedTuple

from utils.disk import locks

FLAG_HELP = "work through every N-th {} alone, from the I-th on (1/4 to 4/4 are all), into files of its own"
NAME = re.compile(r"(\d+)-of-(\d+)")
SECONDS_TO_WAIT = 600  # for other shards that begin: each holds the folder for a moment, and there may be hundreds
LOCK = ".shard.lock"


class Shard(NamedTuple):
    """A share of the work.

    Attributes:
      number: which, from 1.
      count: of how many.
    """

    number: int
    count: int

    def part(self, items):
        """Those of a sequence that are its own."""
        return items[self.number - 1 :: self.count]

    def __str__(self):
        return "{}-of-{}".format(self.number, self.count)


def shard(text):
    """argparse type: the Shard that a text such as "2/8" names."""
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text.strip())
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(
            "{!r} is no share of the work: of four, give 1/4, 2/4, 3/4 or 4/4".format(text)
        )
    return Shard(number, count)


def add_flag(group, what):
    """--shard, of every script that works through many clouds; `what` one of these is, in a word."""
    group.add_argument("--shard", type=shard, metavar="I/N", help=FLAG_HELP.format(what))


def path_of(path, own):
    """The file of a Shard in place of a path: "rows.2-of-8.csv" of "rows.csv"; the path itself of None."""
    if own is None:
        return path
    stem, ending = os.path.splitext(path)
    return "{}.{}{}".format(stem, own, ending)


def there(path, packed=""):
    """The files of shards in place of a path that there are.

    Args:
      path: as of `path_of`.
      packed: an ending that a file may have besides.

    Returns:
      Dictionary from Shard to path without that ending, in order.
    """
    folder, name = os.path.split(path)
    names, found = [], {}
    # By their names alone: what `glob` finds in a folder of a slash at its end begins otherwise than `path` does.
    with contextlib.suppress(OSError):
        names = os.listdir(folder or ".")
    for one in names:
        parts = NAME.match(one, len(os.path.splitext(name)[0]) + 1)
        own = Shard(*map(int, parts.groups())) if parts else None
        if own is not None and one in (path_of(name, own), path_of(name, own) + packed):
            found[own] = path_of(path, own)
    return dict(sorted(found.items(), key=lambda item: (item[0].count, item[0].number)))


def lacking(found):
    """Shards that are not there though others of their count are: a list, of Shards."""
    counts = sorted({own.count for own in found})
    every = [Shard(number, count) for count in counts for number in range(1, count + 1)]
    return [own for own in every if own not in found]


@contextlib.contextmanager
def hold(folder, argument, own):
    """A context in which no other process works on the same Shard of a folder; of None, on any part of it.

    Args:
      folder, argument: as of `locks.hold_folder`.
      own: a Shard, or None.

    Yields:
      A function that gives a context in which no other process begins in the folder.

    Raises:
      locks.Held: another process does.
    """
    lock = os.path.join(folder, LOCK)
    with contextlib.ExitStack() as held:
        if own is None:
            held.enter_context(locks.hold_folder(folder, argument))
            left = there(lock)
            # At once, for each that a kill left on another computer is watched for a minute.
            seen = {path: locks.look(path) for path in left.values()}
            for one, path in left.items():
                held.enter_context(_hold(folder, argument, one, path, seen[path]))
            yield contextlib.ExitStack
        else:
            held.enter_context(_hold(folder, argument, own, path_of(lock, own)))
            yield lambda: locks.hold_folder(folder, argument, SECONDS_TO_WAIT)


def _hold(folder, argument, own, path, seen=None):
    words = "shard {} of `{}` {} is in use by".format(own, argument, folder)
    return locks.hold(path, words, "wait until that ends, or give another `{}`".format(argument), seen=seen)
