"""How methods look in figures: which have a colour, a marker and a line of their own, and where their names go."""

from typing import Any, NamedTuple

import numpy as np

from utils.explain.methods import METHODS

# More lines in colour are told apart by nobody.
MOST_COLOURED = 8
OTHER_COLOUR = "0.75"
# Of methods that this version does not know, which rows of another one may hold.
UNKNOWN_COLOUR, UNKNOWN_MARKERS = "0.3", "*hdp"
BASELINE_LINE = (0, (4, 2))
# Told apart without colour, as matplotlib names them: dashes and gaps in widths of the line.
LINES = (
    "-",
    (0, (7, 1.5)),
    (0, (1, 1)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (2.5, 1.2)),
    (0, (9, 1.5, 1, 1.5, 1, 1.5)),
    (0, (1, 2.2)),
    (0, (5, 1.2, 2, 1.2)),
)


class Style(NamedTuple):
    """How the curve of a method looks.

    Attributes:
      colour, marker, line: as matplotlib names them.
    """

    colour: str
    marker: str
    line: Any

    def options(self):
        """What matplotlib's `plot` takes."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "linestyle": self.line,
            "linewidth": 1.3,
            "markersize": 4,
            "markeredgewidth": 0,
        }


def coloured(methods):
    """Which of some methods (names, best first) have a look of their own: the best, and always the baselines."""
    baselines = [name for name in methods if name in METHODS and METHODS[name].is_baseline]
    best = [name for name in methods if name not in baselines][: max(MOST_COLOURED - len(baselines), 1)]
    return [name for name in methods if name in best + baselines]


def of(methods):
    """The Style of each of some methods (names): a dictionary in their order.

    Colour and marker of a method are the same in every figure; the line is one that no other method of the figure has,
    as long as there are any.
    """
    found, num_unknown = {}, 0
    lines = iter(LINES * (len(methods) // len(LINES) + 1))
    for name in sorted(methods, key=lambda name: list(METHODS).index(name) if name in METHODS else len(METHODS)):
        if name not in METHODS:
            found[name] = Style(UNKNOWN_COLOUR, UNKNOWN_MARKERS[num_unknown % len(UNKNOWN_MARKERS)], next(lines))
            num_unknown += 1
        elif METHODS[name].is_baseline:
            found[name] = Style(METHODS[name].colour, METHODS[name].marker, BASELINE_LINE)
        else:
            found[name] = Style(METHODS[name].colour, METHODS[name].marker, next(lines))
    return {name: found[name] for name in methods}


def spread(wanted, gap, least, greatest):
    """Heights as near as can be to those wanted, in their order, and nowhere nearer to each other than a gap.

    Less the gaps below them, the heights must not fall; of such heights those of least squares are the means of
    neighbours that would fall (pool adjacent violators: Ayer et al. 1955).

    Args:
      wanted: list of n floats, ascending.
      gap: between two heights.
      least, greatest: between which they are to be, if there is room for n.

    Returns:
      list of n floats.
    """
    pools = []  # [mean, count], ascending
    for number, height in enumerate(wanted):
        pools.append([height - number * gap, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * count) / (pools[-1][1] + count), pools[-1][1] + count]
    bases = [mean for mean, count in pools for _ in range(count)]
    bases = np.clip(bases, least, max(greatest - gap * (len(wanted) - 1), least))
    return [base + number * gap for number, base in enumerate(bases)]
