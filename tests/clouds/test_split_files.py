"""Which files are a split: by lists with folders, and by the words of names."""

import h5py
import numpy as np
import pytest

import provider
from utils.clouds import split_files
from utils.files import InputError


def _write(folder, **labels):
    """HDF5 files of one cloud each, told apart by their labels; __ is a slash."""
    for name, label in labels.items():
        path = folder / (name.replace("__", "/") + ".h5")
        path.parent.mkdir(exist_ok=True)
        with h5py.File(str(path), "w") as file:
            file["data"], file["label"] = np.random.RandomState(label).random_sample((1, 16, 3)) / 2, [label]


def _labels(folder, split):
    return provider.load_split(provider.open_data(str(folder)), split)[1].tolist()


def test_lists_name_files_in_folders(tmp_path):
    _write(tmp_path, a__x=0, b__x=1, x=2, root=3)
    (tmp_path / "train_files.txt").write_text("a/x.h5\ndata/upstreams/root.h5\n")
    (tmp_path / "test_files.txt").write_text("{}/b/x.h5\n".format(tmp_path.name))
    assert _labels(tmp_path, "train") == [0, 3]
    assert _labels(tmp_path, "test") == [1]
    (tmp_path / "test_files.txt").write_text("C:\\data\\b\\x.h5\n./b/../x.h5\n")
    assert _labels(tmp_path, "test") == [1, 2]


def test_nothing_outside_of_the_folder_is_taken(tmp_path):
    (tmp_path / "set").mkdir()
    _write(tmp_path, x=0)
    (tmp_path / "set" / "test_files.txt").write_text("../x.h5\n")
    with pytest.raises(InputError, match="x.h5 is missing, though"):
        split_files.find(str(tmp_path / "set"), "test")


def test_two_names_that_lead_to_one_file_are_refused(tmp_path):
    _write(tmp_path, x=0)
    (tmp_path / "train_files.txt").write_text("a/x.h5\n")
    (tmp_path / "test_files.txt").write_text("b/x.h5\n")
    for split in ("train", "test"):
        with pytest.raises(InputError, match="x.h5 is what both a/x.h5 and b/x.h5 of the lists lead to"):
            split_files.find(str(tmp_path), split)
    # A file that tests what it trained is the user's own wish.
    (tmp_path / "test_files.txt").write_text("a\\x.h5\n")
    assert _labels(tmp_path, "test") == [0]


def test_names_are_of_a_split_by_their_words(tmp_path, capsys):
    names = "train_1_latest contest_train constrained_test ModelNetTest training-set train0 b.TEST test_train valid"
    _write(tmp_path, **{name: label for label, name in enumerate(names.split())})
    data = provider.open_data(str(tmp_path))
    assert capsys.readouterr().out == (
        "Taken by their names: contest_train.h5, train0.h5, train_1_latest.h5, training-set.h5 for train; "
        "ModelNetTest.h5, b.TEST.h5, constrained_test.h5 for test\n"
        "Not used, as a name says train or test, and not both: test_train.h5, valid.h5\n"
    )
    assert sorted(provider.load_split(data, "train")[1]) == [0, 1, 4, 5]
    assert sorted(provider.load_split(data, "test")[1]) == [2, 3, 6]
    (tmp_path / "train_files.txt").write_text("valid.h5\n")
    (tmp_path / "test_files.txt").write_text("train0.h5\n")
    provider.open_data(str(tmp_path))
    assert capsys.readouterr().out == ""


def test_words_that_run_into_one_are_told_apart_where_no_word_is_a_split(tmp_path):
    _write(tmp_path, datatrain=3, mytestset=4, other=5)
    data = provider.open_data(str(tmp_path))
    assert [list(provider.load_split(data, split)[1]) for split in ("train", "test")] == [[3], [4]]


@pytest.mark.parametrize(
    "train, variants",
    [
        ("training_objectdataset training_objectdataset_augmentedrot", True),
        ("training_objectdataset_augmentedrot training_objectdataset_augmentedrot_scale75", True),
        ("objects_rot_train objects_train", True),
        ("trainAug train", True),
        ("train_0 train_1", False),
        ("train train2 train_3", False),
        ("train_part_1 train_part_2", False),
        ("train_chairs train_tables", False),
    ],
)
def test_variants_of_one_set_are_not_mixed_unless_a_list_says_so(tmp_path, train, variants):
    names = [name + ".h5" for name in train.split()]
    for name in names + ["test.h5"]:
        (tmp_path / name).write_bytes(b"")
    provider.open_data(str(tmp_path))
    assert split_files.find(str(tmp_path), "test") == [str(tmp_path / "test.h5")]
    if variants:
        with pytest.raises(InputError, match="seem to be variants of one set: .* train_files.txt and test_files.txt"):
            split_files.find(str(tmp_path), "train")
        names = names[1:]
        (tmp_path / "train_files.txt").write_text(names[0])
    assert sorted(split_files.find(str(tmp_path), "train")) == sorted(str(tmp_path / name) for name in names)


def test_a_file_of_both_splits_is_named(tmp_path, capsys):
    _write(tmp_path, a=0, b=1, my_test=2)
    (tmp_path / "train_files.txt").write_text("a.h5\nb.h5\nmy_test.h5\n")
    provider.open_data(str(tmp_path))
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "Of both splits, so that tests see what was trained on: my_test.h5"
    (tmp_path / "test_files.txt").write_text("./b.h5\n")
    provider.open_data(str(tmp_path))
    assert capsys.readouterr().out == "Of both splits, so that tests see what was trained on: b.h5\n"
