"""How methods look in figures: which have a colour, a marker and a line of their own."""

from typing import Any, NamedTuple

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
