"""The picture of heat, by matplotlib: clouds side by side, what they show in words, and a colour bar below them."""

from typing import Any, NamedTuple, Optional

import numpy as np

from utils.pictures import plots
from utils.pictures.colours import ColourBar

# Inches, by the number of panels.
FIGURE_WIDTHS = {1: 4.2, 2: 6.0, 3: plots.FIGURE_WIDTHS["page"]}
PANEL_ASPECTS = (0.8, 3.0)  # least and greatest width / height of a panel
TITLE_SIZE, CAPTION_SIZE, TEXT_SIZE = 9, 8, plots.LEAST_TEXT  # points
LINE_HEIGHT = 1.2  # of lines of text, in their sizes
MARGIN, PANEL_GAP, BAR_HEIGHT, BAR_ABOVE, TICK_SPACE, WIDEST_BAR = 0.08, 0.1, 0.1, 0.08, 0.19, 2.2  # inches
NARROW = 1.6  # inches of a panel: on fewer a colour bar takes what room there is in the figure
ROW_GAP = 0.15  # inches between rows of panels
TIP = 0.09  # inches of a colour bar's pointed end
BOX_WIDTH = 0.14  # inches of the box beside a colour bar
SIGNIFICANT_DIGITS = 3  # of a colour bar's numbers, but for whole ones, which are written out
SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


class Panel(NamedTuple):
    """One cloud of the picture.

    Attributes:
      caption: text above it, broken into lines where it is long.
      drawing: plots.Spheres, or a uint8 image [height, width, 3]; None for an empty place.
      bar: the colours.ColourBar below it; None for none.
    """

    caption: str
    drawing: Any
    bar: Optional[ColourBar]


EMPTY = Panel("", None, None)


def panel_size(window, num_panels, width=None):
    """Width and height, in inches, of one of num_panels panels that show window = (left, right, bottom, top).

    Args:
      width: of the whole picture, in inches; None for the usual one.
    """
    left, right, bottom, top = window
    width = FIGURE_WIDTHS[min(num_panels, 3)] if width is None else width
    panel_width = (width - 2 * MARGIN - (num_panels - 1) * PANEL_GAP) / num_panels
    return panel_width, panel_width * (top - bottom) / (right - left)


def panel_pixels(window, num_panels, width=None, dots_per_inch=plots.DOTS_PER_INCH):
    """The same in pixels."""
    return tuple(max(int(round(size * dots_per_inch)), 1) for size in panel_size(window, num_panels, width))


def heat_figure(panels, window, title, width=None):
    """The picture of heat: a title, panels side by side with captions above them and colour bars below.

    Args:
      panels: list of Panel.
      window: (left, right, bottom, top) that each panel shows, in the unit of the spheres.
      title: text above, broken into lines where it is long.
      width: of the picture, in inches; None for the usual one of so many panels.

    Returns:
      The matplotlib Figure, whose panels are as large as `panel_size` says.
    """
    return rows_figure([("", panels)], window, title, width)


def rows_figure(rows, window, title, width=None):
    """Such pictures one below the other.

    Args:
      rows: list of (heading, list of Panel), of as many panels each; an empty heading takes no room.
      window, title, width: as for `heat_figure`.
    """
    num_panels = len(rows[0][1])
    panel_width, panel_height = panel_size(window, num_panels, width)
    figure_width = 2 * MARGIN + num_panels * panel_width + (num_panels - 1) * PANEL_GAP
    title_lines = plots.wrapped(title, figure_width - 2 * MARGIN, TITLE_SIZE)
    laid_out = [_Row(heading, panels, panel_width, panel_height, figure_width) for heading, panels in rows]
    top = MARGIN + _text_height(len(title_lines), TITLE_SIZE)
    figure_height = top + sum(row.height for row in laid_out) + (len(rows) - 1) * ROW_GAP + MARGIN
    place = _Place(plots.new_figure(figure_width, figure_height), figure_width, figure_height)
    place.text(figure_width / 2, figure_height - MARGIN, title_lines, TITLE_SIZE)
    for row in laid_out:
        row.draw(place, figure_height - top, window)
        top += row.height + ROW_GAP
    return place.figure


class _Row:
    """Panels side by side, laid out: how high they are, with all that is above and below them, in inches."""

    def __init__(self, heading, panels, panel_width, panel_height, figure_width):
        self._panels, self._panel_width, self._panel_height = panels, panel_width, panel_height
        self._middle = figure_width / 2
        self._heading = plots.wrapped(heading, figure_width - 2 * MARGIN, TITLE_SIZE)
        self._captions = [plots.wrapped(panel.caption, panel_width, CAPTION_SIZE) for panel in panels]
        self._slots = _bar_slots(panels, panel_width, figure_width)
        self._labels = [
            plots.wrapped(_bar_label(panels[number].bar), width, TEXT_SIZE) for number, _, width in self._slots
        ]
        self._heading_height = _text_height(len(self._heading), TITLE_SIZE)
        self._above = self._heading_height + _text_height(max(map(len, self._captions)), CAPTION_SIZE)
        below = BAR_ABOVE + BAR_HEIGHT + TICK_SPACE if self._slots else 0.0
        below += _text_height(max(map(len, self._labels), default=0), TEXT_SIZE)
        self.height = self._above + panel_height + below

    def draw(self, place, top, window):
        """Draws the row below `top`, on a _Place."""
        place.text(self._middle, top, self._heading, TITLE_SIZE, weight="bold")
        bottom = top - self._above - self._panel_height
        for number, (panel, caption) in enumerate(zip(self._panels, self._captions)):
            left = MARGIN + number * (self._panel_width + PANEL_GAP)
            axes = place.axes(left, bottom, self._panel_width, self._panel_height)
            axes.set(xlim=window[:2], ylim=window[2:])
            axes.axis("off")
            if isinstance(panel.drawing, plots.Spheres):
                plots.draw_spheres(axes, panel.drawing)
            elif panel.drawing is not None:
                axes.imshow(panel.drawing, extent=window, aspect="auto", interpolation="nearest")
            middle = left + self._panel_width / 2
            place.text(middle, top - self._heading_height, caption, CAPTION_SIZE, plots.CAPTION_COLOUR)
        bar_bottom = bottom - BAR_ABOVE - BAR_HEIGHT
        for (number, left, width), label in zip(self._slots, self._labels):
            _draw_colour_bar(place, self._panels[number].bar, left, width, bar_bottom)
            place.text(left + width / 2, bar_bottom - TICK_SPACE, label, TEXT_SIZE)


def _bar_slots(panels, panel_width, figure_width):
    """Where the colour bars go: list of (place of the panel, left, width), below their panels where there is room."""
    numbers = [number for number, panel in enumerate(panels) if panel.bar is not None]
    if panel_width >= NARROW:
        return [(number, MARGIN + number * (panel_width + PANEL_GAP), panel_width) for number in numbers]
    width = (figure_width - 2 * MARGIN) / max(len(numbers), 1)
    return [(number, MARGIN + place * width, width) for place, number in enumerate(numbers)]


class _Place:
    """A figure of a width and a height in inches, on which things are placed in inches."""

    def __init__(self, figure, width, height):
        self.figure, self._width, self._height = figure, width, height

    def axes(self, left, bottom, width, height):
        return self.figure.add_axes(
            [left / self._width, bottom / self._height, width / self._width, height / self._height]
        )

    def text(self, middle, top, lines, size, colour="black", weight="normal"):
        """Writes lines of text around a middle, from a top downwards."""
        text = plots.literal("\n".join(lines))
        at = (middle / self._width, top / self._height)
        self.figure.text(
            *at, text, fontsize=size, ha="center", va="top", color=colour, weight=weight, linespacing=LINE_HEIGHT
        )


def _text_height(num_lines, size):
    return num_lines * size * LINE_HEIGHT / 72 + (0.02 if num_lines else 0.0)


def _bar_label(bar):
    """What stands below a ColourBar: what its values are, their extremes beyond its ends, their power of ten."""
    text, power = bar.label, _exponent(max(abs(bar.low), abs(bar.high)))
    if power and bar.ends is None and len(bar.colours):
        text += ", \u00d710" + str(power).translate(SUPERSCRIPTS)
    words = ["least " + _number(bar.least / 10.0**power)] if bar.is_pointed_below else []
    words += ["greatest " + _number(bar.greatest / 10.0**power)] if bar.is_pointed_above else []
    return "\n".join([text] + [", ".join(words)] * bool(words))


def draw_colour_bar(figure, bar, left, width, bottom):
    """Draws a ColourBar on a figure: left, width and bottom in inches."""
    _draw_colour_bar(_Place(figure, *figure.get_size_inches()), bar, left, width, bottom)


def _draw_colour_bar(place, bar, left, width, bottom):
    """Draws a ColourBar on a width, with its numbers, or words, below.

    It runs from left to right, but where words stand at its ends from top to bottom: there the first is to the left.
    """
    bar_width = min(width - 2 * TIP - 0.3, WIDEST_BAR)
    box_space = 0.0
    if bar.zero_label is not None:
        box_space = BOX_WIDTH + 0.12 + _text_width(bar.zero_label) / 2
        bar_width -= box_space
    if bar.ends is not None:
        bar_width = max(bar_width, sum(map(_text_width, bar.ends)) / 2 + 0.08)  # else one word is over the other
    start = left + (width - bar_width - box_space) / 2
    if bar.zero_label is not None:
        is_left = bar.ends is None
        box_left = start if is_left else start + bar_width + box_space - BOX_WIDTH
        start += box_space if is_left else 0.0
        axes = place.axes(box_left, bottom, BOX_WIDTH, BAR_HEIGHT)
        axes.set(facecolor=bar.box_colour, xlim=(0, 1), yticks=[])
        _mark(axes, [0.5], [bar.zero_label])
    if not len(bar.colours):
        return
    ramp = np.asarray(bar.colours)[:: 1 if bar.ends is None else -1]
    axes = place.axes(start, bottom, bar_width, BAR_HEIGHT)
    axes.imshow(ramp[np.newaxis], extent=(0, 1, 0, 1), aspect="auto", origin="lower")
    axes.set(xlim=(0, 1), ylim=(0, 1), yticks=[])
    for is_pointed, edge, direction, colour in (
        (bar.is_pointed_below, 0, -1, ramp[0]),
        (bar.is_pointed_above, 1, 1, ramp[-1]),
    ):
        if is_pointed:
            corners = [[edge, 0], [edge, 1], [edge + direction * TIP / bar_width, 0.5]]
            axes.fill(*zip(*corners), color=colour, linewidth=0, clip_on=False)
    if bar.ends is not None:
        _mark(axes, [0, 1], bar.ends[::-1])
    else:
        _mark(axes, *_numbers(bar, bar_width))


def _numbers(bar, width):
    """Places in 0..1 and texts of the numbers below a ColourBar of a width in inches: its ends, and 0 or the middle."""
    low, high = bar.low, bar.high
    values = np.unique([low, 0.0 if low < 0 < high else (low + high) / 2, high])
    power = _exponent(max(abs(low), abs(high)))
    texts = [
        "> 0" if value == 0 and bar.zero_label is not None else _number(value / 10.0**power)
        for value in values.tolist()
    ]
    places = (values - low) / ((high - low) or 1.0)
    if len(values) == 3:
        rooms = [(_text_width(texts[place]) + _text_width(texts[place + 1])) / 2 + 0.08 for place in (0, 1)]
        if (np.diff(places) * width < rooms).any():
            places, texts = places[[0, 2]], [texts[0], texts[2]]  # the middle one would be written over an end's
    return list(places), texts


def _mark(axes, places, texts):
    """Writes texts below axes, and takes their frame away."""
    axes.set_xticks(places)
    axes.set_xticklabels(texts, fontsize=TEXT_SIZE)
    axes.tick_params(length=2, width=0.5, pad=1.5)
    plots.hide_spines(axes, ("left", "right", "top", "bottom"))


def _text_width(text):
    return len(text) * TEXT_SIZE * plots.LETTER_WIDTH / 72


def _number(value):
    text = "{:.0f}".format(value) if value == round(value) else "{:.{}g}".format(value, SIGNIFICANT_DIGITS)
    return text.replace("-", "\u2212")


def _exponent(value):
    """The power of ten to take out of numbers up to a value; 0 where they read well as they are."""
    exponent = int(np.floor(np.log10(value))) if value > 0 else 0
    return 0 if -2 < exponent < 4 else exponent
