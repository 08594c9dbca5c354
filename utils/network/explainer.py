"""A network in a session -> logits, features and gradients as NumPy arrays, in batches that fit cache and memory."""

import numpy as np
import tensorflow.compat.v1 as tf

# Calls of this size are long enough that starting one costs nothing, and keep far below a GiB.
POINTS_PER_CALL = 32 * 1024


class Explainer:
    """Answers what the methods of `heat` and the loop of `point_drop` ask of a network."""

    def __init__(self, network):
        """Adds the gradients to the graph; the network's shapes stay free, so this is done once.

        Args:
          network: a checkpoint.Network.
        """
        self._session = network.session
        self._points = network.points
        self._logits = network.logits
        self._features = network.end_points["features"]
        self._labels = tf.placeholder(tf.int32, [None], "labels")
        class_logit = tf.reduce_sum(self._logits * tf.one_hot(self._labels, tf.shape(self._logits)[1]))
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=self._labels, logits=self._logits))
        self._logit_gradient = tf.gradients(class_logit, self._points)[0]
        self._loss_gradient = tf.gradients(loss, self._points)[0]
        channel_gradient = tf.gradients(class_logit, network.end_points["global_feature"])[0]
        self._feature_gradient, self._sums = _sums_per_point(self._features, channel_gradient)

    def logits(self, clouds, progress=None):
        """Classifies clouds.

        Args:
          clouds: float32 array [B, N, 3].
          progress: function that is told how many more clouds are done; None for none.

        Returns:
          float32 array [B, 40].
        """
        return self._in_batches(self._logits, clouds, progress=progress)

    def vote_logits(self, points, rotations):
        """Classifies one cloud under rotations, without holding all rotated clouds at once.

        Args:
          points: float32 array [N, 3].
          rotations: float32 array [V, 3, 3], applied as points . rotation.

        Returns:
          float32 array [V, 40].
        """
        return np.concatenate([self.logits(np.matmul(points, part)) for part in _parts(rotations, len(points))])

    def features_and_gradients(self, points, label):
        """The feature map of one cloud and the gradient of a class with respect to it.

        Args:
          points: float32 array [N, 3].
          label: class c.

        Returns:
          A and G = dy_c / dA, float32 arrays [N, 1024]; y_c the logit. Points that share a channel's maximum
          share its gradient equally.
        """
        features, gradients = self._session.run(
            [self._features, self._feature_gradient], {self._points: points[np.newaxis], self._labels: [label]}
        )
        return features[0], gradients[0]

    def sums_per_point(self, names, clouds, labels):
        """Sums over the channels of A and G that the methods need, taken in the graph: of N x 1024 values N come back.

        Args:
          names: list of "features" (sum_k A_ik), "largest_gradient" (max_k G_ik), "mean_gradient" (mean_k G_ik),
            "weighted_features" (sum_k A_ik mean_j G_jk), "features_x_gradients" (sum_k A_ik G_ik) and "held_channels"
            (the number of channels whose maximum, above 0, the point holds).
          clouds: float32 array [B, N, 3].
          labels: class c of G = dy_c / dA: int array [B], or one int for all.

        Returns:
          List of float32 arrays [B, N].
        """
        return self._in_batches([self._sums[name] for name in names], clouds, labels)

    def logit_gradients(self, clouds, labels):
        """dy_c / dx of the logits of classes [B], or of one class, for clouds [B, N, 3]: float32 array [B, N, 3]."""
        return self._in_batches(self._logit_gradient, clouds, labels)

    def loss_gradients(self, clouds, labels):
        """dL / dx of the cross-entropy with labels [B], or one label, for clouds [B, N, 3]: float32 array [B, N, 3]."""
        return self._in_batches(self._loss_gradient, clouds, labels)

    def _in_batches(self, fetches, clouds, labels=None, progress=None):
        """Runs a Tensor or a list of Tensors on all clouds; returns an array or a list of arrays."""
        results = []
        # Logits need no labels, but a feed that is not used costs nothing.
        labels = np.broadcast_to(0 if labels is None else labels, len(clouds))
        parts = zip(_parts(clouds, clouds.shape[1]), _parts(labels, clouds.shape[1]))
        for part, part_labels in parts:
            results.append(self._session.run(fetches, {self._points: part, self._labels: part_labels}))
            if progress:
                progress(len(part))
        if isinstance(fetches, list):
            return [np.concatenate(values) for values in zip(*results)]
        return np.concatenate(results)


def _sums_per_point(features, channel_gradient):
    """The gradient of the feature map, and the sums of Explainer.sums_per_point.

    Args:
      features: float32 Tensor [B, N, K], A.
      channel_gradient: float32 Tensor [B, K], of the class logit with respect to the maximum of each channel.

    Returns:
      float32 Tensor [B, N, K], G, and a dictionary of float32 Tensors [B, N].
    """
    maximum = tf.reduce_max(features, axis=1, keepdims=True)
    is_held = tf.cast(tf.equal(features, maximum), tf.float32)
    # Points that share a maximum share its gradient equally, as with tf.reduce_max.
    gradient = is_held * (channel_gradient[:, tf.newaxis] / tf.reduce_sum(is_held, axis=1, keepdims=True))
    mean_over_points = channel_gradient[:, :, tf.newaxis] / tf.cast(tf.shape(features)[1], tf.float32)
    return gradient, {
        "features": tf.reduce_sum(features, axis=2),
        "largest_gradient": tf.reduce_max(gradient, axis=2),
        "mean_gradient": tf.reduce_mean(gradient, axis=2),
        "weighted_features": tf.squeeze(tf.matmul(features, mean_over_points), axis=2),
        "features_x_gradients": tf.reduce_sum(features * gradient, axis=2),
        "held_channels": tf.reduce_sum(is_held * tf.cast(maximum > 0, tf.float32), axis=2),
    }


def _parts(items, points_each):
    """Splits an array along its first axis into parts of about POINTS_PER_CALL points."""
    count = max(1, POINTS_PER_CALL // points_each)
    for start in range(0, len(items), count):
        yield items[start : start + count]
