"""What the page holds in few bytes: a packed library, and the heat of many rounds, a byte a point."""

import base64
import zlib

import numpy as np

from utils.pictures import colours

STRENGTH = 1000.0  # of the curve that bytes follow: the least heat that is told from 0 is 1 / 18,000 of the greatest
GREATEST_BYTE = 127


def base64_text(content):
    """Bytes as text that can stand in HTML and in JSON."""
    return base64.b64encode(content).decode("ascii")


def packed(content):
    """Bytes -> shorter text, the same for the same bytes, which `unpacked` of data.js reads."""
    return base64_text(zlib.compress(content, 9))


def finite(heat):
    """Heat as float64 array [N] that JSON and colours can hold: NaN is none, infinite is the greatest there is."""
    heat = np.array(heat, np.float64)
    known = np.abs(heat[np.isfinite(heat)])
    greatest = known.max() if len(known) else 1.0
    heat[np.isnan(heat)] = 0
    return np.clip(heat, -greatest, greatest)


def round_heats(whole, kept):
    """The heat of single rounds for rounds.js.

    A heat is one byte: it follows the curve by which telephones pack speech (mu-law), so that a point of a hundredth of
    the greatest heat keeps its heat to a few percent.

    Args:
      whole: float array [N], the heat of the first round.
      kept: list of what has `round`, from 2 and ascending, and `heat`, array [M], M >= 1, of the points left.

    Returns:
      Dictionary that JSON takes. `ranges` holds, for diverging and stretched maps by each scale but rank, what
      `range_of` says of the first round and of each of `kept`.
    """
    heats = [finite(one.heat) for one in kept]
    greatest = [float(np.abs(heat).max()) for heat in heats]
    codes = [_bytes(heat, most) for heat, most in zip(heats, greatest)]
    return {
        "rounds": [int(one.round) for one in kept],
        "greatest": [short(most) for most in greatest],
        "starts": np.cumsum([0] + [len(heat) for heat in heats]).tolist(),
        "strength": STRENGTH,
        "packed": packed(np.concatenate(codes).tobytes()),
        "ranges": {
            "{} {}".format(kind, scale): [range_of(heat, colormap, scale) for heat in [whole] + heats]
            for kind, colormap in (("diverging", colours.DEFAULT_COLORMAP), ("stretched", "viridis"))
            for scale in (colours.ROBUST, colours.LINEAR)
        },
    }


def _bytes(heat, greatest):
    share = np.abs(heat) / (greatest or 1.0)
    return np.int8(np.sign(heat) * np.rint(GREATEST_BYTE * np.log1p(STRENGTH * share) / np.log1p(STRENGTH)))


def range_of(heat, colormap, scale):
    """The four numbers of a heat's colour bar: its bottom and top, and the least and the greatest value."""
    return [short(number) for number in colours.bar_range(heat, colormap, scale)]


def short(number):
    """A number with as many digits as a reader, or a colour, could want."""
    return float("{:.5g}".format(number))
