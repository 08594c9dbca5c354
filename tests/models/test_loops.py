"""Loops in a graph."""

import pytest
import tensorflow.compat.v1 as tf

from models import loops


def test_a_loop_computes_what_is_asked_for_and_leaves_tensorflow_as_it_was():
    def fails(_):
        raise RuntimeError("was computed")

    def one(number, total):
        broken = tf.py_func(fails, [number], tf.int32, stateful=False)
        return [tf.reshape(total, [1]), tf.reshape(broken, [1])], (total + number,)

    before = tf.control_flow_v2_enabled()
    graph = tf.Graph()
    with graph.as_default():
        sums, unasked = (array.concat() for array in loops.loop(5, one, [tf.int32] * 2, (tf.constant(7),)))
    assert tf.control_flow_v2_enabled() == before
    # The session of a network leaves out what removes it otherwise.
    config = tf.ConfigProto()
    config.graph_options.place_pruned_graph = True
    with tf.Session(graph=graph, config=config) as pruned:
        assert pruned.run(sums).tolist() == [7, 7, 8, 10, 13]
        with pytest.raises(tf.errors.OpError, match="was computed"):
            pruned.run(unasked)
