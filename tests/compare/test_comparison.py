"""What protocols share: the clouds, the views, the network as it forgets, the heat that is kept."""

import functools
import hashlib
import shutil
import struct

import h5py
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from counting import CLOUD, CountingClassifier, comparison, x_method

import models
import provider
from utils.compare import drop, heats, run
from utils.compare.settings import Settings
from utils.explain.methods import METHODS
from utils.files import InputError
from utils.network import checkpoint, checkpoint_files, classifier


@pytest.fixture
def data(tmp_path):
    """Three classes, of which the second has no test cloud: clouds of label 0, 2, 2, whose points are 0, 0.5, 1."""
    folder = tmp_path / "data"
    folder.mkdir()
    with h5py.File(str(folder / "my_test.h5"), "w") as file:
        file["data"] = np.float32([np.full((12, 3), number) for number in (0, 0.5, 1)])
        file["label"] = np.uint8([0, 2, 2])
    return provider.DataSet(str(folder), ("lamp", "chair", "4 | $"))


def test_the_first_clouds_of_each_class_that_has_any(data):
    clouds, _ = run.load_clouds(data, data.class_names, None, 1, 12)
    assert [(cloud.class_name, cloud.label, cloud.index, cloud.points[0, 0]) for cloud in clouds] == [
        ("lamp", 0, 0, 0),
        ("4 | $", 2, 0, 0.5),
    ]
    assert [cloud.index for cloud in run.load_clouds(data, data.class_names, ["3"], 5, 12)[0]] == [0, 1]


def test_the_data_are_told_by_their_clouds_wherever_they_lie_and_whichever_are_compared(data, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(data.folder, str(copy))
    (_, first), (_, second) = (
        run.load_clouds(found, data.class_names, classes, 1, 12)
        for found, classes in ((data, None), (data._replace(folder=str(copy)), ["lamp"]))
    )
    # The numbers of clouds and points, then all coordinates as little-endian floats, then the labels.
    content = b"3 12" + struct.pack("<108f", *([0.0] * 36 + [0.5] * 36 + [1.0] * 36)) + struct.pack("<3q", 0, 2, 2)
    assert first == second == hashlib.sha256(content).hexdigest()
    assert run.load_clouds(data, data.class_names, None, 1, 11)[1] != first
    with h5py.File(str(copy / "my_test.h5"), "r+") as file:
        file["label"][1] = 0
    assert run.load_clouds(data._replace(folder=str(copy)), data.class_names, None, 1, 12)[1] != first


def test_a_class_without_test_clouds_is_refused_by_name_though_others_have_some(data):
    with pytest.raises(InputError, match="`classes` chair: .* no test cloud of chair"):
        run.load_clouds(data, data.class_names, ["lamp", "chair"], 1, 12)
    with pytest.raises(InputError, match="`classes` table: no such class; give 1 to 3"):
        run.load_clouds(data, data.class_names, ["table"], 1, 12)


def test_views_turn_each_cloud_its_own_way_whatever_else_is_there(rng):
    clouds = [CLOUD._replace(points=rng.standard_normal((6, 3)).astype(np.float32), index=index) for index in range(2)]
    both, alone = run.turn_clouds(clouds, "xyz", 3), run.turn_clouds(clouds[1:], "xyz", 3)
    np.testing.assert_array_equal(both[1].points, alone[0].points)
    for before, after in zip(clouds, both):
        np.testing.assert_allclose(after.points.dot(after.points.T), before.points.dot(before.points.T), atol=1e-5)
        assert not np.allclose(before.points, after.points, atol=0.05)
    np.testing.assert_array_equal(run.turn_clouds(clouds, "none", 3)[0].points, clouds[0].points)


def test_heat_of_the_first_of_each_class_is_kept_and_joined_by_that_of_more_methods(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, drop.PROTOCOL)
    bench.clouds.append(bench.clouds[1]._replace(class_name="lamp", index=0))
    bench.keep_heat(heats.KeptHeat(str(tmp_path)))
    monkeypatch.setitem(METHODS, "minus x", x_method(formula=lambda points: -points[:, :, 0]))
    bench.methods = ["minus x", "x"]
    bench.classifier = CountingClassifier()
    bench.keep_heat(heats.KeptHeat(str(tmp_path)))
    # Heat of x was there, so that of the other method alone was taken.
    assert bench.classifier.heats == 1
    found = heats.KeptHeat(str(tmp_path))
    for cloud in (bench.clouds[0], bench.clouds[2]):
        np.testing.assert_array_equal(found.points(cloud), cloud.points)
        np.testing.assert_array_equal(found.heat("x", cloud), cloud.points[:, 0])
        np.testing.assert_array_equal(found.heat("minus x", cloud), -cloud.points[:, 0])
    assert not found.has("x", bench.clouds[1])


def test_classes_that_come_later_join_the_kept_heat_too(tmp_path):
    kept = heats.KeptHeat(str(tmp_path))
    kept.add("a", CLOUD, np.arange(4))
    kept.save()
    kept = heats.KeptHeat(str(tmp_path))
    kept.add("b", CLOUD._replace(class_name="lamp"), np.arange(4, 8))
    kept.save()
    kept = heats.KeptHeat(str(tmp_path))
    assert kept.heat("a", CLOUD).tolist() == [0, 1, 2, 3]
    assert not kept.has("b", CLOUD) and not kept.has("a", CLOUD._replace(class_name="lamp"))
    assert kept.heat("b", CLOUD._replace(class_name="lamp")).tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_kept_heat_that_is_damaged_is_refused(tmp_path, damage):
    kept = heats.KeptHeat(str(tmp_path))
    kept.add("a", CLOUD, np.random.RandomState(0).rand(4))
    kept.save()
    path = tmp_path / heats.FILE_NAME
    path.write_bytes(path.read_bytes()[:200] if damage is None else damage)
    with pytest.raises(InputError, match="heats.npz cannot be read .*delete it"):
        heats.KeptHeat(str(tmp_path))


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """A checkpoint of the small network for 5 classes, drawn at random."""
    path = str(tmp_path_factory.mktemp("network") / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        points = tf.placeholder(tf.float32, [None, None, 3])
        models.network("pointnet_cls_basic").get_model(points, is_training=False, num_classes=5)
        session.run(tf.global_variables_initializer())
        checkpoint.save(session, tf.train.Saver(), path)
    return path


def _layers():
    return list(models.network("pointnet_cls_basic").LAYERS_FROM_TOP)


def test_a_comparison_of_a_network_of_five_classes_asks_it_and_its_fresh_ones(prefix, data, tmp_path, monkeypatch):
    monkeypatch.setitem(METHODS, "x", x_method())
    clouds, _ = run.load_clouds(data, data.class_names, None, 2, 12)
    chosen = _chosen(protocol=drop.PROTOCOL, rotation="y")
    with run.open_classifier(prefix, gpu=-1) as found:
        bench = run.of_network(found, clouds, None, chosen, gpu=-1)
        assert bench.layers[0] == "fc3" and bench.trained_rotation == "xyz"
        assert found.logits(run.points_of(clouds)).shape == (3, 5)
        # One view of each cloud, turned; the votes of other protocols turn clouds that lie as they are.
        assert not np.allclose(bench.clouds[1].points, clouds[1].points)
        unturned = chosen._replace(protocol=drop.PROTOCOL._replace(is_one_view=False))
        assert run.of_network(found, clouds, None, unturned).clouds == clouds
        with bench.open_fresh(["fc3"], 0) as fresh:
            assert fresh.class_names == found.class_names
            ours, theirs = (one.logits(run.points_of(bench.clouds)) for one in (found, fresh))
    assert not np.allclose(ours, theirs, rtol=0.1)


def _chosen(**changes):
    values = dict.fromkeys(Settings._fields)
    return Settings(**dict(values, methods=("x",), num_points=12, seed=0, options={}, own={}, **changes))


def _answers(prefix, clouds, fresh_layers, seed=0):
    with checkpoint.restore(prefix, gpu=-1, fresh_layers=fresh_layers, seed=seed) as network:
        found = classifier.Classifier(network)
        ((features,),) = found.quantities(["features"], clouds, 0)
        return features.sum(axis=-1), found.logits(clouds)


@pytest.mark.takes_turns
def test_fresh_layers_forget_and_the_others_stay(prefix, rng):
    clouds = rng.uniform(-0.7, 0.7, (2, 64, 3)).astype(np.float32)
    layers, answers = _layers(), functools.partial(_answers, prefix, clouds)
    features, logits = answers(())
    same_features, other_logits = answers(layers[:3])
    np.testing.assert_allclose(same_features, features, rtol=1e-5)
    assert not np.allclose(other_logits, logits, rtol=0.1)
    other_features, _ = answers(layers[:4])
    assert not np.allclose(other_features, features, rtol=0.02)
    np.testing.assert_array_equal(answers(layers)[1], answers(layers)[1])
    assert not np.allclose(answers(layers)[1], answers(layers, seed=1)[1], rtol=0.1)


def test_fresh_weights_are_not_those_that_a_training_of_the_same_seed_began_with(prefix):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        points = tf.placeholder(tf.float32, [None, None, 3])
        models.network("pointnet_cls_basic").get_model(points, is_training=False, num_classes=5)
        session.run(tf.global_variables_initializer())
        begun = {one.op.name: session.run(one) for one in tf.global_variables() if "weights" in one.op.name}
    with checkpoint.restore(prefix, gpu=-1, fresh_layers=_layers()) as network, network.points.graph.as_default():
        fresh = {one.op.name: network.session.run(one) for one in tf.global_variables()}
    assert len(begun) == len(_layers())
    for name, weights in begun.items():
        # As large, and as if drawn by somebody else.
        assert fresh[name].std() == pytest.approx(weights.std(), rel=0.2)
        assert abs(np.corrcoef(fresh[name].ravel(), weights.ravel())[0, 1]) < 0.2


@pytest.mark.takes_turns
def test_a_network_of_fresh_layers_alone_owes_nothing_to_its_checkpoint(prefix, tmp_path, rng):
    clouds = rng.uniform(-0.7, 0.7, (2, 64, 3)).astype(np.float32)
    other = str(tmp_path / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        reader = tf.train.NewCheckpointReader(prefix)
        variables = [
            tf.get_variable(name, initializer=3 + 0 * reader.get_tensor(name))
            for name in reader.get_variable_to_shape_map()
        ]
        session.run(tf.global_variables_initializer())
        checkpoint.save(session, tf.train.Saver(variables), other)
    assert checkpoint_files.exists(other)
    logits = [_answers(path, clouds, _layers())[1] for path in (prefix, other)]
    np.testing.assert_array_equal(*logits)
