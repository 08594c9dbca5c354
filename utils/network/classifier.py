"""A network in a session -> logits, features and gradients as NumPy arrays, in batches that fit cache and memory."""

import functools

import numpy as np
import tensorflow.compat.v1 as tf

# Calls of this size are long enough that starting one costs nothing, and keep far below a GiB.
POINTS_PER_CALL = 32 * 1024

# What the formulas of heat may take of a network, for B clouds of N points and a class c of each.
QUANTITIES = {
    "points": "x, the coordinates: float32 [B, N, 3]",
    "features": "A, the feature map before the last max-pool: float32 [B, N, K]",
    "feature_gradients": "G = dy_c / dA, y_c the logit: float32 [B, N, K]; points that share a channel's maximum share "
    "its gradient equally",
    "logit_gradients": "dy_c / dx: float32 [B, N, 3]",
    "loss_gradients": "dL / dx, L the cross-entropy with c: float32 [B, N, 3]",
    "logit_gradients_of": "function of clouds [B, S, N, 3] -> dy_c / dx of these, float32 [B, S, N, 3]",
    "loss_gradients_of": "function of clouds [B, S, N, 3] -> dL / dx of these, float32 [B, S, N, 3]",
}


class Classifier:
    """Answers what the methods of heat and the dropping loop ask of a network.

    Attributes:
      network: the checkpoint.Network that it asks.
      class_names: tuple of the C class names.
    """

    def __init__(self, network):
        """Adds the gradients to the graph; the network's shapes stay free, so this is done once.

        Args:
          network: a checkpoint.Network.
        """
        self.network = network
        self.class_names = tuple(network.class_names)
        self._session = network.session
        self._points = network.points
        self._logits = network.logits
        self._labels = tf.placeholder(tf.int32, [None], "labels")
        class_logit = tf.reduce_sum(self._logits * tf.one_hot(self._labels, tf.shape(self._logits)[1]))
        loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=self._labels, logits=self._logits))
        features = network.end_points["features"]
        channel_gradients = tf.gradients(class_logit, network.end_points["global_feature"])[0]
        self._tensors = {
            "points": self._points,
            "features": features,
            "feature_gradients": _feature_gradients(features, channel_gradients),
            "logit_gradients": tf.gradients(class_logit, self._points)[0],
            "loss_gradients": tf.gradients(loss, self._points)[0],
        }

    def logits(self, clouds, progress=None):
        """Classifies clouds.

        Args:
          clouds: float32 array [B, N, 3].
          progress: function that is told how many more clouds are done; None for none.

        Returns:
          float32 array [B, C].
        """
        results = []
        for part in _parts(clouds, clouds.shape[1]):
            results.append(self._session.run(self._logits, {self._points: part}))
            if progress:
                progress(len(part))
        return np.concatenate(results)

    def vote_logits(self, points, rotations):
        """Classifies one cloud under rotations, without holding all rotated clouds at once.

        Args:
          points: float32 array [N, 3].
          rotations: float32 array [V, 3, 3], applied as points . rotation.

        Returns:
          float32 array [V, C].
        """
        parts = _parts(rotations, len(points))
        return np.concatenate([self.logits(np.matmul(points, part)) for part in parts])

    def quantities(self, names, clouds, labels):
        """What a formula of heat takes, in batches of a few clouds each.

        Args:
          names: of QUANTITIES.
          clouds: float32 array [B, N, 3].
          labels: class c of each: int array [B], or one int for all.

        Yields:
          Of each batch, a list of what QUANTITIES says, in the order of the names.
        """
        labels = np.broadcast_to(labels, len(clouds))
        fetched = [name for name in names if name in self._tensors and name != "points"]
        for part, part_labels in zip(_parts(clouds, clouds.shape[1]), _parts(labels, clouds.shape[1])):
            found = {"points": part}
            for name in ("logit_gradients", "loss_gradients"):
                found[name + "_of"] = functools.partial(self._gradients_of, name, part_labels)
            if fetched:
                values = self._session.run(
                    [self._tensors[name] for name in fetched], {self._points: part, self._labels: part_labels}
                )
                found.update(zip(fetched, values))
            yield [found[name] for name in names]

    def _gradients_of(self, name, labels, clouds):
        """The quantity `name`, [B, S, N, 3], of other clouds [B, S, N, 3] for the classes [B]."""
        flat = clouds.reshape((-1,) + clouds.shape[2:])
        batches = self.quantities([name], flat, np.repeat(labels, clouds.shape[1]))
        return np.concatenate([gradients for (gradients,) in batches]).reshape(clouds.shape)


def _feature_gradients(features, channel_gradients):
    """The gradient of the feature map, from that of its maximum over the points.

    Args:
      features: float32 Tensor [B, N, K], A.
      channel_gradients: float32 Tensor [B, K], of the class logit with respect to the maximum of each channel.

    Returns:
      float32 Tensor [B, N, K], G.
    """
    maximum = tf.reduce_max(features, axis=1, keepdims=True)
    is_held = tf.cast(tf.equal(features, maximum), tf.float32)
    # Points that share a maximum share its gradient equally, as with tf.reduce_max.
    return is_held * (channel_gradients[:, tf.newaxis] / tf.reduce_sum(is_held, axis=1, keepdims=True))


def _parts(items, points_each):
    """Splits an array along its first axis into parts of about POINTS_PER_CALL points."""
    count = max(1, POINTS_PER_CALL // points_each)
    for start in range(0, len(items), count):
        yield items[start : start + count]
