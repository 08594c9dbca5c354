"""Clouds of one's own: their place before the network, and the way back."""

import numpy as np
import pytest

import provider
from utils.clouds import own_cloud
from utils.files import InputError


def test_normalise_centres_and_scales(rng):
    before = 100 + 7 * rng.standard_normal((50, 3))
    points, centre, scale = own_cloud.normalise(before)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-6)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1)
    np.testing.assert_allclose(points * scale + centre, before)


def test_the_axis_that_is_up_becomes_y_and_nothing_is_mirrored():
    for axis, up in enumerate("xyz"):
        rotation = own_cloud.up_rotation(up)
        np.testing.assert_array_equal(np.eye(3)[axis].dot(rotation), [0, 1, 0])
        assert np.linalg.det(rotation) == pytest.approx(1)
        np.testing.assert_array_equal(rotation.dot(rotation.T), np.eye(3))


def test_heat_is_carried_to_the_nearest_points(rng):
    points = rng.random_sample((500, 3)) + 1e6
    used = points[::10]
    own = own_cloud.OwnFile(used, points, np.zeros(3), 1.0, [])
    heat = rng.random_sample(50)
    nearest = ((points[:, np.newaxis] - used) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(own_cloud.carry_back(heat, provider.Cloud(None, 0, "", 0, "", own)), heat[nearest])


def test_inputs_are_files_and_what_folders_hold_that_can_be_read(tmp_path):
    for name in ("b.ply", "a.OBJ", "notes.txt.bak", "c.h5"):
        (tmp_path / name).write_text("")
    (tmp_path / "empty").mkdir()
    folder, file = str(tmp_path), str(tmp_path / "b.ply")
    assert own_cloud.list_inputs([file, folder, "missing.npy"]) == [
        file,
        str(tmp_path / "a.OBJ"),
        str(tmp_path / "c.h5"),
        "missing.npy",
    ]
    with pytest.raises(InputError, match="holds no file"):
        own_cloud.list_inputs([str(tmp_path / "empty")])


def test_normalise_refuses_what_has_no_shape():
    with pytest.raises(InputError, match="9 points"):
        own_cloud.normalise(np.zeros((9, 3)))
    with pytest.raises(InputError, match="one place"):
        own_cloud.normalise(np.ones((20, 3)))
    with pytest.raises(InputError, match="point 3"):
        own_cloud.normalise(np.where(np.arange(20)[:, np.newaxis] == 3, np.nan, np.ones((20, 3))))


def test_coordinates_too_large_for_a_norm_are_refused():
    with pytest.raises(InputError, match="too far apart"):
        own_cloud.normalise(np.arange(60.0).reshape(20, 3) * 1e300)
