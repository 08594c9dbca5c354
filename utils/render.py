"""Points and heat -> a picture, a window.

Both renderers of the picture, Open3D off-screen and matplotlib, draw what one camera sees: it stands in front
of, above and to the right of the cloud, and y is up. Open3D ends the whole process where it finds no OpenGL, so
it always runs in a process of its own: `python -m utils.render`.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

from utils import command_line, plots
from utils.colours import DEFAULT_COLORMAP, colour_bar, heat_colours

CAMERA_DIRECTION = np.array([0.8, 0.6, 1.0])  # from the cloud to the camera; ModelNet40's airplanes point along x
CAMERA_DISTANCE = 4.0  # in radii of the cloud: near enough for perspective, too far for distortion
DROPPED_COLOUR = 0.88  # light grey
SECONDS_TO_RENDER = 90


def has_display():
    """Whether a window may open: always on Windows and macOS, else where X11 or Wayland is announced."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def save_heat_picture(path, points, heat, removed, title, colormap=DEFAULT_COLORMAP, scale="linear"):
    """Writes the picture of a cloud and its heat, as PNG: by Open3D where it works off-screen, else by matplotlib.

    On the left the whole cloud, on the right what the dropping left, with the dropped points in light grey, and
    a colour bar. One panel alone where nothing was dropped.

    Args:
      path: the PNG file to write.
      points: float array [N, 3], N >= 1, y up.
      heat: float array [N].
      removed: bool array [N]: whether a point was dropped.
      title: text above the picture.
      colormap, scale: as for `heat_colours`.

    Returns:
      "Open3D" or "matplotlib": which of them drew it.

    Raises:
      InputError: an unknown colour map or scale.
      OSError: the file cannot be written; what was there before is kept.
    """
    heat, removed = np.asarray(heat, np.float64), np.asarray(removed, bool)
    colours, view = heat_colours(heat, colormap, scale), _View(points)
    captions = ["whole cloud: {} points".format(len(removed))]
    panels = [view.panel(colours, 1.0)]
    if removed.any():
        captions.append("after dropping: {} points left, {} dropped (grey)".format((~removed).sum(), removed.sum()))
        panels.append(view.panel(np.where(removed[:, None], DROPPED_COLOUR, colours), np.where(removed, 0.6, 1.0)))
    drawn = _open3d_panels(view.window, panels)
    renderer = "matplotlib" if drawn is None else "Open3D"
    if drawn is None:
        drawn = [_matplotlib_panel(*panel) for panel in panels]
    plots.save_heat_figure(path, list(zip(captions, drawn)), view.window, colour_bar(heat, colormap, scale), title)
    return renderer


class _View:
    """What the camera sees of a cloud.

    Attributes:
      camera_points: float64 array [N, 3], the cloud in the camera's axes and scaled to radius 1: x right, y up, z
        towards the camera, which is the origin.
      window: (left, right, bottom, top) of the picture, on the plane at distance 1 from the camera.
      radius: of the sphere that shows one point, fitted to how densely the cloud fills the picture.
    """

    def __init__(self, points):
        turned = np.asarray(points, np.float64).dot(_camera_axes().T)
        turned -= (turned.min(axis=0) + turned.max(axis=0)) / 2
        turned /= np.linalg.norm(turned, axis=1).max() or 1.0
        self.camera_points = turned - [0, 0, CAMERA_DISTANCE]
        seen = self.camera_points[:, :2] / -self.camera_points[:, 2:]
        low, high = seen.min(axis=0), seen.max(axis=0)
        size = np.maximum(high - low, 0.2 / CAMERA_DISTANCE)
        radius_seen = min(0.36 * np.sqrt(size.prod() / len(points)), 0.02 * size.max())
        self.radius = CAMERA_DISTANCE * radius_seen
        size += 4 * radius_seen
        width = max(size[0], size[1] * plots.PANEL_ASPECTS[0])
        height = max(size[1], width / plots.PANEL_ASPECTS[1])
        x, y = (low + high) / 2
        self.window = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)

    def panel(self, colours, size):
        """What one panel shows, in the camera's axes: points [N, 3], colours [N, 3], radii [N].

        Args:
          colours: float array [N, 3]; shown paler with distance, a quarter white at the farthest point.
          size: float array [N] or float, of a point's sphere, in `radius`.
        """
        depth = -self.camera_points[:, 2]
        share = 0.25 * (depth - depth.min()) / (np.ptp(depth) or 1.0)
        return self.camera_points, colours + (1 - colours) * share[:, None], size * self.radius * np.ones_like(depth)


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


def _open3d_panels(window, panels):
    """The panels as Open3D draws them, uint8 [panels, height, width, 3]; None where it can't, whatever the reason."""
    width, height = plots.panel_pixels(window, len(panels))
    points, colours, radii = (np.stack(arrays) for arrays in zip(*panels))
    try:
        images = _run_open3d("picture", SECONDS_TO_RENDER, window=window, size=(width, height), points=points,
                             colours=colours, radii=radii)["images"]
    except Exception:  # a crash, a time-out, no Open3D, no folder to write to: matplotlib draws the picture then
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
    view = _View(points)
    return _matplotlib_panel(*view.panel(heat_colours(heat, colormap, scale), 1.0)), view.window


def show_window(views, title):
    """Shows clouds side by side in one Open3D window, and returns when it is closed.

    Where no window opens, one printed line says so.

    Args:
      views: list of (label, points [N, 3], colours [N, 3] in 0..1), left to right; y is up.
      title: of the window.
    """
    labels, clouds, colours = zip(*views)
    view = _View(np.concatenate(clouds))
    step = 1.1 * np.ptp(view.camera_points[:, 0]) + 4 * view.radius
    shifts = np.repeat(np.arange(len(clouds)) * step, [len(cloud) for cloud in clouds])
    points = view.camera_points + shifts[:, None] * [1, 0, 0]
    print("Window, left to right: {}. Drag to turn, roll to zoom, H for all keys (listed here), Q to close.".format(
        ", ".join(labels)), flush=True)
    try:
        _run_open3d("window", None, title=title, points=points, colours=np.concatenate(colours),
                    radii=np.full(len(points), view.radius))
    except (OSError, subprocess.SubprocessError):
        print("Open3D could not show its window here; the picture files show the same.")


def _run_open3d(task, seconds, **job):
    """Runs `_main` on the arrays of a job in a process of its own, and returns the arrays that it saves, by name.

    Raises:
      OSError, subprocess.SubprocessError: it could not start, failed, crashed, or took longer than `seconds`.
    """
    environment = dict(os.environ)
    if not has_display():
        environment.setdefault("EGL_PLATFORM", "surfaceless")  # else EGL looks for a display, and Open3D crashes
    output = None if task == "window" else subprocess.PIPE  # the window lists its keys on the terminal
    with tempfile.TemporaryDirectory() as folder:
        job_file, answer_file = os.path.join(folder, "job.npz"), os.path.join(folder, "answer.npz")
        np.savez(job_file, **job)
        subprocess.run([sys.executable, "-m", "utils.render", task, job_file, answer_file], check=True, timeout=seconds,
                       cwd=command_line.PROJECT_DIR, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                       stderr=subprocess.PIPE)
        with np.load(answer_file) as answer:
            return dict(answer)


def _main(task, job_file, answer_file):
    with np.load(job_file) as job:
        np.savez(answer_file, **(_draw_images if task == "picture" else _open_window)(job))


def _draw_images(job):
    """Renders the panels of a job off-screen, at twice their size and averaged for smooth edges."""
    from open3d.visualization import rendering
    width, height = job["size"]
    renderer = rendering.OffscreenRenderer(2 * width, 2 * height)
    renderer.scene.view.set_post_processing(False)  # its tone mapping would change the colours
    near, far = CAMERA_DISTANCE - 2, CAMERA_DISTANCE + 2
    renderer.scene.camera.set_projection(rendering.Camera.Projection.Perspective, *(near * job["window"]), near, far)
    material = rendering.MaterialRecord()
    material.shader = "defaultUnlit"
    images = []
    for panel in zip(job["points"], job["colours"], job["radii"]):
        renderer.scene.add_geometry("cloud", _spheres(*panel), material)
        image = np.asarray(renderer.render_to_image()).reshape(height, 2, width, 2, 3)
        images.append(np.rint(image.mean(axis=(1, 3))).astype(np.uint8))
        renderer.scene.remove_geometry("cloud")
    return {"images": images}


def _open_window(job):
    """Shows the cloud of a job until its window is closed."""
    import open3d
    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Error)  # where no window opens, one line is enough
    window = open3d.visualization.Visualizer()
    if not window.create_window(window_name=str(job["title"]), width=1280, height=720):
        raise OSError("no window")
    window.add_geometry(_spheres(job["points"], job["colours"], job["radii"]))
    extent = np.ptp(job["points"], axis=0)
    control = window.get_view_control()  # a copy in Open3D 0.17, which so keeps its own view
    control.change_field_of_view(-6)  # from 60 to 30 degrees, else clouds side by side are seen from two sides
    control.set_zoom(float(0.75 * max(extent[1], extent[0] * 720 / 1280) / (extent.max() or 1.0)))
    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Info)  # H lists the keys
    window.run()
    window.destroy_window()
    return {}


def _spheres(centres, colours, radii):
    """An Open3D mesh with a shaded sphere at every point; coarser in large clouds, where spheres are small.

    Only whole arrays of the right type go to Open3D, never lists or short vectors such as a camera's position:
    Open3D 0.18 is built for NumPy 1 and crashes on those under NumPy 2.

    Args:
      centres, colours: float arrays [N, 3].
      radii: float array [N].
    """
    import open3d
    segments = 20 if len(centres) <= 4096 else 12 if len(centres) <= 20000 else 6  # corners of a sphere's outline
    rings = segments // 2 - 1  # between the poles, which lie on the z axis, towards the camera and away from it
    polar, around = np.meshgrid(np.linspace(0, np.pi, rings + 2)[1:-1], np.arange(segments) * 2 * np.pi / segments,
                                indexing="ij")
    on_rings = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=-1)
    normals = np.concatenate([on_rings.reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]])
    corner = np.arange(rings * segments).reshape(rings, segments)
    beside = np.roll(corner, -1, axis=1)
    front, back = np.full_like(corner[0], len(normals) - 2), np.full_like(corner[0], len(normals) - 1)
    triangles = np.concatenate([np.stack(three, axis=-1).reshape(-1, 3) for three in (
        (front, corner[0], beside[0]), (corner[:-1], corner[1:], beside[1:]), (corner[:-1], beside[1:], beside[:-1]),
        (back, beside[-1], corner[-1]))])
    vertices = centres[:, None] + radii[:, None, None] * normals
    shaded = plots.shade(colours[:, None], normals)
    first = len(normals) * np.arange(len(centres))
    mesh = open3d.geometry.TriangleMesh()
    mesh.vertices = open3d.utility.Vector3dVector(vertices.reshape(-1, 3))
    mesh.triangles = open3d.utility.Vector3iVector((first[:, None, None] + triangles).reshape(-1, 3).astype(np.int32))
    mesh.vertex_colors = open3d.utility.Vector3dVector(shaded.reshape(-1, 3).astype(np.float64))
    return mesh


if __name__ == "__main__":
    _main(*sys.argv[1:])
