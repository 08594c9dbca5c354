"""Which dataset or array of a foreign file is the cloud, and what is said of its label."""

import h5py
import numpy as np
import pytest

from utils.clouds import readers
from utils.files import InputError

RNG = np.random.RandomState(4)
POINTS, FEATURES = RNG.uniform(-2, 2, (40, 3)), RNG.uniform(-2, 2, (40, 6))


def _read(path, **datasets):
    if path.suffix == ".npz":
        np.savez(str(path), **datasets)
    else:
        with h5py.File(str(path), "w") as file:
            for name, values in datasets.items():
                file[name.replace("__", "/")] = values
    points, _, notices, _ = readers.read_here(str(path), 50, 0, 0)
    return points, notices[0]


@pytest.mark.parametrize("name", ["a.h5", "a.npz"])
@pytest.mark.parametrize("key", ["xyz", "points", "pos"])
def test_a_name_of_coordinates_comes_before_data(tmp_path, name, key):
    for features in (FEATURES, FEATURES[:, :3]):
        points, notice = _read(tmp_path / name, data=features, **{key: POINTS})
        np.testing.assert_array_equal(points, POINTS)
        assert "ignored: data" in notice
    points, _ = _read(tmp_path / name, data=FEATURES, colours=FEATURES)
    np.testing.assert_array_equal(points, FEATURES[:, :3])
    axes = dict(zip("xyz", POINTS.T))
    np.testing.assert_array_equal(_read(tmp_path / name, data=FEATURES, **axes)[0], POINTS)


def test_a_file_of_a_data_set_is_read_as_one_whatever_else_it_holds(tmp_path):
    points, notice = _read(tmp_path / "a.h5", data=POINTS[np.newaxis], label=[3], xyz=POINTS[::-1])
    np.testing.assert_array_equal(points, POINTS)
    assert "label in the file is 3" in notice


@pytest.mark.parametrize("names", [["scan__points", "scan__colours"], ["a__b__xyz"], ["a__x", "a__y", "a__z"]])
def test_points_in_a_group_are_found(tmp_path, names):
    values = POINTS.T if len(names) == 3 else [POINTS, FEATURES]
    datasets = dict(zip(names, values), **({"scan__label": [5]} if "scan__points" in names else {}))
    points, notice = _read(tmp_path / "a.h5", **datasets)
    np.testing.assert_array_equal(points, POINTS)
    assert "dataset " + names[0].replace("__", "/") in notice
    assert ("label in the file is 5" in notice) == ("scan__label" in datasets)


def test_points_in_several_groups_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"several groups \(one/points, two/points\): keep one"):
        _read(tmp_path / "a.h5", one__points=POINTS, two__points=POINTS)
    with pytest.raises(InputError, match="several groups"):
        _read(tmp_path / "b.h5", one__x=POINTS[:, 0], one__y=POINTS[:, 1], two__z=POINTS[:, 2])
    # The top comes first, and a group that holds itself is no endless way.
    with h5py.File(str(tmp_path / "c.h5"), "w") as file:
        file["loop/empty"] = h5py.Empty("f8")
        file["loop/again"] = file["loop"]
    with pytest.raises(InputError, match="no dataset of points"):
        readers.read_here(str(tmp_path / "c.h5"), 50, 0, 0)
    np.testing.assert_array_equal(_read(tmp_path / "d.h5", one__points=POINTS[::-1], points=POINTS)[0], POINTS)


def test_a_group_in_another_file_is_refused(tmp_path):
    with h5py.File(str(tmp_path / "secret.h5"), "w") as file:
        file["points"] = POINTS
    with h5py.File(str(tmp_path / "a.h5"), "w") as file:
        file["group/away"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/")
    with pytest.raises(InputError, match="keeps away in another file|keeps group/away in another file"):
        readers.read_here(str(tmp_path / "a.h5"), 50, 0, 0)


@pytest.mark.parametrize("label", [["chair"], [b"chair"], np.array([b"chair"]), [["chair"]]])
def test_a_label_in_words_is_named_and_ignored(tmp_path, label):
    label = np.array(label, h5py.special_dtype(vlen=str)) if isinstance(label, list) else label
    points, notice = _read(tmp_path / "a.h5", data=POINTS[np.newaxis], label=label)
    np.testing.assert_array_equal(points, POINTS)
    assert "its label is ignored: chair of text is no whole number" in notice
