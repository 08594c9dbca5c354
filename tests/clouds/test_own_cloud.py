"""Clouds of one's own: their place before the network, and the way back."""

import h5py
import numpy as np
import pytest

from utils.clouds import cloud, own_cloud
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
    own = cloud.OwnFile(used, np.arange(0, 500, 10), points, np.arange(0, 500, 10), np.zeros(3), 1.0, [])
    nearest = ((points[:, np.newaxis] - used) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(own_cloud.nearest_used(own), nearest)


@pytest.mark.parametrize("unit", [1e-200, 1e300])
def test_heat_is_carried_in_any_unit(rng, unit):
    points = rng.random_sample((500, 3))
    used = np.arange(0, 500, 10)
    wanted = own_cloud.nearest_used(cloud.OwnFile(points[used], used, points, used, np.zeros(3), 1.0, []))
    points = points * unit
    found = own_cloud.nearest_used(cloud.OwnFile(points[used], used, points, used, np.zeros(3), unit, []))
    np.testing.assert_array_equal(found, wanted)


def test_a_point_that_is_used_keeps_its_own_heat_where_another_lies_in_the_same_place(tmp_path, rng):
    points = np.repeat(rng.random_sample((100, 3)), 3, axis=0)
    # Points without coordinates are left out, so that places in the file and among the points differ.
    np.save(str(tmp_path / "twins.npy"), np.concatenate([np.full((7, 3), np.nan), points]))
    own = own_cloud.load(str(tmp_path / "twins.npy"), 200, sampling="random").own
    nearest = own_cloud.nearest_used(own)
    np.testing.assert_array_equal(nearest[own.file_index - 7], np.arange(200))
    used_places = set(map(tuple, own.file_points))
    has_twin = [tuple(point) in used_places for point in points]
    np.testing.assert_array_equal(own.file_points[nearest][has_twin], points[has_twin])


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
        own_cloud.normalise(np.arange(60.0).reshape(20, 3) * 3e306)


def test_a_cloud_that_stands_along_z_is_stood_up(tmp_path, rng):
    points = rng.standard_normal((40, 3)) * [1, 1, 9]
    np.save(str(tmp_path / "tower.npy"), points)
    found = own_cloud.load(str(tmp_path / "tower.npy"), up="z")
    assert np.ptp(found.points, axis=0).argmax() == 1 and found.points.dtype == np.float32
    np.testing.assert_array_equal(found.own.all_points, points)
    assert any("z is up" in notice for notice in found.own.notices)


def test_one_cloud_of_an_hdf5_file_is_sampled_as_any_other_and_its_label_is_only_named(tmp_path, rng):
    points = rng.standard_normal((4, 3000, 3))
    with h5py.File(str(tmp_path / "scans.h5"), "w") as file:
        file["data"], file["label"] = points, [1, 2, 3, 77]
    found = own_cloud.load(str(tmp_path / "scans.h5"), index=3)
    assert found.points.shape == (2048, 3) and found.index == 3 and found.class_name == "scans"
    np.testing.assert_array_equal(found.own.all_points, points[3])
    assert found.label is None and "its label in the file is 77" in found.own.notices[0]
    with pytest.raises(InputError, match="there is no such file"):
        own_cloud.load(str(tmp_path / "missing.h5"))
    np.save(str(tmp_path / "one.npy"), points[0])
    with pytest.raises(InputError, match="`shape_index` 1: .*one.npy holds one cloud"):
        own_cloud.load(str(tmp_path / "one.npy"), index=1)
