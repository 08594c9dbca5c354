"""Who holds the maxima of pooled layers, and who comes next, as point after point goes: for the runner-up path."""

import numpy as np

# About how many of the largest values of each channel the path sorts at first; it sorts again where they run out.
SORTED_AT_ONCE = 56
# How many these are is told by the values of every eighth point.
SAMPLE_STRIDE = 8
# How many columns are looked through at first for the next point that is left.
COLUMNS_AT_ONCE = 16
LEAST_VALUE = np.nextafter(np.float32(0), np.float32(1))


class AllPoints:
    """The points of each channel by their values, and which of those left hold its largest and second largest value.

    Of channels whose maximum is over all points of a cloud. Channels of all clouds lie side by side, and so do their
    points: N of a cloud and one more, who is nobody. Only the largest values are sorted, and the next ones once these
    run out. Where no value above 0 is left, the point is nobody and the value 0: whose that 0 is makes no difference.

    Attributes:
      num_clouds, num_points: B and N.
      holders: int array [B K], points, a channel each.
      gains: float array [B K], what the loss gains to first order when the holder goes: -(dL/da) (a - b).
    """

    def __init__(self, features, gradients):
        """Sorts the largest values of the channels that are heard.

        Args:
          features: float32 array [B, K, N], >= 0.
          gradients: float array [B, K], of the loss by their maxima.
        """
        self.num_clouds, self._num_channels, self.num_points = features.shape
        self._features = np.asarray(features, np.float32).reshape(-1, self.num_points)
        self._gradients = gradients.ravel().astype(np.float64)
        # Nobody never goes.
        self._is_left = np.ones((self.num_clouds, self.num_points + 1), bool)
        num_rows = len(self._gradients)
        nobody = np.arange(1, self.num_clouds + 1, dtype=np.int32) * np.int32(self.num_points + 1) - np.int32(1)
        self._nobody = np.repeat(nobody, self._num_channels)
        # In descending order, and at least one column of nobody, who is the sign to sort again where there are more.
        self._points, self._values = self._nobody[:, np.newaxis].copy(), np.zeros((num_rows, 1), np.float32)
        self._counts, self._first, self._second = np.zeros((3, num_rows), np.int64)  # the latter are columns
        self._has_more = np.zeros(num_rows, bool)
        self.holders, self._seconds = self._nobody.copy(), self._nobody.copy()
        self.gains = np.zeros(num_rows)
        self._sort(gradients.ravel().nonzero()[0])

    def drop(self, points):
        """Takes a point of each cloud away.

        Args:
          points: int array [B].

        Returns:
          The points whose gains this changes, int array, a point as often as it holds a channel, and by how much, float
          array. Of those that went nothing is said.
        """
        self._is_left.reshape(-1)[points] = False
        shape = (self.num_clouds, self._num_channels)
        was_holder = self.holders.reshape(shape) == points[:, np.newaxis]
        is_changed = self._seconds.reshape(shape) == points[:, np.newaxis]
        is_changed |= was_holder
        channels = is_changed.ravel().nonzero()[0]
        if not len(channels):
            return channels, channels
        was_holder = was_holder.ravel()[channels]
        columns = self._second[channels]
        self._first[channels] = np.where(was_holder, columns, self._first[channels])
        self._second[channels] = self._next(channels, columns)
        before = self.gains[channels]
        self._sort_more(channels)
        self._read(channels)
        return self.holders[channels], self.gains[channels] - np.where(was_holder, 0, before)

    def _sort_more(self, channels):
        """Sorts further values where those of the channels have run out."""
        if (self._has_more[channels] & (self._second[channels] == self._counts[channels])).any():
            # Others that are near their end too: many at once are sorted faster than one by one.
            self._sort((self._has_more & (2 * self._second > self._counts)).nonzero()[0])

    def _next(self, channels, columns):
        """The first columns after others in which points are that are left, or nobody; int array, as `columns`."""
        rows, is_left, num_columns = np.arange(len(channels)), self._is_left.reshape(-1), self._points.shape[1]
        ahead = columns[:, np.newaxis] + np.arange(1, COLUMNS_AT_ONCE + 1)
        np.minimum(ahead, num_columns - 1, out=ahead)
        is_next = is_left.take(self._points.take((channels * num_columns)[:, np.newaxis] + ahead))
        steps = is_next.argmax(axis=1)
        found = ahead[rows, steps]
        far = (~is_next[rows, steps]).nonzero()[0]
        if len(far):
            is_next = is_left[self._points[channels[far]]]
            is_next &= np.arange(is_next.shape[1]) > columns[far, np.newaxis]
            found[far] = is_next.argmax(axis=1)
        return found

    def _read(self, channels):
        row = channels * self._points.shape[1]
        first, second = row + self._first[channels], row + self._second[channels]
        self.holders[channels] = self._points.take(first)
        self._seconds[channels] = self._points.take(second)
        leads = self._values.take(first) - self._values.take(second)
        self.gains[channels] = -self._gradients[channels] * leads

    def _sort(self, channels):
        """Sorts the largest values of channels among the points that are left."""
        if not len(channels):
            return
        # Of each cloud as many are left.
        left = self._is_left[:, :-1].nonzero()[1].reshape(len(self._is_left), -1)
        clouds = channels // self._num_channels
        is_all = len(channels) == len(self._features) and left.shape[1] == self.num_points
        features = self._features if is_all else self._features[channels[:, np.newaxis], left[clouds]]
        ends = np.full(len(channels), LEAST_VALUE)
        if left.shape[1] > 2 * max(SORTED_AT_ONCE, SAMPLE_STRIDE):
            sample = np.sort(features[:, ::SAMPLE_STRIDE], axis=1)
            # A largest and a second largest value at least.
            ends = np.maximum(ends, sample[:, -max(2, SORTED_AT_ONCE // SAMPLE_STRIDE)])
        large = np.flatnonzero(features >= ends[:, np.newaxis])
        of_rows, places = np.divmod(large, left.shape[1])
        counts = np.bincount(of_rows, minlength=len(channels))
        left += np.arange(len(left))[:, np.newaxis] * (self.num_points + 1)
        points = left[clouds[of_rows], places]
        columns = np.arange(counts.max() + 1)
        ranked = np.repeat(_ranked(np.float32(0), self._nobody[channels])[:, np.newaxis], len(columns), axis=1)
        ranked[columns < counts[:, np.newaxis]] = _ranked(features.take(large), points)
        ranked.sort(axis=1)
        self._widen(len(columns))
        self._points[channels] = self._nobody[channels, np.newaxis]
        self._values[channels] = 0
        self._points[channels, : len(columns)], self._values[channels, : len(columns)] = _points_and_values(ranked)
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


def _ranked(values, points):
    """Whole numbers, int64, in the order of descending values, float32 >= 0, and of equal ones in that of points.

    The bits of a value, which grow with it, stand above the point: one sort of numbers puts both in order.
    """
    return (~values.view(np.int32)).astype(np.int64) * 2**32 + points


def _points_and_values(ranked):
    """What `_ranked` was given: int32 and float32 arrays."""
    return (ranked & (2**32 - 1)).astype(np.int32), (~(ranked >> 32)).astype(np.int32).view(np.float32)
