"""A training without dropout that keeps its losses, for comparing one process with several.

    python tests/scripts/recorded_training.py STEPS FILE.npz [flags of train.py]
    horovodrun -np 2 python tests/scripts/recorded_training.py STEPS FILE.npz [flags of train.py]

After so many steps it stops as by Ctrl-C. The file holds `losses` [steps], the `seconds` that each step took, and the
moving averages of each batch norm after the first step, under their names with | for /.
"""

import os
import signal
import sys
import time

PROJECT_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [PROJECT_DIR]


def main():
    import train

    num_steps, path = int(sys.argv[1]), sys.argv[2]
    del sys.argv[1:3]
    load_tensorflow = train.loading.load_tensorflow

    def load_and_patch():
        load_tensorflow()
        patch(num_steps, path)

    train.loading.load_tensorflow = load_and_patch
    train.command_line.run(train.main)


def patch(num_steps, path):
    """Lets the networks train without dropout and a TrainingGraph keep what it finds."""
    import numpy as np
    import tensorflow.compat.v1 as tf

    from utils import tf_util
    from utils.network import training_graph

    tf_util.dropout = lambda inputs, keep_prob, is_training: inputs
    train_step = training_graph.TrainingGraph.train_step
    found = {"losses": [], "seconds": []}

    def recorded_step(graph, points, labels):
        start = time.time()
        values = train_step(graph, points, labels)
        found["seconds"].append(time.time() - start)
        found["losses"].append(values["loss/total"])
        if graph.step == 1:
            averages = [one for one in tf.global_variables() if "/bn/moving_" in one.op.name]
            for one, value in zip(averages, graph._session.run(averages)):
                found[one.op.name.replace("/", "|")] = value
        if graph.step == num_steps:
            if graph._is_first:
                np.savez(path, **found)
            os.kill(os.getpid(), signal.SIGTERM)
        return values

    training_graph.TrainingGraph.train_step = recorded_step


if __name__ == "__main__":
    main()
