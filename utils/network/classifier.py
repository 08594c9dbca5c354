"""A network in a session -> logits, features and gradients as NumPy arrays, in batches that fit cache and memory."""

import functools

import numpy as np
import tensorflow.compat.v1 as tf

import models
from models import max_pool
from utils import tf_util
from utils.files import InputError
from utils.network import checkpoint_files, derivatives, parts, pools, votes

# What the formulas of heat may take of a network, for B clouds of N points and a class c of each. L is the
# cross-entropy with c; where c is asked about though it is not the label ("why not?"), L is -y_c, minus its logit.
QUANTITIES = {
    "points": "x, the coordinates: float32 [B, N, 3]",
    "features": "A, the feature map before the last max-pool: float32 [B, M, K], a row a point, or a centre where the "
    "network groups points",
    "feature_gradients": "G = dy_c / dA, y_c the logit: float32 [B, M, K]; rows that share a channel's maximum share "
    "its gradient equally",
    "feature_points": "where the rows of both lie: float32 [B, M, 3]; the points where there is a row a point",
    "logit_gradients": "dy_c / dx: float32 [B, N, 3]",
    "loss_gradients": "dL / dx: float32 [B, N, 3]",
    "maxima": "of each pooled layer a tuple of arrays [B, K]: dL / da, the maximum a of each channel, the second "
    "largest value b (a itself where several points share it), and the point that holds a (any of these); of a layer "
    "of R groups of S points the same [B, R, K], the values of who steps in for a member, [B, R, K], which points they "
    "are, [B, R, S], and the one with which a group goes, [B, R]",
    "matters": "points without which the logits can differ, bool [B, N]: where they depend on maxima alone, those that "
    "hold one alone",
    "logit_gradients_of": "function of clouds [B, S, N, 3] -> dy_c / dx of these, float32 [B, S, N, 3]",
    "feature_map_of": "function of clouds [B, N, 3] -> A and G of these, float32 [B, M, K], and where their rows lie",
    "pools_of": "function of the number of a cloud among the B and of clouds [G, M, 3] in the place of it and of those "
    "after it -> of each pooled layer of these its features, float32 [G, M, K], and dL / da, a their maxima, float32 "
    "[G, K]; of a layer of R groups of S points, some of which wait, [G, R, S, K] and [G, R, K], which points these "
    "are, int [G, R, S], the one with which a group goes, int [G, R], and how many are members at a time, int [G]",
    "probabilities_of_parts": "function of bool [B, S, N], which points are there -> p_c of these S parts of each "
    "cloud, float64 [B, S]",
    "losses_of_parts": "the same, of L",
}


LARGEST_COORDINATE = 1e15


class Classifier:
    """Answers what the methods of heat and the dropping loop ask of a network.

    Attributes:
      network: the checkpoint.Network that it asks.
      class_names: tuple of the C class names.
      points_per_call: about how many points of clouds go through the network together.
      known_points: how many points a cloud has of a density that the network knows; None where it sees no density.
    """

    def __init__(self, network):
        """Adds the gradients to the graph; the network's shapes stay free, so this is done once.

        Args:
          network: a checkpoint.Network.
        """
        self.network = network
        self.class_names = tuple(network.class_names)
        module = models.network(network.model_name)
        self.points_per_call = module.POINTS_PER_CALL
        self._ignores_repeats = module.IGNORES_REPEATED_POINTS
        self.known_points = None if self._ignores_repeats else checkpoint_files.num_points_of(network.config)
        self._session = network.session
        self._points = network.points
        self._logits = network.logits
        found = network.end_points["pools"]
        self._kept = found.get(module.POINTWISE_POOL)
        with self._points.graph.as_default():
            self._tensors = self._add_gradients()
            if self._kept is not None:
                self._add_kept()

    def _add_kept(self):
        """Adds to the graph what `votes` asks about the kept pool."""
        found = self.network.end_points["pools"].values()
        self._other_holders = self._holders([pool for pool in found if pool is not self._kept])
        self._channels = tf.placeholder(tf.int32, [None, None], "channels")
        self._kept_maxima = max_pool.maximum_of_channels(self._kept, self._channels)

    def _holders(self, pools):
        """The points that hold the maxima of pools, int32 Tensor [B, P, K]; -1 where it is 0, which any point holds."""
        if not pools:
            return tf.zeros([tf.shape(self._points)[0], 0, 0], tf.int32)
        nobody = -tf.ones_like(pools[0].holders)
        return tf.stack([tf.where(pool.maximum > 0, pool.holders, nobody) for pool in pools], axis=1)

    def _add_gradients(self):
        """Adds placeholders and gradients to the graph: what `quantities` fetches, a dictionary."""
        network = self.network
        self._labels = tf.placeholder(tf.int32, [None], "labels")
        self._is_target = tf.placeholder_with_default(False, [], "is_target")
        is_class = tf.one_hot(self._labels, tf.shape(self._logits)[1])
        class_logits = tf.reduce_sum(self._logits * is_class, axis=1)
        class_logit = tf.reduce_sum(class_logits)
        loss = tf.where(
            self._is_target,
            -class_logit,
            tf.reduce_sum(derivatives.cross_entropy(self._logits, is_class, class_logits)),
        )
        found = list(network.end_points["pools"].values())
        # One call each: gradients by what lies on the way to the points are on the way to theirs.
        loss_gradients, *pool_gradients = tf.gradients(loss, [self._points] + [pool.maximum for pool in found])
        features = network.end_points["features"]
        logit_gradients, channel_gradients = tf.gradients(
            class_logit, [self._points, network.end_points["global_feature"]]
        )
        tensors = {
            "features": features,
            "feature_gradients": derivatives.feature_gradients(features, channel_gradients),
            "logit_gradients": logit_gradients,
            "loss_gradients": loss_gradients,
            "maxima": [pools.maxima_of(*pair) for pair in zip(found, pool_gradients)],
            "pools": [pools.layer_of(*pair) for pair in zip(found, pool_gradients)],
        }
        # Where the rows lie at the points, these are known without asking.
        if network.end_points["feature_points"] is not self._points:
            tensors["feature_points"] = network.end_points["feature_points"]
        return tensors

    def logits(self, clouds):
        """Classifies clouds.

        Args:
          clouds: float32 array [B, N, 3].

        Returns:
          float32 array [B, C].

        Raises:
          InputError: coordinates beyond all numbers.
        """
        _check_range(clouds)
        batches = _batches(clouds, clouds.shape[1], self.points_per_call)
        logits = np.concatenate([self._session.run(self._logits, {self._points: batch}) for batch in batches])
        return _numbers(logits)

    def vote_logits(self, points, rotations):
        """Classifies one cloud under rotations, without holding all rotated clouds at once.

        Args:
          points: float32 array [N, 3].
          rotations: float32 array [V, 3, 3], applied as points . rotation.

        Returns:
          float32 array [V, C].
        """
        batches = _batches(rotations, len(points), self.points_per_call)
        return np.concatenate([self.logits(np.matmul(points, batch)) for batch in batches])

    def voter(self, points, rotations):
        """A function of points of one cloud -> what `vote_logits` gives of them, to be asked again and again.

        Where it pays and takes 2 GiB at most it keeps what does not change as points go: see `votes`.

        Args:
          points: float32 array [N, 3], all points that it will be asked about.
          rotations: float32 array [V, 3, 3].

        Returns:
          Function of float32 [M, 3] -> float32 [V, C].
        """
        if self._kept is not None and self._ignores_repeats:
            num_channels = self._kept.maximum.shape.as_list()[1]
            if votes.pays(len(points), len(rotations), num_channels):
                return votes.Votes(self, points, rotations, num_channels)
        return functools.partial(self.vote_logits, rotations=rotations)

    def kept_maxima(self, clouds, is_wanted):
        """Some maxima of the kept pool, and who holds them.

        Args:
          clouds: float32 array [B, N, 3], N a multiple of max_pool.MAX_BLOCK.
          is_wanted: bool array [B, K], the channels of each cloud; others may come, too.

        Yields:
          For a batch of clouds at a time: their numbers [P], the channels [P, M], and their maxima and holders [P, M].
        """
        counts = is_wanted.sum(axis=1)
        order = np.argsort(counts, kind="stable")
        # As large a product as of all channels.
        num_points = max_pool.POINTS_PER_CHUNK * is_wanted.shape[1] // max(tf_util.VECTOR, counts.max())
        for batch in _batches(order[counts[order] > 0], clouds.shape[1], num_points):
            count = min(-(-counts[batch].max() // tf_util.VECTOR) * tf_util.VECTOR, is_wanted.shape[1])
            channels = np.argsort(~is_wanted[batch], axis=1, kind="stable")[:, :count]
            feed = {self._points: clouds[batch], self._channels: channels}
            maxima, holders = self._session.run(self._kept_maxima, feed)
            yield batch, channels, maxima, holders

    def logits_and_maxima(self, clouds):
        """Classifies clouds, and tells the maxima of the kept pool.

        Args:
          clouds: float32 array [B, N, 3].

        Returns:
          Logits, float32 array [B, C], the maxima and who holds them, float32 and int32 arrays [B, K].
        """
        fetched = [self._logits, self._kept.maximum, self._kept.holders]
        batches = _batches(clouds, clouds.shape[1], self.points_per_call)
        found = zip(*[self._session.run(fetched, {self._points: batch}) for batch in batches])
        logits, maxima, holders = (np.concatenate(arrays) for arrays in found)
        return _numbers(logits), maxima, holders

    def logits_by_maxima(self, clouds, maxima, with_holders):
        """Classifies clouds whose maxima of the kept pool are known.

        Args:
          clouds: float32 array [B, N, 3].
          maxima: float32 array [B, K].
          with_holders: whether to look for the points that hold the maxima of the other pools.

        Returns:
          Logits, float32 array [B, C], and these points, int array [B, P, K], or None; -1 where the maximum is 0,
          which any point holds: features are ReLUs.
        """
        batches = zip(*(_batches(array, clouds.shape[1], self.points_per_call) for array in (clouds, maxima)))
        fetched = [self._logits] + [self._other_holders] * with_holders
        feeds = ({self._points: batch, self._kept.maximum: of_batch} for batch, of_batch in batches)
        logits, *holders = zip(*[self._session.run(fetched, feed) for feed in feeds])
        return _numbers(np.concatenate(logits)), np.concatenate(holders[0]) if with_holders else None

    def quantities(self, names, clouds, labels, is_target=False):
        """What a formula of heat takes, in batches of a few clouds each.

        Args:
          names: of QUANTITIES.
          clouds: float32 array [B, N, 3].
          labels: class c of each: int array [B], or one int for all.
          is_target: whether c is asked about though it is not the label, which changes L.

        Yields:
          Of each batch, a list of what QUANTITIES says, in the order of the names.
        """
        labels = np.broadcast_to(labels, len(clouds))
        fetched = set(names) | ({"maxima"} if "matters" in names and self._ignores_repeats else set())
        batches = zip(*(_batches(array, clouds.shape[1], self.points_per_call) for array in (clouds, labels)))
        for batch, batch_labels in batches:
            run = functools.partial(self._run, labels=batch_labels, is_target=is_target)
            found = run(fetched, batch)
            found["logit_gradients_of"] = functools.partial(self._logit_gradients_of, labels=batch_labels)
            found["feature_map_of"] = functools.partial(_feature_map_of, run)
            found["pools_of"] = functools.partial(self._pools_of, batch_labels, is_target)
            of_parts = functools.partial(self._logits_of_parts, clouds=batch)
            found["probabilities_of_parts"] = functools.partial(parts.probabilities, of_parts, batch_labels)
            found["losses_of_parts"] = functools.partial(parts.losses, of_parts, batch_labels, is_target)
            if "matters" in names:
                found["matters"] = _matters(found.get("maxima"), batch)
            yield [found[name] for name in names]

    def _run(self, names, clouds, labels, is_target):
        """What is known of clouds [B, N, 3], and those of the names that are tensors: a dictionary."""
        wanted = {name: self._tensors[name] for name in names if name in self._tensors}
        found = {}
        _check_range(clouds)
        if wanted:
            feed = {self._points: clouds, self._labels: labels, self._is_target: is_target}
            # A maximum over NaN, and an order by it, look as good as any.
            found, logits = self._session.run([wanted, self._logits], feed)
            _numbers(logits)
            for gradients, *_ in found.get("maxima", ()):
                _numbers(gradients)
            for _, gradients, *_ in found.get("pools", ()):
                _numbers(gradients)
        return dict({"points": clouds, "feature_points": clouds}, **found)

    def _logit_gradients_of(self, clouds, labels):
        """dy_c / dx, [B, S, N, 3], of other clouds [B, S, N, 3] for the classes [B]."""
        flat = clouds.reshape((-1,) + clouds.shape[2:])
        batches = self.quantities(["logit_gradients"], flat, np.repeat(labels, clouds.shape[1]))
        return np.concatenate([gradients for (gradients,) in batches]).reshape(clouds.shape)

    def _pools_of(self, labels, is_target, number, clouds):
        """What `pools.layer_of` says of each pooled layer of clouds [G, M, 3], for the classes [B] from one on."""
        return self._run(["pools"], clouds, labels[number : number + len(clouds)], is_target)["pools"]

    def _logits_of_parts(self, kept, clouds):
        """Logits [B, S, C] of parts of clouds [B, N, 3], of the points that are True in `kept` [B, S, N]."""
        found = np.empty(kept.shape[:2] + (len(self.class_names),), np.float32)
        for row, of_cloud, cloud in zip(found, kept, clouds):
            for places, members in parts.members_of(of_cloud, self._ignores_repeats, self.points_per_call):
                row[places] = self.logits(cloud[members])
        return found


def _check_range(clouds):
    """Raises an InputError for coordinates whose squares, in sums, float32 has no number for."""
    if not np.abs(clouds).max() <= LARGEST_COORDINATE:
        raise _too_far()


def _numbers(found):
    """Gives an array of a network's answers back; raises an InputError if it holds NaN or infinity."""
    if not np.isfinite(found).all():
        raise _too_far()
    return found


def _too_far():
    # A network makes a finite answer of NaN, too: ReLU makes 0 of it.
    return InputError("the network has no answer to `points` so far from the unit sphere that it knows")


def _matters(maxima, clouds):
    """Which points hold a maximum alone, bool [B, N]; all of them where nobody knows (None)."""
    matters = np.full(clouds.shape[:2], maxima is None)
    for _, largest, second, holders in maxima or ():
        cloud, channel = np.nonzero(largest > second)
        matters[cloud, holders[cloud, channel]] = True
    return matters


def _feature_map_of(run, clouds):
    """A and G of other clouds, and where their rows lie."""
    names = ("features", "feature_gradients", "feature_points")
    found = run(names, clouds)
    return [found[name] for name in names]


def _batches(items, points_each, points):
    """Splits an array along its first axis, whose items have so many points each, into batches of about so many."""
    count = max(1, points // points_each)
    for start in range(0, len(items), count):
        yield items[start : start + count]
