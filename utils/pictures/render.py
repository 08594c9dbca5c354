"""Points and heat -> a picture, a window.

Both renderers of the picture, Open3D off-screen and matplotlib, draw what one camera sees: it stands in front
of, above and to the right of the cloud, and y is up.
"""

import numpy as np

from utils.pictures import heat_figure, open3d_scene, plots
from utils.pictures.colours import DEFAULT_COLORMAP, DEFAULT_SCALE, colour_bar, heat_colours
from utils.pictures.open3d_scene import CAMERA_DISTANCE, TEXT_HEIGHT

DOT_SIZE = 0.72  # diameter of a point, of the side of the area that it has on average
FADING = 0.25  # share of white at the farthest point
CAMERA_DIRECTION = np.array([0.8, 0.6, 1.0])  # from the cloud to the camera; ModelNet40's airplanes point along x
DROPPED_COLOUR, DROPPED_SIZE = 0.8, 0.35  # grey; share of a point's radius
SECONDS_TO_RENDER, SECONDS_A_PANEL = 90, 5


def save_heat_picture(
    path, points, heat, removed, title, colormap=DEFAULT_COLORMAP, scale=DEFAULT_SCALE, label="heat", ending=""
):
    """Writes the picture of a cloud and its heat: by Open3D where it works off-screen, else by matplotlib.

    On the left the whole cloud, on the right what the dropping left, with the dropped points small and pale, and
    a colour bar. One panel alone where nothing was dropped.

    Args:
      path: the file to write, whose ending is one of plots.FORMATS.
      points: float array [N, 3], N >= 1, y up.
      heat: float array [N].
      removed: bool array [N]: whether a point was dropped.
      title: text above the picture.
      colormap, scale: as for `heat_colours`.
      label: of the colour bar.
      ending: text after the number of points left.

    Returns:
      "Open3D" or "matplotlib": which of them drew it.

    Raises:
      InputError: an unknown colour map or scale.
      OSError: the file cannot be written; what was there before is kept.
    """
    heat, removed = np.asarray(heat, np.float64), np.asarray(removed, bool)
    colours, view = heat_colours(heat, colormap, scale), View(points)
    captions = ["whole cloud: {} points".format(len(removed))]
    panels = [view.panel(colours)]
    if removed.any():
        captions.append("{} points left{}".format((~removed).sum(), ending))
        panels.append(view.panel(colours, removed))
    drawings, renderer = draw_panels(view.window, panels, heat_figure.panel_pixels(view.window, len(panels)))
    figure = heat_figure.heat_figure(
        list(zip(captions, drawings)), view.window, colour_bar(heat, colormap, scale, label), title
    )
    plots.save_figure(figure, path)
    return renderer


class View:
    """What the camera sees of a cloud that turns about its up axis.

    Attributes:
      camera_points: float64 array [T, N, 3], for each of T angles the cloud in the camera's axes, scaled to radius 1:
        x right, y up, z towards the camera, which is the origin.
      window: (left, right, bottom, top) of the picture, on the plane at distance 1 from the camera; it shows the cloud
        at all angles.
      radius: of the sphere that shows one point, fitted to how densely the cloud fills the picture.
    """

    def __init__(self, points, angles=(0.0,)):
        """Sets the camera up.

        Args:
          points: float array [N, 3], N >= 1, y up.
          angles: by which the cloud is turned, counter-clockwise as seen from above, in radians.
        """
        points = np.asarray(points, np.float64)
        points = points - (points.min(axis=0) + points.max(axis=0)) / 2
        turned = np.stack([points.dot(_turn(angle)) for angle in angles]).dot(_camera_axes().T)
        turned -= (turned.min(axis=(0, 1)) + turned.max(axis=(0, 1))) / 2
        turned /= np.linalg.norm(turned, axis=2).max() or 1.0
        self.camera_points = turned - [0, 0, CAMERA_DISTANCE]
        seen = self.camera_points[:, :, :2] / -self.camera_points[:, :, 2:]
        low, high = seen.min(axis=(0, 1)), seen.max(axis=(0, 1))
        size = np.maximum(high - low, 0.2 / CAMERA_DISTANCE)
        radius_seen = min(DOT_SIZE / 2 * np.sqrt(size.prod() / len(points)), 0.02 * size.max())
        self.radius = CAMERA_DISTANCE * radius_seen
        size += 4 * radius_seen
        width = max(size[0], size[1] * heat_figure.PANEL_ASPECTS[0])
        height = max(size[1], width / heat_figure.PANEL_ASPECTS[1])
        x, y = (low + high) / 2
        self.window = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)

    def panel(self, colours, removed=None, number=0):
        """What one panel shows, in the camera's axes: points [N, 3], colours [N, 3], radii [N].

        Args:
          colours: float array [N, 3]; shown paler with distance, FADING white at the farthest point.
          removed: bool array [N]: points that are shown small and pale; None for none.
          number: which of the angles.
        """
        points = self.camera_points[number]
        depth = -points[:, 2]
        radii = np.full(len(points), self.radius)
        if removed is not None:
            colours = np.where(removed[:, None], DROPPED_COLOUR, colours)
            radii[removed] *= DROPPED_SIZE
        share = FADING * (depth - depth.min()) / (np.ptp(depth) or 1.0)
        return points, colours + (1 - colours) * share[:, None], radii


def _turn(angle):
    """Rotation matrix [3, 3] about the up axis by an angle in radians, to be applied as points . R."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])


def _camera_axes():
    """float64 array [3, 3], whose rows are the camera's right, up and backward axes."""
    right = np.cross([0, 1, 0], CAMERA_DIRECTION)
    axes = np.stack([right, np.cross(CAMERA_DIRECTION, right), CAMERA_DIRECTION])
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _matplotlib_panel(camera_points, colours, radii):
    """The plots.Spheres that the camera sees, far to near."""
    order = np.argsort(camera_points[:, 2])
    depth = -camera_points[order, 2]
    return plots.Spheres(camera_points[order, :2] / depth[:, None], radii[order] / depth, colours[order])


def draw_panels(window, panels, pixels):
    """Draws panels by Open3D where it works off-screen, else by matplotlib.

    Args:
      window: (left, right, bottom, top) that each panel shows.
      panels: list of what `View.panel` returns.
      pixels: (width, height) of a panel.

    Returns:
      A list of uint8 images [height, width, 3] and "Open3D", or of plots.Spheres and "matplotlib".
    """
    images = _open3d_panels(window, panels, pixels)
    if images is None:
        return [_matplotlib_panel(*panel) for panel in panels], "matplotlib"
    return list(images), "Open3D"


def _open3d_panels(window, panels, pixels):
    """The panels as Open3D draws them, uint8 [panels, height, width, 3]; None where it cannot."""
    width, height = pixels
    points, colours, radii = (np.stack(arrays) for arrays in zip(*panels))
    try:
        images = open3d_scene.run(
            "picture",
            SECONDS_TO_RENDER + SECONDS_A_PANEL * len(panels),
            window=window,
            size=(width, height),
            points=points,
            colours=colours,
            radii=radii,
        )["images"]
    except open3d_scene.Unavailable:
        return None
    # A driver that draws nothing leaves pictures of one colour.
    drawn = images.shape == (len(panels), height, width, 3) and all(image.min() < 240 < image.max() for image in images)
    return images if drawn else None


def small_picture(points, heat, colormap, scale):
    """A cloud and its heat for a panel of a larger figure, drawn by matplotlib.

    Args:
      points, heat, colormap, scale: as for `save_heat_picture`.

    Returns:
      plots.Spheres, and the window (left, right, bottom, top) that shows them.
    """
    view = View(points)
    return _matplotlib_panel(*view.panel(heat_colours(heat, colormap, scale))), view.window


def show_window(views, title):
    """Shows clouds side by side, two in a row, in one Open3D window, each above its label; returns when it is closed.

    Where no window opens, one printed line says so.

    Args:
      views: list of (label, points [N, 3], colours [N, 3] in 0..1), row by row; y is up.
      title: of the window.
    """
    labels, clouds, colours = zip(*views)
    view = View(np.concatenate(clouds))
    counts = [len(cloud) for cloud in clouds]
    radius = view.radius * np.sqrt(sum(counts) / max(counts))  # fitted to all of them in one place
    low, high = view.camera_points[0].min(axis=0) - radius, view.camera_points[0].max(axis=0) + radius
    step = (high - low + [0, 4 * TEXT_HEIGHT, 0]) * [1.1, -1.1, 0]
    shifts = np.array([[number % 2, number // 2, 0] for number in range(len(clouds))]) * step
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
            points=view.camera_points[0] + np.repeat(shifts, counts, axis=0),
            colours=np.concatenate(colours),
            radii=np.full(sum(counts), radius),
            labels=np.array(labels),
            label_places=shifts[:, :2] + [(low[0] + high[0]) / 2, low[1] - TEXT_HEIGHT],
            label_width=step[0],
        )
    except open3d_scene.Unavailable:
        print("Open3D could not show its window here; the picture files show the same.")
