"""Which points of clouds go together: farthest points, balls, neighbours. In TensorFlow 1.x graph mode.

Plain operations only, none that is compiled for it. Indices carry no gradients. Distances of farthest points and balls
are squared sums of float32 differences, (dx^2 + dy^2) + dz^2, so that a point is at the distance 0 from itself.
"""

import tensorflow.compat.v1 as tf

from models import loops
from utils import tf_util

# So many squared distances at a time stay in the processor's cache.
DISTANCES_PER_CHUNK = 1024 * 1024


def farthest_points(points, count):
    """Points that lie far apart: from point 0 on, again and again the one farthest from all those before it.

    Args:
      points: float32 Tensor [B, N, 3].
      count: how many, at most N; an int or a scalar Tensor.

    Returns:
      int32 Tensor [B, count]. Of points at equal distances the first comes; where a cloud has fewer different points
      than `count`, its first one comes again.
    """
    num_clouds, num_points = tf_util.shape_of(points)[:2]
    axes = tf.unstack(tf.transpose(tf.stop_gradient(points), [2, 0, 1]))
    rows = tf.reshape(tf.stop_gradient(points), [-1, 3])
    first = tf.range(num_clouds) * num_points

    def one_more(_, newest, distances):
        centres = tf.split(tf.gather(rows, first + newest), 3, axis=1)
        to_newest = tf.add_n([tf.math.squared_difference(*pair) for pair in zip(axes, centres)])
        distances = tf.minimum(distances, to_newest)
        return [newest], (tf.argmax(distances, axis=1, output_type=tf.int32), distances)

    state = (tf.zeros([num_clouds], tf.int32), tf.fill(tf.shape(axes[0]), 1e30))
    (found,) = loops.loop(count, one_more, [tf.int32], state)
    return tf.transpose(tf.reshape(found.stack(), [count, num_clouds]))


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
    axes = tf.split(tf.transpose(tf.stop_gradient(points), [2, 0, 1]), 3)
    limit = tf.square(tf.constant(radius, tf.float32))
    ranks = tf.range(count)[tf.newaxis]

    def search_around(some):
        from_axes = tf.split(some, 3, axis=2)
        distances = tf.add_n([tf.math.squared_difference(*pair) for pair in zip(from_axes, axes)])
        near = tf.reshape(tf.where(tf.reshape(distances < limit, [-1])), [-1])
        num_balls = tf.shape(some)[0] * num_clouds
        ends = tf.cast(tf.range(num_balls + 1) * num_points, near.dtype)
        starts = tf.searchsorted(near, ends)[:, tf.newaxis]
        sizes = starts[1:] - starts[:-1]
        # Behind its last point a ball begins again, with its first one alone.
        ranks_there = tf.broadcast_to(ranks, [num_balls, count])
        places = starts[:-1] + tf.where(ranks < sizes, ranks_there, tf.zeros_like(ranks_there))
        return (tf.reshape(tf.cast(tf.gather(near, places), tf.int32) % num_points, [-1, num_clouds, count]),)

    centres = tf.transpose(tf.stop_gradient(centres), [1, 0, 2])
    centres_each = tf.maximum(1, DISTANCES_PER_CHUNK // tf.maximum(1, num_clouds * num_points))
    (members,) = loops.in_chunks(search_around, [centres], centres_each, [tf.int32])
    return tf.reshape(tf.transpose(members, [1, 0, 2]), [num_clouds, -1, count])


def nearest_neighbours(features, k):
    """The nearest points of each point, by the distance of their features; it is among them itself.

    Args:
      features: float32 Tensor [B, N, C].
      k: how many; of a cloud of fewer points, all of them.

    Returns:
      int32 Tensor [B, N, min(k, N)], the nearest first, of equally near ones the first. No gradient passes.
    """
    num_points = tf.shape(features)[1]
    num_found = tf.minimum(k, num_points)
    clouds_each = _clouds_in_a_chunk(num_points)
    # Of one large cloud few points at a time: the distances between all would not fit the memory.
    points_each = tf_util.VECTOR * tf.maximum(1, DISTANCES_PER_CHUNK // (tf_util.VECTOR * num_points))
    # One product alone would be shared out among threads.
    least_clouds = tf.minimum(2, clouds_each)

    def search(some):
        num_clouds = tf.shape(some)[0]
        from_points, to_points = _factors(tf_util.filled_up(some, tf.maximum(0, least_clouds - num_clouds)))

        def search_around(rows):
            nearness = tf.matmul(tf.transpose(rows, [1, 0, 2]), to_points, transpose_b=True)
            nearest = tf.nn.top_k(nearness[:num_clouds, :, :num_points], num_found)[1]
            return (tf.transpose(nearest, [1, 0, 2]),)

        (nearest,) = loops.in_chunks(search_around, [tf.transpose(from_points, [1, 0, 2])], points_each, [tf.int32])
        return (tf.transpose(nearest[:num_points], [1, 0, 2]),)

    (indices,) = loops.in_chunks(search, [tf.stop_gradient(features)], clouds_each, [tf.int32])
    return tf.reshape(indices, [-1, num_points, num_found])


def _clouds_in_a_chunk(num_points):
    """How many clouds of so many points, an int32 Tensor, have their distances found at a time: at least one."""
    # Divided twice: the square of 65,536 does not fit an int32.
    return tf.maximum(1, DISTANCES_PER_CHUNK // num_points // num_points)


def _factors(features):
    """What the nearness of the points of each cloud is the product of: |x|^2 minus the squared distance of x and y.

    Args:
      features: float32 Tensor [B, N, C].

    Returns:
      float32 Tensors [B, M, C + 1], N filled up to a multiple of VECTOR, of x and of y: x . y is 2 x y - |y|^2. What is
      filled up is near nothing.
    """
    num_points = tf.shape(features)[1]
    squares = tf.reduce_sum(tf.square(features), axis=2, keepdims=True)
    missing = [[0, 0], [0, -num_points % tf_util.VECTOR], [0, 0]]
    from_points = tf.pad(tf.concat([2 * features, tf.ones_like(squares)], axis=2), missing)
    squares = tf.pad(-squares, missing, constant_values=features.dtype.min)
    return from_points, tf.concat([tf.pad(features, missing), squares], axis=2)


def rows_of(indices, num_points):
    """Points of each cloud, as rows of all clouds' points one below another.

    Args:
      indices: int32 Tensor [B, ...], places in a cloud.
      num_points: points of a cloud.

    Returns:
      int32 Tensor [B, ...].
    """
    first = tf.range(tf.shape(indices)[0]) * num_points
    return indices + tf.reshape(first, [-1] + [1] * (len(indices.shape) - 1))


def gather_points(features, indices):
    """The features of some points of each cloud.

    Args:
      features: Tensor [B, N, C].
      indices: int32 Tensor [B, ...], points.

    Returns:
      Tensor of the shape of `indices`, and C behind it.
    """
    num_points, num_channels = tf_util.shape_of(features)[1:]
    rows = rows_of(indices, num_points)

    # The rows are given, not just known: TensorFlow asks for the gradients of all variables that they follow from.
    @tf.custom_gradient
    def taken(values, rows):
        def gradient(gradients):
            flat = tf.reshape(gradients, [-1, num_channels])
            summed = tf.math.unsorted_segment_sum(flat, tf.reshape(rows, [-1]), tf.shape(values)[0])
            return tf.reshape(summed, tf.shape(values)), None

        return tf.gather(values, rows), gradient

    return taken(tf.reshape(features, [-1, num_channels]), rows)


def in_order(indices):
    """The places of indices in the order of what they say, to sum up by `sums_in_order`.

    Args:
      indices: int32 Tensor [B, ...], points of each cloud.

    Returns:
      int32 Tensor [B, 2, M], M indices a cloud: the places, and the points there.
    """
    flat = tf.reshape(indices, [tf.shape(indices)[0], -1])
    points, places = tf.nn.top_k(-flat, tf.shape(flat)[1])
    return tf.stack([places, -points], axis=1)


def sums_in_order(values, ordered, num_points, each=1):
    """The gradient of `gather_points` of indices put in order: for each point the sum of what it was taken for.

    Args:
      values: float32 Tensor [B M / each, C], of each index or of so many that follow one another.
      ordered: int32 Tensor [B, 2, M], of `in_order`.
      num_points: points of a cloud.
      each: how many indices share a value, a scalar.

    Returns:
      float32 Tensor [B num_points, C].
    """
    num_clouds, _, num_indices = tf.unstack(tf.shape(ordered))
    places = tf.reshape(rows_of(ordered[:, 0], num_indices), [-1]) // each
    points = tf.reshape(rows_of(ordered[:, 1], num_points), [-1])
    return tf.sparse.segment_sum(values, places, points, num_segments=num_clouds * num_points)
