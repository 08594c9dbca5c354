"""Pieces of work for processes of their own, on this machine or on a Dask cluster; `distributed` hands them out.

That package is imported here and in `local_workers` alone, and only where workers are asked for.
"""

import argparse
import atexit
import concurrent.futures
import contextlib
import logging
import os
import pickle
import re
import tempfile
import threading
import time
import warnings

import utils
from utils.files import PROJECT_DIR, InputError
from utils.network import local_workers
from utils.network.processes import Processes, share_cores

SECONDS_TO_CONNECT = 60
SECONDS_TO_COME_BACK = 30  # of a worker that died, after which another takes its place
SECONDS_BETWEEN_LOOKS = 0.05
OTHER_VERSION = (
    "`workers`: one runs another version of this program, {}; here it is {}: start all of them with the same"
)
LOST = "`workers`: their scheduler is gone; the same command goes on with what is kept, once one answers there again"


def workers(text):
    """argparse type: how many processes on this machine, an int, or the address of a Dask scheduler, a text."""
    text = text.strip()
    if re.fullmatch(r"[a-z]+://\S+:\d+", text):
        return text
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            "{!r} is neither a number of processes nor the address of a Dask scheduler as tcp://host:8786".format(text)
        )
    return int(text)


def add_flag(group, what):
    """--workers, of every script that works through many clouds; `what` one of these is, in a word."""
    group.add_argument(
        "--workers",
        type=workers,
        metavar="N",
        help="hand out every {} to so many processes on this machine, or to those of a Dask scheduler, "
        "tcp://HOST:PORT; needs requirements-cluster.txt (default: work through them here)".format(what),
    )


@contextlib.contextmanager
def open_pool(where):
    """Starts workers, or finds those of a cluster, and ends at its end what it started.

    Args:
      where: as of `workers`.

    Yields:
      A Pool.

    Raises:
      InputError: `distributed` is missing, workers do not start, or no cluster answers.
    """
    try:
        import distributed
    except ImportError:
        raise InputError("`workers` {}: first `pip install -r requirements-cluster.txt`".format(where))
    # What it says of its own concerns, such as connections that end, is no news to the user.
    for name in ("distributed", "distributed.client", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Of a page for its own figures, which finds another port beside another run.
    warnings.filterwarnings("ignore", r"\s*Port \d+ is already in use", UserWarning)
    with contextlib.ExitStack() as opened:
        address, cluster = where, None
        if isinstance(where, int):
            folder = opened.enter_context(tempfile.TemporaryDirectory())
            address = cluster = opened.enter_context(local_workers.start(where, folder))
        try:
            client = opened.enter_context(distributed.Client(address, timeout=SECONDS_TO_CONNECT))
            client.wait_for_workers(where if isinstance(where, int) else 1, timeout=SECONDS_TO_CONNECT)
        except (OSError, ValueError, distributed.TimeoutError) as error:
            raise InputError("`workers` {}: no Dask worker answers there ({})".format(where, error or "in time"))
        yield Pool(client, cluster)


class Pool:
    """Workers that are there.

    Attributes:
      count: how many.
    """

    def __init__(self, client, cluster=None):
        """client, cluster: of `distributed`; of workers that somebody else started there is no cluster."""
        self._client, self._cluster = client, cluster
        addresses = list(client.nthreads())
        self.count = len(addresses)
        hosts = [address.rpartition(":")[0] for address in addresses]
        self._most_on_a_machine = max(hosts.count(host) for host in hosts)

    def results(self, function, pieces):
        """Has a function applied to pieces, and yields each piece with what comes of it as soon as that is there.

        A piece whose worker dies is done again by another, as often as Dask allows (`allowed-failures`, 3).

        Args:
          function: of a module that the workers can import; it takes a piece and how many workers share its machine.
          pieces: list.

        Raises:
          InputError: as the function, a piece ended every worker that tried it, the cluster lacks a module, has
            another version, or is gone.
        """
        from distributed.scheduler import KilledWorker

        futures = {
            # Packed here, so that a worker of another version can say so.
            self._client.submit(
                _apply, pickle.dumps((function, one)), utils.__version__, self._most_on_a_machine, pure=False
            ): one
            for one in pieces
        }
        try:
            for future in self._ended(list(futures)):
                try:
                    found = future.result()
                except KilledWorker:
                    raise InputError("`workers`: a piece of the work ended every worker that tried it, as of memory")
                except concurrent.futures.CancelledError:
                    raise InputError(LOST)
                except (ImportError, RuntimeError) as error:
                    # A scheduler that does not find what it is to pass on raises a RuntimeError of it.
                    missing = error if isinstance(error, ImportError) else error.__cause__
                    if not isinstance(missing, ImportError):
                        raise
                    raise InputError(
                        "`workers`: the cluster lacks what is here ({}): start its scheduler and its workers in this "
                        "environment, with PYTHONPATH={}".format(missing, PROJECT_DIR)
                    )
                yield futures.pop(future), found
        finally:
            # A scheduler that is gone has taken them with it, and would be waited for.
            if self._client.status == "running":
                self._client.cancel(list(futures))

    def _ended(self, futures):
        """Yields futures as they end. Raises an InputError where no worker or no scheduler is left."""
        import distributed

        ended = distributed.as_completed(futures)
        last_seen = last_whole = last_looked = time.time()
        while not ended.is_empty():
            if ended.has_ready():
                last_seen = time.time()
                yield next(ended)
                continue
            time.sleep(SECONDS_BETWEEN_LOOKS)
            if time.time() - last_looked > SECONDS_TO_CONNECT / 10:
                last_looked = time.time()
                try:
                    num_left = len(self._client.nthreads())
                except OSError:
                    raise InputError(LOST)
                last_seen = last_looked if num_left else last_seen
                last_whole = last_looked if num_left == self.count else last_whole
                if self._cluster is not None and last_looked - last_whole > SECONDS_TO_COME_BACK:
                    # Dask gives up on a worker that dies before it has said that it is there.
                    self._cluster.scale(num_left)
                    self._cluster.scale(self.count)
                    last_seen = last_whole = last_looked
                if last_looked - last_seen > SECONDS_TO_CONNECT:
                    raise InputError("`workers`: none of them is left; the same command goes on with what is kept")


def _apply(packed, version, num_workers):
    """What a function makes of a piece, in a worker.

    Args:
      packed: the function and the piece, pickled.
      version: of the program where that was done.
      num_workers: how many share this machine.

    Raises:
      InputError: this worker has another version; or as the function.
    """
    found = "{} of {}".format(utils.__version__, PROJECT_DIR)
    if version != utils.__version__:
        raise InputError(OTHER_VERSION.format(found, version))
    try:
        function, piece = pickle.loads(packed)
    # What a name stands for, or its fields, changed between two releases.
    except (AttributeError, TypeError) as error:
        raise InputError(OTHER_VERSION.format("{} ({})".format(found, error), version))
    return function(piece, num_workers)


# The network that this worker opened, by what it was opened with: the next piece is of the same, as a rule.
_OPENED = {}
_OPENING = threading.Lock()


def arguments_of(network, gpu):
    """What a worker, in whatever folder it runs, opens a network by: a tuple, as for `open_once`.

    Args:
      network: a checkpoint.Network.
      gpu: as for `loading.open_classifier`.
    """
    return os.path.abspath(network.prefix), network.model_name, gpu, network.class_names


def open_once(arguments, digest, num_workers):
    """The classifier.Classifier of a checkpoint, which a worker opens once and keeps.

    Args:
      arguments: tuple of prefix, model_name, gpu and class_names, as for `loading.open_classifier`.
      digest: of the checkpoint, where the work was handed out.
      num_workers: how many share this machine: each takes its share of the cores.

    Raises:
      InputError: the checkpoint is missing here, or is another.
    """
    from utils.network import loading

    with _OPENING:
        if (arguments, digest) not in _OPENED:
            _close()
            share_cores(num_workers, are_bound_alone=_number() is None)
            prefix, model_name, gpu, class_names = arguments
            stack = contextlib.ExitStack()
            classifier = stack.enter_context(loading.open_classifier(prefix, model_name, own_gpu(gpu), class_names))
            if classifier.network.digest != digest:
                raise InputError(
                    "{} is another network for this worker than where the work was handed out: give the workers the "
                    "same file".format(arguments[0])
                )
            atexit.register(_close)
            _OPENED[arguments, digest] = stack, classifier
        return _OPENED[arguments, digest][1]


def own_gpu(gpu):
    """Which GPU this worker takes: of several on this machine its own, by its number among the workers there.

    Args:
      gpu: index of the GPU of the first worker; -1 for the CPU.

    Returns:
      An index; -1 for the CPU. Of workers that somebody else started, all take `gpu`: their machines are theirs.
    """
    if gpu < 0:
        return gpu
    from utils.network import loading

    loading.load_tensorflow()
    import tensorflow.compat.v1 as tf

    num_gpus = len(tf.config.experimental.list_physical_devices("GPU"))
    return Processes(local_rank=_number() or 0).gpu(gpu, num_gpus) if num_gpus else gpu


def _number():
    """The number of this worker among those that `open_pool` started here; None of others."""
    import distributed

    name = distributed.get_worker().name
    return name if isinstance(name, int) else None


def _close():
    """Closes what this worker opened, while TensorFlow is still there."""
    while _OPENED:
        stack, _ = _OPENED.popitem()[1]
        # It was opened by a thread that may be gone, whose default graph this one cannot leave.
        with contextlib.suppress(Exception):
            stack.close()
