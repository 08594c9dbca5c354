"""The box that the tests of pages show: corners, heat, and three rounds of dropping."""

from typing import NamedTuple

import numpy as np

from utils.clouds.cloud import Cloud
from utils.viewer import html_page

NASTY = '</script><script>alert(1)</script> {{data}} <b>"M&M\'s" \u2028 Stühle'
# Corners of a box, longest along y: no two lie behind one another from the first camera.
POINTS = np.float32([[x, y, z] for x in (-0.4, 0.4) for y in (-0.9, 0.9) for z in (-0.3, 0.3)])
PLACED = POINTS / np.float32(0.9)  # as a page holds them: half the longest extent is 1
HEAT = np.float32([0, 0, 1, 2, 3, 4, 5, 123.456])
REMOVED = np.array([-1, -1, -1, -1, -1, 2, 1, 1])


class Round(NamedTuple):
    """What the page asks of a round of dropping."""

    round: int
    points_left: int
    accuracy: float


class Kept(NamedTuple):
    """What the page asks of the heat of a round."""

    round: int
    heat: np.ndarray


ROUNDS = [Round(1, 8, 1.0), Round(2, 6, np.nan), Round(3, 5, 0.25)]


def views():
    """Two heats of the box, as two methods; the first dropped three points."""
    return [
        html_page.View("p-grad-CAM", "box 0", POINTS, HEAT, REMOVED, ROUNDS),
        html_page.View("ASM", "box 0", POINTS, -HEAT, np.full(8, -1), ROUNDS[:1]),
    ]


def clouds(count, points=POINTS):
    """Two clouds of each of so many classes."""
    return [Cloud(points, label, "class {}".format(label), index, "") for label in range(count) for index in range(2)]
