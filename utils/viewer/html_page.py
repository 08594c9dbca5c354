"""Points, heat and rounds -> one HTML page to turn, zoom and step through in a browser, without a network.

Python works out the colours of the whole cloud's heat and of the order of dropping, so the page shows exactly those of
the pictures; `page.html` and `page.css` lay it out, and the SCRIPTS draw it with Plotly. The page holds Plotly too, so
that it works wherever it is mailed or moved alone, packed to 40 % of its size. What the scripts need to know of the
pictures they find in the page's data.
"""

import collections
import functools
import html
import json
import os
import re
import string
from typing import Any, List, NamedTuple, Optional, Sequence

import numpy as np

from utils.files import replace_file
from utils.pictures import animation, colours, heat_figure, render
from utils.viewer import packing

COLORMAPS = (colours.DEFAULT_COLORMAP, "thesis", "viridis", "cividis")
SCRIPTS = ("data.js", "rounds.js", "camera.js", "turning.js", "cloud.js", "side.js", "viewer.js", "gallery.js")
ORDER = "order"  # its palette, which is no colour map's
RAMP_STEPS = 255  # colours of a map; an odd number has one in the middle
STEEPEST = 85.0  # degrees up or down of the first view
BAR_STEPS = 64  # colours of a colour bar; the browser blends between them
DIGITS = string.digits + string.ascii_lowercase  # of numbers in base 36, which JavaScript reads
CODES = [high + low for high in DIGITS for low in DIGITS]  # of colours, by their places


class View(NamedTuple):
    """One heat of one cloud to look at.

    Attributes:
      method: its name, any text.
      caption: what the cloud is, any text.
      points: float array [N, 3], N >= 1, in any units, y up.
      heat: float array [N].
      removed_in_round: int array [N], from 1; -1 for never.
      rounds: list of the rounds of dropping, each with its number `round`, `points_left` and `accuracy`, NaN where not
        measured; empty where nothing was dropped.
      round_heats: the heat that single rounds took, each with `round`, from 2, and `heat`, array [M] of the M points
        that were left when it began, in their order.
      file_index: int array [N], the points' places in a file of one's own, -1 of those that have none there; None for
        other clouds.
    """

    method: str
    caption: str
    points: np.ndarray
    heat: np.ndarray
    removed_in_round: np.ndarray
    rounds: List[Any]
    round_heats: Sequence[Any] = ()
    file_index: Optional[np.ndarray] = None


def save(path, title, views, colormap=colours.DEFAULT_COLORMAP, scale=colours.DEFAULT_SCALE, view=None):
    """Writes a page that shows clouds and their heat, and how the dropping went.

    Args:
      path: the HTML file; written whole or not at all.
      title: of the page.
      views: list of View, one or more; the first is shown first. Those of the same caption and points are offered as
        methods of one cloud.
      colormap, scale: as for `colours.heat_colours`: what the page shows first. It offers COLORMAPS as well.
      view: (azimuth, elevation) in degrees from which it is seen first, as for `render.View`; None for the best.

    Raises:
      InputError: an unknown colour map or scale.
      OSError: the file cannot be written; what was there before is kept.
    """
    _write(path, page(title, views, colormap, scale, view))


def page(title, views, colormap=colours.DEFAULT_COLORMAP, scale=colours.DEFAULT_SCALE, view=None):
    """The text of the page that `save` writes, of the same arguments.

    Raises:
      InputError: an unknown colour map or scale.
    """
    groups = collections.OrderedDict()
    for one in views:
        groups.setdefault((one.caption, np.float64(one.points).tobytes()), []).append(one)
    return _page(title, list(groups.values()), colormap, scale, is_gallery=False, view=view)


def save_gallery(path, title, clouds, methods, heats, colormap=colours.DEFAULT_COLORMAP, scale=colours.RANK):
    """Writes a page of small pictures, a row for each class and a column for each method; a click opens one to turn.

    Args:
      path, title, colormap, scale: as for `save`.
      clouds: list of cloud.Cloud; the first of each label is shown.
      methods: names, left to right.
      heats: dictionary of method -> list of float arrays [N], one for each of `clouds`.

    Raises:
      InputError, OSError: as `save`.
    """
    firsts = collections.OrderedDict()
    for place, cloud in enumerate(clouds):
        firsts.setdefault(cloud.label, place)
    groups = []
    for place in firsts.values():
        cloud = clouds[place]
        groups.append(
            [
                View(
                    method,
                    "{} {}".format(cloud.class_name, cloud.index),
                    cloud.points,
                    heats[method][place],
                    np.full(len(cloud.points), -1),
                    [],
                )
                for method in methods
            ]
        )
    _write(path, _page(title, groups, colormap, scale, is_gallery=True))


def _write(path, text):
    replace_file(path, lambda file: file.write(text))


def _page(title, groups, colormap, scale, is_gallery, view=None):
    maps = list(dict.fromkeys((colormap,) + COLORMAPS))
    palettes = {name: _Palette() for name in maps + [ORDER]}
    data = {
        "clouds": [_cloud(group, palettes, view) for group in groups],
        "ramps": {name: _ramp(name, palettes[name]) for name in maps},
        "isGallery": is_gallery,
        "maps": maps,
        "scales": list(colours.SCALES),
        "map": colormap,
        "scale": scale,
        # Their strongest colours are their darkest: on dark paper they are turned over.
        "lightMaps": [name for name in maps if colours.is_diverging(name)] + [ORDER],
        "cameraDistance": render.CAMERA_DISTANCE,
        "dotSize": render.DOT_SIZE,
        "fading": render.FADING,
        "strongestSize": render.STRONGEST_SIZE,
        "lastDropped": colours.LAST_DROPPED,
        "millisecondsARound": animation.MILLISECONDS_A_ROUND,
        "significantDigits": heat_figure.SIGNIFICANT_DIGITS,
        "code": {"length": len(CODES[0]), "base": len(DIGITS)},
        "barSteps": BAR_STEPS,
    }
    data["palettes"] = {name: palette.hex_colours() for name, palette in palettes.items()}
    parts = {
        "title": html.escape(str(title)),
        "style": _read("page.css"),
        "data": json_for_html(data),
        "library": packed_library(),
        "scripts": "\n".join("<script>\n{}</script>".format(_read(name)) for name in SCRIPTS),
    }
    # In one pass over the template, so that nothing within a part is taken for a place to fill.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match.group(1)], _read("page.html"))


@functools.lru_cache(maxsize=None)
def packed_library():
    """Plotly's script as `packing.packed` text."""
    from plotly.offline import get_plotlyjs

    return packing.packed(get_plotlyjs().encode("utf-8"))


def json_for_html(data):
    """JSON that can stand in a <script> element: ASCII alone, and no < that could end the element."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _read(name):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), encoding="utf-8") as file:
        return file.read()


def _cloud(views, palettes, view):
    """What the page is told of one cloud: its points, where they are seen from first and, for each method, its heat.

    Straight from above or below, turning about the up axis would have no right and left.
    """
    points = _placed(views[0].points)
    azimuth, elevation = view or render.best_view(points)
    camera = render.direction_of((azimuth, float(np.clip(elevation, -STEEPEST, STEEPEST))))
    found = {
        "caption": str(views[0].caption),
        "points": np.round(points, 4).ravel().tolist(),
        "camera": np.round(camera, 4).tolist(),
        "views": [_view(view, palettes) for view in views],
    }
    index = views[0].file_index
    if index is not None and (index >= 0).all() and (index != np.arange(len(index))).any():
        # Places ascend, so their steps are shorter to write. Points that are numbered as in their file need none.
        found["fileSteps"] = np.diff(np.append(0, index)).tolist()
    return found


def _placed(points):
    """A cloud [N, 3] as float64 about its middle, half its longest extent 1: digits are as fine in any units."""
    points = np.float64(points)
    points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    return points / (np.abs(points).max() or 1.0)


def _view(view, palettes):
    heat = packing.finite(view.heat)
    looks = {}
    for name, palette in palettes.items():
        for scale in colours.SCALES if name != ORDER else ():
            bar = colours.colour_bar(heat, name, scale)
            looks["{} {}".format(name, scale)] = {
                "colours": palette.encode(colours.heat_colours(heat, name, scale)),
                "bar": palette.encode(_thinned(bar.colours)),
                "range": packing.range_of(heat, name, scale),
                "label": bar.label,
                "zeroLabel": bar.zero_label,
                "zero": palette.encode([bar.box_colour]) if bar.zero_label else None,
            }
    rounds = [
        [one.round, one.points_left, None if np.isnan(one.accuracy) else packing.short(one.accuracy)]
        for one in view.rounds
    ]
    removed = np.asarray(view.removed_in_round)
    found = {
        "method": str(view.method),
        "heat": packing.base64_text(heat.astype("<f4").tobytes()),
        "removed": [],  # a gallery drops nothing: an empty list says so in fewer bytes
        "rounds": rounds,
        "looks": looks,
    }
    if (removed > 0).any():
        found.update(removed=removed.tolist(), order=_order(removed, palettes[ORDER]))
        if len(view.round_heats):
            found["roundHeats"] = packing.round_heats(heat, view.round_heats)
    return found


def _order(removed, palette):
    """The colours of points by when they were dropped, and what their bar says."""
    bar = colours.order_bar(removed)
    return {
        "colours": palette.encode(colours.order_colours(removed)),
        "bar": palette.encode(_thinned(bar.colours)[::-1]),  # the page reads from the first to the last
        "label": bar.label,
        "ends": list(bar.ends[::-1]),
        "zero": palette.encode([bar.box_colour]),
        "zeroLabel": bar.zero_label,
    }


def _ramp(colormap, palette):
    """All colours of a map, so that the page can colour the heat of single rounds, whose ranges it knows."""
    if colormap == "thesis":
        shares = np.linspace(0, 1, RAMP_STEPS + 1)
        found = colours.heat_colours(shares, colormap, colours.LINEAR)
        return {"codes": palette.encode(found[1:]), "none": palette.encode(found[:1]), "isDiverging": False}
    is_diverging = colours.is_diverging(colormap)
    shares = np.linspace(-1 if is_diverging else 0, 1, RAMP_STEPS)
    codes = palette.encode(colours.heat_colours(shares, colormap, colours.LINEAR))
    return {"codes": codes, "none": None, "isDiverging": is_diverging}


def _thinned(ramp):
    """BAR_STEPS of the colours of a bar, float array [K, 3], evenly spread; none of none."""
    ramp = np.reshape(ramp, (-1, 3))
    return ramp[np.linspace(0, len(ramp) - 1, BAR_STEPS if len(ramp) else 0).round().astype(int)]


class _Palette:
    """The colours that a page has of one colour map, each stored once and meant by its place."""

    def __init__(self):
        self._places = {}

    def encode(self, rgb):
        """Colours, float array [K, 3] in 0..1 -> a text of one of CODES for each."""
        rounded = np.rint(np.asarray(rgb, np.float64) * 255).astype(int).dot([1 << 16, 1 << 8, 1])
        return "".join(CODES[self._places.setdefault(value, len(self._places))] for value in rounded.tolist())

    def hex_colours(self):
        """List of "#rrggbb", in the order of their places."""
        return ["#{:06x}".format(value) for value in self._places]
