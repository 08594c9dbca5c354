"""PointNet for classification, with its T-Nets (Qi et al., arXiv 1612.00593, figure 2)."""

import tensorflow.compat.v1 as tf

from models import max_pool
from models.transform_nets import feature_transform_net, input_transform_net
from utils import tf_util

REGULARISER_WEIGHT = 0.001
LAYERS_FROM_TOP = ("fc3", "fc2", "fc1", "conv5", "conv4", "conv3", "transform_net2", "conv2", "conv1", "transform_net1")
IGNORES_REPEATED_POINTS = True
POINTWISE_POOL = "transform_net1/tconv3"
POINTS_PER_CALL = 32 * 1024


def get_model(points, num_classes, is_training, bn_decay=None):
    """Point clouds -> logits.

    Args:
      points: float32 Tensor [B, N, 3]; N may be unknown.
      num_classes: width of the last layer, C.
      is_training: Python bool; batch statistics and dropout if true, else moving averages.
      bn_decay: scalar Tensor, decay of the moving averages; needed in training only.

    Returns:
      logits: float32 Tensor [B, C].
      end_points: dictionary of Tensors, see `models`:
        "features": [B, N, 1024], the feature map before the last max-pool;
        "feature_points": [B, N, 3], its rows lie at the points;
        "global_feature": [B, 1024], its maximum over the points;
        "pools": of both T-Nets and conv5, 1024 channels each;
        "feature_transform": [B, 64, 64], the matrix of the feature T-Net.
    """
    transform, input_pool = input_transform_net(points, is_training, bn_decay)
    net = tf_util.transformed(points, transform)
    net = tf_util.shared_dense(net, 64, "conv1", is_training, bn_decay)
    net = tf_util.shared_dense(net, 64, "conv2", is_training, bn_decay)

    feature_transform, feature_pool = feature_transform_net(net, is_training, bn_decay)
    net = tf_util.transformed(net, feature_transform)
    net = tf_util.shared_dense(net, 64, "conv3", is_training, bn_decay)
    net = tf_util.shared_dense(net, 128, "conv4", is_training, bn_decay)
    pool = max_pool.shared_dense_max(net, 1024, "conv5", is_training, bn_decay)

    net = tf_util.dense(pool.maximum, 512, "fc1", is_training, bn_decay)
    net = tf_util.dropout(net, 0.7, is_training)
    net = tf_util.dense(net, 256, "fc2", is_training, bn_decay)
    net = tf_util.dropout(net, 0.7, is_training)
    logits = tf_util.linear(net, num_classes, "fc3", is_training)
    return logits, {
        "features": pool.features,
        "feature_points": points,
        "global_feature": pool.maximum,
        "pools": {"transform_net1/tconv3": input_pool, "transform_net2/tconv3": feature_pool, "conv5": pool},
        "feature_transform": feature_transform,
    }


def get_loss(logits, labels, end_points, label_smoothing=0.0):
    """Cross-entropy plus the regulariser that keeps the feature transform near orthogonal.

    Args:
      logits: float32 Tensor [B, C].
      labels: int32 Tensor [B].
      end_points: what `get_model` returned.
      label_smoothing: as for `tf_util.cross_entropy`.

    Returns:
      Two scalar Tensors, means over the batch: the loss to minimise and the cross-entropy in it. As upstream, the
      regulariser is the sum over the batch, not its mean.
    """
    cross_entropy = tf_util.cross_entropy(logits, labels, label_smoothing)
    transform = end_points["feature_transform"]
    distance = tf.nn.l2_loss(tf.matmul(transform, transform, transpose_b=True) - tf.eye(transform.shape.as_list()[1]))
    return cross_entropy + REGULARISER_WEIGHT * tf_util.batch_sum(distance), cross_entropy
