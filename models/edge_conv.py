"""Edge convolutions (Wang et al., arXiv 1801.07829): layers on pairs of a point and one of its neighbours.

The features of an edge are [x_i, x_j - x_i], so that a layer's product with them is a sum of one of the point and one
of the neighbour: W1 x_i + W2 (x_j - x_i) = (W1 - W2) x_i + W2 x_j. Both are found once a point, not once an edge.
"""

import tensorflow.compat.v1 as tf

from models import edges, grouping
from models.max_pool import WAITING, GroupPool
from utils import tf_util


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
      A GroupPool of the neighbours of each of the N points. What is not asked for is not computed.
    """
    own, others = _products(features, neighbours, num_outputs, scope, is_training, bn_decay)
    clouds_each = edges.clouds_in_a_chunk(neighbours, num_outputs)
    maximum = edges.maximum(others, neighbours, clouds_each)
    seconds, holders = edges.seconds_and_holders(grouping.gather_points, [others], neighbours, clouds_each, num_outputs)

    def values_of(chosen):
        return own[:, :, tf.newaxis] + grouping.gather_points(others, chosen)

    return _pool(own + maximum, own + seconds, holders, neighbours, features, values_of)


def two_edge_convs_max(features, neighbours, widths, scopes, is_training, bn_decay=None):
    """Two dense layers that all edges share, each with batch norm and ReLU, and the maximum over the neighbours.

    Args:
      features, neighbours, is_training, bn_decay: as in `edge_conv_max`.
      widths, scopes: of the first layer and the second one.

    Returns:
      A GroupPool as of `edge_conv_max`, of the second layer.
    """
    own, others = _products(features, neighbours, widths[0], scopes[0], is_training, bn_decay)
    clouds_each = edges.clouds_in_a_chunk(neighbours, sum(widths))
    weights, biases = tf_util.folded_weights(
        [1, 1] + list(widths),
        lambda: edges.mean_and_covariance(own, others, neighbours, clouds_each),
        scopes[1],
        is_training,
        bn_decay,
    )
    maximum = edges.maximum_of_product(own, others, weights, neighbours, clouds_each, is_training)

    def product_of(some_own, some_others, chosen):
        product = edges.product_of_edges(
            edges.features_of_edges(some_own, some_others, chosen), tf.stop_gradient(weights)
        )
        shape = tf_util.shape_of(chosen) + [widths[1]]
        return tf.reshape(tf_util.first(product, shape[0] * shape[1]), shape)

    def values_of(chosen):
        return product_of(own, others, chosen) + biases

    seconds, holders = edges.seconds_and_holders(product_of, [own, others], neighbours, clouds_each, widths[1])
    return _pool(maximum + biases, seconds + biases, holders, neighbours, features, values_of)


def _pool(maximum, seconds, holders, neighbours, features, values_of):
    """A GroupPool of neighbours; a point that goes takes the group of its own neighbours along.

    Args:
      maximum, seconds, holders: as of the pool, before the ReLU.
      neighbours: int32 Tensor [B, N, k], the members.
      features: float32 Tensor [B, N, C], by which they were found.
      values_of: function of points int32 [B, N, m] -> what would be pooled of these, float32 [B, N, m, K].
    """
    size = tf.shape(neighbours)[2]
    members = grouping.nearest_neighbours(features, size + WAITING)
    values = tf.nn.relu(tf.stop_gradient(values_of(members)))
    # The maximum of none is the least number that there is.
    nexts = tf.nn.relu(tf.stop_gradient(tf.reduce_max(values_of(members[:, :, size : size + 1]), axis=2)))
    owners = tf.tile(tf.range(tf.shape(members)[1])[tf.newaxis], [tf.shape(members)[0], 1])
    seconds = tf.nn.relu(tf.stop_gradient(seconds))
    return GroupPool(tf.nn.relu(maximum), seconds, holders, nexts, values, members, owners, size)


def _products(features, neighbours, num_outputs, scope, is_training, bn_decay):
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
        if is_training:
            own, others = tf.matmul(rows, of_point), tf.matmul(rows, of_edge)
            scale, shift = tf_util.batch_norm(biases, _moments(own, others, neighbours), bn_decay)
            own, others = own * scale + shift, others * scale
        else:
            scale, shift = tf_util.batch_norm(biases, None, bn_decay)
            own = tf.nn.bias_add(tf_util.row_products(rows, of_point * scale), shift)
            others = tf_util.row_products(rows, of_edge * scale)
    return tf.reshape(own, shape), tf.reshape(others, shape)


def _moments(own, others, neighbours):
    """Mean and variance [K] of u_i + v_j over all edges from i to j, without a pass over the edges' values.

    Args:
      own, others: float32 Tensors [B N, K], u and v.
      neighbours: int32 Tensor [B, N, k], the j of each i.
    """
    num_clouds, num_points, num_neighbours = tf.unstack(tf.shape(neighbours))
    degree = tf.cast(num_neighbours, tf.float32)
    num_edges = tf.cast(num_clouds * num_points, tf.float32) * degree
    targets = tf.reshape(grouping.rows_of(neighbours, num_points), [-1])
    sources = tf.range(tf.size(neighbours)) // num_neighbours

    @tf.custom_gradient
    def moments(own, others):
        num_rows = tf.shape(own)[0]
        counts = tf.math.unsorted_segment_sum(tf.ones_like(targets, tf.float32), targets, num_rows)[:, tf.newaxis]
        own_mean = tf.reduce_mean(own, axis=0)
        others_mean = tf.reduce_sum(counts * others, axis=0) / num_edges
        # Centred, as of a mean that is large beside the variance rounding would be left.
        own, others = own - own_mean, others - others_mean
        of_targets = tf.sparse.segment_sum(others, targets, sources)
        squares = own * (degree * own + 2 * of_targets) + counts * tf.square(others)

        def gradient(mean_gradient, variance_gradient):
            mean_gradient, variance_gradient = mean_gradient / num_edges, 2 * variance_gradient / num_edges
            ordered = grouping.in_order(neighbours)
            of_sources = grouping.sums_in_order(own, ordered, num_points, each=num_neighbours)
            return (
                degree * mean_gradient + variance_gradient * (degree * own + of_targets),
                counts * mean_gradient + variance_gradient * (counts * others + of_sources),
            )

        return (own_mean + others_mean, tf.reduce_sum(squares, axis=0) / num_edges), gradient

    return moments(own, others)
