"""The page as people use it: on screens of many sizes, by mouse, keys and fingers, in the dark and on paper."""

import numpy as np
import pytest
from box_pages import HEAT, REMOVED, ROUNDS, Kept, views
from tab import Tab, open_browser

from utils.pictures import colours
from utils.viewer import html_page, packing

pytestmark = pytest.mark.takes_turns

ROUND_2 = np.float32([5, 4, 3, 2, 1, 0])
OTHER_REMOVED = np.array([1, 2, -1, -1, -1, -1, -1, -1])  # leaves 8, 7 and 6 points, where the first leaves 8, 6 and 5
DISTANCE = (
    "(() => { const {eye, center: c} = currentCamera(); return Math.hypot(eye.x - c.x, eye.y - c.y, eye.z - c.z); })()"
)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as started:
        yield started


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A page of two methods, both of which dropped points, and of the heat of the first one's second round."""
    first, second = views()
    rounds = [one._replace(points_left=left) for one, left in zip(ROUNDS, (8, 7, 6))]
    found = tmp_path_factory.mktemp("use") / "heat.html"
    shown = [
        first._replace(round_heats=[Kept(2, ROUND_2)]),
        second._replace(removed_in_round=OTHER_REMOVED, rounds=rounds),
    ]
    html_page.save(str(found), "A box", shown)
    return found


@pytest.fixture(scope="module")
def big(browser, path):
    """The page on a desk; it is loaded once for all tests, as that takes seconds."""
    tab = Tab(browser, path)
    yield tab
    tab.assert_quiet()


@pytest.fixture
def desk(big):
    """The page on a desk as it begins, 560 by 480 pixels, light."""
    big.page.set_viewport_size({"width": 560, "height": 480})
    big.page.emulate_media(color_scheme="light", media="screen")
    big.page.evaluate("startViewer(0, 0).then(resetCamera)")
    return big


@pytest.fixture(scope="module")
def phone(browser, path):
    """The page on a phone."""
    tab = Tab(browser, path, size=(390, 844), is_mobile=True, has_touch=True)
    yield tab
    tab.assert_quiet()


def _assert_all_is_in_sight(tab, size):
    tab.page.set_viewport_size({"width": size[0], "height": size[1]})
    tab.page.wait_for_timeout(400)  # it waits for the last of many changes of size before it draws
    width, height = size
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("h1 >> nth=-1", "#cloud", "#views", "#play", "#slider", "#says", "#pickers", "#bar", "#curve"):
        left, top, right, bottom = tab.box(selector)
        assert 0 <= left < right <= width, selector
        # A high and narrow screen is scrolled; on all others cloud, bar and curve are in sight together.
        assert 0 <= top < bottom and (width < height or bottom <= height), selector
    assert tab.box("#cloud")[2] <= tab.box("#views")[0]
    # Numbers of many digits, beyond both ends of the bar, do not meet.
    tab.page.evaluate(
        "() => { const usual = heatBar; heatBar = () => ({title: '', colours: ['#000000', '#ffffff'],"
        " range: [-0.000757, 0.000757, -0.00488, 0.00141]}); drawBar(); heatBar = usual; }"
    )
    for first, second in (("#ticks .low", "#ticks span:not([class])"), ("#ticks span:not([class])", "#ticks .high")):
        assert tab.box(first)[2] < tab.box(second)[0]
    assert tab.box("#beyondLow")[2] < tab.box("#beyondHigh")[0]
    assert not tab.page.evaluate(
        "Array.from(document.querySelectorAll('button, select, #says, #ticks span')).filter((one) => one.offsetParent)"
        ".some((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)"
    )


@pytest.mark.parametrize("size", [(1400, 900), (1024, 600)])
def test_on_a_desk_everything_is_in_sight_and_nothing_is_cut(desk, size):
    _assert_all_is_in_sight(desk, size)


@pytest.mark.parametrize("size", [(844, 390), (390, 844)])
def test_on_a_phone_everything_is_in_sight_or_a_swipe_away(phone, size):
    _assert_all_is_in_sight(phone, size)


def test_keys_turn_zoom_and_reset_and_the_focus_stays(desk):
    page, first = desk.page, desk.camera()
    page.locator("#cloud").focus()
    page.keyboard.press("ArrowRight")
    right = desk.camera()
    page.keyboard.press("ArrowUp")
    up = desk.camera()
    # About the up axis, which is Plotly's third; then lower, to see the cloud's upper side go up.
    assert right[2] == pytest.approx(first[2], abs=1e-6) and np.abs(right - first).max() > 0.1
    assert up[2] < right[2] - 0.1
    assert page.evaluate("getComputedStyle(element('cloud')).outlineStyle") == "solid"
    distance = page.evaluate(DISTANCE)
    page.keyboard.press("+")
    assert page.evaluate(DISTANCE) == pytest.approx(distance / 1.15, rel=1e-3)
    page.keyboard.press("0")
    np.testing.assert_allclose(desk.camera(), first, atol=1e-6)
    assert page.evaluate("document.activeElement.id") == "cloud"
    # Choices that are drawn anew keep the focus, though there are fewer of them.
    other = page.locator("#pickers button", has_text="ASM")
    other.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "ASM"
    assert page.locator("#pickers button").count() == 4  # two methods, two colourings


def test_a_finger_scrolls_up_and_down_and_turns_sideways(phone):
    tab = phone
    touch = tab.context.new_cdp_session(tab.page)

    def swipe(right, down):
        place = np.array([150.0, 330.0])
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 150, "y": 330}]})
        for _ in range(8):
            place += [right / 8, down / 8]
            touch.send(
                "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": place[0], "y": place[1]}]}
            )
            tab.page.wait_for_timeout(20)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    tab.page.evaluate("window.scrollTo(0, 0)")
    first = tab.camera()
    swipe(120, 0)
    turned = tab.camera()
    assert np.abs(turned - first).max() > 0.3 and turned[2] == pytest.approx(first[2], abs=1e-6)
    assert tab.page.evaluate("window.scrollY") == 0
    swipe(0, -200)
    np.testing.assert_allclose(tab.camera(), turned, atol=1e-6)
    tab.page.wait_for_function("window.scrollY > 100")


def test_colour_by_order_and_by_the_heat_of_the_round_and_other_methods_keep_the_points_left(desk):
    tab, page = desk, desk.page

    def press(name):
        page.locator("#pickers button", has_text=name).click()

    def rgb():
        return [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in tab.colours()]

    for scale in colours.SCALES:
        page.evaluate("(scale) => change({scale})", scale)
        strengths = page.evaluate("pointLooks().strengths")
        np.testing.assert_allclose(strengths, colours.heat_strengths(HEAT, scale=scale), atol=1e-4)
    page.evaluate("(scale) => change({scale})", colours.DEFAULT_SCALE)
    press("order of dropping")
    np.testing.assert_allclose(page.evaluate("pointLooks().strengths"), colours.order_strengths(REMOVED), atol=1e-6)
    np.testing.assert_allclose(rgb(), colours.order_colours(REMOVED), atol=0.5001 / 255)
    assert page.locator("#ticks").inner_text().split() == ["first", "last"]
    assert page.locator("#zeroLabel").inner_text() == "never"
    press("heat of this round")
    np.testing.assert_allclose(rgb(), colours.heat_colours(HEAT), atol=0.02)
    page.evaluate("toRound(2)")
    np.testing.assert_allclose(rgb(), colours.heat_colours(ROUND_2), atol=0.02)
    assert page.locator("#barTitle").inner_text() == "heat in round 2"
    assert "about 5 in round 2" in page.evaluate("hoverText(0)")
    # The third round took no heat: the last that did is shown, and said.
    page.evaluate("toRound(3)")
    assert page.locator("#barTitle").inner_text() == "heat in round 2, the last that was kept" and len(rgb()) == 5
    page.evaluate("change({scale: 'rank'})")
    np.testing.assert_allclose(rgb(), colours.heat_colours(ROUND_2, scale="rank")[:5], atol=0.02)
    # Round 3 leaves 5 points. The other method never has so few: its last round has 6, and no heat of rounds.
    press("ASM")
    assert page.evaluate("[state.round, state.by]") == [3, "heat"]
    press("p-grad-CAM")
    assert page.evaluate("state.round") == 3
    page.evaluate("toRound(2)")
    press("ASM")
    assert page.evaluate("state.round") == 3 and tab.counts() == [6, 2]


def test_a_point_of_a_part_of_a_file_says_where_it_stands_in_both(desk):
    page = desk.page
    assert page.evaluate("hoverText(3)").endswith("<br>point 3")
    page.evaluate("Object.assign(currentCloud(), {fileSteps: [2, 1, 2, 398, 1, 1, 1, 1]})")
    assert page.evaluate("hoverText(3)").endswith("<br>point 3 of heat.csv, 403 of the file")
    page.evaluate("Object.assign(currentCloud(), {fileSteps: undefined, filePlaces: undefined})")


@pytest.mark.parametrize("heat", [ROUND_2 - 2, -ROUND_2, np.ones(6), ROUND_2 + 1], ids=["both", "least", "one", "all"])
def test_the_bar_of_a_round_is_that_of_the_pictures(desk, heat):
    # Given to the page that is there: one of its own for each heat would take seconds.
    set_heat = """async (packed) => {
      packed.bytes = new Int8Array((await unpacked(packed.packed)).buffer);
      [state.by, state.round, currentView().roundHeats] = ["round", 2, packed];
    }"""
    bar_of = "([map, scale]) => { Object.assign(state, {map, scale}); return barOf(currentView()); }"
    usual = desk.page.evaluate("currentView().roundHeats")
    desk.page.evaluate(set_heat, packing.round_heats(HEAT, [Kept(2, heat)]))
    for colormap in ("coolwarm", "viridis", "thesis"):
        for scale in colours.SCALES:
            bar, wanted = desk.page.evaluate(bar_of, [colormap, scale]), colours.colour_bar(heat, colormap, scale)
            assert bar["range"] == pytest.approx([wanted.low, wanted.high, wanted.least, wanted.greatest], rel=1e-4)
            assert bar["zeroLabel"] == wanted.zero_label
            ends = [bar["colours"][end] for end in (0, -1) if bar["colours"]]
            shown = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in ends]
            wanted_ends = [wanted.colours[end] for end in (0, -1) if len(wanted.colours)]
            np.testing.assert_allclose(shown, wanted_ends, atol=0.02)
    desk.page.evaluate(set_heat, usual)
    desk.page.evaluate("(look) => Object.assign(state, look)", {"map": colours.DEFAULT_COLORMAP, "scale": "robust"})


def test_the_dark_has_colours_of_its_own_and_paper_has_none_of_them(desk):
    tab, page = desk, desk.page
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("state.shown.colours[7] !== '#b40426'")
    strong, none = tab.colours()[7], tab.colours()[0]
    lightness = [sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in (strong, none)]
    # The strongest is the lightest, as on white it is the darkest.
    assert lightness[0] > lightness[1] + 60 and none == page.evaluate(
        "decodeColours(lookOf(currentView()).bar, state.map)[0]"
    )
    corner = tab.pixels("body")[2, 2]
    assert corner.max() < 40
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert tab.colours()[7] == "#b40426" and tab.is_seen("#printed", "#b40426", 20, apart=40)
    assert page.locator("#slider").is_hidden() and page.locator("#curve").is_visible()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_function("state.shown.colours[7] !== '#b40426'")
    assert tab.colours()[7] == strong


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(desk, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    desk.page.emulate_media(color_scheme=scheme)
    desk.page.evaluate("element('looks').open = true")
    found = axe.Axe().run(desk.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
