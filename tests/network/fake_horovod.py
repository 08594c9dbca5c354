"""Several processes of a training, as threads of one: what they ask of Horovod goes through a meeting of these."""

import threading

import numpy as np
import tensorflow.compat.v1 as tf

from utils.network.processes import Processes

SECONDS = 60  # to wait for the other threads


class Meeting:
    """Where the threads leave arrays for each other."""

    def __init__(self, size):
        self._size, self._changed = size, threading.Condition()
        self._rounds, self._arrays = {}, {}

    def arrays(self, name, rank, array):
        """The arrays that all threads bring under the same name, by rank, once all have."""
        with self._changed:
            number = self._rounds[name, rank] = self._rounds.get((name, rank), 0) + 1
            found = self._arrays.setdefault((name, number), {})
            found[rank] = array
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: len(found) == self._size, SECONDS), name
        return [found[rank] for rank in range(self._size)]


class FakeHorovod:
    """Stands in for horovod.tensorflow in one of the threads."""

    Average, Sum = "mean", "sum"

    def __init__(self, meeting, rank):
        self._meeting, self._rank = meeting, rank

    def allreduce(self, tensor, op, name=None):
        name = name or tensor.name
        reduced = {"mean": np.mean, "sum": np.sum}[op]

        # As Horovod's own gradient: the same operation on the gradients.
        @tf.custom_gradient
        def both_ways(tensor):
            outputs = self._meet(name, lambda arrays: reduced(arrays, axis=0).astype(np.float32), tensor)
            return outputs, lambda gradient: self.allreduce(gradient, op, "gradient of " + name)

        return both_ways(tensor)

    def broadcast(self, variable, root_rank):
        return self._meet(variable.name, lambda arrays: arrays[root_rank], tf.convert_to_tensor(variable))

    def allgather(self, tensor, name):
        return self._meet(name, np.concatenate, tensor, [None] + tensor.shape.as_list()[1:])

    def _meet(self, name, function, tensor, shape=None):
        def call(array):
            return function(self._meeting.arrays(name, self._rank, array))

        outputs = tf.py_func(call, [tensor], tensor.dtype.base_dtype)
        outputs.set_shape(tensor.shape if shape is None else shape)
        return outputs


def side_by_side(size, function, monkeypatch):
    """What a function returns of the Processes of each of so many ranks, which call it at once: a list."""
    session = tf.Session

    def with_threads(graph=None, config=None):
        # Each wait takes one, and those of a gradient come in any order.
        config.use_per_session_threads = True
        config.inter_op_parallelism_threads = 64
        return session(graph=graph, config=config)

    monkeypatch.setattr(tf, "Session", with_threads)
    meeting, found, errors = Meeting(size), [None] * size, []

    def run(rank):
        try:
            found[rank] = function(Processes(rank, size, rank, size, FakeHorovod(meeting, rank)))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error
    return found
