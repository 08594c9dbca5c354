"""Which columns, properties, fields or keys are the coordinates, by their names."""

import re

from utils.files import InputError, printable

# What x, y and z are called, the usual first; by whole names, lower case, without units, quotes and comment signs.
TRIPLES = (
    ("x", "y", "z"),
    ("px", "py", "pz"),
    ("posx", "posy", "posz"),
    ("positionx", "positiony", "positionz"),
    ("coordx", "coordy", "coordz"),
    ("coordinatex", "coordinatey", "coordinatez"),
    ("pointx", "pointy", "pointz"),
    ("xcoord", "ycoord", "zcoord"),
    ("xcoordinate", "ycoordinate", "zcoordinate"),
    ("points0", "points1", "points2"),  # ParaView
    ("easting", "northing", "height"),
    ("easting", "northing", "elevation"),
    ("easting", "northing", "altitude"),
    ("easting", "northing", "z"),
    ("east", "north", "height"),
    ("east", "north", "up"),
)
ANGLES = {"lat", "latitude", "lon", "lng", "long", "longitude"}
MOST_NAMED = 8


def coordinates(names, what="column"):
    """Where x, y and z are among names.

    Args:
      names: list of names as the file has them.
      what: what is named, for messages.

    Returns:
      Their places, three integers in the order x, y, z; None where no three of the names are coordinates.

    Raises:
      InputError: one or two of x, y and z are named, or one of them twice, or degrees of latitude and longitude.
    """
    plain = [plain_name(name) for name in names]
    for triple in TRIPLES:
        if all(name in plain for name in triple):
            twice = [name for name in triple if plain.count(name) > 1]
            if twice:
                raise InputError(
                    "names {} as {} twice: leave one of them".format(printable(str(names[plain.index(twice[0])])), what)
                )
            return tuple(plain.index(name) for name in triple)
    there = [name for name in "xyz" if name in plain]
    if there:
        missing = [name for name in "xyz" if name not in plain]
        raise InputError(
            "names {} as {}, but no {}: name all three".format(" and ".join(there), what, " and ".join(missing))
        )
    if len(ANGLES.intersection(plain)) > 1:
        raise InputError("holds latitude and longitude: project them to metres and name the {}s x, y, z".format(what))
    return None


def plain_name(name):
    """A name without case, unit, quotes, comment signs and what stands between its parts: "//X [m]" is "x"."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"[\[(].*?[\])]", "", str(name).lower()))


def ignored(names, what, plural=None):
    """A clause that names what is ignored, the first few of it; empty list where nothing is.

    Args:
      names: list of the names.
      what: what one of them is; `plural`: several, None: with an s.
    """
    if not names:
        return []
    listed = ", ".join(printable(str(name), 24) or "without a name" for name in names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        listed += " and {} more".format(len(names) - MOST_NAMED)
    return ["{} ignored: {}".format(what if len(names) == 1 else plural or what + "s", listed)]
