"""Edge convolutions (Wang et al., arXiv 1801.07829): layers on pairs of a point and one of its neighbours.

The features of an edge are [x_i, x_j - x_i], so that a layer's product with them is a sum of one of the point and one
of the neighbour: W1 x_i + W2 (x_j - x_i) = (W1 - W2) x_i + W2 x_j. Both are found once a point, not once an edge.
"""

import tensorflow.compat.v1 as tf

from models.max_pool import WAITING, GroupPool
from utils import tf_grouping, tf_util

# So many values of edges at a time stay in the processor's cache.
VALUES_PER_CHUNK = 1024 * 1024


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
    clouds_each = _clouds_each(neighbours, num_outputs)
    maximum = _maximum(others, neighbours, clouds_each)
    seconds, holders = _seconds_and_holders(tf_grouping.gather_points, [others], neighbours, clouds_each, num_outputs)

    def values_of(chosen):
        return own[:, :, tf.newaxis] + tf_grouping.gather_points(others, chosen)

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
    clouds_each = _clouds_each(neighbours, sum(widths))
    weights, biases = tf_util.folded_weights(
        [1, 1] + list(widths),
        lambda: _mean_and_covariance(own, others, neighbours, clouds_each),
        scopes[1],
        is_training,
        bn_decay,
    )
    maximum = _maximum_of_product(own, others, weights, neighbours, clouds_each, is_training)

    def product_of(some_own, some_others, chosen):
        product = _product(_edge_features(some_own, some_others, chosen), tf.stop_gradient(weights))
        shape = tf_util.shape_of(chosen) + [widths[1]]
        return tf.reshape(tf_util.first(product, shape[0] * shape[1]), shape)

    def values_of(chosen):
        return product_of(own, others, chosen) + biases

    seconds, holders = _seconds_and_holders(product_of, [own, others], neighbours, clouds_each, widths[1])
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
    members = tf_grouping.nearest_neighbours(features, size + WAITING)
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
    targets = tf.reshape(tf_grouping.rows_of(neighbours, num_points), [-1])
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
            ordered = tf_grouping.in_order(neighbours)
            of_sources = tf_grouping.sums_in_order(own, ordered, num_points, each=num_neighbours)
            return (
                degree * mean_gradient + variance_gradient * (degree * own + of_targets),
                counts * mean_gradient + variance_gradient * (counts * others + of_sources),
            )

        return (own_mean + others_mean, tf.reduce_sum(squares, axis=0) / num_edges), gradient

    return moments(own, others)


def _maximum(values, neighbours, clouds_each):
    """The maximum over the neighbours of each point, channel by channel.

    Args:
      values: float32 Tensor [B, N, K].
      neighbours: int32 Tensor [B, N, k].
      clouds_each: as of `tf_grouping.in_chunks`.

    Returns:
      float32 Tensor [B, N, K]. Neighbours that share a maximum share its gradient equally, as with tf.reduce_max.
    """

    def values_in(some, of_some):
        rows = tf_grouping.rows_of(of_some, tf.shape(some)[1])
        return tf.gather(_as_rows(some), _as_rows(rows))

    def maximum_in(some, of_some):
        return (tf.reduce_max(values_in(some, of_some), axis=1),)

    def gradient_in(some, of_some, ordered, maxima, gradients):
        of_edges = _shared_out(values_in(some, of_some), _as_rows(maxima), _as_rows(gradients))
        return (tf_grouping.sums_in_order(_as_rows(of_edges), ordered, tf.shape(some)[1]),)

    @tf.custom_gradient
    def maximum(values):
        (found,) = tf_grouping.in_chunks(maximum_in, [values, neighbours], clouds_each, [tf.float32])
        found = tf.reshape(found, tf.shape(values))

        def gradient(gradients):
            tensors = [values, neighbours, tf_grouping.in_order(neighbours), found, gradients]
            (of_values,) = tf_grouping.in_chunks(gradient_in, tensors, clouds_each, [tf.float32])
            return tf.reshape(of_values, tf.shape(values))

        return found, gradient

    return maximum(values)


def _shared_out(values, maxima, gradients):
    """The gradient of values [M, k, K], from that of their maxima over k, both [M, K]; 0 where nobody holds these."""
    is_held = tf.cast(tf.equal(values, maxima[:, tf.newaxis]), tf.float32)
    return is_held * tf.math.divide_no_nan(gradients, tf.reduce_sum(is_held, axis=1))[:, tf.newaxis]


def _as_rows(tensor):
    """A Tensor [..., K] as [M, K]."""
    return tf.reshape(tensor, [-1, tf_util.shape_of(tensor)[-1]])


def _as_filled_up_rows(tensor):
    """A Tensor [B, N, K] as [M, K], M filled up to a multiple of VECTOR: edges of so many points are, too."""
    rows = _as_rows(tensor)
    return tf_util.filled_up(rows, -tf.shape(rows)[0] % tf_util.VECTOR)


def _edge_features(own, others, neighbours):
    """ReLU(u_i + v_j) of all edges, [M, k, C], of points filled up."""
    rows = _as_filled_up_rows(tf_grouping.rows_of(neighbours, tf.shape(own)[1]))
    return tf.nn.relu(_as_filled_up_rows(own)[:, tf.newaxis] + tf.gather(_as_rows(others), rows))


def _product(features, weights):
    """features [M, k, C] . weights [C, K], [M, k, K]."""
    product = tf.matmul(_as_rows(features), weights)
    return tf.reshape(product, tf_util.shape_of(features)[:2] + weights.shape.as_list()[1:])


def _mean_and_covariance(own, others, neighbours, clouds_each):
    """Mean [C] and covariance [C, C] of ReLU(u_i + v_j) over all edges from i to j.

    Args:
      own, others: float32 Tensors [B, N, C], u and v.
      neighbours: int32 Tensor [B, N, k], the j of each i.
      clouds_each: as of `tf_grouping.in_chunks`.
    """
    num_inputs = own.shape.as_list()[2]

    def moments_in(some_own, some_others, of_some):
        features = _edge_features(some_own, some_others, of_some)
        rows = _as_rows(tf_util.first(features, tf.reduce_prod(tf.shape(of_some)[:2])))
        mean, covariance = tf_util.mean_and_covariance(rows)
        size = tf.cast(tf.shape(some_own)[:1], tf.float32)
        return size, mean[tf.newaxis], covariance[tf.newaxis]

    @tf.custom_gradient
    def moments(own, others):
        tensors = [own, others, neighbours]
        sizes, means, covariances = tf_grouping.in_chunks(moments_in, tensors, clouds_each, [tf.float32] * 3)
        shares = tf.reshape(sizes / tf.reduce_sum(sizes), [-1, 1])
        means = tf.reshape(means, [-1, num_inputs])
        mean = tf.reduce_sum(shares * means, axis=0)
        within = tf.reduce_sum(shares[:, :, tf.newaxis] * tf.reshape(covariances, [-1, num_inputs, num_inputs]), axis=0)
        between = tf.matmul(shares * (means - mean), means - mean, transpose_a=True)

        def gradient(mean_gradient, covariance_gradient):
            num_edges = tf.cast(tf.size(neighbours), tf.float32)
            matrix = (covariance_gradient + tf.transpose(covariance_gradient)) / num_edges
            shift = mean_gradient / num_edges - tf.squeeze(tf.matmul(mean[tf.newaxis], matrix), 0)

            def gradient_in(some_own, some_others, of_some, ordered):
                features = _edge_features(some_own, some_others, of_some)
                of_edges = tf.nn.bias_add(tf.matmul(_as_rows(features), matrix), shift)
                return _gradients_of_products(of_edges, features, ordered, some_own)

            tensors = [own, others, neighbours, tf_grouping.in_order(neighbours)]
            found = tf_grouping.in_chunks(gradient_in, tensors, clouds_each, [tf.float32] * 2)
            return [tf.reshape(tensor, tf.shape(own)) for tensor in found]

        return (mean, within + between), gradient

    return moments(own, others)


def _gradients_of_products(of_edges, features, ordered, own):
    """The gradients of u and v [B, N, C].

    Args:
      of_edges: float32 Tensor [M k, C], the gradient of `features`.
      features: float32 Tensor [M, k, C], of `_edge_features`.
      ordered: of `tf_grouping.in_order`.
      own: float32 Tensor [B, N, C], u.
    """
    num_clouds, num_points = tf.unstack(tf.shape(own)[:2])
    of_edges = tf.raw_ops.ReluGrad(gradients=tf.reshape(of_edges, tf.shape(features)), features=features)
    of_own = tf_util.first(tf.reduce_sum(of_edges, axis=1), num_clouds * num_points)
    return of_own, tf_grouping.sums_in_order(_as_rows(of_edges), ordered, num_points)


def _maximum_of_product(own, others, weights, neighbours, clouds_each, is_training):
    """The maximum of ReLU(u_i + v_j) . weights over the neighbours j of each point i.

    Args:
      own, others: float32 Tensors [B, N, C], u and v.
      weights: float32 Tensor [C, K].
      neighbours: int32 Tensor [B, N, k].
      clouds_each: as of `tf_grouping.in_chunks`.
      is_training: Python bool; whether gradients by u and v are asked for together with those by the weights.

    Returns:
      float32 Tensor [B, N, K]; its gradient as that of `_maximum`.
    """
    shape = tf_util.shape_of(own)[:2] + weights.shape.as_list()[1:]

    @tf.custom_gradient
    def maximum(own, others, weights):
        def maximum_in(some_own, some_others, of_some):
            found = tf.reduce_max(_product(_edge_features(some_own, some_others, of_some), weights), axis=1)
            return (tf_util.first(found, tf.reduce_prod(tf.shape(of_some)[:2])),)

        def gradients_in(by_products, by_weights):
            def gradient_in(some_own, some_others, of_some, ordered, maxima, gradients):
                features = _edge_features(some_own, some_others, of_some)
                maxima, gradients = _as_filled_up_rows(maxima), _as_filled_up_rows(gradients)
                of_product = _as_rows(_shared_out(_product(features, weights), maxima, gradients))
                found = ()
                if by_products:
                    of_edges = tf.matmul(of_product, tf.transpose(weights))
                    found += _gradients_of_products(of_edges, features, ordered, some_own)
                if by_weights:
                    found += (tf.matmul(_as_rows(features), of_product, transpose_a=True)[tf.newaxis],)
                return found

            return gradient_in

        tensors = [own, others, neighbours]
        (found,) = tf_grouping.in_chunks(maximum_in, tensors, clouds_each, [tf.float32])
        found = tf.reshape(found, shape)

        def gradient(gradients):
            more = tensors + [tf_grouping.in_order(neighbours), found, gradients]
            # In evaluation nobody asks for those by the weights; both at once would always compute them.
            calls = [(True, True)] if is_training else [(True, False), (False, True)]
            parts = []
            for by_products, by_weights in calls:
                kinds = [tf.float32] * (2 * by_products + by_weights)
                parts += tf_grouping.in_chunks(gradients_in(by_products, by_weights), more, clouds_each, kinds)
            of_weights = tf.reduce_sum(tf.reshape(parts.pop(), [-1] + weights.shape.as_list()), axis=0)
            return [tf.reshape(tensor, tf.shape(own)) for tensor in parts] + [of_weights]

        return found, gradient

    return maximum(own, others, weights)


def _seconds_and_holders(values_in, tensors, neighbours, clouds_each, num_channels):
    """The second largest value over the neighbours of each point, and which of them holds the largest.

    Args:
      values_in: function of Tensors as `tensors` and of neighbours, of fewer clouds -> values of the edges, float32
        Tensor [clouds, N, k, K].
      tensors: list of Tensors [B, N, ...]; no gradient passes.
      neighbours: int32 Tensor [B, N, k].
      clouds_each: as of `tf_grouping.in_chunks`.
      num_channels: K.

    Returns:
      float32 and int32 Tensors [B, N, K]. The second largest value is the largest where several neighbours share it,
      and the least that there is where there is one neighbour.
    """

    def find(*some):
        values = values_in(*some)
        maximum = tf.reduce_max(values, axis=2)
        is_held = tf.equal(values, maximum[:, :, tf.newaxis])
        is_shared = tf.reduce_sum(tf.cast(is_held, tf.float32), axis=2) > 1
        below = tf.reduce_max(tf.where(is_held, tf.fill(tf.shape(values), values.dtype.min), values), axis=2)
        shape = tf.shape(values)
        rows = tf.range(shape[0] * shape[1]) * shape[2]
        places = tf.reshape(rows, tf.stack([shape[0], shape[1], 1])) + tf.argmax(values, axis=2, output_type=tf.int32)
        return tf.where(is_shared, maximum, below), tf.gather(tf.reshape(some[-1], [-1]), places)

    tensors = [tf.stop_gradient(tensor) for tensor in tensors] + [neighbours]
    found = tf_grouping.in_chunks(find, tensors, clouds_each, [tf.float32, tf.int32])
    return [tf.reshape(tensor, tf.concat([tf.shape(neighbours)[:2], [num_channels]], axis=0)) for tensor in found]


def _clouds_each(neighbours, num_channels):
    """How many clouds of so many channels an edge make a chunk."""
    return tf.maximum(1, VALUES_PER_CHUNK // (tf.reduce_prod(tf.shape(neighbours)[1:]) * num_channels))
