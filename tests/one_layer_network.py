"""A network of one layer in the place of all others: a training of it takes a second, and is the same bit for bit."""

import tensorflow.compat.v1 as tf

import models
from utils import tf_util
from utils.network import checkpoint_paths

LAYERS_FROM_TOP = ("fc3",)


def install():
    """Puts it in the place of every network, in this process."""
    import one_layer_network

    models.network = lambda name: one_layer_network
    models.NAMES = ("pointnet_cls_basic",)  # checkpoints are told apart by their layers


def forget_dropout():
    """Lets the networks train without dropout, which draws anew after each start."""
    tf_util.dropout = lambda inputs, keep_prob, is_training: inputs


def get_model(points, num_classes, is_training, bn_decay=None):
    """As of any network: points float32 [B, N, 3] -> logits [B, C] and no end points."""
    with tf.variable_scope("fc3"):
        weights = tf.get_variable("weights", [3, num_classes])
        biases = tf.get_variable("biases", [num_classes])
    # The maximum of N points, and dim numbers: a step changes which class is the likeliest of some clouds.
    return tf.matmul(tf.reduce_max(points, axis=1), weights) + biases, {}


def get_loss(logits, labels, end_points, label_smoothing=0.0):
    """As of any network: the loss, and the cross-entropy in it."""
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    return loss, loss


def read(prefix):
    """The values of a checkpoint of any network, whose save may have been cut off: {name: array}."""
    with checkpoint_paths.readable(prefix) as readable:
        reader = tf.train.NewCheckpointReader(readable)
        return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
