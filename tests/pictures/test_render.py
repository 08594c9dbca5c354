"""Pictures by their pixels: what is up is up, and the hot stands out."""

import os
import subprocess
import sys

import numpy as np
import pytest
from drawn import HEAT, NONE_REMOVED, RED_ABOVE_GREEN, pixels, read, save, without_colour_bar

from utils.files import PROJECT_DIR, InputError
from utils.pictures import heat_figure, render


def _rows_and_columns(chosen):
    rows, columns = np.nonzero(chosen)
    assert len(rows) > 20
    return rows.mean(), columns.mean()


def test_importing_render_imports_neither_open3d_nor_matplotlib():
    program = "import sys; from utils.pictures import render; print({'open3d', 'matplotlib'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], cwd=PROJECT_DIR).split() == [b"set()"]


def test_up_in_the_cloud_is_up_in_the_picture(tmp_path, without_open3d):
    save(str(tmp_path / "heat.png"), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "up", "thesis")
    image = without_colour_bar(read(tmp_path / "heat.png"))
    red, green = _rows_and_columns(pixels(image, True, False)), _rows_and_columns(pixels(image, False, True))
    assert red[0] < green[0] - 300
    assert abs(red[1] - green[1]) < 5  # one above the other


def test_camera_stands_right_in_front(tmp_path, without_open3d):
    # As CAMERA_DIRECTION says, x is to the right and z to the left of the picture, both towards the camera.
    points = np.array([[1, 0, 0], [0, 0, 1]], float)
    save(str(tmp_path / "heat.png"), points, [1, 1e-6], NONE_REMOVED[:2], "front", "thesis")
    image = without_colour_bar(read(tmp_path / "heat.png"))
    red, green = _rows_and_columns(pixels(image, True, False)), _rows_and_columns(pixels(image, False, True))
    assert red[1] > green[1] + 300


def test_nearer_points_of_like_heat_are_larger_and_hide_what_is_behind(tmp_path, without_open3d):
    points = np.array([render.CAMERA_DIRECTION, -render.CAMERA_DIRECTION, [0, 3, 0], [0, -3, 0]])
    save(str(tmp_path / "heat.png"), points, [-4, 4, 0, 0], NONE_REMOVED, "depth")
    image = without_colour_bar(read(tmp_path / "heat.png"))
    assert (image[:, :, 2] - image[:, :, 0] > 0.4).sum() > 100  # blue, against
    assert not pixels(image, True, False).any()  # straight behind the nearer, larger sphere


def test_hot_points_stand_over_cold_ones_before_them(tmp_path, without_open3d):
    points = np.array([render.CAMERA_DIRECTION, -render.CAMERA_DIRECTION, [0, 3, 0], [0, -3, 0]])
    save(str(tmp_path / "heat.png"), points, [1e-6, 4, 0, 0], NONE_REMOVED, "depth", "thesis")
    image = without_colour_bar(read(tmp_path / "heat.png"))
    assert pixels(image, True, False).sum() > 100  # though straight behind the cold one


def test_a_strong_point_looks_as_before_but_larger():
    view = render.View(np.random.RandomState(0).normal(size=(50, 3)))
    plain, strong = (view.panel(np.zeros((50, 3)), strengths) for strengths in (np.zeros(50), np.ones(50)))
    (there,) = view.camera_points
    for points, *_ in (plain, strong):
        np.testing.assert_allclose(points[:, :2] / points[:, 2:], there[:, :2] / there[:, 2:])
    seen = [radii / -points[:, 2] for points, _, radii in (plain, strong)]
    np.testing.assert_allclose(seen[1], render.STRONGEST_SIZE * seen[0])
    # Even the farthest strong point is before the nearest weak one: the cloud's diameter is two.
    assert strong[0][:, 2].min() > plain[0][:, 2].max()
    np.testing.assert_array_equal(strong[1], plain[1])  # as pale as it is far


def test_the_best_view_is_the_broad_side_and_of_two_alike_the_nearer():
    rng = np.random.RandomState(0)
    # A board along x, one along z, and one that is turned by 40 degrees about the up axis.
    for azimuth, along in ((0, [1, 0, 0]), (90, [0, 0, 1]), (40, [np.cos(np.radians(40)), 0, -np.sin(np.radians(40))])):
        board = rng.uniform(-1, 1, (200, 1)) * along + rng.uniform(-1, 1, (200, 1)) * [0, 1, 0]
        found, elevation = render.best_view(board)
        assert abs((found - azimuth + 180) % 360 - 180) <= render.BEST_STEP + 8.2  # cos(8.2 degrees) is 0.99
        assert elevation == pytest.approx(render.angles_of(render.CAMERA_DIRECTION)[1])
    round_table = np.array([[np.cos(turn), 0, np.sin(turn)] for turn in np.arange(0, 2 * np.pi, 0.1)])
    np.testing.assert_allclose(
        render.best_direction(round_table), render.CAMERA_DIRECTION / np.linalg.norm(render.CAMERA_DIRECTION)
    )


def test_the_area_of_an_outline_is_that_of_its_hull():
    from scipy.spatial import ConvexHull

    points = np.random.RandomState(1).normal(size=(60, 3))
    for view in ((0, 0), (33, 20), (200, -70)):
        seen = points.dot(render.camera_axes(view)[:2].T)
        assert render.outline_area(points, view) == pytest.approx(ConvexHull(seen).volume, rel=0.01)  # of a plane: area


@pytest.mark.parametrize(
    "view, direction", [((0, 0), [0, 0, 1]), ((90, 0), [1, 0, 0]), ((180, 0), [0, 0, -1]), ((20, 90), [0, 1, 0])]
)
def test_angles_of_a_view(view, direction):
    axes = render.camera_axes(view)
    np.testing.assert_allclose(axes[2], direction, atol=1e-12)
    np.testing.assert_allclose(axes.dot(axes.T), np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)  # right-handed: nothing is mirrored
    np.testing.assert_allclose(render.direction_of(render.angles_of(direction)), direction, atol=1e-12)


def test_dropped_points_lose_their_colour_in_the_second_panel(tmp_path, without_open3d):
    save(str(tmp_path / "heat.png"), RED_ABOVE_GREEN, HEAT, HEAT > 1, "dropped", "thesis")
    image = without_colour_bar(read(tmp_path / "heat.png"))
    left, right = np.array_split(image, 2, axis=1)
    assert pixels(left, True, False).sum() > 20 and pixels(left, False, True).sum() > 20
    assert not pixels(right, True, False).any() and pixels(right, False, True).sum() > 20


def test_picture_is_for_print_at_300_dots_per_inch_on_white(tmp_path, without_open3d):
    from PIL import Image

    path = tmp_path / "heat.png"
    save(str(path), RED_ABOVE_GREEN, HEAT, HEAT > 1, "print " * 40)
    with Image.open(str(path)) as picture:
        assert np.allclose(picture.info["dpi"], 300, atol=0.1)
        assert picture.width == pytest.approx(300 * heat_figure.FIGURE_WIDTHS[2], abs=1)
    image = read(path)
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (edge == 1).all()  # nothing is cut off, the long title included


@pytest.mark.parametrize(
    "points, heat",
    [
        (np.zeros((1, 3)), [1]),
        (np.ones((12, 3)), np.zeros(12)),
        (np.eye(3), [-2, -2, -2]),
        (np.arange(30).reshape(10, 3) * 1e4, np.arange(10) * 1e-30),
    ],
)
@pytest.mark.parametrize("colormap", ["thesis", "cividis"])
def test_odd_clouds_are_drawn_too(tmp_path, without_open3d, points, heat, colormap):
    path = tmp_path / "heat.png"
    save(str(path), points, heat, np.arange(len(points)) == 0, "odd $cloud", colormap, "rank")
    assert read(path).min() < 0.5


def test_picture_that_cannot_be_drawn_leaves_the_old_one(tmp_path):
    path = tmp_path / "heat.png"
    path.write_bytes(b"old")
    with pytest.raises(InputError):
        save(str(path), RED_ABOVE_GREEN, HEAT, NONE_REMOVED, "map", "no_such_map")
    assert path.read_bytes() == b"old" and os.listdir(str(tmp_path)) == ["heat.png"]
