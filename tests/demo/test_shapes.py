"""Demo shapes: drawn uniformly by area, laid out as ModelNet40 is, the same from the same seed, told apart by shape."""

import hashlib
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest

from utils.demo import parts, shapes
from utils.demo.modelnet40 import CLASS_NAMES
from utils.demo.objects import BUILDERS
from utils.demo.shapes import DEMO_CLASSES, sample_shape, sample_surface, write_demo_shapes
from utils.files import PROJECT_DIR, InputError

REAL_NAMES = os.path.join(PROJECT_DIR, os.pardir, "shared", "modelnet40_1024", "shape_names.txt")


def assert_shares(found, expected, num_points):
    """Counts [C] agree with the expected shares [C] within five standard deviations of the binomial."""
    expected = np.asarray(expected)
    deviation = np.sqrt(num_points * expected * (1 - expected))
    assert np.sum(found) == num_points
    assert np.all(np.abs(found - num_points * expected) < 5 * deviation)


def read_split(folder, split):
    with h5py.File(os.path.join(str(folder), "ply_data_{}0.h5".format(split)), "r") as file:
        return file["data"][:], file["label"][:]


def median_chamfer(clouds, others):
    """Median over pairs of the mean distance from a point of the one to the nearest point of the other."""
    distances = [np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2)).min(axis=1).mean() for a, b in zip(clouds, others)]
    return np.median(distances)


# Sampling


def test_each_face_of_a_box_gets_points_by_its_share_of_the_area():
    points = sample_surface(parts.box((0, 1), (0, 2), (0, 3)), 20000, np.random.RandomState(0))
    on_face = [
        np.sum(np.abs(points[:, axis] - level) < 1e-12)
        for axis, length in ((0, 1), (1, 2), (2, 3))
        for level in (0, length)
    ]
    assert_shares(on_face, np.array([6, 6, 3, 3, 2, 2]) / 22.0, 20000)


def test_points_are_even_within_a_triangle():
    triangle = np.array([[(0.0, 0.0, 0.0), (4.0, 0.0, 0.0), (0.0, 1.0, 0.0)]])
    x, y, z = sample_surface(triangle, 20000, np.random.RandomState(0)).T
    # The lines between the middles of its edges cut it into four triangles of the same area.
    corners = [x > 2, y > 0.5, x / 4 + y < 0.5]
    assert_shares([np.sum(corner) for corner in corners] + [np.sum(~np.any(corners, axis=0))], [0.25] * 4, 20000)
    assert np.all(z == 0) and np.all(x >= 0) and np.all(y >= 0) and np.all(x / 4 + y <= 1 + 1e-12)


def test_points_on_a_ball_are_spread_as_archimedes_says():
    points = sample_surface(parts.ball((1, 2, 3), (1, 1, 1)), 20000, np.random.RandomState(0)) - (1, 2, 3)
    assert np.linalg.norm(points, axis=1).min() > 0.97 and np.linalg.norm(points, axis=1).max() < 1 + 1e-12
    # Zones of the same height have the same area, here but for the facets.
    assert np.allclose(np.histogram(points[:, 1], 4, (-1, 1))[0] / 20000.0, 0.25, atol=0.02)


# Surfaces


def test_a_tube_keeps_its_radius_around_a_bend():
    angles = np.linspace(0, np.pi, 21)
    path = np.stack([2 * np.cos(angles), 2 * np.sin(angles), 0 * angles], axis=1)
    x, y, z = parts.tube(path, 0.3).reshape(-1, 3).T
    from_axis = np.hypot(np.hypot(x, y) - 2, z)
    is_end = from_axis < 1e-9  # the middles of the two ends
    assert 0 < is_end.mean() < 0.05 and np.allclose(from_axis[~is_end], 0.3, atol=0.002)


def test_a_box_can_leave_out_faces():
    whole = parts.box((0, 1), (0, 2), (0, 3))
    open_above = parts.box((0, 1), (0, 2), (0, 3), without=("+y",))
    assert np.any(np.all(whole[:, :, 1] == 2, axis=1))
    assert not np.any(np.all(open_above[:, :, 1] == 2, axis=1))
    assert len(whole) - len(open_above) == 4


def test_a_spline_passes_through_its_points_and_a_straight_one_stays_straight():
    points = np.array([(0, 0), (1, 2), (3, 1), (4, 4)])
    assert np.allclose(parts.spline(points, steps=7)[::7], points)
    assert np.allclose(parts.spline(points, closed=True, steps=7)[::7], points)
    middle = parts.spline([(0, 0), (1, 2), (2, 4), (3, 6)], steps=4)[4:9]
    assert np.allclose(middle, [(1, 2), (1.25, 2.5), (1.5, 3), (1.75, 3.5), (2, 4)])


def test_a_quarter_turn_takes_each_axis_to_the_next():
    unit = np.eye(3)[:, None]
    assert np.allclose(parts.turned(unit, "x", 90)[1, 0], (0, 0, 1))
    assert np.allclose(parts.turned(unit, "y", 90)[2, 0], (1, 0, 0))
    assert np.allclose(parts.turned(unit, "z", 90)[0, 0], (0, 1, 0))
    assert np.allclose(parts.turned(unit, "z", 90, about=(1, 1, 0))[0, 0], (2, 1, 0))


# Shapes


def test_names_are_those_of_modelnet40():
    if not os.path.exists(REAL_NAMES):
        pytest.skip("the real ModelNet40 is not there: {}".format(REAL_NAMES))
    with open(REAL_NAMES) as file:
        assert list(CLASS_NAMES) == file.read().split()


def test_at_least_sixteen_classes_have_a_shape():
    assert len(CLASS_NAMES) == 40 and list(CLASS_NAMES) == sorted(set(CLASS_NAMES))
    assert len(DEMO_CLASSES) >= 16
    assert set(DEMO_CLASSES) == set(BUILDERS)


@pytest.mark.parametrize("name", DEMO_CLASSES)
def test_a_shape_is_centred_and_fills_the_unit_sphere(name):
    for seed in range(3):
        cloud = sample_shape(name, 500, np.random.RandomState(seed))
        assert cloud.dtype == np.float32 and cloud.shape == (500, 3) and np.all(np.isfinite(cloud))
        assert np.allclose(cloud.mean(axis=0), 0, atol=1e-6)
        assert abs(np.linalg.norm(cloud, axis=1).max() - 1) < 1e-6


@pytest.mark.parametrize(
    "name, axis, sign",
    [
        ("airplane", 2, 1),
        ("chair", 2, 1),
        ("bed", 2, 1),
        ("toilet", 2, 1),
        ("laptop", 2, 1),
        ("stairs", 2, 1),
        ("sofa", 0, -1),
    ],
)
def test_the_highest_points_are_where_modelnet40_has_them(name, axis, sign):
    for seed in range(5):
        cloud = sample_shape(name, 1000, np.random.RandomState(seed))
        assert sign * cloud[np.argsort(cloud[:, 1])[-30:], axis].mean() > 0.1


def test_an_unknown_class_is_refused():
    with pytest.raises(ValueError, match="no demo shape for 'teapot'"):
        sample_shape("teapot", 100, np.random.RandomState(0))


def test_every_numpy_gives_the_same_clouds():
    # Taken with NumPy 1.18.5 and 2.4.6. A change of any builder changes it, and the demo data set with it.
    clouds = np.stack([sample_shape(name, 64, np.random.RandomState(7)) for name in DEMO_CLASSES])
    assert hashlib.sha1(clouds.astype("<f4").tobytes()).hexdigest() == "05f81647bd1defebc5a1577bb2a3d0e0981d87b4"


@pytest.mark.parametrize("name", DEMO_CLASSES)
def test_two_objects_of_a_class_differ_by_more_than_their_sampling(name):
    rng = np.random.RandomState(0)
    objects = [sample_shape(name, 400, rng) for _ in range(14)]
    resampled = []
    for seed in range(7):
        surface = np.concatenate(BUILDERS[name](np.random.RandomState(seed).uniform))
        resampled.append([shapes.into_unit_sphere(sample_surface(surface, 400, rng)) for _ in range(2)])
    between_objects = median_chamfer(objects[::2], objects[1::2])
    within_an_object = median_chamfer(*zip(*resampled))
    assert between_objects > 1.1 * within_an_object  # a class of one object only would give 1.0


# The data set


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "shapes"
    write_demo_shapes(str(folder), num_train=12, num_test=5, num_points=512, seed=3)
    return folder


def test_the_files_are_those_of_modelnet40(data_set):
    assert sorted(os.listdir(str(data_set))) == [
        "ply_data_test0.h5",
        "ply_data_train0.h5",
        "shape_names.txt",
        "test_files.txt",
        "train_files.txt",
    ]
    assert (data_set / "train_files.txt").read_text() == "data/shapes/ply_data_train0.h5\n"
    assert (data_set / "test_files.txt").read_text() == "data/shapes/ply_data_test0.h5\n"
    assert (data_set / "shape_names.txt").read_text().split() == list(CLASS_NAMES)
    for split, per_class in (("train", 12), ("test", 5)):
        clouds, labels = read_split(data_set, split)
        assert clouds.dtype == np.float32 and clouds.shape == (per_class * len(DEMO_CLASSES), 512, 3)
        assert labels.dtype == np.uint8 and labels.shape == (len(clouds), 1)
        counts = np.bincount(labels[:, 0], minlength=40)
        assert {CLASS_NAMES[label]: count for label, count in enumerate(counts) if count} == dict.fromkeys(
            DEMO_CLASSES, per_class
        )
        assert np.mean(np.diff(labels[:, 0].astype(int)) == 0) < 0.3  # in random order


def test_no_test_object_is_a_training_object(data_set):
    train, test = (np.sort(read_split(data_set, split)[0].reshape(-1, 512 * 3), axis=1) for split in ("train", "test"))
    assert min(np.abs(train - cloud).max(axis=1).min() for cloud in test) > 1e-3


def test_neighbours_in_a_histogram_of_height_and_radius_name_nine_in_ten_test_clouds(data_set):
    def histograms(clouds):  # the same however a cloud is turned about y
        radii, heights = np.hypot(clouds[..., 0], clouds[..., 2]), clouds[..., 1]
        return np.array([np.histogram2d(r, h, (8, 12), ((0, 1), (-1, 1)))[0].ravel() for r, h in zip(radii, heights)])

    # The neighbours come from clouds made by name, so a label that stands for another class would show.
    rng = np.random.RandomState(11)
    names = np.repeat(DEMO_CLASSES, 24)
    known = np.sqrt(histograms(np.stack([sample_shape(name, 512, rng) for name in names])))
    clouds, labels = read_split(data_set, "test")
    distances = np.linalg.norm(known[None] - np.sqrt(histograms(clouds))[:, None], axis=2)
    found = names[distances.argmin(axis=1)]
    assert np.mean(found == np.array(CLASS_NAMES)[labels[:, 0]]) > 0.9


def test_the_seed_alone_decides_the_files(tmp_path):
    for name, seed, num_train in (("a", 0, 2), ("b", 0, 2), ("c", 1, 2), ("d", 0, 3)):
        write_demo_shapes(str(tmp_path / name), num_train=num_train, num_test=1, num_points=32, seed=seed)
    files = {
        name: {split: (tmp_path / name / "ply_data_{}0.h5".format(split)).read_bytes() for split in ("train", "test")}
        for name in "abcd"
    }
    assert files["a"] == files["b"]
    assert files["a"]["train"] != files["c"]["train"] and files["a"]["test"] != files["c"]["test"]
    assert files["a"]["test"] == files["d"]["test"]


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    kept = tmp_path / "shapes"
    kept.mkdir()
    (kept / "mine.txt").write_text("work of years")
    with pytest.raises(InputError, match="is there already"):
        write_demo_shapes(str(kept), num_train=1, num_test=1, num_points=32)
    assert os.listdir(str(tmp_path)) == ["shapes"] and os.listdir(str(kept)) == ["mine.txt"]
    assert (kept / "mine.txt").read_text() == "work of years"


@pytest.mark.parametrize(
    "failure, raised", [(OSError(28, "disk full"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, failure, raised):
    whole_write, calls = shapes._write_hdf5, []

    def failing_write(path, clouds, labels):
        whole_write(path, clouds, labels)
        calls.append(path)
        if len(calls) == 2:
            raise failure

    monkeypatch.setattr(shapes, "_write_hdf5", failing_write)
    with pytest.raises(raised):
        write_demo_shapes(str(tmp_path / "shapes"), num_train=1, num_test=1, num_points=32)
    assert len(calls) == 2 and os.listdir(str(tmp_path)) == []


@pytest.mark.parametrize(
    "numbers, words", [({"num_points": 9}, "`num_points` 9"), ({"seed": 2**32}, "`seed`"), ({"seed": -1}, "`seed` -1")]
)
def test_numbers_out_of_range_are_named(tmp_path, numbers, words):
    with pytest.raises(InputError, match=words):
        write_demo_shapes(str(tmp_path / "shapes"), **numbers)
    assert os.listdir(str(tmp_path)) == []


def _start_command(out, num_train):
    words = [sys.executable, "-m", "utils.demo.shapes", "--out", str(out), "--num_test", "1", "--num_point", "40"]
    return subprocess.Popen(
        words + ["--num_train", str(num_train)],
        cwd=PROJECT_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )


def _is_refused(command, said):
    """Whether a command ended with one line that says that the folder is there."""
    out, err = said
    return command.returncode == 2 and err.count("\n") == 1 and "is there already" in err and "--out" in err


def test_the_command_writes_once_and_then_refuses_in_one_line(tmp_path):
    first = _start_command(tmp_path / "new" / "shapes", 2)
    out, err = first.communicate()
    assert first.returncode == 0 and err == ""
    assert out.startswith("Wrote 40 training and 20 test clouds of 20 classes, 40 points each, to ")
    assert read_split(tmp_path / "new" / "shapes", "test")[0].shape == (20, 40, 3)
    second = _start_command(tmp_path / "new" / "shapes", 2)
    said = second.communicate()
    assert _is_refused(second, said) and said[0] == ""


def test_of_two_commands_at_once_the_second_says_that_the_folder_is_there(tmp_path):
    commands = [_start_command(tmp_path / "shapes", 40) for _ in range(2)]
    said = [command.communicate() for command in commands]
    assert sorted(command.returncode for command in commands) == [0, 2], said
    assert any(_is_refused(*pair) for pair in zip(commands, said)), said
    assert os.listdir(str(tmp_path)) == ["shapes"]


def test_what_a_killed_command_left_is_gone_after_the_next(tmp_path):
    killed = _start_command(tmp_path / "shapes", 2000)
    while not any(name.endswith(".tmp") for name in os.listdir(str(tmp_path))):
        assert killed.poll() is None
    killed.kill()
    killed.communicate()
    assert "shapes" not in os.listdir(str(tmp_path))
    second = _start_command(tmp_path / "shapes", 1)
    assert second.communicate()[1] == "" and os.listdir(str(tmp_path)) == ["shapes"]


def test_shapes_can_be_sampled_without_h5py():
    code = "import sys, utils.demo.shapes; print(sorted({'h5py', 'tensorflow', 'open3d'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=PROJECT_DIR).decode().strip() == "[]"
