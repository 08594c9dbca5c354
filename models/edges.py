"""What edge convolutions find of all edges from points to their neighbours, a few clouds at a time.

The values of the edges of a batch would fill the memory, and outgrow the processor's cache.
"""

import tensorflow.compat.v1 as tf

from models import grouping, loops
from utils import tf_util

# So many values of edges at a time stay in the processor's cache.
VALUES_PER_CHUNK = 1024 * 1024


def maximum(values, neighbours, clouds_each):
    """The maximum over the neighbours of each point, channel by channel.

    Args:
      values: float32 Tensor [B, N, K].
      neighbours: int32 Tensor [B, N, k].
      clouds_each: as of `loops.in_chunks`.

    Returns:
      float32 Tensor [B, N, K]. Neighbours that share a maximum share its gradient equally, as with tf.reduce_max.
    """

    def values_in(some, of_some):
        rows = grouping.rows_of(of_some, tf.shape(some)[1])
        return tf.gather(_as_rows(some), _as_rows(rows))

    def maximum_in(some, of_some):
        return (tf.reduce_max(values_in(some, of_some), axis=1),)

    def gradient_in(some, of_some, ordered, maxima, gradients):
        of_edges = _shared_out(values_in(some, of_some), _as_rows(maxima), _as_rows(gradients))
        return (grouping.sums_in_order(_as_rows(of_edges), ordered, tf.shape(some)[1]),)

    @tf.custom_gradient
    def maximum(values):
        (found,) = loops.in_chunks(maximum_in, [values, neighbours], clouds_each, [tf.float32])
        found = tf.reshape(found, tf.shape(values))

        def gradient(gradients):
            tensors = [values, neighbours, grouping.in_order(neighbours), found, gradients]
            (of_values,) = loops.in_chunks(gradient_in, tensors, clouds_each, [tf.float32])
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


def features_of_edges(own, others, neighbours):
    """What comes out of a first layer on edges, ReLU(u_i + v_j).

    Args:
      own, others: float32 Tensors [B, N, C], u and v.
      neighbours: int32 Tensor [B, N, k], the j of each i.

    Returns:
      float32 Tensor [M, k, C], M = B N filled up to a multiple of VECTOR, so that products of its rows have the same
      bits whatever clouds go with a cloud.
    """
    rows = _as_filled_up_rows(grouping.rows_of(neighbours, tf.shape(own)[1]))
    return tf.nn.relu(_as_filled_up_rows(own)[:, tf.newaxis] + tf.gather(_as_rows(others), rows))


def product_of_edges(features, weights):
    """The product of `features_of_edges` [M, k, C] and weights [C, K]: float32 Tensor [M, k, K]."""
    product = tf.matmul(_as_rows(features), weights)
    return tf.reshape(product, tf_util.shape_of(features)[:2] + weights.shape.as_list()[1:])


def mean_and_covariance(own, others, neighbours, clouds_each):
    """Mean [C] and covariance [C, C] of ReLU(u_i + v_j) over all edges from i to j.

    Args:
      own, others: float32 Tensors [B, N, C], u and v.
      neighbours: int32 Tensor [B, N, k], the j of each i.
      clouds_each: as of `loops.in_chunks`.
    """
    num_inputs = own.shape.as_list()[2]

    def moments_in(some_own, some_others, of_some):
        features = features_of_edges(some_own, some_others, of_some)
        rows = _as_rows(tf_util.first(features, tf.reduce_prod(tf.shape(of_some)[:2])))
        mean, covariance = tf_util.mean_and_covariance(rows)
        size = tf.cast(tf.shape(some_own)[:1], tf.float32)
        return size, mean[tf.newaxis], covariance[tf.newaxis]

    @tf.custom_gradient
    def moments(own, others):
        tensors = [own, others, neighbours]
        sizes, means, covariances = loops.in_chunks(moments_in, tensors, clouds_each, [tf.float32] * 3)
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
                features = features_of_edges(some_own, some_others, of_some)
                of_edges = tf.nn.bias_add(tf.matmul(_as_rows(features), matrix), shift)
                return _gradients_of_products(of_edges, features, ordered, some_own)

            tensors = [own, others, neighbours, grouping.in_order(neighbours)]
            found = loops.in_chunks(gradient_in, tensors, clouds_each, [tf.float32] * 2)
            return [tf.reshape(tensor, tf.shape(own)) for tensor in found]

        return (mean, within + between), gradient

    return moments(own, others)


def _gradients_of_products(of_edges, features, ordered, own):
    """The gradients of u and v [B, N, C].

    Args:
      of_edges: float32 Tensor [M k, C], the gradient of `features`.
      features: float32 Tensor [M, k, C], of `_edge_features`.
      ordered: of `grouping.in_order`.
      own: float32 Tensor [B, N, C], u.
    """
    num_clouds, num_points = tf.unstack(tf.shape(own)[:2])
    of_edges = tf.raw_ops.ReluGrad(gradients=tf.reshape(of_edges, tf.shape(features)), features=features)
    of_own = tf_util.first(tf.reduce_sum(of_edges, axis=1), num_clouds * num_points)
    return of_own, grouping.sums_in_order(_as_rows(of_edges), ordered, num_points)


def maximum_of_product(own, others, weights, neighbours, clouds_each, is_training):
    """The maximum of ReLU(u_i + v_j) . weights over the neighbours j of each point i.

    Args:
      own, others: float32 Tensors [B, N, C], u and v.
      weights: float32 Tensor [C, K].
      neighbours: int32 Tensor [B, N, k].
      clouds_each: as of `loops.in_chunks`.
      is_training: Python bool; whether gradients by u and v are asked for together with those by the weights.

    Returns:
      float32 Tensor [B, N, K]; its gradient as that of `_maximum`.
    """
    shape = tf_util.shape_of(own)[:2] + weights.shape.as_list()[1:]

    @tf.custom_gradient
    def maximum(own, others, weights):
        def maximum_in(some_own, some_others, of_some):
            found = tf.reduce_max(product_of_edges(features_of_edges(some_own, some_others, of_some), weights), axis=1)
            return (tf_util.first(found, tf.reduce_prod(tf.shape(of_some)[:2])),)

        def gradients_in(by_products, by_weights):
            def gradient_in(some_own, some_others, of_some, ordered, maxima, gradients):
                features = features_of_edges(some_own, some_others, of_some)
                maxima, gradients = _as_filled_up_rows(maxima), _as_filled_up_rows(gradients)
                of_product = _as_rows(_shared_out(product_of_edges(features, weights), maxima, gradients))
                found = ()
                if by_products:
                    of_edges = tf.matmul(of_product, tf.transpose(weights))
                    found += _gradients_of_products(of_edges, features, ordered, some_own)
                if by_weights:
                    found += (tf.matmul(_as_rows(features), of_product, transpose_a=True)[tf.newaxis],)
                return found

            return gradient_in

        tensors = [own, others, neighbours]
        (found,) = loops.in_chunks(maximum_in, tensors, clouds_each, [tf.float32])
        found = tf.reshape(found, shape)

        def gradient(gradients):
            more = tensors + [grouping.in_order(neighbours), found, gradients]
            # In evaluation nobody asks for those by the weights; both at once would always compute them.
            calls = [(True, True)] if is_training else [(True, False), (False, True)]
            parts = []
            for by_products, by_weights in calls:
                kinds = [tf.float32] * (2 * by_products + by_weights)
                parts += loops.in_chunks(gradients_in(by_products, by_weights), more, clouds_each, kinds)
            of_weights = tf.reduce_sum(tf.reshape(parts.pop(), [-1] + weights.shape.as_list()), axis=0)
            return [tf.reshape(tensor, tf.shape(own)) for tensor in parts] + [of_weights]

        return found, gradient

    return maximum(own, others, weights)


def seconds_and_holders(values_in, tensors, neighbours, clouds_each, num_channels):
    """The second largest value over the neighbours of each point, and which of them holds the largest.

    Args:
      values_in: function of Tensors as `tensors` and of neighbours, of fewer clouds -> values of the edges, float32
        Tensor [clouds, N, k, K].
      tensors: list of Tensors [B, N, ...]; no gradient passes.
      neighbours: int32 Tensor [B, N, k].
      clouds_each: as of `loops.in_chunks`.
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
    found = loops.in_chunks(find, tensors, clouds_each, [tf.float32, tf.int32])
    return [tf.reshape(tensor, tf.concat([tf.shape(neighbours)[:2], [num_channels]], axis=0)) for tensor in found]


def clouds_in_a_chunk(neighbours, num_channels):
    """How many clouds of so many channels an edge make a chunk."""
    return tf.maximum(1, VALUES_PER_CHUNK // (tf.reduce_prod(tf.shape(neighbours)[1:]) * num_channels))
