"""Figures of several networks side by side: bars of each method, and its heat on a few objects."""

from utils import metrics
from utils.clouds.cloud import Cloud
from utils.compare import figures, grid_figure, heats, report

OBJECTS, MOST_CELLS = 5, 16  # in the figure of their heat, and of each object


def save_bars(path, group, methods, order, labels, width):
    """Writes a measure: a group of bars for each method, in an order, and a bar for each network.

    Args:
      path: the file to write.
      group: list of a protocol.Measure for each network.
      methods: names.
      order: their places, from top to bottom.
      labels: of the networks.
      width: of the figure, in inches; None for the usual one.
    """
    label = group[0].name + (" ({} is best)".format(group[0].bests) if group[0].bests else "")
    series = {name: metrics.mean_and_error(one.values[order], axis=1) for name, one in zip(labels, group)}
    figures.save_bars(path, [methods[number] for number in order], series, label, width)


def save_clouds(path, found, folders, labels, methods, width):
    """Writes a few objects, coloured by the heat of the best methods on each network, as many as have room.

    Args:
      path: the file to write.
      found: list of a report.Results for each network.
      folders, labels: of the networks.
      methods: names, the best first.
      width: of the figure, in inches; None for the usual one.

    Returns:
      Whether there is such a figure: all folders hold heat, and the networks are not too many.
    """
    kept = [heats.KeptHeat(folder) for folder in folders]
    methods = methods[: MOST_CELLS // len(labels)]
    firsts = [
        cloud
        for cloud in heats.first_of_each_class(found[0].clouds)
        if all(of_one.has(method, cloud) for of_one in kept for method in methods)
    ]
    if not firsts or not methods:
        return False
    clouds = [Cloud(kept[0].points(one), place, one.class_name, one.index, path) for place, one in enumerate(firsts)]
    heat = {
        "{}\n{}".format(method, label): [of_one.heat(method, cloud) for cloud in firsts]
        for method in methods
        for of_one, label in zip(kept, labels)
    }
    is_wide = grid_figure.num_bands(len(heat), width) <= 2
    report.save_clouds(path, clouds, heat, found[0].settings, width, least=OBJECTS if is_wide else 0)
    return True
