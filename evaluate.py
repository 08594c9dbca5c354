"""How well does a trained network recognise the test split? Accuracies, a table by class, a confusion matrix.

python evaluate.py
python evaluate.py --num_votes 12
"""

import csv
import os

import numpy as np
from tqdm import tqdm

import models
import provider
from utils import command_line, files, metrics
from utils.network import loading


def parse_flags():
    parser = command_line.Parser("Evaluates a trained network on the test split of ModelNet40.")
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data_dir",
        metavar="FOLDER",
        help="the ModelNet40 HDF5 files, or `demo` for the built-in shapes (default: "
        "data/{}, fetched when missing)".format(provider.MODELNET40),
    )
    group.add_argument(
        "--num_point",
        type=command_line.positive_int,
        metavar="N",
        help="points of each cloud (default: as the network was trained, else 1024)",
    )
    group.add_argument(
        "--rotation",
        choices=command_line.ROTATIONS,
        help="of the views: none, about the up axis, or any (default: none for one vote, unless the "
        "network was trained with xyz; for more, what it was trained with)",
    )
    group.add_argument(
        "--num_votes", type=command_line.positive_int, default=1, help="views of each cloud, whose logits are added up"
    )
    group.add_argument("--seed", type=command_line.seed, default=0, help="of the rotations")
    group = parser.add_argument_group("network")
    group.add_argument("--model", choices=models.NAMES, help="network (default: what the checkpoint holds)")
    group.add_argument(
        "--model_path", metavar="CHECKPOINT", help="checkpoint (default: the best in --log_dir, else a shipped one)"
    )
    group.add_argument("--log_dir", default=os.path.join(files.PROJECT_DIR, "log"), help="folder that train.py wrote")
    group.add_argument("--gpu", type=int, default=0, help="index of the GPU; -1 for the CPU")
    group = parser.add_argument_group("files")
    group.add_argument("--dump_dir", metavar="FOLDER", help="where the files go (default: <log_dir>/evaluate)")
    flags = parser.parse_args()
    if flags.dump_dir is None:
        flags.dump_dir = os.path.join(flags.log_dir, "evaluate")
    return flags


def main():
    flags = parse_flags()
    data_dir = provider.find_data_dir(flags.data_dir)
    class_names = provider.load_class_names(data_dir)
    loading.load_tensorflow()
    # TensorFlow takes seconds to load: only once flags and data are known to be good.
    from utils.network.explainer import Explainer

    from utils.network import checkpoint

    prefix = checkpoint.find(flags.model_path, flags.log_dir, flags.rotation)
    files.make_folder(flags.dump_dir, "--dump_dir")
    with checkpoint.restore(prefix, flags.model, flags.gpu) as network:
        points, labels = provider.load_split(data_dir, "test", flags.num_point or network.config.get("num_point", 1024))
        rotation = flags.rotation or default_rotation(flags.num_votes, network.config.get("rotation", "y"))
        print(
            "{} of {}: {} clouds of {} points, {} view(s) of each, rotation {}".format(
                network.model_name, prefix, len(points), points.shape[1], flags.num_votes, rotation
            )
        )
        logits = vote(Explainer(network), points, rotation, flags.num_votes, flags.seed)
    matrix = metrics.confusion_matrix(labels, logits.argmax(axis=1), provider.NUM_CLASSES)
    report(matrix, class_names)
    save(flags.dump_dir, matrix, class_names)


def default_rotation(num_votes, trained_rotation):
    """One view shows the clouds as they lie, aligned, unless the network never saw them so."""
    if num_votes == 1:
        return "xyz" if trained_rotation == "xyz" else "none"
    return trained_rotation


def vote(explainer, points, rotation, num_votes, seed):
    """Adds up the logits of several views of each cloud.

    Args:
      explainer: an explainer.Explainer.
      points: float32 array [n, P, 3].
      rotation: "none", "y" or "xyz"; every cloud and vote is turned on its own.
      num_votes: how many views.
      seed: of the rotations.

    Returns:
      float32 array [n, 40].
    """
    rng = np.random.RandomState(seed)
    total = 0
    with tqdm(total=num_votes * len(points), unit="cloud", desc="Classifying") as bar:
        for _ in range(num_votes):
            views = np.matmul(points, provider.draw_rotations(rotation, len(points), rng))
            total = total + explainer.logits(views, progress=bar.update)
    return total


def report(matrix, class_names):
    """Prints the table by class and the two accuracies."""
    print("{:<14}{:>8}{:>10}   most often taken for".format("class", "clouds", "accuracy"))
    for label, accuracy in enumerate(metrics.class_accuracies(matrix)):
        if matrix[label].sum():
            wrong = matrix[label].copy()
            wrong[label] = 0
            taken_for = "{} ({})".format(class_names[wrong.argmax()], wrong.max()) if wrong.any() else ""
            print("{:<14}{:>8}{:>10.1%}   {}".format(class_names[label], matrix[label].sum(), accuracy, taken_for))
    print(
        "Overall accuracy {:.2%}, mean class accuracy {:.2%}, {} clouds".format(
            metrics.overall_accuracy(matrix), metrics.mean_class_accuracy(matrix), matrix.sum()
        )
    )


def save(folder, matrix, class_names):
    """Writes confusion_matrix.csv and confusion_matrix.png into an existing folder, and prints their paths."""
    from utils.pictures import plots

    def write_rows(file):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["true class"] + class_names)
        writer.writerows([name] + row.tolist() for name, row in zip(class_names, matrix))

    table, picture = (os.path.join(folder, "confusion_matrix" + ending) for ending in (".csv", ".png"))
    files.replace_file(table, write_rows)
    plots.save_confusion_matrix(
        picture, matrix, class_names, "Accuracy {:.2%}".format(metrics.overall_accuracy(matrix))
    )
    print("Written to {} and {}".format(table, picture))


if __name__ == "__main__":
    command_line.run(main)
