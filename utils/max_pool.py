"""The maximum over the points of a wide product, its second largest value, and who holds it, at a fraction of the cost.

TensorFlow 1.x graph mode; the layers of `tf_util.py` are made of it.
"""

from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

# A product of the widest layer over as many points stays in the processor's cache.
POINTS_PER_CHUNK = 4 * 1024
# The maximum is taken over blocks of at most as many points first, so that its place is sought in one block only.
MAX_BLOCK = 16
# The collection of the one Tensor of a graph that says whether second largest values are computed.
SECONDS_WANTED = "seconds_wanted"


class Pool(NamedTuple):
    """A maximum over the points, channel by channel. Gradients pass through `maximum` alone.

    Attributes:
      maximum: float32 Tensor [B, K].
      features: float32 Tensor [B, N, K], what it is taken of; for looking at.
      seconds: float32 Tensor [B, K], the second largest value, which is the maximum where several points share it;
        0 unless True is fed to `seconds_wanted`.
      holders: int32 Tensor [B, K], the point that holds the maximum, any of several; 0 likewise.
    """

    maximum: Any
    features: Any
    seconds: Any
    holders: Any


def seconds_wanted():
    """The scalar bool Tensor of the graph that has `Pool.seconds` and `Pool.holders` computed; False unless fed."""
    found = tf.get_collection(SECONDS_WANTED)
    if not found:
        with tf.name_scope(None):
            found = [tf.placeholder_with_default(False, [], SECONDS_WANTED)]
        tf.add_to_collection(SECONDS_WANTED, found[0])
    return found[0]


@tf.custom_gradient
def max_of_product(points, weights, is_second_wanted):
    """max_i x_i W: the maximum over the points of a product that is held for a few clouds at a time.

    Its gradient is a sparse matrix of one value a maximum, so going back costs two sparse products instead of two as
    large as the one going forward.

    Args:
      points: float32 Tensor [B, N, C].
      weights: float32 Tensor [C, K].
      is_second_wanted: scalar bool Tensor.

    Returns:
      The maximum, float32 Tensor [B, K]; the second largest value and the point that holds the maximum, float32 and
      int32 Tensors [B, K], both 0 where they are not wanted.
    """
    num_clouds, num_points, num_inputs = shape_of(points)
    num_outputs = weights.shape.as_list()[1]
    clouds_each = tf.maximum(1, POINTS_PER_CHUNK // num_points)
    num_chunks = -(-num_clouds // clouds_each)

    def one_chunk(number, maxima, holders, shares, seconds, places):
        first = number * clouds_each
        rows = tf.reshape(points[first : first + clouds_each], [-1, num_inputs])
        product = tf.reshape(tf.matmul(rows, weights), [-1, num_points, num_outputs])
        block_maxima, size = _block_maxima(product)
        maximum, holder, share = _max_and_holders(product, block_maxima, size)
        second, place = tf.cond(
            is_second_wanted,
            lambda: _seconds(product, block_maxima, size, maximum, holder, share),
            lambda: (tf.zeros_like(maximum), tf.zeros_like(maximum, tf.int32)),
        )
        return (
            number + 1,
            maxima.write(number, maximum),
            holders.write(number, holder + [first, 0, 0]),
            shares.write(number, share),
            seconds.write(number, second),
            places.write(number, place),
        )

    kinds = (tf.float32, tf.int32, tf.float32, tf.float32, tf.int32)
    arrays = [tf.TensorArray(kind, num_chunks, infer_shape=False) for kind in kinds]
    # One chunk is multiplied while the places of the maxima are sought in the one before.
    _, maxima, holders, shares, seconds, places = tf.while_loop(
        lambda number, *_: number < num_chunks, one_chunk, [0] + arrays, parallel_iterations=2, back_prop=False
    )
    holders, shares = tf.reshape(holders.concat(), [-1, 3]), tf.reshape(shares.concat(), [-1])

    def gradient(maximum_gradient, *_):
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

    return tuple(tf.reshape(array.concat(), [-1, num_outputs]) for array in (maxima, seconds, places)), gradient


def _block_maxima(product):
    """The maxima [B, N / size, K] of blocks of points of a product [B, N, K], and the size of a block."""
    num_clouds, num_points, num_outputs = shape_of(product)
    sizes = tf.range(1, MAX_BLOCK + 1)
    size = tf.reduce_max(tf.boolean_mask(sizes, tf.equal(num_points % sizes, 0)))
    block_maxima = tf.reduce_max(tf.reshape(product, [-1, size, num_outputs]), axis=1)
    return tf.reshape(block_maxima, [num_clouds, -1, num_outputs]), size


def _max_and_holders(product, block_maxima, size):
    """The maximum over the points, and which points hold it.

    The holders are sought in the blocks that reach the maximum, not in all.

    Args:
      product: float32 Tensor [B, N, K].
      block_maxima, size: of `_block_maxima`.

    Returns:
      maximum: float32 Tensor [B, K].
      holders: int32 Tensor [T, 3], T >= B K: cloud, point and channel of each value that equals the maximum.
      shares: float32 Tensor [T], 1 / the number of points that hold the same maximum.
    """
    num_clouds, num_points, num_outputs = shape_of(product)
    maximum = tf.reduce_max(block_maxima, axis=1)
    winners = tf.cast(tf.where(tf.equal(block_maxima, maximum[:, tf.newaxis])), tf.int32)
    cloud, block, channel = tf.unstack(winners, axis=1)
    rows = (cloud * num_points + block * size)[:, tf.newaxis] + tf.range(size)
    values = tf.gather(tf.reshape(product, [-1]), rows * num_outputs + channel[:, tf.newaxis])
    cell = cloud * num_outputs + channel
    is_maximum = tf.equal(values, tf.gather(tf.reshape(maximum, [-1]), cell)[:, tf.newaxis])
    winner, place = tf.unstack(tf.cast(tf.where(is_maximum), tf.int32), axis=1)
    holders = tf.stack(
        [tf.gather(cloud, winner), tf.gather(block * size, winner) + place, tf.gather(channel, winner)], axis=1
    )
    cell = tf.gather(cell, winner)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(cell, tf.float32), cell, num_clouds * num_outputs)
    return maximum, holders, 1 / tf.gather(counts, cell)


def _seconds(product, block_maxima, size, maximum, holders, shares):
    """The second largest value of each channel, sought in the block of the largest and among the other blocks' maxima.

    Args:
      product: float32 Tensor [B, N, K].
      block_maxima, size: of `_block_maxima`.
      maximum, holders, shares: of `_max_and_holders`.

    Returns:
      float32 Tensor [B, K], and of its largest value the point, int32 Tensor [B, K].
    """
    num_clouds, num_points, num_outputs = shape_of(product)
    is_winner = tf.equal(block_maxima, maximum[:, tf.newaxis])
    lowest = product.dtype.min
    elsewhere = tf.reduce_max(tf.where(is_winner, tf.fill(tf.shape(block_maxima), lowest), block_maxima), axis=1)
    cloud, point, channel = tf.unstack(holders, axis=1)
    cell = cloud * num_outputs + channel
    places = tf.math.unsorted_segment_max(point, cell, num_clouds * num_outputs)
    first = tf.range(num_clouds * num_outputs) // num_outputs * num_points + places // size * size
    rows = first[:, tf.newaxis] + tf.range(size)
    channels = tf.range(num_clouds * num_outputs) % num_outputs
    values = tf.gather(tf.reshape(product, [-1]), rows * num_outputs + channels[:, tf.newaxis])
    is_holder = tf.equal(tf.range(size), (places % size)[:, tf.newaxis])
    beside = tf.reduce_max(tf.where(is_holder, tf.fill(tf.shape(values), lowest), values), axis=1)
    seconds = tf.maximum(elsewhere, tf.reshape(beside, [-1, num_outputs]))
    # A maximum that several points share is second to itself. A share is 1, but for rounding, or at most a half.
    share = tf.reshape(tf.math.unsorted_segment_min(shares, cell, num_clouds * num_outputs), [-1, num_outputs])
    return tf.where(share < 0.75, maximum, seconds), tf.reshape(places, [-1, num_outputs])


def shape_of(tensor):
    """The shape as a list: Python numbers where they are known, scalar Tensors where not."""
    return [size if size is not None else tf.shape(tensor)[axis] for axis, size in enumerate(tensor.shape.as_list())]
