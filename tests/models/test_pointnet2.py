"""PointNet++ against NumPy that groups and multiplies as the paper says, and upstream's names."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from models import pointnet2_cls_ssg
from utils.demo import shapes
from utils.network import checkpoint, classifier

NUM_CLASSES = 6
LEVELS = ((512, 0.2, 32), (128, 0.4, 64))
LAYERS = {
    "layer1": (3, 64, 64, 128),
    "layer2": (131, 128, 128, 256),
    "layer3": (259, 256, 512, 1024),
    "fc": (1024, 512, 256, NUM_CLASSES),
}


def _upstreams_variables(rng):
    """{name: array} of a trained network as upstream's code saves it."""
    found = {}
    for layer, widths in LAYERS.items():
        for number, (width_in, width_out) in enumerate(zip(widths, widths[1:])):
            scope = "fc{}".format(number + 1) if layer == "fc" else "{}/conv{}".format(layer, number)
            shape = [width_in, width_out] if layer == "fc" else [1, 1, width_in, width_out]
            found[scope + "/weights"] = rng.standard_normal(shape) * np.sqrt(2 / width_in)
            found[scope + "/biases"] = rng.standard_normal(width_out) / 10
            if scope != "fc3":
                found[scope + "/bn/beta"] = rng.standard_normal(width_out) / 5
                found[scope + "/bn/gamma"] = rng.uniform(-0.5, 1.5, width_out)
                found[scope + "/bn/moving_mean"] = rng.standard_normal(width_out) / 5
                found[scope + "/bn/moving_variance"] = rng.uniform(0.5, 1.5, width_out)
    return {name: value.astype(np.float32) for name, value in found.items()}


def _layer(values, variables, scope):
    values = values @ variables[scope + "/weights"].reshape(values.shape[-1], -1) + variables[scope + "/biases"]
    if scope == "fc3":
        return values
    beta, gamma, mean, variance = (
        variables["{}/bn/{}".format(scope, name)] for name in ("beta", "gamma", "moving_mean", "moving_variance")
    )
    return np.maximum((values - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0)


def _logits(cloud, variables, groups=None, levels=LEVELS):
    """Logits of a cloud [N, 3], and its groups: of each level the centres and the members of their balls.

    Given the groups of a cloud nearby, it keeps them, as gradients do.
    """
    points, features, found = cloud.astype(np.float64), None, []
    for level, (count, radius, size) in enumerate(levels):
        if groups is None:
            distances = ((points[:, np.newaxis] - points) ** 2).sum(axis=2)
            centres = [0]
            while len(centres) < min(count, len(points)):
                centres.append(distances[centres].min(axis=0).argmax())
            balls = [np.flatnonzero(distances[centre] < radius**2)[:size] for centre in centres]
        else:
            centres, balls = groups[level]
        found.append((centres, balls))
        maxima = []
        for centre, ball in zip(centres, balls):
            values = points[ball] - points[centre]
            if features is not None:
                values = np.concatenate([values, features[ball]], axis=1)
            for number in range(3):
                values = _layer(values, variables, "layer{}/conv{}".format(level + 1, number))
            maxima.append(values.max(axis=0))
        points, features = points[centres], np.array(maxima)
    values = np.concatenate([points, features], axis=1)
    for number in range(3):
        values = _layer(values, variables, "layer3/conv{}".format(number))
    values = values.max(axis=0, keepdims=True)
    for number in range(3):
        values = _layer(values, variables, "fc{}".format(number + 1))
    return values[0], found


@pytest.fixture(scope="module")
def variables():
    return _upstreams_variables(np.random.RandomState(2))


@pytest.fixture(scope="module")
def opened(variables, tmp_path_factory):
    """A Classifier of a checkpoint that upstream's variables are in."""
    prefix = str(tmp_path_factory.mktemp("upstream") / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in variables.items():
            tf.get_variable(name, initializer=value)
        # Upstream counts batches in a variable without a layer.
        tf.get_variable("batch", initializer=7)
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, prefix)
    with checkpoint.restore(prefix, gpu=-1) as network:
        assert network.model_name == "pointnet2_cls_ssg"
        yield classifier.Classifier(network)


def _shape(num_points, rng, name="chair"):
    return shapes.sample_shape(name, num_points, rng)


@pytest.mark.parametrize("num_points", (1, 90, 700))
def test_upstreams_checkpoint_classifies_as_the_paper_says(num_points, opened, variables, rng):
    clouds = np.stack([_shape(max(num_points, 2), rng, name)[:num_points] for name in ("chair", "lamp")])
    wanted = np.array([_logits(cloud, variables)[0] for cloud in clouds])
    np.testing.assert_allclose(opened.logits(clouds), wanted, rtol=0, atol=2e-4 * abs(wanted).max())


@pytest.mark.takes_turns
def test_at_half_the_density_levels_have_half_the_centres_and_balls_half_the_points(opened, variables, rng):
    cloud = _shape(400, rng)
    with tf.Graph().as_default(), checkpoint.open_session(-1) as session:
        points = tf.constant(cloud[np.newaxis])
        logits, _ = pointnet2_cls_ssg.get_model(points, NUM_CLASSES, is_training=False, density=0.5)
        checkpoint.load(session, opened.network.prefix, tf.global_variables(), "pointnet2_cls_ssg")
        found = session.run(logits)
    wanted, _ = _logits(cloud, variables, levels=((256, 0.2, 16), (64, 0.4, 32)))
    np.testing.assert_allclose(found[0], wanted, rtol=0, atol=2e-4 * abs(wanted).max())


def test_each_level_lies_at_farthest_points(opened, variables, rng):
    cloud = _shape(600, rng)
    end_points = opened.network.end_points
    found = opened.network.session.run(
        [end_points["feature_points"], end_points["pools"]], {opened.network.points: cloud[np.newaxis]}
    )
    (first, balls), (second, _) = _logits(cloud, variables)[1]
    np.testing.assert_array_equal(found[0][0], cloud[first][second])
    pools = found[1]
    assert list(pools) == ["layer1/conv2", "layer2/conv2", "layer3/conv2"]
    assert pools["layer1/conv2"].maximum.shape == (1, 512, 128)
    assert [set(members) for members in pools["layer1/conv2"].members[0, :, :32]] == [set(ball) for ball in balls]
    np.testing.assert_array_equal(pools["layer3/conv2"].members[0, 0], np.array(first)[second])
    assert np.isin(pools["layer2/conv2"].holders, first).all()
    assert np.isin(pools["layer3/conv2"].holders, np.array(first)[second]).all()


def test_gradients_by_the_points_are_slopes(opened, variables, rng):
    cloud = _shape(60, rng).astype(np.float64)
    ((gradients,),) = opened.quantities(["logit_gradients"], cloud[np.newaxis].astype(np.float32), 4)
    groups = _logits(cloud, variables)[1]
    for _ in range(5):
        way = rng.standard_normal(cloud.shape)
        # Steps so short that none switches a ReLU.
        ends = [_logits(cloud + sign * 1e-8 * way, variables, groups)[0][4] for sign in (1, -1)]
        assert (gradients[0] * way).sum() == pytest.approx((ends[0] - ends[1]) / 2e-8, rel=1e-4)


def test_a_cloud_has_the_same_bits_whatever_clouds_go_with_it(opened, rng):
    clouds = np.stack([_shape(75, rng, name) for name in ("chair", "lamp", "airplane", "table", "vase")])

    def found(some):
        return [opened.logits(some)] + next(iter(opened.quantities(["loss_gradients", "features"], some, 1)))

    together = found(clouds)
    for part in (slice(0, 1), slice(3, 4), slice(1, 4)):
        for one, whole in zip(found(clouds[part]), together):
            np.testing.assert_array_equal(one, whole[part])


@pytest.mark.takes_turns
def test_a_training_of_a_few_steps_tells_shapes_apart(rng):
    names = ("chair", "lamp", "airplane")
    clouds = np.stack([_shape(40, rng, names[number % 3]) for number in range(9)])
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        points, labels = tf.placeholder(tf.float32, [None, None, 3]), tf.placeholder(tf.int32, [None])
        logits, end_points = pointnet2_cls_ssg.get_model(points, 3, True, tf.constant(0.5))
        loss, _ = pointnet2_cls_ssg.get_loss(logits, labels, end_points)
        step = tf.train.AdamOptimizer(0.003).minimize(loss)
        session.run(tf.global_variables_initializer())
        feed = {points: clouds, labels: np.arange(9) % 3}
        losses = [session.run([loss, step], feed)[0] for _ in range(10)]
    assert np.isfinite(losses).all() and np.mean(losses[-3:]) < 0.4 * losses[0]


def test_no_point_is_its_own_second_where_centres_repeat(opened, rng):
    """Of 30 places 29 hold two points each: centres beyond 30 are point 0 again, and so are members of balls."""
    cloud = _shape(30, rng)
    cloud = np.concatenate([cloud, cloud[1:]])
    pools = opened.network.session.run(opened.network.end_points["pools"], {opened.network.points: cloud[np.newaxis]})
    for name, pool in pools.items():
        seconds, maximum = (values.reshape(-1, values.shape[-1]) for values in (pool.seconds, pool.maximum))
        features, members, holders = pool.features[0], pool.members[0], pool.holders.reshape(seconds.shape)
        is_single = 0
        for row, column in zip(*maximum.nonzero()):
            of_ball, who = features[row, : pool.size, column], members[row, : pool.size]
            others = of_ball[who != holders[row, column]]
            assert abs(seconds[row, column] - others.max(initial=0)) <= 1e-6 * abs(features).max(), name
            is_single += holders[row, column] == 0
        assert is_single or name != "layer3/conv2"
