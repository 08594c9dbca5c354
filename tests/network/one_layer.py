"""A network of one layer, trained in no time, for tests of saves: marked by its biases, killed between renamings."""

import os

import numpy as np
import tensorflow.compat.v1 as tf

from utils.network import training, training_graph

SETTINGS = training.TrainingSettings("pointnet_cls", ("a", "b"), batch_size=4, steps_per_epoch=1, max_epoch=9)


def top_biases():
    return next(one for one in tf.global_variables() if one.op.name == "fc3/biases")


def set_bias(graph, value):
    """Marks the network in training by the biases of its top layer; `_bias_of_best` tells them."""
    top_biases().load(np.full(2, value, np.float32), graph._session)


def open_graph(folder, **options):
    return training_graph.open_training(str(folder), SETTINGS, gpu=-1, **options)


class Killed(BaseException):
    pass


def kill_at(count, monkeypatch):
    """Ends the process, as it were, in the place of the `count`-th renaming from now on; returns the ones before."""
    replace, done = os.replace, []

    def replace_until_killed(source, target):
        if len(done) == count:
            raise Killed
        replace(source, target)
        done.append(target)

    monkeypatch.setattr(os, "replace", replace_until_killed)
    return done


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
