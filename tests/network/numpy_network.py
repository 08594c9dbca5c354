"""A small network written down in NumPy."""

import numpy as np
import tensorflow.compat.v1 as tf


class NumpyNetwork:
    """`pointnet_cls_basic` in evaluation mode, layer by layer as it is written down in the paper."""

    def __init__(self, prefix):
        reader = tf.train.NewCheckpointReader(prefix)
        self._value = lambda name: reader.get_tensor(name).astype(np.float64)

    def layer(self, inputs, scope):
        weights = self._value(scope + "/weights")
        product = inputs @ weights.reshape(-1, weights.shape[-1]) + self._value(scope + "/biases")
        mean, variance = self._value(scope + "/bn/moving_mean"), self._value(scope + "/bn/moving_variance")
        normal = (product - mean) / np.sqrt(variance + 1e-3)
        return np.maximum(normal * self._value(scope + "/bn/gamma") + self._value(scope + "/bn/beta"), 0)

    def features(self, points):
        """Feature map [N, 1024] of a cloud [N, 3]."""
        found = points.astype(np.float64)
        for scope in ("conv1", "conv2", "conv3", "conv4", "conv5"):
            found = self.layer(found, scope)
        return found

    def head(self, maxima):
        """Logits [C] of the maximum of the feature map, [1024]."""
        found = self.layer(self.layer(maxima, "fc1"), "fc2")
        return found @ self._value("fc3/weights") + self._value("fc3/biases")

    def logits(self, points):
        return self.head(self.features(points).max(axis=0))
