"""`sanity`: does heat show what was learned? How much of it a network keeps that has forgotten (Adebayo et al. 2018).

arXiv 1810.03292: the layers are re-initialised one by one from the top, each step with all before it. Fresh weights are
drawn several times, since how much of the heat stays hangs on the draw.
"""

import functools
import re

import numpy as np

from utils import metrics
from utils.command_line import positive_int
from utils.compare import figures, tables
from utils.compare.protocol import Figure, Measure, Protocol, Report, Setting
from utils.compare.run import labels_of, points_of

OTHER_CLASS = "other class"  # the last step of the first draw
DRAWN_AGAIN = re.compile(r"(?P<layer>.+) draw (?P<draw>[0-9]{1,9})")  # a step of a further draw
STREAMS_PER_DRAW = 10000  # of random numbers: more than a network has layers


def steps(comparison, draws):
    """The layers of the network from the top, another class, and the layers under the further draws."""
    first, *others = [[_step(layer, draw) for layer in comparison.layers] for draw in range(draws)]
    return first + [OTHER_CLASS] + [step for steps_of_draw in others for step in steps_of_draw]


def _step(layer, draw):
    """The name of a layer's step under a draw from 0; of the first, that of the layer, as older versions have it."""
    return "{} draw {}".format(layer, draw + 1) if draw else layer


def shown(found, draws):
    """Those of the steps that are of the first so many draws."""
    again = {step: DRAWN_AGAIN.fullmatch(step) for step in found}
    return [step for step in found if again[step] is None or int(again[step].group("draw")) <= draws]


def run(comparison, draws):
    """Adds the rank correlation of the heat of each re-initialised network with the trained one's, for the same class.

    A further row has that of the trained network's heat for another class, the likeliest but for the label.

    Args:
      comparison: a run.Comparison.
      draws: how many times the weights of the re-initialised layers are drawn: from its seed, the next one, and so on.
    """
    known = _TrainedHeat(comparison)
    for draw in range(draws):
        for depth, layer in enumerate(comparison.layers):
            if comparison.is_missing([_step(layer, draw)]):
                _forget(comparison, comparison.layers[: depth + 1], draw, known)
        if draw == 0:
            _ask_for_another_class(comparison, known)


def _forget(comparison, layers, draw, known):
    """Adds the rows of the network whose layers, a list of names, are re-initialised in a draw."""
    step = _step(layers[-1], draw)
    with comparison.open_fresh(layers, draw) as forgetful:
        for method, clouds in comparison.batches([step]):
            stream = draw * STREAMS_PER_DRAW + len(layers)
            heat = comparison.heat_of(method, clouds, classifier=forgetful, draw=stream)
            _add(comparison, method, clouds, step, known.of(method, clouds), heat)


def _ask_for_another_class(comparison, known):
    for method, clouds in comparison.batches([OTHER_CLASS]):
        logits = comparison.classifier.logits(points_of(clouds))
        logits[np.arange(len(clouds)), labels_of(clouds)] = -np.inf
        heat = comparison.heat_of(method, clouds, labels=logits.argmax(axis=1), draw=len(comparison.layers) + 1)
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


def report(results, **_):
    """Table and figures of rank correlations, by method and layer."""
    methods, columns = results.methods, _columns(results)
    draws = max(values.shape[2] for values in columns.values())
    rows = [[method] + [_cell(values[number]) for values in columns.values()] for number, method in enumerate(methods)]
    text = (
        "Spearman's rank correlation of the heat of a network whose layers are re-initialised from the top down to "
        "the one named, with the trained network's; and of the heat for another class. Near 0 in the last layers: "
        "the heat depends on what was learned. ± is the standard error over the clouds, "
    )
    if draws == 1:
        text += "for one draw of the fresh weights; another draw may differ by more."
    else:
        text += (
            "each the mean over {0} draws of the fresh weights; in brackets stands how much the draws differ: the "
            "standard deviation of the {0} means over the clouds.".format(draws)
        )
    text += " Where all points have the same heat there is no correlation, and the cloud is left out."
    blocks = [text, tables.markdown(["method"] + list(columns), rows)]
    lacking = {name: np.isnan(values).sum(axis=(1, 2)) for name, values in columns.items()}
    if any(counts.any() for counts in lacking.values()):
        rows = [
            [method] + [str(counts[number]) for counts in lacking.values()] for number, method in enumerate(methods)
        ]
        blocks += [
            "Clouds left out:" if draws == 1 else "Clouds left out, in all draws together:",
            tables.markdown(["method"] + list(columns), rows),
        ]
    layers = [name for name in columns if name != OTHER_CLASS]
    found = {name: _mean_and_error(values) for name, values in columns.items()}
    trained = np.ones(len(methods)), np.zeros(len(methods))
    means, errors = (np.stack(parts, axis=1) for parts in zip(trained, *(found[layer] for layer in layers)))
    curves = {method: (means[number], errors[number]) for number, method in enumerate(methods)}
    last = _last_layer(results)
    bars = {"re-initialised whole": found[last[0]]} if last and last[0] in found else {}
    if OTHER_CLASS in found:
        bars[OTHER_CLASS] = found[OTHER_CLASS]
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
                    num_clouds=len(results.clouds),
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


def _columns(results):
    """Layers and OTHER_CLASS -> rank correlations: a dictionary to float arrays [methods, clouds, draws]."""
    columns = {}
    for step in results.steps:
        again = DRAWN_AGAIN.fullmatch(step)
        columns.setdefault(again.group("layer") if again else step, []).append(step)
    return {name: results.select("rank_correlation", found) for name, found in columns.items()}


def measures(results, **_):
    """Rank correlations after the first layer and after all of them, and with the heat for another class."""
    columns = _columns(results)
    layers = [name for name in columns if name != OTHER_CLASS]
    kinds = [("the first layer re-initialised", layers[:1]), ("all layers re-initialised", _last_layer(results))]
    return [
        Measure("rank correlation, " + what, metrics.mean_and_error(columns[name], axis=2)[0], "", digits=3)
        for what, found in kinds + [(OTHER_CLASS, [OTHER_CLASS])]
        for name in found
        if name in columns
    ]


def _last_layer(results):
    """A list of the layer with which all are re-initialised, whether there are rows of it or not; empty without any."""
    steps = results.settings.steps or results.steps
    return [step for step in steps if step != OTHER_CLASS and not DRAWN_AGAIN.fullmatch(step)][-1:]


def _cell(values):
    """Mean over clouds and draws [clouds, draws], standard error over the clouds, and what differs between draws."""
    text = tables.mean(metrics.mean_and_error(values, axis=1)[0], 3)
    spread = _spread(values)
    return text if np.isnan(spread) else "{} ({:.3f})".format(text, spread)


def _spread(values):
    """Standard deviation of the draws' means over the clouds [..., clouds, draws]: [...]; NaN of fewer than two."""
    means = metrics.mean_and_error(values, axis=-2)[0]
    return metrics.mean_and_error(means, axis=-1)[1] * np.sqrt(np.isfinite(means).sum(axis=-1))


def _mean_and_error(values):
    """Mean over clouds and draws [methods, clouds, draws], and its standard error, which both make: two [methods]."""
    mean, error = metrics.mean_and_error(metrics.mean_and_error(values, axis=2)[0], axis=1)
    of_draws = np.nan_to_num(_spread(values)) / np.sqrt(values.shape[2])
    return mean, np.sqrt(error**2 + of_draws**2)


PROTOCOL = Protocol(
    "sanity",
    help="heat of networks with re-initialised layers",
    columns=("rank_correlation",),
    steps=steps,
    run=run,
    report=report,
    more_heat=lambda **_: "the heat of other networks and classes",
    measures=measures,
    shown=shown,
    shares_work=True,
    settings=(
        Setting(
            "draws",
            3,
            "times that the weights of re-initialised layers are drawn",
            positive_int,
            metavar="D",
            is_selection=True,
        ),
    ),
)
