"""Writes the files of a cloud while the next one is explained: drawing them leaves most of the processor idle."""

import concurrent.futures
import sys

from utils import command_line, progress, streams
from utils.explain import run
from utils.files import InputError


class Writer:
    """Context that writes files; leaving it waits for what is being written, also where something else went wrong."""

    def __init__(self, dropping, files, is_behind):
        """
        Args:
          dropping, files: as for `run.save`.
          is_behind: whether to write in a thread behind what comes next.
        """
        self._dropping, self._files = dropping, files
        self._executor = concurrent.futures.ThreadPoolExecutor(max_workers=1) if is_behind else None
        self._pending = []  # what is being written, in order, as futures

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.finish()
        except InputError as error:
            if kind is None:
                raise
            print(command_line.one_line(error), file=sys.stderr)
        finally:
            if self._executor is not None:
                self._executor.shutdown()

    def save(self, case, runs):
        """As `run.save`; what went wrong with the cloud before is raised here, with that behind it in `finish`."""
        if self._executor is None:
            with progress.Progress("Drawing ..."):
                told = run.save(case, runs, self._dropping, self._files)
            print("\n".join(told))
        else:
            # Begun before what went wrong is raised, so that what is explained is not lost.
            with streams.kept_from_interrupts():
                self._pending.append(self._executor.submit(run.save, case, runs, self._dropping, self._files))
            self._finish_until_left(1)

    def finish(self):
        """Waits until all is written, and prints where.

        Raises:
          InputError: a folder cannot be written.
        """
        self._finish_until_left(0)

    def _finish_until_left(self, most):
        while len(self._pending) > most:
            with progress.Progress("Drawing ..."):
                concurrent.futures.wait(self._pending[:1])
            # Ctrl-C while waiting leaves it here, for `__exit__` to wait for.
            print("\n".join(self._pending.pop(0).result()))
