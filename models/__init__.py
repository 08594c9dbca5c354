"""The networks that `--model` names. Each module has `get_model` and `get_loss`."""

import importlib

NAMES = ("pointnet_cls", "pointnet_cls_basic")


def network(name):
    """The module of a network, imported when asked for: TensorFlow takes seconds to load."""
    return importlib.import_module("models." + name)
