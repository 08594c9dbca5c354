"""Figures with matplotlib: what all of them share, and a confusion matrix.

Every figure is an object of its own, drawn without pyplot, so that no window, back end or setting of matplotlib
is touched.
"""

import os
import textwrap
from typing import NamedTuple

import numpy as np

from utils import files
from utils.pictures import fonts

FORMATS = ("png", "pdf", "svg")  # by the ending of a figure's file
DOTS_PER_INCH = 300
FIGURE_WIDTHS = {"column": 3.46, "page": 7.09}  # inches: 8.8 and 18 cm, of papers in two columns
LEAST_TEXT = 7  # points
LETTER_WIDTH = 0.56  # of most letters, in their sizes
NAMES_SHARE = 0.5  # of a figure of given width, that names beside what it shows take at most
# Equal runs leave equal files: no date, and no random names of the parts of an SVG.
NO_DATE = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
# Publishers ask for fonts as TrueType, 42, not as Type 3. The words of an SVG stay words, to be searched and edited.
FILE_SETTINGS = {"svg.hashsalt": "pointcloud-grad-CAM", "pdf.fonttype": 42, "svg.fonttype": "none"}
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


def wrapped(text, width, size):
    """Lines of a text, each as long as there is room for, of letters of a size in points on a width in inches."""
    length = max(int(width * 72 / (size * LETTER_WIDTH)), 1)
    return [line for part in text.split("\n") for line in textwrap.wrap(part, length)]


def shortened(name, letter_width, width):
    """A name, cut and with an ellipsis where its letters, each of so many inches, are wider than `width`, in inches."""
    length = max(int(width / letter_width), 2)
    return name if len(name) <= length else name[: length - 1] + "…"


def names_beside(names, letter_width, width):
    """Names that stand beside what a figure shows, shortened where its width, in inches, is given: a list of texts."""
    if width is None:
        return list(names)
    return [shortened(name, letter_width, NAMES_SHARE * width) for name in names]


def spread(wanted, gap, least, greatest):
    """Heights as near as can be to those wanted, in their order, and nowhere nearer to each other than a gap.

    Less the gaps below them, the heights must not fall; of such heights those of least squares are the means of
    neighbours that would fall (pool adjacent violators: Ayer et al. 1955).

    Args:
      wanted: list of n floats, ascending.
      gap: between two heights.
      least, greatest: between which they are to be, if there is room for n.

    Returns:
      list of n floats.
    """
    pools = []  # [mean, count], ascending
    for number, height in enumerate(wanted):
        pools.append([height - number * gap, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * count) / (pools[-1][1] + count), pools[-1][1] + count]
    bases = [mean for mean, count in pools for _ in range(count)]
    bases = np.clip(bases, least, max(greatest - gap * (len(wanted) - 1), least))
    return [base + number * gap for number, base in enumerate(bases)]


def literal(text):
    """Text that matplotlib shows as it stands, line feeds among it; two dollar signs would make a formula."""
    return "\n".join(files.printable(line) for line in text.split("\n")).replace("$", r"\$")


def _width(text, font_size):
    """Width in inches of a text of a size in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text:
        return 0.0
    properties = FontProperties(size=font_size)
    properties.set_family(fonts.families(text, properties))
    with fonts.quiet():
        return TextPath((0, 0), text, prop=properties).get_extents().width / 72


def save_figure(figure, path):
    """Writes a figure whole or not at all, in the format that the path ends with; equal figures give equal files.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    import matplotlib

    ending = os.path.splitext(path)[1][1:]

    def write(file):
        with fonts.fitted(figure), matplotlib.rc_context(FILE_SETTINGS):
            figure.savefig(file, format=ending, dpi=DOTS_PER_INCH, metadata=NO_DATE[ending])

    files.replace_file(path, write, mode="wb")


def figure_pixels(figure, dots_per_inch):
    """A figure as an image: uint8 array [height, width, 3]."""
    figure.set_dpi(dots_per_inch)
    with fonts.fitted(figure):
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy()
