"""The set abstraction of PointNet++ (Qi et al., arXiv 1706.02413): centres, the points around each, their maximum."""

from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from models.max_pool import GroupPool
from utils import tf_grouping, tf_util


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


def set_abstraction(points, features, count, radius, ball_size, widths, scope, is_training, bn_decay=None):
    """Layers that the points around each centre share, and the maximum over these points.

    A point goes in as its coordinates from the centre and its features. The first layer is taken of all points, and
    that of the centre subtracted: [x_j - c, f_j] W = [x_j, f_j] W - c W_xyz.

    Args:
      points: float32 Tensor [B, N, 3].
      features: float32 Tensor [B, N, C]; None: there are none.
      count: how many centres; a cloud of fewer points has all of them.
      radius: of the ball around each.
      ball_size: how many points each ball takes, S; see `tf_grouping.ball_query`.
      widths: of the layers conv0, conv1 and so on.
      scope: name of all of them.
      is_training: Python bool; batch statistics if true, over all S points of all balls, else moving averages.
      bn_decay: scalar Tensor, decay of the moving averages; needed in training only.

    Returns:
      An Abstraction.
    """
    num_points = tf_util.shape_of(points)[1]
    indices = tf_grouping.farthest_points(points, tf.minimum(count, num_points))
    centres = tf_grouping.gather_points(points, indices)
    members = tf_grouping.ball_query(points, centres, radius, ball_size)
    with tf.variable_scope(scope):
        net = _first_layer(points, features, centres, members, widths[0], "conv0", is_training, bn_decay)
        for number, width in enumerate(widths[1:-1], 1):
            rows, weights, biases = tf_util.folded(net, width, "conv{}".format(number), is_training, bn_decay)
            net = tf.nn.relu(tf.nn.bias_add(tf_util.row_products(rows, weights), biases))[tf.newaxis]
        last = "conv{}".format(len(widths) - 1)
        rows, weights, biases = tf_util.folded(net, widths[-1], last, is_training, bn_decay)
    product = tf.reshape(tf_util.row_products(rows, weights), tf_util.shape_of(members) + [widths[-1]])
    maximum = tf.reduce_max(product, axis=2)
    with tf.name_scope("pool"):
        still = tf.stop_gradient(product)
        holders, seconds = _holders_and_seconds(still, members)
    activated = [tf.nn.relu(values + biases) for values in (maximum, still, seconds)]
    # Without its centre there is a ball around another point close by.
    stay = -tf.ones_like(indices)
    pool = GroupPool(activated[0], tf.stop_gradient(activated[1]), activated[2], holders, members, stay)
    return Abstraction(centres, indices, pool)


def _first_layer(points, features, centres, members, width, scope, is_training, bn_decay):
    """The layer conv0 of the points of all balls, float32 Tensor [1, B M S, width]."""
    inputs = points if features is None else tf.concat([points, features], axis=2)

    def moments():
        return _moments(points, features, centres, members)

    kernel_shape = [1, 1, inputs.shape.as_list()[2], width]
    weights, biases = tf_util.folded_weights(kernel_shape, moments, scope, is_training, bn_decay)
    of_points, of_centres = (
        tf.reshape(
            tf_util.row_products(tf.reshape(values, [-1, len_]), of_values), tf_util.shape_of(values)[:2] + [width]
        )
        for values, len_, of_values in ((inputs, kernel_shape[2], weights), (centres, 3, weights[:3]))
    )
    net = tf_grouping.gather_points(of_points, members) - (of_centres - biases)[:, :, tf.newaxis]
    return tf.reshape(tf.nn.relu(net), [1, -1, width])


def _moments(points, features, centres, members):
    """Mean [3 + C] and covariance [3 + C, 3 + C] of what goes into the balls, [x_j - c, f_j], over all their points.

    Points are in many balls, so that only their coordinates are looked at ball by ball.
    """
    num_clouds, num_points = tf_util.shape_of(points)[:2]
    places = tf.reshape(members + (tf.range(num_clouds) * num_points)[:, tf.newaxis, tf.newaxis], [-1])
    offsets = tf.reshape(tf_grouping.gather_points(points, members) - centres[:, :, tf.newaxis], [-1, 3])
    count = tf.cast(tf.shape(offsets)[0], tf.float32)
    mean = tf.reduce_mean(offsets, axis=0)
    offsets -= mean
    covariance = tf.matmul(offsets, offsets, transpose_a=True) / count
    if features is None:
        return mean, covariance
    num_rows = num_clouds * num_points
    features = tf.reshape(features, [num_rows, features.shape.as_list()[2]])
    times = tf.math.unsorted_segment_sum(tf.ones_like(offsets[:, :1]), places, num_rows)
    features_mean = tf.reduce_sum(features * times, axis=0) / count
    features -= features_mean
    offsets = tf.math.unsorted_segment_sum(offsets, places, num_rows)
    across = tf.matmul(offsets, features, transpose_a=True) / count
    of_features = tf.matmul(features * times, features, transpose_a=True) / count
    top, bottom = tf.concat([covariance, across], axis=1), tf.concat([tf.transpose(across), of_features], axis=1)
    return tf.concat([mean, features_mean], axis=0), tf.concat([top, bottom], axis=0)


def _holders_and_seconds(product, members):
    """Who holds each maximum, and the second largest value, that without the holder.

    Args:
      product: float32 Tensor [B, M, S, K].
      members: int32 Tensor [B, M, S], which points these are; each may be there several times.

    Returns:
      int32 and float32 Tensors [B, M, K].
    """
    place = tf.argmax(product, axis=2, output_type=tf.int32)
    num_clouds, num_centres, size = tf_util.shape_of(members)
    first = tf.reshape(tf.range(num_clouds * num_centres) * size, [num_clouds, num_centres, 1])
    holders = tf.gather(tf.reshape(members, [-1]), place + first)
    is_holder = tf.equal(members[:, :, :, tf.newaxis], holders[:, :, tf.newaxis])
    others = tf.where(is_holder, tf.fill(tf.shape(product), product.dtype.min), product)
    return holders, tf.reduce_max(others, axis=2)
