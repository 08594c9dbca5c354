"""How numbers are written for people, everywhere alike."""

import numpy as np


def percent(share, digits=1):
    """A share of votes or clouds, or a probability, as people read it: 0.333 is 33.3 %; NaN is a dash.

    Args:
      share: in 0..1.
      digits: after the point: two for a whole test split, of which a cloud is less than 0.1 %.
    """
    return "-" if np.isnan(share) else "{:.{}f} %".format(100 * share, digits)


def counted(number, word, plural=None):
    """A number of things as people read it, such as "1 point" or "40 classes"; `plural` where that is no word + s."""
    return "{} {}".format(number, word if number == 1 else plural or word + "s")
