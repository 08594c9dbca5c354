"""Figures with matplotlib: the picture of heat, accuracy over the rounds, a confusion matrix: PNG, PDF or SVG by the name.

Every figure is an object of its own, drawn without pyplot, so that no window, back end or setting of matplotlib
is touched.
"""

import collections
import os
import textwrap

import numpy as np

from utils import files

FORMATS = ("png", "pdf", "svg")
DOTS_PER_INCH = 300
PANEL_WIDTHS = {1: 4.0, 2: 3.1}  # inches, by the number of panels: at most the text width of a paper
PANEL_ASPECTS = (0.8, 2.0)  # least and greatest width / height of a panel
MARGIN, PANEL_GAP, CAPTION_HEIGHT, LINE_HEIGHT, COLOUR_BAR_SPACE = 0.08, 0.12, 0.24, 0.2, 0.85  # inches
CAPTION_COLOUR = "0.4"
LIGHT = np.array([-0.36, 0.6, 0.714])  # unit vector towards the light: x right, y up, z out of the picture

Spheres = collections.namedtuple("Spheres", "centres radii colours")
Spheres.__doc__ = """Spheres to draw one over the other: centres [N, 2], radii [N] in the same unit, colours [N, 3]."""


def panel_pixels(window, num_panels, dots_per_inch=DOTS_PER_INCH):
    """Width and height, in pixels, of one of num_panels panels that show window = (left, right, bottom, top)."""
    left, right, bottom, top = window
    width = PANEL_WIDTHS[num_panels] * dots_per_inch
    return int(round(width)), int(round(width * (top - bottom) / (right - left)))


def heat_figure(panels, window, colour_bar, title):
    """The picture of heat: a title, panels side by side with captions, a colour bar.

    Args:
      panels: list of one or two (caption, drawing), a drawing being Spheres, or a uint8 image [height, width, 3].
      window: (left, right, bottom, top) that each panel shows, in the unit of the Spheres.
      colour_bar: a colours.ColourBar.
      title: text above, broken into lines where it is long.

    Returns:
      The matplotlib Figure, as large as `panel_pixels` at DOTS_PER_INCH makes it.
    """
    width, height = (pixels / DOTS_PER_INCH for pixels in panel_pixels(window, len(panels)))
    figure_width = 2 * MARGIN + len(panels) * (width + PANEL_GAP) + COLOUR_BAR_SPACE
    title_lines = textwrap.wrap(title, int(13 * figure_width))
    bottom = MARGIN + CAPTION_HEIGHT
    figure_height = bottom + max(height, 1.5) + MARGIN + LINE_HEIGHT * len(title_lines)
    figure = new_figure(figure_width, figure_height)

    def add_axes(left, bottom, width, height):
        return figure.add_axes(
            [left / figure_width, bottom / figure_height, width / figure_width, height / figure_height]
        )

    figure.text(0.5, 1 - MARGIN / figure_height, _literal("\n".join(title_lines)), fontsize=10, ha="center", va="top")
    for number, (caption, drawing) in enumerate(panels):
        left = MARGIN + number * (width + PANEL_GAP)
        axes = add_axes(left, bottom, width, height)
        axes.set(xlim=window[:2], ylim=window[2:])
        axes.axis("off")
        if isinstance(drawing, Spheres):
            draw_spheres(axes, drawing)
        else:
            axes.imshow(drawing, extent=window, aspect="auto", interpolation="nearest")
        figure.text(
            (left + width / 2) / figure_width,
            MARGIN / figure_height,
            caption,
            fontsize=7.5,
            ha="center",
            color=CAPTION_COLOUR,
        )
    bar_height = min(0.7 * max(height, 1.5), 2.2)
    left = MARGIN + len(panels) * (width + PANEL_GAP) + 0.1
    _draw_colour_bar(add_axes(left, bottom + (max(height, 1.5) - bar_height) / 2 - 0.05, 0.14, bar_height), colour_bar)
    return figure


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


def _draw_colour_bar(axes, colour_bar):
    """Fills the axes with a colours.ColourBar."""
    colours, low, high, label, zero_label = colour_bar
    bottom, places, texts = 0.0, [], []
    if zero_label is not None:
        axes.axhspan(0, 0.07, color="black", linewidth=0)
        bottom, places, texts = 0.13, [0.035], [zero_label]
    if len(colours):
        axes.imshow(np.asarray(colours)[:, None], extent=(0, 1, bottom, 1), origin="lower", aspect="auto")
        exponent = _exponent(max(abs(low), abs(high)))
        values = np.unique([low, 0.0 if low < 0 < high else (low + high) / 2, high])
        places += list(bottom + (1 - bottom) * (values - low) / ((high - low) or 1.0))
        texts += [
            "> 0" if value == 0 and zero_label is not None else "{:.3g}".format(value / 10.0**exponent)
            for value in values
        ]
        label += "\n" + r"$\times 10^{{{}}}$".format(exponent) if exponent else ""
    axes.set_title(label, fontsize=8, pad=5)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=places)
    axes.set_yticklabels(texts, fontsize=7)
    axes.tick_params(length=2, width=0.5, left=False, right=True, labelleft=False, labelright=True)
    hide_spines(axes, ("left", "right", "top", "bottom"))


def _exponent(value):
    """The power of ten to take out of numbers up to a value; 0 where they read well as they are."""
    exponent = int(np.floor(np.log10(value))) if value > 0 else 0
    return 0 if -2 < exponent < 4 else exponent


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
    axes.set_title(_literal(title), fontsize=10)
    axes.tick_params(labelsize=8)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    hide_spines(axes, ("right", "top"))
    save_figure(figure, path)


def save_confusion_matrix(path, matrix, class_names, title):
    """Writes a confusion matrix: counts, coloured by their share of the row, so of the true class.

    Args:
      path: the PNG file to write.
      matrix: int array [C, C], rows the true classes, columns the predicted ones.
      class_names: list of C names.
      title: text above.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    matrix = np.asarray(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    num_classes = len(class_names)
    cells = max(0.22 * num_classes, 2.2)  # inches
    names = 0.075 * max(len(name) for name in class_names) + 0.35
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
            fontsize=5.5,
            color="white" if shares[row, column] > 0.4 else "black",
        )
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(_literal(title), fontsize=11)
    places = np.arange(num_classes)
    axes.set_xticks(places)
    axes.set_xticklabels(class_names, rotation=90, fontsize=7.5)
    axes.set_yticks(places)
    axes.set_yticklabels(class_names, fontsize=7.5)
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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def hide_spines(axes, sides):
    for side in sides:
        axes.spines[side].set_visible(False)


def _literal(text):
    """Text that matplotlib shows as it stands; a dollar sign would start a formula."""
    return text.replace("$", r"\$")


def save_figure(figure, path):
    """Writes a figure whole or not at all, in the format that the path ends with.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    ending = os.path.splitext(path)[1][1:]
    files.replace_file(path, lambda file: figure.savefig(file, format=ending, dpi=DOTS_PER_INCH), mode="wb")


def figure_pixels(figure, dots_per_inch):
    """A figure as an image: uint8 array [height, width, 3]."""
    figure.set_dpi(dots_per_inch)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[:, :, :3].copy()


def save_gif(path, frames, milliseconds):
    """Writes an animated GIF that begins again at its end.

    Args:
      path: the GIF to write.
      frames: list of F uint8 images [height, width, 3] of one size.
      milliseconds: list of F times, each of which is a multiple of 10 in the format.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    from PIL import Image

    # One palette for all frames, else the colours of what rests flicker; each colour counts once, else white takes all.
    sample = np.concatenate(frames[:: max(1, len(frames) // 8)]).astype(np.int32).dot([65536, 256, 1])
    sample = np.unique(sample)
    palette = Image.fromarray(
        np.stack([sample >> 16, sample >> 8, sample], axis=1).astype(np.uint8)[np.newaxis]
    ).quantize(255)
    entries = palette.getpalette()[:765]
    palette.putpalette(entries + [255] * (768 - len(entries)))
    images = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    files.replace_file(
        path,
        lambda file: images[0].save(
            file, format="GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0
        ),
        mode="wb",
    )


def can_save_film():
    """Whether FFmpeg is there."""
    from matplotlib import animation

    return animation.writers.is_available("ffmpeg")


def save_film(path, frames, milliseconds):
    """Writes an MP4 with FFmpeg; arguments as of `save_gif`, the images of even width and height."""
    from matplotlib import animation

    height, width = frames[0].shape[:2]
    figure = new_figure(width / 100, height / 100)
    image = figure.figimage(frames[0])
    step = int(np.gcd.reduce(milliseconds))
    writer = animation.FFMpegWriter(1000 / step, codec="h264", extra_args=["-pix_fmt", "yuv420p"])
    with writer.saving(figure, path, 100):
        for frame, duration in zip(frames, milliseconds):
            image.set_array(frame)
            for _ in range(duration // step):
                writer.grab_frame()
