"""run.json of a comparison: what its rows depend on, and which of them it is about."""

import functools
import os
from typing import Any, Dict, NamedTuple, Optional, Tuple

from utils import files
from utils.compare import heats
from utils.compare.protocol import Protocol
from utils.compare.protocols import PROTOCOLS
from utils.disk import shards
from utils.disk.rows import PACKED, RowFile, read_path
from utils.explain.methods import METHODS, OPTIONS
from utils.files import InputError
from utils.pictures import plots

# What the rows of every protocol depend on, by the names in run.json, besides the data.
COMMON = ("protocol", "num_point", "rotation", "seed", "model", "weights")


class Settings(NamedTuple):
    """A comparison, as run.json keeps it.

    Attributes:
      protocol: a Protocol.
      methods: tuple of names.
      classes: tuple of names, in the order of their labels; None of a folder that an older version wrote.
      per_class: clouds of each class at most.
      num_clouds: how many these are together; None of a folder that an older version wrote.
      num_points: of each cloud.
      rotation: "none", "y" or "xyz", of the one view of each cloud, or of the votes.
      seed: of all that is drawn.
      model_name: of the network.
      weights: sha256 of its checkpoint.
      data: sha256 of the test clouds, as `run.load_clouds` takes it; None of a folder that an older version wrote.
      options: dictionary of what methods take, as for `Method.heat`.
      own: dictionary from the names of the protocol's settings to their values.
      colormap, scale: of the pictures of clouds, as for `colours.heat_colours`.
      view: of the pictures of clouds, as for `render.View`.
      figure_width: in inches, of all figures; None for the usual one of each.
      figure_format: one of plots.FORMATS.
      steps: tuple of texts, the protocol's in its order; empty of a folder that an older version wrote.
      given: dictionary from each name in `methods` that stands for heat from elsewhere to its `file` and `sha256`.
    """

    protocol: Protocol
    methods: Tuple[str, ...]
    classes: Optional[Tuple[str, ...]]
    per_class: int
    num_clouds: Optional[int]
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
    view: Optional[Tuple[float, float]]
    figure_width: Optional[float]
    figure_format: str
    steps: Tuple[str, ...]
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
            num_clouds=kept.get("clouds"),
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
            view=None if kept.get("view") is None else tuple(kept["view"]),
            figure_width=kept.get("figure_width"),
            figure_format=kept.get("figure_format", plots.FORMATS[0]),
            steps=tuple(kept.get("steps", ())),
            given={name: one for name, one in _given(kept, path).items() if name in kept["methods"]},
        )
    except (KeyError, TypeError) as error:
        raise InputError("{} lacks {}: give another folder".format(path, error))


def _check_kinds(kept, protocol, path):
    """Raises an InputError for a value of run.json that is not of the kind that compare.py writes."""
    kinds = dict.fromkeys(("rotation", "model", "weights", "data", "colormap", "scale"), str)
    kinds.update(
        dict.fromkeys(("per_class", "clouds", "num_point", "seed", "path_refresh"), int),
        power=(int, float),
        pooling=str,
        view=(list, tuple, type(None)),
        figure_width=(int, float, type(None)),
        figure_format=str,
    )
    for setting in protocol.settings:
        words = (str,) if isinstance(setting.default, str) else ()
        kinds[setting.name] = words if setting.choices else words + (int, float, type(None))
    lists = [kept[name] for name in ("methods", "classes", "steps") if kept.get(name) is not None]
    wrong = [name for name in kinds if name in kept and not isinstance(kept[name], kinds[name])]
    chosen = {setting.name: setting.choices for setting in protocol.settings if setting.choices}
    wrong += [name for name in chosen if name in kept and kept[name] not in chosen[name] and name not in wrong]
    if not all(isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in lists):
        wrong.append("methods, classes or steps that are no lists of names")
    if wrong:
        raise InputError(
            "{} holds {} of another kind than compare.py writes: mend it or give another folder".format(
                path, ", ".join(wrong)
            )
        )


def path_in(folder):
    return os.path.join(folder, "run.json")


def read(folder):
    """What the run.json of a folder holds: a dictionary. Where there are shards alone, that of the first of these.

    Raises:
      InputError: there is none, one cannot be read, or a shard is of another comparison.
    """
    path = path_in(folder)
    records = shards.there(path)
    if not os.path.exists(path) and records:
        path = next(iter(records.values()))
    kept = files.read_json(path, "give another folder")
    for own, record in records.items():
        if record != path:
            protocol = of(kept, path).protocol
            usual = {setting.name: setting.default for setting in protocol.settings}
            methods_there = functools.partial(_methods_of, folder, protocol, own)
            _check_same(record, dict(usual, **kept), protocol, methods_there)
    return kept


def open_rows(folder, protocol, own=None):
    """The rows.RowFile of a folder for a Protocol, or of a shards.Shard of it. Raises an InputError.

    The rows of all shards count for the folder as a whole, and these, but no other shard's, for a shard.
    """
    path = _rows_path(folder)
    others = list(shards.there(path, PACKED).values()) if own is None else [path]
    return RowFile(
        shards.path_of(path, own), protocol.columns, [one for one in others if os.path.exists(read_path(one))]
    )


def shards_lacking(folder):
    """The shards.Shards of a folder without rows, though others of their count have some: a list."""
    return shards.lacking(shards.there(_rows_path(folder), PACKED))


def _methods_of(folder, protocol, own=None):
    """Names of the methods that have rows or kept heat in a folder and its shards, or in a shard alone: a set."""
    if own is None:
        rows = open_rows(folder, protocol)
    else:
        rows = RowFile(shards.path_of(_rows_path(folder), own), protocol.columns)
    return set(rows.methods()) | heats.methods_in(folder, own)


def _rows_path(folder):
    return os.path.join(folder, "rows.csv")


def begin(folder, kept, idle=(), own=None):
    """Writes run.json; refuses a folder whose rows came from other settings.

    A shard has a record of its own besides, run.I-of-N.json, which goes with its rows wherever these are taken.

    Args:
      folder: where it goes.
      kept: dictionary of what run.json is to hold: what `of` takes, and more.
      idle: names of settings of the protocol that do nothing in this run.
      own: the shards.Shard that begins; None for the whole.

    Raises:
      InputError: the folder holds another comparison.
    """
    path = path_in(folder)
    protocol = of(kept, path).protocol
    for one, record in shards.there(path).items():
        _check_same(record, kept, protocol, functools.partial(_methods_of, folder, protocol, one), idle)
    if os.path.exists(path):
        methods_there = functools.partial(_methods_of, folder, protocol)
        before = _check_same(path, kept, protocol, methods_there, idle)
        given = _all_given(path, before, kept, methods_there)
        kept = dict(kept, heat=given) if given else kept
        # Rows and heat of methods that are not run this time go on to depend on what they were run with.
        if any(name in before and name not in kept for name in OPTIONS):
            kept = dict({name: before[name] for name in options_of(methods_there()) if name in before}, **kept)
    elif os.path.exists(read_path(_rows_path(folder))):
        raise InputError(
            "{} is missing, so nobody knows which settings the {} beside it is of: delete that or give another "
            "`dump_dir`".format(path, os.path.basename(read_path(_rows_path(folder))))
        )
    files.write_json(path, kept)
    if own is not None:
        files.write_json(shards.path_of(path, own), kept)


def _check_same(path, kept, protocol, methods_there, idle=()):
    """Refuses to go on with rows of other settings.

    Args:
      path: of the run.json that these rows came with.
      kept, idle: as of `begin`.
      protocol: the Protocol in `kept`.
      methods_there: function that finds the names of the methods that have such rows, or heat that was kept beside
        them. It reads them, which takes long, while other shards wait to begin: it is asked where that matters alone.

    Returns:
      What the file holds.

    Raises:
      InputError: something differs on which rows of methods in both depend.
    """
    before = files.read_json(path, "give another `dump_dir`")
    if before.get("protocol") not in list(PROTOCOLS):
        raise InputError("{} is not of a comparison: give another `dump_dir`".format(path))
    settings = [setting for setting in protocol.settings if setting.name not in idle and not setting.is_selection]
    # A folder that is older than a setting holds what the usual value of today did.
    usual = {setting.name: setting.default for setting in settings}
    names = COMMON + tuple(setting.name for setting in settings)
    check_same = functools.partial(files.check_same_settings, path, argument="dump_dir", before=before)
    check_same({name: kept[name] for name in names}, newer=usual)
    # After these: of other points of the same clouds, the number is to blame.
    _check_same_data(path, before, kept)
    taken = {name: kept[name] for name in options_of(kept["methods"]) if name in kept}
    if any(name in before and before[name] != value for name, value in taken.items()):
        check_same({name: taken[name] for name in options_of(methods_there()) if name in taken})
    _all_given(path, before, kept, methods_there)
    return before


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


def _all_given(path, before, kept, methods_there):
    """Heat from elsewhere that rows came from or come from now: a dictionary for run.json.

    Args:
      path: of run.json.
      before, kept: what it held, and what it is to hold.
      methods_there: as for `_check_same`.

    Raises:
      InputError: rows of a name would come from two files, or from a file and a method.
    """
    then, now = _given(before, path), _given(kept, path)
    for name in kept["methods"]:
        if name in then and then[name]["sha256"] != now.get(name, {}).get("sha256"):
            came = "came from {} (sha256 {}...)".format(then[name]["file"], then[name]["sha256"][:16])
        elif name in now and name not in then and name in methods_there():
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


def _check_same_data(path, before, kept):
    """Raises an InputError where rows came from other test clouds than these; where these lie does not matter.

    Of a folder whose run.json, at `path`, has no checksum of them, as it is older, the path has to do.
    """
    if "data" not in before:
        files.check_same_settings(path, {"data_dir": kept.get("data_dir")}, "dump_dir")
    elif before["data"] != kept.get("data"):
        raise InputError(
            "`data_dir` {}: its test clouds (sha256 {}...) are not those that {} began with ({}...): give these or "
            "another `dump_dir`".format(
                kept.get("data_dir"), str(kept.get("data"))[:16], os.path.dirname(path), str(before["data"])[:16]
            )
        )


def options_of(methods):
    """Names of the options that any of the methods (names) takes: a list. Methods that nobody knows take none."""
    return [name for name in OPTIONS if any(name in METHODS[one].options for one in methods if one in METHODS)]
