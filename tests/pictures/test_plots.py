"""The figures, by their pixels."""

import os

import numpy as np
import pytest

from utils.pictures import plots

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


def test_rounds_run_from_many_points_on_the_left_to_few_on_the_right(tmp_path):
    plots.save_rounds(str(tmp_path / "rounds.png"), [100, 40, 10], [1.0, 0.9, 0.2], "title")
    image = _read(tmp_path / "rounds.png")
    rows, columns = np.nonzero(_is_blue(image))
    first, last = rows[columns < columns.min() + 10].mean(), rows[columns > columns.max() - 10].mean()
    assert first < last - 300  # the accuracy falls
    _assert_edge_is_white(image)


def test_rounds_without_accuracy_are_left_out(tmp_path):
    plots.save_rounds(str(tmp_path / "with.png"), [100, 40, 10], [1.0, float("nan"), 0.2], "title")
    plots.save_rounds(str(tmp_path / "without.png"), [100, 10], [1.0, 0.2], "title")
    np.testing.assert_array_equal(_read(tmp_path / "with.png"), _read(tmp_path / "without.png"))


@pytest.mark.parametrize("points_left, accuracies", [([1024], [0.3]), ([7], [float("nan")])])
def test_one_round_is_drawn_too(tmp_path, points_left, accuracies):
    plots.save_rounds(str(tmp_path / "rounds.png"), points_left, accuracies, "1 $ round")
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


def test_figure_that_fails_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    def write_half(figure, file, **options):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", write_half)
    path = tmp_path / "rounds.png"
    path.write_bytes(b"old")
    with pytest.raises(OSError):
        plots.save_rounds(str(path), [100, 10], [1.0, 0.2], "title")
    assert path.read_bytes() == b"old" and os.listdir(str(tmp_path)) == ["rounds.png"]
