"""A few test clouds in TensorBoard during a training: as they are, and by what the network sees in them."""

import numpy as np

from utils import metrics
from utils.demo import modelnet40
from utils.explain.methods import METHODS
from utils.pictures import colours

METHOD = next(iter(METHODS.values()))
NEUTRAL = 0.5


def choose(graph, test_set, class_names, count, log):
    """The clouds that a training shows, as ShownClouds; none where the package tensorboard is not installed."""
    try:
        return ShownClouds(graph, test_set, class_names, count)
    except ImportError as error:
        log("No clouds for TensorBoard ({}): pip install tensorboard".format(error))
        return ShownClouds(graph, test_set, class_names, 0)


class ShownClouds:
    """The first test cloud of a few classes: the same ones from the beginning of a training to its end."""

    def __init__(self, graph, test_set, class_names, count):
        """Chooses the clouds and shows them in grey, as `input/<class>`. To be made once: it adds to the graph.

        Args:
          graph: a training_graph.TrainingGraph.
          test_set: points [n, P, 3] and labels [n].
          class_names: of the C classes.
          count: of clouds; 0 shows none, and leaves the graph as it is.

        Raises:
          ImportError: the package tensorboard is not installed.
        """
        points, labels = test_set
        rows = first_of_classes(labels, class_names, count)
        self._graph = graph
        self._points, self._labels = points[rows], labels[rows]
        self._names = [class_names[label] for label in self._labels]
        if rows:
            grey = np.full_like(self._points, NEUTRAL)
            graph.summarise_clouds("test", self._tagged("input", zip(self._points, grey)))
            self._classifier = graph.classifier()

    def show(self):
        """Shows what the network of this step makes of them.

        Under `heat/<class>` each cloud in the colours of its heat for its true class by the first of METHODS, on
        the scale of pictures; under `probability/<class>` that class's probability.
        """
        if not self._names:
            return
        heats = METHOD.heat(self._classifier, self._points, self._labels)
        coloured = [(points, colours.heat_colours(values)) for points, values in zip(self._points, heats)]
        self._graph.summarise_clouds("test", self._tagged("heat", coloured))
        probabilities = metrics.probabilities(self._classifier.logits(self._points), self._labels)
        self._graph.summarise("test", self._tagged("probability", probabilities))

    def _tagged(self, group, values):
        return {"{}/{}".format(group, name): value for name, value in zip(self._names, values)}


def first_of_classes(labels, class_names, count):
    """The first cloud of each of `count` classes: of CLEAR_CLASSES before all others, each in its order.

    Args:
      labels: int array [n].
      class_names: of the C classes.
      count: how many at most.

    Returns:
      List of rows of `labels`; shorter than `count` where there are fewer classes.
    """
    present, rows = np.unique(labels, return_index=True)
    first_row = {class_names[label]: int(row) for label, row in zip(present, rows)}
    names = [name for name in modelnet40.CLEAR_CLASSES if name in first_row]
    names += [name for name in first_row if name not in modelnet40.CLEAR_CLASSES]
    return [first_row[name] for name in names[:count]]
