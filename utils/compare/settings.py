"""run.json of a comparison: what its rows depend on, and which of them it is about."""

import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from utils import files
from utils.compare.protocol import Protocol
from utils.compare.protocols import PROTOCOLS
from utils.compare.rows import RowFile, read_path
from utils.explain.methods import METHODS
from utils.files import InputError

# What the rows of every protocol depend on, by the names in run.json, besides the data.
COMMON = ("protocol", "num_point", "rotation", "seed", "model", "weights")
OPTIONS = tuple(dict.fromkeys(name for method in METHODS.values() for name in method.options if name != "rngs"))


class Settings(NamedTuple):
    """A comparison, as run.json keeps it.

    Attributes:
      protocol: a Protocol.
      methods: tuple of names.
      classes: tuple of names, in the order of their labels; None of a folder that an older version wrote.
      per_class: clouds of each class at most.
      num_points: of each cloud.
      rotation: "none", "y" or "xyz", of the one view of each cloud, or of the votes.
      seed: of all that is drawn.
      model_name: of the network.
      weights: sha256 of its checkpoint.
      data: sha256 of the test clouds, as `run.load_clouds` takes it; None of a folder that an older version wrote.
      options: dictionary of what methods take: pooling and power.
      own: dictionary from the names of the protocol's settings to their values.
      colormap, scale: of the pictures of clouds, as for `colours.heat_colours`.
    """

    protocol: Protocol
    methods: Tuple[str, ...]
    classes: Optional[Tuple[str, ...]]
    per_class: int
    num_points: int
    rotation: str
    seed: int
    model_name: str
    weights: str
    data: Optional[str]
    options: Dict[str, Any]
    own: Dict[str, Any]
    colormap: str
    scale: str


def of(kept, path):
    """The Settings in a dictionary that run.json holds.

    Args:
      kept: the dictionary.
      path: of the file, for the message.

    Raises:
      InputError: it is of something else.
    """
    # A list, since nobody knows whether the value can be looked up.
    if kept.get("protocol") not in list(PROTOCOLS):
        raise InputError("{} is not of a comparison: give another `dump_dir`".format(path))
    protocol = PROTOCOLS[kept["protocol"]]
    _check_kinds(kept, protocol, path)
    try:
        classes = kept["classes"] if "class_names" in kept else None
        return Settings(
            protocol=protocol,
            methods=tuple(kept["methods"]),
            classes=None if classes is None else tuple(classes),
            per_class=kept["per_class"],
            num_points=kept["num_point"],
            rotation=kept["rotation"],
            seed=kept["seed"],
            model_name=kept["model"],
            weights=kept["weights"],
            data=kept.get("data"),
            options={name: kept[name] for name in OPTIONS if name in kept},
            own={setting.name: kept.get(setting.name, setting.default) for setting in protocol.settings},
            colormap=kept["colormap"],
            scale=kept["scale"],
        )
    except (KeyError, TypeError) as error:
        raise InputError("{} lacks {}: give another folder".format(path, error))


def _check_kinds(kept, protocol, path):
    """Raises an InputError for a value of run.json that is not of the kind that compare.py writes."""
    kinds = dict.fromkeys(("rotation", "model", "weights", "data", "colormap", "scale"), str)
    kinds.update(dict.fromkeys(("per_class", "num_point", "seed"), int), power=(int, float), pooling=str)
    for setting in protocol.settings:
        kinds[setting.name] = str if isinstance(setting.default, str) else (int, float, type(None))
    lists = [kept[name] for name in ("methods", "classes") if kept.get(name) is not None]
    wrong = [name for name in kinds if name in kept and not isinstance(kept[name], kinds[name])]
    if not all(isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in lists):
        wrong.append("methods or classes that are no lists of names")
    if wrong:
        raise InputError(
            "{} holds {} of another kind than compare.py writes: mend it or give another folder".format(
                path, ", ".join(wrong)
            )
        )


def path_in(folder):
    return os.path.join(folder, "run.json")


def read(folder):
    """What the run.json of a folder holds: a dictionary.

    Raises:
      InputError: there is none, or it cannot be read.
    """
    return files.read_json(path_in(folder), "give another folder")


def open_rows(folder, protocol):
    """The rows.RowFile of a folder for a Protocol. Raises an InputError."""
    return RowFile(_rows_path(folder), protocol.columns)


def _rows_path(folder):
    return os.path.join(folder, "rows.csv")


def begin(folder, kept, idle=()):
    """Writes run.json; refuses a folder whose rows came from other settings.

    Args:
      folder: where it goes.
      kept: dictionary of what run.json is to hold: what `of` takes, and more.
      idle: names of settings of the protocol that do nothing in this run.

    Raises:
      InputError: the folder holds another comparison.
    """
    path = path_in(folder)
    protocol = of(kept, path).protocol
    if os.path.exists(path):
        before = files.read_json(path, "give another `dump_dir`")
        if before.get("protocol") not in list(PROTOCOLS):
            raise InputError("{} is not of a comparison: give another `dump_dir`".format(path))
        names = COMMON + tuple(
            setting.name for setting in protocol.settings if setting.name not in idle and not setting.is_selection
        )
        _check_same_data(before, kept, folder)
        files.check_same_settings(path, {name: kept[name] for name in names}, "dump_dir")
        with_rows = options_of(open_rows(folder, protocol).methods())
        taken = options_of(kept["methods"])
        files.check_same_settings(path, {name: kept[name] for name in with_rows if name in taken}, "dump_dir")
        # Rows of methods that are not run this time go on to depend on what they were run with.
        kept = dict({name: before[name] for name in with_rows if name in before}, **kept)
    elif os.path.exists(read_path(_rows_path(folder))):
        raise InputError(
            "{} is missing, so nobody knows which settings the {} beside it is of: delete that or give another "
            "`dump_dir`".format(path, os.path.basename(read_path(_rows_path(folder))))
        )
    files.write_json(path, kept)


def _check_same_data(before, kept, folder):
    """Raises an InputError where rows came from other test clouds than these; where these lie does not matter.

    Of a folder whose run.json has no checksum of them, as it is older, the path has to do.
    """
    if "data" not in before:
        files.check_same_settings(path_in(folder), {"data_dir": kept.get("data_dir")}, "dump_dir")
    elif before["data"] != kept.get("data"):
        raise InputError(
            "`data_dir` {}: its test clouds (sha256 {}...) are not those that {} began with ({}...): give these or "
            "another `dump_dir`".format(
                kept.get("data_dir"), str(kept.get("data"))[:16], folder, str(before["data"])[:16]
            )
        )


def options_of(methods):
    """Names of the options that any of the methods (names) takes: a list. Methods that nobody knows take none."""
    return [name for name in OPTIONS if any(name in METHODS[one].options for one in methods if one in METHODS)]
