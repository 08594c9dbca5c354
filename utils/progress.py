"""How far a long piece of work is: a line that moves at a terminal, a plain line now and then in a log."""

import sys
import time

from tqdm import tqdm

LOG_SECONDS = 30  # from one line to the next where stderr is no terminal
# What counts stands first, as a narrow terminal cuts off the end. Where nobody knows the total, none is shown.
COUNTED = "{desc}{n_fmt} of {total_fmt} {unit} |{bar}| {elapsed}, {remaining} left"
TOLD = "{desc}"


class Progress:
    """Context that shows on stderr how far a piece of work is. A terminal has the line until the work ends.

    Attributes:
      done: how many units are done, whether or not that is shown.
      is_silenced: of the class: whether none shows anything, as --quiet asks for.
    """

    is_silenced = False

    def __init__(self, title, total=None, unit="", done=0, is_shown=True, is_bytes=False):
        """
        Args:
          title: what is done, in few words.
          total: how many units there are; None where nobody knows: then only what `tell` is given is shown.
          unit: what they are, in the plural.
          done: how many were done before.
          is_shown: whether anything is shown.
          is_bytes: whether the units are bytes, to be shown as 12.3M.
        """
        self._title, self._total, self._unit = title, total, unit
        self.done = done
        self._words, self._bar = "", None
        self._start = self._last_line = time.time()
        self._is_shown = is_shown and not self.is_silenced
        if self._is_shown and sys.stderr.isatty():
            self._bar = tqdm(
                total=total,
                initial=done,
                unit=unit,
                desc=self._begin(),
                unit_scale=is_bytes,
                unit_divisor=1024,
                leave=False,
                dynamic_ncols=True,
                miniters=1,
                bar_format=TOLD if total is None else COUNTED,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def update(self, count=1):
        """Counts units that are done."""
        self.done += count
        self._show(count)

    def tell(self, words):
        """Says how it goes, what counts most first: at once, or where units are counted, with the next of them."""
        self._words = words
        if self._total is None:
            self._show(1)

    def _show(self, count):
        if self._bar is not None:
            self._bar.desc = self._begin()
            self._bar.update(count)
        elif self._is_shown and time.time() - self._last_line >= LOG_SECONDS:
            self._last_line = time.time()
            counted = "" if self._total is None else "{} of {} {}".format(self.done, self._total, self._unit)
            seconds = "{:.0f} s".format(self._last_line - self._start)
            print_line("{}{}, {}".format(self._begin(), counted, seconds), sys.stderr)

    def _begin(self):
        """What stands before the count: words alone where there is none."""
        if self._total is None:
            return self._words or self._title
        return "{}: {}".format(self._title, self._words + ", " if self._words else "")


def print_line(text, stream=None, end="\n"):
    """Prints a text above the lines that move; stream: None for stdout."""
    tqdm.write(text, file=stream or sys.stdout, end=end)
