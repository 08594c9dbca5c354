"""Heat from elsewhere: which clouds it is of, that it is read as it stands in the file, and what is refused."""

import argparse
import hashlib
import zipfile

import numpy as np
import pytest

from utils.clouds.cloud import Cloud
from utils.compare import given_heat
from utils.explain import results
from utils.files import InputError

NUM_POINTS = 20


@pytest.fixture
def clouds(rng):
    """Two chairs and a cone of 20 points."""
    return [
        Cloud(rng.uniform(-0.5, 0.5, (NUM_POINTS, 3)).astype(np.float32), label, name, index, "")
        for label, name, index in ((8, "chair", 0), (8, "chair", 1), (9, "cone", 0))
    ]


def _file(tmp_path, name="mine.npz", **content):
    path = str(tmp_path / name)
    np.savez(path, **content)
    return path


def _read(path, clouds):
    return given_heat.read([given_heat.Source("mine", path)], clouds, NUM_POINTS)


def _heat(clouds, rng):
    """The arrays of a file of all clouds, last first."""
    return {
        "heat": rng.standard_normal((len(clouds), NUM_POINTS)),
        "class_name": np.array([cloud.class_name for cloud in clouds[::-1]]),
        "index": np.array([cloud.index for cloud in clouds[::-1]]),
    }


def test_heat_is_found_by_class_and_index_to_the_last_digit(tmp_path, clouds, rng, capsys):
    content = _heat(clouds, rng)
    path = _file(tmp_path, **content)
    found, kept = _read(path, clouds)
    assert kept == clouds and capsys.readouterr().out == ""
    for cloud, heat in zip(clouds[::-1], content["heat"]):
        np.testing.assert_array_equal(found["mine"].of(cloud), heat)
    with open(path, "rb") as file:
        assert found["mine"].digest == hashlib.sha256(file.read()).hexdigest()


def test_whole_numbers_names_in_bytes_and_points_that_were_turned_will_do(tmp_path, clouds):
    turn = np.float32([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    path = _file(
        tmp_path,
        heat=np.arange(3 * NUM_POINTS).reshape(3, -1),
        class_name=np.array([b"chair", b"chair", b"cone"]),
        index=np.uint8([0, 1, 0]),
        points=np.stack([cloud.points.dot(turn) for cloud in clouds]),
    )
    assert _read(path, clouds)[0]["mine"].of(clouds[2]).tolist() == list(range(40, 60))


def test_clouds_without_heat_are_left_out_and_counted(tmp_path, clouds, rng, capsys):
    content = _heat(clouds, rng)
    first, second = (
        _file(tmp_path, name, **{key: array[part] for key, array in content.items()})
        for name, part in (("first.npz", slice(0, 2)), ("second.npz", slice(1, 3)))
    )
    found, kept = given_heat.read([given_heat.Source("a", first), given_heat.Source("b", second)], clouds, NUM_POINTS)
    assert [(cloud.class_name, cloud.index) for cloud in kept] == [("chair", 1)] and sorted(found) == ["a", "b"]
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "Left out: 1 of 3 clouds, of which {} holds no heat".format(first),
        "Left out: 1 of 2 clouds, of which {} holds no heat".format(second),
    ]


def _explain_run(tmp_path, cloud, label):
    """What an explain run leaves of a cloud, as if it explained a class."""
    count = len(cloud.points)
    heat = np.arange(count, dtype=np.float32)
    run = results.DropRun(
        cloud.points, heat, np.full(count, -1, np.int32), np.full(count, np.nan, np.float32), [], "enough", 0.0
    )
    run.rounds.append(results.Round(1, count, 0, 1.0, 0.0, 0.0))

    class Case:
        logits, class_names = np.zeros(40, np.float32), tuple("class {}".format(number) for number in range(40))

    Case.cloud = cloud._replace(label=label)
    results.save(str(tmp_path), run, Case, {}, cloud.points, np.zeros((count, 3)))
    return str(tmp_path / "heat.npz")


def test_the_cloud_of_an_explain_run_is_found_by_its_points(tmp_path, clouds, capsys):
    found, kept = _read(_explain_run(tmp_path, clouds[1], 8), clouds)
    assert kept == [clouds[1]] and found["mine"].of(clouds[1]).tolist() == list(range(NUM_POINTS))
    assert "Left out: 2 of 3 clouds" in capsys.readouterr().out


def test_an_explain_run_for_another_class_or_of_another_cloud_is_refused(tmp_path, clouds):
    with pytest.raises(InputError, match="`heat` mine: .*heat.npz holds heat for the class class 9, .* chair 1"):
        _read(_explain_run(tmp_path, clouds[1], 9), clouds)
    with pytest.raises(InputError, match="names no class_name and index, and its points are those of none"):
        _read(_explain_run(tmp_path, clouds[1], 8), clouds[:1])


def _spoilt(clouds, rng, **changes):
    return dict(_heat(clouds, rng), **changes)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"heat": np.zeros((3, 19))}, r"heat of shape \(3, 19\).* 20 points each \(`num_points`\)"),
        ({"heat": np.zeros((2, 20))}, r"for each of 2 clouds, and has arrays of shape \(3,\) and \(3,\)"),
        ({"heat": np.zeros((3, 20, 1))}, "heat of shape"),
        ({"heat": np.full((3, 20), np.nan)}, r"heat of chair 0 that is no number \(NaN or infinite\)"),
        ({"heat": np.full((3, 20), np.inf)}, "no number"),
        ({"heat": np.full((3, 20), "1")}, "heat of type <U1, not numbers"),
        ({"index": np.zeros(3)}, "index of type float64: give whole numbers"),
        ({"index": np.zeros(3, int), "class_name": np.array(["chair"] * 3)}, "holds chair 0 twice"),
        ({"class_name": np.zeros(3)}, "needs a text as class_name"),
        (
            {"class_name": np.array(["lamp"] * 3), "index": np.arange(3)},
            "none of the clouds .* but of lamp 0, lamp 1, lamp 2",
        ),
        ({"points": np.zeros((3, 20, 3))}, "points of chair 0 that are not those of the data"),
        ({"points": np.zeros((3, 19, 3))}, "points of shape .* leave them out"),
        ({"heat": np.array([None] * 3)}, "pickled"),
    ],
)
def test_a_file_of_something_else_is_refused_in_one_line(changes, words, tmp_path, clouds, rng):
    path = str(tmp_path / "mine.npz")
    np.savez(path, **_spoilt(clouds, rng, **changes))
    with pytest.raises(InputError, match="^`heat` mine: .*mine.npz .*" + words) as error:
        _read(path, clouds)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "lacking, words",
    [
        (["heat"], "no array called heat, but class_name, index"),
        (["index"], "of which clouds its heat is: add index"),
        (["class_name", "index"], "add class_name and index"),
    ],
)
def test_a_file_that_lacks_something_says_what(lacking, words, tmp_path, clouds, rng):
    content = {key: array for key, array in _heat(clouds, rng).items() if key not in lacking}
    with pytest.raises(InputError, match=words):
        _read(_file(tmp_path, **content), clouds)


def test_points_in_another_order_are_refused(tmp_path, clouds, rng):
    content = _heat(clouds, rng)
    content["points"] = np.stack([cloud.points[::-1] for cloud in clouds[::-1]])
    with pytest.raises(InputError, match="stand in another order"):
        _read(_file(tmp_path, **content), clouds)


@pytest.mark.parametrize("damage", ["none", "text", "torn", "promise"])
def test_damaged_files_are_refused_in_one_line(damage, tmp_path, clouds, rng):
    path = tmp_path / "mine.npz"
    if damage == "text":
        path.write_text("heat")
    elif damage == "torn":
        _file(tmp_path, **_heat(clouds, rng))
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "promise":
        with zipfile.ZipFile(str(path), "w") as archive, archive.open("heat.npy", "w") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<f8", "fortran_order": False, "shape": (10**12, NUM_POINTS)}
            )
    words = {"none": "cannot be read", "promise": "promises 20000000000000 values"}.get(damage, "is no whole archive")
    with pytest.raises(InputError, match="^`heat` mine: .*mine.npz " + words):
        _read(str(path), clouds)


@pytest.mark.parametrize(
    "name, words",
    [
        ("asm", "name of a method"),
        ("ASM", "name of a method"),
        ("../x", "digit first"),
        ("=1", "digit first"),
        ("-x", "digit first"),
        ("a b", "digit first"),
        ("a\x1b[2J", "digit first"),
        ("x" * 41, "at most 40 letters"),
    ],
)
def test_names_that_cannot_stand_beside_those_of_methods_are_refused(name, words):
    with pytest.raises(InputError, match="^`heat` .*" + words) as error:
        given_heat.check_names([given_heat.Source(name, "x.npz")])
    assert "\x1b" not in str(error.value)


def test_a_name_is_what_stands_before_the_first_equals_sign_and_is_given_once():
    assert given_heat.source(r"mine=C:\a=b.npz") == given_heat.Source("mine", r"C:\a=b.npz")
    for text in ("mine", "=x.npz", "mine="):
        with pytest.raises(argparse.ArgumentTypeError, match="NAME=FILE.npz"):
            given_heat.source(text)
    given_heat.check_names([given_heat.Source("mine", "a"), given_heat.Source("Mine-2.b_c", "a")])
    with pytest.raises(InputError, match="`heat` mine: the name is given twice"):
        given_heat.check_names([given_heat.Source("mine", "a"), given_heat.Source("mine", "b")])
