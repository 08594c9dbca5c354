"""evaluate.py as a user runs it: accuracies, tables and matrices under the data's own names; and what it refuses."""

import csv
import os
import re
import shutil

import h5py
import numpy as np
import pytest
from conftest import assert_one_line_error, run_script

import evaluate
from utils.files import InputError, read_json, write_json
from utils.network import predictions

pytestmark = pytest.mark.takes_turns

OWN_NAMES = tuple("Teil {}".format(number) for number in range(40))


def test_nothing_but_our_own_lines_reaches_the_terminal(tiny_data, tiny_log):
    arguments = ["--data_dir", tiny_data, "--log_dir", tiny_log, "--gpu", -1]
    finished = run_script("evaluate.py", *arguments, from_scratch=True)
    assert finished.returncode == 0
    assert not [
        line for line in finished.stderr.splitlines() if line.strip() and "cloud/s" not in line and "|" not in line
    ]


def test_evaluate_prints_accuracies_and_writes_the_matrix(tiny_data, tiny_log, tmp_path):
    finished = run_script(
        "evaluate.py",
        "--data_dir",
        tiny_data,
        "--log_dir",
        tiny_log,
        "--dump_dir",
        tmp_path,
        "--num_votes",
        3,
        "--gpu",
        -1,
    )
    assert finished.returncode == 0, finished.stderr
    assert "Overall accuracy" in finished.stdout and "40 clouds" in finished.stdout
    with open(str(tmp_path / "confusion_matrix.csv")) as file:
        rows = [line.split(",") for line in file.read().splitlines()]
    assert sum(int(value) for row in rows[1:] for value in row[1:]) == 40
    assert (tmp_path / "confusion_matrix.png").stat().st_size > 10000


def test_another_evaluation_goes_to_a_folder_of_its_own(tiny_data, tiny_log, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    for arguments, folders in (([], ["out"]), (["--num_votes", 2], ["out", "out_2"]), ([], ["out", "out_2"])):
        finished = _evaluate("--data_dir", tiny_data, "--log_dir", tiny_log, "--dump_dir", out, *arguments)
        assert finished.returncode == 0, finished.stderr
        assert sorted(os.listdir(str(tmp_path))) == folders
        assert (": this one goes to" in finished.stdout) == bool(arguments)
    written = ["confusion_matrix.csv", "confusion_matrix.png", "run.json"]
    assert sorted(os.listdir(str(out))) == sorted(written + ["notes.txt"])
    assert sorted(os.listdir(str(tmp_path / "out_2"))) == written
    found = read_json(str(tmp_path / "out_2" / "run.json"), "")
    assert (found["num_votes"], found["rotation"], found["num_point"], found["clouds"]) == (2, "y", 64, 40)
    assert len(found["class_names"]) == 40 and found["weights"]


@pytest.fixture(scope="module")
def own_network(tiny_log, tmp_path_factory):
    """A log folder whose network calls its 40 classes by names of its own."""
    folder = str(tmp_path_factory.mktemp("own") / "log")
    shutil.copytree(tiny_log, folder)
    config = read_json(os.path.join(folder, "config.json"), "")
    write_json(os.path.join(folder, "config.json"), dict(config, class_names=OWN_NAMES))
    return folder


def _data(folder, labels, class_names=None, num_points=64):
    """A data set of a test file alone, without lists."""
    folder.mkdir()
    clouds = np.random.RandomState(1).uniform(-0.5, 0.5, (len(labels), num_points, 3))
    with h5py.File(str(folder / "my_test.h5"), "w") as file:
        file["data"], file["label"] = clouds.astype(np.float32), np.array(labels, np.int32)
    if class_names:
        (folder / "shape_names.txt").write_text("\n".join(class_names), encoding="utf-8")
    return folder


def _evaluate(*arguments):
    return run_script("evaluate.py", "--gpu", -1, *arguments)


def test_data_without_names_are_called_as_the_network_calls_them(own_network, tmp_path):
    data = _data(tmp_path / "data", [0, 0, 39])
    finished = _evaluate("--data_dir", data, "--log_dir", own_network, "--dump_dir", tmp_path / "out")
    assert finished.returncode == 0, finished.stderr
    table = finished.stdout.splitlines()
    assert any(re.match(r"Teil 0 +2 +\d", line) for line in table)
    assert any(re.match(r"Teil 39 +1 +\d", line) for line in table)
    with open(str(tmp_path / "out" / "confusion_matrix.csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["true class"] + list(OWN_NAMES) and [row[0] for row in rows[1:]] == list(OWN_NAMES)


@pytest.mark.parametrize(
    "class_names, words",
    [
        (OWN_NAMES[:10], ["10 classes, the network 40"]),
        (OWN_NAMES[:39] + ("chair",), ["chair as class 40, the network Teil 39"]),
    ],
)
def test_data_of_other_classes_is_refused(own_network, tmp_path, class_names, words):
    data = _data(tmp_path / "data", [0, 0, 9], class_names)
    assert_one_line_error(_evaluate("--data_dir", data, "--log_dir", own_network), "--data_dir", "--model_path", *words)


def test_a_label_that_the_network_does_not_know_is_refused(own_network, tmp_path):
    data = _data(tmp_path / "data", [0, 40])
    assert_one_line_error(_evaluate("--data_dir", data, "--log_dir", own_network), "my_test.h5", "40 classes")


@pytest.fixture
def foreign_network(tiny_log, tmp_path):
    """A checkpoint without config.json, as of another program."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    for ending in (".index", ".data-00000-of-00001"):
        shutil.copy(os.path.join(tiny_log, "best", "model.ckpt" + ending), str(folder))
    return str(folder / "model.ckpt")


def test_the_classes_of_another_programs_checkpoint_are_named_by_a_file(foreign_network, tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(OWN_NAMES), encoding="utf-8")
    data = _data(tmp_path / "data", [3, 3, 1])
    arguments = ["--data_dir", data, "--model_path", foreign_network, "--num_point", 64, "--dump_dir", tmp_path / "out"]
    finished = _evaluate("--class_names", tmp_path / "names.txt", *arguments)
    assert finished.returncode == 0, finished.stderr
    assert re.search("^Teil 3 +2 ", finished.stdout, flags=re.MULTILINE)
    # Without names the labels tell of 4 classes only.
    assert_one_line_error(_evaluate(*arguments), "tells 40 classes apart, but 4 are named", "--class_names")
    (tmp_path / "names.txt").write_text("\n".join(OWN_NAMES[:5]), encoding="utf-8")
    finished = _evaluate("--class_names", tmp_path / "names.txt", *arguments)
    assert_one_line_error(finished, "tells 40 classes apart, but 5 are named", "--class_names")


def test_names_that_are_not_those_of_the_training_are_refused(own_network, tiny_data, tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\n")
    arguments = ["--data_dir", tiny_data, "--log_dir", own_network, "--class_names", tmp_path / "names.txt"]
    assert_one_line_error(_evaluate(*arguments), "--class_names", "names other classes")


def test_many_votes_without_rotation_are_refused(tiny_data, tiny_log):
    finished = _evaluate("--data_dir", tiny_data, "--log_dir", tiny_log, "--rotation", "none", "--num_votes", 12)
    assert_one_line_error(finished, "--num_votes 12", "--num_votes 1", "--rotation y or xyz")
    assert "trained" not in finished.stderr


def test_a_seed_that_turns_nothing_is_refused(tiny_data, tiny_log):
    finished = _evaluate("--data_dir", tiny_data, "--log_dir", tiny_log, "--rotation", "none", "--seed", 3)
    assert_one_line_error(finished, "--seed does nothing here: no view is turned")


@pytest.mark.parametrize(
    "given, num_votes, trained, wanted",
    [
        (None, 1, "y", "none"),
        (None, 1, "none", "none"),
        (None, 1, "xyz", "xyz"),
        (None, 1, None, "none"),
        (None, 12, "y", "y"),
        (None, 12, None, "xyz"),
        ("none", 1, "xyz", "none"),
        ("xyz", 12, "none", "xyz"),
    ],
)
def test_the_rotation_is_the_given_one_or_suits_the_network(given, num_votes, trained, wanted):
    assert evaluate.choose_rotation(given, num_votes, {"rotation": trained} if trained else {}) == wanted


def test_many_votes_of_a_network_that_was_trained_without_rotation_need_one():
    with pytest.raises(InputError, match=r"`num_votes` 12: .*\(as the network was trained\).*`rotation` y or xyz"):
        evaluate.choose_rotation(None, 12, {"rotation": "none"})


def test_the_table_says_of_each_class_what_it_is_most_often_taken_for(capsys):
    # 3 of 5 right, none right, and a class without clouds; "7" is a name, not a number.
    evaluate.report(np.array([[3, 2, 0], [4, 0, 1], [0, 0, 0]]), ("7", "night_stand", "x"))
    assert capsys.readouterr().out.splitlines() == [
        "class          clouds    accuracy  most often taken for",
        "7                   5      60.0 %  night_stand (2)",
        "night_stand         5       0.0 %  7 (4)",
        "Overall accuracy 30.00 % (95 % interval over the clouds: 10.8 to 60.3 %), mean class accuracy 30.00 %, "
        "10 clouds",
    ]


class CountingClassifier:
    """Its logits of a cloud are the mean of each coordinate; it keeps what it is shown."""

    def __init__(self):
        self.seen = []

    def logits(self, clouds):
        self.seen.append(clouds)
        return clouds.mean(axis=1)


def test_votes_are_added_up_over_views_of_their_own(rng):
    points = rng.standard_normal((4, 30, 3)).astype(np.float32) + 1
    classifier = CountingClassifier()
    total = predictions.vote(classifier, points, evaluate.draw_turns("y", 4, 3, seed=0))
    assert len(classifier.seen) == 3 and not np.allclose(classifier.seen[0], classifier.seen[1])
    np.testing.assert_allclose(total, sum(views.mean(axis=1) for views in classifier.seen), rtol=1e-5)
    np.testing.assert_allclose(total[:, 1], 3 * points[:, :, 1].mean(axis=1), rtol=1e-4)
