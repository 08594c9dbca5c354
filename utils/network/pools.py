"""The pooled layers of a network as formulas of heat take them, in TensorFlow 1.x graph mode."""

import tensorflow.compat.v1 as tf

from models import max_pool


def maxima_of(pool, gradients):
    """What a pool holds, channel by channel.

    Args:
      pool: a max_pool.Pool or max_pool.GroupPool.
      gradients: float32 Tensor of the shape of its maximum, dL / da.

    Returns:
      Tuple of Tensors as for `runner_up.runner_up`: four of a pool over all points, seven of one over groups.
    """
    found = (gradients, pool.maximum, pool.seconds, pool.holders)
    if not isinstance(pool, max_pool.GroupPool):
        return found
    num_channels = pool.features.shape.as_list()[-1]
    found = [_by_group(tensor, [num_channels]) for tensor in found + (pool.nexts,)]
    return tuple(found) + (pool.members[:, :, : pool.size], pool.owners)


def layer_of(pool, gradients):
    """A pool with all values that its maxima are taken of.

    Args:
      pool, gradients: as for `maxima_of`.

    Returns:
      Of a pool over all points two Tensors: the features [B, N, K] and the gradients [B, K]. Of one over groups five:
      the features [B, R, S, K], the gradients [B, R, K], which points the members are, [B, R, S], the owners [B, R],
      and how many of the S are in a group at a time, [B].
    """
    if not isinstance(pool, max_pool.GroupPool):
        return pool.features, gradients
    gradients = _by_group(gradients, [pool.features.shape.as_list()[-1]])
    sizes = tf.fill([tf.shape(gradients)[0]], pool.size)
    return pool.features, gradients, pool.members, pool.owners, sizes


def _by_group(tensor, ends):
    """A Tensor [B, K], of one group, as [B, 1, K]; one of several groups as it is."""
    return tf.reshape(tensor, [tf.shape(tensor)[0], -1] + ends)
