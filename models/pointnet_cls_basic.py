"""PointNet for classification without T-Nets ("vanilla" in Qi et al., arXiv 1612.00593)."""

import tensorflow.compat.v1 as tf

from utils import tf_util

# From the logits down, as they are re-initialised one by one to test an explanation.
LAYERS_FROM_TOP = ("fc3", "fc2", "fc1", "conv5", "conv4", "conv3", "conv2", "conv1")


def get_model(points, is_training, bn_decay=None, num_classes=40):
    """Point clouds -> logits.

    Args:
      points: float32 Tensor [B, N, 3]; N may be unknown.
      is_training: Python bool; batch statistics and dropout if true, else moving averages.
      bn_decay: scalar Tensor, decay of the moving averages; needed in training only.
      num_classes: width of the last layer.

    Returns:
      logits: float32 Tensor [B, num_classes].
      end_points: dictionary of Tensors: "features": [B, N, 1024], the feature map before the max-pool.
    """
    net = tf_util.shared_dense(points, 64, "conv1", is_training, bn_decay)
    net = tf_util.shared_dense(net, 64, "conv2", is_training, bn_decay)
    net = tf_util.shared_dense(net, 64, "conv3", is_training, bn_decay)
    net = tf_util.shared_dense(net, 128, "conv4", is_training, bn_decay)
    net, features = tf_util.shared_dense_max(net, 1024, "conv5", is_training, bn_decay)
    global_feature = net

    net = tf_util.dense(net, 512, "fc1", is_training, bn_decay)
    net = tf_util.dense(net, 256, "fc2", is_training, bn_decay)
    net = tf_util.dropout(net, 0.7, is_training)
    logits = tf_util.linear(net, num_classes, "fc3")
    return logits, {"features": features, "global_feature": global_feature}


def get_loss(logits, labels, end_points):
    """Cross-entropy.

    Args:
      logits: float32 Tensor [B, C].
      labels: int32 Tensor [B].
      end_points: what `get_model` returned; not used, as this network has nothing to regularise.

    Returns:
      The same scalar Tensor twice, as `pointnet_cls.get_loss` returns the loss and the cross-entropy in it.
    """
    cross_entropy = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    return cross_entropy, cross_entropy
