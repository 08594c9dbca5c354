"""The rows of compare.py -> summary.md and figures."""

import os

import numpy as np

from utils import metrics
from utils.compare import comparison, figures, protocols
from utils.explain import point_drop
from utils.files import replace_file
from utils.pictures import colours, render
from utils.viewer import html_page

CLOUDS_SHOWN = 6


def check_flags(flags):
    """Raises an InputError for what would spoil the figures after a long run: an unknown colour map."""
    colours.heat_colours(np.zeros(1), flags.colormap, flags.scale)


def write(bench, steps):
    """Writes summary.md and the figures of a finished comparison, and prints the summary and the paths.

    Args:
      bench: a comparison.Comparison.
      steps: the steps of its protocol.
    """
    folder, flags = bench.flags.dump_dir, bench.flags
    blocks, figures = REPORTS[flags.protocol](bench, steps)
    heading = "## compare.py --protocol {}{}{}".format(
        flags.protocol, " --drop_neg" * flags.drop_neg, " --one_shot" * flags.one_shot
    )
    about = "{} clouds of {} classes, {} points each, rotation `{}`; network `{}`, weights sha256 {}...".format(
        len(bench.clouds),
        len({cloud.label for cloud in bench.clouds}),
        flags.num_point,
        flags.rotation,
        flags.model,
        flags.weights[:16],
    )
    text = "\n\n".join([heading, about] + blocks) + "\n"
    replace_file(os.path.join(folder, "summary.md"), lambda file: file.write(text))
    if flags.protocol != "thesis":
        firsts, heats = first_heats(bench)
        save_clouds(bench, os.path.join(folder, "clouds.png"), firsts, heats)
        html_page.save_gallery(
            os.path.join(folder, "gallery.html"),
            "Heat of {} methods on {} objects".format(len(flags.methods), len(firsts)),
            firsts,
            flags.methods,
            heats,
            flags.colormap,
            flags.scale,
        )
        figures = figures + ["clouds.png", "gallery.html"]
    print(text)
    print("Written to {}: {}".format(folder, ", ".join(["rows.csv", "summary.md", "run.json"] + figures)))


def _drop_report(bench, steps):
    flags = bench.flags
    bests = "greatest" if flags.drop_neg else "least"
    word = "coldest" if flags.drop_neg else "hottest"
    return _curve_report(
        bench,
        steps,
        bests,
        "{} points dropped".format(word),
        "Accuracy in % after dropping the {} points, heat taken {}.".format(
            word, "once" if flags.one_shot else "anew after every {}".format(flags.num_drop)
        ),
    )


def _insert_report(bench, steps):
    return _curve_report(
        bench,
        steps,
        "greatest",
        "hottest points kept",
        "Accuracy in % of the hottest points alone, by how many they are.",
    )


def _curve_report(bench, steps, bests, xlabel, caption):
    """Table of accuracies, areas under the curves, who ranks best and by how much, areas by class; two figures."""
    methods, folder = bench.flags.methods, bench.flags.dump_dir
    correct, probability = (
        bench.rows.select(methods, bench.clouds, steps, name) for name in ("correct", "probability")
    )
    areas = {
        "accuracy": metrics.area_under_curve(steps, correct),
        "probability": metrics.area_under_curve(steps, probability),
    }
    order = _order(methods, areas["probability"], bests == "greatest")
    rows = []
    for number in order:
        means, _ = metrics.mean_and_error(correct[number])
        rows.append(
            [methods[number]]
            + ["{:.1f}".format(100 * mean) for mean in means[:-1]]
            + [_percent(correct[number][:, -1])]
            + [_percent(areas[kind][number]) for kind in areas]
        )
    header = ["method"] + [str(step) for step in steps] + ["area by accuracy", "area by probability"]
    blocks = [
        caption + " Area: mean height of the curve, of the accuracy or of the probability of the class, in %. "
        "± is the standard error over the clouds.",
        markdown_table(header, rows),
    ]
    blocks += _lead(methods, order, areas["probability"] * 100, "area by probability", bests, "percentage points")
    curves = {}
    for kind, values in (("accuracy", correct), ("probability", probability)):
        curves[kind] = {methods[number]: metrics.mean_and_error(values[number]) for number in order}
    figures.save_curves(
        os.path.join(folder, "curves.png"), steps, curves, xlabel, is_log=bench.flags.protocol == "insert"
    )
    figures.save_bars(
        os.path.join(folder, "bars.png"),
        [methods[number] for number in order],
        {kind: metrics.mean_and_error(values[order], axis=1) for kind, values in areas.items()},
        "area under the curve of {} ({} is best)".format(xlabel, bests),
    )
    blocks += _class_table(bench, order, areas["probability"], "Area by probability in %, by class.")
    return blocks, ["curves.png", "bars.png"]


def _thesis_report(bench, _):
    methods, folder = bench.flags.methods, bench.flags.dump_dir
    removed, rounds, before, after, seconds = (
        bench.rows.select(methods, bench.clouds, [protocols.LOST], name)[:, :, 0]
        for name in ("points_removed", "rounds", "accuracy_before", "accuracy_after", "seconds")
    )
    known = (before > point_drop.LOST_ACCURACY).all(axis=0)
    known_removed = np.where(known, removed, np.nan)
    order = _order(methods, known_removed, False)
    rows = [
        [
            methods[number],
            _mean(removed[number]),
            _mean(known_removed[number]),
            str(int(known.sum())),
            _mean(np.where(known, rounds[number], np.nan)),
            _mean(np.where(known, seconds[number], np.nan)),
            str(int((known & (after[number] > point_drop.LOST_ACCURACY)).sum())),
        ]
        for number in order
    ]
    blocks = [
        "Points removed until the network loses the object (at most half of the votes are right). Recognised: more "
        "than half are right before any point is removed. ± is the standard error over the clouds.",
        markdown_table(
            [
                "method",
                "points removed, all",
                "points removed, recognised",
                "clouds recognised",
                "rounds",
                "seconds",
                "never lost",
            ],
            rows,
        ),
    ]
    blocks += _lead(
        methods, order, known_removed, "points removed of recognised clouds", "least", "points of the cloud"
    )
    names = ["{} {}".format(cloud.class_name, cloud.index) for cloud in bench.clouds]
    blocks.append(
        markdown_table(
            ["cloud", "votes right before"]
            + ["{}: {}".format(method, what) for method in methods for what in ("removed", "rounds", "seconds")],
            [
                [name, "{:.3f}".format(before[0][place])]
                + [
                    form.format(values[number][place])
                    for number in range(len(methods))
                    for form, values in (("{:.0f}", removed), ("{:.0f}", rounds), ("{:.1f}", seconds))
                ]
                for place, name in enumerate(names)
            ],
        )
    )
    figures.save_bars(
        os.path.join(folder, "bars.png"),
        names,
        {method: (removed[number], None) for number, method in enumerate(methods)},
        "points removed until the object is lost",
    )
    return blocks, ["bars.png"]


def _sanity_report(bench, steps):
    methods, folder = bench.flags.methods, bench.flags.dump_dir
    values = bench.rows.select(methods, bench.clouds, steps, "rank_correlation")
    rows = [
        [method] + [_mean(values[number][:, place], 3) for place in range(len(steps))]
        for number, method in enumerate(methods)
    ]
    layers = steps[:-1]
    blocks = [
        "Spearman's rank correlation of the heat of a network whose layers are re-initialised from the top down to "
        "the one named, with the trained network's; and of the heat for another class. Near 0 in the last layers: "
        "the heat depends on what was learned. ± is the standard error over the clouds, for one draw of the fresh "
        "weights; another draw may differ by more. Where all points have the same heat there is no correlation, and "
        "the cloud is left out.",
        markdown_table(["method"] + steps, rows),
    ]
    lacking = np.isnan(values).sum(axis=1)
    if lacking.any():
        blocks += [
            "Clouds left out:",
            markdown_table(
                ["method"] + steps,
                [[method] + [str(count) for count in lacking[number]] for number, method in enumerate(methods)],
            ),
        ]
    curves = {
        method: metrics.mean_and_error(
            np.concatenate([np.ones((len(bench.clouds), 1)), values[number][:, :-1]], axis=1)
        )
        for number, method in enumerate(methods)
    }
    figures.save_curves(
        os.path.join(folder, "curves.png"),
        ["trained"] + layers,
        {"rank correlation": curves},
        "re-initialised from the top down to",
    )
    figures.save_bars(
        os.path.join(folder, "bars.png"),
        methods,
        {
            "re-initialised whole": metrics.mean_and_error(values[:, :, -2], axis=1),
            protocols.OTHER_CLASS: metrics.mean_and_error(values[:, :, -1], axis=1),
        },
        "rank correlation with the heat of the trained network for the class",
    )
    return blocks, ["curves.png", "bars.png"]


def _stability_report(bench, steps):
    methods, folder = bench.flags.methods, bench.flags.dump_dir
    top = protocols.top_count(bench.flags.num_point)
    blocks, figures = [], []
    for column, what in (
        ("rank_correlation", "Spearman's rank correlation with the heat before"),
        ("top_overlap", "share of the {} hottest points that stay so".format(top)),
    ):
        values = bench.rows.select(methods, bench.clouds, steps, column)
        order = _order(methods, values.mean(axis=2), True)
        lacking = np.isnan(values).sum(axis=1).max(axis=1)
        left_out = ", ".join("{} up to {}".format(method, count) for method, count in zip(methods, lacking) if count)
        blocks += [
            what[0].upper()
            + what[1:]
            + ". ± is the standard error over the clouds."
            + (" Clouds left out, where all points have the same heat: {}.".format(left_out) if left_out else ""),
            markdown_table(
                ["method"] + steps,
                [
                    [methods[number]] + [_mean(values[number][:, place], 3) for place in range(len(steps))]
                    for number in order
                ],
            ),
        ]
        figures.append("bars_{}.png".format(column))
        figures.save_bars(
            os.path.join(folder, figures[-1]),
            [methods[number] for number in order],
            {step: metrics.mean_and_error(values[order][:, :, place], axis=1) for place, step in enumerate(steps)},
            what,
        )
    points = bench.flags.num_point
    blocks.append(
        "By chance {:.3f} of the hottest points would stay so, {:.3f} under `half`.".format(
            top / points, top / (points // 2)
        )
    )
    return blocks, figures


def first_heats(bench):
    """The first cloud of each class, and a dictionary of method -> list of their heats."""
    firsts = [
        cloud for place, cloud in enumerate(bench.clouds) if place == 0 or cloud.label != bench.clouds[place - 1].label
    ]
    size = comparison.CLOUDS_PER_BATCH
    return firsts, {
        method: [
            one for start in range(0, len(firsts), size) for one in bench.heat_of(method, firsts[start : start + size])
        ]
        for method in bench.flags.methods
    }


def save_clouds(bench, path, firsts, heats):
    """Writes a grid of coloured clouds: method by object, a few of those of `first_heats`."""
    places = np.unique(np.linspace(0, len(firsts) - 1, CLOUDS_SHOWN).astype(int))
    shown = [firsts[place] for place in places]
    rows = [
        [
            render.small_picture(firsts[place].points, heats[method][place], bench.flags.colormap, bench.flags.scale)
            for method in bench.flags.methods
        ]
        for place in places
    ]
    is_diverging = colours.is_diverging(bench.flags.colormap)
    bar = colours.heat_colours(np.linspace(-1 if is_diverging else 0, 1, 257)[1:], bench.flags.colormap)
    figures.save_grid(
        path,
        [cloud.class_name for cloud in shown],
        bench.flags.methods,
        rows,
        bar,
        "{} of each cloud, {}".format(
            "rank of the heat" if bench.flags.scale == "rank" else "heat",
            "0 in the middle" if is_diverging else "from the least to the greatest",
        ),
    )


def markdown_table(header, rows):
    """A Markdown table of texts, its columns right-aligned but for the first."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1)] + rows
    return "\n".join("| {} |".format(" | ".join(line)) for line in lines)


def _class_table(bench, order, values, caption):
    """A table of means in % by class of values [methods, clouds]; none where there is but one class."""
    methods = bench.flags.methods
    labels = comparison.labels_of(bench.clouds)
    names = {cloud.label: cloud.class_name for cloud in bench.clouds}
    if len(names) == 1:
        return []
    rows = [
        [name, str((labels == label).sum())]
        + ["{:.1f}".format(100 * np.nanmean(values[number][labels == label])) for number in order]
        for label, name in names.items()
    ]
    return [caption, markdown_table(["class", "clouds"] + [methods[number] for number in order], rows)]


def _lead(methods, order, values, what, bests, unit):
    """Sentences that compare the best method with each other one, cloud by cloud.

    Args:
      methods: names.
      order: their places, best first.
      values: float array [methods, clouds], NaN to leave out.
      what, bests, unit: words.
    """
    best = order[0]
    if len(order) < 2 or np.isnan(values[best]).all():
        return []
    parts = []
    for other in order[1:]:
        difference = values[other] - values[best]
        low, high = metrics.interval_95(difference)
        parts.append(
            [
                methods[other],
                "{:+.2f}".format(metrics.mean_and_error(difference)[0]),
                "one cloud has none" if np.isnan(low) else "{:+.2f} to {:+.2f}".format(low, high),
            ]
        )
    return [
        "Best by {} ({}): **{}**. The others' difference from it, in {}, cloud by cloud, with its 95 % "
        "interval:".format(what, bests, methods[best], unit),
        markdown_table(["method", "difference", "95 % interval"], parts),
    ]


def _order(methods, values, greatest_first):
    """Places of the methods by their mean value, best first; methods without any come last."""
    means, _ = metrics.mean_and_error(values, axis=1)
    means = np.where(np.isnan(means), np.inf, -means if greatest_first else means)
    return sorted(range(len(methods)), key=lambda number: means[number])


def _percent(values):
    return _mean(100 * values)


def _mean(values, digits=1):
    """Mean and standard error as text; the mean alone of one value, a dash of none."""
    mean, error = metrics.mean_and_error(values)
    if np.isnan(mean):
        return "-"
    return "{:.{}f}".format(mean, digits) + ("" if np.isnan(error) else " ± {:.{}f}".format(error, digits))


REPORTS = {
    "drop": _drop_report,
    "insert": _insert_report,
    "thesis": _thesis_report,
    "sanity": _sanity_report,
    "stability": _stability_report,
}
