"""The heat of single rounds, packed into a page and coloured in the browser."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from box_pages import REMOVED, ROUNDS, Kept, views

from utils.explain.round_heats import MOST_HEATS
from utils.pictures import colours
from utils.viewer import html_page, packing


def _decoded(found, place):
    """The heats of one round, by the formula that the page uses."""
    codes = np.frombuffer(zlib.decompress(base64.b64decode(found["packed"])), np.int8)
    codes = codes[found["starts"][place] : found["starts"][place + 1]].astype(float)
    sizes = (np.power(1 + found["strength"], np.abs(codes) / 127) - 1) / found["strength"]
    return np.sign(codes) * found["greatest"][place] * sizes


def test_a_byte_keeps_a_heat_to_a_few_percent_whatever_its_size():
    heat = np.concatenate([[0.0], np.logspace(-2, 0, 50) * 7e6, -np.logspace(-2, 0, 50) * 7e6])
    found = packing.round_heats(heat, [Kept(2, heat), Kept(3, heat[:3] / 1e12)])
    np.testing.assert_allclose(_decoded(found, 0), heat, rtol=0.035)
    np.testing.assert_allclose(_decoded(found, 1), heat[:3] / 1e12, rtol=0.035)
    assert found["rounds"] == [2, 3] and found["starts"] == [0, 101, 104]


def test_heat_that_is_no_number_is_none_and_infinite_heat_the_greatest():
    assert packing.finite([np.nan, np.inf, -np.inf, 2.0, -3.0]).tolist() == [0.0, 3.0, -3.0, 2.0, -3.0]
    assert packing.finite([np.nan, np.inf]).tolist() == [0.0, 1.0]
    assert packing.finite(np.zeros(2)).tolist() == [0.0, 0.0]


def test_a_page_of_heat_that_is_no_number_can_be_written(tmp_path):
    heat = np.float32([np.nan, np.inf, -np.inf, 0, 0, 1, 2, 3])
    html_page.save(
        str(tmp_path / "page.html"),
        "",
        [html_page.View("a", "", views()[0].points, heat, REMOVED, ROUNDS, [Kept(2, heat[:6]), Kept(3, np.zeros(5))])],
    )
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "NaN" not in re.search(r'type="application/json">(.*?)</script>', text, re.DOTALL).group(1)


@pytest.mark.parametrize("colormap", ["coolwarm", "viridis", "thesis"])
def test_ramps_and_ranges_give_the_colours_of_the_pictures(tmp_path, rng, colormap):
    heat = rng.standard_normal(200) ** 3
    kept = [Kept(2, heat[:150])]
    removed = np.where(np.arange(200) < 150, -1, 1)
    points = rng.uniform(-1, 1, (200, 3))
    html_page.save(str(tmp_path / "page.html"), "", [html_page.View("a", "", points, heat, removed, ROUNDS[:2], kept)])
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', text, re.DOTALL).group(1))
    ramp, codes = data["ramps"][colormap], data["ramps"][colormap]["codes"]
    ramp_colours = [data["palettes"][colormap][int(codes[at : at + 2], 36)] for at in range(0, len(codes), 2)]
    ramp_colours = np.array([[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in ramp_colours])
    for scale in (colours.ROBUST, colours.LINEAR):
        kind = "diverging" if ramp["isDiverging"] else "stretched"
        least, greatest = data["clouds"][0]["views"][0]["roundHeats"]["ranges"]["{} {}".format(kind, scale)][1][:2]
        low, high = (-max(-least, greatest), max(-least, greatest)) if ramp["isDiverging"] else (least, greatest)
        low = 0 if ramp["none"] else low
        places = np.clip((kept[0].heat - low) / (high - low), 0, 1) * (len(ramp_colours) - 1)
        wanted = colours.heat_colours(kept[0].heat, colormap, scale)
        has_colour = kept[0].heat > 0 if ramp["none"] else np.ones(150, bool)
        np.testing.assert_allclose(ramp_colours[np.rint(places).astype(int)][has_colour], wanted[has_colour], atol=0.02)


def test_as_much_heat_as_a_run_keeps_takes_less_than_800_kilobytes(rng):
    kept = [Kept(number, rng.standard_normal(MOST_HEATS // 100)) for number in range(2, 102)]
    assert len(json.dumps(packing.round_heats(np.ones(9), kept))) < 800e3
