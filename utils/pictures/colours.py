"""Heat -> colours of points, and the colour bar that says what they mean."""

from typing import NamedTuple, Optional, Tuple

import numpy as np

from utils import files, metrics

DEFAULT_COLORMAP = "coolwarm"
ROBUST, LINEAR, RANK = "robust", "linear", "rank"
SCALES = (ROBUST, LINEAR, RANK)
DEFAULT_SCALE = ROBUST
ROBUST_PERCENTILE = 98  # of the heats that are not 0, where the range of `robust` ends
ORDER_COLORMAP, ORDER_RANGE = "viridis", (0.0, 0.97)  # of matplotlib, and its part from the first dropped to the last
NEVER_DROPPED = 0.8  # grey
LAST_DROPPED = 0.25  # strength of the points that were dropped last
# Matplotlib's maps with a neutral middle: it belongs to heat 0.
DIVERGING = (
    "coolwarm",
    "bwr",
    "seismic",
    "RdBu",
    "RdGy",
    "RdYlBu",
    "RdYlGn",
    "PiYG",
    "PRGn",
    "BrBG",
    "PuOr",
    "Spectral",
    "berlin",
    "managua",
    "vanimo",
)


class ColourBar(NamedTuple):
    """What a colour bar says.

    Attributes:
      colours: float array [K, 3] in 0..1, bottom to top; empty for no bar.
      low: the value at its bottom.
      high: the value at its top.
      label: what the values are.
      zero_label: text beside a box under the bar, for points that have none of its colours; None for no box.
      least, greatest: of the values; where one lies beyond an end, that end is drawn pointed and says so.
      box_colour: of the box, 3 floats in 0..1.
      ends: texts at bottom and top in place of `low` and `high`; None for these numbers.
    """

    colours: np.ndarray
    low: float
    high: float
    label: str
    zero_label: Optional[str]
    least: float
    greatest: float
    box_colour: Tuple[float, float, float] = (0.0, 0.0, 0.0)
    ends: Optional[Tuple[str, str]] = None

    @property
    def is_pointed_below(self):
        """Whether there are values below the bottom."""
        return len(self.colours) > 0 and self.least < self.low

    @property
    def is_pointed_above(self):
        """Whether there are values above the top."""
        return len(self.colours) > 0 and self.greatest > self.high


def usual_scale(colormap):
    """The scale of a colour map where none is asked for: of `thesis` that of its formula, which ends at the maximum."""
    return LINEAR if colormap == "thesis" else DEFAULT_SCALE


def heat_colours(heat, colormap=DEFAULT_COLORMAP, scale=DEFAULT_SCALE):
    """Colours of points by their heat.

    `thesis` (Struhs 2020): with s = heat / max(heat), red = s, green = 1 - s, blue = 0, and black where heat
    is 0. It has no colour for evidence against a class, so negative heat counts as none: black.
    A map in DIVERGING, such as the default, has heat 0 in its middle and reaches as far on both sides: blue, grey, red
    for against, neither, for. Every other map is stretched from the least heat to the greatest, negative heat included;
    where all points have the same heat, they get the top colour if it is positive, else the bottom one.

    Args:
      heat: float array [N], N >= 1, of any sign.
      colormap: "thesis" or the name of a matplotlib colour map.
      scale: "robust", where no range, on either side of 0, goes beyond the size that 98 % of the heats other than 0
        have at most, and heat beyond has the colour of the end; "linear", to the extremes; or "rank" for the colours
        of `rank_scale(heat)`.

    Returns:
      float32 array [N, 3]: red, green and blue in 0..1.

    Raises:
      InputError: an unknown colour map or scale.
    """
    if scale not in SCALES:
        raise files.InputError("`scale` {}: give {}".format(scale, " or ".join(SCALES)))
    heat = _scaled(heat, scale)
    low, high = _mapped_range(heat, colormap, scale)
    return _thesis(heat, high) if colormap == "thesis" else _mapped(heat, colormap, low, high)


def heat_strengths(heat, colormap=DEFAULT_COLORMAP, scale=DEFAULT_SCALE):
    """How much points matter by the size of their heat [N], as `heat_colours` shows it: float array [N] in 0..1."""
    sizes = _scaled(heat, scale)
    sizes = np.maximum(sizes, 0) if colormap == "thesis" else np.abs(sizes)
    return np.minimum(sizes / (_reach(sizes) if scale == ROBUST else sizes.max() or 1.0), 1)


def colour_bar(heat, colormap=DEFAULT_COLORMAP, scale=DEFAULT_SCALE, label="heat"):
    """The ColourBar of `heat_colours` of the same heat, `label` naming that: it spans the heats that there are."""
    heat, label = _scaled(heat, scale), "rank of " + label if scale == RANK else label
    bottom, top, least, greatest = _bar_range(heat, colormap, scale)
    if colormap == "thesis":
        ramp = _thesis(np.linspace(0, top, 257)[1:], top) if greatest > 0 else ()
        zero_label = "0 or less" if heat.min() < 0 else "no heat"
        return ColourBar(ramp, bottom, top, label, zero_label, least, greatest)
    ramp = _mapped(np.linspace(bottom, top, 256), colormap, *_mapped_range(heat, colormap, scale))
    return ColourBar(ramp, bottom, top, label, None, least, greatest)


def bar_range(heat, colormap=DEFAULT_COLORMAP, scale=DEFAULT_SCALE):
    """`low`, `high`, `least` and `greatest` of the ColourBar of the same heat, without its colours: four floats."""
    return _bar_range(_scaled(heat, scale), colormap, scale)


def _bar_range(heat, colormap, scale):
    least, greatest = float(heat.min()) + 0.0, float(heat.max()) + 0.0  # + 0.0 makes 0 of -0
    low, high = _mapped_range(heat, colormap, scale)
    if colormap == "thesis":
        return 0.0, high, max(least, 0.0), max(greatest, 0.0)
    if is_diverging(colormap):
        low, high = max(min(least, 0.0), low), min(max(greatest, 0.0), high)
    return low, high, least, greatest


def order_colours(removed_in_round):
    """Colours of points by when they were dropped: the first strongest, those that never were grey.

    A point's place between first and last is how many points went before its round, of those that went before the last
    one: all of a round look the same, and each colour stands for as many points.

    Args:
      removed_in_round: int array [N], from 1; -1 for never.

    Returns:
      float32 array [N, 3]: red, green and blue in 0..1.
    """
    removed = np.asarray(removed_in_round)
    first, last = ORDER_RANGE
    dropped = _mapped(first + (last - first) * _places_in_order(removed), ORDER_COLORMAP)
    return np.where((removed > 0)[:, None], dropped, np.float32(NEVER_DROPPED))


def order_strengths(removed_in_round):
    """How early points were dropped: float array [N], from 1, the first, to LAST_DROPPED, the last; 0 for never."""
    removed = np.asarray(removed_in_round)
    return np.where(removed > 0, 1 - (1 - LAST_DROPPED) * _places_in_order(removed), 0.0)


def order_bar(removed_in_round):
    """The ColourBar of `order_colours` of the same rounds, from the last dropped, 0, to the first, 1, and a box."""
    is_dropped = (np.asarray(removed_in_round) > 0).any()
    ramp = _mapped(np.linspace(*ORDER_RANGE[::-1], num=256), ORDER_COLORMAP) if is_dropped else ()
    return ColourBar(
        ramp, 0.0, 1.0, "dropped", "never", 0.0, 1.0, box_colour=(NEVER_DROPPED,) * 3, ends=("last", "first")
    )


def rank_scale(heat):
    """Heat replaced by its rank, so that a few outliers do not hide the rest.

    Positive heats are ranked among themselves, ties sharing their average rank, and divided by their number.
    Zero stays zero. Negative heats are ranked likewise by their size, and stay negative.

    Args:
      heat: float array [N].

    Returns:
      float64 array [N] in -1..1; in 0..1 where no heat is negative.
    """
    ranked = np.zeros(len(heat))
    for sign in (1, -1):
        chosen = sign * heat > 0
        ranked[chosen] = sign * metrics.average_ranks(sign * heat[chosen]) / max(chosen.sum(), 1)
    return ranked


def is_diverging(colormap):
    """Whether a matplotlib colour map, reversed or not, has heat 0 in its middle."""
    return (colormap[:-2] if colormap.endswith("_r") else colormap) in DIVERGING


def _scaled(heat, scale):
    heat = np.asarray(heat, np.float64)
    return rank_scale(heat) if scale == RANK else heat


def _reach(sizes):
    """Where the range of `robust` ends, of sizes of heat [N]: one of them, so that few heats keep their range."""
    sizes = np.sort(sizes[sizes > 0])
    return float(sizes[-(-ROBUST_PERCENTILE * len(sizes) // 100) - 1]) if len(sizes) else 1.0


def _places_in_order(removed_in_round):
    """Of each point, how many went before its round, as a share of those before the last round: float array [N]."""
    before = np.searchsorted(np.sort(removed_in_round[removed_in_round > 0]), removed_in_round)
    return before / (before.max() or 1)


def _mapped_range(heat, colormap, scale):
    """The values that a map has at its two ends."""
    low, high = float(heat.min()) + 0.0, float(heat.max()) + 0.0
    if scale == ROBUST:
        reach = _reach(np.abs(heat))
        low, high = (min(max(end, -reach), reach) for end in (low, high))
    if colormap == "thesis":
        return 0.0, max(high, 0.0)
    if is_diverging(colormap):
        reach = max(-low, high) or 1.0
        return -reach, reach
    return (min(low, 0.0), max(high, 0.0)) if low == high else (low, high)


def _thesis(heat, greatest):
    share = np.clip(heat / (greatest or 1.0), 0, 1)
    return np.float32((heat > 0)[:, None] * np.stack([share, 1 - share, np.zeros_like(share)], axis=1))


def _mapped(values, colormap, low=0.0, high=1.0):
    import matplotlib

    if colormap not in matplotlib.colormaps:
        raise files.InputError(
            "`colormap` {}: no such map; give thesis or one of matplotlib's, such as viridis or cividis".format(
                colormap
            )
        )
    return np.float32(matplotlib.colormaps[colormap]((values - low) / ((high - low) or 1.0))[:, :3])
