"""PointNet for classification without T-Nets ("vanilla" in Qi et al., arXiv 1612.00593)."""

from models import max_pool
from utils import tf_util

LAYERS_FROM_TOP = ("fc3", "fc2", "fc1", "conv5", "conv4", "conv3", "conv2", "conv1")
IGNORES_REPEATED_POINTS = True
POINTWISE_POOL = "conv5"
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
        "features": [B, N, 1024], the feature map before the max-pool;
        "feature_points": [B, N, 3], its rows lie at the points;
        "global_feature": [B, 1024], its maximum over the points;
        "pools": of conv5 alone, 1024 channels.
    """
    net = tf_util.shared_dense(points, 64, "conv1", is_training, bn_decay)
    net = tf_util.shared_dense(net, 64, "conv2", is_training, bn_decay)
    net = tf_util.shared_dense(net, 64, "conv3", is_training, bn_decay)
    net = tf_util.shared_dense(net, 128, "conv4", is_training, bn_decay)
    pool = max_pool.shared_dense_max(net, 1024, "conv5", is_training, bn_decay)

    net = tf_util.dense(pool.maximum, 512, "fc1", is_training, bn_decay)
    net = tf_util.dense(net, 256, "fc2", is_training, bn_decay)
    net = tf_util.dropout(net, 0.7, is_training)
    logits = tf_util.linear(net, num_classes, "fc3", is_training)
    return logits, {
        "features": pool.features,
        "feature_points": points,
        "global_feature": pool.maximum,
        "pools": {"conv5": pool},
    }


def get_loss(logits, labels, end_points, label_smoothing=0.0):
    """Cross-entropy.

    Args:
      logits: float32 Tensor [B, C].
      labels: int32 Tensor [B].
      end_points: what `get_model` returned; not used, as this network has nothing to regularise.
      label_smoothing: as for `tf_util.cross_entropy`.

    Returns:
      The same scalar Tensor twice, as `pointnet_cls.get_loss` returns the loss and the cross-entropy in it.
    """
    cross_entropy = tf_util.cross_entropy(logits, labels, label_smoothing)
    return cross_entropy, cross_entropy
