"""Figures of compare.py: curves, bars and distributions, a grid of coloured clouds. All are PNG files."""

from typing import NamedTuple

import numpy as np

from utils.explain.methods import METHODS
from utils.pictures import plots

# Told apart without colour vision (Okabe and Ito); of bars that are not of methods.
BAR_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#B8A800")
# Of methods that this version does not know, which rows of another one may hold.
UNKNOWN_COLOUR, UNKNOWN_MARKERS = "0.3", "*hdp"
LEGEND_COLUMNS = 4
CELL_WIDTH, NAME_WIDTH, TITLE_HEIGHT = 1.15, 0.95, 0.3  # inches of the grid
LETTER_WIDTH = 0.075  # inches at 8 points, at most


class Style(NamedTuple):
    """How the curve of a method looks.

    Attributes:
      colour, marker, line: as matplotlib names them.
    """

    colour: str
    marker: str
    line: str


def styles(methods):
    """The Style of each of some methods (names): a dictionary. Each is the same in every figure."""
    found, num_unknown = {}, 0
    for name in methods:
        if name in METHODS:
            method = METHODS[name]
            found[name] = Style(method.colour, method.marker, "--" if method.is_baseline else "-")
        else:
            found[name] = Style(UNKNOWN_COLOUR, UNKNOWN_MARKERS[num_unknown % len(UNKNOWN_MARKERS)], ":")
            num_unknown += 1
    return found


def save_curves(path, places, panels, xlabel, is_log=False):
    """Writes panels side by side, each with one curve a method: means with a band of one standard error.

    Args:
      path: the PNG file to write.
      places: list of S numbers, or of S names to set at equal distances.
      panels: dictionary from the label of the vertical axis to {method: (means [S], errors [S])}.
      xlabel: label of the horizontal axis.
      is_log: whether that axis is logarithmic.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    is_named = isinstance(places[0], str)
    across = np.arange(len(places)) if is_named else np.asarray(places)
    figure = plots.new_figure(0.6 + 3.6 * len(panels) + 1.6, 3.3 + 0.5 * is_named)
    grid = figure.add_gridspec(
        1,
        len(panels),
        left=0.6 / figure.get_figwidth(),
        right=1 - 1.65 / figure.get_figwidth(),
        bottom=0.3 if is_named else 0.15,
        top=0.96,
        wspace=0.22,
    )
    for number, (label, curves) in enumerate(panels.items()):
        axes = figure.add_subplot(grid[number])
        looks = styles(curves)
        for method, (means, errors) in curves.items():
            colour, marker, line = looks[method]
            axes.plot(
                across,
                means,
                color=colour,
                marker=marker,
                markersize=3.5,
                linewidth=1.3,
                label=method,
                linestyle=line,
                zorder=3,
            )
            axes.fill_between(across, means - errors, means + errors, color=colour, alpha=0.18, linewidth=0)
        least = min(np.nanmin(means - np.nan_to_num(errors)) for means, errors in curves.values())
        axes.set(xlabel=xlabel, ylabel=label, ylim=(np.floor(10 * least) / 10, 1.02))
        if is_named:
            axes.set_xticks(across)
            axes.set_xticklabels(places, rotation=45, ha="right", rotation_mode="anchor")
        if is_log:
            axes.set_xscale("log")
            ticks = [place for place in places if place & (place - 1) == 0] or places[::3]
            axes.set_xticks(ticks)
            axes.set_xticklabels([str(tick) for tick in ticks])
            axes.minorticks_off()
        axes.tick_params(labelsize=8)
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
        plots.hide_spines(axes, ("right", "top"))
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8, frameon=False)
    plots.save_figure(figure, path)


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
    columns = min(len(series), LEGEND_COLUMNS)
    # Above the bars the legend has a line of its own for every few series.
    top = 0.35 + 0.18 * ((len(series) - 1) // columns)
    bars_height = 0.05 + len(names) * max(0.17 * len(series), 0.24)
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


def save_grid(path, row_names, column_names, rows, colours, label):
    """Writes clouds in rows and columns.

    Args:
      path: the PNG file to write.
      row_names, column_names: lists of R and C names.
      rows: R lists of C (plots.Spheres, window); the windows of a row are the same.
      colours: float array [K, 3], of a colour bar from the least to the greatest heat.
      label: what is beside the bar.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    heights = []
    for (_, (left, right, bottom, top)), *_others in rows:
        heights.append(CELL_WIDTH * min((top - bottom) / (right - left), 1.4))
    name_width = max(NAME_WIDTH, 0.1 + LETTER_WIDTH * max(len(name) for name in row_names))
    # Of few columns, the words beside the colour bar are the widest.
    width = name_width + max(CELL_WIDTH * len(column_names), 1.35 + 0.052 * len(label))
    height = 2 * TITLE_HEIGHT + sum(heights)
    figure = plots.new_figure(width, height)
    for column, name in enumerate(column_names):
        figure.text(
            (name_width + CELL_WIDTH * (column + 0.5)) / width,
            1 - TITLE_HEIGHT / 2 / height,
            name,
            fontsize=6.5,
            ha="center",
            va="center",
        )
    top_edge = height - TITLE_HEIGHT
    for name, row, row_height in zip(row_names, rows, heights):
        figure.text(0.05 / width, (top_edge - row_height / 2) / height, plots.literal(name), fontsize=8, va="center")
        for column, (spheres, window) in enumerate(row):
            axes = figure.add_axes(
                [
                    (name_width + CELL_WIDTH * (column + 0.03)) / width,
                    (top_edge - 0.97 * row_height) / height,
                    0.94 * CELL_WIDTH / width,
                    0.94 * row_height / height,
                ]
            )
            axes.set(xlim=window[:2], ylim=window[2:])
            axes.set_aspect("equal")
            axes.axis("off")
            plots.draw_spheres(axes, spheres)
        top_edge -= row_height
    bar = figure.add_axes([name_width / width, 0.1 / height, 1.2 / width, 0.1 / height])
    bar.imshow(colours[np.newaxis], aspect="auto", interpolation="nearest")
    bar.axis("off")
    figure.text((name_width + 1.3) / width, 0.15 / height, label, fontsize=6.5, va="center")
    plots.save_figure(figure, path)


def save_distributions(path, values, is_counted, limit, label, left_out):
    """Writes how values are spread, a row for each method: every cloud a dot, a box from quartile to quartile.

    Args:
      path: the PNG file to write.
      values: dictionary from method to float array [clouds], top to bottom.
      is_counted: bool array [clouds], those that the boxes are of; the others are hollow dots.
      limit: the greatest value that there can be.
      label: of the values.
      left_out: what the hollow dots are, for the legend.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    looks = styles(values)
    left = LETTER_WIDTH * max(len(name) for name in values) + 0.2
    rows_height = 0.1 + 0.42 * len(values)
    width, height = left + 5.2, 0.5 + rows_height + 0.3
    figure = plots.new_figure(width, height)
    axes = figure.add_axes([left / width, 0.5 / height, 5.0 / width, rows_height / height])
    heights = 0.6 * _spread(len(is_counted)) if len(is_counted) > 1 else np.zeros(1)
    for place, (name, found) in enumerate(values.items()):
        colour = looks[name].colour
        counted = found[is_counted]
        if len(counted):
            low, middle, high = np.percentile(counted, [25, 50, 75])
            axes.barh(place, high - low, 0.72, low, color=colour, alpha=0.22, linewidth=0)
            axes.plot([middle, middle], [place - 0.36, place + 0.36], color=colour, linewidth=2, zorder=3)
        for members, face in ((is_counted, colour), (~is_counted, "none")):
            # Dots of no cloud would be one in the figure's corner.
            if members.any():
                axes.scatter(
                    found[members],
                    place + heights[members],
                    s=9,
                    facecolors=face,
                    edgecolors=colour,
                    linewidths=0.6,
                    alpha=0.75,
                    clip_on=False,
                    zorder=4,
                )
    _add_distribution_legend(axes, left_out if not is_counted.all() else None)
    axes.set_yticks(np.arange(len(values)))
    axes.set_yticklabels(list(values), fontsize=8)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_xlim(0, limit)
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(label, fontsize=9)
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    plots.hide_spines(axes, ("right", "top", "left"))
    plots.save_figure(figure, path)


def _add_distribution_legend(axes, left_out):
    """Says what dots, boxes and, unless None, hollow dots are."""
    dot = {"s": 9, "linewidths": 0.6, "edgecolors": "0.3"}
    axes.scatter([], [], facecolors="0.3", label="a cloud", **dot)
    if left_out is not None:
        axes.scatter([], [], facecolors="none", label=left_out, **dot)
    axes.barh([0], [0], color="0.3", alpha=0.22, label="middle half of the clouds")
    axes.plot([], [], color="0.3", linewidth=2, label="median")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=LEGEND_COLUMNS, fontsize=7, frameon=False)


def _spread(count):
    """Heights within a row in -0.5..0.5, so that dots of like values stand apart: float array [count].

    They are the fractional parts of multiples of the golden ratio: neighbours in the order of the clouds are far apart.
    """
    return (np.arange(count) * (5**0.5 - 1) / 2 + 0.5) % 1 - 0.5
