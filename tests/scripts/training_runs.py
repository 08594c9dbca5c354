"""What tests of train.py share: its arguments on tiny data, and what it left."""

import os

import tensorflow.compat.v1 as tf


def training_arguments(data, log, *more):
    """Words of a training of the small network on clouds of 64 points."""
    return [
        "--data_dir",
        data,
        "--log_dir",
        str(log),
        "--model",
        "pointnet_cls_basic",
        "--num_point",
        "64",
        "--batch_size",
        "16",
        "--gpu",
        "-1",
    ] + [str(argument) for argument in more]


def step(log):
    """At which step the last checkpoint of a log folder is."""
    return int(tf.train.load_variable(os.path.join(str(log), "model.ckpt"), "global_step"))


def log_text(log):
    """What its log_train.txt tells."""
    with open(os.path.join(str(log), "log_train.txt")) as file:
        return file.read()
