"""The pages for the browser, by the data that they hold."""

import base64
import json
import os
import re
import zlib

import numpy as np
import pytest
from box_pages import HEAT, NASTY, PLACED, POINTS, REMOVED, Round, clouds, views
from plotly.offline import get_plotlyjs

from utils.files import InputError
from utils.pictures import animation, colours, render
from utils.viewer import html_page


def _data_of(path):
    with open(str(path), encoding="utf-8") as file:
        page = file.read()
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL).group(1))


def _size_beside_the_library(path):
    size = os.path.getsize(str(path)) - len(html_page.packed_library())
    assert size > 0
    return size


def _decode(data, look, name):
    codes = look["colours"]
    return [data["palettes"][name][int(codes[place : place + 2], 36)] for place in range(0, len(codes), 2)]


def test_the_page_holds_what_went_in(tmp_path):
    html_page.save(str(tmp_path / "page.html"), "A box", views())
    data = _data_of(tmp_path / "page.html")
    (cloud,) = data["clouds"]
    np.testing.assert_allclose(np.reshape(cloud["points"], (-1, 3)), PLACED, atol=5e-5)
    first, second = cloud["views"]
    assert (cloud["caption"], first["method"], second["method"]) == ("box 0", "p-grad-CAM", "ASM")
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(first["heat"]), "<f4"), HEAT)
    assert first["removed"] == REMOVED.tolist() and second["removed"] == []
    assert first["rounds"] == [[1, 8, 1.0], [2, 6, None], [3, 5, 0.25]]


@pytest.mark.parametrize("name", ["coolwarm", "thesis", "viridis", "cividis", "plasma"])
@pytest.mark.parametrize("scale", colours.SCALES)
def test_its_colours_are_those_of_the_pictures(tmp_path, name, scale):
    html_page.save(str(tmp_path / "page.html"), "", views(), colormap="plasma")
    data = _data_of(tmp_path / "page.html")
    assert (data["map"], data["scale"]) == ("plasma", colours.DEFAULT_SCALE)
    for view, heat in zip(data["clouds"][0]["views"], (HEAT, -HEAT)):
        look, bar = view["looks"]["{} {}".format(name, scale)], colours.colour_bar(heat, name, scale)
        shown = [[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in _decode(data, look, name)]
        np.testing.assert_allclose(shown, colours.heat_colours(heat, name, scale), atol=0.5001 / 255)
        assert (look["label"], look["zeroLabel"]) == (bar.label, bar.zero_label)
        assert look["range"] == pytest.approx([bar.low, bar.high, bar.least, bar.greatest], rel=1e-4)
        assert len(look["bar"]) == (2 * html_page.BAR_STEPS if len(bar.colours) else 0)


def test_the_page_is_told_what_it_shares_with_the_pictures(tmp_path, monkeypatch):
    for module, name, number in (
        (render, "CAMERA_DISTANCE", 7.0),
        (render, "DOT_SIZE", 0.5),
        (render, "FADING", 0.75),
        (animation, "MILLISECONDS_A_ROUND", 99),
    ):
        monkeypatch.setattr(module, name, number)
    html_page.save(str(tmp_path / "page.html"), "", views())
    data = _data_of(tmp_path / "page.html")
    (cloud,) = data["clouds"]
    np.testing.assert_allclose(cloud["camera"], render.best_direction(POINTS), atol=1e-4)
    html_page.save(str(tmp_path / "page.html"), "", views(), view=(90, 0))
    np.testing.assert_allclose(_data_of(tmp_path / "page.html")["clouds"][0]["camera"], [1, 0, 0], atol=1e-4)
    names = ("cameraDistance", "dotSize", "fading", "millisecondsARound", "significantDigits", "code")
    assert [data[name] for name in names] == [7.0, 0.5, 0.75, 99, 3, {"length": 2, "base": 36}]


def test_the_library_is_packed_to_less_than_half_and_comes_back(tmp_path):
    html_page.save(str(tmp_path / "page.html"), "", views())
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    packed = re.search(r'<script id="library" type="text/plain">(.*?)</script>', text, re.DOTALL).group(1)
    library = get_plotlyjs().encode("utf-8")
    assert zlib.decompress(base64.b64decode(packed)) == library and len(packed) < 0.45 * len(library)


def test_views_of_other_clouds_stand_apart(tmp_path):
    other = views()[0]._replace(caption="box 1", points=POINTS * 2)
    html_page.save(str(tmp_path / "page.html"), "", views() + [other])
    assert [len(cloud["views"]) for cloud in _data_of(tmp_path / "page.html")["clouds"]] == [2, 1]


@pytest.mark.parametrize("unit, origin", [(1e-30, 0), (1e-6, 0), (1e6, 0), (1e-3, 5e6)])
def test_a_cloud_in_any_units_keeps_its_shape(tmp_path, rng, unit, origin):
    points = rng.uniform(-1, 1, (500, 3))
    shapes = []
    for name, given in (("one", points), ("other", points * unit + origin)):
        html_page.save(str(tmp_path / name), "", [views()[0]._replace(points=given)])
        (cloud,) = _data_of(tmp_path / name)["clouds"]
        shapes.append((np.reshape(cloud["points"], (-1, 3)), cloud["camera"]))
    (wanted, wanted_camera), (found, camera) = shapes
    np.testing.assert_allclose(found, wanted, atol=2e-4)
    np.testing.assert_allclose(camera, wanted_camera, atol=2e-4)
    # The shape itself, whatever the place and the scale.
    sizes = np.linalg.norm(points[1:] - points[:-1], axis=1) / np.linalg.norm(found[1:] - found[:-1], axis=1)
    np.testing.assert_allclose(sizes, np.ptp(points, axis=0).max() / 2, rtol=5e-3)


@pytest.mark.parametrize(
    "index, steps",
    [([2, 3, 5, 8, 9, 70, 71, 90], [2, 1, 2, 3, 1, 61, 1, 19]), (range(8), None), ([-1] * 8, None), (None, None)],
    ids=["a part", "all", "of a mesh", "of a data set"],
)
def test_of_a_part_of_a_file_the_page_knows_where_points_stand_in_it(tmp_path, index, steps):
    index = None if index is None else np.array(index)
    html_page.save(str(tmp_path / "page.html"), "", [one._replace(file_index=index) for one in views()])
    (cloud,) = _data_of(tmp_path / "page.html")["clouds"]
    assert cloud.get("fileSteps") == steps


def test_no_text_can_end_the_script_or_be_taken_for_markup(tmp_path):
    path = tmp_path / "page.html"
    html_page.save(str(path), NASTY, [views()[0]._replace(method=NASTY, caption=NASTY)])
    cloud = _data_of(path)["clouds"][0]
    assert cloud["caption"] == NASTY and cloud["views"][0]["method"] == NASTY
    page = path.read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page and "<b>" not in page.split("<script", 1)[0]
    # The data, the packed library, and its own scripts: no more.
    assert len(re.findall(r"</script", page)) == 2 + len(html_page.SCRIPTS)


def test_two_methods_on_2048_points_stay_under_half_a_megabyte_beside_the_library(tmp_path, rng):
    points, path = rng.uniform(-1, 1, (2048, 3)).astype(np.float32), tmp_path / "page.html"
    rounds = [Round(number, 2048, 1.0) for number in range(1, 501)]
    html_page.save(
        str(path),
        "",
        [
            html_page.View(method, "", points, rng.standard_normal(2048), rng.randint(1, 500, 2048), rounds)
            for method in ("one", "other")
        ],
    )
    assert _size_beside_the_library(path) < 500e3


def test_a_gallery_of_40_classes_and_9_methods_stays_under_13_megabytes_beside_the_library(tmp_path, rng):
    sizes = []
    for count in (1, 2):
        several = clouds(count, rng.uniform(-1, 1, (1024, 3)).astype(np.float32))
        html_page.save_gallery(
            str(tmp_path / "page.html"),
            "",
            several,
            list("abcdefghi"),
            {method: [rng.standard_normal(1024) for _ in several] for method in "abcdefghi"},
        )
        sizes.append(_size_beside_the_library(tmp_path / "page.html"))
    assert sizes[0] + 39 * (sizes[1] - sizes[0]) < 13e6


def test_a_gallery_shows_the_first_cloud_of_each_class(tmp_path):
    several = clouds(2)
    html_page.save_gallery(
        str(tmp_path / "page.html"),
        "",
        several,
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
        html_page.save(str(path), "", views(), colormap="hot-dog")
    assert os.listdir(str(tmp_path)) == ["page.html"] and path.read_text() == "before"
