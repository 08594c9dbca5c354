"""What Open3D draws of a cloud: pictures off-screen, and a window.

Open3D ends the whole process where it finds no OpenGL, so it always runs in one of its own, which can load ahead of its
task: `python -m utils.pictures.open3d_scene`. Whatever Open3D or the system does to that process, another renderer can
draw instead; but a mistake of our own there is none of theirs, and shows its traceback. The exit status says which it
was.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
import types
import zipfile

import numpy as np

from utils import command_line, files, streams
from utils.pictures import plots

CAMERA_DISTANCE = 4.0  # in radii of the cloud: near enough for perspective, too far for distortion
WINDOW_SIZE = (1080, 800)
TEXT_HEIGHT = 0.09  # of a label in the window, in radii of the cloud
# What Open3D imports for notebooks and for training: with Dash, IPython and scikit-learn two thirds of its loading.
UNUSED = {"open3d.ml": (), "open3d.visualization.draw_plotly": ("draw_plotly", "draw_plotly_server")}
WAITING = []  # the process that loaded ahead of the next picture, if any; see `ahead`
MISTAKE = 70  # exit status of the process after a mistake of our own; 1 is also what C code of a library ends with


class Unavailable(Exception):
    """Open3D, or the system, cannot do a task here."""


def has_display():
    """Whether a window may open: always on Windows and macOS, else where X11 or Wayland is announced."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextlib.contextmanager
def ahead(is_wanted=True):
    """While it is open, a process loads Open3D ahead of the next picture, beside other work: that takes seconds.

    Args:
      is_wanted: whether this process draws; else none is started.

    Yields:
      Function that starts one, unless one waits. One is started at first; the next picture takes it.
    """

    def start():
        if is_wanted and not WAITING:
            with contextlib.suppress(OSError):
                command, options = _command("picture")
                # Pictures of the cloud before are drawn to their end where Ctrl-C ends the run: else by matplotlib.
                with streams.kept_from_interrupts():
                    WAITING.append(subprocess.Popen(command, stdin=subprocess.PIPE, **options))

    start()
    try:
        yield start
    finally:
        while WAITING:
            _kill(WAITING.pop())


def _kill(process):
    process.kill()
    process.communicate()


def _command(task, *paths):
    """How a process of Open3D is started: the command, and options of subprocess."""
    environment = dict(os.environ)
    if not has_display():
        environment.setdefault("EGL_PLATFORM", "surfaceless")  # else EGL looks for a display, and Open3D crashes
    is_verbose = command_line.is_verbose()
    return [sys.executable, "-m", "utils.pictures.open3d_scene", task] + list(paths), {
        "cwd": files.PROJECT_DIR,
        "env": environment,
        # The window lists its keys on the terminal.
        "stdout": None if is_verbose or task == "window" else subprocess.PIPE,
        "stderr": None if is_verbose else subprocess.PIPE,
    }


def _finish(process, seconds, paths):
    """Hands its files to a process that waits for them; returns as subprocess.run."""
    try:
        _, said = process.communicate(json.dumps(paths).encode("ascii"), timeout=seconds)
    except BaseException:
        _kill(process)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, None, said)


def run(task, seconds, **job):
    """Does a task with Open3D in a process of its own, and returns the arrays that it answers with, by name.

    Args:
      task: "picture" or "window".
      seconds: that it may take; None for no limit.
      job: arrays, all in the axes of a camera at the origin that looks along -z. Of both tasks: `points`, `colours` and
        `radii` of the spheres to show, [N, 3], [N, 3] and [N], of "picture" one more axis of P panels before. Of
        "picture": `window` (left, right, bottom, top) on the plane at distance 1, and `size` in pixels; the answer is
        `images`, uint8 [P, height, width, 3]. Of "window": `title`, `labels` [L], the middles of their upper edges
        `label_places` [L, 2], and `label_width`.

    Raises:
      Unavailable: Open3D is not there, failed, crashed, or took longer than `seconds`; the process did not start; its
        files could not be written or read.
      RuntimeError: of a mistake of our own in that process, with its traceback.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            job_file, answer_file = os.path.join(folder, "job.npz"), os.path.join(folder, "answer.npz")
            np.savez(job_file, **job)
            if task == "picture" and WAITING:
                ended = _finish(WAITING.pop(), seconds, [job_file, answer_file])
            else:
                command, options = _command(task, job_file, answer_file)
                ended = subprocess.run(command, timeout=seconds, stdin=subprocess.DEVNULL, **options)
            if ended.returncode == 0:
                return _read_answer(answer_file)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error))
    if ended.returncode == MISTAKE:
        said = "see above" if ended.stderr is None else ended.stderr.decode(errors="replace")
        raise RuntimeError("the process of Open3D ended by a mistake of this program:\n" + said)
    raise Unavailable("the process of Open3D ended with exit status {}".format(ended.returncode))


def _read_answer(path):
    try:
        with np.load(path) as answer:
            return dict(answer)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Unavailable("the process of Open3D left no answer ({})".format(error))


def _main(task, job_file=None, answer_file=None):
    """Does a task and writes its answer; after a mistake of our own, ends with exit status MISTAKE.

    Without files it loads ahead, and then waits on stdin for their names; where none come, there is nothing to do.
    """
    try:
        _load_open3d()
        if job_file is None:
            names = sys.stdin.readline()
            if not names:
                return
            job_file, answer_file = json.loads(names)
        with np.load(job_file) as job:
            answer = (_draw_images if task == "picture" else _open_window)(job)
        np.savez(answer_file, **answer)
    except (ImportError, MemoryError, OSError, RuntimeError):  # of the system, or as which Open3D raises its own errors
        raise
    except Exception:
        traceback.print_exc()
        sys.exit(MISTAKE)


def _load_open3d():
    for name, functions in UNUSED.items():
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__dict__.update(dict.fromkeys(functions))
    try:
        import open3d  # noqa: F401
    except Exception as error:  # a library that is not made for what it finds fails in any way; none is ours
        raise ImportError("Open3D does not load: {!r}".format(error))


def _draw_images(job):
    """Renders the panels of a job off-screen, at twice their size and averaged for smooth edges."""
    from open3d.visualization import rendering

    width, height = job["size"]
    renderer = rendering.OffscreenRenderer(2 * width, 2 * height)
    renderer.scene.view.set_post_processing(False)  # its tone mapping would change the colours
    near, far = 0.1, CAMERA_DISTANCE + 2  # strong points are drawn nearer than they are
    renderer.scene.camera.set_projection(rendering.Camera.Projection.Perspective, *(near * job["window"]), near, far)
    material = rendering.MaterialRecord()
    material.shader = "defaultUnlit"
    left, right = job["window"][:2]
    seen = (job["radii"] / -job["points"][:, :, 2]).max()
    pixels = 2 * width * seen / (right - left)  # of a sphere's radius
    corners = int(np.clip(2 * np.ceil(1.2 * pixels), 8, 20))
    images = []
    for panel in zip(job["points"], job["colours"], job["radii"]):
        renderer.scene.add_geometry("cloud", _spheres(*panel, corners=corners), material)
        image = np.asarray(renderer.render_to_image()).reshape(height, 2, width, 2, 3)
        images.append(np.rint(image.mean(axis=(1, 3))).astype(np.uint8))
        renderer.scene.remove_geometry("cloud")
    return {"images": images}


def _open_window(job):
    """Shows the clouds of a job until their window is closed."""
    import open3d

    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Error)  # where no window opens, one line is enough
    window = open3d.visualization.VisualizerWithKeyCallback()
    if not window.create_window(window_name=str(job["title"]), width=WINDOW_SIZE[0], height=WINDOW_SIZE[1]):
        raise OSError("no window")
    corners = 20 if len(job["points"]) <= 10000 else 12 if len(job["points"]) <= 30000 else 6
    clouds = _spheres(job["points"], job["colours"], job["radii"], corners)
    window.add_geometry(clouds)
    for text in _texts(job["labels"], job["label_places"], job["label_width"]):
        window.add_geometry(text)
    size = [1.0]

    def resize(factor):
        def change(_):
            size[0] = min(max(size[0] * factor, 0.2), 5.0)
            clouds.vertices = _spheres(job["points"], job["colours"], size[0] * job["radii"], corners).vertices
            window.update_geometry(clouds)
            return True

        return change

    for keys, factor in (((ord("="), 334), 1.25), ((ord("-"), 333), 0.8)):  # 333, 334: of the number pad, by GLFW
        for key in keys:
            window.register_key_callback(key, resize(factor))
    extent = np.ptp(job["points"], axis=0) + [0, 2 * TEXT_HEIGHT, 0]
    control = window.get_view_control()  # a copy in Open3D 0.17, which so keeps its own view
    control.change_field_of_view(-6)  # from 60 to 30 degrees, else clouds side by side are seen from two sides
    control.set_zoom(float(0.57 * max(extent[1], extent[0] * WINDOW_SIZE[1] / WINDOW_SIZE[0]) / (extent.max() or 1.0)))
    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Info)  # H lists the keys
    window.run()
    window.destroy_window()
    return {}


def _texts(texts, places, width):
    """Open3D meshes of texts that face the camera, equally large, none wider than `width`, centred below `places`."""
    import open3d

    meshes = [open3d.t.geometry.TriangleMesh.create_text(str(text)).to_legacy() for text in texts]
    outlines = [np.asarray(mesh.vertices) for mesh in meshes]
    scale = min(
        [TEXT_HEIGHT / max(np.ptp(outline[:, 1]) for outline in outlines)]
        + [width / np.ptp(outline[:, 0]) for outline in outlines]
    )
    for mesh, outline, (x, y) in zip(meshes, outlines, places):
        middle = [(outline[:, 0].min() + outline[:, 0].max()) / 2, outline[:, 1].max(), 0]
        mesh.vertices = open3d.utility.Vector3dVector((outline - middle) * scale + [x, y, -CAMERA_DISTANCE])
        # As they are made they face away from the camera.
        mesh.triangles = open3d.utility.Vector3iVector(np.asarray(mesh.triangles)[:, ::-1].copy())
        mesh.vertex_colors = open3d.utility.Vector3dVector(np.full((len(outline), 3), 0.3))
    return meshes


def _spheres(centres, colours, radii, corners):
    """An Open3D mesh with a shaded sphere at every point.

    Only whole arrays of the right type go to Open3D, never lists or short vectors such as a camera's position:
    Open3D 0.18 is built for NumPy 1 and crashes on those under NumPy 2.

    Args:
      centres, colours: float arrays [N, 3].
      radii: float array [N].
      corners: of a sphere's outline, an even number.
    """
    import open3d

    rings = corners // 2 - 1  # between the poles, which lie on the z axis, towards the camera and away from it
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, rings + 2)[1:-1], np.arange(corners) * 2 * np.pi / corners, indexing="ij"
    )
    on_rings = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=-1)
    normals = np.concatenate([on_rings.reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]])
    corner = np.arange(rings * corners).reshape(rings, corners)
    beside = np.roll(corner, -1, axis=1)
    front, back = np.full_like(corner[0], len(normals) - 2), np.full_like(corner[0], len(normals) - 1)
    triangles = np.concatenate(
        [
            np.stack(three, axis=-1).reshape(-1, 3)
            for three in (
                (front, corner[0], beside[0]),
                (corner[:-1], corner[1:], beside[1:]),
                (corner[:-1], beside[1:], beside[:-1]),
                (back, beside[-1], corner[-1]),
            )
        ]
    )
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
