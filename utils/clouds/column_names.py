"""Which columns, properties, fields or keys are the coordinates, by their names."""

import re
import unicodedata

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
)
# Surveyors' names, in any pairing: east and north, and the height.
PLANES = (
    ("easting", "northing"),
    ("east", "north"),
    ("rechtswert", "hochwert"),
    ("rechts", "hoch"),
    ("ostwert", "nordwert"),
    ("este", "norte"),
    ("e", "n"),
)
HEIGHTS = ("height", "elevation", "altitude", "z", "up", "rl", "hoehe", "hohe", "cota", "h", "u")
UNITS = {"m", "cm", "mm", "km", "ft", "in", "metre", "metres", "meter", "meters", "feet"}
# Of names that differ in x, y, z alone, words that say they are points, and words that say they are none.
OF_POINTS = {
    "point",
    "points",
    "position",
    "pos",
    "coordinate",
    "coordinates",
    "coord",
    "coords",
    "xyz",
    "vertex",
    "world",
}
# fmt: off
OF_OTHERS = {
    "n", "nx", "normal", "normals", "norm", "v", "vel", "velocity", "q", "quat", "quaternion", "rot", "rotation",
    "orientation", "euler", "angle", "angles", "angular", "r", "a", "acc", "accel", "acceleration", "gyro", "mag",
    "imu", "scale", "size", "dim", "std", "sigma", "cov", "var", "variance", "error", "err", "force", "torque",
    "dir", "direction", "ray", "color", "colour", "rgb", "delta", "d", "twist", "linear", "grad", "gradient",
    "flow", "origin", "sensor", "camera", "cam", "viewpoint", "feature", "features",
}
# fmt: on
ANGLES = {"lat", "latitude", "lon", "lng", "long", "longitude", "breite", "laenge", "lange"}
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
MOST_NAMED = 8


def coordinates(names, what="column"):
    """Where x, y and z are among names.

    Args:
      names: list of names as the file has them.
      what: what is named, for messages.

    Returns:
      Their places, three integers in the order x, y, z; None where no three of the names are coordinates.

    Raises:
      InputError: several threes of names could be; one or two of x, y and z are named, or one of them twice,
        or degrees of latitude and longitude.
    """
    plain = [plain_name(name) for name in names]
    surveyed = [plane + (height,) for plane in PLANES for height in HEIGHTS]
    for triple in TRIPLES + tuple(surveyed):
        if all(name in plain for name in triple):
            twice = [name for name in triple if plain.count(name) > 1]
            if twice:
                raise InputError(
                    "names {} as {} twice: leave one of them".format(printable(str(names[plain.index(twice[0])])), what)
                )
            return tuple(plain.index(name) for name in triple)
    places = _alike_but_for_axis(names, what)
    if places:
        return places
    there = [name for name in "xyz" if name in plain]
    if there:
        missing = [name for name in "xyz" if name not in plain]
        raise InputError(
            "names {} as {}, but no {}: name all three".format(" and ".join(there), what, " and ".join(missing))
        )
    if len(ANGLES.intersection(plain)) > 1:
        raise InputError("holds latitude and longitude: project them to metres and name the {}s x, y, z".format(what))
    return None


def _alike_but_for_axis(names, what):
    """Places of three names that differ in x, y, z, or 0, 1, 2, alone: marker_x, p.x, X_world, Coordinates:0, x_m.

    Numbered names are coordinates only where a word says so. None where no three are alike.

    Raises:
      InputError: several threes are, and no word tells which of them are points.
    """
    found = {}
    for place, name in enumerate(names):
        words = re.findall("[a-z]+|[0-9]+", _folded(name))
        for at, word in enumerate(words):
            if word in ("x", "y", "z") or word in ("0", "1", "2") and at == len(words) - 1:
                rest = tuple(words[:at] + ["*"] + words[at + 1 :])
                found.setdefault((rest, word.isdigit()), {}).setdefault("xyz012".index(word) % 3, []).append(place)
    threes = []
    for (rest, is_numbered), axes in found.items():
        says_points = bool(OF_POINTS.intersection(rest))
        is_whole = sorted(axes) == [0, 1, 2] and all(len(one) == 1 for one in axes.values())
        if is_whole and not OF_OTHERS.intersection(rest) and (says_points or not is_numbered):
            is_unit = set(rest) - {"*"} <= UNITS
            threes.append((is_unit or says_points, tuple(axes[axis][0] for axis in range(3))))
    best = [places for is_sure, places in threes if is_sure] or [places for _, places in threes]
    if len(best) > 1:
        raise InputError(
            "names several {}s that may be x, y, z: {}; call those to take x, y, z".format(
                what, ", ".join(printable(str(names[places[0]]), 24).strip() for places in best)
            )
        )
    return best[0] if best else None


def plain_name(name):
    """A name without case, unit, quotes, comment signs and what stands between its parts: "//X [m]" is "x"."""
    return re.sub(r"[^a-z0-9]", "", _folded(name))


def _folded(name):
    """A name in lower case, without what stands in brackets and without accents: "Höhe [m]" is "hoehe "."""
    name = unicodedata.normalize("NFC", re.sub(r"[\[(].*?[\])]", "", str(name).lower())).translate(UMLAUTS)
    return "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))


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
