"""Figures of compare.py: curves and bars with standard errors, a grid of coloured clouds. All are PNG files."""

import numpy as np

from utils.explain import heat
from utils.pictures import plots

# Told apart without colour vision (Okabe and Ito), and by their markers in black and white.
STYLES = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "v"),
    ("#E69F00", "D"),
    ("#56B4E9", "P"),
    ("#000000", "X"),
    ("#B8A800", "<"),
)
BASELINE = "random"
BASELINE_STYLE = ("0.55", "")
LEGEND_COLUMNS = 4
CELL_WIDTH, NAME_WIDTH, TITLE_HEIGHT = 1.15, 0.95, 0.3  # inches of the grid


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
        for method, (means, errors) in curves.items():
            colour, marker = _style(method)
            axes.plot(
                across,
                means,
                color=colour,
                marker=marker,
                markersize=3.5,
                linewidth=1.3,
                label=method,
                linestyle="--" if method == BASELINE else "-",
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
        colour = _style(name)[0] if name in heat.METHODS else STYLES[number][0]
        axes.barh(
            places + (number - (len(series) - 1) / 2) * thickness,
            values,
            thickness,
            xerr=errors,
            label=name,
            color=colour,
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
    # Of few columns, the words beside the colour bar are the widest.
    width = max(NAME_WIDTH + CELL_WIDTH * len(column_names), NAME_WIDTH + 1.35 + 0.052 * len(label))
    height = 2 * TITLE_HEIGHT + sum(heights)
    figure = plots.new_figure(width, height)
    for column, name in enumerate(column_names):
        figure.text(
            (NAME_WIDTH + CELL_WIDTH * (column + 0.5)) / width,
            1 - TITLE_HEIGHT / 2 / height,
            name,
            fontsize=6.5,
            ha="center",
            va="center",
        )
    top_edge = height - TITLE_HEIGHT
    for name, row, row_height in zip(row_names, rows, heights):
        figure.text(0.05 / width, (top_edge - row_height / 2) / height, name, fontsize=8, va="center")
        for column, (spheres, window) in enumerate(row):
            axes = figure.add_axes(
                [
                    (NAME_WIDTH + CELL_WIDTH * (column + 0.03)) / width,
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
    bar = figure.add_axes([NAME_WIDTH / width, 0.1 / height, 1.2 / width, 0.1 / height])
    bar.imshow(colours[np.newaxis], aspect="auto", interpolation="nearest")
    bar.axis("off")
    figure.text((NAME_WIDTH + 1.3) / width, 0.15 / height, label, fontsize=6.5, va="center")
    plots.save_figure(figure, path)


def _style(method):
    """Colour and marker of a method, the same in every figure."""
    if method == BASELINE:
        return BASELINE_STYLE
    return STYLES[[name for name in heat.METHODS if name != BASELINE].index(method)]
