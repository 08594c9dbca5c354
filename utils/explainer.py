"""A network in a session -> logits, features and gradients as NumPy arrays, in batches that fit the memory."""
import numpy as np
import tensorflow.compat.v1 as tf

# A feature map of 1024 channels takes 4 KiB a point, and some three of them live at once.
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
        loss = tf.reduce_sum(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=self._labels, logits=self._logits))
        self._feature_gradient = tf.gradients(class_logit, self._features)[0]
        self._logit_gradient = tf.gradients(class_logit, self._points)[0]
        self._loss_gradient = tf.gradients(loss, self._points)[0]

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
            [self._features, self._feature_gradient], {self._points: points[np.newaxis], self._labels: [label]})
        return features[0], gradients[0]

    def features(self, points):
        """The feature map A of one cloud [N, 3]: float32 array [N, 1024]."""
        return self._session.run(self._features, {self._points: points[np.newaxis]})[0]

    def logit_gradients(self, clouds, label):
        """dy_c / dx of the logit of class `label`: float32 array [B, N, 3] for clouds [B, N, 3]."""
        return self._in_batches(self._logit_gradient, clouds, np.full(len(clouds), label))

    def loss_gradients(self, clouds, label):
        """dL / dx of the cross-entropy with `label`: float32 array [B, N, 3] for clouds [B, N, 3]."""
        return self._in_batches(self._loss_gradient, clouds, np.full(len(clouds), label))

    def _in_batches(self, fetch, clouds, labels=None, progress=None):
        results = []
        start = 0
        for part in _parts(clouds, clouds.shape[1]):
            feed = {self._points: part}
            if labels is not None:
                feed[self._labels] = labels[start:start + len(part)]
            results.append(self._session.run(fetch, feed))
            start += len(part)
            if progress:
                progress(len(part))
        return np.concatenate(results)


def _parts(items, points_each):
    """Splits an array along its first axis into parts of about POINTS_PER_CALL points."""
    count = max(1, POINTS_PER_CALL // points_each)
    for start in range(0, len(items), count):
        yield items[start:start + count]
