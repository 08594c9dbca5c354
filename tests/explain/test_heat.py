"""Each formula against values worked out by hand."""

import numpy as np
import pytest

from utils.explain import heat

# Three points, two channels.
FEATURES = np.array([[1.0, 2.0], [0.0, 3.0], [4.0, 0.0]])
GRADIENTS = np.array([[0.0, 0.0], [0.0, 0.5], [-1.0, 0.0]])


def test_p_grad_cam_max_weighs_the_feature_sum_by_the_greatest_gradient():
    # Sums 3, 3, 4; greatest gradients 0, 0.5, 0.
    assert heat.p_grad_cam(FEATURES, GRADIENTS, "max").tolist() == [0.0, 1.5, 0.0]


def test_p_grad_cam_avg_weighs_by_the_mean_gradient_and_cuts_below_zero():
    # Mean gradients 0, 0.25, -0.5.
    assert heat.p_grad_cam(FEATURES, GRADIENTS, "avg").tolist() == [0.0, 0.75, 0.0]


def test_a_channel_tied_at_zero_everywhere_heats_the_whole_cloud():
    features = np.array([[2.0, 0.0], [1.0, 0.0]])
    gradients = np.array([[0.0, 0.5], [0.0, 0.5]])
    assert heat.p_grad_cam(features, gradients, "max").tolist() == [1.0, 0.5]


def test_p_grad_cam_refuses_an_unknown_pooling_and_unlike_shapes():
    with pytest.raises(ValueError, match="sum"):
        heat.p_grad_cam(FEATURES, GRADIENTS, "sum")
    with pytest.raises(ValueError, match="shapes"):
        heat.p_grad_cam(FEATURES, GRADIENTS[:2])


def test_asm_is_taken_about_the_median_and_grows_with_the_square_of_the_radius():
    # Median (1, 0, 0); offsets (-1, 0, 0), 0 and (2, 0, 0); radii 1, 0, 2.
    points = np.array([[0.0, 0, 0], [1, 0, 0], [3, 0, 0]])
    gradients = np.array([[2.0, 9, 9], [5, 5, 5], [-3, 9, 9]])
    assert heat.asm(points, gradients).tolist() == [2.0, 0.0, 12.0]
    assert heat.asm(points, gradients, power=0.0).tolist() == [2.0, 0.0, 6.0]


def test_asm_of_negative_power_has_no_nan_at_the_median():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [3, 0, 0]])
    assert heat.asm(points, np.ones((3, 3)), power=-1.0).tolist() == [1.0, 0.0, -1.0]


def test_asm_is_minus_the_radial_derivative_times_the_radius_squared(rng):
    points = rng.standard_normal((7, 3))
    center = np.median(points, axis=0)

    def loss(moved):
        return np.sin(moved).sum() + (moved**2).prod(axis=1).sum()

    gradients = np.cos(points) + 2 * (points**2).prod(axis=1, keepdims=True) / points
    radii = np.linalg.norm(points - center, axis=1)
    for i in range(7):
        outward = (points[i] - center) / radii[i]
        step = np.zeros_like(points)
        step[i] = 1e-6 * outward
        radial = (loss(points + step) - loss(points - step)) / 2e-6
        assert heat.asm(points, gradients)[i] == pytest.approx(-radial * radii[i] ** 2, rel=1e-5)


def test_grad_cam_averages_gradients_over_the_points():
    # a = (-1/3, 1/6): the points get 0, 0.5 and -4/3, which is cut.
    assert np.allclose(heat.grad_cam(FEATURES, GRADIENTS), [0.0, 0.5, 0.0])


def test_hirescam_multiplies_before_it_sums():
    assert heat.hirescam(FEATURES, -GRADIENTS).tolist() == [0.0, 0.0, 4.0]


def test_gradient_x_input_is_signed():
    assert heat.gradient_x_input(np.array([[1.0, 2, 3]]), np.array([[1.0, -1, -1]])).tolist() == [-4.0]


def test_feature_norm_sums_the_channels():
    assert heat.feature_norm(FEATURES).tolist() == [3.0, 3.0, 4.0]


def test_critical_counts_maxima_but_no_channel_that_is_zero_everywhere():
    features = np.array([[1.0, 5.0, 0.0, 2.0], [3.0, 1.0, 0.0, 2.0]])
    assert heat.critical(features).tolist() == [2.0, 2.0]
    assert heat.critical(FEATURES).tolist() == [0.0, 1.0, 1.0]


def test_integrated_gradients_add_up_to_the_difference_of_the_logits(rng):
    # A stand-in whose logit is y = sum_i |x_i|^2 / 2, so that dy/dx = x.
    points = rng.standard_normal((2, 11, 3))
    centers = np.median(points, axis=1)
    heats = heat.integrated_gradients(points, lambda paths: paths)
    expected = 0.5 * (points**2).sum(axis=(1, 2)) - 11 * 0.5 * (centers**2).sum(axis=1)
    assert heats.sum(axis=1) == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(heat.integrated_gradients(points[1], lambda path: path), heats[1])


def test_random_heat_of_a_cloud_follows_its_own_generator():
    clouds = np.zeros((2, 5, 3))
    both = heat.random(clouds, [np.random.RandomState(8), np.random.RandomState(3)])
    first = heat.random(clouds[:1], [np.random.RandomState(3)])[0]
    assert first.tolist() == both[1].tolist()
    assert len(set(first.tolist())) == 5 and first.min() >= 0 and first.max() < 1
