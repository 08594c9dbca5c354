"""Surfaces that the demo objects are put together from.

A surface is a float64 array [T, 3, 3]: T triangles of 3 corners (x, y, z), y up, in no particular unit. Nearly
all of them are lofts: skins stretched over rings of points, the way boat hulls are.
"""

import numpy as np


def loft(rings):
    """Skin over rings of points, open at both ends.

    Args:
      rings: array-like [R, K, 3], R closed rings of K corners each; corner k of one is joined to k of the next.

    Returns:
      float64 array [2 * (R - 1) * K, 3, 3].
    """
    rings = np.asarray(rings, dtype=np.float64)
    beside = np.roll(rings, -1, axis=1)
    lower_halves = np.stack([rings[:-1], beside[:-1], rings[1:]], axis=2)
    upper_halves = np.stack([beside[:-1], beside[1:], rings[1:]], axis=2)
    return np.concatenate([lower_halves, upper_halves]).reshape(-1, 3, 3)


def panel(ring):
    """The area inside one ring [K, 3], as K triangles around its mean; the ring must be visible from there."""
    ring = np.asarray(ring, dtype=np.float64)
    hub = np.broadcast_to(ring.mean(axis=0), ring.shape)
    return np.stack([hub, ring, np.roll(ring, -1, axis=0)], axis=1)


def solid(rings):
    """A loft over rings [R, K, 3], closed by a panel at each end."""
    return np.concatenate([loft(rings), panel(rings[0]), panel(rings[-1])])


def rectangle(x, y, z):
    """A horizontal ring [4, 3] at height y; x and z are (low, high)."""
    return np.array([(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])])


def box(x, y, z, without=()):
    """A box along the axes; x, y and z are (low, high), `without` names faces to leave out, such as "-y"."""
    spans, faces = (x, y, z), []
    for axis, name in enumerate("xyz"):
        first, second = spans[axis - 2], spans[axis - 1]
        for sign, level in zip("-+", spans[axis]):
            if sign + name not in without:
                corners = [(level, a, b) for a, b in zip(np.repeat(first, 2), (second[0], second[1], *second[::-1]))]
                faces.append(panel(np.roll(corners, axis, axis=1)))
    return np.concatenate(faces)


def ellipses(x_radii, z_radii, heights, z_centers=0.0, sides=24):
    """Horizontal elliptic rings [R, sides, 3] around x = 0; the arguments are numbers or sequences of R."""
    angles = np.arange(sides) * (2 * np.pi / sides)
    x_radii, z_radii, heights, z_centers = np.broadcast_arrays(x_radii, z_radii, heights, z_centers)
    x = x_radii[:, None] * np.cos(angles)
    z = z_centers[:, None] + z_radii[:, None] * np.sin(angles)
    return np.stack([x, np.broadcast_to(heights[:, None], x.shape), z], axis=2)


def lathe(profile):
    """Surface of revolution about the y axis.

    Args:
      profile: array-like [R, 2], (radius, height) along the silhouette. It closes where the radius is 0.
    """
    radii, heights = np.transpose(profile)
    return loft(ellipses(radii, radii, heights))


def ball(center, radii):
    """An ellipsoid: center (x, y, z) and its three half axes (x, y, z)."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, 9)
    unit_ball = lathe(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    return unit_ball * np.asarray(radii) + np.asarray(center)


def tube(path, radii, sides=12):
    """A round tube with closed ends along a path.

    Args:
      path: array-like [K, 3], a straight line or a curve that keeps clear of one of the axes' directions.
      radii: number or sequence of K.
      sides: corners of its cross-section.
    """
    path = np.asarray(path, dtype=np.float64)
    tangents = _unit(np.gradient(path, axis=0))
    # The cross-sections are laid out from the axis that the path runs along least, so that they don't twist.
    steepness = np.round(np.abs(tangents).max(axis=0), 6)
    across = _unit(np.cross(tangents, np.eye(3)[np.argmin(steepness)]))
    upwards = np.cross(across, tangents)
    angles = (np.arange(sides) + 0.5) * (2 * np.pi / sides)
    spokes = across[:, None] * np.cos(angles)[:, None] + upwards[:, None] * np.sin(angles)[:, None]
    radii = np.broadcast_to(radii, len(path))
    return solid(path[:, None] + radii[:, None, None] * spokes)


def plate(outline, y):
    """A flat plate: its outline [K, 2] in (x, z), and y as (low, high)."""
    return solid([np.insert(outline, 1, height, axis=1) for height in y])


def wing(root, tip, root_chord, tip_chord):
    """A flat wing that tapers; root and tip are (x, y, z) at its leading edge, its chords run from there along +z."""
    section = np.array([(0, 0), (0.3, 0.06), (0.7, 0.045), (1, 0), (0.7, -0.045), (0.3, -0.06)])
    depth, height = section[:, 0], section[:, 1]
    return solid(
        [
            np.stack([0 * depth, height * chord, depth * chord], axis=1) + np.array(start)
            for start, chord in ((root, root_chord), (tip, tip_chord))
        ]
    )


def spline(points, closed=False, steps=5):
    """A smooth curve (Catmull-Rom) through points [K, D], with `steps` pieces between two neighbours."""
    points = np.asarray(points, dtype=np.float64)
    if closed:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = (np.arange(steps) / float(steps))[:, None]
    curve = start + 0.5 * t * (
        end - before + t * (2 * before - 5 * start + 4 * end - after + t * (3 * (start - end) + after - before))
    )
    curve = curve.reshape(-1, points.shape[1])
    return curve if closed else np.concatenate([curve, points[-1:]])


def turned(surface, axis, degrees, about=(0.0, 0.0, 0.0)):
    """A surface turned around a line along `axis` ("x", "y" or "z") through `about`, counter-clockwise."""
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    offset = surface - np.asarray(about)
    result = offset.copy()
    result[..., first] = cosine * offset[..., first] - sine * offset[..., second]
    result[..., second] = sine * offset[..., first] + cosine * offset[..., second]
    return result + np.asarray(about)


def both_sides(surface):
    """A surface and its mirror image across x = 0."""
    return np.concatenate([surface, surface * (-1.0, 1.0, 1.0)])


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
