"""Fresh networks in checkpoints, for the tests of what opens them."""

import os

import tensorflow.compat.v1 as tf

import models
from utils.network import checkpoint


def save_network(prefix, num_classes, model_name="pointnet_cls_basic", extra=()):
    """Saves a fresh network, of other weights than a training draws, and further variables of the given names."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        models.network(model_name).get_model(tf.zeros([1, 8, 3]), num_classes, is_training=False)
        for name in extra:
            tf.get_variable(name, [2])
        session.run(tf.global_variables_initializer())
        os.makedirs(os.path.dirname(prefix), exist_ok=True)
        checkpoint.save(session, tf.train.Saver(), prefix)


def restore(prefix, model_name=None):
    """Opens a checkpoint as a network, or as whichever it is of; returns the name of that."""
    with checkpoint.restore(prefix, model_name, gpu=-1) as network:
        return network.model_name
