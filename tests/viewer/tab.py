"""A browser without a window, and a page in it, for the tests of pages."""

import contextlib
import io
import shutil

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# WebGL by software, for machines without a GPU or its driver, and nothing that a browser does of its own accord.
BROWSER_FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def open_browser():
    """A Chromium for the tests of one file; skips them where the system has none."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("needs one of {}".format(", ".join(BROWSERS)))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=BROWSER_FLAGS)
        yield started
        started.close()


class Tab:
    """A page in the browser, and all that it says or asks for."""

    def __init__(self, browser, path, ready="state.isStarted", size=(560, 480), before="", **context):
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
        self.page = self.context.new_page()
        self.page.add_init_script(before)
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url.split(":")[0]))
        self.page.goto(path.as_uri())
        self.page.wait_for_function(ready)

    def colours(self):
        """Colours of the points that are left, "#rrggbb" each."""
        return self.page.evaluate("state.shown.colours")

    def counts(self):
        """How many points are drawn as left, and how many as dropped: of the former Plotly has a ball of 42 corners."""
        left, dropped = self.page.evaluate("element('cloud').data.map((trace) => trace.x.length)")
        assert left % 42 == 0
        return [left // 42, dropped]

    def camera(self):
        """Where the camera is, [3], once it has followed to the end."""
        before, now = None, np.full(3, np.inf)
        while before is None or not np.allclose(now, before, atol=1e-9):
            before = now
            self.page.wait_for_timeout(150)
            now = np.array(
                self.page.evaluate(
                    "(() => { const {x, y, z} = element('cloud')._fullLayout.scene._scene"
                    ".getCamera().eye; return [x, y, z]; })()"
                )
            )
        return now

    def pixels(self, selector):
        """A screenshot of an element, int array [height, width, 3]."""
        image = Image.open(io.BytesIO(self.page.locator(selector).screenshot())).convert("RGB")
        return np.asarray(image, int)

    def is_seen(self, selector, colour, least, apart=3):
        """Whether an element shows so many pixels of a colour "#rrggbb", none of whose parts is further `apart`."""
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        return (np.abs(self.pixels(selector) - wanted).max(axis=2) <= apart).sum() >= least

    def box(self, selector):
        """Left, top, right and bottom of an element, in pixels of the window."""
        found = self.page.locator(selector).bounding_box()
        return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]

    def assert_quiet(self):
        assert self.complaints == [] and set(self.requests) <= {"file", "data", "blob"}
