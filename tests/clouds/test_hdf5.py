"""HDF5 files in PointNet's format: what is read, and what is refused."""

import os
import re
import zlib

import h5py
import numpy as np
import pytest

from utils.clouds import hdf5
from utils.demo import shapes
from utils.files import InputError


def _write_h5(path, data, label):
    with h5py.File(str(path), "w") as file:
        file["data"], file["label"] = data, label
    return str(path)


def test_damaged_and_wrong_hdf5_files_are_refused(tmp_path, tiny_data):
    with open(os.path.join(tiny_data, "ply_data_test0.h5"), "rb") as file:
        whole = file.read()
    half = tmp_path / "half.h5"
    half.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="half.h5 is damaged"):
        hdf5.read(str(half))
    cloud = np.zeros((2, 16, 3), np.float32)
    with pytest.raises(InputError, match=r"\(2, 16\)"):
        hdf5.read(_write_h5(tmp_path / "shape.h5", cloud[:, :, 0], np.zeros((2, 1), int)))
    cloud[1, 5, 2] = np.nan
    with pytest.raises(InputError, match="cloud 1, point 5"):
        hdf5.read(_write_h5(tmp_path / "nan.h5", cloud, np.zeros((2, 1), int)))
    with pytest.raises(InputError, match="no 'data'"):
        with h5py.File(str(tmp_path / "other.h5"), "w") as file:
            file["x"] = [1]
        hdf5.read(str(tmp_path / "other.h5"))


@pytest.mark.parametrize("label", [np.array([[1.5], [2]]), np.zeros((2, 0), int), np.array([[b"a"], [b"b"]]), 7])
def test_labels_that_are_not_one_whole_number_a_cloud_are_refused(tmp_path, label):
    with pytest.raises(InputError, match="label"):
        hdf5.read(_write_h5(tmp_path / "a.h5", np.ones((2, 16, 3), np.float32), label))


def test_one_cloud_is_read_in_full_precision_whatever_its_label(tmp_path, rng):
    # Far from the origin, as surveys are, float32 would not keep the centimetres.
    points = 5e6 + rng.random_sample((3, 16, 3))
    path = _write_h5(tmp_path / "a.h5", points, np.array([7, 99, 5]))
    found = hdf5.read_cloud(path, 1)
    np.testing.assert_array_equal(found.points, points[1])
    assert found.points.dtype == np.float64 and "label in the file is 99" in found.notices[0]
    with pytest.raises(InputError, match="`shape_index` 3: .* holds 3 clouds"):
        hdf5.read_cloud(path, 3)
    with h5py.File(str(tmp_path / "b.h5"), "w") as file:
        file["data"] = points
    assert not any("label" in notice for notice in hdf5.read_cloud(str(tmp_path / "b.h5"), 0).notices)


@pytest.mark.parametrize("way", ["external link", "soft link", "external storage", "virtual"])
def test_what_lies_in_another_file_never_comes_in_as_points(tmp_path, way):
    points = np.random.RandomState(0).random_sample((20, 3))
    secret = str(tmp_path / "secret")
    path = str(tmp_path / "a.h5")
    with h5py.File(secret + ".h5", "w") as file:
        file["data"] = points
    points.tofile(secret + ".bin")
    with h5py.File(path, "w", libver="latest") as file:
        if way == "external link":
            file["data"] = h5py.ExternalLink(secret + ".h5", "/data")
        elif way == "soft link":
            # It stays in the file, but what it leads to does not.
            file["away"] = h5py.ExternalLink(secret + ".h5", "/")
            file["data"] = h5py.SoftLink("/away/./data")
        elif way == "external storage":
            space = h5py.h5s.create_simple((20, 3))
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_external((secret + ".bin").encode(), 0, points.nbytes)
            h5py.h5d.create(file.id, b"data", h5py.h5t.IEEE_F64LE, space, properties)
        else:
            layout = h5py.VirtualLayout((20, 3), "f8")
            layout[:] = h5py.VirtualSource(secret + ".h5", "data", (20, 3))
            file.create_virtual_dataset("data", layout)
    for reader in (hdf5.read_cloud, hdf5.read):
        with pytest.raises(InputError, match="keeps (data|away) in another file"):
            reader(path)


def test_a_link_never_has_another_file_opened(tmp_path):
    # Opening a pipe would wait without end.
    os.mkfifo(str(tmp_path / "pipe"))
    with h5py.File(str(tmp_path / "a.h5"), "w") as file:
        file["away"] = h5py.ExternalLink(str(tmp_path / "pipe"), "/")
        file["data"] = h5py.SoftLink("away/data")
    for reader in (hdf5.read_cloud, hdf5.read):
        with pytest.raises(InputError, match="keeps .* in another file"):
            reader(str(tmp_path / "a.h5"))
    with pytest.raises(InputError, match="is no file, but a folder, pipe or device"):
        hdf5.read(str(tmp_path / "pipe"))


def test_links_within_a_file_are_followed_and_those_to_nowhere_refused(tmp_path, rng):
    points = rng.random_sample((2, 16, 3)).astype(np.float32)
    path = str(tmp_path / "a.h5")
    with h5py.File(path, "w") as file:
        file["deep/er/clouds"], file["label"] = points, [3, 4]
        file["deep/alias"] = h5py.SoftLink("er")
        file["data"] = h5py.SoftLink("/deep/alias/clouds")
    np.testing.assert_array_equal(hdf5.read(path)[0], points)
    for target in ("/data", "/deep/none", "/deep/er/clouds/in"):
        with h5py.File(path, "r+") as file:
            del file["data"]
            file["data"] = h5py.SoftLink(target)
        with pytest.raises(InputError, match="leads (nowhere|in a circle)"):
            hdf5.read(path)


def _unwritten(file, name, shape, dtype="f4", **options):
    file.create_dataset(name, shape, dtype, **options)


@pytest.mark.parametrize("shape", [(100, 1024, 3), (10**6, 10**7, 3), (10**9, 2**40, 3)])
def test_points_that_were_promised_and_never_written_are_refused(tmp_path, shape):
    path = str(tmp_path / "a.h5")
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(shape)
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((1, 1024, 3))
        h5py.h5d.create(file.id, b"data", h5py.h5t.IEEE_F32LE, space, properties)
        _unwritten(file, "label", shape[:1], "i8", chunks=(64,))
    # A number of NumPy's would overflow here.
    promised = shape[0] * shape[1] * shape[2] * 4
    for reader in (hdf5.read_cloud, hdf5.read):
        with pytest.raises(InputError, match="promises {} bytes as 'data' and holds 0".format(promised)):
            reader(path)
    with pytest.raises(InputError, match="promises {} bytes as 'label' and holds 0".format(shape[0] * 8)):
        hdf5.read_labels(path)


def test_clouds_without_points_do_not_hide_promised_labels(tmp_path):
    with h5py.File(str(tmp_path / "a.h5"), "w") as file:
        _unwritten(file, "data", (10**12, 0, 3))
        _unwritten(file, "label", (10**12,), "u1", chunks=(64,), compression="gzip")
    with pytest.raises(InputError, match="promises 1000000000000 bytes as 'label' and holds 0"):
        hdf5.read(str(tmp_path / "a.h5"))


def test_a_piece_that_is_larger_than_all_points_is_refused(tmp_path):
    # HDF5 unpacks it whole.
    with h5py.File(str(tmp_path / "a.h5"), "w") as file:
        file["label"] = [1]
        data = file.create_dataset("data", (1, 16, 3), "u1", maxshape=(None, 16, 3), chunks=(10**6, 16, 3),
                                   compression="gzip")  # fmt: skip
        data.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(48 * 10**6)))
    with pytest.raises(InputError, match="promises 192 MB as 'data', more than a file of"):
        hdf5.read(str(tmp_path / "a.h5"), most=10**8)
    assert hdf5.read(str(tmp_path / "a.h5"), most=192 * 10**6)[0].shape == (1, 16, 3)


def test_a_file_is_read_whose_name_the_code_page_of_windows_lacks(tmp_path, monkeypatch):
    points = np.random.RandomState(0).random_sample((2, 20, 3)).astype(np.float32)
    path, other = str(tmp_path / "\u6905\u5b50.h5"), str(tmp_path / "\u6905.h5")
    with h5py.File(path, "w") as file:
        file["data"], file["label"] = points, [3, 4]
    with h5py.File(other, "w") as file:
        file["data"] = h5py.ExternalLink("away.h5", "/data")
    (tmp_path / "\u5b50.h5").write_bytes(b"none")

    class OfWindows(h5py.File):
        """As of h5py 2.10, where the code page has few letters."""

        def __init__(self, name, *arguments):
            if isinstance(name, str):
                name.encode("cp1252")
            super().__init__(name, *arguments)

    monkeypatch.setattr(h5py, "File", OfWindows)
    found, labels = hdf5.read(path)
    assert (found == points).all() and labels.tolist() == [3, 4]
    assert (hdf5.read_cloud(path, 1).points == points[1]).all() and hdf5.read_labels(path).tolist() == [3, 4]
    with pytest.raises(InputError, match="^{} keeps data in another file".format(re.escape(other))):
        hdf5.read_cloud(other)
    with pytest.raises(InputError, match="\u5b50.h5 is damaged or not a whole HDF5 file"):
        hdf5.read(str(tmp_path / "\u5b50.h5"))
    shapes.write_demo_shapes(str(tmp_path / "\u6905"), 1, 1, 16)
    assert hdf5.read(str(tmp_path / "\u6905" / "ply_data_test0.h5"))[0].shape == (len(shapes.DEMO_CLASSES), 16, 3)
