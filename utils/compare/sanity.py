"""`sanity`: does heat show what was learned? How much of it a network keeps that has forgotten (Adebayo et al. 2018).

arXiv 1810.03292: the layers are re-initialised one by one from the top, each step with all before it.
"""

import functools

import numpy as np

from utils import metrics
from utils.compare import figures, tables
from utils.compare.protocol import Figure, Protocol, Report
from utils.compare.run import labels_of, points_of

OTHER_CLASS = "other class"  # the last step


def steps(comparison):
    """The layers of the network from the top, and another class."""
    return list(comparison.layers) + [OTHER_CLASS]


def run(comparison):
    """Adds the rank correlation of the heat of each re-initialised network with the trained one's, for the same class.

    A last row has that of the trained network's heat for another class, the likeliest but for the label.

    Args:
      comparison: a run.Comparison.
    """
    layers = steps(comparison)[:-1]
    known = _TrainedHeat(comparison)
    for depth, layer in enumerate(layers):
        if not comparison.is_missing([layer]):
            continue
        with comparison.open_fresh(layers[: depth + 1]) as forgetful:
            for method, clouds in comparison.batches([layer]):
                heat = comparison.heat_of(method, clouds, classifier=forgetful, draw=depth + 1)
                _add(comparison, method, clouds, layer, known.of(method, clouds), heat)
    for method, clouds in comparison.batches([OTHER_CLASS]):
        logits = comparison.classifier.logits(points_of(clouds))
        logits[np.arange(len(clouds)), labels_of(clouds)] = -np.inf
        heat = comparison.heat_of(method, clouds, labels=logits.argmax(axis=1), draw=len(layers) + 1)
        _add(comparison, method, clouds, OTHER_CLASS, known.of(method, clouds), heat)


class _TrainedHeat:
    """The heat of the trained network, each computed once."""

    def __init__(self, comparison):
        self._comparison = comparison
        self._known = {}

    def of(self, method, clouds):
        """List of the heats [N] of clouds under a method."""
        missing = [cloud for cloud in clouds if (method, cloud.label, cloud.index) not in self._known]
        if missing:
            for cloud, heat in zip(missing, self._comparison.heat_of(method, missing)):
                self._known[method, cloud.label, cloud.index] = heat
        return [self._known[method, cloud.label, cloud.index] for cloud in clouds]


def _add(comparison, method, clouds, step, trained, others):
    for cloud, one, other in zip(clouds, trained, others):
        comparison.rows.add(method, cloud, step, metrics.rank_correlation(one, other))


def report(results):
    """Table and figures of rank correlations, by method and layer."""
    methods = results.methods
    values = results.select("rank_correlation")
    rows = [
        [method] + [tables.mean(values[number][:, place], 3) for place in range(len(results.steps))]
        for number, method in enumerate(methods)
    ]
    blocks = [
        "Spearman's rank correlation of the heat of a network whose layers are re-initialised from the top down to "
        "the one named, with the trained network's; and of the heat for another class. Near 0 in the last layers: "
        "the heat depends on what was learned. ± is the standard error over the clouds, for one draw of the fresh "
        "weights; another draw may differ by more. Where all points have the same heat there is no correlation, and "
        "the cloud is left out.",
        tables.markdown(["method"] + results.steps, rows),
    ]
    lacking = np.isnan(values).sum(axis=1)
    if lacking.any():
        rows = [[method] + [str(count) for count in lacking[number]] for number, method in enumerate(methods)]
        blocks += ["Clouds left out:", tables.markdown(["method"] + results.steps, rows)]
    layers = [step for step in results.steps if step != OTHER_CLASS]
    by_layer = results.select("rank_correlation", layers)
    trained = np.ones((len(results.clouds), 1))
    curves = {
        method: metrics.mean_and_error(np.concatenate([trained, by_layer[number]], axis=1))
        for number, method in enumerate(methods)
    }
    bars = {}
    for name, step in (("re-initialised whole", layers[-1]), (OTHER_CLASS, OTHER_CLASS)):
        bars[name] = metrics.mean_and_error(results.select("rank_correlation", [step])[:, :, 0], axis=1)
    return Report(
        blocks,
        [
            Figure(
                "curves.png",
                functools.partial(
                    figures.save_curves,
                    places=["trained"] + layers,
                    panels={"rank correlation": curves},
                    xlabel="re-initialised from the top down to",
                ),
            ),
            Figure(
                "bars.png",
                functools.partial(
                    figures.save_bars,
                    names=methods,
                    series=bars,
                    label="rank correlation with the heat of the trained network for the class",
                ),
            ),
        ],
    )


PROTOCOL = Protocol(
    "sanity",
    help="heat of networks with re-initialised layers",
    columns=("rank_correlation",),
    steps=steps,
    run=run,
    report=report,
    more_heat=lambda: "the heat of other networks and classes",
)
