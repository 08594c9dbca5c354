"""Faces of any number of corners -> triangles, and what every reader of meshes checks of them."""

import numpy as np

from utils.clouds.cloud import Content
from utils.files import InputError


def content(vertices, faces, notices, what="faces", total=None):
    """A mesh as a cloud.Content.

    Args:
      vertices: float64 array [V, 3].
      faces: list of (place int array [F], corners int array [F, K]): faces of K corners each, and which of the file's
        they are, from 0.
      notices: list of clauses.
      what: what its faces are called.
      total: how many the file holds, those of fewer than three corners too; None: none are of so few.

    Raises:
      InputError: a face names a vertex that is not there or has no finite coordinates, or the faces have no area.
    """
    count = sum(len(corners) for _, corners in faces)
    if not count:
        return Content(vertices, "none of its {} has three corners: its vertices are the cloud".format(what), notices)
    for places, corners in faces:
        check_corners(places, corners, vertices)
    triangles = np.concatenate([triangulate(vertices, corners) for _, corners in faces])
    if not areas(vertices[triangles]).sum() > 0:
        raise InputError("is a mesh without area: its {} {} are points or lines".format(count, what))
    few = (total or count) - count
    if few:
        one = "1 face" if few == 1 else "{} faces".format(few)
        notices = notices + ["{} of fewer than three corners {} passed over".format(one, "is" if few == 1 else "are")]
    loose = len(vertices) - len(np.unique(triangles))
    if loose:
        one = "1 vertex that belongs" if loose == 1 else "{} vertices that belong".format(loose)
        notices = notices + ["{} to no face {} left out".format(one, "is" if loose == 1 else "are")]
    used = "a mesh of {} {}, sampled by area".format(count, what)
    if len(triangles) != count:
        used = "a mesh of {} {} ({} triangles), sampled by area".format(count, what, len(triangles))
    return Content(vertices, used, notices, triangles)


def check_corners(places, corners, vertices):
    """Raises an InputError that names the first face with a corner that is no vertex, or no finite one."""
    outside = (corners < 0) | (corners >= len(vertices))
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise InputError(
            "face {} names vertex {}, but there are {}, counted from 0: is the file damaged?".format(
                places[row] + 1, corners[row, column], len(vertices)
            )
        )
    is_finite = np.isfinite(vertices).all(axis=1)
    if not is_finite.all():
        bad = np.argwhere(~is_finite[corners])
        if len(bad):
            row, column = bad[0]
            raise InputError(
                "face {} has a corner without finite coordinates, vertex {}: take that face out".format(
                    places[row] + 1, corners[row, column]
                )
            )


def by_length(lengths, values):
    """Groups faces of a flat list by how many corners they have.

    Args:
      lengths: int array [F], corners of each face.
      values: int array [sum of lengths], their corners one after another.

    Returns:
      List of (place, corners) as for `content`. Faces of fewer than three corners are left out.
    """
    starts = np.cumsum(lengths) - lengths
    groups = []
    for length in np.unique(lengths):
        if length >= 3:
            places = np.flatnonzero(lengths == length)
            groups.append((places, values[starts[places][:, np.newaxis] + np.arange(length)]))
    return groups


def triangulate(vertices, corners):
    """Triangles that cover faces, concave ones too: int64 array [T, 3].

    Args:
      vertices: float64 array [V, 3].
      corners: int array [F, K].
    """
    corners = np.asarray(corners, np.int64)
    size = corners.shape[1]
    if size == 3 or not len(corners):
        return corners.reshape(-1, 3)
    fans = np.stack([np.broadcast_to(corners[:, :1], corners[:, 2:].shape), corners[:, 1:-1], corners[:, 2:]], axis=2)
    triangles = fans.reshape(-1, 3)
    normals = _normals(vertices[triangles]).reshape(len(corners), size - 2, 3)
    # A fan covers a face where all its triangles turn the same way round.
    turns = (normals * normals.sum(axis=1, keepdims=True)).sum(axis=2)
    largest = np.abs(turns).max(axis=1, keepdims=True)
    is_fan = (turns >= -1e-9 * largest).all(axis=1)
    if size == 4:
        # Of a concave face with four corners the other diagonal lies within.
        clipped = [corners[~is_fan][:, [[1, 2, 3], [1, 3, 0]]].reshape(-1, 3)]
    else:
        clipped = [_clip_ears(vertices, face) for face in corners[~is_fan]]
    return np.concatenate([fans[is_fan].reshape(-1, 3)] + clipped)


def areas(triangles):
    """Areas of triangles [T, 3, 3]: float64 [T]."""
    return np.linalg.norm(_normals(triangles), axis=1) / 2


def _normals(triangles):
    return np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])


def _clip_ears(vertices, face):
    """Triangles of one simple polygon: ears are cut off until three corners are left (Meisters 1975)."""
    points = vertices[face] - vertices[face].mean(axis=0)
    normal = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)  # Newell's
    left = list(range(len(face)))
    triangles = []
    while len(left) > 3:
        for place in range(len(left)):
            before, corner, after = left[place - 1], left[place], left[(place + 1) % len(left)]
            edges = points[[corner, after, before]] - points[[before, corner, after]]
            if np.cross(edges[0], edges[1]).dot(normal) <= 0:
                continue
            others = points[[one for one in left if one not in (before, corner, after)]]
            sides = [
                np.cross(edge, others - points[one]).dot(normal) for edge, one in zip(edges, (before, corner, after))
            ]
            if not (np.array(sides) >= 0).all(axis=0).any():
                break
        triangles.append([before, corner, after])
        left.remove(corner)
    return face[np.array(triangles + [left])]
