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
import torch_pointnet
from works import OBJECT_WORKS, OF_TORCH, POINTNET2, ROWS

PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT_SIZE = 4096
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


if __name__ == "__main__":
    main()
