"""Colours of heat, by hand."""

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


def test_colour_bar_of_the_thesis_says_what_black_is():
    assert colours.colour_bar(np.array([0.0, 4]), "thesis")[1:] == (0, 4, "heat", "no heat")
    assert colours.colour_bar(np.array([-1.0, 4]), "thesis").zero_label == "0 or less"
    assert not len(colours.colour_bar(np.array([-1.0, 0]), "thesis").colours)
