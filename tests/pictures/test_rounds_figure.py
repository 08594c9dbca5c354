"""Accuracy over the points left: one axis for all methods, names at the ends, files that publishers take."""

import re
import zlib

import pytest

from utils.pictures import plots, rounds_figure
from utils.pictures.rounds_figure import Curve

CURVES = [
    Curve("ASM", [100, 60, 55], [1.0, 0.7, 0.4], "#D55E00", "s"),
    Curve("p-grad-CAM", [100, 30, 20], [1.0, float("nan"), 0.4], "#0072B2"),
]


def _figure(monkeypatch, curves, **options):
    drawn = []
    monkeypatch.setattr(rounds_figure.plots, "save_figure", lambda figure, path: drawn.append(figure))
    rounds_figure.save("", curves, "chair 0: seen as chair (99.9%)", **options)
    return drawn[0]


@pytest.mark.parametrize("width", [None, 3.46])
def test_all_methods_stand_on_one_axis_from_all_points_to_none_and_are_named_at_their_ends(monkeypatch, width):
    figure = _figure(monkeypatch, CURVES, width=width)
    (axes,) = figure.axes
    assert axes.get_xlim() == (100, 0) and axes.get_ylim() == (0, 1)
    names = {text.get_text(): text for text in axes.texts}
    assert {"ASM", "p-grad-CAM"} < set(names)
    assert names["ASM"].get_color() == "#D55E00"
    # They end at one height, ASM further to the left: so it is named below.
    assert names["p-grad-CAM"].get_position()[1] > names["ASM"].get_position()[1]
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])
    assert max(box.x1 for box in boxes) <= figure.get_size_inches()[0] * figure.dpi
    assert min(text.get_fontsize() for text in axes.texts + axes.get_xticklabels() + axes.get_yticklabels()) >= 7


def test_of_more_than_eight_methods_the_others_are_grey_and_without_name(monkeypatch):
    figure = _figure(monkeypatch, [CURVES[0]._replace(name="method {}".format(number)) for number in range(10)])
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    assert [line.get_color() for line in lines] == ["#D55E00"] * 8 + [rounds_figure.OTHER_COLOUR] * 2
    assert len([text for text in figure.axes[0].texts if text.get_text().startswith("method")]) == 8


def _streams(path):
    """The uncompressed parts of a PDF, as bytes."""
    content = path.read_bytes()
    return [
        zlib.decompress(one) for one in re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)endstream", content, re.DOTALL)
    ]


@pytest.mark.parametrize("ending", plots.FORMATS)
def test_equal_runs_leave_equal_files(tmp_path, ending):
    paths = [tmp_path / "{}.{}".format(name, ending) for name in "ab"]
    for path in paths:
        rounds_figure.save(str(path), CURVES, "chair", width=plots.FIGURE_WIDTHS["column"])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_pdf_for_a_column_has_true_type_fonts_and_no_text_below_seven_points(tmp_path):
    path = tmp_path / "rounds.pdf"
    rounds_figure.save(str(path), CURVES, "chair", width=plots.FIGURE_WIDTHS["column"])
    content = path.read_bytes()
    assert b"/Type3" not in content and b"/CIDFontType2" in content
    left, bottom, right, top = map(float, re.search(rb"/MediaBox \[ (.*?) \]", content).group(1).split())
    assert right - left == pytest.approx(3.46 * 72, abs=0.5)
    sizes = [float(size) for part in _streams(path) for size in re.findall(rb"/F\d+ ([\d.]+) Tf", part)]
    assert len(sizes) > 5 and min(sizes) >= plots.LEAST_TEXT


def test_the_words_of_an_svg_are_words(tmp_path):
    path = tmp_path / "rounds.svg"
    rounds_figure.save(str(path), CURVES, "chair")
    assert "p-grad-CAM</text>" in path.read_text(encoding="utf-8")
