"""What a Classifier answers of every network that there is, with weights at random, against asking cloud by cloud."""

import functools
import re
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import models
from utils import metrics
from utils.explain import heat, removal
from utils.explain.methods import METHODS
from utils.files import InputError
from utils.network import checkpoint, classifier

NUM_CLASSES, LABEL = 5, 3
NUM_POINTS = 24  # more than DGCNN's neighbours, fewer than PointNet++ has centres


# Half of the networks on each of the two TensorFlows, as they take long.
NETWORKS = models.NAMES[sys.version_info < (3, 8) :: 2]


@pytest.fixture(scope="module", params=NETWORKS)
def opened(request, tmp_path_factory):
    """A Classifier of the checkpoint of a network whose weights are drawn."""
    prefix = str(tmp_path_factory.mktemp(request.param) / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        points = tf.placeholder(tf.float32, [None, None, 3])
        models.network(request.param).get_model(points, NUM_CLASSES, is_training=False)
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            if re.search("transform_(XYZ|feat)/weights", variable.op.name):
                # T-Nets begin with zeros, which would hide what they pool.
                variable.load(np.random.RandomState(1).standard_normal(variable.shape.as_list()) / 50, session)
        checkpoint.save(session, tf.train.Saver(), prefix)
    with checkpoint.restore(prefix, request.param, gpu=-1) as network:
        assert network.model_name == request.param
        yield classifier.Classifier(network)


@pytest.fixture
def clouds(rng):
    return rng.uniform(-0.7, 0.7, (3, NUM_POINTS, 3)).astype(np.float32)


def _ignores_repeats(opened):
    return models.network(opened.network.model_name).IGNORES_REPEATED_POINTS


def test_every_method_has_heat_of_every_point_that_is_that_of_the_cloud_alone(opened, clouds, monkeypatch):
    for name in ("MASKS", "SAMPLES", "PATCHES"):
        monkeypatch.setattr(removal, name, 8)
    monkeypatch.setattr(heat, "INTEGRATION_STEPS", 4)
    labels = np.array([LABEL, 0, 1])
    for name, method in METHODS.items():
        together, alone = (
            method.heat(opened, some, of_some, [np.random.RandomState(seed) for seed in seeds])
            for some, of_some, seeds in ((clouds, labels, (0, 1, 2)), (clouds[1:2], labels[1:2], (1,)))
        )
        assert together.shape == clouds.shape[:2], name
        np.testing.assert_allclose(alone[0], together[1], rtol=1e-4, atol=1e-5 * abs(alone).max(), err_msg=name)
        assert name in ("random", "runner-up-path") or np.ptp(together), name


def test_parts_of_any_sizes_are_classified_as_clouds_of_their_own(opened, clouds, rng):
    kept = rng.random_sample((3, 5, NUM_POINTS)) < rng.random_sample((3, 5, 1))
    kept[:, :, 7] = True
    kept[:, 4] = kept[:, 3]  # two of one size
    ((losses_of,),) = opened.quantities(["losses_of_parts"], clouds, LABEL)
    found = losses_of(kept)
    for number, of_cloud in enumerate(kept):
        for place, one in enumerate(of_cloud):
            logits = opened.logits(clouds[number, one][np.newaxis]).astype(np.float64)
            assert found[number, place] == pytest.approx(metrics.cross_entropy(logits, LABEL)[0], rel=1e-4)


def test_leave_one_out_is_what_the_loss_gains_without_each_point(opened, clouds):
    found = METHODS["leave-one-out"].heat(opened, clouds[:1], LABEL)[0]
    without = np.stack([np.delete(clouds[0], point, axis=0) for point in range(NUM_POINTS)])
    loss = functools.partial(metrics.cross_entropy, labels=LABEL)
    wanted = loss(opened.logits(without).astype(np.float64)) - loss(opened.logits(clouds[:1]).astype(np.float64))
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_votes_are_those_of_turned_clouds_as_points_go(opened, clouds, rng):
    turns = np.stack([np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(3)]).astype(np.float32)
    voter = opened.voter(clouds[0], turns)
    for count in (NUM_POINTS, 23, 1):
        wanted = [opened.logits((clouds[0, :count] @ turn)[np.newaxis])[0] for turn in turns]
        np.testing.assert_allclose(voter(clouds[0, :count]), wanted, rtol=1e-4, atol=1e-5)


def test_maxima_are_the_largest_of_two_members_of_a_group_and_gradients_the_slope_of_the_loss(opened, clouds, rng):
    # As many points as DGCNN has neighbours: the same ones whatever the features are.
    clouds = clouds[:, :20]
    ((maxima, layers_of),) = opened.quantities(["maxima", "pools_of"], clouds[:1], LABEL)
    pools, session = opened.network.end_points["pools"], opened.network.session
    layers = [tuple(array[0] for array in layer) for layer in layers_of(0, clouds[:1])]
    assert len(maxima) == len(layers) == len(pools)
    for pool, layer, (gradients, largest, seconds, holders, *_) in zip(pools.values(), layers, maxima):
        if len(layer) == 2:
            # One group of all points.
            layer = layer[0][np.newaxis], layer[1][np.newaxis], np.arange(20)[np.newaxis], [-1], 20
        features, of_layer, members, _, size = layer
        np.testing.assert_array_equal(of_layer.ravel(), gradients.ravel())
        wanted = []
        for values, places in zip(features[:, :size], members[:, :size]):
            of_points = {place: values[places == place].max(axis=0) for place in set(places.tolist())}
            points = sorted(of_points)
            ordered = np.sort(np.stack([of_points[point] for point in points] + [0 * values[0]]), axis=0)
            for channel, (second, first) in enumerate(ordered[-2:].T):
                wanted.append((first, second, {p for p in points if of_points[p][channel] >= first - 1e-6}))
        for *found, holder, (first, second, holding) in zip(largest.flat, seconds.flat, holders.flat, wanted):
            assert found == pytest.approx([first, second], abs=1e-5) and (first <= 0 or holder in holding)
        still = session.run(pool.maximum, {opened.network.points: clouds[:1]})
        way = gradients.reshape(still.shape) / np.linalg.norm(gradients)
        slopes = []
        for step in (0.0005, 0.001, 0.002):
            # Along its own direction the slope is its length; steps above the rounding of float32.
            feeds = [{opened.network.points: clouds[:1], pool.maximum: still + sign * step * way} for sign in (1, -1)]
            logits = np.concatenate([session.run(opened.network.logits, feed) for feed in feeds])
            slopes.append(-np.diff(metrics.cross_entropy(logits.astype(np.float64), LABEL))[0] / (2 * step))
        assert np.median(slopes) == pytest.approx(np.linalg.norm(gradients), rel=0.05)


def test_who_steps_in_is_the_first_that_waits(opened, clouds):
    ((maxima, layers_of),) = opened.quantities(["maxima", "pools_of"], clouds[:1], LABEL)
    for layer, (*_, nexts, members, owners) in zip(layers_of(0, clouds[:1]), maxima):
        if len(layer) == 2:
            continue
        features, _, all_members, all_owners, (size,) = layer
        np.testing.assert_array_equal(members, all_members[:, :, :size])
        np.testing.assert_array_equal(owners, all_owners)
        # A ball of fewer points is filled up with its first.
        waits = (all_members[:, :, size:] != all_members[:, :, :1])[..., np.newaxis]
        wanted = (features[:, :, size:] * waits)[:, :, :1].sum(axis=2)
        np.testing.assert_allclose(nexts, wanted, rtol=1e-4, atol=1e-5)
        assert opened.network.model_name != "dgcnn" or (size == 20 and wanted.any())


def test_the_path_begins_with_the_point_of_greatest_runner_up_heat(opened, clouds):
    first = METHODS["runner-up"].heat(opened, clouds, LABEL)
    path = METHODS["runner-up-path"].heat(opened, clouds, LABEL)
    assert path.argmax(axis=1).tolist() == first.argmax(axis=1).tolist()
    assert np.sort(path, axis=1).tolist() == [list(range(1, NUM_POINTS + 1))] * 3


@pytest.mark.parametrize("method", [name for name in METHODS if name != "random"])
def test_beyond_the_numbers_there_are_there_is_no_heat(method, opened, clouds):
    # Squares of such coordinates, and sums of them, are beyond float32.
    far = clouds[:1] * np.float32(3e38)
    with pytest.raises(InputError, match="no answer to `points`"):
        METHODS[method].heat(opened, far, LABEL, [np.random.RandomState(0)])
