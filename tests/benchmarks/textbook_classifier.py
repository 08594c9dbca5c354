"""The answers of a Classifier the textbook way, to time ours against."""

import numpy as np


def of(prefix, is_textbook, opened, label=0, model_name="pointnet_cls"):
    """A Classifier of a checkpoint, or a TextbookClassifier of it; `opened` is an ExitStack that closes it."""
    from utils.network import checkpoint, classifier

    if is_textbook:
        return TextbookClassifier(prefix, opened, label, model_name)
    return classifier.Classifier(opened.enter_context(checkpoint.restore(prefix)))


class TextbookClassifier:
    """The answers of a Classifier, one cloud a session call, with the gradients that TensorFlow derives."""

    def __init__(self, prefix, opened, label=0, model_name="pointnet_cls"):
        import tensorflow.compat.v1 as tf
        import textbook

        import models
        from utils.network import checkpoint

        graph = tf.Graph()
        # Its session stays open; the graph is the default one while it is built alone.
        with graph.as_default(), textbook.layers():
            self._points = tf.placeholder(tf.float32, [None, None, 3])
            self._logits, end_points = models.network(model_name).get_model(self._points, 40, is_training=False)
            self._features = end_points["features"]
            loss = tf.reduce_sum(
                tf.nn.sparse_softmax_cross_entropy_with_logits(
                    labels=tf.fill(tf.shape(self._logits)[:1], label), logits=self._logits
                )
            )
            self._loss_gradient = tf.gradients(loss, self._points)[0]
            self._feature_gradient = tf.gradients(self._logits[:, label], self._features)[0]
            variables = tf.global_variables()
        opened.enter_context(graph.as_default())
        # A session as anybody opens it; ours prepares less.
        self._session = opened.enter_context(tf.Session(config=tf.ConfigProto(allow_soft_placement=True)))
        checkpoint.load(self._session, prefix, variables, model_name)

    def logits(self, clouds):
        return np.concatenate([self._session.run(self._logits, {self._points: cloud[np.newaxis]}) for cloud in clouds])

    def vote_logits(self, points, rotations):
        return self.logits([points.dot(rotation) for rotation in rotations])

    def vote_logits_and_features(self, points, rotations):
        """As upstream's p_grad_CAM votes: the feature map comes back with each, and that of the last is used."""
        return np.concatenate(
            [
                self._session.run([self._logits, self._features], {self._points: points.dot(rotation)[np.newaxis]})[0]
                for rotation in rotations
            ]
        )

    def quantities(self, names, clouds, labels, is_target=False):
        """The points and the loss gradients of the label, one cloud a batch: all that ASM takes."""
        for cloud in clouds:
            found = {"points": cloud[np.newaxis]}
            found["loss_gradients"] = self._session.run(self._loss_gradient, {self._points: cloud[np.newaxis]})
            yield [found[name] for name in names]

    def p_grad_cam(self, points):
        features, gradients = self._session.run(
            [self._features, self._feature_gradient], {self._points: points[np.newaxis]}
        )
        weights = np.repeat(gradients[0].max(axis=1, keepdims=True), gradients.shape[2], axis=1)
        return np.maximum(np.diag(weights.dot(features[0].T)), 0)
