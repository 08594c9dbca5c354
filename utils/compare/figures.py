"""Figures of compare.py: curves with names at their ends, bars and distributions. All are PNG files."""

import textwrap

import numpy as np

from utils.compare import styles
from utils.pictures import plots

# Told apart without colour vision (Okabe and Ito); of bars that are not of methods.
BAR_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#B8A800")
LEGEND_COLUMNS = 4
LETTER_WIDTH = 0.075  # inches at 8 points, at most
# Inches: of a panel of curves, of what is left and right of it, below all panels, and between the names of two curves.
PANEL_WIDTH, PANEL_HEIGHT, LEFT, ABOVE, BELOW, BETWEEN, GAP = 4.0, 2.5, 0.62, 0.1, 0.5, 0.3, 0.14
LEADER, SAMPLE = 0.3, 0.3  # inches from a curve's end to the sample beside its name, and of this
MOST_HEIGHT = 7.0  # inches of all bars, unless these become too thin
MARKED_PLACES = 11  # of a curve, at most some more


def save_curves(path, places, panels, xlabel, is_log=False):
    """Writes panels one below the other, each with one curve a method: means with a band of one standard error.

    The best methods have colours, markers and line styles of their own, and names at their ends; all others are thin
    and grey, and named below the panels.

    Args:
      path: the PNG file to write.
      places: list of S numbers, or of S names to set at equal distances.
      panels: dictionary from the label of the vertical axis to {method: (means [S], errors [S])}, the best first.
      xlabel: label of the horizontal axis.
      is_log: whether that axis is logarithmic.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    is_named = isinstance(places[0], str)
    across = np.arange(len(places)) if is_named else np.asarray(places)
    methods = list(dict.fromkeys(method for curves in panels.values() for method in curves))
    shown = styles.coloured(methods)
    looks = styles.of(shown)
    others = [method for method in methods if method not in looks]
    right = LEADER + SAMPLE + 0.15 + LETTER_WIDTH * max(map(len, shown))
    width = LEFT + PANEL_WIDTH + right
    words = textwrap.wrap("others, thin and grey: " + ", ".join(others), int(width / 0.055)) if others else []
    # Names of places stand at 45 degrees.
    below = (0.4 + 0.7 * LETTER_WIDTH * max(map(len, places)) if is_named else BELOW) + 0.14 * len(words)
    height = ABOVE + len(panels) * PANEL_HEIGHT + (len(panels) - 1) * BETWEEN + below
    figure = plots.new_figure(width, height)
    for number, (label, curves) in enumerate(panels.items()):
        bottom = height - ABOVE - (number + 1) * PANEL_HEIGHT - number * BETWEEN
        axes = figure.add_axes([LEFT / width, bottom / height, PANEL_WIDTH / width, PANEL_HEIGHT / height])
        _draw_curves(axes, across, curves, looks)
        axes.set_ylabel(label, fontsize=9)
        _mark_places(axes, across, places if is_named else None, is_log)
        if number < len(panels) - 1:
            axes.set_xticklabels([])
        _name_ends(axes, across, curves, looks)
    axes.set_xlabel(xlabel, fontsize=9)
    if words:
        figure.text(0.1 / width, 0.06 / height, "\n".join(words), fontsize=7, color=plots.CAPTION_COLOUR, va="bottom")
    plots.save_figure(figure, path)


def _draw_curves(axes, across, curves, looks):
    """Draws curves, a dictionary as of `save_curves`, at places [S]: those with a look over the others."""
    least, greatest = 1.0, 1.0
    for place, (method, (means, errors)) in enumerate(curves.items()):
        means, errors = np.asarray(means, float), np.nan_to_num(np.asarray(errors, float))
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
        axes.fill_between(across, means - errors, means + errors, color=look.colour, alpha=0.15, linewidth=0, zorder=3)
    bottom = min(np.floor(10 * least) / 10, 0.9)
    axes.set_ylim(bottom, greatest + 0.02 * (greatest - bottom))


def _mark_places(axes, across, names, is_log):
    """Sets the horizontal axis of curves at places [S], which may have names."""
    if names is not None:
        axes.set_xticks(across)
        axes.set_xticklabels(names, rotation=45, ha="right", rotation_mode="anchor")
    if is_log:
        axes.set_xscale("log")
        ticks = [place for place in across if place & (place - 1) == 0] or across[::3]
        axes.set_xticks(ticks)
        axes.set_xticklabels([str(tick) for tick in ticks])
        axes.minorticks_off()
    axes.tick_params(labelsize=8)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    plots.hide_spines(axes, ("right", "top"))


def _name_ends(axes, across, curves, looks):
    """Writes the names of the curves with a look beside their ends, none over another, each with a sample."""
    low, high = axes.get_ylim()
    ends = {}
    for method, (means, _) in curves.items():
        there = np.flatnonzero(np.isfinite(means))
        if method in looks and len(there):
            ends[method] = (means[there[-1]] - low) / (high - low)
    # Curves that end in one point are named in the order in which they came there.
    order = sorted(ends, key=lambda method: (round(ends[method], 2), np.nanmean(curves[method][0])))
    gap = GAP / PANEL_HEIGHT
    heights = plots.spread([ends[method] for method in order], gap, 0.0, max(1.0, gap * (len(order) - 1)))
    start = axes.transAxes.inverted().transform(axes.transData.transform((across[-1], low)))[0]
    before, after = (1 + inches / PANEL_WIDTH for inches in (LEADER, LEADER + SAMPLE))
    beside = {"transform": axes.transAxes, "clip_on": False}
    for method, height in zip(order, heights):
        look = looks[method]
        leader = [start + 0.015, 1 + 0.3 * LEADER / PANEL_WIDTH, before - 0.15 * LEADER / PANEL_WIDTH]
        axes.plot(leader, [ends[method], ends[method], height], color=look.colour, linewidth=0.5, **beside)
        middle = (before + after) / 2
        axes.plot([before, middle, after], [height] * 3, **look.options(), markevery=[1], **beside)
        axes.text(after + 0.015, height, method, fontsize=8, va="center", transform=axes.transAxes)


def save_bars(path, names, series, label):
    """Writes horizontal bars in groups, with standard errors.

    Args:
      path: the PNG file to write.
      names: list of G names of groups, top to bottom.
      series: dictionary from the name of a bar within each group to (values [G], errors [G] or None).
      label: of the values.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    thickness = 0.8 / len(series)
    left = 0.075 * max(len(name) for name in names) + 0.2
    # As many names beside each other as there is room for.
    fitting = int(5.0 / (0.55 + LETTER_WIDTH * max(map(len, series))))
    columns = min(len(series), LEGEND_COLUMNS, max(fitting, 1))
    # Above the bars the legend has a line of its own for every few series.
    top = 0.35 + 0.18 * ((len(series) - 1) // columns)
    bars_height = 0.05 + len(names) * max(min(0.17 * len(series), MOST_HEIGHT / len(names)), 0.24)
    width, height = left + 5.2, 0.5 + bars_height + top
    figure = plots.new_figure(width, height)
    axes = figure.add_axes([left / width, 0.5 / height, 5.0 / width, bars_height / height])
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
    axes.set_xlabel(label, fontsize=9)
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    plots.hide_spines(axes, ("right", "top"))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=columns, fontsize=8, frameon=False)
    plots.save_figure(figure, path)


def save_distributions(path, panels, is_counted, limit, label, left_out):
    """Writes how values are spread, a row for each method: every cloud a dot, a box from quartile to quartile.

    Args:
      path: the PNG file to write.
      panels: dictionary from a title to {method: float array [clouds]}, side by side; the methods of the first, top to
        bottom, are those of all.
      is_counted: bool array [clouds], those that the boxes are of; the others are hollow dots.
      limit: the greatest value that there can be.
      label: of the values.
      left_out: what the hollow dots are, for the legend.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    methods = list(next(iter(panels.values())))
    left = LETTER_WIDTH * max(map(len, methods)) + 0.2
    panel_width = 5.0 / len(panels) - 0.25 * (len(panels) > 1)
    rows_height = 0.1 + max(0.42 - 0.01 * len(methods), 0.3) * len(methods)
    above = 0.3 + 0.2 * (len(panels) > 1)
    width, height = left + 5.2, 0.5 + rows_height + above
    figure = plots.new_figure(width, height)
    looks = styles.of(methods)
    for number, (title, values) in enumerate(panels.items()):
        axes = figure.add_axes(
            [(left + 5.0 / len(panels) * number) / width, 0.5 / height, panel_width / width, rows_height / height]
        )
        _draw_distributions(axes, [values[method] for method in methods], is_counted, looks.values())
        axes.set_yticks(np.arange(len(methods)))
        axes.set_yticklabels(methods if number == 0 else [], fontsize=8)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.set_xlim(0, limit)
        axes.locator_params(axis="x", nbins=max(9 // len(panels), 3), integer=True)
        axes.tick_params(axis="x", labelsize=8)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)
        plots.hide_spines(axes, ("right", "top", "left"))
        if len(panels) > 1:
            axes.set_title(title, fontsize=8)
    figure.text((left + 2.5) / width, 0.1 / height, label, fontsize=9, ha="center")
    legend_axes = figure.add_axes([left / width, (height - 0.3) / height, 5.0 / width, 0.25 / height])
    _add_distribution_legend(legend_axes, left_out if not is_counted.all() else None)
    plots.save_figure(figure, path)


def _draw_distributions(axes, values, is_counted, looks):
    """Draws dots and boxes of a list of float arrays [clouds], one above the other, in the colours of their Styles."""
    heights = 0.6 * _spread(len(is_counted)) if len(is_counted) > 1 else np.zeros(1)
    for place, (found, look) in enumerate(zip(values, looks)):
        counted = found[is_counted]
        if len(counted):
            low, middle, high = np.percentile(counted, [25, 50, 75])
            axes.barh(place, high - low, 0.72, low, color=look.colour, alpha=0.22, linewidth=0)
            axes.plot([middle, middle], [place - 0.36, place + 0.36], color=look.colour, linewidth=2, zorder=3)
        for members, face in ((is_counted, look.colour), (~is_counted, "none")):
            # Dots of no cloud would be one in the figure's corner.
            if members.any():
                axes.scatter(
                    found[members],
                    place + heights[members],
                    s=9,
                    facecolors=face,
                    edgecolors=look.colour,
                    linewidths=0.6,
                    alpha=0.75,
                    clip_on=False,
                    zorder=4,
                )


def _add_distribution_legend(axes, left_out):
    """Says what dots, boxes and, unless None, hollow dots are."""
    dot = {"s": 9, "linewidths": 0.6, "edgecolors": "0.3"}
    axes.scatter([], [], facecolors="0.3", label="a cloud", **dot)
    if left_out is not None:
        axes.scatter([], [], facecolors="none", label=left_out, **dot)
    axes.barh([0], [0], color="0.3", alpha=0.22, label="middle half of the clouds")
    axes.plot([], [], color="0.3", linewidth=2, label="median")
    axes.axis("off")
    axes.legend(loc="center", ncol=LEGEND_COLUMNS, fontsize=7, frameon=False)


def _spread(count):
    """Heights within a row in -0.5..0.5, so that dots of like values stand apart: float array [count].

    They are the fractional parts of multiples of the golden ratio: neighbours in the order of the clouds are far apart.
    """
    return (np.arange(count) * (5**0.5 - 1) / 2 + 0.5) % 1 - 0.5
