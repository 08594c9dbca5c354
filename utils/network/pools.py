"""The pooled layers of a network as formulas of heat take them, in TensorFlow 1.x graph mode."""

import tensorflow.compat.v1 as tf

from models import max_pool


def maxima_of(pool, gradients):
    """What a pool holds, channel by channel, those of all groups side by side.

    A group that goes with a point loses nothing by that: what it gave others is counted where they pool it.

    Args:
      pool: a max_pool.Pool or max_pool.GroupPool.
      gradients: float32 Tensor of the shape of its maximum, dL / da.

    Returns:
      Tuple of four Tensors [B, K]: the gradients, the maximum, the second largest value and who holds the maximum.
    """
    seconds = pool.seconds
    if isinstance(pool, max_pool.GroupPool):
        seconds = tf.where(tf.equal(pool.holders, pool.owners[..., tf.newaxis]), pool.maximum, seconds)
    num_clouds = tf.shape(gradients)[0]
    return tuple(tf.reshape(tensor, [num_clouds, -1]) for tensor in (gradients, pool.maximum, seconds, pool.holders))


def layer_of(pool, gradients):
    """A pool with all values that its maxima are taken of.

    Args:
      pool, gradients: as for `maxima_of`.

    Returns:
      Of a pool over all points two Tensors: the features [B, N, K] and the gradients [B, K]. Of one over groups four:
      the features [B, R, S, K], the gradients [B, R, K], which points the members are, [B, R, S], the owners [B, R].
    """
    if not isinstance(pool, max_pool.GroupPool):
        return pool.features, gradients
    size, num_channels = tf.unstack(tf.shape(pool.features)[-2:])
    num_clouds = tf.shape(gradients)[0]
    ends = (pool.features, [size, num_channels]), (gradients, [num_channels]), (pool.members, [size]), (pool.owners, [])
    return tuple(tf.reshape(tensor, [num_clouds, -1] + end) for tensor, end in ends)
