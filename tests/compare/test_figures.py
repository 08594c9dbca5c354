"""Figures of compare.py: few lines in colour, each told apart, one look a method, and nothing beyond the edge."""

import numpy as np
import pytest
from figure_checks import EDGE, SIXTEEN, assert_edges_are_white, count, drawn, read

from utils.compare import distributions, figures, grid_figure, report, styles
from utils.explain.methods import METHODS
from utils.pictures import plots


def _curves(tmp_path, methods):
    path = str(tmp_path / "curves.png")
    curves = {name: (np.full(3, 0.1 + 0.05 * place), np.zeros(3)) for place, name in enumerate(methods)}
    figures.save_curves(path, [0, 25, 50], {"accuracy": curves}, "points", 40)
    return read(path)


@pytest.mark.parametrize("methods", [["asm", "p-grad-cam"], ["p-grad-cam", "asm"], ["random", "asm"]])
def test_a_method_has_its_colour_whatever_stands_before_it(tmp_path, methods):
    picture = _curves(tmp_path, methods)
    assert min(count(picture, METHODS[name].colour) for name in methods) > 1000
    # Words and axes are black, too.
    others = [method for name, method in METHODS.items() if name not in methods and method.colour != "#000000"]
    assert max(count(picture, method.colour) for method in others) < 300


def test_of_many_methods_the_best_and_the_baseline_have_looks_of_their_own():
    assert SIXTEEN[-1] == "random" and len(SIXTEEN) == 16
    assert styles.coloured(SIXTEEN) == SIXTEEN[:7] + ["random"]
    assert styles.coloured(SIXTEEN[::-1]) == SIXTEEN[::-1][:8]
    assert styles.coloured(["random", "asm"]) == ["random", "asm"]
    looks = styles.of(list(METHODS)[:8])
    for part in ("colour", "marker", "line"):
        assert len({getattr(look, part) for look in looks.values()}) == 8
    assert styles.of(["random"])["random"].line not in styles.LINES


def test_methods_beyond_eight_are_grey_and_named_once(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(figures.plots, "save_figure", lambda figure, _: said.append(figure))
    curves = {name: (np.full(3, 0.1 + 0.05 * place), np.zeros(3)) for place, name in enumerate(SIXTEEN)}
    figures.save_curves("", [0, 25, 50], {"accuracy": curves, "probability": curves}, "points", 40)
    (figure,) = said
    for axes in figure.axes:
        lines = [line for line in axes.lines if len(line.get_xdata()) == 3 and line.get_transform() == axes.transData]
        greys = [line for line in lines if line.get_color() == styles.OTHER_COLOUR]
        assert (len(lines), len(greys)) == (16, 8) and {line.get_linewidth() for line in greys} == {0.8}
        assert sorted(text.get_text() for text in axes.texts) == sorted(SIXTEEN[:7] + ["random"])
    (words,) = [text for text in figure.texts if "others" in text.get_text()]
    for name in SIXTEEN:
        assert (name in words.get_text().replace("\n", " ")) == (name not in SIXTEEN[:7] + ["random"])


def test_names_at_the_ends_of_curves_do_not_meet_and_stay_on_the_picture(tmp_path, monkeypatch):
    kept = []
    save = plots.save_figure
    monkeypatch.setattr(figures.plots, "save_figure", lambda figure, path: (kept.append(figure), save(figure, path)))
    path = str(tmp_path / "curves.png")
    # All curves end in one point, as under `insert`.
    curves = {name: (np.array([0.05 * place, 0.9]), np.zeros(2)) for place, name in enumerate(METHODS)}
    figures.save_curves(path, ["trained", "a layer of a long name"], {"accuracy": curves}, "points", 40)
    assert_edges_are_white(read(path))
    boxes = [text.get_window_extent() for text in kept[0].axes[0].texts]
    assert len(boxes) == 8
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])
    # The curve that came there from above is named above.
    names = [text.get_text() for text in sorted(kept[0].axes[0].texts, key=lambda text: -text.get_position()[1])]
    assert names[0] == "random" and names[1:] == list(METHODS)[6::-1]


def test_heights_are_spread_by_as_little_as_can_be():
    assert plots.spread([0.1, 0.5, 0.9], 0.1, 0, 1) == pytest.approx([0.1, 0.5, 0.9])
    # Two that want one place move by half the gap each; a third that they meet moves all.
    assert plots.spread([0.5, 0.5], 0.1, 0, 1) == pytest.approx([0.45, 0.55])
    assert plots.spread([0.5, 0.5, 0.56], 0.1, 0, 1) == pytest.approx([0.42, 0.52, 0.62])
    assert plots.spread([0.0, 0.0, 1.0, 1.0], 0.1, 0, 1) == pytest.approx([0.0, 0.1, 0.9, 1.0])
    # Where there is no room, they begin at the bottom.
    assert plots.spread([0.5] * 3, 0.6, 0, 1) == pytest.approx([0.0, 0.6, 1.2])


def test_heights_are_spread_by_least_squares(rng):
    wanted, gap = np.sort(rng.uniform(0, 1, 5)), 0.15
    found = np.array(plots.spread(wanted.tolist(), gap, -9, 9))
    assert np.diff(found).min() > gap - 1e-9
    least = np.square(found - wanted).sum()
    for _ in range(2000):
        # No other heights with these gaps are nearer.
        other = np.sort(found - gap * np.arange(5) + rng.normal(0, 0.05, 5)) + gap * np.arange(5)
        assert np.square(other - wanted).sum() > least - 1e-9


@pytest.mark.parametrize("count", [2, 5, 12])
def test_the_legend_of_bars_stays_on_the_picture(tmp_path, count):
    path = str(tmp_path / "bars.png")
    series = {"way {}".format(number): ([1.0, 2.0], None) for number in range(count)}
    figures.save_bars(path, ["p-grad-cam", "asm"], series, "points")
    assert_edges_are_white(read(path))


def test_the_legend_of_bars_of_long_names_stays_on_the_picture(tmp_path):
    path = str(tmp_path / "bars.png")
    series = {"rotation_y, all 1024 points, seed {}".format(number): ([1.0, 2.0], None) for number in range(5)}
    figures.save_bars(path, ["asm", "random"], series, "points")
    assert_edges_are_white(read(path))


@pytest.mark.parametrize("class_name", ["chair", "a long name of a class $x_1$ ^"])
def test_words_of_the_grid_stay_on_the_picture(tmp_path, class_name):
    path = str(tmp_path / "clouds.png")
    spheres = plots.Spheres(np.zeros((1, 2)), np.full(1, 0.1), np.zeros((1, 3)))
    grid_figure.save_grid(
        path,
        [class_name],
        ["asm"],
        [[grid_figure.Cell(spheres, (-1, 1, -1, 1), "no heat")]],
        report.grid_bar(False, "viridis", "rank"),
    )
    picture = read(path)
    assert (picture[:, -EDGE:] == 1).all()
    # Between the name of the class and its picture there is room.
    name_width = int(
        max(grid_figure.NAME_WIDTH, 0.1 + grid_figure.LETTER_WIDTH * len(class_name)) * plots.DOTS_PER_INCH
    )
    # Without the title above and the colour bar below.
    rows = slice(int(grid_figure.TITLE_HEIGHT * plots.DOTS_PER_INCH), -int(0.65 * plots.DOTS_PER_INCH))
    assert (picture[rows, name_width - EDGE : name_width] == 1).all()
    assert (picture[rows, EDGE : name_width // 2] < 0.5).any()


@pytest.mark.parametrize("count, width, rows", [(2, 4.5, 6), (8, 9.0, 6), (9, 9.0, 4), (16, 9.0, 4), (17, 9.0, 2)])
def test_a_grid_of_many_methods_fits_a_page(tmp_path, count, width, rows):
    assert grid_figure.num_rows(count) == rows
    path = str(tmp_path / "clouds.png")
    spheres = plots.Spheres(np.zeros((1, 2)), np.full(1, 0.1), np.zeros((1, 3)))
    names = ["integrated-gradients"] * count
    cells = [[grid_figure.Cell(spheres, (-1, 1, -1, 1))] * count] * rows
    grid_figure.save_grid(path, ["chair"] * rows, names, cells, report.grid_bar(True, "coolwarm", "robust"))
    picture = read(path)
    assert picture.shape[1] <= width * plots.DOTS_PER_INCH and picture.shape[0] <= 10 * plots.DOTS_PER_INCH
    assert_edges_are_white(picture)
    # Every cell has its sphere: black spots, so many across and down.
    dark = picture[:, int(1.0 * plots.DOTS_PER_INCH) :].max(axis=2) < 0.3
    assert dark.sum() > 0


@pytest.mark.parametrize("num_series", [1, 3, 4])
def test_bars_of_sixteen_methods_fit_a_page(tmp_path, num_series):
    path = str(tmp_path / "bars.png")
    series = {"way {}".format(number): (np.arange(16.0), np.ones(16)) for number in range(num_series)}
    figures.save_bars(path, SIXTEEN, series, "points")
    picture = read(path)
    assert picture.shape[0] <= 9 * plots.DOTS_PER_INCH and picture.shape[1] <= 7.2 * plots.DOTS_PER_INCH
    assert_edges_are_white(picture)


def _curves_of(names):
    return {name: (np.full(3, 0.1 + 0.05 * place), np.full(3, 0.02)) for place, name in enumerate(names)}


COLUMN = plots.FIGURE_WIDTHS["column"]
CELL = grid_figure.Cell(plots.Spheres(np.zeros((1, 2)), np.full(1, 0.1), np.zeros((1, 3))), (-1, 1, -1, 1), "no heat")
SPREAD_VALUES = np.arange(12.0) * 80, np.arange(12) % 3 > 0
DRAWN = {
    "curves": (
        figures,
        lambda names: figures.save_curves("", [0, 25, 50], {"accuracy": _curves_of(names)}, "points", 40, width=COLUMN),
    ),
    "bars": (
        figures,
        lambda names: figures.save_bars(
            "", names, {"a way": (np.arange(16.0), None)}, "a long label of points", COLUMN
        ),
    ),
    "clouds": (
        grid_figure,
        lambda names: grid_figure.save_grid(
            "", names[:2], names[9:], [[CELL] * 7] * 2, report.grid_bar(True, "coolwarm", "robust"), COLUMN
        ),
    ),
    "distributions": (
        distributions,
        lambda names: distributions.save(
            "",
            {"dropped {}".format(way): dict.fromkeys(names[9:], SPREAD_VALUES) for way in "abc"},
            np.arange(12) > 2,
            1024,
            "points",
            "not recognised",
            COLUMN,
        ),
    ),
}


# As long as a name of heat from elsewhere can be.
LONG_NAMES = ["heat-of-another-group-in-their-paper-{:02d}".format(number) for number in range(16)]


@pytest.mark.parametrize("names", [SIXTEEN, LONG_NAMES])
@pytest.mark.parametrize("name", sorted(DRAWN))
def test_in_a_column_no_text_is_small_and_none_is_cut(monkeypatch, name, names):
    module, draw = DRAWN[name]
    figure, texts = drawn(monkeypatch, module, lambda: draw(names))
    width, height = figure.get_size_inches()
    assert width == pytest.approx(COLUMN)
    assert min(text.get_fontsize() for text in texts) >= plots.LEAST_TEXT
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    slack = 1e-6  # of floats
    assert box.x0 >= 0 and box.x1 <= width + slack and box.y0 >= 0 and box.y1 <= height + slack


@pytest.mark.parametrize("places", [[16, 32, 64, 128], [8, 16, 31, 62, 125, 188, 250, 375, 500], [16, 31, 62, 1000]])
def test_a_logarithmic_axis_has_numbers_whatever_the_places(monkeypatch, places):
    curves = {"asm": (np.linspace(0, 1, len(places)), np.zeros(len(places)))}
    figure, _ = drawn(
        monkeypatch, figures, lambda: figures.save_curves("", places, {"accuracy": curves}, "points", 40, is_log=True)
    )
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert len(ticks) > 1 and all(int(tick) in places for tick in ticks)


@pytest.mark.parametrize("num_clouds, num_bands", [(9, 0), (10, 2)])
def test_bands_of_errors_are_drawn_from_ten_clouds_on(monkeypatch, num_clouds, num_bands):
    curves = _curves_of(["asm", "random"])
    figure, _ = drawn(
        monkeypatch, figures, lambda: figures.save_curves("", [0, 25, 50], {"accuracy": curves}, "points", num_clouds)
    )
    assert len(figure.axes[0].collections) == num_bands


def test_a_cell_without_heat_says_so_and_the_bar_what_its_numbers_are(monkeypatch):
    bar = report.grid_bar(True, "coolwarm", "robust")
    _, texts = drawn(monkeypatch, grid_figure, lambda: grid_figure.save_grid("", ["chair"], ["asm"], [[CELL]], bar))
    words = {text.get_text().replace("\n", " ") for text in texts}
    assert {"no heat", "\u22121", "0", "1", "heat of each cloud, in units of its 98th percentile"} < words
    assert bar.is_pointed_below and bar.is_pointed_above
    assert not report.grid_bar(False, "coolwarm", "robust").is_pointed_below
