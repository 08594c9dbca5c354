"""Tables and sentences that reports share: means with errors, methods by rank, who is best and how sure that is."""

import numpy as np
from tabulate import tabulate

from utils import metrics
from utils.disk import names

FEW_CLOUDS = 20  # with fewer, one cloud more or less moves a mean far, and intervals take differences for normal


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
    """Names the best method, where the intervals say so, and compares the first with each other one, cloud by cloud.

    Each difference has its own 95 % interval, and where there are several, a wider one as well: by Bonferroni, all of
    these hold together with 95 %. A method is best where all of the latter leave out 0. That the first was found on the
    same clouds does no harm: to name a wrong one, the truly best would have to be told apart from it, and it is in no
    more differences than are counted.

    Args:
      methods: names.
      order: their places, best first.
      values: float array [methods, clouds], NaN to leave out.
      what, bests, unit: words.

    Returns:
      List of Markdown texts.
    """
    best, others = order[0], order[1:]
    if not others or np.isnan(values[best]).all():
        return []
    sign = -1 if bests == "greatest" else 1
    differences = {methods[other]: values[other] - values[best] for other in others}
    levels = [0.95] + [metrics.bonferroni(len(others))] * (len(others) > 1)
    rows = [
        [name, signed(found)] + [interval_text(found, level) for level in levels] for name, found in differences.items()
    ]
    alike, first = not_told_apart(differences, levels[-1], sign), names.markdown(methods[best])
    text = "{} by {} ({}): {}{}. The others' difference from it, in {}, cloud by cloud, with its 95 % interval".format(
        "First, but not surely best," if alike else "Best",
        what,
        bests,
        first if alike else "**{}**".format(first),
        "; " + how_far_apart(alike, len(others)),
        unit,
    )
    if len(levels) > 1:
        text += ", each for itself and all {} together (Bonferroni), which is what tells apart".format(len(others))
    count = max(int(np.isfinite(found).sum()) for found in differences.values())
    if count < FEW_CLOUDS <= values.shape[1]:
        number = "1 cloud counts" if count == 1 else "{} clouds count".format(count)
        text += ". Only {} here, which is few".format(number)
    return [text + ":", markdown(["method", "difference", "95 % interval", "all together"][: 2 + len(levels)], rows)]


def not_told_apart(differences, level, sign):
    """Names of those that may be as good as the first: all but those whose interval of the difference is worse than 0.

    A mean is over all clouds that have a value, a difference over those that both have, so it can have either sign.

    Args:
      differences: dictionary from name to float array, what it has more than the first; NaN to leave out.
      level: of the intervals.
      sign: 1 where more is worse, -1 where less is.

    Returns:
      List of names.
    """
    alike = []
    for name, found in differences.items():
        low, high = metrics.interval(found, level)
        if not min(sign * low, sign * high) > 0:
            alike.append(name)
    return alike


def how_far_apart(alike, count):
    """Says from which of `count` others the first is not told apart, a list of names: a clause."""
    if not alike:
        return "told apart from " + ("the other" if count == 1 else "each of the others")
    text = "not told apart from " + ", ".join(map(names.markdown, alike))
    return text + (" (from the others it is)" if len(alike) < count else "")


def signed(values, digits=2):
    """Mean of differences as text, a dash of none."""
    average, _ = metrics.mean_and_error(values)
    return "-" if np.isnan(average) else "{:+.{}f}".format(average, digits)


def interval_text(values, level=0.95, of_what="cloud", digits=2):
    """The interval of a mean as text; of_what: what a value is of, for where there is but one."""
    ends = metrics.interval(values, level)
    if np.isnan(ends[0]):
        return "one {} has none".format(of_what)
    return "{:+.{digits}f} to {:+.{digits}f}".format(*ends, digits=digits)


def order(values, greatest_first):
    """Places of methods by their mean over the clouds, best first; methods without any come last.

    Args:
      values: float array [methods, clouds], NaN to leave out.
      greatest_first: whether the greatest is best.

    Returns:
      List of ints.
    """
    means = _least_first(metrics.mean_and_error(values, axis=1)[0], greatest_first)
    return sorted(range(len(means)), key=lambda number: means[number])


def ranks(values, greatest_first):
    """The rank of each value, 1 the best; equal ones share theirs, and NaN comes last.

    Args:
      values: float array [M].
      greatest_first: whether the greatest is best.

    Returns:
      List of ints.
    """
    values = _least_first(values, greatest_first)
    return [1 + int((values < one).sum()) for one in values]


def _least_first(values, greatest_first):
    """Numbers of which the best is the least, and those that are NaN the greatest: a float array [M] as `values`."""
    return np.where(np.isnan(values), np.inf, -values if greatest_first else values)


def percent(values):
    """As `mean`, of shares, in %."""
    return mean(100 * values)


def mean(values, digits=1):
    """Mean and standard error as text; the mean alone of one value, a dash of none."""
    average, error = metrics.mean_and_error(values)
    if np.isnan(average):
        return "-"
    return "{:.{}f}".format(average, digits) + ("" if np.isnan(error) else " ± {:.{}f}".format(error, digits))


def median(values):
    """Median as text, NaNs left out; a dash of none."""
    values = values[np.isfinite(values)]
    return "{:.1f}".format(np.median(values)) if len(values) else "-"
