"""Runner-up heat: what the loss gains, to first order, when a point is gone and others step into its maxima.

Of a network that takes maxima over points a point is heard through the channels whose maximum it holds, and nowhere
else. When it goes, each of them falls to its second largest value, the runner-up's, and not to nothing.
"""

import functools

import numpy as np

# Clouds of so many points in all go their paths side by side: a step costs many calls of NumPy, whatever they work on.
POINTS_SIDE_BY_SIDE = 4096
# About how many of the largest values of each channel the path sorts at first; it sorts again where they run out.
SORTED_AT_ONCE = 56
# How many these are is told by the values of every eighth point.
SAMPLE_STRIDE = 8
# How many columns are looked through at first for the next point that is left.
COLUMNS_AT_ONCE = 16
LEAST_VALUE = np.nextafter(np.float32(0), np.float32(1))


def runner_up(points, maxima):
    """Runner-up heat: the sum over pooled layers l and the channels k that i alone holds of -(dL/da_lk) (a_lk - b_lk).

    a is the maximum and b the second largest value of a channel. The gradients hold what later layers do with a layer's
    maxima, so that a point's part in the T-Nets counts. Ours; no earlier publication is known.

    Args:
      points: float32 array [B, N, 3].
      maxima: of each pooled layer a tuple of arrays [B, K]: dL/da, a, b, and the point that holds a.

    Returns:
      float32 array [B, N], signed: without a point above 0 the loss is greater. A maximum that several points share
      counts for none of them, as the others hold it on.
    """
    num_clouds, num_points = points.shape[:2]
    first = np.arange(num_clouds)[:, np.newaxis] * num_points
    heat = np.zeros(num_clouds * num_points)
    for gradients, largest, second, holders in maxima:
        gains = -gradients * (largest - second)
        heat += np.bincount((first + holders).ravel(), gains.ravel(), len(heat))
    return heat.reshape(num_clouds, num_points).astype(np.float32)


def runner_up_path(points, pools_of, path_refresh=0, places=0):
    """The order in which points go when again and again the one of greatest runner-up heat among those left goes.

    Its channels pass to their seconds, whose heat grows by that. The gradients stay those of the whole cloud, or are
    taken anew of what is left after every `path_refresh` points. Ours.

    Args:
      points: float32 array [B, N, 3].
      pools_of: function of the number of a cloud among the B and of points [M, 3] in its place -> of each pooled layer
        of these its features [M, K] and the gradients [K] dL/da of their maxima.
      path_refresh: points after which gradients are taken anew; 0: never.
      places: how many points are ordered; 0: all.

    Returns:
      float32 array [B, N]: N minus the place at which a point goes, so N for the first and 1 for the last; 0 for those
      that are not ordered. Of points of equal heat the first goes.
    """
    places = min(places or points.shape[1], points.shape[1])
    count = max(1, POINTS_SIDE_BY_SIDE // points.shape[1])
    heats = []
    for start in range(0, len(points), count):
        pools_of_these = functools.partial(_pools_of_these, pools_of, start)
        heats.append(_path_heats(points[start : start + count], pools_of_these, path_refresh, places))
    return np.concatenate(heats)


def _pools_of_these(pools_of, start, clouds):
    """Features [B, K, M] and gradients [B, K] of the channels of all pooled layers, of what is left of B clouds."""
    pools = [pools_of(number, cloud) for number, cloud in enumerate(clouds, start)]
    # Channels of all layers side by side: what is done with them is the same.
    gradients = np.stack([np.concatenate([values for _, values in layers]) for layers in pools])
    features = np.empty(gradients.shape + clouds.shape[1:2], np.float32)
    for cloud, layers in zip(features, pools):
        np.concatenate([values.T for values, _ in layers], out=cloud)
    return features, gradients


def _path_heats(clouds, pools_of_these, path_refresh, places):
    num_clouds, num_points = clouds.shape[:2]
    heats = np.zeros((num_clouds, num_points), np.float32)
    left = np.tile(np.arange(num_points), (num_clouds, 1))
    while num_points - left.shape[1] < places:
        rows = np.arange(num_clouds)[:, np.newaxis]
        still = places - (num_points - left.shape[1])
        going = path(*pools_of_these(clouds[rows, left]), count=min(path_refresh or still, still))
        heats[rows, left[rows, going]] = left.shape[1] - np.arange(going.shape[1])
        stays = np.ones(left.shape, bool)
        stays[rows, going] = False
        left = left[stays].reshape(num_clouds, -1)
    return heats


def path(features, gradients, count):
    """The first `count` points of paths without new gradients.

    Args:
      features: float32 array [B, K, N], >= 0, of all channels of all pooled layers of B clouds.
      gradients: float32 array [B, K], of the loss by their maxima.
      count: how many points go.

    Returns:
      int array [B, min(count, N)], the points of each cloud in the order in which they go.
    """
    num_clouds, num_channels, num_points = features.shape
    ranking = _Ranking(features, is_heard=gradients != 0)
    gradients = gradients.ravel().astype(np.float64)
    gains = -gradients * ranking.leads
    size = num_points + 1  # the last is nobody
    first = np.arange(num_clouds) * size
    heat = np.bincount(ranking.holders, gains, num_clouds * size)
    heat[first + num_points] = -np.inf
    going = np.empty((num_clouds, min(count, num_points)), np.int64)
    for number in range(going.shape[1]):
        points = heat.reshape(num_clouds, size).argmax(axis=1)
        going[:, number] = points
        points += first
        heat[points] = -np.inf
        channels, was_held = ranking.drop(points)
        if len(channels):
            of_heirs = -gradients[channels] * ranking.leads[channels]
            changes = of_heirs - np.where(was_held, 0, gains[channels])
            gains[channels] = of_heirs
            heat += np.bincount(ranking.holders[channels], changes, len(heat))
    return going


class _Ranking:
    """The points of each channel by their values, and which of those left hold its largest and second largest value.

    Channels of all clouds lie side by side, and so do their points: N of a cloud and one more, who is nobody. Only the
    largest values are sorted, and the next ones once these run out. Where no value above 0 is left, the point is nobody
    and the value 0: it makes no difference whose that 0 is.

    Attributes:
      holders, seconds: int arrays [B K], points.
      leads: float array [B K], by how much the largest value is above the second largest.
    """

    def __init__(self, features, is_heard):
        """Sorts features, float32 array [B, K, N], >= 0, of the channels that are True in `is_heard`, [B, K].

        Of the others all points are nobody.
        """
        num_clouds, self._num_channels, self._num_points = features.shape
        self._features = features.reshape(-1, self._num_points)
        # Nobody never goes.
        self._is_left = np.ones((num_clouds, self._num_points + 1), bool)
        num_rows = len(self._features)
        nobody = np.arange(1, num_clouds + 1, dtype=np.int32) * np.int32(self._num_points + 1) - np.int32(1)
        self._nobody = np.repeat(nobody, self._num_channels)
        # In descending order, and at least one column of nobody, who is the sign to sort again where there are more.
        self._points, self._values = self._nobody[:, np.newaxis].copy(), np.zeros((num_rows, 1), np.float32)
        self._counts, self._first, self._second = np.zeros((3, num_rows), np.int64)  # the latter are columns
        self._has_more = np.zeros(num_rows, bool)
        self.holders, self.seconds = self._nobody.copy(), self._nobody.copy()
        self.leads = np.zeros(num_rows)
        self._sort(is_heard.ravel().nonzero()[0])

    def drop(self, points):
        """Takes a point of each cloud away.

        Args:
          points: int array [B].

        Returns:
          The channels that this changes, int array, and whether the point held their largest value, bool array.
        """
        self._is_left.reshape(-1)[points] = False
        shape = (len(points), self._num_channels)
        was_holder = self.holders.reshape(shape) == points[:, np.newaxis]
        is_changed = self.seconds.reshape(shape) == points[:, np.newaxis]
        is_changed |= was_holder
        channels = is_changed.ravel().nonzero()[0]
        was_holder = was_holder.ravel()[channels]
        if len(channels):
            columns = self._second[channels]
            self._first[channels] = np.where(was_holder, columns, self._first[channels])
            columns = self._next(channels, columns)
            self._second[channels] = columns
            if (self._has_more[channels] & (columns == self._counts[channels])).any():
                # Others that are near their end too: many at once are sorted faster than one by one.
                self._sort((self._has_more & (2 * self._second > self._counts)).nonzero()[0])
            self._read(channels)
        return channels, was_holder

    def _next(self, channels, columns):
        """The first columns after others in which points are that are left, or nobody; int array, as `columns`."""
        rows, is_left = np.arange(len(channels)), self._is_left.reshape(-1)
        ahead = columns[:, np.newaxis] + np.arange(1, COLUMNS_AT_ONCE + 1)
        np.minimum(ahead, self._points.shape[1] - 1, out=ahead)
        is_next = is_left[self._points[channels[:, np.newaxis], ahead]]
        steps = is_next.argmax(axis=1)
        found = ahead[rows, steps]
        far = (~is_next[rows, steps]).nonzero()[0]
        if len(far):
            is_next = is_left[self._points[channels[far]]]
            is_next &= np.arange(is_next.shape[1]) > columns[far, np.newaxis]
            found[far] = is_next.argmax(axis=1)
        return found

    def _sort(self, channels):
        """Sorts the largest values of channels among the points that are left."""
        if not len(channels):
            return
        # Of each cloud as many are left.
        left = self._is_left[:, :-1].nonzero()[1].reshape(len(self._is_left), -1)
        clouds = channels // self._num_channels
        is_all = len(channels) == len(self._features) and left.shape[1] == self._num_points
        features = self._features if is_all else self._features[channels[:, np.newaxis], left[clouds]]
        ends = np.full(len(channels), LEAST_VALUE)
        if left.shape[1] > 2 * max(SORTED_AT_ONCE, SAMPLE_STRIDE):
            sample = np.sort(features[:, ::SAMPLE_STRIDE], axis=1)
            # A largest and a second largest value at least.
            ends = np.maximum(ends, sample[:, -max(2, SORTED_AT_ONCE // SAMPLE_STRIDE)])
        large = np.flatnonzero(features >= ends[:, np.newaxis])
        of_rows, places = np.divmod(large, left.shape[1])
        counts = np.bincount(of_rows, minlength=len(channels))
        rows, columns = np.arange(len(channels))[:, np.newaxis], np.arange(counts.max() + 1)
        is_there = columns < counts[:, np.newaxis]
        negatives = np.zeros(is_there.shape, np.float32)
        negatives[is_there] = -features.reshape(-1)[large]
        points = np.repeat(self._nobody[channels, np.newaxis], len(columns), axis=1)
        left += np.arange(len(left))[:, np.newaxis] * (self._num_points + 1)
        points[is_there] = left[clouds[of_rows], places]
        order = np.argsort(negatives, axis=1, kind="stable")
        self._widen(len(columns))
        self._points[channels] = self._nobody[channels, np.newaxis]
        self._values[channels] = 0
        self._points[channels[:, np.newaxis], columns] = points[rows, order]
        self._values[channels[:, np.newaxis], columns] = -negatives[rows, order]
        self._counts[channels] = counts
        self._has_more[channels] = ends > LEAST_VALUE
        self._first[channels], self._second[channels] = 0, np.minimum(1, counts)
        self._read(channels)

    def _widen(self, num_columns):
        lacking = num_columns - self._points.shape[1]
        if lacking > 0:
            nobody = np.repeat(self._nobody[:, np.newaxis], lacking, axis=1)
            self._points = np.concatenate([self._points, nobody], axis=1)
            self._values = np.concatenate([self._values, np.zeros(nobody.shape, np.float32)], axis=1)

    def _read(self, channels):
        first, second = self._first[channels], self._second[channels]
        self.holders[channels] = self._points[channels, first]
        self.seconds[channels] = self._points[channels, second]
        self.leads[channels] = self._values[channels, first] - self._values[channels, second]
