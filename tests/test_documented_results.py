"""The tables of docs/results.md and docs/runner-up.md say what the rows that are kept in docs/results/ say."""

import csv
import gzip
import os
import re

import numpy as np
from scipy import stats

from utils.files import PROJECT_DIR

NETWORKS = ("pointnet", "pointnet2", "dgcnn")
FIRST_LAYERS = {"pointnet": "transform_net1", "pointnet2": "layer1", "dgcnn": "transform_net1"}
FIVE = ("rotation_y", "rotation_xyz", "rotation_none", "reference", "basic")


def _page(name):
    with open(os.path.join(PROJECT_DIR, "docs", name), encoding="utf-8") as file:
        return file.read()


def _table(name, before):
    """The first table after a text of a page, without its titles: list of lists of cells."""
    rest = _page(name)[_page(name).index(before) :]
    lines = re.search(r"(?m)^\|.*\n\|[-:| ]+\n((?:\|.*\n)+)", rest).group(1).splitlines()
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def _by_method(table):
    return {row[0]: row[1:] for row in table}


def _values(folder, column):
    """Dictionary from method to dictionary from step to dictionary from (class, index) to value."""
    found = {}
    with gzip.open(os.path.join(PROJECT_DIR, "docs", "results", folder, "rows.csv.gz"), "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            of_step = found.setdefault(row["method"], {}).setdefault(row["step"], {})
            of_step[row["class"], row["index"]] = float(row[column])
    return found


def _arrays(folder, column, clouds=None):
    """As `_values`, of all clouds or of some, each step an array [clouds], in the same order everywhere."""
    found = _values(folder, column)
    clouds = clouds or sorted(next(iter(next(iter(found.values())).values())))
    return {
        method: {step: np.array([of_cloud[cloud] for cloud in clouds]) for step, of_cloud in steps.items()}
        for method, steps in found.items()
    }


def _of_networks(protocol, column):
    return {network: _arrays("networks/{}_{}".format(network, protocol), column) for network in NETWORKS}


def _area(steps):
    """Mean height of curves in %, array [clouds]; `steps`: dictionary from numbers of points to arrays [clouds]."""
    places = sorted(steps)
    heights, widths = np.array([steps[place] for place in places]), np.diff(places)[:, np.newaxis]
    return 100 * ((heights[1:] + heights[:-1]) / 2 * widths).sum(axis=0) / widths.sum()


def _areas(steps):
    return _area({int(step): values for step, values in steps.items()})


def _insertion_minus_deletion(steps):
    curves = {"coldest": {0: steps["hottest 0"]}, "hottest": {}}
    for step, values in steps.items():
        kind, count = step.split()
        if kind in curves:
            curves[kind][int(count)] = values
    return _area(curves["coldest"]) - _area(curves["hottest"])


def _mean_of_steps(steps):
    """NaN where no step of a cloud has a value."""
    return np.ma.masked_invalid(list(steps.values())).mean(axis=0).filled(np.nan)


def _with_error(values, digits=1):
    values = values[~np.isnan(values)]
    return "{:.{d}f} ± {:.{d}f}".format(values.mean(), values.std(ddof=1) / len(values) ** 0.5, d=digits)


def _interval(values, words=""):
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return "{:.1f} to {:.1f}{}".format(np.mean(values) - half, np.mean(values) + half, words)


def _ranked(of_networks, number, digits, least_is_best=False):
    """Cells of value and rank on each network: dictionary from method; `number` is a function of its steps."""
    cells = {}
    for of_methods in of_networks.values():
        means = {method: np.nanmean(number(steps)) for method, steps in of_methods.items()}
        order = sorted(means, key=means.get, reverse=not least_is_best)
        for method, mean in means.items():
            cells.setdefault(method, []).append("{:.{}f} ({})".format(mean, digits, order.index(method) + 1))
    return cells


def test_drop_on_three_networks():
    cells = _ranked(_of_networks("drop", "probability"), _areas, 1, least_is_best=True)
    for of_methods in _of_networks("drop", "correct").values():
        for method, steps in of_methods.items():
            cells[method].append("{:.1f}".format(100 * steps["200"].mean()))
    assert _by_method(_table("results.md", "\n`drop`, heat taken anew")) == cells


def test_curve_and_insert_on_three_networks():
    cells = _ranked(_of_networks("curve", "probability"), _insertion_minus_deletion, 1)
    assert _by_method(_table("results.md", "\n`curve`, heat taken once")) == cells
    cells = _ranked(_of_networks("insert", "probability"), _areas, 1)
    assert _by_method(_table("results.md", "\n`insert`: area")) == cells


def test_stability_and_sanity_on_three_networks():
    cells = _ranked(_of_networks("stability", "rank_correlation"), _mean_of_steps, 3)
    assert _by_method(_table("results.md", "\n`stability`: rank")) == cells
    cells = {}
    of_networks = _of_networks("sanity", "rank_correlation")
    for step in ("fc3", "fc1", "first layer", "other class"):
        for network, of_methods in of_networks.items():
            for method, steps in of_methods.items():
                values = steps[FIRST_LAYERS[network] if step == "first layer" else step]
                cells.setdefault(method, []).append("{:.3f}".format(np.nanmean(values)))
    assert _by_method(_table("results.md", "\n`sanity`, one draw")) == cells


def test_thesis_and_fidelity_on_three_networks():
    cells, before = {}, _of_networks("thesis", "accuracy_before")
    for network, of_methods in _of_networks("thesis", "points_removed").items():
        for method, steps in of_methods.items():
            ((step, removed),) = steps.items()
            removed = removed[before[network][method][step] > 0.5]
            cells.setdefault(method, []).extend([_with_error(removed), "{:.1f}".format(np.median(removed))])
    assert _by_method(_table("results.md", "\n`thesis`, 24 points")) == cells
    of_networks = _of_networks("fidelity", "rank_correlation")
    methods = of_networks["dgcnn"]
    cells = {method: [_with_error(one[method]["whole"], 3) for one in of_networks.values()] for method in methods}
    assert _by_method(_table("results.md", "\n`fidelity`, the first cloud")) == cells
    for network in ("pointnet2", "dgcnn"):
        said = _with_error(of_networks[network]["runner-up"]["whole"], 2)
        assert "a rank correlation with leave-one-out of {} on ten clouds".format(said) in _page("methods.md")


def test_accuracies_beside_published_numbers():
    drop, once, anew = (_of_networks(name, "correct") for name in ("drop", "curve", "anew"))
    found = [one["asm"]["200"] for one in drop.values()]
    found += [once["dgcnn"][method]["once 500"] for method in ("asm", "runner-up", "runner-up-path")]
    found += [anew["dgcnn"][method]["anew 500"] for method in ("asm", "runner-up")]
    told = [row[1] for row in _table("results.md", "### Published numbers on these networks") if row[1]]
    assert told == [_with_error(100 * values) for values in found]


def test_runner_up_heat_on_one_network():
    values = _arrays("runner_up_fidelity", "rank_correlation")
    cells = {method: [_with_error(steps["whole"], 3)] for method, steps in values.items()}
    assert _by_method(_table("runner-up.md", "Rank correlation with exact leave-one-out, 120")) == cells
    told = _table("runner-up.md", "after the hottest points are dropped, heat taken once")
    folders = ["runner_up_path_refresh_25"] + 3 * ["runner_up_one_shot"]
    for row, folder in zip(told, folders):
        steps = _arrays(folder, "correct")[row[0].split(",")[0]]
        of_steps = ["{:.1f}".format(100 * steps[str(count)].mean()) for count in range(0, 200, 25)]
        assert row[2:] == of_steps + [_with_error(100 * steps["200"])]
    told = _by_method(_table("runner-up.md", "### On the whole test split"))
    steps = _arrays("runner_up_drop_all", "correct")["runner-up"]
    of_steps = ["{:.1f}".format(100 * steps[str(count)].mean()) for count in range(0, 200, 25)]
    by_probability = _areas(_arrays("runner_up_drop_all", "probability")["runner-up"])
    areas = [_with_error(_areas(steps)), _with_error(by_probability)]
    assert told["runner-up"] == of_steps + [_with_error(100 * steps["200"])] + areas
    assert " ".join(["| asm"] + ["| " + cell for cell in told["asm"]]) in _page("results.md")


def test_runner_up_heat_on_five_networks():
    folders = ["runner_up_drop_" + name for name in FIVE]
    clouds = sorted(set.intersection(*(set(_values(one, "correct")["asm"]["0"]) for one in folders)))
    assert len(clouds) == 160
    areas, left = {"runner-up": [], "asm": []}, {"runner-up": [], "asm": []}
    for folder in folders:
        probability, correct = (_arrays(folder, column, clouds) for column in ("probability", "correct"))
        for method in areas:
            areas[method].append(_areas(probability[method]))
            left[method].append(100 * correct[method]["200"].mean())
    differences = np.subtract(areas["asm"], areas["runner-up"])
    intervals = [_interval(of_clouds) for of_clouds in differences]
    over = [_interval(differences.mean(axis=1), " over networks"), _interval(differences.mean(axis=0), " over clouds")]
    intervals.append(", ".join(over))
    numbers = [np.mean(areas["runner-up"], axis=1), np.mean(areas["asm"], axis=1), differences.mean(axis=1)]
    numbers += [left["runner-up"], left["asm"]]
    numbers = np.array([np.append(of_networks, np.mean(of_networks)) for of_networks in numbers]).T
    told = [row[1:] for row in _table("runner-up.md", "### On five networks")]
    for row, of_network, interval in zip(told, numbers, intervals):
        texts = ["{:.1f}".format(number) for number in of_network]
        assert row == texts[:2] + ["{} ({})".format(texts[2], interval)] + texts[3:]
    assert len(told) == 6


def test_what_runner_up_heat_shows_of_what_was_learned():
    cells = {}
    for method, steps in _arrays("runner_up_sanity", "rank_correlation").items():
        cells[method] = []
        for step in ("fc3", "fc1", "conv5", "conv1", "transform_net1"):
            draws = [np.nanmean(steps[step + ending]) for ending in ("", " draw 2", " draw 3")]
            cells[method].append("{:.3f} ({:.3f})".format(np.mean(draws), np.std(draws, ddof=1)))
        cells[method].append("{:.3f}".format(np.nanmean(steps["other class"])))
    assert _by_method(_table("runner-up.md", "### Does it show what was learned?")) == cells
