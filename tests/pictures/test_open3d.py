"""The process of Open3D: what it draws, and that no renderer that dies takes us along."""

import importlib.util
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from drawn import HEAT, NONE_REMOVED, RED_ABOVE_GREEN, pixels, read, save, without_colour_bar

from utils.pictures import colours, open3d_scene, plots, render, window


def _fake_open3d(monkeypatch, tmp_path, source):
    """Puts a module in place of Open3D in the processes that render."""
    (tmp_path / "shim").mkdir()
    (tmp_path / "shim" / "open3d.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "shim"))


@pytest.fixture(scope="module")
def open3d_picture(tmp_path_factory):
    """A cloud of 300 points on a sphere and its picture by Open3D, drawn once."""
    points = np.random.RandomState(0).normal(size=(300, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    path = tmp_path_factory.mktemp("open3d") / "heat.png"
    if save(str(path), points, points[:, 1], points[:, 0] > 0.5, "sphere", "thesis") != "Open3D":
        assert importlib.util.find_spec("open3d"), "needs open3d, of the requirements"
        pytest.skip("Open3D cannot render off-screen on this machine")
    return points, read(path)


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
    assert save(str(path), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "fallback", "thesis") == "matplotlib"
    assert pixels(without_colour_bar(read(path)), True, False).any()


def _save_any(tmp_path):
    return save(str(tmp_path / "heat.png"), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "title", "thesis")


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
    assert save(str(path), points, points[:, 1], points[:, 0] > 0.5, "sphere", "thesis") == "matplotlib"
    by_matplotlib = read(path)
    assert by_matplotlib.shape == by_open3d.shape
    difference = np.abs(by_matplotlib - by_open3d).max(axis=2)
    assert (difference > 0.25).mean() < 0.01  # outlines differ by a pixel; a point elsewhere or hidden would tell


def test_open3d_keeps_the_colours(open3d_picture):
    _, image = open3d_picture
    panel = without_colour_bar(image)
    np.testing.assert_array_equal(panel[plots.DOTS_PER_INCH // 2, 40], [1, 1, 1])
    is_red, is_green = pixels(panel, True, False), pixels(panel, False, True)
    assert is_red.sum() > 100 and is_green.sum() > 100
    # Blue comes from the glint and the haze of distance alone; tone mapping would tint the bright half of a sphere.
    assert np.median(panel[is_red][:, 2]) < 0.25 and panel[is_red][:, 0].max() > 0.9


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
