"""The processes that train one network together: horovodrun starts them, and each has its share of every step.

    horovodrun -np 2 python train.py

`python train.py` is one process: then nothing here loads Horovod, adds to a graph, or waits for others.
"""

import contextlib
import hashlib
import importlib.util
import os
import signal
import time

import numpy as np

from utils import command_line
from utils.files import InputError

HOW_TO_BUILD = "build it into this environment by `python docs/cluster/build_horovod.py`"
# Read by TensorFlow as it loads.
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
POLL_SECONDS = 0.1
# By which a process hears that horovodrun wants it to end.
REQUEST = getattr(signal, "SIGUSR2", None)


class Processes:
    """Who this process is among those of a training, and what all of them do together.

    What takes part of all of them (`average`, `any`, `gather` ...) returns once all have called it, in the same order.

    Attributes:
      rank: number of this process, from 0.
      size: how many there are.
      local_rank, local_size: the same among those on this machine.
    """

    def __init__(self, rank=0, size=1, local_rank=0, local_size=1, horovod=None):
        """horovod: the module horovod.tensorflow; None: `join` loads it where there are several processes."""
        self.rank, self.size, self.local_rank, self.local_size = rank, size, local_rank, local_size
        self._horovod = horovod
        self._flag = None

    @property
    def is_first(self):
        """Whether this is the one that writes files and speaks to the user."""
        return self.rank == 0

    def join(self):
        """Meets the other processes. TensorFlow is loaded before.

        Raises:
          InputError: Horovod does not load.
        """
        if self.size == 1 or self._horovod is not None:
            return
        if not command_line.is_verbose():
            # That another process ended is said here, in words of ours.
            os.environ.setdefault("HOROVOD_LOG_LEVEL", "fatal")
        try:
            import horovod.tensorflow as horovod
        # An extension that was built for another TensorFlow raises OpErrors too.
        except Exception as error:
            reason = str(error).strip().split("\n")[0]
            raise InputError("Horovod does not load here ({}): {}".format(reason, HOW_TO_BUILD))
        horovod.init()
        self._horovod = horovod

    def share(self, rows):
        """This process's part of rows that are split evenly, in their order: a slice of the array."""
        return np.array_split(rows, self.size)[self.rank]

    def average(self, tensors):
        """The means over the processes of a list of float32 Tensors of one shape, which gradients pass through.

        The gradient of a mean is the mean of the gradients: so where each process takes the gradient of its own loss,
        the mean of these is the gradient of the mean loss, whatever the processes averaged on the way there.
        """
        if self.size == 1:
            return tensors
        import tensorflow.compat.v1 as tf

        return tf.unstack(self._horovod.allreduce(tf.stack(tensors), op=self._horovod.Average))

    def average_gradients(self, gradients):
        """Of pairs of a gradient and its variable the same pairs, with the means of the gradients."""
        if self.size == 1:
            return gradients
        return [
            (gradient if gradient is None else self._horovod.allreduce(gradient, op=self._horovod.Average), variable)
            for gradient, variable in gradients
        ]

    def broadcast(self, session, variables):
        """Gives variables of a tf.Session the values that they have in the first process."""
        if self.size == 1:
            return
        import tensorflow.compat.v1 as tf

        session.run([tf.assign(variable, self._horovod.broadcast(variable, root_rank=0)) for variable in variables])

    def any(self, is_so):
        """Whether it is so in any of the processes."""
        if self.size == 1:
            return is_so
        if self._flag is None:
            self._flag = self._open_flag()
        session, flag, total = self._flag
        return bool(session.run(total, {flag: float(is_so)}) > 0)

    def gather(self, rows):
        """The rows [n, ...] of all processes, one behind the other in their order: an array."""
        if self.size == 1:
            return rows
        import tensorflow.compat.v1 as tf

        with tf.Graph().as_default(), tf.Session(config=_on_cpu(tf)) as session:
            return session.run(self._horovod.allgather(tf.constant(rows), name="gathered_rows"))

    def others(self, text):
        """The ranks of those processes that come with another text than the first one: a list."""
        digests = self.gather(np.frombuffer(hashlib.sha256(text.encode("utf-8")).digest(), np.int64)[np.newaxis])
        return [rank for rank, digest in enumerate(digests) if (digest != digests[0]).any()]

    def gpu(self, first, num_gpus):
        """Which GPU this process takes: of several its own, by its number on this machine.

        Args:
          first: index of the GPU of the first process; -1 for the CPU.
          num_gpus: how many are here; where there are fewer than processes, these share them.

        Returns:
          An index; -1 for the CPU.
        """
        return (first + self.local_rank) % num_gpus if first >= 0 and num_gpus else -1

    def share_cores(self):
        """Takes this process's part of the cores of this machine, as the function `share_cores`."""
        if self.local_size > 1:
            share_cores(self.local_size)

    @contextlib.contextmanager
    def others_needed(self):
        """A context that says in one line that another process ended, without which this one cannot go on."""
        if self.size == 1:
            yield
            return
        import tensorflow.compat.v1 as tf

        try:
            yield
        except tf.errors.OpError as error:
            if "Horovod" not in error.message:
                raise
            raise InputError("another process of this training has ended: the same command goes on from the last save")

    def _open_flag(self):
        """A session of its own, a placeholder, and its sum over the processes."""
        import tensorflow.compat.v1 as tf

        with tf.Graph().as_default() as graph:
            flag = tf.placeholder(tf.float32, [])
            total = self._horovod.allreduce(flag, op=self._horovod.Sum, name="any")
            return tf.Session(graph=graph, config=_on_cpu(tf)), flag, total


ONE = Processes()
# What horovodrun calls who a process is, with the names here.
NAMES = {"HOROVOD_RANK": "rank", "HOROVOD_SIZE": "size", "HOROVOD_LOCAL_RANK": "local_rank"}
NAMES["HOROVOD_LOCAL_SIZE"] = "local_size"


def _on_cpu(tf):
    return tf.ConfigProto(device_count={"GPU": 0})


def here(environment=os.environ):
    """The Processes that horovodrun started, as it says in environment variables; ONE where it did not.

    Raises:
      InputError: they are several, and this Python has no Horovod.
    """
    if not was_launched(environment):
        return ONE
    found = Processes(**{NAMES[name]: int(environment[name]) for name in NAMES})
    if found.size > 1 and importlib.util.find_spec("horovod") is None:
        raise InputError("horovodrun started this, but its Python has no Horovod: {}".format(HOW_TO_BUILD))
    return found


def share_cores(count, are_bound_alone=False):
    """Takes the part of this machine's cores that each of so many processes has, unless the user says otherwise.

    Of a machine that is shared, as a cluster's, it is a part of those that they may run on. It is called before
    TensorFlow loads.

    Args:
      count: how many there are.
      are_bound_alone: whether somebody else started them, who may have given each cores of its own.
    """
    there = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    share = min(allowed, there // count) if are_bound_alone else allowed // count
    for name in THREADS:
        os.environ.setdefault(name, str(max(1, share)))


def was_launched(environment=os.environ):
    """Whether horovodrun started this process."""
    return set(NAMES) <= set(environment)


def pass_on_requests_to_end(environment=os.environ):
    """Lets this process hear when horovodrun wants it to end, which it would not otherwise.

    horovodrun asks the children of what it started to end, by SIGTERM, and after five seconds kills what it started.
    That is a shell, and many shells give way to this process. So a child of it passes the request on. To be called
    while there are no threads yet.
    """
    if not was_launched(environment) or not hasattr(os, "fork"):
        return
    parent = os.getpid()
    heard, listens = os.pipe()
    if os.fork():
        os.close(listens)
        os.read(heard, 1)  # a child that does not listen yet would be ended by the request
        os.close(heard)
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Another signal than a user would send: who signals a whole group reaches the parent itself as well.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(parent, REQUEST))
    os.write(listens, b".")
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(0)
