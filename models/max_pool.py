"""The maximum over the points of a wide product, its second largest value, and who holds it, at a fraction of the cost.

The last layer before a pool of PointNet and of its T-Nets, in TensorFlow 1.x graph mode.
"""

from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from models import loops
from utils import tf_util

# A product of the widest layer over as many points stays in the processor's cache.
POINTS_PER_CHUNK = 4 * 1024
# The maximum is taken over blocks of at most as many points first, so that its place is sought in one block only.
MAX_BLOCK = 16
# Of groups of points, how many that wait to step in are told.
WAITING = 8


class Pool(NamedTuple):
    """A maximum over the points, channel by channel. Gradients pass through `maximum` alone.

    Attributes:
      maximum: float32 Tensor [B, K].
      features: float32 Tensor [B, N, K], what it is taken of; for looking at.
      seconds: float32 Tensor [B, K], the second largest value, which is the maximum where several points share it.
      holders: int32 Tensor [B, K], the point that holds the maximum, any of several.
      points, weights, biases: float32 Tensors [B, N, C], [C, K] and [K]: the features are the ReLU of their product and
        sum.
    """

    maximum: Any
    features: Any
    seconds: Any
    holders: Any
    points: Any = None
    weights: Any = None
    biases: Any = None


class GroupPool(NamedTuple):
    """A maximum over each of R groups of points, channel by channel. Gradients pass through `maximum` alone.

    What is not asked for is not computed. Of one group of all rows `maximum` may lack the axis R.

    Attributes:
      maximum: float32 Tensor [B, R, K].
      seconds: float32 Tensor [B, R, K], the second largest value; the maximum where several points share it.
      holders: int32 Tensor [B, R, K], the point of the cloud that holds the maximum, any of several.
      nexts: float32 Tensor [B, R, K], the value of the point that steps in where a member goes; 0 where none does.
      features: float32 Tensor [B, R, S, K] of the members, and after them of some that wait, in their order; for
        looking at.
      members: int32 Tensor [B, R, S], which points of the cloud all of these are, each once or several times.
      owners: int32 Tensor [B, R], the point of the cloud with which a group goes; -1 where it stays.
      size: int32 Tensor, a scalar, how many of these are members.
    """

    maximum: Any
    seconds: Any
    holders: Any
    nexts: Any
    features: Any
    members: Any
    owners: Any
    size: Any


def shared_dense_max(points, num_outputs, scope, is_training, bn_decay=None):
    """`tf_util.shared_dense` and the maximum over the points, at a fraction of their cost.

    max_i ReLU(x_i W + b) = ReLU(max_i(x_i W) + b), batch norm being part of W and b: after the product, only the
    maximum passes over all points. Going back, only the points that hold a channel's maximum have a gradient; those
    that share one share it equally, as with tf.reduce_max.

    Args:
      points, num_outputs, scope, is_training, bn_decay: as in `tf_util.shared_dense`.

    Returns:
      A Pool of num_outputs channels. Of its features, what is not asked for is not computed.
    """
    rows, weights, biases = tf_util.folded(points, num_outputs, scope, is_training, bn_decay)
    features = tf.nn.relu(tf.nn.bias_add(tf_util.row_products(rows, weights), biases))
    features = tf.stop_gradient(tf.reshape(features, tf_util.shape_of(points)[:2] + [num_outputs]))
    maximum, seconds, holders = _max_of_product(points, weights)
    seconds = tf.nn.relu(tf.stop_gradient(seconds) + biases)
    return Pool(tf.nn.relu(maximum + biases), features, seconds, holders, points, weights, biases)


def maximum_of_channels(pool, channels):
    """The maximum of some channels alone, and who holds it.

    Args:
      pool: a Pool of clouds of N points, N a multiple of MAX_BLOCK.
      channels: int32 Tensor [B, M], which of each cloud.

    Returns:
      float32 and int32 Tensors [B, M]: of `pool.maximum`, and the first point that holds it.
    """
    weights = tf.gather(tf.transpose(pool.weights), channels)
    # One product alone would be shared out among threads.
    lacking = tf.maximum(0, 2 - tf.shape(pool.points)[0])
    products = tf.matmul(*[tf_util.filled_up(each, lacking) for each in (pool.points, weights)], transpose_b=True)
    found, holders = _maximum_and_first_holder(tf_util.first(products, tf.shape(pool.points)[0]))
    return tf.nn.relu(found + tf.gather(pool.biases, channels)), holders


def _maximum_and_first_holder(product):
    """The maximum over the points of a product [B, N, M], N a multiple of MAX_BLOCK, and who holds it, both [B, M]."""
    num_clouds, num_points, num_outputs = tf_util.shape_of(product)
    block_maxima = tf.reduce_max(tf.reshape(product, [-1, MAX_BLOCK, num_outputs]), axis=1)
    block_maxima = tf.reshape(block_maxima, [num_clouds, -1, num_outputs])
    block = tf.argmax(block_maxima, axis=1, output_type=tf.int32)
    rows = (tf.range(num_clouds)[:, tf.newaxis] * num_points + block * MAX_BLOCK)[:, :, tf.newaxis]
    cells = (rows + tf.range(MAX_BLOCK)) * num_outputs + tf.range(num_outputs)[:, tf.newaxis]
    place = tf.argmax(tf.gather(tf.reshape(product, [-1]), cells), axis=2, output_type=tf.int32)
    return tf.reduce_max(block_maxima, axis=1), block * MAX_BLOCK + place


def _max_of_product(points, weights):
    """max_i x_i W: the maximum over the points of a product that is held for a few clouds at a time.

    Its gradient is a sparse matrix of one value a maximum, so going back costs two sparse products instead of two as
    large as the one going forward.

    Args:
      points: float32 Tensor [B, N, C].
      weights: float32 Tensor [C, K].

    Returns:
      The maximum, float32 Tensor [B, K]; the second largest value and the point that holds the maximum, float32 and
      int32 Tensors [B, K].
    """
    maximum, seconds, places, holders, shares = _in_chunks(tf.stop_gradient(points), tf.stop_gradient(weights))
    num_outputs = weights.shape.as_list()[1]

    # Only the maximum comes out of it: TensorFlow computes all that does, or nothing.
    @tf.custom_gradient
    def with_gradient(points, weights, maximum):
        def gradient(maximum_gradient):
            num_clouds, num_points, num_inputs = tf_util.shape_of(points)
            cloud, point, channel = tf.unstack(holders, axis=1)
            values = shares * tf.gather(tf.reshape(maximum_gradient, [-1]), cloud * num_outputs + channel)
            indices = tf.cast(tf.stack([cloud * num_points + point, channel], axis=1), tf.int64)
            product_gradient = tf.SparseTensor(
                indices, values, tf.cast(tf.stack([num_clouds * num_points, num_outputs]), tf.int64)
            )
            rows = tf.reshape(points, [-1, num_inputs])
            points_gradient = tf.sparse.sparse_dense_matmul(product_gradient, weights, adjoint_b=True)
            weights_gradient = tf.sparse.sparse_dense_matmul(product_gradient, rows, adjoint_a=True)
            return tf.reshape(points_gradient, tf.shape(points)), tf.transpose(weights_gradient), None

        return tf.identity(maximum), gradient

    return with_gradient(points, weights, maximum), seconds, places


def _in_chunks(points, weights):
    """What `_max_and_holders` says of points [B, N, C] . weights [C, K], which is held for a few clouds at a time."""
    num_clouds, num_points, num_inputs = tf_util.shape_of(points)
    num_outputs = weights.shape.as_list()[1]
    clouds_each = tf.maximum(1, POINTS_PER_CHUNK // num_points)
    num_chunks = -(-num_clouds // clouds_each)
    size = tf.minimum(MAX_BLOCK, num_points)
    missing = -num_points % size

    def one_chunk(number):
        first = number * clouds_each
        some = points[first : first + clouds_each]
        # Some points again, until all blocks are full.
        some = tf.cond(
            missing > 0, lambda: tf.concat([some, some[:, num_points - missing :]], axis=1), lambda: tf.identity(some)
        )
        product = tf_util.row_products(tf.reshape(some, [-1, num_inputs]), weights)
        product = tf.reshape(product, [-1, num_points + missing, num_outputs])
        maximum, holders, shares, seconds, places = _max_and_holders(product, num_points, size)
        return [maximum, seconds, places, holders + [first, 0, 0], shares], ()

    kinds = [tf.float32, tf.float32, tf.int32, tf.int32, tf.float32]
    # One chunk is multiplied while the places of the maxima are sought in the one before.
    arrays = loops.loop(num_chunks, one_chunk, kinds, parallel_iterations=2)
    shapes = [[-1, num_outputs]] * 3 + [[-1, 3], [-1]]
    return [tf.reshape(array.concat(), shape) for array, shape in zip(arrays, shapes)]


def _max_and_holders(product, num_points, size):
    """The maximum over the points, which points hold it, and the second largest value.

    Blocks of points are reduced first. The holders are then sought in the blocks that reach the maximum, not in all,
    and the second largest value in these and among the maxima of the other blocks.

    Args:
      product: float32 Tensor [B, M, K], M a multiple of `size`, of N points and then of some of these again.
      num_points: N.
      size: of the blocks.

    Returns:
      maximum: float32 Tensor [B, K].
      holders: int32 Tensor [T, 3], T >= B K: cloud, point and channel of each value that equals the maximum.
      shares: float32 Tensor [T], 1 / the number of points that hold the same maximum.
      seconds: float32 Tensor [B, K].
      places: int32 Tensor [B, K], the last of the points that hold the maximum.
    """
    num_clouds, num_rows, num_outputs = tf_util.shape_of(product)
    block_maxima = tf.reduce_max(tf.reshape(product, [-1, size, num_outputs]), axis=1)
    block_maxima = tf.reshape(block_maxima, [num_clouds, -1, num_outputs])
    maximum = tf.reduce_max(block_maxima, axis=1)
    is_winner = tf.equal(block_maxima, maximum[:, tf.newaxis])

    winners = tf.cast(tf.where(is_winner), tf.int32)
    cloud, block, channel = tf.unstack(winners, axis=1)
    points = (block * size)[:, tf.newaxis] + tf.range(size)
    rows = (cloud * num_rows)[:, tf.newaxis] + points
    values = tf.gather(tf.reshape(product, [-1]), rows * num_outputs + channel[:, tf.newaxis])
    cell = cloud * num_outputs + channel
    is_first = points < num_points
    is_maximum = is_first & tf.equal(values, tf.gather(tf.reshape(maximum, [-1]), cell)[:, tf.newaxis])
    winner, place = tf.unstack(tf.cast(tf.where(is_maximum), tf.int32), axis=1)
    holders = tf.stack(
        [tf.gather(cloud, winner), tf.gather(block * size, winner) + place, tf.gather(channel, winner)], axis=1
    )
    num_cells = num_clouds * num_outputs
    lowest = product.dtype.min
    beside = tf.where(is_first & ~is_maximum, values, tf.fill(tf.shape(values), lowest))
    beside = tf.reduce_max(beside, axis=1)
    beside = tf.reshape(tf.math.unsorted_segment_max(beside, cell, num_cells), [-1, num_outputs])
    elsewhere = tf.reduce_max(tf.where(is_winner, tf.fill(tf.shape(block_maxima), lowest), block_maxima), axis=1)
    cell = tf.gather(cell, winner)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(cell, tf.float32), cell, num_cells)
    # A maximum that several points share is second to itself.
    is_shared = tf.reshape(counts > 1, [-1, num_outputs])
    seconds = tf.where(is_shared, maximum, tf.maximum(elsewhere, beside))
    # A maximum that is no number is held by nobody, whom the segment's lowest number stands for.
    places = tf.maximum(tf.math.unsorted_segment_max(holders[:, 1], cell, num_cells), 0)
    places = tf.reshape(places, [-1, num_outputs])
    return maximum, holders, 1 / tf.gather(counts, cell), seconds, places
