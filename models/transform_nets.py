"""The T-Nets of PointNet (arXiv 1612.00593) and DGCNN: small networks that predict a matrix for their input."""

import tensorflow.compat.v1 as tf

from models import edge_conv, max_pool
from utils import tf_util


def input_transform_net(points, is_training, bn_decay=None):
    """The rotation-like matrix that aligns the input.

    Args:
      points: float32 Tensor [B, N, 3].
      is_training: Python bool.
      bn_decay: scalar Tensor, needed in training only.

    Returns:
      The matrix, float32 Tensor [B, 3, 3], and the Pool of 1024 channels that it follows from.
    """
    return _transform_net(points, "transform_net1", "transform_XYZ", is_training, bn_decay)


def feature_transform_net(features, is_training, bn_decay=None):
    """The matrix that aligns the features of the points.

    Args:
      features: float32 Tensor [B, N, K].
      is_training: Python bool.
      bn_decay: scalar Tensor, needed in training only.

    Returns:
      The matrix, float32 Tensor [B, K, K], and the Pool of 1024 channels that it follows from.
    """
    return _transform_net(features, "transform_net2", "transform_feat", is_training, bn_decay)


def edge_transform_net(points, neighbours, is_training, bn_decay=None):
    """The matrix that aligns the input of DGCNN, from the edges between near points.

    Args:
      points: float32 Tensor [B, N, 3].
      neighbours: int32 Tensor [B, N, k], of each point.
      is_training: Python bool.
      bn_decay: scalar Tensor, needed in training only.

    Returns:
      The matrix, float32 Tensor [B, 3, 3], and the Pools that it follows from, by the names of their layers.
    """
    with tf.variable_scope("transform_net1"):
        edge_pool = edge_conv.two_edge_convs_max(
            points, neighbours, (64, 128), ("tconv1", "tconv2"), is_training, bn_decay
        )
        matrix, pool = _matrix(edge_pool.maximum, 3, "transform_XYZ", is_training, bn_decay)
    return matrix, {"transform_net1/tconv2": edge_pool, "transform_net1/tconv3": pool}


def _transform_net(points, scope, last_scope, is_training, bn_decay):
    with tf.variable_scope(scope):
        net = tf_util.shared_dense(points, 64, "tconv1", is_training, bn_decay)
        net = tf_util.shared_dense(net, 128, "tconv2", is_training, bn_decay)
        return _matrix(net, points.shape.as_list()[2], last_scope, is_training, bn_decay)


def _matrix(features, size, last_scope, is_training, bn_decay):
    """The layers of a T-Net from its last feature map [B, N, K] on: a matrix [B, size, size], and the Pool."""
    pool = max_pool.shared_dense_max(features, 1024, "tconv3", is_training, bn_decay)
    net = tf_util.dense(pool.maximum, 512, "tfc1", is_training, bn_decay)
    net = tf_util.dense(net, 256, "tfc2", is_training, bn_decay)
    # Zero weights and the identity added here make it start as no transform at all.
    offset = tf_util.linear(net, size * size, last_scope, is_training, tf.zeros_initializer())
    return tf.reshape(offset, [-1, size, size]) + tf.eye(size), pool
