"""The figure of how values are spread over clouds, method by method, those that are no numbers apart."""

import numpy as np

from utils.compare import styles
from utils.pictures import plots

LETTER_WIDTH = 0.07  # inches at 8 points, at most
ROWS_WIDTH = 5.0  # inches of all panels
BETWEEN, BELOW, TITLE_HEIGHT, LEGEND_HEIGHT = 0.25, 0.5, 0.2, 0.2  # inches
LEAST_PANEL = 1.2  # inches; of narrower ones, panels stand one below the other
LIMIT_WORDS = "never lost"
DOT, SPREAD = 9, 0.6  # area of a mark in square points; share of a row that the marks take


def save(path, panels, is_counted, limit, label, left_out, width=None):
    """Writes how values are spread, a row for each method: its clouds sorted, a box from quartile to quartile.

    A cloud whose object is lost is a dot at its number; one whose object never is, an open triangle where the dropping
    ended; one that does not count, a grey cross.

    Args:
      path: the file to write, whose ending is one of plots.FORMATS.
      panels: dictionary from a title to {method: (float array [clouds], bool array [clouds] of those that are lost)},
        side by side; the methods of the first, top to bottom, are those of all.
      is_counted: bool array [clouds], those that the boxes are of.
      limit: the greatest value that there can be.
      label: of the values.
      left_out: what the crosses are, for the legend.
      width: of the figure, in inches; None for the usual one.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    methods, count = list(next(iter(panels.values()))), len(panels)
    names = plots.names_beside(methods, LETTER_WIDTH, width)
    left = LETTER_WIDTH * max(map(len, names)) + 0.2
    rows_width = ROWS_WIDTH if width is None else width - left - 0.2
    across = count if rows_width / count >= LEAST_PANEL else 1
    down = count // across
    panel_width = (rows_width - (across - 1) * BETWEEN) / across
    rows_height = 0.1 + max(0.42 - 0.01 * len(methods), 0.3) * len(methods)
    title_height = TITLE_HEIGHT * (count > 1)
    width = left + rows_width + 0.2
    entries = _entries(panels, is_counted, left_out)
    columns = max(int(width / 1.6), 1)
    legend_height = LEGEND_HEIGHT * -(-len(entries) // columns) + 0.1
    step = rows_height + title_height + BETWEEN
    height = BELOW + down * step - BETWEEN + legend_height
    figure = plots.new_figure(width, height)
    looks = styles.of(methods)
    for number, (title, values) in enumerate(panels.items()):
        row, column = divmod(number, across)
        bottom = BELOW + (down - 1 - row) * step
        corner = [(left + column * (panel_width + BETWEEN)) / width, bottom / height]
        axes = figure.add_axes(corner + [panel_width / width, rows_height / height])
        _draw(axes, [values[method] for method in methods], is_counted, looks.values())
        axes.set_yticks(np.arange(len(methods)))
        axes.set_yticklabels(names if column == 0 else [], fontsize=8)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.set_xlim(0, limit)
        axes.locator_params(axis="x", nbins=max(int(panel_width / 0.55), 3), integer=True)
        axes.tick_params(axis="x", labelsize=8)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)
        plots.hide_spines(axes, ("right", "top", "left"))
        if count > 1:
            axes.set_title(title, fontsize=8)
    figure.text((left + rows_width / 2) / width, 0.1 / height, label, fontsize=8, ha="center")
    legend = figure.add_axes([0.05 / width, 1 - legend_height / height, 1 - 0.1 / width, legend_height / height])
    legend.axis("off")
    for draw in entries:
        draw(legend)
    legend.legend(loc="center", ncol=columns, fontsize=7, frameon=False, handletextpad=0.4, columnspacing=1.2)
    plots.save_figure(figure, path)


def _draw(axes, rows, is_counted, looks):
    """Draws marks and boxes of a list of (values, is_lost), one row below the other, in the colours of their Styles."""
    for place, ((values, is_lost), look) in enumerate(zip(rows, looks)):
        counted = values[is_counted]
        if len(counted):
            low, middle, high = np.percentile(counted, [25, 50, 75])
            axes.barh(place, high - low, 0.72, low, color=look.colour, alpha=0.22, linewidth=0)
            axes.plot([middle, middle], [place - 0.36, place + 0.36], color=look.colour, linewidth=2, zorder=3)
        # Sorted, the least on top; those that do not count have no place among the numbers.
        order = np.lexsort([values, ~is_counted])
        heights = np.empty(len(values))
        heights[order] = place + SPREAD * ((np.arange(len(values)) + 0.5) / len(values) - 0.5)
        for members, options in (
            (is_counted & is_lost, {"marker": "o", "facecolors": look.colour, "edgecolors": look.colour}),
            (is_counted & ~is_lost, {"marker": ">", "facecolors": "white", "edgecolors": look.colour, "s": 2 * DOT}),
            (~is_counted, {"marker": "x", "color": "0.6"}),
        ):
            # Marks of no cloud would be one in the figure's corner.
            if members.any():
                options = dict({"s": DOT, "linewidths": 0.6, "clip_on": False, "zorder": 4}, **options)
                axes.scatter(values[members], heights[members], **options)


def _entries(panels, is_counted, left_out):
    """What the legend says, of what there is: list of functions of its axes."""
    is_lost = np.array([lost for values in panels.values() for _, lost in values.values()])
    mark = {"s": DOT, "linewidths": 0.6}
    entries = [lambda axes: axes.scatter([], [], marker="o", color="0.3", label="a cloud, lost", **mark)]
    if (is_counted & ~is_lost).any():
        entries.append(
            lambda axes: axes.scatter(
                [], [], marker=">", facecolors="white", edgecolors="0.3", label=LIMIT_WORDS, **mark
            )
        )
    if not is_counted.all():
        entries.append(lambda axes: axes.scatter([], [], marker="x", color="0.6", label=left_out, **mark))
    entries.append(lambda axes: axes.barh([0], [0], color="0.3", alpha=0.22, label="middle half"))
    entries.append(lambda axes: axes.plot([], [], color="0.3", linewidth=2, label="median"))
    return entries
