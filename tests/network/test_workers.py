"""Workers of their own, without any network: what becomes of pieces whose worker dies, and what names no workers."""

import argparse
import asyncio
import os
import pickle
import re
import signal
import sys
import time
from typing import NamedTuple

import pytest
import tensorflow.compat.v1 as tf

import utils
from utils.files import InputError
from utils.network import local_workers, workers


def end_at_first(path, _):
    """Ends its own process the first time that it gets a path, or always; else, what number of attempt this is."""
    with open(path, "a") as file:
        file.write(".")
    with open(path) as file:
        count = len(file.read())
    if count == 1 or path.endswith("always"):
        time.sleep(1)  # Dask itself does not replace a worker that dies before it said that it is there
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return count


def lack_a_module(piece, _):
    raise ImportError("No module named {!r}".format(piece))


@pytest.mark.takes_turns
def test_a_piece_whose_worker_dies_is_done_again_as_often_as_is_allowed(tmp_path):
    pytest.importorskip("distributed")
    import dask

    piece = str(tmp_path / "once")
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}), workers.open_pool(1) as pool:
        assert pool.count == 1
        assert list(pool.results(end_at_first, [piece])) == [(piece, 2)]
        with pytest.raises(InputError, match="ended every worker that tried it"):
            list(pool.results(end_at_first, [str(tmp_path / "always")]))


@pytest.mark.takes_turns
def test_what_workers_lack_and_that_none_is_left_is_said_and_a_worker_is_started_again(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    piece = str(tmp_path / "twice")
    (tmp_path / "twice").write_text(".")
    with workers.open_pool(1) as pool:
        with pytest.raises(InputError, match="`workers`: the cluster lacks .*'a_module'.*PYTHONPATH="):
            list(pool.results(lack_a_module, ["a_module"]))
        foreign = workers.Pool(pool._client)
        pool._client.retire_workers()
        monkeypatch.setattr(workers, "SECONDS_TO_CONNECT", 0.5)
        with pytest.raises(InputError, match="`workers`: none of them is left"):
            list(foreign.results(lack_a_module, ["a_module"]))
        monkeypatch.setattr(workers, "SECONDS_TO_CONNECT", 60)
        monkeypatch.setattr(workers, "SECONDS_TO_COME_BACK", 10)
        assert list(pool.results(end_at_first, [piece])) == [(piece, 2)]


def _raise(error):
    raise error


def _pool():
    """A Pool of one worker, whose client is made up; it was lost, and is not to be asked any more."""
    client = argparse.Namespace(nthreads=lambda: {"tcp://host:1": 1}, submit=lambda *_, **__: object())
    client.status = "connecting"
    return workers.Pool(client), client


def test_a_scheduler_that_is_gone_is_said_in_a_line_at_once(monkeypatch):
    distributed = pytest.importorskip("distributed")
    pool, _ = _pool()
    lost = argparse.Namespace(result=lambda: _raise(distributed.client.CancelledError("lost")))
    monkeypatch.setattr(pool, "_ended", lambda _: [lost])
    with pytest.raises(InputError, match="^`workers`: their scheduler is gone; the same command goes on"):
        list(pool.results(end_at_first, [1]))
    pool, client = _pool()
    never = argparse.Namespace(is_empty=lambda: False, has_ready=lambda: False)
    monkeypatch.setattr(distributed, "as_completed", lambda _: never)
    monkeypatch.setattr(workers, "SECONDS_TO_CONNECT", 0)
    client.nthreads = lambda: _raise(OSError("Timed out trying to connect"))
    with pytest.raises(InputError, match="^`workers`: their scheduler is gone"):
        list(pool.results(end_at_first, [1]))


class Pair(NamedTuple):
    """What a piece can be."""

    first: int
    second: int


def first_of(pair, num_workers):
    return pair.first * num_workers


def test_a_worker_of_another_version_says_so(monkeypatch):
    packed = pickle.dumps((first_of, Pair(3, 4)))
    assert workers._apply(packed, utils.__version__, 2) == 6
    with pytest.raises(
        InputError,
        match="^`workers`: one runs another version .*, {} of .*; here it is 9.9: ".format(
            re.escape(utils.__version__)
        ),
    ):
        workers._apply(packed, "9.9", 2)
    with monkeypatch.context() as changed:
        changed.delattr(sys.modules[__name__], "first_of")
        with pytest.raises(InputError, match="another version of this program, .*attribute 'first_of'"):
            workers._apply(packed, utils.__version__, 2)
    monkeypatch.setattr(sys.modules[__name__], "Pair", NamedTuple("Pair", [("first", int)]))
    with pytest.raises(InputError, match="another version of this program, .* takes 2 positional arguments"):
        workers._apply(packed, utils.__version__, 2)


def test_workers_that_die_as_they_start_are_started_again(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    tried = []

    def start(n_workers, **_):
        tried.append(n_workers)
        if len(tried) < 3:
            # As where one of them is killed meanwhile.
            raise RuntimeError("Nanny failed to start.")
        return "a cluster"

    monkeypatch.setattr(distributed, "LocalCluster", start)
    assert local_workers._cluster(2, str(tmp_path)) == "a cluster" and tried == [2, 2, 2]
    del tried[:]
    monkeypatch.setattr(local_workers, "STARTS", 2)
    with pytest.raises(InputError, match="`workers` 2: they end as they start .Nanny failed to start"):
        local_workers._cluster(2, str(tmp_path))
    assert tried == [2, 2]


@pytest.mark.parametrize(
    "outcomes, is_ending, num_starts",
    [(["running"], False, 1), (["stopped", "failed", "running"], False, 3), (["stopped"] * 9, False, 3)]
    + [(["stopped"] * 9, True, 1)],
)
def test_a_worker_that_dies_as_it_starts_is_started_again_by_no_two_at_once(
    outcomes, is_ending, num_starts, monkeypatch
):
    distributed = pytest.importorskip("distributed")
    from distributed.core import Status

    class FakeNanny:
        auto_restart, status = True, Status.closing if is_ending else Status.init
        results = [getattr(Status, outcome) for outcome in outcomes]
        num_starts = 0

        async def instantiate(self):
            assert not self.auto_restart
            self.num_starts += 1
            return self.results[self.num_starts - 1]

    monkeypatch.setattr(distributed, "Nanny", FakeNanny)
    watching = local_workers._nanny()()
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(watching.instantiate()) == FakeNanny.results[num_starts - 1]
    loop.close()
    assert (watching.num_starts, watching.auto_restart) == (num_starts, True)


@pytest.mark.parametrize(
    "first, num_gpus, taken", [(0, 2, [0, 1, 0]), (1, 4, [1, 2, 3]), (-1, 2, [-1] * 3), (0, 0, [0] * 3)]
)
def test_workers_of_one_machine_share_its_gpus(first, num_gpus, taken, monkeypatch):
    monkeypatch.setattr(tf.config.experimental, "list_physical_devices", lambda kind: ["a GPU"] * num_gpus)
    for number, expected in enumerate(taken):
        monkeypatch.setattr(workers, "_number", lambda number=number: number)
        assert workers.own_gpu(first) == expected


@pytest.mark.parametrize("text, expected", [("3", 3), (" 1 ", 1), ("tcp://host:8786", "tcp://host:8786")])
def test_workers_are_a_number_or_the_address_of_a_scheduler(text, expected):
    assert workers.workers(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "host:8786", "tcp://host", ""])
def test_what_names_no_workers_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="tcp://host:8786"):
        workers.workers(text)


def test_without_their_package_workers_are_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="`workers` 2: first `pip install -r requirements-cluster.txt`"):
        workers.open_pool(2).__enter__()


def test_workers_find_the_checkpoint_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = argparse.Namespace(prefix=os.path.join("log", "model.ckpt"), model_name="a_model", class_names=("a", "b"))
    expected = str(tmp_path / "log" / "model.ckpt"), "a_model", -1, ("a", "b")
    assert workers.arguments_of(network, -1) == expected
