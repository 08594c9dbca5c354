"""Edge convolutions (Wang et al., arXiv 1801.07829): layers on pairs of a point and one of its neighbours.

The features of an edge are [x_i, x_j - x_i], so that a layer's product with them is a sum of one of the point and one
of the neighbour: W1 x_i + W2 (x_j - x_i) = (W1 - W2) x_i + W2 x_j. Both are found once a point, not once an edge.
"""

import tensorflow.compat.v1 as tf

from models.max_pool import WAITING, GroupPool
from utils import tf_grouping, tf_util

# So many values of edges at a time stay in the processor's cache.
VALUES_PER_CHUNK = 2 * 1024 * 1024


def edge_conv_max(features, neighbours, num_outputs, scope, is_training, bn_decay=None):
    """A dense layer that all edges share, batch norm, ReLU, and the maximum over the neighbours of each point.

    max_j ReLU(W1 x_i + W2 (x_j - x_i) + b) = ReLU((W1 - W2) x_i + b + max_j W2 x_j), batch norm being part of W1, W2
    and b.

    Args:
      features: float32 Tensor [B, N, C].
      neighbours: int32 Tensor [B, N, k], of each point.
      num_outputs: width of the layer, K.
      scope, is_training, bn_decay: as in `tf_util.shared_dense`.

    Returns:
      A GroupPool of the neighbours of each of the N points.
    """
    own, others = edge_products(features, neighbours, num_outputs, scope, is_training, bn_decay)
    maximum = max_over_neighbours(others, neighbours)
    seconds, holders = _seconds_and_holders(others, neighbours)

    def values_of(chosen):
        return own[:, :, tf.newaxis] + tf_grouping.gather_points(others, chosen)

    return _pool(own + maximum, own + seconds, holders, neighbours, features, values_of)


def _pool(maximum, seconds, holders, neighbours, features, values_of):
    """A GroupPool of neighbours; a point that goes takes the group of its own neighbours along.

    Args:
      maximum, seconds, holders: as of the pool, before the ReLU.
      neighbours: int32 Tensor [B, N, k], the members.
      features: float32 Tensor [B, N, C], by which they were found.
      values_of: function of points int32 [B, N, m] -> what would be pooled of these, float32 [B, N, m, K].
    """
    size = tf.shape(neighbours)[2]
    members = tf_grouping.nearest_neighbours(features, size + WAITING)
    values = tf.nn.relu(tf.stop_gradient(values_of(members)))
    # The maximum of none is the least number that there is.
    nexts = tf.nn.relu(tf.stop_gradient(tf.reduce_max(values_of(members[:, :, size : size + 1]), axis=2)))
    owners = tf.tile(tf.range(tf.shape(members)[1])[tf.newaxis], [tf.shape(members)[0], 1])
    seconds = tf.nn.relu(tf.stop_gradient(seconds))
    return GroupPool(tf.nn.relu(maximum), seconds, holders, nexts, values, members, owners, size)


def edge_conv(features, neighbours, num_outputs, scope, is_training, bn_decay=None):
    """A dense layer that all edges share, batch norm, ReLU.

    Args:
      features, neighbours, num_outputs, scope, is_training, bn_decay: as in `edge_conv_max`.

    Returns:
      Function of points, int32 Tensor [B, N, m] -> the layer's values of the edges to these, float32 Tensor
      [B, N, m, num_outputs].
    """
    own, others = edge_products(features, neighbours, num_outputs, scope, is_training, bn_decay)
    return lambda chosen: tf.nn.relu(own[:, :, tf.newaxis] + tf_grouping.gather_points(others, chosen))


def edge_products(features, neighbours, num_outputs, scope, is_training, bn_decay):
    """What the point and what its neighbour add to a layer on edges, with batch norm folded in.

    Args:
      features, neighbours, num_outputs, scope, is_training, bn_decay: as in `edge_conv_max`.

    Returns:
      float32 Tensors u and v [B, N, K]: the layer is ReLU(u_i + v_j) of the edge from i to j.
    """
    num_inputs = features.shape.as_list()[2]
    shape = tf_util.shape_of(features)[:2] + [num_outputs]
    rows = tf.reshape(features, [-1, num_inputs])
    with tf.variable_scope(scope):
        weights, biases = tf_util.weights_and_biases([1, 1, 2 * num_inputs, num_outputs])
        of_point, of_edge = tf.split(tf.reshape(weights, [-1, num_outputs]), 2)
        of_point -= of_edge
        if not is_training:
            scale, shift = tf_util.batch_norm(biases, None, bn_decay)
            own = tf.nn.bias_add(tf_util.row_products(rows, of_point * scale), shift)
            return tf.reshape(own, shape), tf.reshape(tf_util.row_products(rows, of_edge * scale), shape)
        own, others = tf.matmul(rows, of_point), tf.matmul(rows, of_edge)
        edges = tf.reshape(tf_grouping.rows_of(neighbours, shape[1]), [-1, tf.shape(neighbours)[2]])
        scale, shift = tf_util.batch_norm(biases, _edge_moments(own, others, edges), bn_decay)
        return tf.reshape(own * scale + shift, shape), tf.reshape(others * scale, shape)


def _edge_moments(own, others, edges):
    """Mean and variance [K] of u_i + v_j over all edges from i to j, without a pass over the edges' values.

    Args:
      own, others: float32 Tensors [M, K], u and v.
      edges: int32 Tensor [M, k], the j of each i.
    """

    @tf.custom_gradient
    def moments(own, others):
        num_rows, num_neighbours = tf.unstack(tf.shape(edges))
        num_edges = tf.cast(num_rows * num_neighbours, tf.float32)
        flat = tf.reshape(edges, [-1])
        counts = tf.math.bincount(flat, minlength=num_rows, maxlength=num_rows, dtype=tf.float32)[:, tf.newaxis]
        own_mean = tf.reduce_mean(own, axis=0)
        others_mean = tf.reduce_sum(counts * others, axis=0) / num_edges
        # Centred, since a variance that is small beside the mean would be rounding.
        own, others = own - own_mean, others - others_mean
        of_neighbours = tf.sparse.segment_sum(others, flat, tf.reshape(_numbers(edges), [-1]))
        degree = tf.cast(num_neighbours, tf.float32)
        total = tf.reduce_sum(own * (degree * own + 2 * of_neighbours) + counts * tf.square(others), axis=0)

        def gradient(mean_gradient, variance_gradient):
            mean_gradient, variance_gradient = mean_gradient / num_edges, 2 * variance_gradient / num_edges
            of_points = tf.reshape(tf.tile(own[:, tf.newaxis], [1, num_neighbours, 1]), [-1, own.shape.as_list()[1]])
            of_points = tf.math.unsorted_segment_sum(of_points, flat, num_rows)
            return (
                degree * mean_gradient + variance_gradient * (degree * own + of_neighbours),
                counts * mean_gradient + variance_gradient * (counts * others + of_points),
            )

        return (own_mean + others_mean, total / num_edges), gradient

    return moments(own, others)


def _numbers(edges):
    """The number of its row at each place of a Tensor [M, k]."""
    return tf.tile(tf.range(tf.shape(edges)[0])[:, tf.newaxis], [1, tf.shape(edges)[1]])


def max_over_neighbours(values, neighbours):
    """The maximum over the neighbours of each point, channel by channel.

    Args:
      values: float32 Tensor [B, N, K].
      neighbours: int32 Tensor [B, N, k].

    Returns:
      float32 Tensor [B, N, K]. Neighbours that share a maximum share its gradient equally, as with tf.reduce_max.
    """
    num_points, num_channels = tf_util.shape_of(values)[1:]
    clouds_each = _clouds_each(neighbours, num_channels)

    @tf.custom_gradient
    def maximum_of(values):
        def maximum_in(some, of_some):
            return (tf.reduce_max(tf_grouping.gather_points(some, of_some), axis=2),)

        (maximum,) = tf_grouping.in_chunks(maximum_in, [values, neighbours], clouds_each, [tf.float32])
        maximum = tf.reshape(maximum, tf.shape(values))

        def gradient(gradients):
            def gradient_in(some, of_some, maxima, of_maxima):
                is_held = tf.equal(tf_grouping.gather_points(some, of_some), maxima[:, :, tf.newaxis])
                held = tf.cast(tf.where(tf.reshape(is_held, [-1, tf.shape(neighbours)[2], num_channels])), tf.int32)
                row, slot, channel = tf.unstack(held, axis=1)
                cell = row * num_channels + channel
                counts = tf.math.unsorted_segment_sum(tf.ones_like(cell, tf.float32), cell, tf.size(maxima))
                shared = tf.gather(tf.reshape(of_maxima, [-1]) / counts, cell)
                rows = tf.reshape(tf_grouping.rows_of(of_some, num_points), [-1])
                holder = tf.gather(rows, row * tf.shape(neighbours)[2] + slot)
                summed = tf.math.unsorted_segment_sum(shared, holder * num_channels + channel, tf.size(some))
                return (tf.reshape(summed, tf.shape(some)),)

            (summed,) = tf_grouping.in_chunks(
                gradient_in, [values, neighbours, maximum, gradients], clouds_each, [tf.float32]
            )
            return tf.reshape(summed, tf.shape(values))

        return maximum, gradient

    return maximum_of(values)


def _seconds_and_holders(values, neighbours):
    """The second largest value over the neighbours of each point, and which of them holds the largest.

    Args:
      values: float32 Tensor [B, N, K].
      neighbours: int32 Tensor [B, N, k].

    Returns:
      float32 and int32 Tensors [B, N, K]. The second largest value is the largest where several neighbours share it,
      and the least that there is where there is one neighbour.
    """

    def find(some, of_some):
        return _second_and_holder(tf_grouping.gather_points(some, of_some), of_some)

    clouds_each = _clouds_each(neighbours, values.shape.as_list()[2])
    found = tf_grouping.in_chunks(find, [tf.stop_gradient(values), neighbours], clouds_each, [tf.float32, tf.int32])
    return [tf.reshape(tensor, tf.shape(values)) for tensor in found]


def _second_and_holder(taken, neighbours):
    """As `_seconds_and_holders`, of the values [B, N, k, K] of the neighbours."""
    maximum = tf.reduce_max(taken, axis=2)
    is_held = tf.equal(taken, maximum[:, :, tf.newaxis])
    counts = tf.reduce_sum(tf.cast(is_held, tf.float32), axis=2)
    below = tf.reduce_max(tf.where(is_held, tf.fill(tf.shape(taken), taken.dtype.min), taken), axis=2)
    slots = tf.argmax(taken, axis=2, output_type=tf.int32)
    num_clouds, num_points, num_neighbours = tf.unstack(tf.shape(neighbours))
    first = tf.reshape(tf.range(num_clouds * num_points) * num_neighbours, [num_clouds, num_points, 1])
    return tf.where(counts > 1, maximum, below), tf.gather(tf.reshape(neighbours, [-1]), first + slots)


def _clouds_each(neighbours, num_channels):
    """How many clouds make a chunk."""
    num_points, num_neighbours = tf.unstack(tf.shape(neighbours)[1:])
    return tf.maximum(1, VALUES_PER_CHUNK // (num_points * num_neighbours * num_channels))


def dense_max(edges_of, features, neighbours, num_outputs, scope, is_training, bn_decay=None):
    """A second layer on edges: dense, batch norm, ReLU, and the maximum over the neighbours of each point.

    Args:
      edges_of: function of points, as `edge_conv` returns it.
      features: float32 Tensor [B, N, C], by which the neighbours were found.
      neighbours: int32 Tensor [B, N, k], of each point.
      num_outputs, scope, is_training, bn_decay: as in `edge_conv_max`.

    Returns:
      A GroupPool as of `edge_conv_max`.
    """
    edges = edges_of(neighbours)
    num_inputs = edges.shape.as_list()[3]
    rows = tf.reshape(edges, [-1, num_inputs])
    weights, biases = tf_util.folded_weights(
        [1, 1, num_inputs, num_outputs], lambda: tf_util.mean_and_covariance(rows), scope, is_training, bn_decay
    )

    def values_of(edges):
        rows = tf.reshape(edges, [-1, num_inputs])
        values = tf.nn.bias_add(tf_util.row_products(rows, weights), biases)
        return tf.reshape(values, tf_util.shape_of(edges)[:3] + [num_outputs])

    values = values_of(edges)
    seconds, holders = _second_and_holder(tf.stop_gradient(values), neighbours)
    maximum = tf.reduce_max(values, axis=2)
    return _pool(maximum, seconds, holders, neighbours, features, lambda chosen: values_of(edges_of(chosen)))
