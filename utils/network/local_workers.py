"""Workers of this machine: how Dask starts them, and starts again those that are killed meanwhile."""

import contextlib
import logging
import multiprocessing
import os

from utils import streams
from utils.files import InputError

STARTS = 3  # how often a worker, and all of them, are started, where one dies meanwhile

# Of Dask, for these.
CONFIG = {
    # Memory is otherwise given back to the system at once, and faulted in again for the next batch of clouds.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # Where workers are every 10 ms is read by nobody, and takes 1 % of a core of each.
    "distributed.worker.profile.interval": "10s",
}


def start(count, folder):
    """A distributed.LocalCluster of so many processes, whose files go to a folder.

    Raises:
      InputError: they do not start, however often.
    """
    import dask

    with _interrupts_kept_from_workers(), dask.config.set(CONFIG):
        return _cluster(count, folder)


def _cluster(count, folder):
    import distributed

    failure = None
    for _ in range(STARTS):
        try:
            # No port that others reach, no page of its own, and no folder where the user is.
            return distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                worker_class=_nanny(),
                dashboard_address=None,
                host="127.0.0.1",
                local_directory=folder,
                memory_limit=None,  # its share of the machine's may be less than one network takes
                silence_logs=logging.CRITICAL,
            )
        # One of them was killed before it could say that it is there.
        except (RuntimeError, OSError, distributed.TimeoutError) as error:
            failure = error
    raise InputError("`workers` {}: they end as they start ({})".format(count, failure))


def _nanny():
    """Dask's class of what watches over a worker, which also starts one again that dies before it has said it is there.

    That of Dask 2022.2 starts it while the first start still waits for word of it. Where the first is who hears that,
    it drops it as no word of its own, and both wait for ever.
    """
    import distributed
    from distributed.core import Status

    endings = (Status.closing_gracefully, Status.closing, Status.closed)

    class Nanny(distributed.Nanny):
        async def instantiate(self, *arguments, **options):
            self.auto_restart = False
            try:
                for _ in range(STARTS):
                    status = await super().instantiate(*arguments, **options)
                    if status == Status.running or self.status in endings:
                        break
                return status
            finally:
                self.auto_restart = True

    return Nanny


@contextlib.contextmanager
def _interrupts_kept_from_workers():
    """A context in whose threads, and in processes that these start, Ctrl-C does nothing: it ends the workers' parent.

    It is kept for this thread until the end.
    """
    # Python's own process that clears up after others says what a killed worker left.
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:multiprocessing.resource_tracker")
    # Starts that process, which would let Ctrl-C through again where it starts first.
    multiprocessing.get_context("spawn").Lock()
    with streams.kept_from_interrupts():
        yield
