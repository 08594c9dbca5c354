"""A few test clouds in TensorBoard during a training: as they are, and by what the network sees in them."""

import numpy as np

from utils import metrics
from utils.explain import heat
from utils.pictures import colours

# Classes whose parts a person tells apart at a glance.
FAVOURITES = ("airplane", "chair", "guitar", "lamp", "person")
METHOD = "p-grad-cam"
NEUTRAL = 0.5


class ShownClouds:
    """The first test cloud of a few classes: the same ones from the beginning of a training to its end."""

    def __init__(self, graph, test_set, class_names, count):
        """Chooses the clouds and shows them in grey, as `input/<class>`. To be made once: it adds to the graph.

        Args:
          graph: a training_graph.TrainingGraph.
          test_set: points [n, P, 3] and labels [n].
          class_names: the 40 names.
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
            self._explainer = graph.explainer()

    def show(self):
        """Shows what the network of this step makes of them.

        Under `heat/<class>` each cloud in the colours of its heat by p-grad-CAM for its true class, scaled to the
        greatest heat of that cloud; under `probability/<class>` that class's probability.
        """
        if not self._names:
            return
        heats = heat.METHODS[METHOD](self._explainer, self._points, self._labels)
        coloured = [(points, colours.heat_colours(values)) for points, values in zip(self._points, heats)]
        self._graph.summarise_clouds("test", self._tagged("heat", coloured))
        probabilities = metrics.probabilities(self._explainer.logits(self._points), self._labels)
        self._graph.summarise("test", self._tagged("probability", probabilities))

    def _tagged(self, group, values):
        return {"{}/{}".format(group, name): value for name, value in zip(self._names, values)}


def first_of_classes(labels, class_names, count):
    """The first cloud of each of `count` classes: of FAVOURITES before all others, each in its order.

    Args:
      labels: int array [n].
      class_names: the 40 names.
      count: how many at most.

    Returns:
      List of rows of `labels`; shorter than `count` where there are fewer classes.
    """
    present, rows = np.unique(labels, return_index=True)
    first_row = {class_names[label]: int(row) for label, row in zip(present, rows)}
    names = [name for name in FAVOURITES if name in first_row]
    names += [name for name in first_row if name not in FAVOURITES]
    return [first_row[name] for name in names[:count]]
