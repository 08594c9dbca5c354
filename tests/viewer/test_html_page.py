"""The pages for the browser: what they hold, and what one sees when they are turned, stepped through and recoloured."""

import base64
import io
import json
import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs

import provider
from utils.explain.results import Round
from utils.files import InputError
from utils.pictures import colours
from utils.viewer import html_page

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
NASTY = '</script><script>alert(1)</script> {{data}} <b>"M&M\'s" \u2028 Stühle'
# Corners of a box, longest along y: no two lie behind one another from the first camera.
POINTS = np.float32([[x, y, z] for x in (-0.4, 0.4) for y in (-0.9, 0.9) for z in (-0.3, 0.3)])
HEAT = np.float32([0, 0, 1, 2, 3, 4, 5, 123.456])
REMOVED = np.array([-1, -1, -1, -1, -1, 2, 1, 1])
ROUNDS = [Round(1, 8, 2, 1.0, 0.1, 1.0), Round(2, 6, 1, np.nan, np.nan, 1.0), Round(3, 5, 0, 0.25, 2.0, 1.0)]


def _views():
    return [
        html_page.View("p-grad-CAM", "box 0", POINTS, HEAT, REMOVED, ROUNDS),
        html_page.View("ASM", "box 0", POINTS, -HEAT, np.full(8, -1), ROUNDS[:1]),
    ]


def _clouds(count, points=POINTS):
    return [
        provider.Cloud(points, label, "class {}".format(label), index, "")
        for label in range(count)
        for index in range(2)
    ]


def _data_of(path):
    with open(str(path), encoding="utf-8") as file:
        page = file.read()
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL).group(1))


def _size_beside_the_library(path):
    return os.path.getsize(str(path)) - len(get_plotlyjs().encode("utf-8"))


def _decode(data, look, name):
    codes = look["colours"]
    return [data["palettes"][name][int(codes[place : place + 2], 36)] for place in range(0, len(codes), 2)]


def test_the_page_holds_what_went_in(tmp_path):
    html_page.save(str(tmp_path / "page.html"), "A box", _views())
    data = _data_of(tmp_path / "page.html")
    (cloud,) = data["clouds"]
    np.testing.assert_allclose(np.reshape(cloud["points"], (-1, 3)), POINTS, atol=5e-5)
    first, second = cloud["views"]
    assert (cloud["caption"], first["method"], second["method"]) == ("box 0", "p-grad-CAM", "ASM")
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(first["heat"]), "<f4"), HEAT)
    assert first["removed"] == REMOVED.tolist() and second["removed"] == []
    assert first["rounds"] == [[1, 8, 1.0], [2, 6, None], [3, 5, 0.25]]


@pytest.mark.parametrize("name", ["coolwarm", "thesis", "viridis", "cividis", "plasma"])
@pytest.mark.parametrize("scale", colours.SCALES)
def test_its_colours_are_those_of_the_pictures(tmp_path, name, scale):
    html_page.save(str(tmp_path / "page.html"), "", _views(), colormap="plasma")
    data = _data_of(tmp_path / "page.html")
    assert (data["map"], data["scale"]) == ("plasma", "linear")
    for view, heat in zip(data["clouds"][0]["views"], (HEAT, -HEAT)):
        look, bar = view["looks"]["{} {}".format(name, scale)], colours.colour_bar(heat, name, scale)
        shown = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in _decode(data, look, name)]
        np.testing.assert_allclose(shown, colours.heat_colours(heat, name, scale), atol=0.5001 / 255)
        assert (look["label"], look["zeroLabel"]) == (bar.label, bar.zero_label)
        assert [look["low"], look["high"]] == pytest.approx([bar.low, bar.high], rel=1e-4)
        assert len(look["bar"]) == (2 * html_page.BAR_STEPS if len(bar.colours) else 0)


def test_views_of_other_clouds_stand_apart(tmp_path):
    other = _views()[0]._replace(caption="box 1", points=POINTS * 2)
    html_page.save(str(tmp_path / "page.html"), "", _views() + [other])
    assert [len(cloud["views"]) for cloud in _data_of(tmp_path / "page.html")["clouds"]] == [2, 1]


def test_no_text_can_end_the_script_or_be_taken_for_markup(tmp_path):
    path = tmp_path / "page.html"
    html_page.save(str(path), NASTY, [_views()[0]._replace(method=NASTY, caption=NASTY)])
    cloud = _data_of(path)["clouds"][0]
    assert cloud["caption"] == NASTY and cloud["views"][0]["method"] == NASTY
    page = path.read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page and "<b>" not in page.split("<script", 1)[0]
    # The data, the library, and its own scripts: no more.
    assert len(re.findall(r"</script", page)) == 2 + len(html_page.SCRIPTS)


def test_two_methods_on_2048_points_stay_under_half_a_megabyte_beside_the_library(tmp_path, rng):
    points, path = rng.uniform(-1, 1, (2048, 3)).astype(np.float32), tmp_path / "page.html"
    rounds = [Round(number, 2048, 1, 1.0, 0.1, 1.0) for number in range(1, 501)]
    html_page.save(
        str(path),
        "",
        [
            html_page.View(method, "", points, rng.standard_normal(2048), rng.randint(1, 500, 2048), rounds)
            for method in ("one", "other")
        ],
    )
    assert _size_beside_the_library(path) < 500e3


def test_a_gallery_of_40_classes_and_9_methods_stays_under_10_megabytes_beside_the_library(tmp_path, rng):
    sizes = []
    for count in (1, 2):
        clouds = _clouds(count, rng.uniform(-1, 1, (1024, 3)).astype(np.float32))
        html_page.save_gallery(
            str(tmp_path / "page.html"),
            "",
            clouds,
            list("abcdefghi"),
            {method: [rng.standard_normal(1024) for _ in clouds] for method in "abcdefghi"},
        )
        sizes.append(_size_beside_the_library(tmp_path / "page.html"))
    assert sizes[0] + 39 * (sizes[1] - sizes[0]) < 10e6


def test_a_gallery_shows_the_first_cloud_of_each_class(tmp_path):
    clouds = _clouds(2)
    html_page.save_gallery(
        str(tmp_path / "page.html"),
        "",
        clouds,
        ["a", "b"],
        {"a": [HEAT + place for place in range(4)], "b": [HEAT] * 4},
    )
    found = _data_of(tmp_path / "page.html")["clouds"]
    assert [cloud["caption"] for cloud in found] == ["class 0 0", "class 1 0"]
    assert [view["method"] for view in found[1]["views"]] == ["a", "b"]
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(found[1]["views"][0]["heat"]), "<f4"), HEAT + 2)


def test_a_refused_page_leaves_what_was_there(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("before")
    with pytest.raises(InputError, match="hot-dog"):
        html_page.save(str(path), "", _views(), colormap="hot-dog")
    assert os.listdir(str(tmp_path)) == ["page.html"] and path.read_text() == "before"


@pytest.fixture(scope="module")
def browser():
    """A Chromium without a window, for all tests here."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("needs one of {}".format(", ".join(BROWSERS)))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=BROWSER_FLAGS)
        yield started
        started.close()


class _Tab:
    """A page in the browser, and all that it says or asks for."""

    def __init__(self, browser, path, ready):
        self.page = browser.new_page(viewport={"width": 560, "height": 480})
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url.split(":")[0]))
        self.page.goto(path.as_uri())
        self.page.wait_for_function(ready)

    def colours(self):
        """Colours of the points that are left, as Plotly has them."""
        return self.page.evaluate("element('cloud').data[0].marker.color")

    def counts(self):
        """How many points Plotly has that are left, and that are shown as dropped."""
        return self.page.evaluate("element('cloud').data.map((trace) => trace.x.length)")

    def camera_at_rest(self):
        """Where the camera is, [3], once it has followed the mouse to the end."""
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

    def is_seen(self, selector, colour, least):
        """Whether a screenshot of an element shows so many pixels of a colour "#rrggbb", up to their blending."""
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        image = Image.open(io.BytesIO(self.page.locator(selector).screenshot())).convert("RGB")
        return (np.abs(np.asarray(image, int) - wanted).max(axis=2) <= 3).sum() >= least

    def assert_quiet(self):
        assert self.complaints == [] and set(self.requests) <= {"file", "data", "blob"}


def _press(page, name):
    page.locator("#pickers button", has_text=name).click()


def test_a_browser_draws_the_page_steps_recolours_and_keeps_the_camera(browser, tmp_path):
    html_page.save(str(tmp_path / "page.html"), NASTY, _views())
    tab = _Tab(browser, tmp_path / "page.html", "state.isStarted")
    page = tab.page
    assert page.locator("h1").last.inner_text().startswith("</script><script>")
    hottest, coldest = tab.colours()[7], tab.colours()[0]
    assert (hottest, coldest) == ("#b40426", "#dddcdc")
    assert tab.is_seen("#cloud", hottest, 20) and tab.is_seen("#cloud", coldest, 20)

    # Plotly's third axis is up, and the first camera in front of, above and to the right of the cloud.
    drawn = page.evaluate("(() => { const {x, y, z} = element('cloud').data[0]; return [x, y, z]; })()")
    np.testing.assert_allclose(np.transpose(drawn), POINTS[:, [2, 0, 1]], atol=1e-4)
    eye, centre = page.evaluate(
        "(() => { const {eye, center} = element('cloud')._fullLayout.scene.camera; return [eye, center]; })()"
    )
    towards = np.array([eye[axis] - centre[axis] for axis in "yzx"])
    np.testing.assert_allclose(towards / np.linalg.norm(towards), np.array([0.8, 0.6, 1.0]) / np.sqrt(2), atol=1e-3)

    # A point under the mouse says its heat: the hottest one, found by its colour.
    image = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), int)
    box = page.locator("#cloud").bounding_box()
    image[:, int(box["x"] + box["width"]) :] = 255
    row, column = np.median(np.argwhere(np.abs(image - [180, 4, 38]).max(axis=2) <= 3), axis=0)
    page.mouse.move(column, row)
    page.wait_for_selector("#cloud .hovertext")
    said = page.locator("#cloud .hovertext").text_content()
    assert "heat 123, point 7" in said and "dropped in round 1" in said

    # Turning by mouse moves the camera, and it stays there.
    page.mouse.move(box["x"] + 30, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 230, steps=3)
    page.mouse.up()
    turned = tab.camera_at_rest()
    assert np.abs(turned - [eye[axis] for axis in "xyz"]).max() > 0.1

    # Keys step the slider: round 2 has lost two points, and was not classified; round 3 has lost three.
    page.locator("#slider").focus()
    page.keyboard.press("ArrowRight")
    assert tab.counts() == [6, 2]
    assert page.locator("#says").inner_text() == "round 2 of 3: 6 points left, accuracy not measured"
    page.keyboard.press("ArrowRight")
    assert tab.counts() == [5, 3]
    assert page.locator("#says").inner_text() == "round 3 of 3: 5 points left, accuracy 25.0 %"
    curve, marker = page.evaluate("element('curve').data.map((trace) => [trace.x, trace.y])")
    assert (curve, marker) == ([[8, 5], [100, 25]], [[5], [25]])
    page.locator("#ghosts").uncheck()
    assert tab.counts() == [5, 0]
    page.evaluate("element('slider').value = 1; element('slider').dispatchEvent(new Event('input'))")
    assert tab.counts() == [8, 0]

    # Colours by map, scale and method are those that Python gives.
    for press, heat, name, scale in (
        ("rank", HEAT, "coolwarm", "rank"),
        ("ASM", -HEAT, "coolwarm", "rank"),
        (None, -HEAT, "viridis", "rank"),
        ("linear", -HEAT, "viridis", "linear"),
    ):
        before = tab.colours()
        if press:
            _press(page, press)
        else:
            page.locator("#pickers select").select_option(label=name)
        shown = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in tab.colours()]
        np.testing.assert_allclose(shown, colours.heat_colours(heat, name, scale), atol=0.5001 / 255)
        assert tab.colours() != before
    assert tab.is_seen("#cloud", tab.colours()[0], 20)
    np.testing.assert_allclose(tab.camera_at_rest(), turned, atol=1e-3)
    assert not page.locator("#steps").is_visible()
    tab.assert_quiet()
    page.close()


def test_a_browser_draws_the_gallery_and_a_click_opens_a_cloud(browser, tmp_path):
    clouds = _clouds(2)
    html_page.save_gallery(
        str(tmp_path / "gallery.html"),
        "All",
        clouds,
        ["a", "b"],
        {"a": [HEAT] * 4, "b": [-HEAT] * 4},
        colormap="thesis",
        scale="linear",
    )
    tab = _Tab(browser, tmp_path / "gallery.html", "document.querySelectorAll('[data-painted]').length === 4")
    page = tab.page
    red, black = "#ff0000", "#000000"
    cells = "#grid tbody tr:nth-child(2) td:nth-of-type({}) canvas"
    # Method a has heat for the class, from green to red; b only against it, which this map leaves black.
    assert tab.is_seen(cells.format(1), red, 4) and not tab.is_seen(cells.format(2), red, 1)
    assert page.evaluate("getComputedStyle(element('viewer')).display") == "none"
    page.locator(cells.format(1)).click()
    page.wait_for_function("element('cloud').data")
    assert page.locator("#caption").inner_text() == "class 1 0" and tab.counts() == [8, 0]
    assert tab.colours()[7] == red and tab.colours()[0] == black
    assert not page.locator("#gallery").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector("#gallery")
    assert not page.locator("#viewer").is_visible()
    tab.assert_quiet()
    page.close()
