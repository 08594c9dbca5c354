"""The figures, by their pixels."""

import os

import numpy as np
import pytest
from matplotlib.text import Text

from utils.files import InputError
from utils.pictures import colours, heat_figure, plots, rounds_figure

NAMES = ["a_class_of_a_long_name", "bed"]


def _read(path):
    """float array [height, width, 3] of a PNG."""
    from matplotlib.image import imread

    return imread(str(path))[:, :, :3]


def _is_blue(image):
    return (image[:, :, 2] - image[:, :, 0] > 0.3) & (image[:, :, 0] < 0.3)


def _without_colour_bar(image):
    return image[:, : -int(0.9 * plots.DOTS_PER_INCH)]


def _assert_edge_is_white(image):
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (edge == 1).all()


def _save_rounds(path, points_left, accuracies, title):
    rounds_figure.save(path, [rounds_figure.Curve("", points_left, accuracies)], title)


def test_rounds_run_from_many_points_on_the_left_to_few_on_the_right(tmp_path):
    _save_rounds(str(tmp_path / "rounds.png"), [100, 40, 10], [1.0, 0.9, 0.2], "title")
    image = _read(tmp_path / "rounds.png")
    rows, columns = np.nonzero(_is_blue(image))
    first, last = rows[columns < columns.min() + 10].mean(), rows[columns > columns.max() - 10].mean()
    assert first < last - 300  # the accuracy falls
    _assert_edge_is_white(image)


def test_rounds_without_accuracy_are_left_out(tmp_path):
    _save_rounds(str(tmp_path / "with.png"), [100, 40, 10], [1.0, float("nan"), 0.2], "title")
    _save_rounds(str(tmp_path / "without.png"), [100, 10], [1.0, 0.2], "title")
    np.testing.assert_array_equal(_read(tmp_path / "with.png"), _read(tmp_path / "without.png"))


@pytest.mark.parametrize("points_left, accuracies", [([1024], [0.3]), ([7], [float("nan")])])
def test_one_round_is_drawn_too(tmp_path, points_left, accuracies):
    _save_rounds(str(tmp_path / "rounds.png"), points_left, accuracies, "1 $ round")
    assert _is_blue(_read(tmp_path / "rounds.png")).any() == np.isfinite(accuracies[0])


def test_confusion_matrix_has_true_classes_in_rows_and_predicted_ones_in_columns(tmp_path):
    plots.save_confusion_matrix(str(tmp_path / "matrix.png"), [[0, 7], [0, 0]], NAMES, "title")
    image = _read(tmp_path / "matrix.png")
    rows, columns = np.nonzero(_is_blue(_without_colour_bar(image)))
    cell = 1.1 * plots.DOTS_PER_INCH  # of two cells on 2.2 inches
    assert len(rows) > 0.9 * cell**2
    assert columns.min() > image.shape[1] - 0.9 * plots.DOTS_PER_INCH - cell - 5  # the right column
    assert rows.max() < 0.35 * plots.DOTS_PER_INCH + cell + 5  # the upper row
    _assert_edge_is_white(image)


def test_confusion_matrix_of_forty_classes_has_a_dark_diagonal(tmp_path):
    path = tmp_path / "matrix.png"
    plots.save_confusion_matrix(str(path), 9 * np.eye(40, dtype=int), ["class_%d" % c for c in range(40)], "title")
    image = _read(path)
    rows, columns = np.nonzero(_is_blue(_without_colour_bar(image)))
    assert np.corrcoef(rows, columns)[0, 1] > 0.999
    _assert_edge_is_white(image)


@pytest.mark.parametrize("names", [["W" * 30, "M" * 20], ["a name of many words"] * 2])
def test_confusion_matrix_cuts_no_name_off(tmp_path, names):
    plots.save_confusion_matrix(str(tmp_path / "matrix.png"), np.eye(2, dtype=int), names, "title")
    image = _read(tmp_path / "matrix.png")
    _assert_edge_is_white(image)
    upper_left = image[: image.shape[0] // 4, : image.shape[1] // 4]
    assert (upper_left < 0.5).any()  # the first class's name is there


def test_a_name_with_dollar_signs_is_no_formula(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save_figure", lambda figure, path: drawn.append(figure))
    plots.save_confusion_matrix("", np.eye(2, dtype=int), ["a $x$", "b"], "$y$")
    figure = heat_figure.heat_figure(
        [
            heat_figure.Panel(
                "$z$ left", np.zeros((2, 2, 3), np.uint8), colours.colour_bar(np.array([0.0, 1e9]), label="for $c$")
            )
        ],
        (-1, 1, -1, 1),
        "$t$ cloud",
    )
    texts = [text.get_text() for one in drawn + [figure] for text in one.findobj(Text)]
    for shown in (r"a \$x\$", r"\$y\$", r"\$z\$ left", r"for \$c\$, ×10⁹", r"\$t\$ cloud"):
        assert shown in texts


@pytest.mark.parametrize(
    "heat, numbers",
    [
        ([0.0, 1024.0], ["0", "512", "1024"]),
        ([-2.0, 0.5, 4.125], ["−2", "0", "4.12"]),
        ([-0.008, 1.0, 4.43], ["−0.008", "4.43"]),
        ([-4.43, 0.001], ["−4.43", "0.001"]),
    ],
)
def test_the_numbers_of_a_colour_bar_are_apart(heat, numbers):
    drawing = np.zeros((2, 2, 3), np.uint8)
    bar = colours.colour_bar(np.array(heat), "coolwarm", "linear", "heat")
    figure = heat_figure.heat_figure([heat_figure.Panel("", drawing, bar)], (-1, 1, -1, 1), "")
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == numbers


def test_confusion_matrix_of_very_many_classes_stays_within_what_can_be_drawn(monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "save_figure", lambda figure, path: drawn.append(figure))
    monkeypatch.setattr(plots, "MOST_CELLS", 3.0)
    plots.save_confusion_matrix("", np.eye(40, dtype=int), ["class_%d" % c for c in range(40)], "title")
    width, height = drawn[0].get_size_inches()
    assert width < 5 and height < 4.5
    cell = 3.0 / 40 * 72  # points
    names = drawn[0].axes[0].get_yticklabels()
    assert all(0.3 * cell < name.get_fontsize() < cell for name in names)


def test_figure_that_fails_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    def write_half(figure, file, **options):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", write_half)
    path = tmp_path / "rounds.png"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="rounds.png .disk full"):
        _save_rounds(str(path), [100, 10], [1.0, 0.2], "title")
    assert path.read_bytes() == b"old" and os.listdir(str(tmp_path)) == ["rounds.png"]


@pytest.mark.parametrize("ending", plots.FORMATS)
def test_equal_figures_give_equal_files_on_any_day(ending, tmp_path):
    written = []
    for name in ("a.", "b."):
        path = tmp_path / (name + ending)
        # Curves with markers and a clipped line, whose parts an SVG names; text, whose font a PDF holds.
        _save_rounds(str(path), [100, 40, 10], [1.0, 0.9, 0.2], "title $x$")
        written.append(path.read_bytes())
    assert written[0] == written[1]
    assert b"CreationDate" not in written[0] and b"dc:date" not in written[0]


def test_a_figures_salt_does_not_stay_in_matplotlib(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    _save_rounds(str(tmp_path / "a.svg"), [100, 40], [1.0, 0.9], "title")
    assert dict(matplotlib.rcParams) == before
