"""What a figure of compare.py shows, for the tests of them."""

import matplotlib.colors
import matplotlib.image
import matplotlib.text
import numpy as np

from utils.explain.methods import METHODS

SIXTEEN = ["method {}".format(number) for number in range(9)] + [name for name in METHODS if name != "asm"][-7:]
EDGE = 10  # pixels


def read(path):
    """The pixels of a picture, float array [height, width, 3]."""
    return matplotlib.image.imread(path)[:, :, :3]


def count(picture, colour):
    """How many pixels of a picture have a colour."""
    return (np.abs(picture - np.array(matplotlib.colors.to_rgb(colour))).max(axis=2) < 0.01).sum()


def assert_edges_are_white(picture):
    for edge in (picture[:EDGE], picture[-EDGE:], picture[:, :EDGE], picture[:, -EDGE:]):
        assert (edge == 1).all()


def drawn(monkeypatch, module, draw):
    """The figure that a function of a module draws, and all its texts."""
    kept = []
    monkeypatch.setattr(module.plots, "save_figure", lambda figure, _: kept.append(figure))
    draw()
    (figure,) = kept
    figure.canvas.draw()
    return figure, [text for text in figure.findobj(matplotlib.text.Text) if text.get_text().strip()]
