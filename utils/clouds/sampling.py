"""Which points of a large cloud to take.

Our own: Open3D's farthest points come as points, not as indices, and 3 times as slowly of a million points.
"""

import numpy as np

POINTS_A_CELL = 1024


def random_points(num_points, count, seed):
    """Indices of `count` of num_points points, drawn without replacement: int array [count], ascending."""
    return np.sort(np.random.RandomState(seed).choice(num_points, count, replace=False))


def farthest_points(points, count, on_found=None):
    """Indices of points of which each was the farthest from those before (Eldar et al. 1997), whatever their density.

    The first is the farthest from the mean. A new one changes the distances of the points around it alone, so points
    lie in cells, and cells that it cannot reach are passed over: the answer is that of going through all points.

    Args:
      points: float array [N, 3], finite.
      count: how many, 1 .. N.
      on_found: function that is told how many more have been found; None for none.

    Returns:
      int array [count], ascending.
    """
    points = np.asarray(points, np.float64)
    order, bounds = _cells(points)
    points = points[order]
    starts, ends = bounds[:-1], bounds[1:]
    middles = np.add.reduceat(points, starts) / (ends - starts)[:, np.newaxis]
    offsets = points - np.repeat(middles, ends - starts, axis=0)
    radii = np.sqrt(np.maximum.reduceat((offsets**2).sum(axis=1), starts))
    columns = [np.ascontiguousarray(column) for column in points.T]
    distances = np.full(len(points), np.inf)  # squared, to the nearest point found
    farthest = starts.copy()  # of each cell
    reach = np.full(len(starts), np.inf)  # its distance, squared
    latest = int(((points - points.mean(axis=0)) ** 2).sum(axis=1).argmax())
    found = np.empty(count, np.int64)
    for number in range(count):
        found[number] = latest
        gaps = np.sqrt(((middles - points[latest]) ** 2).sum(axis=1)) - radii
        for cell in np.flatnonzero((gaps < 0) | (gaps**2 < reach)):
            part = slice(starts[cell], ends[cell])
            squares = (columns[0][part] - columns[0][latest]) ** 2
            squares += (columns[1][part] - columns[1][latest]) ** 2
            squares += (columns[2][part] - columns[2][latest]) ** 2
            nearest = np.minimum(distances[part], squares, out=distances[part])
            place = nearest.argmax()
            farthest[cell], reach[cell] = starts[cell] + place, nearest[place]
        distances[latest] = -1  # of points in one place each is taken once
        cell = np.searchsorted(ends, latest, side="right")
        if farthest[cell] == latest:
            place = distances[starts[cell] : ends[cell]].argmax()
            farthest[cell], reach[cell] = starts[cell] + place, distances[starts[cell] + place]
        latest = int(farthest[reach.argmax()])
        if on_found:
            on_found(1)
    return np.sort(order[found])


def _cells(points):
    """An order that lays the points cell by cell of a grid, and where cells begin and end: [N] and [cells + 1]."""
    # Of a surface some 3 g^2 of the g^3 cells hold points.
    along = max(1, int(np.sqrt(len(points) / POINTS_A_CELL / 3)))
    low, size = points.min(axis=0), np.ptp(points, axis=0).max() or 1.0
    place = np.minimum(((points - low) / size * along).astype(np.int64), along - 1)
    cell = (place[:, 0] * along + place[:, 1]) * along + place[:, 2]
    order = np.argsort(cell, kind="stable")
    return order, np.concatenate([[0], np.flatnonzero(np.diff(cell[order])) + 1, [len(points)]])
