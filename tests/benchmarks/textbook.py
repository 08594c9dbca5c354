"""The layers of `tf_util`, `max_pool` and `edge_conv` as a textbook writes them, for values and speed to compare with.

Convolutions, batch norm by tf.nn.moments, tf.reduce_max, and the gradients that TensorFlow derives by itself.
"""

import contextlib
from unittest import mock

import tensorflow.compat.v1 as tf

from models import edge_conv, max_pool
from utils import tf_util


@contextlib.contextmanager
def layers():
    """Context in which the networks of `models` are built of these layers."""
    of_pool = mock.patch.object(max_pool, "shared_dense_max", shared_dense_max)
    of_edges = mock.patch.multiple(edge_conv, edge_conv_max=edge_conv_max, two_edge_convs_max=two_edge_convs_max)
    with of_pool, of_edges, mock.patch.multiple(tf_util, shared_dense=shared_dense, dense=dense):
        yield


def edge_conv_max(features, neighbours, num_outputs, scope, is_training, bn_decay=None):
    edges = _dense_of_edges(edge_features(features, neighbours), num_outputs, scope, is_training, bn_decay)
    return max_pool.Pool(tf.reduce_max(edges, axis=2), None, None, None)


def two_edge_convs_max(features, neighbours, widths, scopes, is_training, bn_decay=None):
    edges = edge_features(features, neighbours)
    for width, scope in zip(widths, scopes):
        edges = _dense_of_edges(edges, width, scope, is_training, bn_decay)
    return max_pool.Pool(tf.reduce_max(edges, axis=2), None, None, None)


def edge_features(features, neighbours):
    """[x_i, x_j - x_i] of each point and neighbour, [B, N, k, 2 C]."""
    others = tf.gather(features, neighbours, batch_dims=1)
    own = tf.tile(features[:, :, tf.newaxis], [1, 1, tf.shape(neighbours)[2], 1])
    return tf.concat([own, others - own], axis=3)


def _dense_of_edges(edges, num_outputs, scope, is_training, bn_decay):
    with tf.variable_scope(scope):
        kernel, biases = _weights([1, 1, edges.shape.as_list()[3], num_outputs])
        product = tf.nn.conv2d(edges, kernel, [1, 1, 1, 1], "VALID") + biases
        return tf.nn.relu(_batch_norm(product, [0, 1, 2], is_training, bn_decay))


def shared_dense(points, num_outputs, scope, is_training, bn_decay=None):
    num_inputs = points.shape.as_list()[2]
    with tf.variable_scope(scope):
        if num_inputs == 3:
            image, kernel_shape = points[:, :, :, tf.newaxis], [1, 3, 1, num_outputs]
        else:
            image, kernel_shape = points[:, :, tf.newaxis], [1, 1, num_inputs, num_outputs]
        kernel, biases = _weights(kernel_shape)
        product = tf.nn.conv2d(image, kernel, [1, 1, 1, 1], "VALID") + biases
        return tf.nn.relu(_batch_norm(product, [0, 1, 2], is_training, bn_decay))[:, :, 0]


def shared_dense_max(points, num_outputs, scope, is_training, bn_decay=None):
    features = shared_dense(points, num_outputs, scope, is_training, bn_decay)
    return max_pool.Pool(tf.reduce_max(features, axis=1), features, None, None)


def dense(inputs, num_outputs, scope, is_training, bn_decay=None):
    with tf.variable_scope(scope):
        weights, biases = _weights([inputs.shape.as_list()[1], num_outputs])
        return tf.nn.relu(_batch_norm(tf.matmul(inputs, weights) + biases, [0], is_training, bn_decay))


def _weights(shape):
    return (
        tf.get_variable("weights", shape, initializer=tf.glorot_uniform_initializer()),
        tf.get_variable("biases", shape[-1:], initializer=tf.zeros_initializer()),
    )


def _batch_norm(product, axes, is_training, bn_decay):
    with tf.variable_scope("bn"):
        shape = product.shape.as_list()[-1:]
        beta = tf.get_variable("beta", shape, initializer=tf.zeros_initializer())
        gamma = tf.get_variable("gamma", shape, initializer=tf.ones_initializer())
        moving_mean = tf.get_variable("moving_mean", shape, initializer=tf.zeros_initializer(), trainable=False)
        moving_variance = tf.get_variable("moving_variance", shape, initializer=tf.ones_initializer(), trainable=False)
        mean, variance = tf.nn.moments(product, axes)
        if not is_training:
            # As in upstream PointNet: one graph for both, so the moments are computed, and then not used.
            mean, variance = tf.cond(
                tf.placeholder_with_default(False, []),
                lambda: (mean, variance),
                lambda: (tf.identity(moving_mean), tf.identity(moving_variance)),
            )
            return tf.nn.batch_normalization(product, mean, variance, beta, gamma, 1e-3)
        tf.add_to_collection(
            tf.GraphKeys.UPDATE_OPS, tf.assign(moving_mean, bn_decay * moving_mean + (1 - bn_decay) * mean)
        )
        tf.add_to_collection(
            tf.GraphKeys.UPDATE_OPS, tf.assign(moving_variance, bn_decay * moving_variance + (1 - bn_decay) * variance)
        )
        return tf.nn.batch_normalization(product, mean, variance, beta, gamma, 1e-3)
