"""Where checkpoints are found and what stands beside them, without TensorFlow."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from utils import files
from utils.files import PROJECT_DIR, InputError
from utils.network import checkpoint_files, flags


def _make(folder, *names):
    """Makes empty files of a checkpoint in a folder; returns the prefix `model.ckpt` there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("model.ckpt.index", "model.ckpt.data-00000-of-00001"):
        (folder / name).write_bytes(b"")
    return str(folder / "model.ckpt")


def _config(folder, **config):
    (folder / "config.json").write_text(json.dumps(config))


def test_the_best_comes_before_the_last_and_prefixes_and_folders_are_found(tmp_path):
    last, best = _make(tmp_path), _make(tmp_path / "best")
    assert checkpoint_files.find(None, str(tmp_path)) == best
    assert checkpoint_files.find(last, "elsewhere") == last
    for ending in (".index", ".meta", ".data-00000-of-00001"):
        assert checkpoint_files.find(last + ending, "elsewhere") == last
    assert checkpoint_files.find(str(tmp_path), "elsewhere") == best
    shutil.rmtree(str(tmp_path / "best"))
    assert checkpoint_files.find(str(tmp_path), "elsewhere") == last


def test_finding_a_save_that_was_cut_off_changes_no_file(tmp_path):
    names = ["model.ckpt.data-00000-of-00001", "model.ckpt.index", "model.ckpt.new.index"]
    prefix = _make(tmp_path, *names)
    assert checkpoint_files.find(prefix, None) == prefix
    assert sorted(os.listdir(str(tmp_path))) == names


def test_a_first_save_that_was_cut_off_counts_once_its_index_is_there(tmp_path):
    prefix = _make(tmp_path, "model.ckpt.new.data-00000-of-00001")
    assert not checkpoint_files.exists(prefix)
    _make(tmp_path, "model.ckpt.new.index")
    assert checkpoint_files.exists(prefix)
    checkpoint_files.finish_save(prefix)
    assert sorted(os.listdir(str(tmp_path))) == ["model.ckpt.data-00000-of-00001", "model.ckpt.index"]


def test_without_one_of_the_users_own_a_shipped_one_is_taken_and_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checkpoint_files, "PRETRAINED_DIR", str(tmp_path / "shipped"))
    for name in ("rotation_y", "rotation_xyz", "dgcnn"):
        _make(tmp_path / "shipped" / name)
    for rotation, name in ((None, "rotation_y"), ("none", "rotation_y"), ("xyz", "rotation_xyz")):
        found = checkpoint_files.find(None, str(tmp_path), rotation)
        assert found == str(tmp_path / "shipped" / name / "model.ckpt")
        assert str(tmp_path / "shipped" / name) in capsys.readouterr().out
    for model, name in (("pointnet_cls", "rotation_y"), ("dgcnn", "dgcnn")):
        found = checkpoint_files.find(None, str(tmp_path), model=model)
        assert found == str(tmp_path / "shipped" / name / "model.ckpt")
    with pytest.raises(InputError, match="train one with train.py"):
        checkpoint_files.find(None, str(tmp_path), model="pointnet_cls_basic")
    assert str(tmp_path / "shipped" / "dgcnn") in capsys.readouterr().out
    own = _make(tmp_path / "log")
    assert checkpoint_files.find(None, str(tmp_path / "log"), model="dgcnn") == own
    assert capsys.readouterr().out == "Taking the network trained in {}\n".format(tmp_path / "log")
    files.write_json(own + checkpoint_files.FACTS, {"accuracy": 0.2125})
    assert checkpoint_files.find(None, str(tmp_path / "log")) == own
    assert capsys.readouterr().out.endswith("log, which knew 21.25 % of its test clouds\n")
    # Who names it needs not be told.
    assert checkpoint_files.find(own, None) == own and not capsys.readouterr().out


def test_no_checkpoint_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_files, "PRETRAINED_DIR", str(tmp_path / "shipped"))
    with pytest.raises(InputError, match="train one with train.py"):
        checkpoint_files.find(None, str(tmp_path))
    with pytest.raises(InputError, match="`model_path`"):
        checkpoint_files.find(str(tmp_path / "model.ckpt"), None)
    with pytest.raises(InputError, match="`start_from`"):
        checkpoint_files.find(str(tmp_path / "model.ckpt"), None, argument="start_from")


def test_only_a_best_folder_takes_the_config_above_it(tmp_path):
    _config(tmp_path, model="pointnet_cls", rotation="y")
    assert checkpoint_files.read_config(str(tmp_path / "best" / "model.ckpt"))["rotation"] == "y"
    assert checkpoint_files.read_config(str(tmp_path / "pretrained" / "model.ckpt")) == {}


def test_another_programs_config_counts_as_none_and_a_broken_one_is_refused(tmp_path):
    _config(tmp_path, model="resnet", rotation="y")
    assert checkpoint_files.read_config(str(tmp_path / "model.ckpt")) == {}
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="config.json cannot be read"):
        checkpoint_files.read_config(str(tmp_path / "model.ckpt"))


@pytest.mark.parametrize(
    "trained, one_view, many_views", [("none", "none", "none"), ("y", "none", "y"), ("xyz", "xyz", "xyz")]
)
def test_clouds_are_turned_as_in_training_but_one_view_shows_them_as_they_lie(trained, one_view, many_views):
    assert checkpoint_files.default_rotation({"rotation": trained}) == many_views
    assert checkpoint_files.default_rotation({"rotation": trained}, is_one_view=True) == one_view


def test_where_nobody_knows_the_rotation_it_is_any():
    assert checkpoint_files.default_rotation({}) == "xyz"
    assert checkpoint_files.default_rotation({}, is_one_view=True) == "none"


def test_classes_are_known_by_the_config_or_by_a_file(tmp_path):
    path = str(tmp_path / "names.txt")
    (tmp_path / "names.txt").write_text("cup\n\nStuhl\n", encoding="utf-8")
    assert flags.known_class_names({}, None) is None
    assert flags.known_class_names({"class_names": ["a", "b"]}, None) == ("a", "b")
    assert flags.known_class_names({}, path) == ("cup", "Stuhl")
    assert flags.known_class_names({"class_names": ["cup", "Stuhl"]}, path) == ("cup", "Stuhl")
    with pytest.raises(InputError, match="`class_names` .*names other classes"):
        flags.known_class_names({"class_names": ["Stuhl", "cup"]}, path)
    with pytest.raises(InputError, match="cannot be read"):
        flags.known_class_names({}, str(tmp_path / "nothing.txt"))


def test_none_of_this_loads_tensorflow():
    code = (
        "import sys; from utils.network import checkpoint_files, flags, loading, training; "
        "assert not {'tensorflow', 'scipy', 'matplotlib'} & set(sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, stderr=subprocess.PIPE)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize(
    "name, value",
    [("num_point", value) for value in (0, -5, "x", 2.5, True, [64])]
    + [("rotation", value) for value in (7, "z", [], True)]
    + [("data", value) for value in ("1", {"train": "1"}, {"train": "1", "test": 2})]
    + [
        ("class_names", value)
        for value in ("chair", [], [1, 2], ["a", "a"], ["a", ""], {"a": 1}, 5, ["a\0"], ["\ud800"])
    ],
)
def test_a_value_of_config_json_that_is_none_of_its_kind_is_named(tmp_path, name, value):
    prefix = _make(tmp_path)
    _config(tmp_path, model="pointnet_cls", **{name: value})
    with pytest.raises(InputError, match="config.json has {} .*it must be .*; mend it".format(name)) as refused:
        checkpoint_files.read_config(prefix)
    assert str(refused.value).isprintable() and len(str(refused.value)) < 300 + len(prefix)


def test_values_that_nobody_wrote_are_none(tmp_path):
    prefix = _make(tmp_path)
    _config(tmp_path, model="pointnet_cls", num_point=None, rotation=None, class_names=None)
    assert checkpoint_files.read_config(prefix) == {"model": "pointnet_cls"}
    _config(tmp_path, model="of another program", num_point="many")
    assert checkpoint_files.read_config(prefix) == {}


@pytest.mark.parametrize("text", ["[" * 100000, '{"a":' * 100000, "\0", "", "[1]", '{"a": 1}}'])
def test_a_config_json_that_is_none_is_refused_in_one_line(tmp_path, text):
    prefix = _make(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match="config.json cannot be read"):
        checkpoint_files.read_config(prefix)


def test_a_byte_order_mark_is_no_part_of_config_json(tmp_path):
    prefix = _make(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model": "pointnet_cls"}), encoding="utf-8-sig")
    assert checkpoint_files.read_config(prefix) == {"model": "pointnet_cls"}
