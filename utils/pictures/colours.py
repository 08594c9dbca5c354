"""Heat -> colours of points, and the colour bar that says what they mean."""

from typing import NamedTuple, Optional

import numpy as np

from utils import files, metrics

DEFAULT_COLORMAP = "coolwarm"
SCALES = ("linear", "rank")
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
      zero_label: text beside a black box under the bar, for points without heat; None for no box.
    """

    colours: np.ndarray
    low: float
    high: float
    label: str
    zero_label: Optional[str]


def heat_colours(heat, colormap=DEFAULT_COLORMAP, scale="linear"):
    """Colours of points by their heat.

    `thesis` (Struhs 2020): with s = heat / max(heat), red = s, green = 1 - s, blue = 0, and black where heat
    is 0. It has no colour for evidence against a class, so negative heat counts as none: black.
    A map in DIVERGING, such as the default, has heat 0 in its middle and reaches as far on both sides: blue, grey, red
    for against, neither, for. Every other map is stretched from the least heat to the greatest, negative heat included;
    where all points have the same heat, they get the top colour if it is positive, else the bottom one.

    Args:
      heat: float array [N], N >= 1, of any sign.
      colormap: "thesis" or the name of a matplotlib colour map.
      scale: "linear", or "rank" for the colours of `rank_scale(heat)`.

    Returns:
      float32 array [N, 3]: red, green and blue in 0..1.

    Raises:
      InputError: an unknown colour map or scale.
    """
    if scale not in SCALES:
        raise files.InputError("`scale` {}: give {}".format(scale, " or ".join(SCALES)))
    heat = _scaled(heat, scale)
    if colormap == "thesis":
        share = np.maximum(heat, 0) / (max(heat.max(), 0) or 1.0)
        return np.float32((heat > 0)[:, None] * np.stack([share, 1 - share, np.zeros_like(share)], axis=1))
    low, high = _mapped_range(heat, colormap)
    return _mapped(heat, colormap, low, high)


def colour_bar(heat, colormap=DEFAULT_COLORMAP, scale="linear", label="heat"):
    """The ColourBar of `heat_colours` of the same heat, `label` naming that: it spans the heats that there are."""
    heat, label = _scaled(heat, scale), "rank of " + label if scale == "rank" else label
    least, greatest = float(heat.min()) + 0.0, float(heat.max()) + 0.0  # + 0.0 makes 0 of -0
    if colormap == "thesis":
        ramp = heat_colours(np.linspace(0, greatest, 257)[1:], "thesis") if greatest > 0 else ()
        return ColourBar(ramp, 0.0, max(greatest, 0.0), label, "0 or less" if least < 0 else "no heat")
    low, high = min(least, 0.0), max(greatest, 0.0)
    if not is_diverging(colormap):
        low, high = (low, high) if least == greatest else (least, greatest)
    return ColourBar(
        _mapped(np.linspace(low, high, 256), colormap, *_mapped_range(heat, colormap)), low, high, label, None
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
    return rank_scale(heat) if scale == "rank" else heat


def _mapped_range(heat, colormap):
    """The values that a matplotlib map has at its two ends."""
    low, high = float(heat.min()), float(heat.max())
    if is_diverging(colormap):
        reach = max(-low, high) or 1.0
        return -reach, reach
    return (min(low, 0.0), max(high, 0.0)) if low == high else (low, high)


def _mapped(values, colormap, low, high):
    import matplotlib

    if colormap not in matplotlib.colormaps:
        raise files.InputError(
            "`colormap` {}: no such map; give thesis or one of matplotlib's, such as viridis or cividis".format(
                colormap
            )
        )
    return np.float32(matplotlib.colormaps[colormap]((values - low) / ((high - low) or 1.0))[:, :3])
