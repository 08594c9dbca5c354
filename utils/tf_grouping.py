"""Which points of clouds go together: farthest points and balls, in TensorFlow 1.x graph mode.

Plain operations only, none that is compiled for it. Indices carry no gradients. Distances are squared sums of float32
differences, (dx^2 + dy^2) + dz^2, so that a point is at the distance 0 from itself.
"""

import tensorflow.compat.v1 as tf

from utils import tf_util


def farthest_points(points, count):
    """Points that lie far apart: from point 0 on, again and again the one farthest from all those before it.

    Args:
      points: float32 Tensor [B, N, 3].
      count: how many, at most N; an int or a scalar Tensor.

    Returns:
      int32 Tensor [B, count]. Of points at equal distances the first comes; where a cloud has fewer places than `count`,
      its first point comes again.
    """
    num_clouds, num_points = tf_util.shape_of(points)[:2]
    axes = tf.unstack(tf.transpose(tf.stop_gradient(points), [2, 0, 1]))
    rows = tf.reshape(tf.stop_gradient(points), [-1, 3])
    first = tf.range(num_clouds) * num_points

    def one_more(number, found, newest, distances):
        found = found.write(number, newest)
        centres = tf.unstack(tf.gather(rows, first + newest), axis=1)
        to_newest = tf.add_n(
            [tf.math.squared_difference(axis, centre[:, tf.newaxis]) for axis, centre in zip(axes, centres)]
        )
        distances = tf.minimum(distances, to_newest)
        return number + 1, found, tf.argmax(distances, axis=1, output_type=tf.int32), distances

    state = (0, tf.TensorArray(tf.int32, count), tf.zeros([num_clouds], tf.int32), tf.fill(tf.shape(axes[0]), 1e30))
    _, found, _, _ = tf.while_loop(lambda number, *_: number < count, one_more, state, back_prop=False)
    return tf.transpose(found.stack())


def ball_query(points, centres, radius, count):
    """The first points around each centre.

    Args:
      points: float32 Tensor [B, N, 3].
      centres: float32 Tensor [B, M, 3], each of them one of the points of its cloud.
      radius: of the balls, a float.
      count: how many points each ball takes.

    Returns:
      int32 Tensor [B, M, count], in each ball the first `count` indices whose squared distance is less than the square
      of the radius, both float32, in their order. A ball of fewer is filled up with its first one.
    """
    num_clouds, num_points = tf_util.shape_of(points)[:2]
    num_centres = tf_util.shape_of(centres)[1]
    points, centres = tf.stop_gradient(points), tf.stop_gradient(centres)
    distances = tf.add_n(
        [
            tf.math.squared_difference(centres[:, :, axis, tf.newaxis], points[:, tf.newaxis, :, axis])
            for axis in range(3)
        ]
    )
    is_near = distances < tf.square(tf.constant(radius, tf.float32))
    sizes = tf.reshape(tf.reduce_sum(tf.cast(is_near, tf.int32), axis=2), [-1, 1])
    near = tf.cast(tf.where(tf.reshape(is_near, [-1]))[:, 0], tf.int32) % num_points
    ranks = tf.range(count)[tf.newaxis]
    places = tf.cumsum(sizes, exclusive=True) + tf.where(
        ranks < sizes,
        tf.broadcast_to(ranks, [num_clouds * num_centres, count]),
        tf.zeros([num_clouds * num_centres, count], tf.int32),
    )
    return tf.reshape(tf.gather(near, places), [num_clouds, num_centres, count])


def gather_points(values, indices):
    """Values of some points of each cloud.

    Args:
      values: Tensor [B, N, C].
      indices: int32 Tensor [B, ...].

    Returns:
      Tensor [B, ..., C].
    """
    num_clouds, num_points, width = tf_util.shape_of(values)
    first = tf.reshape(tf.range(num_clouds) * num_points, [-1] + [1] * (len(indices.shape) - 1))
    return tf.gather(tf.reshape(values, [-1, width]), indices + first)
