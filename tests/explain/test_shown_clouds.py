"""The clouds that TensorBoard shows of a training, as TensorBoard itself reads them."""

import json
import os
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.mesh import metadata

import provider
import train
from utils import metrics
from utils.explain import shown_clouds
from utils.explain.methods import METHODS
from utils.network import checkpoint
from utils.network.classifier import Classifier
from utils.pictures import colours

pytestmark = pytest.mark.takes_turns

SHOWN = ["airplane", "chair", "guitar", "lamp"]


def _read(log):
    """TensorBoard's own reader on the test events of a log folder, and what it tells the mesh plugin of each tensor."""
    events = event_accumulator.EventAccumulator(os.path.join(str(log), "test"), {"tensors": 0}).Reload()
    kept = [events.SummaryMetadata(tag).plugin_data for tag in events.Tags()["tensors"]]
    return events, [metadata.parse_plugin_metadata(data.content) for data in kept if data.plugin_name == "mesh"]


def _meshes(events, name, part):
    """[(step, array [1, N, 3])] of a mesh's VERTEX or COLOR."""
    return [(event.step, tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(name + "_" + part)]


def _train(monkeypatch, data, log, *more):
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "train.py",
            "--data_dir",
            data,
            "--log_dir",
            str(log),
            "--model",
            "pointnet_cls_basic",
            "--num_point",
            "64",
            "--batch_size",
            "16",
            "--gpu",
            "-1",
        ]
        + [str(argument) for argument in more],
    )
    train.main()


def _curves(log, split):
    """[(step, tag, value)] of all numbers in the TensorBoard files of a split, in their order."""
    folder = os.path.join(str(log), split)
    return [
        (event.step, value.tag, value.simple_value)
        for name in sorted(os.listdir(folder))
        for event in tf.train.summary_iterator(os.path.join(folder, name))
        for value in event.summary.value
        if not value.HasField("tensor") and not value.tag.startswith("probability/")
    ]


def _variables(log):
    reader = tf.train.NewCheckpointReader(os.path.join(str(log), "model.ckpt"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_tensorboard_shows_the_heat_that_the_checkpoint_gives(tiny_data, tiny_log):
    events, meshes = _read(tiny_log)
    assert {mesh.name for mesh in meshes} == {group + "/" + name for group in ("input", "heat") for name in SHOWN}
    assert all(list(mesh.shape) == [1, 64, 3] for mesh in meshes)
    assert all(json.loads(mesh.json_config)["material"]["cls"] == "PointsMaterial" for mesh in meshes)

    data = provider.open_data(tiny_data)
    points, labels = provider.load_split(data, "test", 64)
    with checkpoint.restore(os.path.join(tiny_log, "model.ckpt"), gpu=-1) as network:
        explained = Classifier(network)
        for name in SHOWN:
            label = data.class_names.index(name)
            cloud = points[list(labels).index(label)][np.newaxis]
            ((step, vertices),) = _meshes(events, "input/" + name, "VERTEX")
            ((_, grey),) = _meshes(events, "input/" + name, "COLOR")
            assert step == 0 and (grey == 128).all()
            np.testing.assert_array_equal(vertices, cloud)

            assert [step for step, _ in _meshes(events, "heat/" + name, "COLOR")] == [5, 10, 15]
            for _, vertices in _meshes(events, "heat/" + name, "VERTEX"):
                np.testing.assert_array_equal(vertices, cloud)
            # The last evaluation was of the network in the last checkpoint.
            wanted = 255 * colours.heat_colours(METHODS["p-grad-cam"].heat(explained, cloud, label)[0])
            found = _meshes(events, "heat/" + name, "COLOR")[-1][1]
            assert found.dtype == np.uint8 and len(np.unique(found, axis=1)[0]) > 3
            np.testing.assert_allclose(found[0], wanted, atol=1.5)
            probability = events.Scalars("probability/" + name)
            assert [event.step for event in probability] == [5, 10, 15]
            assert probability[-1].value == pytest.approx(
                metrics.probabilities(explained.logits(cloud), label)[0], rel=1e-4
            )


def test_heat_follows_the_weights(tiny_log):
    events, _ = _read(tiny_log)
    first, _, last = [colour for _, colour in _meshes(events, "heat/airplane", "COLOR")]
    assert not np.array_equal(first, last)


def test_shown_clouds_change_neither_the_training_nor_what_it_resumes_from(tiny_data, tmp_path, monkeypatch):
    with_clouds, without = tmp_path / "with", tmp_path / "without"
    _train(monkeypatch, tiny_data, with_clouds, "--max_epoch", 2)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "tensorboard.plugins.mesh", None)
        _train(patch, tiny_data, without, "--max_epoch", 2)
    with open(str(without / "log_train.txt")) as file:
        assert file.read().count("No clouds for TensorBoard") == 1
    events, meshes = _read(without)
    assert not meshes and set(events.Tags()["scalars"]) == {
        "loss/classification",
        "accuracy/overall",
        "accuracy/mean_class",
    }

    for split in ("train", "test"):
        assert len(_curves(without, split)) >= 6
        assert _curves(with_clouds, split) == _curves(without, split)
    ours, others = _variables(with_clouds), _variables(without)
    assert set(ours) == set(others)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, others[name], err_msg=name)

    # Begun without clouds, as by an older version, it goes on with them.
    _train(monkeypatch, tiny_data, without, "--max_epoch", 3, "--clouds_shown", 1)
    events, meshes = _read(without)
    assert {mesh.name for mesh in meshes} == {"input/airplane", "heat/airplane"}
    assert [step for step, _ in _meshes(events, "input/airplane", "VERTEX")] == [10]
    assert [step for step, _ in _meshes(events, "heat/airplane", "VERTEX")] == [15]


@pytest.mark.parametrize("count, rows", [(0, []), (1, [3]), (2, [3, 1]), (3, [3, 1, 2]), (9, [3, 1, 2, 0])])
def test_classes_of_clear_parts_come_first_then_the_first_classes(count, rows):
    # Rows: bench, person, bed, guitar, guitar, person; guitar comes before person.
    labels = np.array([3, 5, 2, 4, 4, 5])
    names = ["airplane", "bathtub", "bed", "bench", "guitar", "person"]
    assert shown_clouds.first_of_classes(labels, names, count) == rows


def test_of_own_classes_the_first_are_shown_by_their_names():
    assert shown_clouds.first_of_classes(np.array([2, 0, 2, 1]), ["Stuhl", "chair", "7"], 2) == [3, 1]
