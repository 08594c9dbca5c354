"""Figures of compare.py: one colour a method wherever it stands, and nothing beyond the edge."""

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest

from utils.compare import figures
from utils.explain import heat
from utils.pictures import plots

EDGE = 10  # pixels


def _bars(tmp_path, series):
    path = str(tmp_path / "bars.png")
    figures.save_bars(
        path,
        ["chair 0", "cone 0"],
        {name: ([3.0, 5.0] if name == "asm" else [1.0, 2.0], None) for name in series},
        "points",
    )
    return matplotlib.image.imread(path)[:, :, :3]


def _count(picture, colour):
    return (np.abs(picture - np.array(matplotlib.colors.to_rgb(colour))).max(axis=2) < 0.01).sum()


@pytest.mark.parametrize("methods", [["asm", "p-grad-cam"], ["p-grad-cam", "asm"], ["random", "asm"]])
def test_a_method_has_its_colour_in_bars_whatever_stands_before_it(tmp_path, methods):
    picture = _bars(tmp_path, methods)
    # The bars of asm are the longer ones.
    assert _count(picture, "#D55E00") > _count(picture, "0.55" if "random" in methods else "#0072B2") > 1000


@pytest.mark.parametrize("count", [2, 9])
def test_the_legend_of_bars_stays_on_the_picture(tmp_path, count):
    picture = _bars(tmp_path, list(heat.METHODS)[:count])
    for edge in (picture[:EDGE], picture[-EDGE:], picture[:, :EDGE], picture[:, -EDGE:]):
        assert (edge == 1).all()


def test_the_words_beside_the_colour_bar_stay_on_the_picture(tmp_path):
    path = str(tmp_path / "clouds.png")
    spheres = plots.Spheres(np.zeros((1, 2)), np.full(1, 0.1), np.zeros((1, 3)))
    figures.save_grid(
        path,
        ["chair"],
        ["asm"],
        [[(spheres, (-1, 1, -1, 1))]],
        np.zeros((4, 3)),
        "rank of the heat of each cloud, from the least to the greatest",
    )
    assert (matplotlib.image.imread(path)[:, -EDGE:, :3] == 1).all()
