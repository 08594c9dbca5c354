"""The picture of one cloud in panels: its heat, the order in which points were dropped, what was left."""

from typing import Any, NamedTuple, Optional, Tuple

import numpy as np

from utils import wording
from utils.pictures import colours, heat_figure, plots, render
from utils.pictures.colours import ColourBar

HEAT, ORDER, LEFT, REMOVED = "heat", "order", "left", "removed"
PANELS = (HEAT, ORDER, LEFT, REMOVED)  # what a panel can show
DEFAULT_PANELS = (HEAT, ORDER, LEFT)


class Look(NamedTuple):
    """How pictures of a cloud and its heat look.

    Attributes:
      colormap, scale: as for `colours.heat_colours`.
      panels: of PANELS, left to right.
      view: (azimuth, elevation) as for `render.View`; None for the best one.
      width: of the picture, in inches; None for the usual one of so many panels.
    """

    colormap: str = colours.DEFAULT_COLORMAP
    scale: str = colours.DEFAULT_SCALE
    panels: Tuple[str, ...] = DEFAULT_PANELS
    view: Optional[Tuple[float, float]] = None
    width: Optional[float] = None


class Shown(NamedTuple):
    """What one panel shows of a cloud of N points.

    Attributes:
      caption: what it is, in words.
      colours: float array [N, 3].
      strengths: float array [N], as for `render.View.panel`.
      removed: bool array [N], points that are small and pale; None for none.
      is_shown: bool array [N], points that are there at all; None for all.
      bar: the ColourBar.
    """

    caption: str
    colours: np.ndarray
    strengths: np.ndarray
    removed: Any
    is_shown: Any
    bar: ColourBar


def save(path, run, title, look, label="heat", ending=""):
    """Writes the picture of a cloud and what the dropping did: by Open3D where it works off-screen, else by matplotlib.

    Args:
      path: the file to write, whose ending is one of plots.FORMATS.
      run: what the dropping did: `points` [N, 3], N >= 1, y up, `heat` [N], `removed_in_round` [N], from 1 and -1 for
        never, and `heat_when_removed` [N].
      title: text above the picture.
      look: a Look.
      label: what the heat is, below its colour bar.
      ending: text after the number of points left.

    Returns:
      "Open3D" or "matplotlib": which of them drew it.

    Raises:
      InputError: an unknown colour map or scale.
      OSError: the file cannot be written; what was there before is kept.
    """
    return save_rows(path, [("", run, ending)], title, look, label)


def save_rows(path, runs, title, look, label="heat"):
    """Writes such pictures of one cloud one below the other, as of several methods.

    Args:
      path, title, look, label: as for `save`.
      runs: list of (heading, run, ending), with `run` and `ending` as for `save`, of the same points.

    Returns, raises:
      As `save`.
    """
    view = render.View(runs[0][1].points, look.view)
    rows = [shown_of(run, look, label, ending) for _, run, ending in runs]
    # A method that dropped nothing has its heat alone.
    num_columns = max(map(len, rows))
    shown = [one for row in rows for one in row]
    panels = [view.panel(one.colours, one.strengths, one.removed, one.is_shown) for one in shown]
    pixels = heat_figure.panel_pixels(view.window, num_columns, look.width)
    drawings, renderer = render.draw_panels(view.window, panels, pixels)
    drawings = iter(drawings)
    figure_rows = [
        (heading, _with_bars(row, drawings) + [heat_figure.EMPTY] * (num_columns - len(row)))
        for (heading, _, _), row in zip(runs, rows)
    ]
    plots.save_figure(heat_figure.rows_figure(figure_rows, view.window, title, look.width), path)
    return renderer


def _with_bars(row, drawings):
    """A list of heat_figure.Panel of a list of Shown and an iterator of their drawings, one bar for all it is of."""
    panels, bars = [], set()
    for one in row:
        key = one.bar[1:]
        panels.append(heat_figure.Panel(one.caption, next(drawings), None if key in bars else one.bar))
        bars.add(key)
    return panels


def there(shown):
    """Which points a Shown has in the window, where none are small and pale: bool array [N]."""
    is_there = np.ones(len(shown.colours), bool) if shown.is_shown is None else shown.is_shown
    return is_there if shown.removed is None else is_there & ~shown.removed


def shown_of(run, look, label="heat", ending=""):
    """What the panels of a Look show, left to right: list of Shown; where nothing was dropped, the heat alone.

    Args:
      run, look, label, ending: as for `save`.
    """
    heat, removed_in_round = np.asarray(run.heat, np.float64), np.asarray(run.removed_in_round)
    removed, map_and_scale = removed_in_round > 0, (look.colormap, look.scale)

    def heat_panel(caption, heat, label, removed=None, is_shown=None):
        point_colours, strengths = np.zeros((len(removed_in_round), 3)), np.zeros(len(removed_in_round))
        chosen = slice(None) if is_shown is None else is_shown
        point_colours[chosen] = colours.heat_colours(heat[chosen], *map_and_scale)
        strengths[chosen] = colours.heat_strengths(heat[chosen], *map_and_scale)
        bar = colours.colour_bar(heat[chosen], *map_and_scale, label=label)
        return Shown(caption, point_colours, strengths, removed, is_shown, bar)

    def panel(name):
        if name == HEAT:
            return heat_panel("heat of the whole cloud: {}".format(wording.counted(len(heat), "point")), heat, label)
        if name == LEFT:
            return heat_panel(
                "left: {}{}".format(wording.counted((~removed).sum(), "point"), ending), heat, label, removed
            )
        if name == REMOVED:
            caption = "{}, by heat when dropped".format(wording.counted(removed.sum(), "dropped point"))
            then = np.asarray(run.heat_when_removed, np.float64)
            return heat_panel(caption, then, label + " when dropped", is_shown=removed)
        return Shown(
            "order of dropping: {}".format(wording.counted(removed.sum(), "point")),
            colours.order_colours(removed_in_round),
            colours.order_strengths(removed_in_round),
            None,
            None,
            colours.order_bar(removed_in_round),
        )

    return [panel(name) for name in (look.panels if removed.any() else (HEAT,))]
