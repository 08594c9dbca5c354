"""Which clouds a run explains, as which class, and where the results go."""

import copy
import os
import sys
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

import provider
from utils import command_line, metrics, wording
from utils.clouds import own_cloud, readers, scaling
from utils.clouds.cloud import Cloud, check_num_points
from utils.disk import names
from utils.disk.shards import Shard
from utils.explain import doubts
from utils.files import InputError, make_folder, printable

LIKELIEST = 5  # classes that are named


class Source(NamedTuple):
    """Where the clouds come from.

    Attributes:
      inputs: list of files and folders of one's own; None for a test cloud of a data set.
      data_dir: of the data set, as for `provider.open_data`.
      class_name: class of the test cloud, or what own clouds are taken for; None: airplane, or what the network sees.
      index: which test cloud of the class, or which cloud of each file, from 0.
      num_points: points to use; None: as many as the network knows clouds to have, if it sees how dense they lie, else
        see `provider.test_cloud` and `own_cloud.load`.
      up, sampling, seed: of own clouds; see `own_cloud.load`.
      shard: the shards.Shard of the inputs to explain; None: all.
      workers: that will explain the inputs, as for `workers.open_pool`; None: this process.
    """

    inputs: Optional[List[str]] = None
    data_dir: Optional[str] = None
    class_name: Optional[str] = None
    index: int = 0
    num_points: Optional[int] = None
    up: str = "y"
    sampling: str = "farthest"
    seed: int = 0
    shard: Optional[Shard] = None
    workers: Union[int, str, None] = None


class Case(NamedTuple):
    """One cloud as it is explained.

    Attributes:
      cloud: the Cloud; its label is the class that is explained.
      logits: float32 array [C] of the whole, unrotated cloud.
      class_names: tuple of the C names.
      is_target: whether the class is asked about though it is not the cloud's, as in "why not a chair?".
      folders: dictionary from each method's name to the folder wanted for its results, which may hold another run's.
    """

    cloud: Cloud
    logits: np.ndarray
    class_names: Tuple[str, ...]
    is_target: bool
    folders: Dict[str, str]

    @property
    def name(self):
        """Of the cloud, for people."""
        return printable("{} {}".format(self.cloud.class_name, self.cloud.index))

    @property
    def explained(self):
        """Name of the class that is explained."""
        return self.class_names[self.cloud.label]

    @property
    def predicted(self):
        """Name of the class that the network sees."""
        return self.class_names[int(self.logits.argmax())]

    @property
    def probability(self):
        """Of the explained class."""
        return metrics.softmax(self.logits)[self.cloud.label]

    def seen_as(self):
        """What the network sees, and how likely it thinks the explained class where that is another, as a clause."""
        likeliest = wording.percent(metrics.softmax(self.logits).max())
        text = "seen as {} ({})".format(printable(self.predicted), likeliest)
        if self.explained != self.predicted:
            text += ", {} {}".format(printable(self.explained), wording.percent(self.probability))
        return text


class Clouds:
    """The clouds of a run: one of a test split, or each file of one's own.

    Of several files one that cannot be explained is one line on stderr, and the rest goes on.

    Attributes:
      class_names: tuple of the names of the classes as the data set has them; None of files of one's own, and where
        neither the data nor the network names them.
      is_one: whether one cloud alone was asked for.
      num_left_out: how many could not be explained, of those that were tried.
    """

    def __init__(self, source, known_names=None, scaled=scaling.WHERE_NEEDED):
        """Finds the clouds and reads the first, so that what cannot be read at all is known before a network is loaded.

        Args:
          source: a Source.
          known_names: tuple of the names of the network's classes; None where nobody knows.
          scaled: which clouds of a data set are scaled, as for `provider.open_data`.

        Raises:
          InputError: there is no such cloud or data set, or the data set is of other classes than the network.
        """
        check_num_points(source.num_points)
        self._source = source
        self._most = readers.DEFAULT_POINTS
        self.num_left_out = 0
        self.is_one = True
        if source.inputs is None:
            data = provider.open_data(source.data_dir, scaled)
            self.class_names = provider.class_names(data, known_names)
            self._paths = [None]
            self._first = provider.test_cloud(
                data, source.class_name, source.index, source.num_points, self.class_names
            )
            return
        self.class_names = known_names
        self._paths = own_cloud.list_inputs(source.inputs)
        # Of all, so that no two shards give two clouds one name.
        self._names = dict(zip(self._paths, own_cloud.names(self._paths)))
        self.is_one = len(self._paths) == 1
        for name, value in (("shard", source.shard), ("workers", source.workers)):
            if self.is_one and value is not None:
                raise InputError("`{}` {}: there is one file, {}".format(name, value, self._paths[0]))
        if source.shard is not None:
            self._paths = source.shard.part(self._paths)
        self._first = self._read(self._paths[0]) if self.is_one else None

    def announce(self, network):
        """Prints which checkpoint.Network explains, and where there is nothing to explain that."""
        print("Network: {} of {}".format(network.model_name, printable(network.prefix)))
        if not self._paths:
            print("Shard {} has nothing to do: there are {} files".format(self._source.shard, len(self._names)))

    def each_alone(self):
        """The same clouds one by one, under the same names and wherever a process of their own runs: list of Clouds."""
        found = []
        for path in self._paths:
            one, there = copy.copy(self), os.path.abspath(path)
            one._paths, one._names = [there], {there: self._names[path]}
            one._source = self._source._replace(inputs=[there])
            found.append(one)
        return found

    def cases(self, classifier, methods, dump_dir, target_class=None):
        """Recognises cloud after cloud, and says what the network sees.

        Args:
          classifier: a classifier.Classifier.
          methods: names of the methods that will explain.
          dump_dir: folder for all results.
          target_class: class to explain instead, as for `provider.class_label`; None: the cloud's own.

        Yields:
          A Case for each cloud.

        Raises:
          InputError: there is no such class, the only cloud cannot be explained, or, once the others are, some could
            not.
        """
        self._keep_density(classifier.known_points)
        class_names = classifier.class_names
        target, label = None, None
        if target_class is not None:
            target = provider.class_label(target_class, class_names, "target_class")
        if self._source.inputs is not None and self._source.class_name is not None:
            label = provider.class_label(self._source.class_name, class_names)
        for path in self._paths:
            try:
                cloud = self._first or self._read(path)
                folders = {
                    method: _output_folder(dump_dir, method, cloud, None if target is None else class_names[target])
                    for method in methods
                }
            except InputError as error:
                if self.is_one:
                    raise
                sys.stderr.write("Left out: {}\n".format(command_line.one_line(error)))
                self.num_left_out += 1
                continue
            yield _recognise(classifier, cloud, folders, label, target, self._most_points(cloud))

    def finish(self):
        """Raises an InputError where files were left out."""
        if self.num_left_out:
            raise InputError(
                "{} of {} files were left out, for the reasons above".format(self.num_left_out, len(self._paths))
            )

    def _keep_density(self, known_points):
        """Takes as many points as the network knows clouds to have, if it sees their density and nobody says how many.

        Args:
          known_points: of a classifier.Classifier.
        """
        if known_points is None or self._source.num_points is not None:
            return
        self._most = known_points
        if self._first is not None:
            is_own = self._source.inputs is not None
            self._first = (
                self._read(self._paths[0]) if is_own else self._first._replace(points=self._first.points[:known_points])
            )

    def _most_points(self, cloud):
        """How many points a Cloud can have, infinite of a mesh; None where nobody knows: some of a test cloud's."""
        if cloud.own is None:
            return len(cloud.points) if self._source.num_points is None else None
        return np.inf if (cloud.own.file_index < 0).all() else len(cloud.own.all_points)

    def _read(self, path):
        source = self._source
        cloud = own_cloud.load(
            path, source.num_points, source.index, source.up, source.sampling, source.seed, self._most
        )
        return cloud._replace(class_name=self._names[path])


def _recognise(classifier, cloud, folders, label, target, most_points):
    """Classifies a whole, unrotated cloud, and says what came out.

    Args:
      classifier, cloud, folders: as in `Case`.
      label: what the cloud is; None: its own label, else what the network sees.
      target: class to explain instead; None: what the cloud is.
      most_points: as for `doubts.of_density`.
    """
    print("\nCloud: {} points of {}".format(len(cloud.points), printable(cloud.source)))
    if cloud.own is not None:
        for notice in cloud.own.notices:
            print("  {}".format(command_line.one_line(notice)))
        print(
            "  centred from ({}) and scaled by 1 / {:.6g}".format(
                ", ".join("{:.6g}".format(value) for value in cloud.own.centre), cloud.own.scale
            )
        )
    logits = classifier.logits(cloud.points[np.newaxis])[0]
    probabilities = metrics.softmax(logits)
    likeliest = np.argsort(-logits, kind="stable")[:LIKELIEST]
    print(
        "The network sees: {}".format(
            ", ".join(
                "{} {}".format(printable(classifier.class_names[one]), wording.percent(probabilities[one]))
                for one in likeliest
            )
        )
    )
    found = doubts.of_density(classifier.known_points, len(cloud.points), most_points)
    if cloud.own is not None:
        found += doubts.of(cloud, logits, classifier)
    for doubt in found:
        print("  {}".format(command_line.one_line(doubt)))
    if label is None:
        label = int(logits.argmax()) if cloud.label is None else cloud.label
    explained = label if target is None else target
    return Case(cloud._replace(label=explained), logits, classifier.class_names, explained != label, folders)


def _output_folder(dump_dir, method, cloud, target_name):
    """The path <dump_dir>/<method>/<class>_<index>, with _as_<target> where one is given; all but the last is made.

    Raises:
      InputError: it cannot be written, which is better known before a long run.
    """
    name = "{}_{}".format(cloud.class_name, cloud.index)
    if target_name is not None:
        name += "_as_" + target_name
    parent = os.path.join(dump_dir, method)
    folder = os.path.join(parent, names.folder_name(name))
    for path in (parent, folder):
        if path == parent or os.path.isdir(path):
            make_folder(path, "dump_dir")
    return folder
