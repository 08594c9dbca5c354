"""PointNet++ for classification, with single-scale grouping (Qi et al., arXiv 1706.02413)."""

import tensorflow.compat.v1 as tf

from models import at_density, grouping, max_pool
from models.set_abstraction import again, set_abstraction
from utils import tf_util

LAYERS_FROM_TOP = ("fc3", "fc2", "fc1", "layer3", "layer2", "layer1")
IGNORES_REPEATED_POINTS = False
POINTWISE_POOL = None
POINTS_PER_CALL = 8 * 1024


def get_model(points, num_classes, is_training, bn_decay=None, density=1.0):
    """Point clouds -> logits.

    Args:
      points: float32 Tensor [B, N, 3]; N may be unknown. Where there are fewer points than a level has centres, each of
        them is one.
      num_classes: width of the last layer, C.
      is_training: Python bool; batch statistics and dropout if true, else moving averages.
      bn_decay: scalar Tensor, decay of the moving averages; needed in training only.
      density: share of its points that a cloud has in training; levels have that share of their centres, and balls of
        their points.

    Returns:
      logits: float32 Tensor [B, C].
      end_points: dictionary of Tensors, see `models`:
        "features": [B, M, 1024], the feature map before the last max-pool, of the M = min(N, 128) centres of the second
        level;
        "feature_points": [B, M, 3], where these lie;
        "global_feature": [B, 1024], its maximum over the centres;
        "pools": of the balls of the first level, [B, min(N, 512), 128], of those of the second, [B, M, 256], and of all
        centres, [B, 1024]; those who hold a maximum are points of the cloud: a centre is one.
    """
    counts, sizes = ([at_density(number, density) for number in of_levels] for of_levels in ((512, 128), (32, 64)))
    first = set_abstraction(points, None, counts[0], 0.2, sizes[0], (64, 64, 128), "layer1", is_training, bn_decay)
    second = set_abstraction(
        first.centres,
        first.pool.maximum,
        counts[1],
        0.4,
        sizes[1],
        (128, 128, 256),
        "layer2",
        is_training,
        bn_decay,
        again(first.indices),
    )
    with tf.variable_scope("layer3"):
        net = tf.concat([second.centres, second.pool.maximum], axis=2)
        net = tf_util.shared_dense(net, 256, "conv0", is_training, bn_decay)
        net = tf_util.shared_dense(net, 512, "conv1", is_training, bn_decay)
        pool = max_pool.shared_dense_max(net, 1024, "conv2", is_training, bn_decay)

    def features_of():
        with tf.variable_scope("layer3", reuse=True):
            return tf.stop_gradient(tf_util.shared_dense(net, 1024, "conv2", is_training=False))

    logits = _dense_layers(pool.maximum, num_classes, is_training, bn_decay)
    second_indices = _of(first.indices, second.indices)
    return logits, {
        "features": pool.features,
        "feature_points": second.centres,
        "global_feature": pool.maximum,
        "pools": {
            "layer1/conv2": first.pool,
            "layer2/conv2": second.pool._replace(
                holders=_of(first.indices, second.pool.holders), members=_of(first.indices, second.pool.members)
            ),
            "layer3/conv2": _pool_of_centres(pool, features_of, second_indices),
        },
    }


def _dense_layers(net, num_classes, is_training, bn_decay):
    """The layers fc1 to fc3: float32 Tensor [B, 1024] -> logits [B, num_classes]."""
    net = tf_util.dense(net, 512, "fc1", is_training, bn_decay)
    net = tf_util.dropout(net, 0.5, is_training)
    net = tf_util.dense(net, 256, "fc2", is_training, bn_decay)
    net = tf_util.dropout(net, 0.5, is_training)
    return tf_util.linear(net, num_classes, "fc3", is_training)


def _pool_of_centres(pool, features_of, indices):
    """A max_pool.Pool over centres, the points int32 [B, M] of the cloud, as a GroupPool of one group that stays.

    `features_of` computes the pool's features anew, so that they are computed where they are needed alone.
    """
    members, holders = indices[:, tf.newaxis], _of(indices, pool.holders)

    def of_others():
        features = features_of()
        are_own = tf.equal(indices[:, :, tf.newaxis], holders[:, tf.newaxis])
        seconds = tf.reduce_max(tf.where(are_own, tf.zeros_like(features), features), axis=1)
        return tf.minimum(seconds, pool.maximum)

    # A point that is a centre more than once is not its own second.
    seconds = tf.cond(tf.reduce_any(again(indices)), of_others, lambda: pool.seconds)
    return max_pool.GroupPool(
        pool.maximum,
        seconds,
        holders,
        tf.zeros_like(pool.maximum),
        pool.features[:, tf.newaxis],
        members,
        -tf.ones_like(members[:, :, 0]),
        tf.shape(members)[2],
    )


def _of(indices, places):
    """indices [B, M], at places [B, ...] among the M; where a maximum is no number, its place is none, below 0."""
    places = tf.maximum(places, 0)
    return tf.squeeze(grouping.gather_points(indices[:, :, tf.newaxis], places), axis=-1)


def get_loss(logits, labels, end_points, label_smoothing=0.0):
    """Cross-entropy.

    Args:
      logits: float32 Tensor [B, C].
      labels: int32 Tensor [B].
      end_points: what `get_model` returned; not used, as this network has nothing to regularise.
      label_smoothing: as for `tf_util.cross_entropy`.

    Returns:
      The same scalar Tensor twice, as `pointnet_cls.get_loss` returns the loss and the cross-entropy in it.
    """
    cross_entropy = tf_util.cross_entropy(logits, labels, label_smoothing)
    return cross_entropy, cross_entropy
