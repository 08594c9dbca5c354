"""The loss that heat is the derivative of, precise where a network is certain, and the gradient of the feature map."""

import tensorflow.compat.v1 as tf

from utils import tf_util


def cross_entropy(logits, is_class, class_logits):
    """The cross-entropy [B] of logits [B, C] with the class that is 1 in is_class [B, C], whose logits are [B].

    log(1 + sum of exp(y_k - y_c) over the other classes k): where a network is certain, the difference of 1 and a
    probability beside 1, which the usual gradient is, would be rounding and nothing else.
    """
    # Of few rows or the last ones exp and log would be computed in another way than of many.
    num_rows = tf.shape(logits)[0]
    logits, is_class, class_logits = (
        tf_util.filled_up(values, -num_rows % tf_util.VECTOR) for values in (logits, is_class, class_logits)
    )
    others = tf.where(is_class > 0, tf.fill(tf.shape(logits), logits.dtype.min), logits)
    odds = tf.reduce_logsumexp(others, axis=1) - class_logits
    # log(1 + exp(odds)); the gradient of tf.nn.softplus is 0 below -18 in TensorFlow 1.15.
    return tf.nn.sigmoid_cross_entropy_with_logits(logits=odds, labels=tf.zeros_like(odds))[:num_rows]


def feature_gradients(features, channel_gradients):
    """The gradient of the feature map, from that of its maximum over the points.

    Args:
      features: float32 Tensor [B, N, K], A.
      channel_gradients: float32 Tensor [B, K], of the class logit with respect to the maximum of each channel.

    Returns:
      float32 Tensor [B, N, K], G.
    """
    maximum = tf.reduce_max(features, axis=1, keepdims=True)
    is_held = tf.cast(tf.equal(features, maximum), tf.float32)
    # Points that share a maximum share its gradient equally, as with tf.reduce_max.
    return is_held * (channel_gradients[:, tf.newaxis] / tf.reduce_sum(is_held, axis=1, keepdims=True))
