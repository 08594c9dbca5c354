"""Many files explained in pieces of one, by workers that write the results; who hands them out says what came."""

import contextlib
import io
import os
import sys
import threading
from typing import Any, FrozenSet, List, NamedTuple, Optional, Tuple

from utils import command_line, progress
from utils.explain import cases, run
from utils.explain.methods import METHODS
from utils.network import workers

# What is printed belongs to one piece, also where the user's own worker has several threads.
_EXPLAINING = threading.Lock()


class Work(NamedTuple):
    """How each of the files is explained.

    Attributes:
      arguments, digest: of the network, as for `workers.open_once`.
      methods: list of the names of methods.
      dump_dir: folder for all results.
      target_class: as for `Clouds.cases`.
      dropping: a run.Dropping.
      files: a run.Files.
      flags: names of the flags, for messages.
    """

    arguments: Tuple[Any, ...]
    digest: str
    methods: List[str]
    dump_dir: str
    target_class: Optional[str]
    dropping: run.Dropping
    files: run.Files
    flags: FrozenSet[str]


class Piece(NamedTuple):
    """One file.

    Attributes:
      number: its place among all of them.
      clouds: the cases.Clouds of it alone.
      work: a Work.
    """

    number: int
    clouds: cases.Clouds
    work: Work


class Explained(NamedTuple):
    """What came of a Piece.

    Attributes:
      out, err: what was printed, texts.
      lines: of the table at the end, as of `run.summary_of`.
      num_left_out: files that could not be explained.
    """

    out: str
    err: str
    lines: List[Tuple[Any, ...]]
    num_left_out: int


def hand_out(where, clouds, work):
    """Has workers explain files and write the results, prints what they have to say, and shows a progress bar.

    Args:
      where: as for `workers.open_pool`.
      clouds: a cases.Clouds, which counts what is left out.
      work: a Work.

    Returns:
      The lines of the table at the end, as for `run.print_summary`, in the order of the files.
    """
    work = work._replace(dump_dir=os.path.abspath(work.dump_dir))
    pieces = [Piece(number, one, work) for number, one in enumerate(clouds.each_alone())]
    if not pieces:
        return []
    found = {}
    bar = progress.Progress("Explaining", len(pieces), "files")
    with bar, workers.open_pool(where) as pool:
        for piece, explained in pool.results(explain, pieces):
            for text, stream in ((explained.out, sys.stdout), (explained.err, sys.stderr)):
                if text:
                    progress.print_line(text, stream, end="")
            clouds.num_left_out += explained.num_left_out
            found[piece.number] = explained.lines
            bar.update()
    return [line for number in sorted(found) for line in found[number]]


def explain(piece, num_workers):
    """Explains the file of a Piece and writes its results: an Explained; `num_workers` share this machine."""
    work, lines = piece.work, []
    out, err = io.StringIO(), io.StringIO()
    classifier = workers.open_once(work.arguments, work.digest, num_workers)
    command_line.Parser.arguments.update(work.flags)
    with _EXPLAINING, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for case in piece.clouds.cases(classifier, work.methods, work.dump_dir, work.target_class):
            if run.is_saved(case, work.methods, work.dropping, work.files):
                continue
            runs = {
                name: run.drop_until_lost(classifier, case, METHODS[name], work.dropping, is_shown=False)
                for name in work.methods
            }
            print("\n".join(run.save(case, runs, work.dropping, work.files)))
            lines += run.summary_of(case, runs)
    return Explained(out.getvalue(), err.getvalue(), lines, piece.clouds.num_left_out)
