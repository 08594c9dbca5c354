"""Pictures by their pixels: what is up is up, and no renderer that dies takes us along."""

import importlib.util
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from utils.files import PROJECT_DIR, InputError
from utils.pictures import colours, heat_figure, heat_picture, open3d_scene, plots, render, window

RED_ABOVE_GREEN = np.array([[0, 1, 0], [0, -1, 0], [0.5, 0, 0], [-0.5, 0, 0]], np.float32)
HEAT = np.array([4, 1e-6, 0, 0], np.float32)
NONE_REMOVED = np.zeros(4, bool)


def _read(path):
    """float array [height, width, 3] of a PNG."""
    from matplotlib.image import imread

    return imread(str(path))[:, :, :3]


def _without_colour_bar(image):
    below = heat_figure.BAR_ABOVE + heat_figure.BAR_HEIGHT + heat_figure.TICK_SPACE + heat_figure.MARGIN
    return image[: -int(plots.DOTS_PER_INCH * (below + heat_figure.LINE_HEIGHT * heat_figure.TEXT_SIZE / 72))]


def _save(path, points, heat, removed, title, colormap="coolwarm", scale="linear", panels=("heat", "left"), **look):
    """Saves the picture of points of which some were removed, as seen from CAMERA_DIRECTION."""
    run = SimpleNamespace(
        points=points, heat=heat, removed_in_round=np.where(removed, 1, -1), heat_when_removed=np.where(removed, 1, 0)
    )
    look = heat_picture.Look(colormap, scale, panels, render.angles_of(render.CAMERA_DIRECTION), **look)
    return heat_picture.save(str(path), run, title, look)


def _pixels(image, red, green):
    """bool [height, width]: pixels of saturated red and/or green."""
    other = image[:, :, [not red, not green, True]].max(axis=2)
    return image[:, :, [red, green, False]].min(axis=2) - other > 0.4


def _rows_and_columns(chosen):
    rows, columns = np.nonzero(chosen)
    assert len(rows) > 20
    return rows.mean(), columns.mean()


def _fake_open3d(monkeypatch, tmp_path, source):
    """Puts a module in place of Open3D in the processes that render."""
    (tmp_path / "shim").mkdir()
    (tmp_path / "shim" / "open3d.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "shim"))


@pytest.fixture
def without_open3d(monkeypatch):
    monkeypatch.setattr(render, "_open3d_panels", lambda window, panels, pixels: None)


@pytest.fixture(scope="module")
def open3d_picture(tmp_path_factory):
    """A cloud of 300 points on a sphere and its picture by Open3D, drawn once."""
    points = np.random.RandomState(0).normal(size=(300, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    path = tmp_path_factory.mktemp("open3d") / "heat.png"
    if _save(str(path), points, points[:, 1], points[:, 0] > 0.5, "sphere", "thesis") != "Open3D":
        assert importlib.util.find_spec("open3d"), "needs open3d, of the requirements"
        pytest.skip("Open3D cannot render off-screen on this machine")
    return points, _read(path)


@pytest.mark.parametrize(
    "platform, variables, expected",
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ""}, False),
        ("win32", {}, True),
        ("darwin", {}, True),
    ],
)
def test_a_display_is_what_linux_announces_and_what_others_have(monkeypatch, platform, variables, expected):
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert open3d_scene.has_display() == expected


def test_importing_render_imports_neither_open3d_nor_matplotlib():
    program = "import sys; from utils.pictures import render; print({'open3d', 'matplotlib'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], cwd=PROJECT_DIR).split() == [b"set()"]


def test_up_in_the_cloud_is_up_in_the_picture(tmp_path, without_open3d):
    _save(str(tmp_path / "heat.png"), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "up", "thesis")
    image = _without_colour_bar(_read(tmp_path / "heat.png"))
    red, green = _rows_and_columns(_pixels(image, True, False)), _rows_and_columns(_pixels(image, False, True))
    assert red[0] < green[0] - 300
    assert abs(red[1] - green[1]) < 5  # one above the other


def test_camera_stands_right_in_front(tmp_path, without_open3d):
    # As CAMERA_DIRECTION says, x is to the right and z to the left of the picture, both towards the camera.
    points = np.array([[1, 0, 0], [0, 0, 1]], float)
    _save(str(tmp_path / "heat.png"), points, [1, 1e-6], NONE_REMOVED[:2], "front", "thesis")
    image = _without_colour_bar(_read(tmp_path / "heat.png"))
    red, green = _rows_and_columns(_pixels(image, True, False)), _rows_and_columns(_pixels(image, False, True))
    assert red[1] > green[1] + 300


def test_nearer_points_of_like_heat_are_larger_and_hide_what_is_behind(tmp_path, without_open3d):
    points = np.array([render.CAMERA_DIRECTION, -render.CAMERA_DIRECTION, [0, 3, 0], [0, -3, 0]])
    _save(str(tmp_path / "heat.png"), points, [-4, 4, 0, 0], NONE_REMOVED, "depth")
    image = _without_colour_bar(_read(tmp_path / "heat.png"))
    assert (image[:, :, 2] - image[:, :, 0] > 0.4).sum() > 100  # blue, against
    assert not _pixels(image, True, False).any()  # straight behind the nearer, larger sphere


def test_hot_points_stand_over_cold_ones_before_them(tmp_path, without_open3d):
    points = np.array([render.CAMERA_DIRECTION, -render.CAMERA_DIRECTION, [0, 3, 0], [0, -3, 0]])
    _save(str(tmp_path / "heat.png"), points, [1e-6, 4, 0, 0], NONE_REMOVED, "depth", "thesis")
    image = _without_colour_bar(_read(tmp_path / "heat.png"))
    assert _pixels(image, True, False).sum() > 100  # though straight behind the cold one


def test_a_strong_point_looks_as_before_but_larger():
    view = render.View(np.random.RandomState(0).normal(size=(50, 3)))
    plain, strong = (view.panel(np.zeros((50, 3)), strengths) for strengths in (np.zeros(50), np.ones(50)))
    (there,) = view.camera_points
    for points, *_ in (plain, strong):
        np.testing.assert_allclose(points[:, :2] / points[:, 2:], there[:, :2] / there[:, 2:])
    seen = [radii / -points[:, 2] for points, _, radii in (plain, strong)]
    np.testing.assert_allclose(seen[1], render.STRONGEST_SIZE * seen[0])
    # Even the farthest strong point is before the nearest weak one: the cloud's diameter is two.
    assert strong[0][:, 2].min() > plain[0][:, 2].max()
    np.testing.assert_array_equal(strong[1], plain[1])  # as pale as it is far


def test_the_best_view_is_the_broad_side_and_of_two_alike_the_nearer():
    rng = np.random.RandomState(0)
    # A board along x, one along z, and one that is turned by 40 degrees about the up axis.
    for azimuth, along in ((0, [1, 0, 0]), (90, [0, 0, 1]), (40, [np.cos(np.radians(40)), 0, -np.sin(np.radians(40))])):
        board = rng.uniform(-1, 1, (200, 1)) * along + rng.uniform(-1, 1, (200, 1)) * [0, 1, 0]
        found, elevation = render.best_view(board)
        assert abs((found - azimuth + 180) % 360 - 180) <= render.BEST_STEP + 8.2  # cos(8.2 degrees) is 0.99
        assert elevation == pytest.approx(render.angles_of(render.CAMERA_DIRECTION)[1])
    round_table = np.array([[np.cos(turn), 0, np.sin(turn)] for turn in np.arange(0, 2 * np.pi, 0.1)])
    np.testing.assert_allclose(
        render.best_direction(round_table), render.CAMERA_DIRECTION / np.linalg.norm(render.CAMERA_DIRECTION)
    )


def test_the_area_of_an_outline_is_that_of_its_hull():
    from scipy.spatial import ConvexHull

    points = np.random.RandomState(1).normal(size=(60, 3))
    for view in ((0, 0), (33, 20), (200, -70)):
        seen = points.dot(render.camera_axes(view)[:2].T)
        assert render.outline_area(points, view) == pytest.approx(ConvexHull(seen).volume, rel=0.01)  # of a plane: area


@pytest.mark.parametrize(
    "view, direction", [((0, 0), [0, 0, 1]), ((90, 0), [1, 0, 0]), ((180, 0), [0, 0, -1]), ((20, 90), [0, 1, 0])]
)
def test_angles_of_a_view(view, direction):
    axes = render.camera_axes(view)
    np.testing.assert_allclose(axes[2], direction, atol=1e-12)
    np.testing.assert_allclose(axes.dot(axes.T), np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)  # right-handed: nothing is mirrored
    np.testing.assert_allclose(render.direction_of(render.angles_of(direction)), direction, atol=1e-12)


def test_dropped_points_lose_their_colour_in_the_second_panel(tmp_path, without_open3d):
    _save(str(tmp_path / "heat.png"), RED_ABOVE_GREEN, HEAT, HEAT > 1, "dropped", "thesis")
    image = _without_colour_bar(_read(tmp_path / "heat.png"))
    left, right = np.array_split(image, 2, axis=1)
    assert _pixels(left, True, False).sum() > 20 and _pixels(left, False, True).sum() > 20
    assert not _pixels(right, True, False).any() and _pixels(right, False, True).sum() > 20


def test_picture_is_for_print_at_300_dots_per_inch_on_white(tmp_path, without_open3d):
    from PIL import Image

    path = tmp_path / "heat.png"
    _save(str(path), RED_ABOVE_GREEN, HEAT, HEAT > 1, "print " * 40)
    with Image.open(str(path)) as picture:
        assert np.allclose(picture.info["dpi"], 300, atol=0.1)
        assert picture.width == pytest.approx(300 * heat_figure.FIGURE_WIDTHS[2], abs=1)
    image = _read(path)
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (edge == 1).all()  # nothing is cut off, the long title included


@pytest.mark.parametrize(
    "points, heat",
    [
        (np.zeros((1, 3)), [1]),
        (np.ones((12, 3)), np.zeros(12)),
        (np.eye(3), [-2, -2, -2]),
        (np.arange(30).reshape(10, 3) * 1e4, np.arange(10) * 1e-30),
    ],
)
@pytest.mark.parametrize("colormap", ["thesis", "cividis"])
def test_odd_clouds_are_drawn_too(tmp_path, without_open3d, points, heat, colormap):
    path = tmp_path / "heat.png"
    _save(str(path), points, heat, np.arange(len(points)) == 0, "odd $cloud", colormap, "rank")
    assert _read(path).min() < 0.5


def _fails_to_render(how):
    """The source of an Open3D whose renderer does something else."""
    return (
        "import os, signal, sys, types\n"
        "def OffscreenRenderer(*_): {}\n"
        "visualization = sys.modules['open3d.visualization'] = types.ModuleType('visualization')\n"
        "visualization.rendering = types.SimpleNamespace(OffscreenRenderer=OffscreenRenderer)\n"
    ).format(how)


KILLED = "os.kill(os.getpid(), signal.SIGTERM)"


@pytest.mark.parametrize(
    "source",
    [
        "raise ImportError",
        "raise AttributeError('_ARRAY_API not found')",
        "import time; time.sleep(60)",
        "import os, signal; " + KILLED,
        _fails_to_render(KILLED),
        _fails_to_render("raise RuntimeError('[Open3D Error] no OpenGL')"),
        _fails_to_render("raise MemoryError"),
        _fails_to_render("raise OSError(28, 'No space left on device')"),
        _fails_to_render("os._exit(1)"),
        _fails_to_render("os._exit(0)"),
    ],
)
def test_matplotlib_draws_where_open3d_dies_is_missing_or_hangs(monkeypatch, tmp_path, source):
    _fake_open3d(monkeypatch, tmp_path, source)
    monkeypatch.setattr(render, "SECONDS_TO_RENDER", 2)
    monkeypatch.setattr(render, "SECONDS_A_PANEL", 0)
    path = tmp_path / "heat.png"
    assert _save(str(path), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "fallback", "thesis") == "matplotlib"
    assert _pixels(_without_colour_bar(_read(path)), True, False).any()


def _save_any(tmp_path):
    return _save(str(tmp_path / "heat.png"), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "title", "thesis")


def test_matplotlib_draws_where_nothing_can_be_handed_to_open3d(monkeypatch, tmp_path):
    def no_folder():
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(open3d_scene.tempfile, "TemporaryDirectory", no_folder)
    assert _save_any(tmp_path) == "matplotlib"


def test_matplotlib_draws_where_the_answer_is_cut_short(monkeypatch, tmp_path):
    def half(command, **options):
        with open(command[-1], "wb") as file:
            file.write(b"PK\3\4half")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(open3d_scene.subprocess, "run", half)
    assert _save_any(tmp_path) == "matplotlib"


@pytest.mark.parametrize("mistake", ["TypeError('no such argument')", "KeyError('no such array')"])
def test_a_mistake_of_our_own_beside_open3d_shows_its_traceback(monkeypatch, tmp_path, mistake):
    _fake_open3d(monkeypatch, tmp_path, _fails_to_render("raise " + mistake))
    with pytest.raises(RuntimeError) as error:
        _save_any(tmp_path)
    name, text = mistake[:-2].split("('")
    assert "in _draw_images" in str(error.value) and name in str(error.value) and text in str(error.value)
    assert not (tmp_path / "heat.png").exists()


def test_a_process_that_loaded_ahead_draws_the_next_picture(monkeypatch, tmp_path):
    _fake_open3d(monkeypatch, tmp_path, _fails_to_render("raise KeyError('no such array')"))
    monkeypatch.setattr(open3d_scene.subprocess, "run", lambda *_, **__: pytest.fail("a second process"))
    with open3d_scene.ahead() as start:
        start()
        (waiting,) = open3d_scene.WAITING
        with pytest.raises(RuntimeError, match="in _draw_images"):
            _save_any(tmp_path)
        assert waiting.poll() == open3d_scene.MISTAKE and not open3d_scene.WAITING
        start()
        (waiting,) = open3d_scene.WAITING
    # Nobody wanted a picture.
    assert waiting.poll() is not None and not open3d_scene.WAITING


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows blocks no signals")
def test_ctrl_c_does_not_reach_the_process_that_loads_ahead(monkeypatch):
    blocked = []

    def start(*_, **__):
        blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        return SimpleNamespace(kill=lambda: None, communicate=lambda: None)

    monkeypatch.setattr(open3d_scene.subprocess, "Popen", start)
    with open3d_scene.ahead():
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGINT in blocked[0]


def test_matplotlib_draws_where_the_process_that_loaded_ahead_fails(monkeypatch, tmp_path):
    _fake_open3d(monkeypatch, tmp_path, _fails_to_render("raise RuntimeError('[Open3D Error] no OpenGL')"))
    with open3d_scene.ahead():
        assert _save_any(tmp_path) == "matplotlib"


def test_matplotlib_draws_where_open3d_leaves_the_picture_blank(monkeypatch, tmp_path):
    monkeypatch.setattr(
        open3d_scene,
        "run",
        lambda task, seconds, window, size, **job: {"images": np.full((1, size[1], size[0], 3), 255, np.uint8)},
    )
    assert _save_any(tmp_path) == "matplotlib"


def test_both_renderers_draw_the_same_picture(open3d_picture, tmp_path, without_open3d):
    points, by_open3d = open3d_picture
    path = tmp_path / "heat.png"
    assert _save(str(path), points, points[:, 1], points[:, 0] > 0.5, "sphere", "thesis") == "matplotlib"
    by_matplotlib = _read(path)
    assert by_matplotlib.shape == by_open3d.shape
    difference = np.abs(by_matplotlib - by_open3d).max(axis=2)
    assert (difference > 0.25).mean() < 0.01  # outlines differ by a pixel; a point elsewhere or hidden would tell


def test_open3d_keeps_the_colours(open3d_picture):
    _, image = open3d_picture
    panel = _without_colour_bar(image)
    np.testing.assert_array_equal(panel[plots.DOTS_PER_INCH // 2, 40], [1, 1, 1])
    is_red, is_green = _pixels(panel, True, False), _pixels(panel, False, True)
    assert is_red.sum() > 100 and is_green.sum() > 100
    # Blue comes from the glint and the haze of distance alone; tone mapping would tint the bright half of a sphere.
    assert np.median(panel[is_red][:, 2]) < 0.25 and panel[is_red][:, 0].max() > 0.9


def test_picture_that_cannot_be_drawn_leaves_the_old_one(tmp_path):
    path = tmp_path / "heat.png"
    path.write_bytes(b"old")
    with pytest.raises(InputError):
        _save(str(path), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "map", "no_such_map")
    assert path.read_bytes() == b"old" and os.listdir(str(tmp_path)) == ["heat.png"]


def _panel(label, count):
    colour, strengths = colours.heat_colours(HEAT), colours.heat_strengths(HEAT)
    return window.Panel(label, RED_ABOVE_GREEN[:count], colour[:count], strengths[:count])


def test_a_mistake_of_our_own_in_the_window_shows_its_traceback(monkeypatch, tmp_path):
    _fake_open3d(monkeypatch, tmp_path, "utility = None")
    with pytest.raises(RuntimeError, match="in _open_window"):
        window.show([_panel("all points", 4)], 1, "title")


def test_window_that_cannot_open_is_one_printed_line(monkeypatch, tmp_path, capsys):
    _fake_open3d(monkeypatch, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    window.show([_panel("all points", 4), _panel("what remained", 2)], 2, "title")
    announced, *keys, failed = capsys.readouterr().out.splitlines()
    assert "all points, what remained" in announced and "could not" in failed
