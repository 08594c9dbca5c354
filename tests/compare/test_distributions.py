"""The figure of how many points it takes: a row for each method, each cloud a mark of its own."""

import matplotlib.colors
import numpy as np
import pytest
from figure_checks import SIXTEEN, assert_edges_are_white, count, drawn, read

from utils.compare import distributions
from utils.explain.methods import METHODS
from utils.pictures import plots


def _distributions(tmp_path, num_clouds, methods, lost=0, num_panels=1):
    path = str(tmp_path / "points_removed.png")
    rng = np.random.RandomState(0)
    panels = {
        "dropped {} a round".format(number): {
            name: (rng.randint(0, 1025, num_clouds).astype(float), rng.randint(0, 3, num_clouds) > 0)
            for name in methods
        }
        for number in range(num_panels)
    }
    is_counted = np.arange(num_clouds) >= lost
    distributions.save(path, panels, is_counted, 1024, "points removed until lost", "not recognised before")
    return read(path)


@pytest.mark.parametrize("num_clouds, lost", [(1, 0), (1, 1), (2, 1), (160, 0), (160, 12)])
def test_distributions_fit_a_paper_for_any_number_of_clouds(tmp_path, num_clouds, lost):
    picture = _distributions(tmp_path, num_clouds, list(METHODS), lost)
    height, width = picture.shape[:2]
    # 160 clouds under 9 methods were 73,000 pixels once. A page of a paper is some 6.5 by 9 inches.
    assert width <= 7.2 * plots.DOTS_PER_INCH and height <= 6 * plots.DOTS_PER_INCH
    assert_edges_are_white(picture)


@pytest.mark.parametrize("num_panels", [1, 3])
def test_distributions_of_sixteen_methods_fit_a_page(tmp_path, num_panels):
    picture = _distributions(tmp_path, 40, SIXTEEN, 3, num_panels)
    height, width = picture.shape[:2]
    assert width <= 7.2 * plots.DOTS_PER_INCH and height <= 7 * plots.DOTS_PER_INCH
    assert_edges_are_white(picture)


def test_every_method_has_dots_of_its_colour_and_a_box_around_its_median(tmp_path):
    path = str(tmp_path / "points_removed.png")
    lost = np.ones(5, bool)
    values = {"asm": (np.array([100.0, 200, 300, 400, 500]), lost), "random": (np.array([900.0] * 5), lost)}
    distributions.save(path, {"": values}, np.ones(5, bool), 1000, "points", "")
    picture = read(path)
    columns = np.flatnonzero((np.abs(picture - matplotlib.colors.to_rgb("#D55E00")).max(axis=2) < 0.01).any(axis=0))
    left = distributions.LETTER_WIDTH * len("random") + 0.2
    places = (columns / plots.DOTS_PER_INCH - left) / 5.0 * 1000
    # The line of the median is opaque; it is at 300 of 1000.
    assert abs(np.median(places) - 300) < 10
    assert count(picture, "0.55") > 100


def test_clouds_never_lost_and_not_recognised_are_no_dots(monkeypatch):
    values = np.array([5.0, 3, 4, 9]), np.array([True, False, True, True])
    figure, texts = drawn(
        monkeypatch,
        distributions,
        lambda: distributions.save(
            "", {"": {"asm": values}}, np.array([True, True, True, False]), 10, "points", "unknown"
        ),
    )
    dots, triangles, crosses = figure.axes[0].collections
    assert dots.get_offsets()[:, 0].tolist() == [5, 4]
    assert triangles.get_offsets()[:, 0].tolist() == [3] and crosses.get_offsets()[:, 0].tolist() == [9]
    # Sorted: the least above, and what does not count below all others.
    assert (
        triangles.get_offsets()[0, 1]
        < dots.get_offsets()[1, 1]
        < dots.get_offsets()[0, 1]
        < crosses.get_offsets()[0, 1]
    )
    assert {"a cloud, lost", "never lost", "unknown"} < {text.get_text() for text in texts}
