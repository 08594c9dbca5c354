"""The points of balls as rows, each once: what layers that they share, and the maximum over each ball, cost least."""

from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from models import sparse
from utils import tf_util


class Rows(NamedTuple):
    """Which point of which ball each of T rows is. A point that fills a ball up has one row there all the same.

    Rows that are there to make their number a multiple of a vector's, in evaluation, are of a ball behind the last.

    Attributes:
      members: int32 Tensor [B, M, S], of `grouping.ball_query`.
      num_points: of each cloud, N; an int or a scalar Tensor.
      points: int32 Tensor [T], of the B N points of all clouds.
      balls: int32 Tensor [T], of the B M balls, in ascending order.
      times: float32 Tensor [T, 1], how often the point is in the ball.
      firsts: int32 Tensor [B M], the first row of each ball.
      of_members: int32 Tensor [B, M, S], the row of each.
    """

    members: Any
    num_points: Any
    points: Any
    balls: Any
    times: Any
    firsts: Any
    of_members: Any


def rows_of(members, num_points, is_training):
    """The Rows of balls [B, M, S] of clouds of so many points."""
    num_clouds, num_centres, size = tf_util.shape_of(members)
    is_new = tf.not_equal(members[:, :, 1:], members[:, :, :1])
    is_new = tf.concat([tf.fill([num_clouds, num_centres, 1], True), is_new], axis=2)
    places = tf.cast(tf.where(tf.reshape(is_new, [-1]))[:, 0], tf.int32)
    balls = places // size
    more = tf.reshape(size - tf.reduce_sum(tf.cast(is_new, tf.int32), axis=2), [-1])
    times = 1 + tf.where(tf.equal(places % size, 0), tf.gather(more, balls), tf.zeros_like(balls))
    points = members + (tf.range(num_clouds) * num_points)[:, tf.newaxis, tf.newaxis]
    points = tf.gather(tf.reshape(points, [-1]), places)
    if not is_training:
        missing = -tf.shape(places)[0] % tf_util.VECTOR
        points = tf.concat([points, tf.zeros([missing], tf.int32)], axis=0)
        balls = tf.concat([balls, tf.fill([missing], num_clouds * num_centres)], axis=0)
    numbers = tf.reshape(tf.cumsum(tf.cast(tf.reshape(is_new, [-1]), tf.int32)) - 1, tf.shape(members))
    firsts = tf.reshape(numbers[:, :, 0], [-1])
    of_members = tf.where(is_new, numbers, tf.broadcast_to(numbers[:, :, :1], tf.shape(members)))
    return Rows(members, num_points, points, balls, tf.cast(times, tf.float32)[:, tf.newaxis], firsts, of_members)


def differences(of_points, of_centres, rows):
    """Values of the point of each row minus those of the centre of its ball.

    Args:
      of_points, of_centres: float32 Tensors [B N, C] and [B M, C].
      rows: Rows.

    Returns:
      float32 Tensor [T, C].
    """

    @tf.custom_gradient
    def difference(of_points, of_centres):
        def gradient(values):
            of_balls = _of_balls(tf.math.segment_sum, values, rows)
            return sparse.sums_by_place(values, rows.points, tf.shape(of_points)[0]), -of_balls

        balls = tf.minimum(rows.balls, tf.shape(of_centres)[0] - 1)
        return tf.gather(of_points, rows.points) - tf.gather(of_centres, balls), gradient

    return difference(of_points, of_centres)


def mean_and_covariance(values, rows):
    """Mean [C] and covariance [C, C] of values [T, C] of Rows, each counted as often as it is in its ball.

    These values are ReLUs after batch norm, with means of the size of their deviations at most: the covariance can be
    found as the mean product minus the product of the means.
    """
    count = tf.cast(tf.size(rows.members), tf.float32)

    @tf.custom_gradient
    def mean_and_products(values):
        def gradient(mean_gradient, products_gradient):
            matrix = (products_gradient + tf.transpose(products_gradient)) / count
            return tf.nn.bias_add(tf.matmul(values, matrix), mean_gradient / count) * rows.times

        mean = tf.squeeze(tf.matmul(rows.times, values, transpose_a=True), 0) / count
        # Only the first point of a ball is there more than once.
        firsts = tf.gather(values, rows.firsts)
        more = firsts * (tf.gather(rows.times, rows.firsts) - 1)
        products = tf.matmul(values, values, transpose_a=True) + tf.matmul(firsts, more, transpose_a=True)
        return (mean, products / count), gradient

    mean, products = mean_and_products(values)
    return mean, products - mean[:, tf.newaxis] * mean


def shared_dense(values, rows, num_outputs, scope, is_training, bn_decay=None):
    """A dense layer of values [T, C] of Rows, batch norm, ReLU; the arguments else as in `tf_util.shared_dense`."""
    weights, biases = _folded(values, rows, num_outputs, scope, is_training, bn_decay)
    return tf.nn.relu(tf.nn.bias_add(tf.matmul(values, weights), biases))


def shared_dense_max(values, rows, num_outputs, scope, is_training, bn_decay=None):
    """The same and the maximum over each ball.

    Gradients go to who holds a maximum alone; points that share one share its gradient equally.

    Returns:
      The maximum, float32 Tensor [B, M, K], the second largest value, float32, and the point that holds the maximum,
      any of several, int32. A point that fills a ball up is one point, so that the second largest value is that of
      another. What is not asked for is not computed.
    """
    weights, biases = _folded(values, rows, num_outputs, scope, is_training, bn_decay)
    maximum, product = _max_of_product(values, weights, rows)
    still, product = tf.stop_gradient(maximum), tf.stop_gradient(product)
    is_maximum = tf.equal(product, tf.gather(_with_nobody(still), rows.balls))
    counts = _of_balls(tf.math.segment_sum, tf.cast(is_maximum, tf.int32), rows)
    others = tf.where(is_maximum, tf.fill(tf.shape(product), product.dtype.min), product)
    # A maximum that several points share is second to itself.
    seconds = tf.where(counts > 1, still, _of_balls(tf.math.segment_max, others, rows))
    numbers = tf.cast(is_maximum, tf.int32) * (1 + rows.points[:, tf.newaxis]) - 1
    num_clouds, num_centres = tf_util.shape_of(rows.members)[:2]
    shape = [num_clouds, num_centres, num_outputs]
    holders = tf.reshape(_of_balls(tf.math.segment_max, numbers, rows), shape)
    holders -= (tf.range(num_clouds) * rows.num_points)[:, tf.newaxis, tf.newaxis]
    maximum, seconds = tf.reshape(maximum, shape), tf.reshape(seconds, shape)
    return tf.nn.relu(maximum + biases), tf.nn.relu(seconds + biases), holders


def by_ball(values, rows):
    """Values [T, C] of Rows as those of the members of each ball, [B, M, S, C]."""
    return tf.reshape(tf.gather(values, rows.of_members), tf_util.shape_of(rows.members) + [values.shape.as_list()[1]])


def _folded(values, rows, num_outputs, scope, is_training, bn_decay):
    kernel_shape = [1, 1, values.shape.as_list()[1], num_outputs]
    return tf_util.folded_weights(kernel_shape, lambda: mean_and_covariance(values, rows), scope, is_training, bn_decay)


def _max_of_product(values, weights, rows):
    """The maximum [B M, K] over each ball of values [T, C] . weights [C, K], and that product [T, K]."""

    @tf.custom_gradient
    def max_of_product(values, weights):
        product = tf.matmul(values, weights)
        maximum = _of_balls(tf.math.segment_max, product, rows)

        def gradient(maximum_gradient, _):
            num_balls, num_outputs = tf.shape(maximum)[0], weights.shape.as_list()[1]
            # A maximum without a gradient, as of a ReLU that is 0, is not even looked for.
            nothing = tf.fill(tf.shape(maximum), float("nan"))
            wanted = tf.where(tf.equal(maximum_gradient, 0), nothing, maximum)
            held = tf.where(tf.equal(product, tf.gather(_with_nobody(wanted), rows.balls)))
            row, channel = tf.unstack(tf.cast(held, tf.int32), axis=1)
            cell = tf.gather(rows.balls, row) * num_outputs + channel
            counts = tf.math.unsorted_segment_sum(tf.ones_like(cell, tf.float32), cell, num_balls * num_outputs)
            shares = tf.reshape(maximum_gradient, [-1]) / counts
            shape = [tf.shape(values)[0], num_outputs]
            values_gradient, weights_gradient = sparse.products(
                held, tf.gather(shares, cell), shape, tf.transpose(weights), values
            )
            return values_gradient, tf.transpose(weights_gradient)

        return (maximum, product), gradient

    return max_of_product(values, weights)


def _of_balls(function, values, rows):
    """A tf.math.segment_ function of values [T, K] of Rows: [B M, K]."""
    found = function(values, rows.balls)
    return tf_util.first(found, tf.shape(rows.members)[0] * tf.shape(rows.members)[1])


def _with_nobody(values):
    """Values [B M, K] of balls, and of the one behind the last, which equals nothing."""
    return tf.concat([values, tf.fill([1, values.shape.as_list()[1]], float("nan"))], axis=0)
