"""The networks that `--model` names, one file each.

A network declares, and nothing else in the program knows:

- `LAYERS_FROM_TOP`: names of its layers, as those of its variables begin, from the logits down. They tell a checkpoint
  of this network from others, where those have other layers, and are re-initialised one by one to test an explanation.
- `IGNORES_REPEATED_POINTS`: whether the logits depend on the points through the maxima in "pools" alone, so that a
  point that is there twice changes nothing, and one that holds no maximum alone can go.
- `POINTWISE_POOL`: the name, in "pools", of the one whose features are of each point alone, whichever others are there;
  None where there is none.
- `POINTS_PER_CALL`: about how many points of clouds go through it together, which bounds the memory. Fewer would spend
  their time on starting calls, more outgrow the processor's cache.
- `get_model(points, num_classes, is_training, bn_decay)`: point clouds -> logits and end points. One that sees how
  dense points lie may take a `density` as well, the share of its points that a cloud has in training: its groups shrink
  with that, so that they are as large on the surface as those of the whole cloud.
- `get_loss(logits, labels, end_points, label_smoothing)`: the loss to minimise, and the cross-entropy in it.

The end points are a dictionary. Those of every network, for B clouds of N points:

- "features": float32 Tensor [B, M, K], the feature map before the last max-pool. It is for looking at: gradients stop
  there.
- "feature_points": float32 Tensor [B, M, 3], where the rows of the feature map lie.
- "global_feature": float32 Tensor [B, K], the maximum of the feature map over its rows.
- "pools": every maximum over points that the logits depend on, from the input up: a dictionary from the name of its
  layer to a `max_pool.Pool` or, over groups of points, a `max_pool.GroupPool`.
"""

import importlib
import inspect

NAMES = ("pointnet_cls", "pointnet_cls_basic", "pointnet2_cls_ssg", "dgcnn")


def network(name):
    """The module of a network, imported when asked for: TensorFlow takes seconds to load."""
    return importlib.import_module("models." + name)


def knows_densities(name):
    """Whether a network that is trained on a share of each cloud's points is one for whole clouds, too."""
    module = network(name)
    return module.IGNORES_REPEATED_POINTS or "density" in inspect.signature(module.get_model).parameters


def at_density(count, density):
    """What is left of so many members or centres of a group, at a share of the points; at least 1."""
    return max(1, int(round(count * density)))
