"""Figures with matplotlib: what all of them share, accuracy over the rounds, a confusion matrix.

Every figure is an object of its own, drawn without pyplot, so that no window, back end or setting of matplotlib
is touched.
"""

import os
from typing import NamedTuple

import numpy as np

from utils import files

FORMATS = ("png", "pdf", "svg")  # by the ending of a figure's file
DOTS_PER_INCH = 300
FIGURE_WIDTHS = {"column": 3.46, "page": 7.09}  # inches: 8.8 and 18 cm, of papers in two columns
LEAST_TEXT = 7  # points
# Equal runs leave equal files: no date, and no random names of the parts of an SVG.
NO_DATE = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
HASH_SALT = {"svg.hashsalt": "pointcloud-grad-CAM"}
CAPTION_COLOUR = "0.4"
LIGHT = np.array([-0.36, 0.6, 0.714])  # unit vector towards the light: x right, y up, z out of the picture
CELL, MOST_CELLS = 0.22, 30.0  # inches: of a confusion matrix a cell, and at most all of them in a row


class Spheres(NamedTuple):
    """Spheres to draw one over the other, the first at the bottom.

    Attributes:
      centres: float array [N, 2].
      radii: float array [N], in the same unit.
      colours: float array [N, 3] in 0..1.
    """

    centres: np.ndarray
    radii: np.ndarray
    colours: np.ndarray


def shade(colours, normals):
    """Colours as lit on a surface: darker away from the light, with a glint, so that black spheres look round too.

    Args:
      colours: float array [..., 3] in 0..1.
      normals: unit vectors, x right, y up, z out of the picture: float array that broadcasts against colours.

    Returns:
      float array [..., 3] in 0..1.
    """
    facing = np.clip((normals * LIGHT).sum(axis=-1, keepdims=True), 0, 1)
    glint = 0.45 * facing**8
    return colours * (0.55 + 0.45 * facing) * (1 - glint) + glint


def draw_spheres(axes, spheres):
    """Draws Spheres in their order. Equal light lies on a circle about the light's direction: an ellipse, as seen."""
    from matplotlib.collections import EllipseCollection

    centres, radii, colours = spheres
    ellipses = [(2 * radii, 2 * radii, centres, shade(colours, LIGHT * np.cos(np.radians(78))))]
    for angle, angle_within in ((66, 56), (47, 38), (29, 22), (15, 8)):  # degrees between normal and light
        cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        ellipses.append(
            (
                2 * radii * sine * LIGHT[2],
                2 * radii * sine,
                centres + radii[:, None] * cosine * LIGHT[:2],
                shade(colours, LIGHT * np.cos(np.radians(angle_within))),
            )
        )
    # All ellipses of a sphere before those of the next one.
    widths, heights, middles, shaded = (
        np.stack(part, axis=1).reshape((-1,) + part[0].shape[1:]) for part in zip(*ellipses)
    )
    turn = np.degrees(np.arctan2(LIGHT[1], LIGHT[0]))
    collection = EllipseCollection(
        widths, heights, np.full(len(widths), turn), units="x", offsets=middles, facecolors=shaded, edgecolors="none"
    )
    collection.set_offset_transform(axes.transData)
    axes.add_collection(collection, autolim=False)


def save_rounds(path, points_left, accuracies, title, threshold=0.5):
    """Writes the curve of the dropping loop: accuracy over the points left, a marker for each round, left to right.

    Args:
      path: the file to write, whose ending is one of FORMATS.
      points_left: ints [R], points left in each round.
      accuracies: floats [R] in 0..1, share of rotations classified as the label; NaN where not measured.
      title: text above.
      threshold: accuracy at which the object counts as lost; drawn as a line.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    points_left, accuracies = np.asarray(points_left), np.asarray(accuracies, float)
    measured = np.isfinite(accuracies)
    figure = new_figure(4.6, 3.2)
    axes = figure.add_axes([0.13, 0.15, 0.83, 0.73])
    axes.axhline(threshold, color="0.5", linewidth=1, linestyle="--")
    axes.text(
        0.01,
        threshold + 0.015,
        "lost at {:g} or less".format(threshold),
        transform=axes.get_yaxis_transform(),
        fontsize=7,
        color=CAPTION_COLOUR,
    )
    many_rounds = len(points_left) > 40
    axes.plot(
        points_left[measured],
        accuracies[measured],
        color="tab:blue",
        linewidth=1.5,
        marker="o",
        markersize=2 if many_rounds else 4,
        clip_on=False,
        zorder=3,
    )
    axes.set(xlabel="points left", ylabel="accuracy over the rotations", ylim=(0, 1))
    margin = max(0.03 * np.ptp(points_left), 1.0)
    axes.set_xlim(points_left.max() + margin, max(points_left.min() - margin, 0))  # dropping runs to the right
    axes.locator_params(axis="x", nbins=8, integer=True)
    axes.set_title(literal(title), fontsize=10)
    axes.tick_params(labelsize=8)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    hide_spines(axes, ("right", "top"))
    save_figure(figure, path)


def save_confusion_matrix(path, matrix, class_names, title):
    """Writes a confusion matrix: counts, coloured by their share of the row, so of the true class.

    Args:
      path: the file to write, whose ending is one of FORMATS.
      matrix: int array [C, C], rows the true classes, columns the predicted ones.
      class_names: list of C names.
      title: text above.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    matrix, class_names = np.asarray(matrix), [literal(name) for name in class_names]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    num_classes = len(class_names)
    cells = min(max(CELL * num_classes, 2.2), MOST_CELLS)  # inches
    shrunk = min(cells / num_classes / CELL, 1.0)
    name_size = 7.5 * shrunk
    # Most letters are narrower than this; the names are measured in case they are not.
    longest = max(0.075 * shrunk * max(map(len, class_names)), *(_width(name, name_size) for name in class_names))
    names = longest + 0.35
    width, height = names + cells + 0.9, names + cells + 0.35
    figure = new_figure(width, height)
    axes = figure.add_axes([names / width, names / height, cells / width, cells / height])
    # The square root shows the few confusions that a linear scale leaves white.
    image = axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(matrix)):
        axes.text(
            column,
            row,
            str(matrix[row, column]),
            ha="center",
            va="center",
            fontsize=5.5 * shrunk,
            color="white" if shares[row, column] > 0.4 else "black",
        )
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(literal(title), fontsize=11)
    places = np.arange(num_classes)
    axes.set_xticks(places)
    axes.set_xticklabels(class_names, rotation=90, fontsize=name_size)
    axes.set_yticks(places)
    axes.set_yticklabels(class_names, fontsize=name_size)
    axes.set_xticks(places[1:] - 0.5, minor=True)
    axes.set_yticks(places[1:] - 0.5, minor=True)
    axes.grid(which="minor", color="0.9", linewidth=0.4)
    axes.tick_params(which="both", length=0)
    bar_height = min(cells, 3.0)
    bar_axes = figure.add_axes(
        [(names + cells + 0.15) / width, (names + cells - bar_height) / height, 0.12 / width, bar_height / height]
    )
    bar = figure.colorbar(image, cax=bar_axes)
    bar.set_ticks(np.sqrt([0, 0.05, 0.25, 0.5, 1]))
    bar.set_ticklabels(["0", "5 %", "25 %", "50 %", "100 %"])
    bar.ax.tick_params(labelsize=7, length=2)
    bar.set_label("share of the true class", fontsize=8)
    save_figure(figure, path)


def new_figure(width, height):
    """An empty, white matplotlib Figure of a width and a height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def hide_spines(axes, sides):
    """Takes lines around axes away: of "left", "right", "top" and "bottom" those named."""
    for side in sides:
        axes.spines[side].set_visible(False)


def literal(text):
    """Text that matplotlib shows as it stands, line feeds among it; two dollar signs would make a formula."""
    return "\n".join(files.printable(line) for line in text.split("\n")).replace("$", r"\$")


def _width(text, font_size):
    """Width in inches of a text of a size in points."""
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text, size=font_size).get_extents().width / 72 if text else 0.0


def save_figure(figure, path):
    """Writes a figure whole or not at all, in the format that the path ends with; equal figures give equal files.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    import matplotlib

    ending = os.path.splitext(path)[1][1:]

    def write(file):
        with matplotlib.rc_context(HASH_SALT):
            figure.savefig(file, format=ending, dpi=DOTS_PER_INCH, metadata=NO_DATE[ending])

    files.replace_file(path, write, mode="wb")


def figure_pixels(figure, dots_per_inch):
    """A figure as an image: uint8 array [height, width, 3]."""
    figure.set_dpi(dots_per_inch)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy()
