"""Both networks: the published variables, and what a PointNet must do whatever its weights are."""

import os
import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import SHARED, needs

import models

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


@pytest.fixture(params=models.NAMES)
def built(request):
    """(name, session, points, logits, end points) of a network in evaluation mode, weights at random."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        points = tf.placeholder(tf.float32, [None, None, 3])
        logits, end_points = models.network(request.param).get_model(points, is_training=False)
        session.run(tf.global_variables_initializer())
        yield request.param, session, points, logits, end_points


def test_parameters_are_as_many_as_published(built):
    count = sum(np.prod(variable.shape.as_list()) for variable in tf.trainable_variables())
    assert count == {"pointnet_cls": 3480049, "pointnet_cls_basic": 819624}[built[0]]


@needs(VARIABLES)
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
    _, session, points, logits, end_points = built
    for shape in ((1, 1, 3), (3, 17, 3), (2, 1500, 3)):
        values, features = session.run([logits, end_points["features"]], {points: rng.standard_normal(shape)})
        assert values.shape == (shape[0], 40) and features.shape == shape[:2] + (1024,)
        assert features.min() >= 0


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
        matrix = transform_nets.input_transform_net(points, is_training=False)
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(matrix), [np.eye(3)] * 2)


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
