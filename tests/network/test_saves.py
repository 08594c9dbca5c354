"""Saves that no name of a folder, no kill and no full disk can spoil."""

import contextlib
import hashlib
import os
import shutil
import signal

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import models
from utils import files
from utils.files import InputError
from utils.network import checkpoint, checkpoint_files, training, training_graph

SETTINGS = training.TrainingSettings("pointnet_cls", ("a", "b"), batch_size=4, steps_per_epoch=1, max_epoch=9)
NAMES = ["runs [1]", "[", "]x[!a]", "a*b", "a?b", "{a,b}", "a\\b", "\\", "50% #1; $x '\""]


class OneLayer:
    """Stands in for a network: one layer, of which a graph is built in no time."""

    LAYERS_FROM_TOP = ("fc3",)

    @staticmethod
    def get_model(points, num_classes, is_training, bn_decay=None):
        with tf.variable_scope("fc3"):
            weights = tf.get_variable("weights", [3, num_classes])
            biases = tf.get_variable("biases", [num_classes])
        return tf.matmul(tf.reduce_max(points, axis=1), weights) + biases, {}

    @staticmethod
    def get_loss(logits, labels, end_points):
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        return loss, loss


@pytest.fixture(autouse=True)
def _one_layer(monkeypatch):
    monkeypatch.setattr(models, "network", lambda name: OneLayer)


def _top_biases():
    return next(one for one in tf.global_variables() if one.op.name == "fc3/biases")


def _set_bias(graph, value):
    """Marks the network in training by the biases of its top layer; `_bias_of_best` tells them."""
    _top_biases().load(np.full(2, value, np.float32), graph._session)


def _open(folder, **options):
    return training_graph.open_training(str(folder), SETTINGS, gpu=-1, **options)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names, or takes them for none")
@pytest.mark.parametrize("name", NAMES)
def test_a_training_is_saved_resumed_and_read_in_a_folder_of_any_name(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    # What a pattern would find in its place: no checkpoint.
    for other in ("runs 1", "a1b", "aab", "ab", "a"):
        (tmp_path / other).mkdir()
        for ending in checkpoint_files.ENDINGS:
            (tmp_path / other / ("model.ckpt" + ending)).write_text("nothing")
    prefix = str(folder / "model.ckpt")
    with _open(folder) as graph:
        graph.save()
        _top_biases().load(np.float32([3, 5]), graph._session)
        graph.epochs_done = 2
        graph.save()
        graph.save_best(0.5)
    with _open(folder) as graph:
        assert graph.epochs_done == 2 and graph.best_accuracy == 0.5
    for found in (prefix, str(folder / "best" / "model.ckpt")):
        assert checkpoint_files.find(found, None) == found
        with checkpoint.restore(found, gpu=-1) as network:
            logits = network.session.run(network.logits, {network.points: np.zeros((1, 4, 3))})
            assert logits[0, 1] - logits[0, 0] == pytest.approx(2, abs=1e-5)
    content = (folder / "model.ckpt.data-00000-of-00001").read_bytes()
    assert checkpoint_files.digest(prefix) == hashlib.sha256(content).hexdigest()
    os.makedirs(str(tmp_path / "new"))
    with _open(tmp_path / "new", start_from=str(folder)) as graph:
        assert graph._session.run(_top_biases()).tolist() == [3, 5]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names, or takes them for none")
def test_a_temporary_folder_of_such_a_name_is_not_taken(tmp_path, monkeypatch):
    folder = tmp_path / "[1]"
    folder.mkdir()
    monkeypatch.setattr(checkpoint_files.tempfile, "gettempdir", lambda: str(folder))
    with checkpoint_files.as_no_pattern(str(folder / "model.ckpt")) as readable:
        assert not checkpoint_files.PATTERN_LETTERS & set(readable)
        assert os.path.islink(readable + ".index")
    assert not os.path.lexists(readable + ".index")
    with checkpoint_files.as_no_pattern("log/model.ckpt") as readable:
        assert readable == "log/model.ckpt"


class _Killed(BaseException):
    pass


def _kill_at(count, monkeypatch):
    """Ends the process, as it were, in the place of the `count`-th renaming from now on; returns the ones before."""
    replace, done = os.replace, []

    def replace_until_killed(source, target):
        if len(done) == count:
            raise _Killed
        replace(source, target)
        done.append(target)

    monkeypatch.setattr(os, "replace", replace_until_killed)
    return done


def _train_to_second_best(folder, monkeypatch, kill_at):
    """A test of 60 % is saved whole; the save of one of 80 % is killed; returns the number of renamings."""
    with _open(folder) as graph:
        _set_bias(graph, 1)
        graph.epochs_done = 1
        graph.save_best(0.6)
        graph.save()
        _set_bias(graph, 2)
        graph.epochs_done = 2
        with monkeypatch.context() as patch, contextlib.suppress(_Killed):
            done = _kill_at(kill_at, patch)
            graph.save_best(0.8)
            graph.save()
        return len(done)


def test_however_a_save_was_killed_a_worse_network_never_replaces_the_better_one(tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    whole.mkdir()
    renamings = _train_to_second_best(whole, monkeypatch, kill_at=1000)
    # Facts, weights and index of the best, twice each, and the facts in their making; weights and index of the last.
    assert renamings == 7 + 4
    seen = set()
    for kill_at in range(renamings):
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        assert _train_to_second_best(folder, monkeypatch, kill_at) == kill_at
        with _open(folder) as graph:
            accuracy = graph.best_accuracy
            assert accuracy in (0.6, 0.8)
            seen.add((graph.epochs_done, accuracy))
            bias_before = _bias_of_best(folder)
            # The weights are those that the accuracy is of: marked 1 at 60 %, 2 at 80 %.
            assert bias_before == {0.6: 1, 0.8: 2}[accuracy]
            # The epoch again, and worse this time.
            _set_bias(graph, 3)
            training.report_test(graph, _logits(0.7), _LABELS, ("a", "b"), lambda line: None)
        assert _bias_of_best(folder) == {0.6: 3, 0.8: 2}[accuracy]
    # Epoch 1 with the better network in best/ was what lost it.
    assert {(1, 0.6), (1, 0.8), (2, 0.8)} == seen


_LABELS = np.repeat([0, 1], 5)


def _logits(accuracy):
    """Logits of 10 clouds of _LABELS of which this share is right."""
    right = np.arange(10) < round(10 * accuracy)
    return np.eye(2)[np.where(right, _LABELS, 1 - _LABELS)]


def _bias_of_best(folder):
    return float(tf.train.load_variable(str(folder / "best" / "model.ckpt"), "fc3/biases")[0])


def test_what_lies_in_best_decides_not_what_the_last_save_remembers(tmp_path):
    with _open(tmp_path) as graph:
        graph.save_best(0.6)
        graph.save()
    facts = tmp_path / "best" / "model.ckpt.json"
    assert files.read_json(str(facts), "")["accuracy"] == 0.6
    os.remove(str(facts))  # of an older version
    with _open(tmp_path) as graph:
        assert graph.best_accuracy == pytest.approx(0.6)
    facts.write_text('{"accuracy": "high"}')
    with pytest.raises(InputError, match=r"model.ckpt.json has 'high'.*delete"), _open(tmp_path):
        pass
    shutil.rmtree(str(tmp_path / "best"))
    with _open(tmp_path) as graph:
        assert graph.best_accuracy == 0


@contextlib.contextmanager
def _room_for(num_bytes):
    """A context in which no file grows beyond so many bytes: the system itself refuses to write them."""
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def _content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("num_bytes", [0, 20, 60])
def test_a_disk_that_is_full_at_a_save_is_said_in_one_line_and_nothing_is_lost(tmp_path, num_bytes):
    with _open(tmp_path) as graph:
        graph.save_best(0.5)
        graph.save()
        before = _content(tmp_path)
        line = r"^cannot save .*model.ckpt \(.*[Ff]ile too large.*\): what was saved before .* the same command goes on"
        for save in (graph.save, lambda: graph.save_best(0.9)):
            with _room_for(num_bytes), pytest.raises(InputError, match=line) as raised:
                save()
            assert "\n" not in str(raised.value)
        assert _content(tmp_path) == before and graph.best_accuracy == 0.5
        assert not list(tmp_path.rglob("*.saving"))
        graph.save()


def test_a_folder_that_vanishes_is_said_so_and_does_not_come_back_half_empty(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    with _open(folder) as graph:
        shutil.rmtree(str(folder))
        for save, name in ((graph.save, "model.ckpt"), (lambda: graph.save_best(0.9), "best")):
            with pytest.raises(InputError, match=r"^cannot (save|write) .*{} \(No such file".format(name)):
                save()
    assert not folder.exists()


def test_a_full_disk_is_said_where_tensorboards_file_or_the_log_does_not_fit(tmp_path, monkeypatch, capfd):
    with _open(tmp_path) as graph, _room_for(0):
        with pytest.raises(InputError, match=r"^cannot write .*events.out.*[Ff]ile too large.*the last save"):
            graph.summarise("test", {"accuracy": 0.5})
        with pytest.raises(InputError, match=r"^cannot write .*log_train.txt \(File too large\)"):
            monkeypatch.setattr(training.tqdm, "write", lambda line: None)
            training.Log(str(tmp_path / "log_train.txt"))("a line")
    assert "Traceback" not in capfd.readouterr().err
