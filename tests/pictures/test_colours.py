"""Colours of heat, by hand."""

import matplotlib
import numpy as np
import pytest

from utils.files import InputError
from utils.pictures import colours


def test_thesis_colours_run_from_green_to_red_and_are_black_without_heat():
    assert colours.heat_colours([0, 1, 2, 4], "thesis").tolist() == [
        [0, 0, 0],
        [0.25, 0.75, 0],
        [0.5, 0.5, 0],
        [1, 0, 0],
    ]


def test_thesis_colours_show_negative_heat_as_no_heat():
    assert colours.heat_colours([-3, 0, 2], "thesis").tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert not colours.heat_colours([-3, -1], "thesis").any()


def test_colours_are_one_float32_triple_a_point():
    found = colours.heat_colours(np.zeros(5, np.float32), "viridis")
    assert found.shape == (5, 3) and found.dtype == np.float32


def test_colour_map_is_stretched_from_least_to_greatest_heat():
    np.testing.assert_allclose(colours.heat_colours([-1, 0, 3], "gray"), [[0] * 3, [0.25] * 3, [1] * 3], atol=1 / 255)


@pytest.mark.parametrize(
    "colormap, heat, expected",
    [
        ("thesis", 0, [0, 0, 0]),
        ("thesis", 7, [1, 0, 0]),
        ("gray", 0, [0, 0, 0]),
        ("gray", 7, [1, 1, 1]),
        ("gray", -7, [0, 0, 0]),
    ],
)
def test_same_heat_everywhere_is_the_top_colour_if_positive_else_the_bottom_one(colormap, heat, expected):
    assert colours.heat_colours([heat] * 3, colormap).tolist() == [expected] * 3


def test_rank_scale_shares_ranks_among_ties_and_leaves_zero():
    # 0.5 is the 1st of four positive heats, 10 the 2nd and 3rd, 1000 the 4th.
    assert colours.rank_scale(np.array([0, 10, 10, 1000, 0.5])).tolist() == [0, 2.5 / 4, 2.5 / 4, 1, 0.25]


def test_rank_scale_ranks_negative_heat_by_its_size_below_zero():
    assert colours.rank_scale(np.array([-5.0, -1, 0, 3])).tolist() == [-1, -0.5, 0, 1]


def test_rank_colours_are_the_colours_of_the_ranks():
    assert colours.heat_colours([0, 1, 1000], "thesis", "rank").tolist() == [[0, 0, 0], [0.5, 0.5, 0], [1, 0, 0]]


@pytest.mark.parametrize("wrong", [{"colormap": "no_such_map"}, {"scale": "cubic"}])
def test_unknown_colour_map_or_scale_is_one_clear_line(wrong):
    with pytest.raises(InputError) as error:
        colours.heat_colours([1, 2], **wrong)
    assert "`{}` {}:".format(*wrong.popitem()) in str(error.value)
    assert "\n" not in str(error.value)


def test_default_colours_have_heat_0_in_their_middle_and_reach_as_far_on_both_sides():
    blue, grey, pale, red = colours.heat_colours([-2, 0, 1, 2])
    assert blue[2] > 0.7 > 0.3 > blue[0] and red[0] > 0.7 > 0.2 > red[2]
    assert np.ptp(grey) < 0.01
    assert pale[0] > red[0] > pale[0] / 2 and pale[2] > red[2]  # between grey and red
    np.testing.assert_array_equal(colours.heat_colours([0, 2])[0], grey)


@pytest.mark.parametrize(
    "severity_matrix",
    [
        # Of protanopia and deuteranopia, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    ],
)
def test_default_colours_are_told_apart_without_red_or_green_vision(severity_matrix):
    linear = colours.heat_colours([-1, 0, 1]).astype(float) ** 2.2
    against, none, evidence = np.clip(linear.dot(np.array(severity_matrix).T), 0, 1) ** (1 / 2.2)
    for one, other in ((against, none), (none, evidence), (against, evidence)):
        assert np.linalg.norm(one - other) > 0.35


def test_colour_bar_spans_the_heats_that_there_are():
    bar = colours.colour_bar(np.array([-1.0, 0, 4]))
    assert (bar.low, bar.high, bar.zero_label) == (-1, 4, None)
    np.testing.assert_allclose(bar.colours[[0, -1]], colours.heat_colours([-1, 4, -4])[:2], atol=0.01)
    assert colours.colour_bar(np.array([1.0, 4]), "viridis").low == 1
    assert colours.colour_bar(np.array([1.0, 4])).low == 0
    assert str(colours.colour_bar(np.array([-0.0, 4])).low) == "0.0"
    assert colours.colour_bar(np.array([-3.0, 4]), scale="rank")[1:4] == (-1, 1, "rank of heat")
    assert colours.colour_bar(np.zeros(3)).high == 0


# The 98th percentile of 1, 2, ... 100, and -1000 by its size: of 101 sizes it is the 99th.
SIGNED = np.concatenate([np.arange(1.0, 101), [-1000.0], np.zeros(400)])


def test_robust_ends_at_the_98th_percentile_of_the_size_of_what_is_not_zero():
    shown = colours.heat_colours(SIGNED)
    np.testing.assert_array_equal(shown, colours.heat_colours(np.clip(SIGNED, -99, 99), scale="linear"))
    bar = colours.colour_bar(SIGNED)
    assert (bar.low, bar.high, bar.least, bar.greatest) == (-99, 99, -1000, 100)
    assert bar.is_pointed_below and bar.is_pointed_above
    positive = colours.colour_bar(np.maximum(SIGNED, 0))
    # Of 100 sizes it is the 98th, of 50 the 49th, of fewer the greatest.
    assert colours.colour_bar(np.arange(51)).high == 49 and colours.colour_bar(np.arange(50)).high == 49
    assert positive.low == positive.least == 0 and positive.high == 98
    assert positive.is_pointed_above and not positive.is_pointed_below


def test_robust_cuts_other_maps_and_the_thesis_likewise():
    np.testing.assert_array_equal(
        colours.heat_colours(SIGNED, "gray"), colours.heat_colours(np.clip(SIGNED, -99, 99), "gray", "linear")
    )
    bar = colours.colour_bar(SIGNED, "gray")
    assert (bar.low, bar.high, bar.least, bar.greatest) == (-99, 99, -1000, 100)
    np.testing.assert_array_equal(
        colours.heat_colours(SIGNED, "thesis"), colours.heat_colours(np.clip(SIGNED, 0, 99), "thesis", "linear")
    )
    bar = colours.colour_bar(SIGNED, "thesis")
    assert (bar.high, bar.greatest, bar.is_pointed_above, bar.is_pointed_below) == (99, 100, True, False)


def test_robust_is_the_usual_scale_but_not_of_the_thesis_whose_formula_ends_at_the_maximum():
    assert (colours.usual_scale("coolwarm"), colours.usual_scale("thesis")) == ("robust", "linear")
    for scale in ("linear", "rank"):
        bar = colours.colour_bar(SIGNED, scale=scale)
        assert not bar.is_pointed_below and not bar.is_pointed_above


@pytest.mark.parametrize("scale", colours.SCALES)
@pytest.mark.parametrize("heat", [[0, 1, 5], [-9, 0, 1], [0, 0]])
def test_no_heat_is_grey_under_every_scale(heat, scale):
    none = colours.heat_colours(heat, scale=scale)[np.equal(heat, 0)]
    assert np.ptp(none, axis=1).max() < 0.01 and none.min() > 0.8


def test_order_is_how_many_points_went_before():
    # Before round 1, 3 and 8 went 0, 2 and 4 points, of the 4 before the last round.
    found = colours.order_colours([3, 1, -1, 8, 1, 3, -1])
    first, middle, last = found[1], found[0], found[3]
    np.testing.assert_array_equal(found, np.float32([middle, first, [0.8] * 3, last, first, middle, [0.8] * 3]))
    np.testing.assert_allclose(first, [0.267, 0.005, 0.329], atol=0.001)  # the bottom of viridis
    np.testing.assert_allclose(middle, matplotlib.colormaps["viridis"](0.485)[:3], atol=0.01)
    np.testing.assert_allclose(last, matplotlib.colormaps["viridis"](0.97)[:3], atol=0.01)
    assert found.dtype == np.float32


def test_points_that_all_went_at_once_went_first():
    found = colours.order_colours([-1, 5, 5])
    np.testing.assert_array_equal(found[1:], colours.order_colours([-1, 1, 2])[[1, 1]])


def test_order_bar_has_the_first_dropped_on_top_and_grey_for_never():
    order = colours.order_colours(np.array([1, 2, -1]))
    bar = colours.order_bar(np.array([1, 2, -1]))
    np.testing.assert_array_equal(bar.colours[[-1, 0]], order[:2])
    np.testing.assert_array_equal(bar.box_colour, np.float64([0.8] * 3))
    assert (bar.ends, bar.zero_label) == (("last", "first"), "never")
    assert not bar.is_pointed_below and not bar.is_pointed_above
    assert not len(colours.order_bar(np.array([-1, -1])).colours)


def test_colour_bar_of_the_thesis_says_what_black_is():
    assert colours.colour_bar(np.array([0.0, 4]), "thesis")[1:5] == (0, 4, "heat", "no heat")
    assert colours.colour_bar(np.array([-1.0, 4]), "thesis").zero_label == "0 or less"
    assert not len(colours.colour_bar(np.array([-1.0, 0]), "thesis").colours)
