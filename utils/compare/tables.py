"""Tables and sentences that reports share: means with errors, methods by rank, who leads and by how much."""

import numpy as np
from tabulate import tabulate

from utils import metrics
from utils.disk import names


def markdown(header, rows):
    """A Markdown table of texts, its columns right-aligned but for the first.

    Args:
      header: list of texts.
      rows: list of lists of as many.
    """
    # A class may have any name; a bar in it would end the cell.
    header, *rows = ([names.markdown(cell) for cell in row] for row in [header] + rows)
    alignment = ("left",) + ("right",) * (len(header) - 1)
    return tabulate(rows, header, tablefmt="pipe", disable_numparse=True, colalign=alignment)


def by_class(results, order, values, caption):
    """A table of means in % by class, under a caption; none where there is but one class.

    Args:
      results: a report.Results.
      order: places of the methods, left to right.
      values: float array [methods, clouds].
      caption: text.

    Returns:
      List of Markdown texts.
    """
    class_of = np.array([cloud.class_name for cloud in results.clouds])
    classes = list(dict.fromkeys(class_of.tolist()))
    if len(classes) == 1:
        return []
    rows = [
        [name, str((class_of == name).sum())]
        + [_mean_alone(100 * values[number][class_of == name]) for number in order]
        for name in classes
    ]
    return [caption, markdown(["class", "clouds"] + [results.methods[number] for number in order], rows)]


def _mean_alone(values):
    average, _ = metrics.mean_and_error(values)
    return "-" if np.isnan(average) else "{:.1f}".format(average)


def lead(methods, order, values, what, bests, unit):
    """Sentences that compare the best method with each other one, cloud by cloud.

    Args:
      methods: names.
      order: their places, best first.
      values: float array [methods, clouds], NaN to leave out.
      what, bests, unit: words.

    Returns:
      List of Markdown texts.
    """
    best = order[0]
    if len(order) < 2 or np.isnan(values[best]).all():
        return []
    rows = []
    for other in order[1:]:
        difference = values[other] - values[best]
        low, high = metrics.interval_95(difference)
        rows.append(
            [
                methods[other],
                "{:+.2f}".format(metrics.mean_and_error(difference)[0]),
                "one cloud has none" if np.isnan(low) else "{:+.2f} to {:+.2f}".format(low, high),
            ]
        )
    return [
        "Best by {} ({}): **{}**. The others' difference from it, in {}, cloud by cloud, with its 95 % "
        "interval:".format(what, bests, names.markdown(methods[best]), unit),
        markdown(["method", "difference", "95 % interval"], rows),
    ]


def order(values, greatest_first):
    """Places of methods by their mean over the clouds, best first; methods without any come last.

    Args:
      values: float array [methods, clouds], NaN to leave out.
      greatest_first: whether the greatest is best.

    Returns:
      List of ints.
    """
    means, _ = metrics.mean_and_error(values, axis=1)
    means = np.where(np.isnan(means), np.inf, -means if greatest_first else means)
    return sorted(range(len(means)), key=lambda number: means[number])


def percent(values):
    """As `mean`, of shares, in %."""
    return mean(100 * values)


def mean(values, digits=1):
    """Mean and standard error as text; the mean alone of one value, a dash of none."""
    average, error = metrics.mean_and_error(values)
    if np.isnan(average):
        return "-"
    return "{:.{}f}".format(average, digits) + ("" if np.isnan(error) else " ± {:.{}f}".format(error, digits))
