"""The picture of heat, by matplotlib: clouds side by side, what they show in words, and a colour bar."""

import textwrap

import numpy as np

from utils.pictures import plots

PANEL_WIDTHS = {1: 4.0, 2: 3.1}  # inches, by the number of panels: at most the text width of a paper
PANEL_ASPECTS = (0.8, 2.0)  # least and greatest width / height of a panel
MARGIN, PANEL_GAP, CAPTION_HEIGHT, LINE_HEIGHT, COLOUR_BAR_SPACE = 0.08, 0.12, 0.24, 0.2, 0.85  # inches
SIGNIFICANT_DIGITS = 3  # of a colour bar's numbers, but for whole ones, which are written out
LEAST_TICK_DISTANCE = 0.08  # of these numbers, in lengths of the bar


def panel_pixels(window, num_panels, dots_per_inch=plots.DOTS_PER_INCH):
    """Width and height, in pixels, of one of num_panels panels that show window = (left, right, bottom, top)."""
    left, right, bottom, top = window
    width = PANEL_WIDTHS[num_panels] * dots_per_inch
    return int(round(width)), int(round(width * (top - bottom) / (right - left)))


def heat_figure(panels, window, colour_bar, title):
    """The picture of heat: a title, panels side by side with captions, a colour bar.

    Args:
      panels: list of one or two (caption, drawing), a drawing being plots.Spheres, or a uint8 image [height, width, 3].
      window: (left, right, bottom, top) that each panel shows, in the unit of the spheres.
      colour_bar: a colours.ColourBar.
      title: text above, broken into lines where it is long.

    Returns:
      The matplotlib Figure, as large as `panel_pixels` at plots.DOTS_PER_INCH makes it.
    """
    width, height = (pixels / plots.DOTS_PER_INCH for pixels in panel_pixels(window, len(panels)))
    figure_width = 2 * MARGIN + len(panels) * (width + PANEL_GAP) + COLOUR_BAR_SPACE
    title_lines = textwrap.wrap(title, int(13 * figure_width))
    bottom = MARGIN + CAPTION_HEIGHT
    figure_height = bottom + max(height, 1.5) + MARGIN + LINE_HEIGHT * len(title_lines)
    figure = plots.new_figure(figure_width, figure_height)

    def add_axes(left, bottom, width, height):
        return figure.add_axes(
            [left / figure_width, bottom / figure_height, width / figure_width, height / figure_height]
        )

    figure.text(
        0.5, 1 - MARGIN / figure_height, plots.literal("\n".join(title_lines)), fontsize=10, ha="center", va="top"
    )
    for number, (caption, drawing) in enumerate(panels):
        left = MARGIN + number * (width + PANEL_GAP)
        axes = add_axes(left, bottom, width, height)
        axes.set(xlim=window[:2], ylim=window[2:])
        axes.axis("off")
        if isinstance(drawing, plots.Spheres):
            plots.draw_spheres(axes, drawing)
        else:
            axes.imshow(drawing, extent=window, aspect="auto", interpolation="nearest")
        figure.text(
            (left + width / 2) / figure_width,
            MARGIN / figure_height,
            plots.literal(caption),
            fontsize=7.5,
            ha="center",
            color=plots.CAPTION_COLOUR,
        )
    bar_height = min(0.7 * max(height, 1.5), 2.2)
    left = MARGIN + len(panels) * (width + PANEL_GAP) + 0.1
    _draw_colour_bar(add_axes(left, bottom + (max(height, 1.5) - bar_height) / 2 - 0.05, 0.14, bar_height), colour_bar)
    return figure


def _draw_colour_bar(axes, colour_bar):
    """Fills the axes with a colours.ColourBar."""
    colours, low, high, label, zero_label = colour_bar[:5]
    label = plots.literal(label)
    bottom, places, texts = 0.0, [], []
    if zero_label is not None:
        axes.axhspan(0, 0.07, color="black", linewidth=0)
        bottom, places, texts = 0.13, [0.035], [zero_label]
    if len(colours):
        axes.imshow(np.asarray(colours)[:, None], extent=(0, 1, bottom, 1), origin="lower", aspect="auto")
        exponent = _exponent(max(abs(low), abs(high)))
        values = np.unique([low, 0.0 if low < 0 < high else (low + high) / 2, high])
        if len(values) == 3 and min(np.diff(values)) < LEAST_TICK_DISTANCE * (high - low):
            values = values[[0, 2]]  # a 0 beside an end would be written over it
        places += list(bottom + (1 - bottom) * (values - low) / ((high - low) or 1.0))
        texts += [
            "> 0" if value == 0 and zero_label is not None else _number(value / 10.0**exponent) for value in values
        ]
        label += "\n" + r"$\times 10^{{{}}}$".format(exponent) if exponent else ""
    axes.set_title(label, fontsize=8, pad=5)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=places)
    axes.set_yticklabels(texts, fontsize=7)
    axes.tick_params(length=2, width=0.5, left=False, right=True, labelleft=False, labelright=True)
    plots.hide_spines(axes, ("left", "right", "top", "bottom"))


def _number(value):
    if value == round(value):
        return "{:.0f}".format(value)
    return "{:.{}g}".format(value, SIGNIFICANT_DIGITS)


def _exponent(value):
    """The power of ten to take out of numbers up to a value; 0 where they read well as they are."""
    exponent = int(np.floor(np.log10(value))) if value > 0 else 0
    return 0 if -2 < exponent < 4 else exponent
