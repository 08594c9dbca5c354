"""The pages as one sees them in a browser, turned, stepped through and recoloured."""

import numpy as np
import pytest
from box_pages import HEAT, NASTY, PLACED, POINTS, clouds, views
from tab import Tab, open_browser

from utils.pictures import colours, render
from utils.viewer import html_page

pytestmark = pytest.mark.takes_turns

# How many pixels of a painted cloud are not white: as it is, with larger dots, wholly faded at the farthest point, and
# from far away.
PAINTED = """(() => {
  const canvas = document.createElement("canvas"), cloud = data.clouds[1], view = cloud.views[0];
  canvas.width = canvas.height = 224;
  const count = (changes) => {
    const before = Object.assign({}, data);
    Object.assign(data, changes);
    paint(canvas, cloud, view);
    Object.assign(data, before);
    const pixels = canvas.getContext("2d").getImageData(0, 0, 224, 224).data;
    return pixels.filter((value, at) => at % 4 === 1 && value < 250).length;
  };
  return [count({}), count({dotSize: 2 * data.dotSize}), count({fading: 1}), count({cameraDistance: 100})];
})()"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as started:
        yield started


def _press(page, name):
    page.locator("#pickers button", has_text=name).click()


def test_a_browser_draws_the_page_steps_recolours_and_keeps_the_camera(browser, tmp_path):
    html_page.save(str(tmp_path / "page.html"), NASTY, views(), scale=colours.LINEAR)
    tab = Tab(browser, tmp_path / "page.html")
    page = tab.page
    assert page.locator("h1").last.inner_text().startswith("</script><script>")
    hottest, coldest = tab.colours()[7], tab.colours()[0]
    assert (hottest, coldest) == ("#b40426", "#dddcdc")
    # The balls are shaded.
    assert tab.is_seen("#cloud", hottest, 20, apart=40) and tab.is_seen("#cloud", coldest, 20, apart=40)

    # Plotly's third axis is up, and the first camera is that of the pictures.
    corners = page.evaluate(
        "(() => { const {x, y, z} = element('cloud').data[0]; return [x, y, z].map((a) => [...a]); })()"
    )
    middles = np.transpose(corners).reshape(len(POINTS), 42, 3).mean(axis=1)
    np.testing.assert_allclose(middles, PLACED[:, [2, 0, 1]], atol=1e-4)
    eye, centre = page.evaluate(
        "(() => { const {eye, center} = element('cloud')._fullLayout.scene.camera; return [eye, center]; })()"
    )
    towards = np.array([eye[axis] - centre[axis] for axis in "yzx"])
    np.testing.assert_allclose(towards / np.linalg.norm(towards), render.best_direction(POINTS), atol=1e-3)

    # A point under the mouse says its heat: the hottest one, found by its colour.
    left, top, _, _ = tab.box("#cloud")
    row, column = np.median(np.argwhere(np.abs(tab.pixels("#cloud") - [180, 4, 38]).max(axis=2) <= 40), axis=0)
    page.mouse.move(left + column, top + row)
    page.wait_for_selector("#cloud .hovertext")
    said = page.locator("#cloud .hovertext").text_content()
    assert "heat 123, rank 1 of 8" in said and "dropped in round 1" in said and "point 7" in said

    # Turning by mouse moves the camera, and it stays there.
    page.mouse.move(left + 30, top + 200)
    page.mouse.down()
    page.mouse.move(left + 110, top + 230, steps=3)
    page.mouse.up()
    turned = tab.camera()
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
    page.evaluate("element('looks').open = true")
    heats = {"p-grad-CAM": HEAT, "ASM": -HEAT}
    method, name, scale = "p-grad-CAM", "coolwarm", colours.LINEAR
    for change in ("rank", "ASM", "viridis", "linear", "thesis"):
        before = tab.colours()
        if change in heats:
            method = change
            _press(page, change)
        elif change in colours.SCALES:
            scale = change
            page.get_by_label("Scale").select_option(label=change)
        else:
            name = change
            page.get_by_label("Colours", exact=True).select_option(label=change)
        shown = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in tab.colours()]
        np.testing.assert_allclose(shown, colours.heat_colours(heats[method], name, scale), atol=0.5001 / 255)
        assert tab.colours() != before
    np.testing.assert_allclose(tab.camera(), turned, atol=1e-3)
    assert not page.locator("#steps").is_visible()
    tab.assert_quiet()
    tab.context.close()


def test_a_browser_draws_the_gallery_and_a_click_opens_a_cloud(browser, tmp_path):
    several = clouds(2)
    html_page.save_gallery(
        str(tmp_path / "gallery.html"),
        "All",
        several,
        ["a", "b"],
        {"a": [HEAT] * 4, "b": [-HEAT] * 4},
        colormap="thesis",
        scale="linear",
    )
    tab = Tab(browser, tmp_path / "gallery.html", "document.querySelectorAll('[data-painted]').length === 4")
    page = tab.page
    red, black = "#ff0000", "#000000"
    cells = "#grid tbody tr:nth-child(2) td:nth-of-type({}) canvas"
    # Method a has heat for the class, from green to red; b only against it, which this map leaves black.
    assert tab.is_seen(cells.format(1), red, 4) and not tab.is_seen(cells.format(2), red, 1)
    assert page.evaluate("getComputedStyle(element('viewer')).display") == "none"
    # Fading, the size of the dots and the distance of the camera are those of the page's data.
    drawn, larger, pale, flat = page.evaluate(PAINTED)
    assert larger > 1.5 * drawn and pale < 0.8 * drawn and flat != drawn
    page.locator(cells.format(1)).click()
    page.wait_for_function("state.isStarted")
    assert page.locator("#caption").inner_text() == "class 1 0" and tab.counts() == [8, 0]
    assert tab.colours()[7] == red and tab.colours()[0] == black
    assert not page.locator("#gallery").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector("#gallery")
    assert not page.locator("#viewer").is_visible()
    tab.assert_quiet()
    tab.context.close()


@pytest.mark.parametrize(
    "lacking, words",
    [
        ("delete window.DecompressionStream", "a browser of 2023 or later"),
        (
            "HTMLCanvasElement.prototype.getContext = ((own) => function (kind) {"
            " return kind.startsWith('webgl') ? null : own.apply(this, arguments); })"
            "(HTMLCanvasElement.prototype.getContext)",
            "turn on hardware acceleration",
        ),
    ],
)
def test_a_browser_that_cannot_draw_clouds_says_why_and_keeps_the_gallery(browser, tmp_path, lacking, words):
    html_page.save(str(tmp_path / "page.html"), "box", views())
    html_page.save_gallery(str(tmp_path / "gallery.html"), "All", clouds(1), ["a"], {"a": [HEAT] * 2})
    for name in ("page.html", "gallery.html"):
        tab = Tab(browser, tmp_path / name, "!element('trouble').hidden", before=lacking)
        assert words in tab.page.locator("#trouble").inner_text()
        assert not tab.page.locator("#viewer").is_visible()
        if name == "gallery.html":
            tab.page.locator("#grid tbody canvas").first.click()
            assert tab.page.locator("#gallery").is_visible() and not tab.page.locator("#viewer").is_visible()
        tab.assert_quiet()
        tab.context.close()
