"""Figures of compare.py: one colour a method wherever it stands, and nothing beyond the edge."""

import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest

from utils.compare import figures
from utils.explain.methods import METHODS
from utils.pictures import plots

EDGE = 10  # pixels


def _read(path):
    return matplotlib.image.imread(path)[:, :, :3]


def _count(picture, colour):
    return (np.abs(picture - np.array(matplotlib.colors.to_rgb(colour))).max(axis=2) < 0.01).sum()


def _assert_edges_are_white(picture):
    for edge in (picture[:EDGE], picture[-EDGE:], picture[:, :EDGE], picture[:, -EDGE:]):
        assert (edge == 1).all()


def _curves(tmp_path, methods):
    path = str(tmp_path / "curves.png")
    curves = {name: (np.full(3, 0.1 + 0.05 * place), np.zeros(3)) for place, name in enumerate(methods)}
    figures.save_curves(path, [0, 25, 50], {"accuracy": curves}, "points")
    return _read(path)


@pytest.mark.parametrize("methods", [["asm", "p-grad-cam"], ["p-grad-cam", "asm"], ["random", "asm"]])
def test_a_method_has_its_colour_whatever_stands_before_it(tmp_path, methods):
    picture = _curves(tmp_path, methods)
    assert min(_count(picture, METHODS[name].colour) for name in methods) > 1000
    # Words and axes are black, too.
    others = [method for name, method in METHODS.items() if name not in methods and method.colour != "#000000"]
    assert max(_count(picture, method.colour) for method in others) < 300


def test_as_many_methods_as_anyone_adds_have_curves(tmp_path, monkeypatch):
    # Nine that draw nothing by chance ended in an IndexError once.
    for number in range(3):
        name = "new {}".format(number)
        monkeypatch.setitem(METHODS, name, METHODS["asm"]._replace(name=name, colour=(0, 0, 0.5 + 0.1 * number)))
    picture = _curves(tmp_path, list(METHODS) + ["of another version"])
    assert all(_count(picture, method.colour) > 300 for method in METHODS.values())


@pytest.mark.parametrize("count", [2, 5, 12])
def test_the_legend_of_bars_stays_on_the_picture(tmp_path, count):
    path = str(tmp_path / "bars.png")
    series = {"way {}".format(number): ([1.0, 2.0], None) for number in range(count)}
    figures.save_bars(path, ["p-grad-cam", "asm"], series, "points")
    _assert_edges_are_white(_read(path))


@pytest.mark.parametrize("class_name", ["chair", "a long name of a class $x_1$ ^"])
def test_words_of_the_grid_stay_on_the_picture(tmp_path, class_name):
    path = str(tmp_path / "clouds.png")
    spheres = plots.Spheres(np.zeros((1, 2)), np.full(1, 0.1), np.zeros((1, 3)))
    figures.save_grid(
        path,
        [class_name],
        ["asm"],
        [[(spheres, (-1, 1, -1, 1))]],
        np.zeros((4, 3)),
        "rank of the heat of each cloud, from the least to the greatest",
    )
    picture = _read(path)
    assert (picture[:, -EDGE:] == 1).all()
    # Between the name of the class and its picture there is room.
    name_width = int(max(figures.NAME_WIDTH, 0.1 + figures.LETTER_WIDTH * len(class_name)) * plots.DOTS_PER_INCH)
    rows = slice(int(figures.TITLE_HEIGHT * plots.DOTS_PER_INCH), -int(figures.TITLE_HEIGHT * plots.DOTS_PER_INCH))
    assert (picture[rows, name_width - EDGE : name_width] == 1).all()
    assert (picture[rows, EDGE : name_width // 2] < 0.5).any()


def _distributions(tmp_path, num_clouds, methods, lost=0):
    path = str(tmp_path / "points_removed.png")
    rng = np.random.RandomState(0)
    values = {name: rng.randint(0, 1025, num_clouds).astype(float) for name in methods}
    is_counted = np.arange(num_clouds) >= lost
    figures.save_distributions(path, values, is_counted, 1024, "points removed until lost", "not recognised before")
    return _read(path)


@pytest.mark.parametrize("num_clouds, lost", [(1, 0), (1, 1), (2, 1), (160, 0), (160, 12)])
def test_distributions_fit_a_paper_for_any_number_of_clouds(tmp_path, num_clouds, lost):
    picture = _distributions(tmp_path, num_clouds, list(METHODS), lost)
    height, width = picture.shape[:2]
    # 160 clouds under 9 methods were 73,000 pixels once. A page of a paper is some 6.5 by 9 inches.
    assert width <= 7.2 * plots.DOTS_PER_INCH and height <= 6 * plots.DOTS_PER_INCH
    _assert_edges_are_white(picture)


def test_every_method_has_dots_of_its_colour_and_a_box_around_its_median(tmp_path):
    path = str(tmp_path / "points_removed.png")
    values = {"asm": np.array([100.0, 200, 300, 400, 500]), "random": np.array([900.0] * 5)}
    figures.save_distributions(path, values, np.ones(5, bool), 1000, "points", "")
    picture = _read(path)
    columns = np.flatnonzero((np.abs(picture - matplotlib.colors.to_rgb("#D55E00")).max(axis=2) < 0.01).any(axis=0))
    left = figures.LETTER_WIDTH * len("random") + 0.2
    places = (columns / plots.DOTS_PER_INCH - left) / 5.0 * 1000
    # The line of the median is opaque; it is at 300 of 1000.
    assert abs(np.median(places) - 300) < 10
    assert _count(picture, "0.55") > 100
