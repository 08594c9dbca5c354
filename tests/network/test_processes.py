"""Several processes that train one network: the same steps as one process with all their clouds."""

import argparse
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from fake_horovod import side_by_side

import models
import train
from models import max_pool, pointnet_cls
from utils import tf_util
from utils.files import PROJECT_DIR, InputError
from utils.network import checkpoint, processes, training, training_graph
from utils.network.processes import ONE, Processes

LAUNCHED = {"HOROVOD_RANK": "3", "HOROVOD_SIZE": "8", "HOROVOD_LOCAL_RANK": "1", "HOROVOD_LOCAL_SIZE": "2"}
CLASSES = ("a", "b", "c")
SETTINGS = training.TrainingSettings(
    "pointnet_cls", CLASSES, batch_size=6, steps_per_epoch=3, max_epoch=1, optimizer="momentum", learning_rate=0.05
)


def _small_network():
    """Every kind of layer, and PointNet's loss with its sum over the batch."""

    def get_model(points, num_classes, is_training, bn_decay=None):
        net = tf_util.shared_dense(points, 8, "conv1", is_training, bn_decay)
        net = max_pool.shared_dense_max(net, 16, "conv2", is_training, bn_decay).maximum
        net = tf_util.dense(net, 8, "fc1", is_training, bn_decay)
        transform = tf.reshape(tf_util.linear(net, 4, "transform", is_training), [-1, 2, 2])
        return tf_util.linear(net, num_classes, "fc2", is_training), {"feature_transform": transform}

    layers = ("fc2", "transform", "fc1", "conv2", "conv1")
    return argparse.Namespace(get_model=get_model, get_loss=pointnet_cls.get_loss, LAYERS_FROM_TOP=layers)


def _train(folder, together):
    """Trains the small network for an epoch; returns the losses of its steps and all variables at the end."""
    folder.mkdir(exist_ok=True)
    rng = np.random.RandomState(1)
    points = (rng.standard_normal((20, 10, 3)) * [1, 2, 0.5] + [0, 1, 0]).astype(np.float32)
    labels = np.arange(20) % 3
    settings = SETTINGS._replace(processes=together)
    losses, lines = [], []
    with training_graph.open_training(str(folder), settings, gpu=-1) as graph:
        train_step = graph.train_step

        def kept_step(points, labels):
            assert len(points) == 6 // together.size
            values = train_step(points, labels)
            losses.append([values["loss/total"], values["loss/classification"], values["accuracy/overall"]])
            return values

        graph.train_step = kept_step
        test_set = points[:7], labels[:7]
        # Not every process has as many of the seven.
        stop = training.StopOnSignal(together)
        training.train(
            graph, (points, labels), test_set, settings, lambda own, _: own, lambda: None, stop, lines.append
        )
        variables = tf.global_variables()
        names = [one.op.name for one in variables]
        return losses, dict(zip(names, graph._session.run(variables))), lines


def test_two_processes_take_the_steps_of_one_with_all_clouds(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "network", lambda name: _small_network())
    losses, variables, lines = _train(tmp_path / "one", ONE)
    both = side_by_side(2, lambda together: _train(tmp_path / str(together.rank), together), monkeypatch)
    assert len(losses) == 3
    for found, at_the_end, _ in both:
        np.testing.assert_allclose(found, losses, rtol=1e-5)
        assert set(at_the_end) == set(variables)
        for name, value in variables.items():
            if name not in ("best_accuracy", "epochs_done"):  # brought up to date where they are saved
                np.testing.assert_allclose(at_the_end[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    tests = [[line for line in one if "test loss" in line or "weakest" in line] for one in (lines, both[0][2])]
    assert len(tests[0]) == 2 and tests[0] == tests[1]
    # The first one alone leaves files.
    assert {"model.ckpt.index", "best", "train"} <= set(os.listdir(str(tmp_path / "0")))
    assert os.listdir(str(tmp_path / "1")) == []


def test_one_process_adds_nothing_to_the_graph(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "network", lambda name: _small_network())
    with tf.Graph().as_default():
        tensors = [tf.zeros(3), tf.ones(3)]
        assert ONE.average(tensors) is tensors and ONE.average_gradients(tensors) is tensors
        assert not tf.get_collection(tf_util.PROCESSES)
        assert tf_util.batch_sum(tensors[0]) is tensors[0]
        assert tf_util._moments_of_all_processes(*tensors) == tuple(tensors)
    assert "horovod" not in sys.modules


def test_a_stop_that_one_is_asked_for_reaches_all_at_the_same_step(monkeypatch):
    def steps(together):
        stop = training.StopOnSignal(together)
        for step in range(10):
            stop.is_asked = stop.is_asked or (together.rank == 1 and step == 3)
            if stop.is_agreed():
                return step
        return None

    assert side_by_side(3, steps, monkeypatch) == [3, 3, 3]


def test_a_signal_that_comes_while_the_others_are_asked_is_not_lost():
    stop = training.StopOnSignal(argparse.Namespace(any=lambda is_so: setattr(stop, "is_asked", True) or is_so))
    assert not stop.is_agreed() and stop.is_agreed()


def test_rows_that_are_shared_out_come_back_in_their_order(monkeypatch):
    rows = np.arange(14, dtype=np.float32).reshape(7, 2)
    for found in side_by_side(3, lambda together: together.gather(together.share(rows)), monkeypatch):
        np.testing.assert_array_equal(found, rows)


def test_processes_of_other_clouds_do_not_train_together(monkeypatch):
    flags = argparse.Namespace(data_dir="/disk/of/each")

    def check(together, odd):
        data = {"train": "1234" if together.rank in odd else "abcd", "test": "5678"}
        try:
            return train.check_alike(flags, {"class_names": ["a", "b"], "data": data}, together)
        except InputError as error:
            return str(error)

    assert side_by_side(3, lambda together: check(together, []), monkeypatch) == [None] * 3
    found = side_by_side(4, lambda together: check(together, [1, 3]), monkeypatch)
    assert len(set(found)) == 1
    assert found[0].startswith("`data_dir` /disk/of/each: processes 1, 3 of 4 find other clouds or classes there")
    assert check(ONE, [0]) is None


def test_horovodrun_says_which_process_this_is(monkeypatch):
    assert processes.here({}) is ONE and processes.here({"HOROVOD_CYCLE_TIME": "1"}) is ONE
    monkeypatch.setattr(processes.importlib.util, "find_spec", lambda name: name)
    found = processes.here(LAUNCHED)
    assert (found.rank, found.size, found.local_rank, found.local_size, found.is_first) == (3, 8, 1, 2, False)
    monkeypatch.setattr(processes.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"^horovodrun started this, .*build_horovod.py`$"):
        processes.here(LAUNCHED)
    assert processes.here(dict(LAUNCHED, HOROVOD_RANK="0", HOROVOD_SIZE="1")).size == 1


@pytest.mark.parametrize(
    "first, num_gpus, local_ranks, taken",
    [
        (0, 4, range(4), [0, 1, 2, 3]),
        (2, 4, range(4), [2, 3, 0, 1]),
        (0, 2, range(4), [0, 1, 0, 1]),
        (0, 1, range(2), [0, 0]),
        (1, 4, range(1), [1]),
        (-1, 4, range(2), [-1, -1]),
        (0, 0, range(2), [-1, -1]),
    ],
)
def test_each_process_of_a_machine_takes_its_own_gpu(first, num_gpus, local_ranks, taken, monkeypatch):
    configs = []

    class FakeSession:
        def __init__(self, graph, config):
            configs.append(config)

        def close(self):
            pass

    monkeypatch.setattr(tf, "Session", FakeSession)
    monkeypatch.setattr(tf.config.experimental, "list_physical_devices", lambda kind: ["a GPU"] * num_gpus)
    for local_rank in local_ranks:
        with checkpoint.open_session(first, processes=Processes(8 + local_rank, 16, local_rank, len(local_ranks))):
            pass
    shown = [
        -1 if config.device_count.get("GPU") == 0 else config.gpu_options.visible_device_list for config in configs
    ]
    assert [int(index) for index in shown] == taken


def test_processes_of_one_machine_share_its_cores(monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    ONE.share_cores()
    assert not set(processes.THREADS) & set(os.environ)
    os.environ[processes.THREADS[1]] = "5"
    Processes(1, 4, 1, 3).share_cores()
    assert [os.environ[name] for name in processes.THREADS] == ["2", "5"]


@pytest.mark.parametrize(
    "allowed, count, are_bound_alone, share",
    # All of a machine of 16 cores, and a job of 8 of these; who is bound to 4 keeps them, but no more than its share.
    [(16, 4, False, 4), (8, 4, False, 2), (8, 9, False, 1), (4, 4, True, 4), (4, 2, True, 4), (16, 4, True, 4)],
)
def test_of_a_machine_that_is_shared_processes_share_what_they_may_use(
    allowed, count, are_bound_alone, share, monkeypatch
):
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(allowed)), raising=False)
    processes.share_cores(count, are_bound_alone)
    assert os.environ == dict.fromkeys(processes.THREADS, str(share))
    monkeypatch.delattr(os, "sched_getaffinity")
    os.environ.clear()
    processes.share_cores(count)
    assert os.environ[processes.THREADS[0]] == str(max(1, 16 // count))


def test_a_process_that_another_left_says_so_in_one_line():
    lost = tf.errors.UnknownError(None, None, "[node HorovodAllreduce] Horovod has been shut down.\n traceback")
    with pytest.raises(InputError, match="^another process .* the last save$"), Processes(0, 2).others_needed():
        raise lost
    for together, error in ((ONE, lost), (Processes(0, 2), tf.errors.UnknownError(None, None, "a full disk"))):
        with pytest.raises(tf.errors.UnknownError), together.others_needed():
            raise error


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Horovod is for Linux and macOS")
def test_a_wish_of_horovodrun_reaches_the_training_and_leaves_no_process_behind():
    code = (
        "import os, time\n"
        "from utils.network import processes, training\n"
        "processes.pass_on_requests_to_end()\n"
        "with training.StopOnSignal() as stop:\n"
        "    print('ready', flush=True)\n"
        "    for _ in range(600):\n"
        "        time.sleep(0.05)\n"
        "        if stop.is_asked:\n"
        "            print('asked', flush=True)\n"
        "            break\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ, **LAUNCHED),
    )
    assert process.stdout.readline() == b"ready\n"
    # As horovodrun does: the children of the process that it started.
    children = subprocess.check_output(["pgrep", "-P", str(process.pid)]).split()
    assert len(children) == 1
    os.kill(int(children[0]), signal.SIGTERM)
    # Its output ends once its child has ended too.
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, b"asked\n"), errors
