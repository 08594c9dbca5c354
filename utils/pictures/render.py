"""A cloud as one camera sees it, drawn by Open3D off-screen or by matplotlib; y is up."""

import numpy as np

from utils.pictures import heat_figure, open3d_scene, plots
from utils.pictures.colours import heat_colours, heat_strengths
from utils.pictures.open3d_scene import CAMERA_DISTANCE

DOT_SIZE = 0.72  # diameter of a point, of the side of the area that it has on average
STRONGEST_SIZE = 1.5  # of a point of strength 1, in diameters of one of strength 0
LIFT = 2.0  # radii of the cloud by which a point of strength 1 is drawn nearer than it is: over whatever lies before it
FADING = 0.25  # share of white at the farthest point
# From the cloud to the camera; the height above the cloud is that of all pictures, the direction about the up axis that
# of clouds that look alike from all sides.
CAMERA_DIRECTION = np.array([0.8, 0.6, 1.0])
BEST_STEP = 5  # degrees between the directions that `best_view` tries
AS_GOOD = 0.99  # share of the largest area from which a view counts as good as the best
OUTLINE = 64  # directions in which the outline of a cloud is sought
DROPPED_COLOUR, DROPPED_SIZE = 0.8, 0.35  # grey; share of a point's radius
SECONDS_TO_RENDER, SECONDS_A_PANEL = 90, 5


def best_view(points):
    """The view from which a cloud looks largest, by the area within its outline, at the height of CAMERA_DIRECTION.

    Of several as good, such as an airplane's from the left and from the right, that nearest to CAMERA_DIRECTION.

    Args:
      points: float array [N, 3], N >= 1, y up.

    Returns:
      (azimuth, elevation) in degrees, as for `View`.
    """
    usual, elevation = angles_of(CAMERA_DIRECTION)
    turns = np.arange(0, 360, BEST_STEP)
    areas = np.array([outline_area(points, (usual + turn, elevation)) for turn in turns])
    turn = min(turns[areas >= AS_GOOD * areas.max()], key=lambda one: min(one, 360 - one))
    return (usual + float(turn)) % 360, elevation


def best_direction(points):
    """The direction [3] from a cloud to the camera of `best_view`."""
    return direction_of(best_view(points))


def outline_area(points, view):
    """Area of the convex hull of points [N, 3] as seen from afar from a view (azimuth, elevation)."""
    seen = np.asarray(points, np.float64).dot(camera_axes(view)[:2].T)
    around = np.arange(OUTLINE) * 2 * np.pi / OUTLINE
    x, y = seen[seen.dot([np.cos(around), np.sin(around)]).argmax(axis=0)].T
    return abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


def direction_of(view):
    """The direction [3], of length 1, from the cloud to the camera of a view (azimuth, elevation)."""
    return camera_axes(view)[2]


def angles_of(direction):
    """The view (azimuth, elevation) of a direction [3] from the cloud to the camera."""
    x, y, z = direction
    return float(np.degrees(np.arctan2(x, z))), float(np.degrees(np.arctan2(y, np.hypot(x, z))))


def camera_axes(view):
    """float64 array [3, 3], whose rows are the right, up and backward axes of the camera of a view."""
    azimuth, elevation = np.radians(view)
    right = [np.cos(azimuth), 0.0, -np.sin(azimuth)]
    flat = np.array([np.sin(azimuth), 0.0, np.cos(azimuth)])
    back = flat * np.cos(elevation) + [0.0, np.sin(elevation), 0.0]
    return np.stack([right, np.cross(back, right), back])


class View:
    """What the camera sees of a cloud that turns about its up axis.

    Attributes:
      camera_points: float64 array [T, N, 3], for each of T angles the cloud in the camera's axes, scaled to radius 1:
        x right, y up, z towards the camera, which is the origin.
      window: (left, right, bottom, top) of the picture, on the plane at distance 1 from the camera; it shows the cloud
        at all angles.
      radius: of the sphere that shows one point, fitted to how densely the cloud fills the picture.
    """

    def __init__(self, points, view=None, angles=(0.0,)):
        """Sets the camera up.

        Args:
          points: float array [N, 3], N >= 1, y up.
          view: (azimuth, elevation) of the camera in degrees: azimuth 0 on the cloud's z axis, 90 on its x axis, and
            elevation 90 straight above; None: see `best_view`.
          angles: by which the cloud is turned, counter-clockwise as seen from above, in radians.
        """
        points = np.asarray(points, np.float64)
        points = points - (points.min(axis=0) + points.max(axis=0)) / 2
        axes = camera_axes(best_view(points) if view is None else view)
        turned = np.stack([points.dot(_turn(angle)) for angle in angles]).dot(axes.T)
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

    def panel(self, colours, strengths=None, removed=None, is_shown=None, number=0):
        """What one panel shows, in the camera's axes: points [N, 3], colours [N, 3], radii [N].

        Args:
          colours: float array [N, 3]; shown paler with distance, FADING white at the farthest point.
          strengths: float array [N] in 0..1: stronger points are larger, and drawn over weaker ones before them; None
            for all alike.
          removed: bool array [N]: points that are shown small and pale; None for none.
          is_shown: bool array [N]: points that are shown at all; None for all.
          number: which of the angles.
        """
        points = self.camera_points[number]
        depth = -points[:, 2]
        strengths = np.zeros(len(points)) if strengths is None else np.array(strengths, float)
        radii = np.full(len(points), self.radius)
        if removed is not None:
            colours = np.where(removed[:, None], DROPPED_COLOUR, colours)
            radii[removed] *= DROPPED_SIZE
            strengths[removed] = 0
        radii *= 1 + (STRONGEST_SIZE - 1) * strengths
        if is_shown is not None:
            radii[~is_shown] = 0
        share = FADING * (depth - depth.min()) / (np.ptp(depth) or 1.0)
        # Along its line of sight, as much smaller as it is nearer, a point looks as it did.
        nearer = (depth - LIFT * strengths) / depth
        return points * nearer[:, None], colours + (1 - colours) * share[:, None], radii * nearer


def _turn(angle):
    """Rotation matrix [3, 3] about the up axis by an angle in radians, to be applied as points . R."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])


def _matplotlib_panel(camera_points, colours, radii):
    """The plots.Spheres that the camera sees, far to near."""
    order = np.argsort(camera_points[:, 2], kind="stable")
    order = order[radii[order] > 0]
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


def small_picture(points, heat, colormap, scale, view=None):
    """A cloud and its heat for a panel of a larger figure, drawn by matplotlib.

    Args:
      points: float array [N, 3], N >= 1, y up.
      heat, colormap, scale: as for `colours.heat_colours`.
      view: as for `View`.

    Returns:
      plots.Spheres, and the window (left, right, bottom, top) that shows them.
    """
    seen = View(points, view)
    panel = seen.panel(heat_colours(heat, colormap, scale), heat_strengths(heat, colormap, scale))
    return _matplotlib_panel(*panel), seen.window
