"""DGCNN for classification (Wang et al., arXiv 1801.07829, figure 3), as in its authors' TensorFlow branch."""

import tensorflow.compat.v1 as tf

from models import at_density, edge_conv, max_pool
from models.grouping import nearest_neighbours
from models.transform_nets import edge_transform_net
from utils import tf_util

NUM_NEIGHBOURS = 20
LAYERS_FROM_TOP = ("fc3", "fc2", "fc1", "agg", "dgcnn4", "dgcnn3", "dgcnn2", "dgcnn1", "transform_net1")
IGNORES_REPEATED_POINTS = False
POINTWISE_POOL = None
POINTS_PER_CALL = 8 * 1024


def get_model(points, num_classes, is_training, bn_decay=None, density=1.0):
    """Point clouds -> logits.

    Args:
      points: float32 Tensor [B, N, 3]; N may be unknown.
      num_classes: width of the last layer, C.
      is_training: Python bool; batch statistics and dropout if true, else moving averages.
      bn_decay: scalar Tensor, decay of the moving averages; needed in training only.
      density: share of its points that a cloud has in training; a point has that share of its neighbours.

    Returns:
      logits: float32 Tensor [B, C].
      end_points: dictionary of Tensors, see `models`:
        "features": [B, N, 1024], the feature map before the last max-pool;
        "feature_points": [B, N, 3], its rows lie at the points;
        "global_feature": [B, 1024], its maximum over the points;
        "pools": over neighbours, of the T-Net's second layer and dgcnn1 to dgcnn4, 128, 64, 64, 64 and 128 channels a
          point; over all points, of the T-Net's third layer and agg, 1024 channels each.
    """
    k = at_density(NUM_NEIGHBOURS, density)
    transform, pools = edge_transform_net(points, nearest_neighbours(points, k), is_training, bn_decay)
    net = tf_util.transformed(points, transform)
    maps = []
    for scope, width in (("dgcnn1", 64), ("dgcnn2", 64), ("dgcnn3", 64), ("dgcnn4", 128)):
        neighbours = nearest_neighbours(net, k)
        pools[scope] = edge_conv.edge_conv_max(net, neighbours, width, scope, is_training, bn_decay)
        net = pools[scope].maximum
        maps.append(net)
    net = tf.concat(maps, axis=2)
    pool = pools["agg"] = max_pool.shared_dense_max(net, 1024, "agg", is_training, bn_decay)

    net = tf_util.dense(pool.maximum, 512, "fc1", is_training, bn_decay)
    net = tf_util.dropout(net, 0.5, is_training)
    net = tf_util.dense(net, 256, "fc2", is_training, bn_decay)
    net = tf_util.dropout(net, 0.5, is_training)
    logits = tf_util.linear(net, num_classes, "fc3", is_training)
    return logits, {"features": pool.features, "feature_points": points, "global_feature": pool.maximum, "pools": pools}


def get_loss(logits, labels, end_points, label_smoothing=0.0):
    """Cross-entropy; upstream trains with labels smoothed by 0.2.

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
