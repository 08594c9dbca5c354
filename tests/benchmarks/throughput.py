"""How fast training, classification and explanation are, as a share of what a large matrix product reaches.

    python tests/benchmarks/throughput.py --reference

Prints a table and writes it as CSV. Every row is measured in a process of its own, together with the matrix product
that it is compared with. With --reference, the same work done the textbook way is timed in turn with ours: convolutions
and batch norm by moments, gradients that TensorFlow derives, one cloud a session call, an N x N product for its
diagonal.

Where torch is installed, the same networks written plainly in PyTorch are timed in turn as well.

    python tests/benchmarks/throughput.py --reference --data_dir FOLDER

also drops points of three real objects by both explain scripts until they are lost, with the shipped network and the
usual votes. The textbook way classifies in every round; as that takes minutes, some of its rounds are timed and the
others lie between them.
"""

import argparse
import contextlib
import csv
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import real_objects
import textbook_classifier
import torch_dgcnn
import torch_pointnet
import torch_pointnet2

PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT_SIZE = 4096
# Nominal cost of 1024 points, after DESIGN: three products of N x 128 x 1024 and what stands around them.
GFLOP_FORWARD, GFLOP_TRAINING = 0.9, 2.7
POINTNET2, GFLOP_POINTNET2 = "pointnet2_cls_ssg", 1.7
BATCH = 32
# Clouds of DGCNN, whose features of edges would fill the memory where all are kept.
SMALL_BATCH = 8
DROPPED_PER_ROUND = 20
COLUMNS = (
    "work",
    "seconds",
    "clouds_per_second",
    "gflop_per_second",
    "share_of_product",
    "peak_mib",
    "textbook_seconds",
    "textbook_ratio",
    "torch_seconds",
    "torch_ratio",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reference", action="store_true", help="time the textbook way too, and print the ratios")
    parser.add_argument("--repeats", type=int, default=7, help="timings of each short piece of work; the median counts")
    parser.add_argument("--votes", type=int, default=100, help="rotations in each round of p_grad_CAM")
    parser.add_argument("--rounds", type=int, default=16, help="rounds of ASM; p_grad_CAM has a quarter")
    parser.add_argument("--data_dir", metavar="FOLDER", help="ModelNet40, for the rows of whole objects")
    parser.add_argument(
        "--object_votes", type=int, help="rotations of the whole objects (default: as the scripts take)"
    )
    parser.add_argument(
        "--textbook_rounds", type=int, default=6, help="rounds of a whole object timed the textbook way"
    )
    parser.add_argument("--csv", default="throughput.csv", metavar="FILE", help="where the table goes")
    parser.add_argument("--rows", choices=sorted(ROWS), nargs="+", metavar="WORK", help="of these works alone")
    parser.add_argument("--row", choices=sorted(ROWS), help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.row:
        print(json.dumps(measure(flags.row, flags)))
        return
    rows = []
    print("| {} |".format(" | ".join(COLUMNS)))
    print("|---" * len(COLUMNS) + "|")
    for name in flags.rows or ROWS:
        if name in OBJECT_WORKS and flags.data_dir is None:
            continue
        finished = subprocess.run(
            [sys.executable, os.path.abspath(__file__), "--row", name] + sys.argv[1:],
            stdout=subprocess.PIPE,
            universal_newlines=True,
            check=True,
            env=dict(os.environ, PYTHONPATH=PROJECT_DIR),
        )
        row = json.loads(finished.stdout.splitlines()[-1])
        rows.append(row)
        print(
            "| {} |".format(" | ".join("" if row[column] is None else str(row[column]) for column in COLUMNS)),
            flush=True,
        )
    print(
        "TensorFlow {}, {} cores, {}; the product of {} x {} matrices: {} GFLOP/s in the median row".format(
            rows[0]["tensorflow"],
            os.cpu_count(),
            time.strftime("%Y-%m-%d"),
            PRODUCT_SIZE,
            PRODUCT_SIZE,
            round(np.median([row["product"] for row in rows])),
        )
    )
    with open(flags.csv, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def measure(name, flags):
    """Times one kind of work, ours, the product and the textbook's in turn.

    Args:
      name: a key of ROWS.
      flags: of `main`.

    Returns:
      Dictionary of COLUMNS, `product` (GFLOP/s) and `tensorflow` (version).
    """
    from utils.network.loading import load_tensorflow

    load_tensorflow()
    import tensorflow.compat.v1 as tf

    prepare, num_clouds, points_each, gflop, is_long = ROWS[name]
    with contextlib.ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        opened.enter_context(tf.Graph().as_default())
        session = opened.enter_context(tf.Session())
        matrix = tf.get_variable("matrix", [PRODUCT_SIZE, PRODUCT_SIZE])
        session.run(matrix.initializer)
        product = tf.matmul(matrix, matrix).op
        ours = prepare(folder, flags, False, opened)
        ours()
        peak = _peak_mib()
        works, others = [ours, lambda: session.run(product)], []
        if flags.reference and not name.startswith(POINTNET2):
            works.append(prepare(folder, flags, True, opened))
            others.append("textbook")
        if flags.reference and name in OF_TORCH and torch_pointnet.is_installed():
            script, work = OF_TORCH[name]
            works.append(torch_pointnet.start(work, num_clouds, points_each, opened, script.__file__))
            others.append("torch")
        for work in works[1:]:
            if not is_long:
                work()
        times = [[_seconds(work) for work in works] for _ in range(1 if is_long else flags.repeats)]
        seconds, product_seconds = np.median(times, axis=0)[:2]
    speed = 2 * PRODUCT_SIZE**3 / product_seconds / 1e9
    num_clouds = num_clouds(flags) if callable(num_clouds) else num_clouds
    flops = gflop * num_clouds * points_each / 1024 / seconds if gflop else None
    row = {
        "work": name,
        "seconds": round(seconds, 4),
        "clouds_per_second": round(num_clouds / seconds, 1),
        "gflop_per_second": flops and int(round(flops)),
        "share_of_product": flops and round(flops / speed, 3),
        "peak_mib": peak,
        "textbook_seconds": None,
        "textbook_ratio": None,
        "torch_seconds": None,
        "torch_ratio": None,
        "product": speed,
        "tensorflow": tf.__version__,
    }
    for place, other in enumerate(others, 2):
        row[other + "_seconds"] = round(np.median(times, axis=0)[place], 4)
        row[other + "_ratio"] = round(np.median([one[place] / one[0] for one in times]), 2)
    return row


def _seconds(work):
    """Wall time of a work, unless it says itself what it would take."""
    start = time.perf_counter()
    said = work()
    return said if isinstance(said, float) else time.perf_counter() - start


def _peak_mib():
    """The most memory this process has held, in MiB; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))


def _clouds(num_clouds, num_points):
    return np.random.RandomState(0).uniform(-0.6, 0.6, (num_clouds, num_points, 3)).astype(np.float32)


@contextlib.contextmanager
def _open_training(folder, is_textbook, model_name="pointnet_cls"):
    """Context of a TrainingGraph of a fresh network, and its folder."""
    import textbook

    from utils.network import training, training_graph

    log_dir = tempfile.mkdtemp(dir=folder)
    # As many classes as ModelNet40 has.
    class_names = tuple("class {}".format(number) for number in range(40))
    settings = training.TrainingSettings(model_name, class_names, batch_size=BATCH, steps_per_epoch=1, max_epoch=1)
    layers = textbook.layers() if is_textbook else contextlib.ExitStack()
    with layers, training_graph.open_training(log_dir, settings) as graph:
        yield graph, log_dir


def _training(num_points, model_name="pointnet_cls", clouds_of=_clouds, num_clouds=BATCH):
    def prepare(folder, flags, is_textbook, opened):
        graph, _ = opened.enter_context(_open_training(folder, is_textbook, model_name))
        clouds, labels = clouds_of(num_clouds, num_points), np.arange(num_clouds)
        return lambda: graph.train_step(clouds, labels)

    return prepare


def _classifier(folder, is_textbook, opened, model_name="pointnet_cls"):
    """Ours, or an object of the same methods that works the textbook way, of a fresh network."""
    with _open_training(folder, False, model_name) as (graph, log_dir):
        graph.save()
    return textbook_classifier.of(os.path.join(log_dir, "model.ckpt"), is_textbook, opened, model_name=model_name)


def _inference(num_points, model_name="pointnet_cls", clouds_of=_clouds, num_clouds=BATCH):
    def prepare(folder, flags, is_textbook, opened):
        classifier = _classifier(folder, is_textbook, opened, model_name)
        clouds = clouds_of(num_clouds, num_points)
        return lambda: classifier.logits(clouds)

    return prepare


def _gradient(folder, flags, is_textbook, opened):
    classifier, clouds = _classifier(folder, is_textbook, opened), _clouds(BATCH, 1024)
    return lambda: list(classifier.quantities(["loss_gradients"], clouds, 0))


def _whole(method, eval_every=1):
    """The loop of an explain script. Each vote is made one for the label, so that all runs have the same rounds."""

    def prepare(folder, flags, is_textbook, opened):
        from utils.clouds import transforms
        from utils.explain import point_drop
        from utils.explain.methods import METHODS

        classifier, points = _classifier(folder, is_textbook, opened), _clouds(1, 2048)[0]
        rotations = transforms.draw_rotations("xyz", flags.votes, np.random.RandomState(0))

        vote = classifier.vote_logits
        if is_textbook and method == "p-grad-cam":
            vote = classifier.vote_logits_and_features

        def vote_logits(remaining):
            logits = vote(remaining, rotations)
            logits[:, 0] = logits.max(axis=1) + 1
            return logits

        def heat_of(remaining):
            if is_textbook and method == "p-grad-cam":
                return classifier.p_grad_cam(remaining)
            return METHODS[method].heat(classifier, remaining[np.newaxis], 0)[0]

        return lambda: point_drop.drop_until_lost(
            points,
            0,
            vote_logits,
            heat_of,
            lambda values: point_drop.points_to_drop(values, "top", DROPPED_PER_ROUND),
            max_rounds=_num_rounds(method, flags),
            eval_every=1 if is_textbook else eval_every,
        )

    return prepare


def _num_rounds(method, flags):
    return flags.rounds if method == "asm" else max(1, flags.rounds // 4)


def _votes_of(method):
    # The last round classifies, too.
    return lambda flags: flags.votes * (_num_rounds(method, flags) + 1)


OBJECT_WORKS = {
    "{} until lost, {}".format(class_name, script): real_objects.until_lost(method, class_name)
    for script, method in (("p_grad_CAM", "p-grad-cam"), ("ASM", "asm"))
    for class_name in ("airplane", "chair", "guitar")
}
# work -> function(folder, flags, is_textbook, opened) -> function to time; clouds it handles; points of each; nominal
# GFLOP of 1024 points; whether it is too long to be repeated
ROWS = {
    "training step, 1024 points": (_training(1024), BATCH, 1024, GFLOP_TRAINING, False),
    "inference, 1024 points": (_inference(1024), BATCH, 1024, GFLOP_FORWARD, False),
    "inference, 2048 points": (_inference(2048), BATCH, 2048, GFLOP_FORWARD, False),
    "gradient by points, 1024 points": (_gradient, BATCH, 1024, None, False),
    "p_grad_CAM whole, 2048 points": (_whole("p-grad-cam"), _votes_of("p-grad-cam"), 2048, None, True),
    "ASM whole, 2048 points": (_whole("asm"), _votes_of("asm"), 2048, None, True),
    "ASM whole, --eval_every 8": (_whole("asm", eval_every=8), _votes_of("asm"), 2048, None, True),
}
OF_DGCNN = ("dgcnn", _clouds, SMALL_BATCH)
OF_POINTNET2 = (POINTNET2, torch_pointnet2.demo_clouds)
ROWS.update(
    {
        "dgcnn training step, 512 points": (_training(512, *OF_DGCNN), SMALL_BATCH, 512, None, False),
        "dgcnn training step": (_training(1024, *OF_DGCNN), SMALL_BATCH, 1024, None, False),
        "dgcnn inference": (_inference(1024, *OF_DGCNN), SMALL_BATCH, 1024, None, False),
        POINTNET2 + " training step": (_training(1024, *OF_POINTNET2), BATCH, 1024, 3 * GFLOP_POINTNET2, False),
        POINTNET2 + " inference": (_inference(1024, *OF_POINTNET2), BATCH, 1024, GFLOP_POINTNET2, False),
    }
)
# Clouds a second are those that are classified where every round classifies.
ROWS.update((name, (work, lambda flags: flags.votes_cast, 1024, None, True)) for name, work in OBJECT_WORKS.items())
# work -> what does the same in PyTorch on as many clouds, and which of its works that is
OF_TORCH = {
    "training step, 1024 points": (torch_pointnet, "training"),
    "inference, 1024 points": (torch_pointnet, "inference"),
    "inference, 2048 points": (torch_pointnet, "inference"),
    "gradient by points, 1024 points": (torch_pointnet, "gradient"),
    "dgcnn training step, 512 points": (torch_dgcnn, "training"),
    "dgcnn training step": (torch_dgcnn, "training"),
    "dgcnn inference": (torch_dgcnn, "inference"),
    POINTNET2 + " training step": (torch_pointnet2, "training"),
    POINTNET2 + " inference": (torch_pointnet2, "inference"),
}


if __name__ == "__main__":
    main()
