"""What a protocol of compare.py is: a way of testing heat. Each has a file of its own; protocols.py lists them."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np


class Setting(NamedTuple):
    """A value that a protocol depends on, and the flag that gives it.

    Attributes:
      name: of the flag, and of the argument of the protocol's functions.
      default: of the value; False for a switch, which the flag turns on.
      help: what it is, for --help.
      kind: function of a text that gives the value, as argparse takes it; None for a switch and for one of `choices`.
      metavar: what --help calls the value; None: its name.
      folder_ending: what a switch that is on adds to the name of the folder.
      choices: the texts that it can be; one other than the default adds itself to the name of the folder, unless
        `is_selection`.
      is_selection: whether it says which rows there are, not what is in them: a folder goes on with another value, and
        the report is of the steps that `Protocol.shown` picks.
    """

    name: str
    default: Any
    help: str
    kind: Optional[Callable] = None
    metavar: Optional[str] = None
    folder_ending: str = ""
    choices: Tuple[str, ...] = ()
    is_selection: bool = False

    def flag(self, value):
        """The flag as a title tells it: of a switch that is on or a choice that is not usual, else an empty text."""
        if self.choices and value != self.default:
            return "--{} {}".format(self.name, value)
        return "--" + self.name if value is True else ""

    def ending(self, value):
        """What a value adds to the name of the folder."""
        if self.choices and value != self.default and not self.is_selection:
            return "_" + value
        return self.folder_ending if value is True else ""


class Figure(NamedTuple):
    """A picture of a report.

    Attributes:
      name: of its file.
      save: function of the path that draws and writes it.
    """

    name: str
    save: Callable


class Report(NamedTuple):
    """What the rows of a comparison say.

    Attributes:
      blocks: list of Markdown texts, the paragraphs and tables of summary.md.
      figures: list of Figure, which are drawn once summary.md is written.
    """

    blocks: List[str]
    figures: List[Figure]


class Measure(NamedTuple):
    """A number of each cloud by which methods are put side by side on several networks.

    Attributes:
      name: in words.
      values: float array [methods, clouds], NaN to leave out.
      bests: "least" or "greatest", which mean is best; "" where none is.
      unit: of the values, in words; "" for a number without any.
      digits: of the values in tables.
    """

    name: str
    values: np.ndarray
    bests: str
    unit: str = ""
    digits: int = 1


def _nothing(*_, **__):
    return {}


def _all(steps, **_):
    return steps


class Subject(NamedTuple):
    """What the steps of a protocol follow from, besides its settings. A run.Comparison has it too.

    Attributes:
      num_points: of each cloud.
      layers: names of the network's layers from the top.
    """

    num_points: int
    layers: Tuple[str, ...]


class Protocol(NamedTuple):
    """A way of testing heat, cloud by cloud.

    Attributes:
      name: by which the flag and the files call it.
      help: what it asks, for --help.
      columns: names of the values of a row.
      steps: function (subject, **settings) -> list of the steps that each cloud has under each method, of ints or
        texts; the subject is a Subject or a run.Comparison.
      run: function (comparison, **settings) that adds the rows which are not there yet to a run.Comparison.
      report: function (results, **settings) -> Report of a report.Results: of the rows alone.
      measures: function (results, **settings) -> list of Measure, which reports of several networks are made of; None:
        there are no such reports.
      shown: function (steps, **settings) -> those of a list of texts that the report is of, in its order.
      settings: the Settings that it depends on, besides those of every comparison.
      methods: names of those that it compares unless told otherwise; None: all.
      per_class: clouds of each class, unless told otherwise.
      is_one_view: whether each cloud is looked at once, turned beforehand; else the protocol turns it itself.
      shares_work: whether methods share what is found of a cloud, so that it is better found for all of them at once.
      shows_heat: whether the report shows clouds coloured by their heat.
      check: function (num_points, **settings) that raises an InputError where they make no sense.
      idle: function (rotation, **settings) -> dictionary from the names of settings that do nothing under these to the
        reason, in words.
      more_heat: function (**settings) -> which heat it takes besides that of each whole cloud, in words; an empty text
        of a protocol that takes no other, so that heat from elsewhere will do.
    """

    name: str
    help: str
    columns: Tuple[str, ...]
    steps: Callable
    run: Callable
    report: Callable
    measures: Optional[Callable[..., List[Measure]]] = None
    shown: Callable[..., List[str]] = _all
    settings: Tuple[Setting, ...] = ()
    methods: Optional[Tuple[str, ...]] = None
    per_class: int = 10
    is_one_view: bool = True
    shares_work: bool = False
    shows_heat: bool = True
    check: Callable = _nothing
    idle: Callable[..., Dict[str, str]] = _nothing
    more_heat: Callable[..., str] = lambda **_: ""

    def title(self, own):
        """The flags that name it, with the switches and choices in a dictionary of its settings that are not usual."""
        told = [setting.flag(own[setting.name]) for setting in self.settings]
        return " ".join(["--protocol " + self.name] + [flag for flag in told if flag])

    def folder_name(self, own):
        """The name of its folder, likewise."""
        return self.name + "".join(setting.ending(own[setting.name]) for setting in self.settings)
