"""The window, on a virtual screen."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from utils.files import PROJECT_DIR

pytestmark = pytest.mark.takes_turns

SCREEN = (1200, 900)
SECONDS = 60
PROGRAM = """
import numpy as np
from utils.pictures import window
points = np.array([[x, y, 0] for x in (-1, 0, 1) for y in (-1, 1)], float)
red, blue = np.tile([1., 0, 0], (6, 1)), np.tile([0., 0, 1], (6, 1))
flat = np.zeros(6)
window.show([window.Panel("first", points, red, flat), window.Panel("second", points, blue, flat)], 2, "title", (0, 0))
"""


@pytest.fixture
def screen():
    """A virtual screen of X11: its name, such as ":3"."""
    if not shutil.which("Xvfb"):
        pytest.skip("needs Xvfb")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "{}x{}x24".format(*SCREEN)],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as answer:
        name = ":" + answer.readline().strip()
    yield name
    server.terminate()
    server.wait()


def _screenshot(name):
    from PIL import ImageGrab

    return np.asarray(ImageGrab.grab(xdisplay=name).convert("RGB")).astype(int)


def test_clouds_stand_side_by_side_above_their_labels(screen):
    window = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT_DIR,
        env=dict(os.environ, DISPLAY=screen),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.time() + SECONDS
        red = blue = np.zeros(1, bool)
        while not (red.sum() > 200 and blue.sum() > 200):
            if window.poll() is not None:
                output = window.stdout.read().decode()
                assert "could not show" in output
                assert importlib.util.find_spec("open3d"), "needs open3d, of the requirements"
                pytest.skip("Open3D opens no window on this virtual screen")
            assert time.time() < deadline, "the window shows nothing"
            time.sleep(0.5)
            image = _screenshot(screen)
            red = (image[:, :, 0] - image[:, :, 1:].max(axis=2)) > 80
            blue = (image[:, :, 2] - image[:, :, :2].max(axis=2)) > 80
        rows, columns = np.nonzero(red | blue)
        assert np.nonzero(red)[1].max() < np.nonzero(blue)[1].min()
        assert np.ptp(columns) > 0.4 * SCREEN[0]  # large enough to read
        below = image[rows.max() + 5 : rows.max() + 120, columns.min() : columns.max()]
        dark = below.max(axis=2) < 150
        middle = dark.shape[1] // 2
        assert dark[:, :middle].sum() > 20 and dark[:, middle:].sum() > 20
    finally:
        # It is gone where it opens no window.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(window.pid, 15)
        window.wait()
