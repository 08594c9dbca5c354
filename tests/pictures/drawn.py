"""Pictures of small clouds by their pixels, for the tests of both renderers."""

from types import SimpleNamespace

import numpy as np

from utils.pictures import heat_figure, heat_picture, plots, render

RED_ABOVE_GREEN = np.array([[0, 1, 0], [0, -1, 0], [0.5, 0, 0], [-0.5, 0, 0]], np.float32)
HEAT = np.array([4, 1e-6, 0, 0], np.float32)
NONE_REMOVED = np.zeros(4, bool)


def read(path):
    """float array [height, width, 3] of a PNG."""
    from matplotlib.image import imread

    return imread(str(path))[:, :, :3]


def without_colour_bar(image):
    below = heat_figure.BAR_ABOVE + heat_figure.BAR_HEIGHT + heat_figure.TICK_SPACE + heat_figure.MARGIN
    return image[: -int(plots.DOTS_PER_INCH * (below + heat_figure.LINE_HEIGHT * heat_figure.TEXT_SIZE / 72))]


def save(path, points, heat, removed, title, colormap="coolwarm", scale="linear", panels=("heat", "left"), **look):
    """Saves the picture of points of which some were removed, as seen from CAMERA_DIRECTION."""
    run = SimpleNamespace(
        points=points, heat=heat, removed_in_round=np.where(removed, 1, -1), heat_when_removed=np.where(removed, 1, 0)
    )
    look = heat_picture.Look(colormap, scale, panels, render.angles_of(render.CAMERA_DIRECTION), **look)
    return heat_picture.save(str(path), run, title, look)


def pixels(image, red, green):
    """bool [height, width]: pixels of saturated red and/or green."""
    other = image[:, :, [not red, not green, True]].max(axis=2)
    return image[:, :, [red, green, False]].min(axis=2) - other > 0.4
