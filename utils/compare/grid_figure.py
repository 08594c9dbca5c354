"""The figure of clouds coloured by their heat, method by method. A PNG file."""

import numpy as np

from utils.pictures import plots

CELL_WIDTH, NAME_WIDTH, TITLE_HEIGHT, BETWEEN = 1.0, 0.95, 0.3, 0.15  # inches
LETTER_WIDTH = 0.075  # inches at 8 points, at most
MOST_COLUMNS, MOST_ROWS = 8, 8  # on a page


def num_bands(num_columns):
    """In how many bands, one below the other, so many columns stand."""
    return -(-num_columns // MOST_COLUMNS)


def num_rows(num_columns):
    """How many rows of so many columns a page takes, 2 to 6."""
    return int(np.clip(MOST_ROWS // num_bands(num_columns), 2, 6))


def save_grid(path, row_names, column_names, rows, colours, label):
    """Writes clouds in rows and columns; where the columns are too many for a page, in bands of some of them.

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
    bands = np.array_split(np.arange(len(column_names)), num_bands(len(column_names)))
    # Of few columns, the words beside the colour bar are the widest.
    width = name_width + max(CELL_WIDTH * len(bands[0]), 1.35 + 0.052 * len(label))
    band_height = TITLE_HEIGHT + sum(heights) + BETWEEN
    height = TITLE_HEIGHT + len(bands) * band_height - BETWEEN
    figure = plots.new_figure(width, height)
    for number, columns in enumerate(bands):
        top_edge = height - number * band_height
        for place, column in enumerate(columns):
            figure.text(
                (name_width + CELL_WIDTH * (place + 0.5)) / width,
                (top_edge - TITLE_HEIGHT / 2) / height,
                _in_two_lines(column_names[column]),
                fontsize=7,
                ha="center",
                va="center",
                linespacing=0.95,
            )
        top_edge -= TITLE_HEIGHT
        for name, row, row_height in zip(row_names, rows, heights):
            middle = (top_edge - row_height / 2) / height
            figure.text(0.05 / width, middle, plots.literal(name), fontsize=8, va="center")
            for place, column in enumerate(columns):
                left = name_width + CELL_WIDTH * (place + 0.03)
                corner = [left / width, (top_edge - 0.97 * row_height) / height]
                axes = figure.add_axes(corner + [0.94 * CELL_WIDTH / width, 0.94 * row_height / height])
                spheres, window = row[column]
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


def _in_two_lines(name):
    """A name, which goes on in a second line behind the hyphen nearest to its middle where it is too wide."""
    if len(name) * LETTER_WIDTH * 7 / 8 <= 0.94 * CELL_WIDTH or "-" not in name:
        return name
    place = min((at for at, one in enumerate(name) if one == "-"), key=lambda at: abs(at - len(name) / 2))
    return name[: place + 1] + "\n" + name[place + 1 :]
