"""run.json of a comparison: what its rows depend on, and which of them it is about."""

import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from utils import files
from utils.compare.protocol import Protocol
from utils.compare.protocols import PROTOCOLS
from utils.compare.rows import RowFile, read_path
from utils.explain.methods import METHODS, OPTIONS
from utils.files import InputError

# What the rows of every protocol depend on, by the names in run.json, besides the data.
COMMON = ("protocol", "num_point", "rotation", "seed", "model", "weights")


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
      options: dictionary of what methods take, as for `Method.heat`.
      own: dictionary from the names of the protocol's settings to their values.
      colormap, scale: of the pictures of clouds, as for `colours.heat_colours`.
      given: dictionary from each name in `methods` that stands for heat from elsewhere to its `file` and `sha256`.
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
    given: Dict[str, Dict[str, str]]


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
            given={name: one for name, one in _given(kept, path).items() if name in kept["methods"]},
        )
    except (KeyError, TypeError) as error:
        raise InputError("{} lacks {}: give another folder".format(path, error))


def _check_kinds(kept, protocol, path):
    """Raises an InputError for a value of run.json that is not of the kind that compare.py writes."""
    kinds = dict.fromkeys(("rotation", "model", "weights", "data", "colormap", "scale"), str)
    kinds.update(
        dict.fromkeys(("per_class", "num_point", "seed", "path_refresh"), int), power=(int, float), pooling=str
    )
    for setting in protocol.settings:
        kinds[setting.name] = str if isinstance(setting.default, str) else (int, float, type(None))
    lists = [kept[name] for name in ("methods", "classes") if kept.get(name) is not None]
    wrong = [name for name in kinds if name in kept and not isinstance(kept[name], kinds[name])]
    chosen = {setting.name: setting.choices for setting in protocol.settings if setting.choices}
    wrong += [name for name in chosen if name in kept and kept[name] not in chosen[name] and name not in wrong]
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
        own = [setting for setting in protocol.settings if setting.name not in idle and not setting.is_selection]
        names = COMMON + tuple(setting.name for setting in own)
        _check_same_data(before, kept, folder)
        # A folder that is older than a setting holds what the usual value of today did.
        usual = {setting.name: setting.default for setting in own}
        files.check_same_settings(path, {name: kept[name] for name in names}, "dump_dir", newer=usual)
        there = open_rows(folder, protocol).methods()
        given = _all_given(path, before, kept, there)
        kept = dict(kept, heat=given) if given else kept
        with_rows = options_of(there)
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


def _given(kept, path):
    """What run.json says of heat from elsewhere: dictionary from name to dictionary. Older ones say nothing."""
    found = kept.get("heat", {})
    if not isinstance(found, dict) or not all(
        isinstance(one, dict) and all(isinstance(one.get(key), str) for key in ("file", "sha256"))
        for one in found.values()
    ):
        raise InputError(
            "{} holds heat of another kind than compare.py writes: mend it or give another folder".format(path)
        )
    return found


def _all_given(path, before, kept, names):
    """Heat from elsewhere that rows came from or come from now: a dictionary for run.json.

    Args:
      path: of run.json.
      before, kept: what it held, and what it is to hold.
      names: of the methods and heats that have rows.

    Raises:
      InputError: rows of a name would come from two files, or from a file and a method.
    """
    then, now = _given(before, path), _given(kept, path)
    for name in kept["methods"]:
        if name in then and then[name]["sha256"] != now.get(name, {}).get("sha256"):
            came = "came from {} (sha256 {}...)".format(then[name]["file"], then[name]["sha256"][:16])
        elif name in now and name not in then and name in names:
            came = "came from a method"
        else:
            continue
        raise InputError(
            "`{}` {}: the rows of that name in {} {}; give another {}`dump_dir`".format(
                "heat" if name in now else "methods",
                name,
                os.path.dirname(path),
                came,
                "name or another " if name in now else "",
            )
        )
    return dict(then, **now)


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
