"""What the loss gains as members leave groups that a network pools, such as the neighbours of each point.

Where a member goes, the next one steps in: in DGCNN a twenty-first neighbour. So of the channels that the member held
each falls to the value of its runner-up or of who steps in, and others may rise to the latter.
"""

import numpy as np

# Of so many groups at a time gains are found: more would outgrow the processor's cache.
GROUPS_AT_ONCE = 128


def gains_of(gradients, largest, second, nexts):
    """What the loss gains, to first order, when a member of a group goes, group by group.

    Args:
      gradients, largest, second: float arrays [..., R, K] of R groups: dL/da of the maxima a, these, and the second
        largest values b.
      nexts: float array [..., R, K], the values n of who steps in; 0 where nobody does.

    Returns:
      Float arrays [..., R] and [..., R, K]: the sum over the channels of -(dL/da) (a - max(a, n)), for any member, and
      what more there is for the one that holds a channel alone, where it falls to max(b, n).
    """
    risen = np.maximum(largest, nexts)
    return (gradients * (risen - largest)).sum(axis=-1), gradients * (np.maximum(second, nexts) - risen)


class Groups:
    """The groups of a pooled layer of several clouds, as their members go and others step in.

    The points of all clouds lie side by side: N of a cloud and one more, who is nobody. Groups that the loss does not
    hear are left out. With its owner a group goes altogether: those whom it gave features count that themselves.

    Attributes:
      num_clouds, num_points: B and N.
      holders: int array [T], points, each once for every group that it is in.
      gains: float array [T], what the loss gains at first when these leave their groups.
    """

    def __init__(self, layers, num_points):
        """Finds the gains of all members.

        Args:
          layers: of each of the B clouds its features float32 [R, S, K], >= 0, the gradients of their maxima [R, K],
            which points the S members of the R groups are, int [R, S], a point once or several times, the point with
            which a group goes, int [R], -1 where it stays, and how many members are in a group at a time: the first
            ones that are left, while the others wait.
          num_points: N.
        """
        self.num_clouds, self.num_points = len(layers), num_points
        self._size = int(layers[0][4])
        heard = [_heard(*layer[:4], num_points, number * (num_points + 1)) for number, layer in enumerate(layers)]
        self._features, self._gradients, self._members, self._owners = (np.concatenate(part) for part in zip(*heard))
        self._is_left = np.ones(self.num_clouds * (num_points + 1), bool)
        self._is_left[num_points :: num_points + 1] = False  # nobody is in no group
        self._of_members = _Places(self._members, len(self._is_left))
        self._of_owners = _Places(self._owners[:, np.newaxis], len(self._is_left))
        self._gains = np.zeros(self._members.shape)
        for start in range(0, len(self._members), GROUPS_AT_ONCE):
            rows = np.arange(start, min(start + GROUPS_AT_ONCE, len(self._members)))
            self._gains[rows] = self._gains_in(rows)
        self.holders, self.gains = self._members.ravel(), self._gains.ravel()

    def drop(self, points):
        """Takes a point of each cloud away; as for a ranking of `ranking`."""
        self._is_left[points] = False
        rows = np.unique(np.concatenate([self._of_members.rows_of(points), self._of_owners.rows_of(points)]))
        if not len(rows):
            return rows, rows
        after = self._gains_in(rows)
        changes = after - self._gains[rows]
        self._gains[rows] = after
        return self._members[rows].ravel(), changes.ravel()

    def _gains_in(self, rows):
        """What the loss gains when members leave groups, int array [T], as these are now: float array [T, S]."""
        members, owners = self._members[rows], self._owners[rows]
        is_left = self._is_left[members]
        places = is_left.cumsum(axis=1)
        is_in, is_next = is_left & (places <= self._size), is_left & (places == self._size + 1)
        features = self._features[rows]
        values = features * is_in[:, :, np.newaxis]
        slots = values.argmax(axis=1)
        largest = np.take_along_axis(values, slots[:, np.newaxis], axis=1)[:, 0]
        np.put_along_axis(values, slots[:, np.newaxis], 0, axis=1)
        numbers = np.arange(len(rows))
        nexts = features[numbers, is_next.argmax(axis=1)] * is_next.any(axis=1)[:, np.newaxis]
        of_any, more = gains_of(self._gradients[rows], largest, values.max(axis=1), nexts)
        places = (slots + numbers[:, np.newaxis] * members.shape[1]).ravel()
        found = np.bincount(places, more.ravel(), members.size).reshape(members.shape)
        found += of_any[:, np.newaxis]
        is_counted = is_in & (members != owners[:, np.newaxis])
        is_counted &= ((owners < 0) | self._is_left[owners])[:, np.newaxis]
        return found * is_counted


def _heard(features, gradients, members, owners, num_points, first):
    """The groups of a cloud that the loss hears, as for `Groups`, its points numbered from `first` on.

    A member that is there again is nobody.
    """
    rows = gradients.any(axis=1).nonzero()[0]
    members, owners = members[rows], owners[rows]
    is_earlier = np.tri(members.shape[1], k=-1, dtype=bool)
    is_again = ((members[:, :, np.newaxis] == members[:, np.newaxis]) & is_earlier).any(axis=2)
    members = first + np.where(is_again, num_points, members)
    return features[rows], gradients[rows].astype(np.float64), members, np.where(owners < 0, -1, first + owners)


class _Places:
    """In which rows of an array [T, S] of points each point is."""

    def __init__(self, points, num_points):
        flat = points.ravel()
        self._rows = np.argsort(flat, kind="stable") // points.shape[1]
        self._ends = np.searchsorted(np.sort(flat), np.arange(num_points), side="right")
        self._starts = np.searchsorted(np.sort(flat), np.arange(num_points), side="left")

    def rows_of(self, points):
        """The rows in which any of some points are: int array."""
        return np.concatenate([self._rows[self._starts[point] : self._ends[point]] for point in points])
