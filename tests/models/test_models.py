"""All networks: the published variables, and what each must do whatever its weights are."""

import os
import re
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import SHARED, needs

import models

# As many as in the published list.
NUM_CLASSES = 40
# The two that group points take long to build: one on each of the two TensorFlows.
ELSEWHERE = "dgcnn" if sys.version_info < (3, 8) else "pointnet2_cls_ssg"
HERE = [name for name in models.NAMES if name != ELSEWHERE]
# Of PointNet++ the paper says 1.48 million (table 8).
NUM_PARAMETERS = {"pointnet_cls": 3480049, "pointnet_cls_basic": 819624, "pointnet2_cls_ssg": 1475688, "dgcnn": 1836081}
# Those that know a point by itself alone, and their pools.
POOLS = {"pointnet_cls": ["transform_net1/tconv3", "transform_net2/tconv3", "conv5"], "pointnet_cls_basic": ["conv5"]}
# Centres of the last level of those that group points.
MOST_ROWS = {"pointnet2_cls_ssg": 128}
VARIABLES = os.path.join(SHARED, "pointnet_variables.txt")


def _published(model_name):
    """{name: (shape, is trainable)} of one network, from the shared list of upstream's variables."""
    with open(VARIABLES) as file:
        sections = re.split(r"^# (\w+) \d+$", file.read(), flags=re.MULTILINE)
    text = sections[sections.index(model_name) + 1]
    return {
        name: ([int(size) for size in shape.split(",")], kind == "trainable")
        for name, shape, kind in re.findall(r"^(\S+) \[(.*?)\] (\w+)$", text, flags=re.MULTILINE)
    }


@pytest.fixture(scope="module", params=HERE)
def built(request):
    """(name, session, points, logits, end points) of a network in evaluation mode, weights at random."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        points = tf.placeholder(tf.float32, [None, None, 3])
        logits, end_points = models.network(request.param).get_model(points, NUM_CLASSES, is_training=False)
        session.run(tf.global_variables_initializer())
        yield request.param, session, points, logits, end_points


@pytest.mark.parametrize("built", HERE, indirect=True)
def test_parameters_are_as_many_as_published(built):
    count = sum(np.prod(variable.shape.as_list()) for variable in tf.trainable_variables())
    assert count == NUM_PARAMETERS[built[0]]


@needs(VARIABLES)
@pytest.mark.parametrize("built", list(POOLS), indirect=True)
def test_trainable_variables_have_upstreams_names_and_shapes(built):
    ours = {variable.op.name: variable.shape.as_list() for variable in tf.trainable_variables()}
    assert ours == {name: shape for name, (shape, trainable) in _published(built[0]).items() if trainable}


def test_logits_do_not_depend_on_the_order_of_the_points(built, rng):
    _, session, points, logits, _ = built
    cloud = rng.standard_normal((1, 40, 3))
    np.testing.assert_allclose(
        session.run(logits, {points: cloud}), session.run(logits, {points: cloud[:, ::-1]}), rtol=1e-5, atol=1e-6
    )


def test_any_number_of_points_and_clouds_goes_through(built, rng):
    name, session, points, logits, end_points = built
    for shape in ((1, 1, 3), (3, 17, 3), (2, 1500, 3)):
        values, features = session.run([logits, end_points["features"]], {points: rng.standard_normal(shape)})
        num_rows = min(shape[1], MOST_ROWS.get(name, shape[1]))
        assert values.shape == (shape[0], NUM_CLASSES) and features.shape == (shape[0], num_rows, 1024)
        assert features.min() >= 0


@pytest.mark.parametrize("num_classes", [1, 15])
@pytest.mark.parametrize("name", HERE)
def test_a_network_has_as_many_logits_as_classes(name, num_classes):
    with tf.Graph().as_default():
        logits, _ = models.network(name).get_model(tf.zeros([2, 8, 3]), num_classes, is_training=False)
    assert logits.shape.as_list()[1] == num_classes


@pytest.mark.parametrize("name", HERE)
def test_the_number_of_classes_has_no_default(name):
    with tf.Graph().as_default(), pytest.raises(TypeError, match="num_classes"):
        models.network(name).get_model(tf.zeros([2, 8, 3]), is_training=False)


def test_the_docstring_names_every_end_point_and_no_other(built):
    name, _, _, _, end_points = built
    documented = re.findall(r'^ +"(\w+)":', models.network(name).get_model.__doc__, flags=re.MULTILINE)
    assert sorted(documented) == sorted(end_points)
    for one in ("features", "feature_points", "global_feature", "pools"):
        assert one in end_points and '- "{}":'.format(one) in models.__doc__


def test_the_layers_from_the_top_are_those_of_the_variables(built):
    layers = models.network(built[0]).LAYERS_FROM_TOP
    assert sorted(layers) == sorted({variable.op.name.split("/")[0] for variable in tf.global_variables()})
    assert layers[0] == "fc3" and "fc3/weights" in {variable.op.name for variable in tf.trainable_variables()}


@pytest.mark.parametrize("built", list(POOLS), indirect=True)
def test_the_pools_are_the_maxima_of_their_maps_and_the_last_is_the_global_feature(built, rng):
    name, session, points, _, end_points = built
    assert list(end_points["pools"]) == POOLS[name]
    cloud = rng.standard_normal((2, 30, 3)).astype(np.float32)
    found = session.run(end_points, {points: cloud})
    for pool in found["pools"].values():
        assert pool.features.shape == (2, 30, 1024)
        np.testing.assert_allclose(pool.maximum, pool.features.max(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["pools"]["conv5"].features, found["features"])
    np.testing.assert_array_equal(found["pools"]["conv5"].maximum, found["global_feature"])
    np.testing.assert_array_equal(found["feature_points"], cloud)


@pytest.mark.parametrize("name", list(POOLS))
def test_only_points_that_hold_a_maximum_of_a_pool_matter(name, rng):
    """What no pool holds can go: the logits depend on the points through the pools that are declared alone."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        points = tf.placeholder(tf.float32, [None, None, 3])
        logits, end_points = models.network(name).get_model(points, 4, is_training=False)
        session.run(tf.global_variables_initializer())
        cloud = rng.standard_normal((1, 3000, 3)).astype(np.float32)
        before, pools = session.run([logits, end_points["pools"]], {points: cloud})
        holds = np.zeros(3000, bool)
        for pool in pools.values():
            # Rounding of the maximum's product may differ from the map's in the last digit.
            near = pool.features[0] >= pool.features[0].max(axis=0) * (1 - 1e-5)
            holds |= (near & (pool.features[0] > 0)).any(axis=1)
        assert 0 < holds.sum() < 2500
        after = session.run(logits, {points: cloud[:, holds]})
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("built", list(POOLS), indirect=True)
def test_a_repeated_point_changes_nothing(built, rng):
    _, session, points, logits, _ = built
    cloud = rng.standard_normal((1, 20, 3))
    doubled = np.concatenate([cloud, cloud[:, :5]], axis=1)
    np.testing.assert_allclose(
        session.run(logits, {points: cloud}), session.run(logits, {points: doubled}), rtol=1e-5, atol=1e-6
    )


def test_a_fresh_t_net_is_the_identity(rng):
    with tf.Graph().as_default(), tf.Session() as session:
        from models import transform_nets

        points = tf.constant(rng.standard_normal((2, 30, 3)), tf.float32)
        matrix, _ = transform_nets.input_transform_net(points, is_training=False)
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(matrix), [np.eye(3)] * 2)


@pytest.mark.parametrize("name", HERE)
def test_smoothed_labels_give_the_other_classes_a_share(name):
    logits = np.log([[0.5, 0.25, 0.125, 0.125]])
    with tf.Graph().as_default(), tf.Session() as session:
        end_points = {"feature_transform": tf.eye(4, batch_shape=[1])}
        arguments = tf.constant(logits, tf.float32), tf.constant([1]), end_points
        loss, cross_entropy = session.run(models.network(name).get_loss(*arguments, label_smoothing=0.2))
    # Targets 0.05, 0.85, 0.05 and 0.05; logarithms of halves: 1, 2, 3 and 3.
    assert cross_entropy == pytest.approx((0.05 * 1 + 0.85 * 2 + 0.05 * 3 + 0.05 * 3) * np.log(2), rel=1e-6)
    assert loss == pytest.approx(cross_entropy)


def test_the_loss_is_the_cross_entropy_plus_the_regulariser(rng):
    from models import pointnet_cls

    transform = rng.standard_normal((2, 4, 4))
    logits = np.log([[1.0, 3.0], [1.0, 1.0]])
    with tf.Graph().as_default(), tf.Session() as session:
        end_points = {"feature_transform": tf.constant(transform, tf.float32)}
        total, cross_entropy = session.run(
            pointnet_cls.get_loss(tf.constant(logits, tf.float32), tf.constant([0, 1]), end_points)
        )
    assert cross_entropy == pytest.approx((np.log(4) + np.log(2)) / 2)
    distance = sum(((matrix @ matrix.T - np.eye(4)) ** 2).sum() / 2 for matrix in transform)
    assert total == pytest.approx(cross_entropy + 0.001 * distance, rel=1e-5)
