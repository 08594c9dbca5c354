"""A comparison as it runs: its clouds and network, the heat of many clouds at once, what is still to do."""

import contextlib
import functools

import numpy as np

import models
import provider
from utils import progress
from utils.clouds import transforms
from utils.clouds.cloud import Cloud
from utils.compare import heats
from utils.explain.methods import METHODS
from utils.files import InputError
from utils.network import checkpoint_files
from utils.network.loading import open_classifier

CLOUDS_PER_BATCH = 32
VIEWS = 1001  # stream of random numbers for the views; the protocols number theirs from here on


def load_clouds(data, names, classes, per_class, num_points):
    """The first test clouds of each class.

    Args:
      data: a provider.DataSet.
      names: of all classes, as `provider.class_names` gives them.
      classes: list of those to take, as for `provider.class_label`; None: all that have test clouds.
      per_class: how many of each; all where there are fewer.
      num_points: points of each cloud, the first ones.

    Returns:
      clouds: list of Cloud, class by class.
      digest: sha256 of all test clouds and their labels, by which the data are told wherever they lie.

    Raises:
      InputError: one of the classes has none, or the data set is not whole.
    """
    chosen = range(len(names))
    if classes is not None:
        chosen = sorted({provider.class_label(text, names, "classes") for text in classes})
    points, labels = provider.load_split(data, "test", num_points, len(names))
    clouds = []
    for label in chosen:
        rows = np.flatnonzero(labels == label)[:per_class]
        if classes is not None and not len(rows):
            raise InputError(
                "`classes` {}: {} holds no test cloud of {}".format(names[label], data.folder, names[label])
            )
        clouds += [Cloud(points[row], label, names[label], index, data.folder) for index, row in enumerate(rows)]
    return clouds, provider.digest(points, labels)


def turn_clouds(clouds, rotation, seed):
    """The clouds as one view shows them: turned by a rotation of their own, or as they lie for "none"."""
    return [
        cloud._replace(
            points=np.matmul(cloud.points, transforms.draw_rotations(rotation, 1, rng_of(cloud, seed, VIEWS))[0])
        )
        for cloud in clouds
    ]


def rng_of(cloud, *numbers):
    """A RandomState that follows from a cloud and further numbers alone, so not from what else is computed, or when."""
    return np.random.RandomState(list(numbers) + [cloud.label, cloud.index])


def points_of(clouds):
    """float32 array [B, N, 3] of the points of clouds."""
    return np.stack([cloud.points for cloud in clouds])


def labels_of(clouds):
    """int array [B] of the labels of clouds."""
    return np.array([cloud.label for cloud in clouds])


class Comparison:
    """One comparison: the network, the clouds, and the rows found so far.

    Attributes:
      classifier: a classifier.Classifier, or anything with its `logits`, `voter` and `quantities`.
      clouds: list of Cloud, as they are classified and explained.
      rows: a rows.RowFile.
      methods: names of those that are compared.
      num_points: points of each cloud.
      rotation: "none", "y" or "xyz", of the one view of each cloud, or of the votes.
      seed: of all that is drawn.
      trained_rotation: what the network was trained with; "xyz" where nobody knows.
      layers: names of its layers from the top.
      open_fresh: function (names of layers, number of the draw) -> a context with the classifier.Classifier of the same
        network, in which these layers are as before any training; each draw has weights of its own.
    """

    def __init__(
        self,
        classifier,
        clouds,
        rows,
        methods,
        num_points,
        rotation,
        seed=0,
        options=None,
        trained_rotation="xyz",
        layers=(),
        open_fresh=None,
        given=None,
    ):
        """Takes what it is about.

        Args:
          options: dictionary of what methods take, as for `Method.heat`.
          given: dictionary from those of the `methods` that are none to the given_heat.GivenHeat of each.
          The other arguments as the attributes.
        """
        self.classifier, self.clouds, self.rows, self.methods = classifier, clouds, rows, methods
        self.num_points, self.rotation, self.seed = num_points, rotation, seed
        self.trained_rotation, self.layers, self.open_fresh = trained_rotation, layers, open_fresh
        self._options, self._given = options or {}, given or {}
        self._progress = None

    def batches(self, steps, size=CLOUDS_PER_BATCH, clouds=None):
        """What is still to do: yields methods with lists of at most `size` clouds that lack a row of any of the steps.

        The rows that were added meanwhile are written after each. `clouds`: those that it looks at; None: all.
        """
        for method in self.methods:
            missing = self._missing(method, steps, clouds)
            for start in range(0, len(missing), size):
                yield method, missing[start : start + size]
                count = self.rows.flush()
                if self._progress is not None:
                    self._progress.update(count)

    def unfinished(self, steps, size=CLOUDS_PER_BATCH):
        """Yields lists of at most `size` clouds that lack a row of any of the steps under any method."""
        missing = [
            cloud for cloud in self.clouds if any(self._missing(method, steps, [cloud]) for method in self.methods)
        ]
        for start in range(0, len(missing), size):
            yield missing[start : start + size]

    def is_missing(self, steps):
        """Whether any method and cloud lacks a row of any of the steps."""
        return any(self._missing(method, steps) for method in self.methods)

    def _missing(self, method, steps, clouds=None):
        clouds = self.clouds if clouds is None else clouds
        return [cloud for cloud in clouds if not all(self.rows.has(method, cloud, step) for step in steps)]

    def heat_of(self, method, clouds, points=None, labels=None, classifier=None, draw=0, places=0):
        """Heat of several clouds.

        Args:
          method: name of a method, or of heat from elsewhere.
          clouds: list of B Cloud.
          points: float32 array [B, N, 3] in their place; None: their own.
          labels: int array [B], other classes to explain, as in "why not?"; None: their own.
          classifier: of another network; None: of the one that is explained.
          draw: number of the draw, for methods that draw: another one gives other numbers.
          places: how many of the hottest points are asked for, as for `Method.heat`.

        Returns:
          float array [B, N].

        Raises:
          ValueError: heat from elsewhere is asked for of anything but the clouds.
        """
        if method in self._given:
            if any(one is not None for one in (points, labels, classifier)):
                raise ValueError("{} has heat of whole clouds alone".format(method))
            return np.stack([self._given[method].of(cloud) for cloud in clouds])
        return METHODS[method].heat(
            classifier or self.classifier,
            points_of(clouds) if points is None else points,
            labels_of(clouds) if labels is None else labels,
            rngs=[rng_of(cloud, self.seed, draw) for cloud in clouds],
            is_target=labels is not None,
            places=places,
            **self._options,
        )

    def keep_heat(self, kept, shown=None):
        """Adds the heat that pictures of clouds need to a heats.KeptHeat, where it is not there yet.

        Args:
          kept: the heats.KeptHeat.
          shown: the clouds that pictures show, some of which may not be among these; None: the first of each class.
        """
        shown = {(one.class_name, one.index) for one in shown or heats.first_of_each_class(self.clouds)}
        firsts = [cloud for cloud in self.clouds if (cloud.class_name, cloud.index) in shown]
        for method in self.methods:
            missing = [cloud for cloud in firsts if not kept.has(method, cloud)]
            for start in range(0, len(missing), CLOUDS_PER_BATCH):
                batch = missing[start : start + CLOUDS_PER_BATCH]
                for cloud, heat in zip(batch, self.heat_of(method, batch)):
                    kept.add(method, cloud, heat)
            if missing:
                kept.save()

    def fill_in(self, protocol, own, kept, shown):
        """Adds the heat and the rows that there are not yet.

        Args:
          protocol, own: as of `run`.
          kept, shown: as of `keep_heat`; `kept` is None where no heat is shown.
        """
        if kept is not None:
            self.keep_heat(kept, shown)
        self.run(protocol, own)

    def run(self, protocol, own, is_shown=True):
        """Adds the rows of a protocol that are not there yet.

        Args:
          protocol: a protocol.Protocol.
          own: dictionary of its settings.
          is_shown: whether there is a progress bar.
        """
        steps = protocol.steps(self, **own)
        total = len(self.methods) * len(self.clouds) * len(steps)
        done = self.rows.count(self.methods, self.clouds, steps)
        with progress.Progress(protocol.name, total, "rows", done, is_shown) as self._progress:
            protocol.run(self, **own)


def of_network(classifier, clouds, rows, settings, gpu=0, given=None):
    """The Comparison of a checkpoint's network, by a settings.Settings.

    Args:
      classifier: of `loading.open_classifier`, its network on that `gpu`.
      clouds: list of Cloud, as the data set has them.
      rows: a rows.RowFile.
      settings: a settings.Settings.
      given: heat from elsewhere, of `given_heat.read`.
    """
    network = classifier.network
    if settings.protocol.is_one_view:
        clouds = turn_clouds(clouds, settings.rotation, settings.seed)
    return Comparison(
        classifier,
        clouds,
        rows,
        settings.methods,
        settings.num_points,
        settings.rotation,
        settings.seed,
        settings.options,
        trained_rotation=checkpoint_files.default_rotation(network.config),
        layers=models.network(network.model_name).LAYERS_FROM_TOP,
        open_fresh=functools.partial(_open_fresh, network, gpu, settings.seed),
        given=given,
    )


@contextlib.contextmanager
def _open_fresh(network, gpu, seed, layers, draw):
    """As `Comparison.open_fresh`. Raises an InputError where the checkpoint is no longer of the network."""
    seed = (seed + draw) % 2**32
    with open_classifier(network.prefix, network.model_name, gpu, network.class_names, layers, seed) as classifier:
        if classifier.network.digest != network.digest:
            raise InputError(
                "{} was replaced while it was compared: give a copy of it, which no training writes to, as "
                "`model_path`, and another `dump_dir`".format(network.prefix)
            )
        yield classifier
