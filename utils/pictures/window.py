"""Clouds side by side in a window of Open3D, to turn."""

from typing import NamedTuple

import numpy as np

from utils.pictures import open3d_scene, render
from utils.pictures.open3d_scene import TEXT_HEIGHT


class Panel(NamedTuple):
    """One cloud in the window.

    Attributes:
      label: text below it.
      points: float array [N, 3], y up.
      colours: float array [N, 3] in 0..1.
      strengths: float array [N] in 0..1: stronger points are larger.
    """

    label: str
    points: np.ndarray
    colours: np.ndarray
    strengths: np.ndarray


def show(panels, columns, title, view=None):
    """Shows clouds side by side in one Open3D window, each above its label; returns when it is closed.

    Where no window opens, one printed line says so.

    Args:
      panels: list of Panel, row by row.
      columns: how many stand in a row.
      title: of the window.
      view: as for `render.View`.
    """
    labels, clouds, colours, strengths = zip(*panels)
    seen = render.View(np.concatenate(clouds), view)
    counts = [len(cloud) for cloud in clouds]
    radius = seen.radius * np.sqrt(sum(counts) / max(counts))  # fitted to all of them in one place
    low, high = seen.camera_points[0].min(axis=0) - radius, seen.camera_points[0].max(axis=0) + radius
    step = (high - low + [0, 4 * TEXT_HEIGHT, 0]) * [1.1, -1.1, 0]
    shifts = np.array([[number % columns, number // columns, 0] for number in range(len(clouds))]) * step
    print(
        "Window, row by row: {}.\n  drag: turn   Ctrl-drag: move   wheel: zoom   + -: size of the points   R: view as "
        "at first\n  P: save a picture of the window   H: all keys, listed here   Q: close".format(", ".join(labels)),
        flush=True,
    )
    try:
        open3d_scene.run(
            "window",
            None,
            title=title,
            points=seen.camera_points[0] + np.repeat(shifts, counts, axis=0),
            colours=np.concatenate(colours),
            radii=radius * (1 + (render.STRONGEST_SIZE - 1) * np.concatenate(strengths)),
            labels=np.array(labels),
            label_places=shifts[:, :2] + [(low[0] + high[0]) / 2, low[1] - TEXT_HEIGHT],
            label_width=step[0],
        )
    except open3d_scene.Unavailable:
        print("Open3D could not show its window here; the picture files show the same.")
