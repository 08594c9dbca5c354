"""How well does a trained network recognise the test split? Accuracies, a table by class, a confusion matrix.

    python evaluate.py
    python evaluate.py --num_votes 12
    python evaluate.py --model_path log/pretrained/rotation_xyz --rotation xyz

With votes, each cloud is seen from several sides and the answers are added up.
"""

from utils import streams

with streams.one_line_interrupts():
    import contextlib
    import csv
    import os

    import numpy as np

    import provider
    from utils import command_line, files, metrics, progress, wording
    from utils.clouds import transforms
    from utils.disk import names, result_folder, shards
    from utils.explain import doubts
    from utils.files import InputError, printable
    from utils.network import checkpoint_files, predictions, workers
    from utils.network.flags import add_network_flags, find_network
    from utils.network.loading import open_classifier

EXAMPLES = (
    "python evaluate.py",
    "python evaluate.py --num_votes 12",
    "python evaluate.py --model_path log/pretrained/rotation_xyz --rotation xyz",
)
TABLE, PICTURE = "confusion_matrix.csv", "confusion_matrix.png"


def parse_flags():
    parser = command_line.Parser("Evaluates a trained network on the test split of a data set.", EXAMPLES)
    group = parser.add_argument_group("data")
    command_line.add_data_flag(group)
    group.add_argument(
        "--num_point",
        type=command_line.positive_int,
        metavar="N",
        help="points of each cloud (default: as the network was trained, else 1024)",
    )
    group.add_argument(
        "--rotation",
        choices=command_line.ROTATIONS,
        help="of the views: none, about the up axis, or any (default: what the network was trained with, else xyz; for "
        "one vote none, unless it was trained with xyz)",
    )
    group.add_argument(
        "--num_votes", type=command_line.positive_int, default=1, help="views of each cloud, whose logits are added up"
    )
    command_line.add_seed_flag(group, "the rotations")
    add_network_flags(parser.add_argument_group("network"))
    group = parser.add_argument_group("files")
    group.add_argument("--dump_dir", metavar="FOLDER", help="where the files go (default: <log_dir>/evaluate)")
    command_line.add_overwrite_flag(group)
    shards.add_flag(group, "cloud")
    workers.add_flag(group, "cloud")
    flags = parser.parse_args()
    if flags.shard:
        command_line.refuse_idle(flags, "overwrite", "a shard leaves the report to the same command without --shard")
    if flags.dump_dir is None:
        flags.dump_dir = os.path.join(flags.log_dir, "evaluate")
    return flags


def main():
    flags = parse_flags()
    found = find_network(flags)
    data = provider.open_data(flags.data_dir, checkpoint_files.scaling_of(found.config))
    class_names = provider.class_names(data, found.class_names)
    rotation = choose_rotation(flags.rotation, flags.num_votes, found.config)
    if rotation == "none":
        command_line.refuse_idle(flags, "seed", "no view is turned")
    num_points = flags.num_point or checkpoint_files.num_points_of(found.config)
    points, labels = provider.load_split(data, "test", num_points, len(class_names))
    files.make_folder(flags.dump_dir, "dump_dir")
    turns = draw_turns(rotation, len(points), flags.num_votes, flags.seed)
    with contextlib.ExitStack() as held, open_classifier(
        found.prefix, flags.model, flags.gpu, class_names
    ) as classifier:
        print(
            "{} of {}: {} clouds of {} points, {} view(s) of each, rotation {}".format(
                classifier.network.model_name, found.prefix, len(points), points.shape[1], flags.num_votes, rotation
            )
        )
        for doubt in doubts.of_density(classifier.known_points, points.shape[1]):
            print(command_line.one_line(doubt))
        settings = {
            "model": classifier.network.model_name,
            "weights": classifier.network.digest,
            "num_point": points.shape[1],
            "rotation": rotation,
            "num_votes": flags.num_votes,
            "seed": None if rotation == "none" else flags.seed,
        }
        if flags.shard:
            held.enter_context(shards.hold(flags.dump_dir, "dump_dir", flags.shard))
        kept = dict(settings, data=provider.digest(points, labels))
        known = predictions.Predictions(flags.dump_dir, kept, labels, class_names, flags.shard)
        classify(classifier, points, turns, known, flags.workers, flags.gpu)
    if flags.shard:
        print("Shard {} is done; once all are, the same command without --shard reports".format(flags.shard))
        return
    matrix = metrics.confusion_matrix(labels, known.found, len(class_names))
    report(matrix, class_names)
    settings["data_dir"] = os.path.abspath(data.folder)
    kept = command_line.kept_flags(flags)
    del kept["shard"], kept["workers"]
    kept.update(model_path=found.prefix, class_names=class_names, **settings)
    with progress.Progress("Drawing ..."):
        written = result_folder.write(
            flags.dump_dir, settings, lambda begun: save(begun, matrix, class_names, kept), is_ours, flags.overwrite
        )
    if written.notice:
        print(command_line.one_line(written.notice))
    print("Written to {}".format(" and ".join(os.path.join(written.folder, name) for name in (TABLE, PICTURE))))


def choose_rotation(given, num_votes, config):
    """The rotation of the views: the given one, or the one that suits the network.

    Raises:
      InputError: several votes would all see the clouds as they lie.
    """
    rotation = given or checkpoint_files.default_rotation(config, is_one_view=num_votes == 1)
    if rotation == "none" and num_votes > 1:
        raise InputError(
            "`num_votes` {}: without rotation {}all views of a cloud are the same; give `num_votes` 1, or `rotation` y "
            "or xyz".format(num_votes, "" if given else "(as the network was trained) ")
        )
    return rotation


def draw_turns(rotation, num_clouds, num_votes, seed):
    """How the views are turned, every cloud and vote on its own: float32 array [V, n, 3, 3].

    Args:
      rotation: "none", "y" or "xyz".
      num_clouds: n.
      num_votes: V, views of each cloud.
      seed: of the rotations.
    """
    rng = np.random.RandomState(seed)
    return np.stack([transforms.draw_rotations(rotation, num_clouds, rng) for _ in range(num_votes)])


def classify(classifier, points, turns, known, where=None, gpu=0):
    """Finds what is missing in a predictions.Predictions, with a progress bar.

    Args:
      classifier, points, turns: as of `predictions.vote`, for all clouds.
      known: the Predictions.
      where: as for `workers.open_pool`, whose workers classify; None: this process.
      gpu: of the workers.
    """
    network, batches = classifier.network, known.missing()
    arguments = workers.arguments_of(network, gpu)
    pieces = (
        predictions.Piece(arguments, network.digest, places, points[places], turns[:, places]) for places in batches
    )
    with contextlib.ExitStack() as opened:
        bar = opened.enter_context(progress.Progress("Classifying", sum(map(len, batches)), "clouds"))
        if where is None:
            found = ((one, predictions.vote(classifier, one.points, one.turns).argmax(axis=1)) for one in pieces)
        else:
            found = opened.enter_context(workers.open_pool(where)).results(predictions.find, list(pieces))
        for piece, predicted in found:
            known.add(piece.places, predicted)
            bar.update(len(predicted))


def report(matrix, class_names):
    """Prints the table by class, of those that have clouds, and the two accuracies."""
    from tabulate import tabulate

    rows = []
    for label, accuracy in enumerate(metrics.class_accuracies(matrix)):
        if matrix[label].any():
            wrong = matrix[label].copy()
            wrong[label] = 0
            taken_for = "{} ({})".format(printable(class_names[wrong.argmax()]), wrong.max()) if wrong.any() else ""
            rows.append((printable(class_names[label]), matrix[label].sum(), wording.percent(accuracy), taken_for))
    headers = ("class", "clouds", "accuracy", "most often taken for")
    alignment = ("left", "right", "right", "left")
    # A class may be called "7": names are no numbers to be aligned by their point.
    print(tabulate(rows, headers, tablefmt="plain", colalign=alignment, disable_numparse=True))
    low, high = metrics.share_interval(np.trace(matrix), matrix.sum())
    print(
        "Overall accuracy {} (95 % interval over the clouds: {:.1f} to {}), mean class accuracy {}, {} clouds".format(
            wording.percent(metrics.overall_accuracy(matrix), 2),
            100 * low,
            wording.percent(high),
            wording.percent(metrics.mean_class_accuracy(matrix), 2),
            matrix.sum(),
        )
    )


def is_ours(name):
    """Whether a name is that of a file that `save` writes."""
    return name in (TABLE, PICTURE, result_folder.RUN_FILE)


def save(folder, matrix, class_names, settings):
    """Writes confusion_matrix.csv, confusion_matrix.png and run.json into an existing folder.

    Args:
      folder: where they go.
      matrix: int array [C, C], rows the true classes, columns the predicted ones.
      class_names: the C names.
      settings: dictionary for run.json, to which versions and the accuracies come.
    """
    from utils.pictures import plots

    def write_rows(file):
        writer = csv.writer(file, lineterminator="\n")
        cells = [names.to_cell(name) for name in class_names]
        writer.writerow(["true class"] + cells)
        writer.writerows([name] + row.tolist() for name, row in zip(cells, matrix))

    accuracy = metrics.overall_accuracy(matrix)
    files.replace_file(os.path.join(folder, TABLE), write_rows)
    title = "Accuracy {}".format(wording.percent(accuracy, 2))
    plots.save_confusion_matrix(os.path.join(folder, PICTURE), matrix, class_names, title)
    results = {
        "clouds": int(matrix.sum()),
        "overall_accuracy": float(accuracy),
        "mean_class_accuracy": float(metrics.mean_class_accuracy(matrix)),
        "versions": files.versions(),
    }
    files.write_json(os.path.join(folder, result_folder.RUN_FILE), dict(settings, **results))


if __name__ == "__main__":
    command_line.run(main)
