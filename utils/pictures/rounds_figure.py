"""The figure of the dropping loop: accuracy over the points left, of one method or of several."""

from typing import NamedTuple, Sequence

import numpy as np

from utils import wording
from utils.pictures import plots

WIDTH, ASPECT = 4.6, 0.7  # inches; height / width
LEFT, RIGHT, BELOW, ABOVE = 0.66, 0.16, 0.45, 0.12  # inches around the axes
LETTER_WIDTH, TITLE_LETTER_WIDTH = 0.062, 0.075  # inches, of text of 7 and of 9 points
LINE_HEIGHT = 0.15  # inches of a line of the title
LABEL_GAP = 0.13  # inches between two names
MOST_COLOURED = 8  # more lines in colour are told apart by nobody
COLOUR, OTHER_COLOUR = "tab:blue", "0.75"


class Curve(NamedTuple):
    """What the dropping loop measured under one method.

    Attributes:
      name: of the method; empty for no name.
      points_left: ints [R], points left in each round.
      accuracies: floats [R] in 0..1, share of rotations classified as the label; NaN where not measured.
      colour: as matplotlib names it.
      marker: likewise.
    """

    name: str
    points_left: Sequence[int]
    accuracies: Sequence[float]
    colour: str = COLOUR
    marker: str = "o"


def save(path, curves, title, threshold=0.5, width=None):
    """Writes curves of accuracy over the points left, a marker for each round, from all points on the left to none.

    The first MOST_COLOURED have colours and names at their ends, the others are grey.

    Args:
      path: the file to write, whose ending is one of plots.FORMATS.
      curves: list of Curve.
      title: text above, broken into lines where it is long.
      threshold: accuracy at which the object counts as lost; drawn as a line.
      width: of the figure, in inches; None for the usual one.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    width = WIDTH if width is None else width
    named = [curve for curve in curves[:MOST_COLOURED] if curve.name]
    right = RIGHT + (0.25 + LETTER_WIDTH * max(len(curve.name) for curve in named) if named else 0.0)
    lines = plots.wrapped(title, width - 0.2, 9)
    above = ABOVE + LINE_HEIGHT * len(lines)
    axes_width, axes_height = width - LEFT - right, ASPECT * width - BELOW - ABOVE - LINE_HEIGHT
    height = BELOW + axes_height + above
    figure = plots.new_figure(width, height)
    axes = figure.add_axes([LEFT / width, BELOW / height, axes_width / width, axes_height / height])
    axes.axhline(threshold, color="0.5", linewidth=1, linestyle="--")
    axes.text(
        0.01,
        threshold + 0.015,
        "lost at {} or less".format(wording.percent(threshold, 0)),
        transform=axes.get_yaxis_transform(),
        fontsize=7,
        color=plots.CAPTION_COLOUR,
        zorder=5,
        bbox={"color": "white", "alpha": 0.8, "pad": 0.5},
    )
    for place, curve in enumerate(curves):
        left, accuracies = np.asarray(curve.points_left), np.asarray(curve.accuracies, float)
        measured, is_coloured = np.isfinite(accuracies), place < MOST_COLOURED
        axes.plot(
            left[measured],
            accuracies[measured],
            color=curve.colour if is_coloured else OTHER_COLOUR,
            linewidth=1.5 if is_coloured else 0.8,
            marker=curve.marker if is_coloured else None,
            markersize=2 if len(left) > 40 else 4,
            clip_on=False,
            zorder=3 + is_coloured - place / len(curves),
        )
    all_points = max(max(curve.points_left) for curve in curves)
    axes.set(ylim=(0, 1), xlim=(all_points, 0))
    axes.yaxis.set_major_formatter(lambda share, _: wording.percent(share, 0))
    axes.set_xlabel("points left", fontsize=8)
    axes.set_ylabel("accuracy over the rotations", fontsize=8)
    axes.locator_params(axis="x", nbins=max(int(axes_width / 0.5), 2), integer=True)
    figure.text(
        0.5, 1 - 0.05 / height, plots.literal("\n".join(lines)), fontsize=9, ha="center", va="top", linespacing=1.1
    )
    axes.tick_params(labelsize=7)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    plots.hide_spines(axes, ("right", "top"))
    _name_ends(axes, named, axes_width, axes_height)
    plots.save_figure(figure, path)


def _name_ends(axes, curves, width, height):
    """Writes names right of the axes, of a width and a height in inches, each with a thin line from its curve's end."""
    ends = {}
    for number, curve in enumerate(curves):
        measured = np.flatnonzero(np.isfinite(np.asarray(curve.accuracies, float)))
        if len(measured):
            ends[number] = curve.points_left[measured[-1]], curve.accuracies[measured[-1]]
    # Of ends at one height, those further to the right are named above, so that their lines do not cross.
    order = sorted(ends, key=lambda number: (ends[number][1], -ends[number][0]))
    heights = plots.spread([ends[number][1] for number in order], LABEL_GAP / height, 0.0, 1.0)
    most = axes.get_xlim()[0]
    for number, at in zip(order, heights):
        curve, (left, accuracy) = curves[number], ends[number]
        across = 1 - left / most
        beside = {"transform": axes.transAxes, "clip_on": False, "color": curve.colour}
        axes.plot([across, 1 + 0.18 / width], [accuracy, at], linewidth=0.5, zorder=2, **beside)
        axes.text(1 + 0.22 / width, at, curve.name, fontsize=7, va="center", **beside)
