"""Figures of compare.py: curves with names at their ends, and bars."""

import textwrap

import numpy as np

from utils.compare import styles
from utils.pictures import plots

# Told apart without colour vision (Okabe and Ito); of bars that are not of methods.
BAR_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#B8A800")
LEGEND_COLUMNS = 4
LETTER_WIDTH, NARROW_LETTER_WIDTH = 0.075, 0.066  # inches at 8 and at 7 points, at most
# Inches: of a panel of curves, of what is left and right of it, below all panels, and between the names of two curves.
PANEL_WIDTH, PANEL_HEIGHT, LEFT, ABOVE, BELOW, BETWEEN, GAP = 4.0, 2.5, 0.62, 0.1, 0.5, 0.3, 0.14
LEADER, SAMPLE = 0.3, 0.3  # inches from a curve's end to the sample beside its name, and of this
NARROW_LEADER = 0.15  # inches from a curve's end to its name where there is no room for samples
NARROW = 5.0  # inches of a figure, below which names have the colours of their curves in place of samples
LEAST_BANDED = 10  # clouds: of fewer, a standard error says too little to be drawn as a band
BARS_WIDTH = 5.0  # inches of bars
MOST_HEIGHT = 7.0  # inches of all bars, unless these become too thin
MARKED_PLACES = 11  # of a curve, at most some more
LEAST_TICKS = 3  # powers of two among the places that are enough to mark a logarithmic axis


def save_curves(path, places, panels, xlabel, num_clouds, is_log=False, width=None):
    """Writes panels one below the other, each with one curve a method: means with a band of one standard error.

    Of fewer than LEAST_BANDED clouds, there are no bands.

    The best methods have colours, markers and line styles of their own, and names at their ends; all others are thin
    and grey, and named below the panels.

    Args:
      path: the file to write, whose ending is one of plots.FORMATS.
      places: list of S numbers, or of S names to set at equal distances.
      panels: dictionary from the label of the vertical axis to {method: (means [S], errors [S])}, the best first.
      xlabel: label of the horizontal axis.
      num_clouds: how many clouds the means are of.
      is_log: whether that axis is logarithmic.
      width: of the figure, in inches; None for the usual one.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    is_named = isinstance(places[0], str)
    across = np.arange(len(places)) if is_named else np.asarray(places)
    methods = list(dict.fromkeys(method for curves in panels.values() for method in curves))
    shown = styles.coloured(methods)
    looks = styles.of(shown)
    others = [method for method in methods if method not in looks]
    is_narrow = width is not None and width < NARROW
    letter_width = NARROW_LETTER_WIDTH if is_narrow else LETTER_WIDTH
    names = dict(zip(shown, plots.names_beside(shown, letter_width, width)))
    right = NARROW_LEADER + 0.1 if is_narrow else LEADER + SAMPLE + 0.15
    right += letter_width * max(map(len, names.values()))
    panel_width = PANEL_WIDTH if width is None else width - LEFT - right
    panel_height = PANEL_HEIGHT if width is None else min(PANEL_HEIGHT, 0.9 * panel_width)
    # Names of so many curves need their room.
    panel_height = max(panel_height, GAP * len(shown))
    width = LEFT + panel_width + right
    words = textwrap.wrap("others, thin and grey: " + ", ".join(others), int(width / 0.06)) if others else []
    # Names of places stand at 45 degrees.
    below = (0.4 + 0.7 * LETTER_WIDTH * max(map(len, places)) if is_named else BELOW) + 0.14 * len(words)
    height = ABOVE + len(panels) * panel_height + (len(panels) - 1) * BETWEEN + below
    figure = plots.new_figure(width, height)
    for number, (label, curves) in enumerate(panels.items()):
        bottom = height - ABOVE - (number + 1) * panel_height - number * BETWEEN
        axes = figure.add_axes([LEFT / width, bottom / height, panel_width / width, panel_height / height])
        _draw_curves(axes, across, curves, looks, num_clouds >= LEAST_BANDED)
        axes.set_ylabel(label, fontsize=8 if is_narrow else 9)
        _mark_places(axes, across, places if is_named else None, is_log)
        if number < len(panels) - 1:
            axes.set_xticklabels([])
        _name_ends(axes, across, curves, looks, names, (panel_width, panel_height), is_narrow)
    axes.set_xlabel(xlabel, fontsize=8 if is_narrow else 9)
    if words:
        figure.text(0.1 / width, 0.06 / height, "\n".join(words), fontsize=7, color=plots.CAPTION_COLOUR, va="bottom")
    plots.save_figure(figure, path)


def _draw_curves(axes, across, curves, looks, is_banded):
    """Draws curves, a dictionary as of `save_curves`, at places [S]: those with a look over the others."""
    least, greatest = 1.0, 1.0
    for place, (method, (means, errors)) in enumerate(curves.items()):
        means, errors = np.asarray(means, float), np.nan_to_num(np.asarray(errors, float)) * is_banded
        if np.isnan(means).all():
            continue
        least, greatest = min(least, np.nanmin(means - errors)), max(greatest, np.nanmax(means))
        if method not in looks:
            axes.plot(across, means, color=styles.OTHER_COLOUR, linewidth=0.8, zorder=2)
            continue
        look, every = looks[method], -(-len(across) // MARKED_PLACES)
        axes.plot(
            across, means, **look.options(), markevery=(place % every, every), label=method, zorder=4, clip_on=False
        )
        if is_banded:
            band = means - errors, means + errors
            axes.fill_between(across, *band, color=look.colour, alpha=0.15, linewidth=0, zorder=3)
    bottom = min(np.floor(10 * least) / 10, 0.9)
    axes.set_ylim(bottom, greatest + 0.02 * (greatest - bottom))


def _mark_places(axes, across, names, is_log):
    """Sets the horizontal axis of curves at places [S], which may have names."""
    if names is not None:
        axes.set_xticks(across)
        axes.set_xticklabels(names, rotation=45, ha="right", rotation_mode="anchor")
    if is_log:
        axes.set_xscale("log")
        ticks = [place for place in across if place & (place - 1) == 0]
        if len(ticks) < LEAST_TICKS:
            ticks = across[::3]
        axes.set_xticks(ticks)
        axes.set_xticklabels([str(tick) for tick in ticks])
        axes.minorticks_off()
    axes.tick_params(labelsize=8)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    plots.hide_spines(axes, ("right", "top"))


def _name_ends(axes, across, curves, looks, names, size, is_narrow):
    """Writes the `names` of the curves with a look beside their ends, none over another, each with a sample.

    Where it is narrow, the names have the curves' colours in place of samples. `size` is of the axes, in inches.
    """
    low, high = axes.get_ylim()
    ends = {}
    for method, (means, _) in curves.items():
        there = np.flatnonzero(np.isfinite(means))
        if method in looks and len(there):
            ends[method] = (means[there[-1]] - low) / (high - low)
    # Curves that end in one point are named in the order in which they came there.
    order = sorted(ends, key=lambda method: (round(ends[method], 2), np.nanmean(curves[method][0])))
    (width, height_of_axes), leader_width = size, NARROW_LEADER if is_narrow else LEADER
    gap = GAP / height_of_axes
    heights = plots.spread([ends[method] for method in order], gap, 0.0, max(1.0, gap * (len(order) - 1)))
    start = axes.transAxes.inverted().transform(axes.transData.transform((across[-1], low)))[0]
    before, after = (1 + inches / width for inches in (leader_width, leader_width + SAMPLE))
    beside = {"transform": axes.transAxes, "clip_on": False}
    for method, height in zip(order, heights):
        look = looks[method]
        leader = [start + 0.015, 1 + 0.3 * leader_width / width, before - 0.15 * leader_width / width]
        axes.plot(leader, [ends[method], ends[method], height], color=look.colour, linewidth=0.5, **beside)
        if is_narrow:
            colour = look.colour
            axes.text(before, height, names[method], fontsize=7, va="center", color=colour, transform=axes.transAxes)
            continue
        middle = (before + after) / 2
        axes.plot([before, middle, after], [height] * 3, **look.options(), markevery=[1], **beside)
        axes.text(after + 0.015, height, names[method], fontsize=8, va="center", transform=axes.transAxes)


def save_bars(path, names, series, label, width=None):
    """Writes horizontal bars in groups, with standard errors.

    Args:
      path: the file to write, whose ending is one of plots.FORMATS.
      names: list of G names of groups, top to bottom.
      series: dictionary from the name of a bar within each group to (values [G], errors [G] or None).
      label: of the values.
      width: of the figure, in inches; None for the usual one.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    thickness = 0.8 / len(series)
    names = plots.names_beside(names, LETTER_WIDTH, width)
    left = LETTER_WIDTH * max(len(name) for name in names) + 0.2
    bars_width = BARS_WIDTH if width is None else width - left - 0.2
    # As many names beside each other as there is room for.
    fitting = int(min(bars_width + left - 0.2, BARS_WIDTH) / (0.55 + LETTER_WIDTH * max(map(len, series))))
    columns = min(len(series), LEGEND_COLUMNS, max(fitting, 1))
    # Above the bars the legend has a line of its own for every few series.
    top = 0.35 + 0.18 * ((len(series) - 1) // columns)
    bars_height = 0.05 + len(names) * max(min(0.17 * len(series), MOST_HEIGHT / len(names)), 0.24)
    # In one column a label is broken into lines.
    label_lines = textwrap.wrap(label, int((left + bars_width) / 0.07))
    below = 0.36 + 0.14 * len(label_lines)
    width, height = left + bars_width + 0.2, below + bars_height + top
    figure = plots.new_figure(width, height)
    axes = figure.add_axes([left / width, below / height, bars_width / width, bars_height / height])
    places = np.arange(len(names))
    for number, (name, (values, errors)) in enumerate(series.items()):
        axes.barh(
            places + (number - (len(series) - 1) / 2) * thickness,
            values,
            thickness,
            xerr=errors,
            label=name,
            color=BAR_COLOURS[number % len(BAR_COLOURS)],
            error_kw={"linewidth": 0.8, "ecolor": "0.25"},
        )
    axes.set_yticks(places)
    axes.set_yticklabels(names, fontsize=8)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=max(int(bars_width / 0.5), 2))
    figure.text(0.5, 0.08 / height, "\n".join(label_lines), fontsize=9 if width > NARROW else 8, ha="center")
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    plots.hide_spines(axes, ("right", "top"))
    figure.legend(
        loc="upper center",
        bbox_to_anchor=((left + bars_width / 2) / width if width > NARROW else 0.5, 1.0),
        ncol=columns,
        fontsize=8 if width > NARROW else 7,
        frameon=False,
    )
    plots.save_figure(figure, path)
