"""The shipped networks: they load, say what they were trained for, and recognise the real test split."""

import os
import re

import numpy as np
import pytest
from conftest import MODELNET40, needs
from conftest import explain as run_explain

import explain
import provider
from utils import metrics
from utils.clouds import transforms
from utils.demo import modelnet40
from utils.network import checkpoint, checkpoint_files
from utils.network.classifier import Classifier

# Folder -> its network and the rotation that it was trained for.
SHIPPED = {
    "rotation_y": ("pointnet_cls", "y"),
    "rotation_xyz": ("pointnet_cls", "xyz"),
    "rotation_none": ("pointnet_cls", "none"),
    "dgcnn": ("dgcnn", "y"),
    "pointnet2_cls_ssg": ("pointnet2_cls_ssg", "y"),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_says_how_it_was_trained(name):
    folder = os.path.join(checkpoint_files.PRETRAINED_DIR, name)
    assert sorted(os.listdir(folder)) == [
        "README.md",
        "config.json",
        "log_train.txt",
        "model.ckpt.data-00000-of-00001",
        "model.ckpt.index",
    ]
    config = checkpoint_files.read_config(os.path.join(folder, "model.ckpt"))
    assert (config["model"], config["rotation"]) == SHIPPED[name]
    assert sum(os.path.getsize(os.path.join(folder, one)) for one in os.listdir(folder)) < 16e6
    assert config["class_names"] == list(modelnet40.CLASS_NAMES)
    # No path of its maker's computer: what is left lies in the project.
    assert "data_dir" not in config
    for name, value in config.items():
        is_inside = name in ("log_dir", "start_from") and str(value).startswith(("log/", "None"))
        assert is_inside or not re.search(r"[/\\]", str(value)), name


@needs(MODELNET40)
@pytest.mark.takes_turns
@pytest.mark.parametrize(
    "name, each, overall, mean_class",
    [
        ("rotation_y", 4, 0.875, 0.835),
        ("rotation_xyz", 4, 0.795, 0.72),
        ("rotation_none", 4, 0.873, 0.82),
        ("dgcnn", 16, 0.89, 0.80),
        ("pointnet2_cls_ssg", 16, 0.88, 0.81),
    ],
)
def test_a_shipped_network_recognises_the_test_split(name, each, overall, mean_class):
    points, labels = (
        values[::each]
        for values in provider.load_split(provider.open_data(MODELNET40), "test", 1024)  # for time's sake
    )
    if name == "rotation_xyz":
        points = np.matmul(points, transforms.draw_rotations("xyz", len(points), np.random.RandomState(5)))
    with checkpoint.restore(os.path.join(checkpoint_files.PRETRAINED_DIR, name, "model.ckpt"), gpu=-1) as network:
        predictions = Classifier(network).logits(points).argmax(axis=1)
    matrix = metrics.confusion_matrix(labels, predictions, len(modelnet40.CLASS_NAMES))
    assert metrics.overall_accuracy(matrix) >= overall
    assert metrics.mean_class_accuracy(matrix) >= mean_class


@pytest.mark.takes_turns
def test_without_a_training_of_ones_own_the_shipped_network_explains(tiny_data, tmp_path):
    for rotation in ("y", "xyz"):
        finished = run_explain(
            "p_grad_CAM.py",
            "--data_dir",
            tiny_data,
            "--log_dir",
            tmp_path,
            "--rotation",
            rotation,
            "--num_steps",
            1,
            "--dump_dir",
            tmp_path / rotation,
        )
        assert finished.returncode == 0, finished.stderr
        shipped = os.path.join(checkpoint_files.PRETRAINED_DIR, "rotation_" + rotation)
        assert "taking the shipped network {}".format(shipped) in finished.stdout


def test_points_in_one_place_have_the_same_heat_wherever_they_stand():
    cloud = explain.demo_cloud("airplane", 1024)
    with explain.open_network(gpu=-1) as network:
        for count in (13, 25, 61):
            for method in ("critical", "p-grad-cam"):
                heat = network.heat(np.tile(cloud[:count], (2, 1)), method, label="airplane")
                np.testing.assert_allclose(heat[count:], heat[:count], rtol=0, atol=1e-6 * heat.max())
