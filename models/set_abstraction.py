"""The set abstraction of PointNet++ (Qi et al., arXiv 1706.02413): centres, the points around each, their maximum."""

from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from models import ball_rows, grouping, sparse
from models.max_pool import WAITING, GroupPool
from utils import tf_util

# In no ball, and its square is a number.
FAR_AWAY = 1e18


class Abstraction(NamedTuple):
    """What a set abstraction finds of B clouds.

    Attributes:
      centres: float32 Tensor [B, M, 3], points that lie far apart.
      indices: int32 Tensor [B, M], which points they are.
      pool: a max_pool.GroupPool of the balls of S points around the M centres.
    """

    centres: Any
    indices: Any
    pool: GroupPool


def set_abstraction(
    points, features, count, radius, ball_size, widths, scope, is_training, bn_decay=None, are_again=None
):
    """Layers that the points around each centre share, and the maximum over these points.

    A point goes in as its coordinates from the centre and its features. The first layer is taken of all points, and
    that of the centre subtracted: [x_j - c, f_j] W = [x_j, f_j] W - c W_xyz.

    Args:
      points: float32 Tensor [B, N, 3].
      features: float32 Tensor [B, N, C]; None: there are none.
      count: how many centres; a cloud of fewer points has all of them.
      radius: of the ball around each.
      ball_size: how many points each ball takes, S; see `grouping.ball_query`.
      widths: of the layers conv0, conv1 and so on.
      scope: name of all of them.
      is_training: Python bool; batch statistics if true, over all S points of all balls, else moving averages.
      bn_decay: scalar Tensor, decay of the moving averages; needed in training only.
      are_again: bool Tensor [B, N], which points are others again, as of `again`; None: none. But in training balls
        leave them out: no maximum changes, and no second largest value is a point's own.

    Returns:
      An Abstraction.
    """
    num_points = tf_util.shape_of(points)[1]
    indices = grouping.farthest_points(points, tf.minimum(count, num_points))
    centres = grouping.gather_points(points, indices)
    reached = points
    if are_again is not None and not is_training:
        reached = tf.where(tf.tile(are_again[:, :, tf.newaxis], [1, 1, 3]), tf.fill(tf.shape(points), FAR_AWAY), points)
    members = grouping.ball_query(reached, centres, radius, ball_size)
    rows = ball_rows.rows_of(members, num_points, is_training)
    last = "conv{}".format(len(widths) - 1)
    with tf.variable_scope(scope):
        net = _layers(points, features, centres, rows, widths[:-1], is_training, bn_decay)
        maximum, seconds, holders = ball_rows.shared_dense_max(net, rows, widths[-1], last, is_training, bn_decay)

    def values_of(chosen):
        """What would be pooled of other points, int32 [B, M, m], of each ball: float32 [B, M, m, K]."""
        rows = ball_rows.rows_of(chosen, num_points, is_training=False)
        with tf.variable_scope(scope, reuse=True):
            net = _layers(points, features, centres, rows, widths[:-1], is_training=False)
            net = ball_rows.shared_dense(net, rows, widths[-1], last, is_training=False)
        return ball_rows.by_ball(tf.stop_gradient(net), rows)

    members = grouping.ball_query(reached, centres, radius, ball_size + WAITING)
    nexts = members[:, :, ball_size : ball_size + 1]
    is_waiting = tf.cast(tf.not_equal(nexts, members[:, :, :1]), tf.float32)
    # Without its centre there is a ball around another point close by.
    stay = -tf.ones_like(indices)
    nexts = is_waiting * values_of(nexts)[:, :, 0]
    pool = GroupPool(maximum, seconds, holders, nexts, values_of(members), members, stay, tf.constant(ball_size))
    return Abstraction(centres, indices, pool)


def again(indices):
    """Which centres, int32 [B, M] as of an Abstraction, are the first one again, as of few points: bool."""
    return tf.equal(indices, indices[:, :1]) & (tf.range(tf.shape(indices)[1]) > 0)


def _layers(points, features, centres, rows, widths, is_training, bn_decay=None):
    """The layers conv0 and so on of Rows, float32 Tensor [T, widths[-1]]."""
    net = _first_layer(points, features, centres, rows, widths[0], "conv0", is_training, bn_decay)
    for number, width in enumerate(widths[1:], 1):
        net = ball_rows.shared_dense(net, rows, width, "conv{}".format(number), is_training, bn_decay)
    return net


def _first_layer(points, features, centres, rows, width, scope, is_training, bn_decay):
    """The layer conv0 of Rows, float32 Tensor [T, width]."""
    inputs = points if features is None else tf.concat([points, features], axis=2)
    kernel_shape = [1, 1, inputs.shape.as_list()[2], width]
    weights, biases = tf_util.folded_weights(
        kernel_shape, lambda: _moments(points, features, centres, rows), scope, is_training, bn_decay
    )
    of_points = tf_util.row_products(tf.reshape(inputs, [-1, kernel_shape[2]]), weights)
    of_centres = tf_util.row_products(tf.reshape(centres, [-1, 3]), weights[:3]) - biases
    return tf.nn.relu(ball_rows.differences(of_points, of_centres, rows))


def _moments(points, features, centres, rows):
    """Mean [3 + C] and covariance [3 + C, 3 + C] of what goes into the balls, [x_j - c, f_j], over all their points.

    Points are in many balls, so that only their coordinates are looked at ball by ball.
    """
    points, centres = tf.reshape(points, [-1, 3]), tf.reshape(centres, [-1, 3])
    count = tf.cast(tf.size(rows.members), tf.float32)
    offsets = ball_rows.differences(points, centres, rows)
    mean = tf.matmul(rows.times, offsets, transpose_a=True) / count
    offsets -= mean
    weighted = offsets * rows.times
    covariance = tf.matmul(offsets, weighted, transpose_a=True) / count
    if features is None:
        return tf.squeeze(mean, 0), covariance
    features = tf.reshape(features, [-1, features.shape.as_list()[2]])
    num_points = tf.shape(features)[0]
    times = sparse.sums_by_place(rows.times, rows.points, num_points)
    features_mean = tf.matmul(times, features, transpose_a=True) / count
    features -= features_mean
    weighted = sparse.sums_by_place(weighted, rows.points, num_points)
    across = tf.matmul(weighted, features, transpose_a=True) / count
    of_features = tf.matmul(features, features * times, transpose_a=True) / count
    top, bottom = tf.concat([covariance, across], axis=1), tf.concat([tf.transpose(across), of_features], axis=1)
    return tf.squeeze(tf.concat([mean, features_mean], axis=1), 0), tf.concat([top, bottom], axis=0)
