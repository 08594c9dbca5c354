"""The figure of clouds coloured by their heat, method by method."""

from typing import NamedTuple, Tuple

import numpy as np

from utils.pictures import heat_figure, plots

CELL_WIDTH, NAME_WIDTH, TITLE_HEIGHT, BETWEEN = 1.0, 0.95, 0.3, 0.15  # inches
LETTER_WIDTH = 0.075  # inches at 8 points, at most
LEAST_CELL = 0.78  # inches: a method's name has room
BAR_WIDTH = 1.2  # inches
MOST_COLUMNS, MOST_ROWS = 8, 8  # on a page
ROW_NAMES_SHARE = 0.35  # of a page of given width, that names of rows can take


class Cell(NamedTuple):
    """One cloud.

    Attributes:
      spheres: plots.Spheres.
      window: (left, right, bottom, top) that shows them; that of all cells in a row.
      note: text over them; empty for none.
    """

    spheres: plots.Spheres
    window: Tuple[float, float, float, float]
    note: str = ""


def num_bands(num_columns, width=None):
    """In how many bands, one below the other, so many columns stand, on a width in inches or the usual one."""
    fitting = MOST_COLUMNS if width is None else min(int((width - NAME_WIDTH) / LEAST_CELL), MOST_COLUMNS)
    return -(-num_columns // max(fitting, 1))


def num_rows(num_columns, width=None):
    """How many rows of so many columns a page takes, 2 to 6."""
    return int(np.clip(MOST_ROWS // num_bands(num_columns, width), 2, 6))


def save_grid(path, row_names, column_names, rows, bar, width=None):
    """Writes clouds in rows and columns; where the columns are too many for a page, in bands of some of them.

    Args:
      path: the file to write, whose ending is one of plots.FORMATS.
      row_names, column_names: lists of R and C names; those of columns may be of several lines.
      rows: R lists of C Cell.
      bar: the colours.ColourBar of all cells.
      width: of the figure, in inches; None for the usual one.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    if width is not None:
        room = max(NAME_WIDTH, ROW_NAMES_SHARE * width) - 0.1
        row_names = [plots.shortened(name, LETTER_WIDTH, room) for name in row_names]
    name_width = max(NAME_WIDTH, 0.1 + LETTER_WIDTH * max(len(name) for name in row_names))
    bands = np.array_split(np.arange(len(column_names)), num_bands(len(column_names), width))
    cell_width = CELL_WIDTH if width is None else min((width - name_width - 0.05) / len(bands[0]), 1.5 * CELL_WIDTH)
    heights = []
    for first, *_others in rows:
        left, right, bottom, top = first.window
        heights.append(cell_width * min((top - bottom) / (right - left), 1.4))
    # Of few columns, the colour bar and its words are the widest.
    width = name_width + max(cell_width * len(bands[0]), 2.2) if width is None else width
    label = plots.wrapped(bar.label, width - 0.2, plots.LEAST_TEXT)
    below = 0.35 + 0.13 * len(label)
    titles = [_title(name, cell_width) for name in column_names]
    title_height = max([TITLE_HEIGHT] + [0.06 + 0.12 * (1 + title.count("\n")) for title in titles])
    band_height = title_height + sum(heights) + BETWEEN
    height = len(bands) * band_height - BETWEEN + below
    figure = plots.new_figure(width, height)
    for number, columns in enumerate(bands):
        top_edge = height - number * band_height
        for place, column in enumerate(columns):
            figure.text(
                (name_width + cell_width * (place + 0.5)) / width,
                (top_edge - title_height / 2) / height,
                titles[column],
                fontsize=7,
                ha="center",
                va="center",
                linespacing=0.95,
            )
        top_edge -= title_height
        for name, row, row_height in zip(row_names, rows, heights):
            middle = (top_edge - row_height / 2) / height
            figure.text(0.05 / width, middle, plots.literal(name), fontsize=8, va="center")
            for place, column in enumerate(columns):
                left = name_width + cell_width * (place + 0.03)
                corner = [left / width, (top_edge - 0.97 * row_height) / height]
                axes = figure.add_axes(corner + [0.94 * cell_width / width, 0.94 * row_height / height])
                cell = row[column]
                axes.set(xlim=cell.window[:2], ylim=cell.window[2:])
                axes.set_aspect("equal")
                axes.axis("off")
                plots.draw_spheres(axes, cell.spheres)
                if cell.note:
                    axes.text(
                        0.5,
                        0.5,
                        cell.note,
                        transform=axes.transAxes,
                        fontsize=plots.LEAST_TEXT,
                        color=plots.CAPTION_COLOUR,
                        ha="center",
                        va="center",
                        bbox={"color": "white", "alpha": 0.8, "pad": 0.5},
                    )
            top_edge -= row_height
    heat_figure.draw_colour_bar(figure, bar, 0.5 * width - 0.75 * BAR_WIDTH, 1.5 * BAR_WIDTH, below - 0.15)
    figure.text(
        0.5,
        (below - 0.35) / height,
        "\n".join(label),
        fontsize=plots.LEAST_TEXT,
        ha="center",
        va="top",
        linespacing=1.2,
    )
    plots.save_figure(figure, path)


def _title(name, width):
    """A name of a column in lines that fit a width in inches, as matplotlib takes it."""
    first, *others = name.split("\n")
    lines = [line for other in others for line in plots.wrapped(other, 0.94 * width, plots.LEAST_TEXT)]
    return plots.literal("\n".join([_in_two_lines(first, width)] + lines))


def _in_two_lines(name, width):
    """A name, which goes on in a second line behind the hyphen nearest to its middle where it is wider than `width`.

    What is too long for a line even so is cut.
    """
    letter_width, lines = LETTER_WIDTH * 7 / 8, [name]
    if len(name) * letter_width > 0.94 * width and "-" in name:
        place = min((at for at, one in enumerate(name) if one == "-"), key=lambda at: abs(at - len(name) / 2))
        lines = [name[: place + 1], name[place + 1 :]]
    return "\n".join(plots.shortened(line, letter_width, width) for line in lines)
