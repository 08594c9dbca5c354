"""The panels of the picture: what each shows, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from utils.pictures import colours, heat_figure, heat_picture, render
from utils.pictures.heat_picture import Look

POINTS = np.array([[0, 1, 0], [0, -1, 0], [0.5, 0, 0], [-0.5, 0, 0]], np.float32)
RUN = SimpleNamespace(
    points=POINTS,
    heat=np.array([4, 1, 0, -2], np.float32),
    removed_in_round=np.array([1, 3, -1, -1]),
    heat_when_removed=np.array([4, 16, np.nan, np.nan], np.float32),
)
UNTOUCHED = RUN.removed_in_round < 0


def _shown(*panels, **look):
    return heat_picture.shown_of(RUN, Look(panels=panels, **look), "heat for x", ", accuracy 40.0%")


def test_three_panels_tell_heat_order_and_what_was_left():
    heat, order, left = _shown(*heat_picture.DEFAULT_PANELS)
    np.testing.assert_allclose(heat.colours, colours.heat_colours(RUN.heat), atol=1e-6)
    np.testing.assert_array_equal(heat.strengths, [1, 0.25, 0, 0.5])
    np.testing.assert_allclose(order.colours, colours.order_colours(RUN.removed_in_round))
    np.testing.assert_allclose(order.strengths, [1, colours.LAST_DROPPED, 0, 0])
    np.testing.assert_array_equal(left.colours, heat.colours)
    np.testing.assert_array_equal(left.removed, ~UNTOUCHED)
    assert [one.caption for one in (heat, order, left)] == [
        "heat of the whole cloud: 4 points",
        "order of dropping: 2 points",
        "left: 2 points, accuracy 40.0%",
    ]
    np.testing.assert_array_equal(heat_picture.there(left), UNTOUCHED)
    assert heat_picture.there(heat).all() and heat_picture.there(order).all()


def test_one_point_is_told_in_the_singular():
    run = SimpleNamespace(**dict(vars(RUN), removed_in_round=np.array([1, -1, -1, -1])))
    captions = [one.caption for one in heat_picture.shown_of(run, Look(panels=("order", "removed")))]
    assert captions == ["order of dropping: 1 point", "1 dropped point, by heat when dropped"]


def test_the_picture_of_the_thesis_is_its_formula_over_the_heat_of_all_removed_points_when_removed():
    (removed,) = _shown("removed", colormap="thesis", scale=colours.usual_scale("thesis"))
    # 4 and 16 of 16: red is the share, green the rest.
    np.testing.assert_array_equal(removed.colours[:2], [[0.25, 0.75, 0], [1, 0, 0]])
    np.testing.assert_array_equal(heat_picture.there(removed), ~UNTOUCHED)
    assert (removed.bar.low, removed.bar.high, removed.bar.label) == (0, 16, "heat for x when dropped")


@pytest.mark.parametrize("panels", [("heat", "order", "left"), ("removed",)])
def test_where_nothing_was_dropped_the_heat_stands_alone(panels):
    run = SimpleNamespace(points=POINTS, heat=RUN.heat, removed_in_round=np.full(4, -1))
    (heat,) = heat_picture.shown_of(run, Look(panels=panels))
    assert heat.caption == "heat of the whole cloud: 4 points"


def _figure_of(monkeypatch, tmp_path, panels, **look):
    drawn = []
    monkeypatch.setattr(render, "_open3d_panels", lambda window, panels, pixels: None)
    monkeypatch.setattr(heat_picture.plots, "save_figure", lambda figure, path: drawn.append(figure))
    heat_picture.save(str(tmp_path / "heat.png"), RUN, "title", Look(panels=panels, **look), "heat for x")
    return drawn[0]


def test_panels_of_one_heat_share_a_colour_bar_and_the_order_has_its_own(monkeypatch, tmp_path):
    figure = _figure_of(monkeypatch, tmp_path, heat_picture.DEFAULT_PANELS)
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("heat for x") == 1 and texts.count("dropped") == 1
    ticks = [tick.get_text() for axes in figure.axes for tick in axes.get_xticklabels() if axes.axison]
    assert [tick for tick in ticks if not tick.strip("\u22120123456789.")] == ["\u22122", "0", "4"]
    assert sorted(set(ticks) - {"\u22122", "0", "4"}) == ["first", "last", "never"]


def test_removed_points_alone_are_drawn_in_their_panel(monkeypatch, tmp_path):
    figure = _figure_of(monkeypatch, tmp_path, ("removed",))
    (spheres,) = figure.axes[0].collections
    assert len(spheres.get_offsets()) % 2 == 0 and len(np.unique(spheres.get_offsets()[::5], axis=0)) == 2


@pytest.mark.parametrize("width", [8 / 2.54, 3.46, 7.09])
@pytest.mark.parametrize("panels", [("heat",), ("heat", "order", "left"), heat_picture.PANELS])
def test_a_picture_for_a_paper_has_its_width_and_no_text_is_small_or_over_another(monkeypatch, tmp_path, width, panels):
    figure = _figure_of(monkeypatch, tmp_path, panels, width=width)
    assert figure.get_size_inches()[0] == pytest.approx(width)
    figure.canvas.draw()
    shown = list(figure.texts) + [tick for axes in figure.axes if axes.axison for tick in axes.get_xticklabels()]
    shown = [text for text in shown if text.get_text()]
    assert min(text.get_fontsize() for text in shown) >= 7
    boxes = [text.get_window_extent() for text in shown]
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])
    right, top = figure.get_size_inches() * figure.dpi
    assert all(box.x0 >= 0 and box.x1 <= right and box.y0 >= 0 and box.y1 <= top for box in boxes)


def test_a_pointed_end_is_drawn_and_says_how_far_heat_goes():
    heat = np.concatenate([np.arange(1.0, 101), [-1000.0]])
    panel = heat_figure.Panel("", np.zeros((2, 2, 3), np.uint8), colours.colour_bar(heat))
    figure = heat_figure.heat_figure([panel], (-1, 1, -1, 1), "")
    assert "heat\nleast \u22121000, greatest 100" in [text.get_text() for text in figure.texts]
    tips = [patch.get_xy()[:, 0] for patch in figure.axes[-1].patches]
    assert len(tips) == 2 and min(tips[0]) < 0 and max(tips[1]) > 1
