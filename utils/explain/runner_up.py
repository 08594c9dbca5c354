"""Runner-up heat: what the loss gains, to first order, when a point is gone and others step into its maxima.

Of a network that takes maxima over points a point is heard through the channels whose maximum it holds, and nowhere
else. When it goes, each of them falls to its second largest value, the runner-up's, and not to nothing.
"""

import numpy as np

# How many of the largest values of each channel the path sorts at first; it sorts again where they run out.
SORTED_AT_ONCE = 64


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
    return np.stack([_path_heat(number, cloud, pools_of, path_refresh, places) for number, cloud in enumerate(points)])


def _path_heat(number, cloud, pools_of, path_refresh, places):
    heat = np.zeros(len(cloud), np.float32)
    left = np.arange(len(cloud))
    while len(cloud) - len(left) < places:
        pools = pools_of(number, cloud[left])
        # Channels of all layers side by side: what is done with them is the same.
        features = np.concatenate([features.T for features, _ in pools])
        gradients = np.concatenate([gradients for _, gradients in pools])
        still = places - (len(cloud) - len(left))
        going = path(features, gradients, min(path_refresh or still, still))
        heat[left[going]] = len(left) - np.arange(len(going))
        left = np.delete(left, going)
    return heat


def path(features, gradients, count):
    """The first `count` points of a path without new gradients.

    Args:
      features: float32 array [K, N], >= 0, of all channels of all pooled layers.
      gradients: float32 array [K], of the loss by their maxima.
      count: how many points go.

    Returns:
      int array [min(count, N)], the points in the order in which they go.
    """
    # A channel that the loss does not depend on, or in which no point has a value, need not be followed.
    is_heard = (gradients != 0) & (features.max(axis=1) > 0)
    if not is_heard.all():
        features, gradients = features[is_heard], gradients[is_heard]
    ranking, gradients = _Ranking(features), gradients.astype(np.float64)
    num_points = features.shape[1]
    gains = -gradients * ranking.lead()
    heat = np.zeros(num_points + 1)
    heat += np.bincount(ranking.holders, gains, num_points + 1)
    heat[num_points] = -np.inf  # nobody's
    going = np.empty(min(count, num_points), np.int64)
    for number in range(len(going)):
        going[number] = point = heat.argmax()
        heat[point] = -np.inf
        channels, was_held = ranking.drop(point)
        if len(channels):
            before = np.where(was_held, 0, gains[channels])
            gains[channels] = -gradients[channels] * ranking.lead(channels)
            heat += np.bincount(ranking.holders[channels], gains[channels] - before, num_points + 1)
    return going


class _Ranking:
    """The points of each channel by their values, and which of those left hold its largest and second largest value.

    Only the largest values are sorted, and the next ones once these run out. Where no value above 0 is left, the point
    is N and the value 0: it makes no difference whose that 0 is.

    Attributes:
      holders, seconds: int arrays [K], points.
    """

    def __init__(self, features):
        """features: float32 array [K, N], >= 0."""
        # To find the few least values is several times faster than to find the few greatest.
        self._negatives = np.negative(features, order="C")
        num_channels, self._num_points = features.shape
        self._is_left = np.ones(self._num_points + 1, bool)  # point N, which is nobody, never goes
        # The last column is nobody's: where a channel has more values than are sorted, it is the sign to sort again.
        self._points = np.full((num_channels, SORTED_AT_ONCE + 1), self._num_points)
        self._values = np.zeros(self._points.shape)
        self._has_more = np.zeros(num_channels, bool)
        self._first, self._second = np.zeros((2, num_channels), np.int64)  # columns
        self.holders, self.seconds = np.zeros((2, num_channels), np.int64)
        self._sort(np.arange(num_channels))

    def lead(self, channels=slice(None)):
        """By how much the largest value of channels is above their second largest: float array."""
        rows = np.arange(len(self._first))[channels]
        return self._values[rows, self._first[channels]] - self._values[rows, self._second[channels]]

    def drop(self, point):
        """Takes a point away.

        Returns:
          The channels that this changes, int array, and whether the point held their largest value, bool array.
        """
        self._is_left[point] = False
        was_holder = self.holders == point
        channels = np.flatnonzero(was_holder | (self.seconds == point))
        was_holder = was_holder[channels]
        if len(channels):
            self._first[channels] = np.where(was_holder, self._second[channels], self._first[channels])
            self._move_on(channels)
            is_at_end = (self._second[channels] == SORTED_AT_ONCE) & self._has_more[channels]
            if is_at_end.any():
                # Others that are near their end too: many at once are sorted faster than one by one.
                self._sort(np.flatnonzero((self._second > SORTED_AT_ONCE // 2) & self._has_more))
            self._read(channels)
        return channels, was_holder

    def _move_on(self, channels):
        """Moves the second column of channels to the next point that is left."""
        is_next = self._is_left[self._points[channels]]
        is_next &= np.arange(SORTED_AT_ONCE + 1) > self._second[channels, np.newaxis]
        is_next[:, -1] = True
        self._second[channels] = is_next.argmax(axis=1)

    def _sort(self, channels):
        """Sorts the values of channels among the points that are left."""
        left = np.flatnonzero(self._is_left[:-1])
        is_all = len(channels) == len(self._negatives) and len(left) == self._num_points
        negatives = self._negatives if is_all else self._negatives[channels[:, np.newaxis], left]
        count = min(SORTED_AT_ONCE, len(left))
        largest = np.argpartition(negatives, min(count, len(left) - 1), axis=1)[:, :count]
        values = np.take_along_axis(negatives, largest, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        values = -np.take_along_axis(values, order, axis=1)
        points = left[np.take_along_axis(largest, order, axis=1)]
        self._points[channels] = self._num_points
        self._values[channels] = 0
        self._points[channels, :count] = np.where(values > 0, points, self._num_points)
        self._values[channels, :count] = values
        self._has_more[channels] = (count < len(left)) & (values[:, -1] > 0)
        self._first[channels], self._second[channels] = 0, min(1, count)
        self._read(channels)

    def _read(self, channels):
        self.holders[channels] = self._points[channels, self._first[channels]]
        self.seconds[channels] = self._points[channels, self._second[channels]]
