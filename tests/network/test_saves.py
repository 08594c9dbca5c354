"""Saves that no name of a folder, no kill and no full disk can spoil."""

import contextlib
import hashlib
import os
import shutil
import signal
import sys

import numpy as np
import one_layer_network
import pytest
import tensorflow.compat.v1 as tf
from one_layer import SETTINGS, Killed, content, kill_at, open_graph, set_bias, top_biases

import models
from utils import files
from utils.files import InputError
from utils.network import checkpoint, checkpoint_files, checkpoint_paths, training, training_graph

pytestmark = pytest.mark.takes_turns

NAMES = ["runs [1]", "[", "]x[!a]", "a*b", "a?b", "{a,b}", "a\\b", "\\", "50% #1; $x '\""]
# As an old zip leaves it.
NO_UTF_8 = pytest.param("caf\udce9", marks=pytest.mark.skipif(sys.platform == "darwin", reason="names are Unicode"))


@pytest.fixture(autouse=True)
def _one_layer(monkeypatch):
    monkeypatch.setattr(models, "network", lambda name: one_layer_network)
    monkeypatch.setattr(models, "NAMES", (SETTINGS.model_name,))  # checkpoints are told apart by their layers


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names, or takes them for none")
@pytest.mark.parametrize("name", NAMES + [NO_UTF_8])
def test_a_training_is_saved_resumed_and_read_in_a_folder_of_any_name(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    # What a pattern would find in its place: no checkpoint.
    for other in ("runs 1", "a1b", "aab", "ab", "a"):
        (tmp_path / other).mkdir()
        for ending in checkpoint_files.ENDINGS:
            (tmp_path / other / ("model.ckpt" + ending)).write_text("nothing")
    prefix = str(folder / "model.ckpt")
    with open_graph(folder) as graph:
        graph.save()
        top_biases().load(np.float32([3, 5]), graph._session)
        graph.epochs_done = 2
        graph.save()
        graph.save_best(0.5)
    with open_graph(folder) as graph:
        assert graph.epochs_done == 2 and graph.best_accuracy == 0.5
    for found in (prefix, str(folder / "best" / "model.ckpt")):
        assert checkpoint_files.find(found, None) == found
        with checkpoint.restore(found, gpu=-1) as network:
            logits = network.session.run(network.logits, {network.points: np.zeros((1, 4, 3))})
            assert logits[0, 1] - logits[0, 0] == pytest.approx(2, abs=1e-5)
    content = (folder / "model.ckpt.data-00000-of-00001").read_bytes()
    assert checkpoint_files.digest(prefix) == hashlib.sha256(content).hexdigest()
    os.makedirs(str(tmp_path / "new"))
    with open_graph(tmp_path / "new", start_from=str(folder)) as graph:
        assert graph._session.run(top_biases()).tolist() == [3, 5]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names, or takes them for none")
def test_a_temporary_folder_of_such_a_name_is_not_taken(tmp_path, monkeypatch):
    folder = tmp_path / "[1]"
    folder.mkdir()
    monkeypatch.setattr(checkpoint_paths.tempfile, "gettempdir", lambda: str(folder))
    with checkpoint_paths.readable(str(folder / "model.ckpt")) as found:
        assert not checkpoint_paths.PATTERN_LETTERS & set(found)
        assert os.path.islink(found + ".index")
    assert not os.path.lexists(found + ".index")
    with checkpoint_paths.readable("log/model.ckpt") as found:
        assert found == "log/model.ckpt"


def _train_to_second_best(folder, monkeypatch, killed_at):
    """A test of 60 % is saved whole; the save of one of 80 % is killed; returns the number of renamings."""
    with open_graph(folder) as graph:
        set_bias(graph, 1)
        graph.epochs_done = 1
        graph.save_best(0.6)
        graph.save()
        set_bias(graph, 2)
        graph.epochs_done = 2
        with monkeypatch.context() as patch, contextlib.suppress(Killed):
            done = kill_at(killed_at, patch)
            graph.save_best(0.8)
            graph.save()
        return len(done)


def test_however_a_save_was_killed_a_worse_network_never_replaces_the_better_one(tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    whole.mkdir()
    renamings = _train_to_second_best(whole, monkeypatch, killed_at=1000)
    # Of the best and of the last: facts, weights and index, twice each, and the facts in their making. Each time the
    # file that names the last checkpoint.
    assert renamings == 8 + 8
    seen = set()
    for killed_at in range(renamings):
        folder = tmp_path / str(killed_at)
        folder.mkdir()
        assert _train_to_second_best(folder, monkeypatch, killed_at) == killed_at
        with open_graph(folder) as graph:
            accuracy = graph.best_accuracy
            assert accuracy in (0.6, 0.8)
            seen.add((graph.epochs_done, accuracy))
            bias_before = _bias_of_best(folder)
            # The weights are those that the accuracy is of: marked 1 at 60 %, 2 at 80 %.
            assert bias_before == {0.6: 1, 0.8: 2}[accuracy]
            # The epoch again, and worse this time.
            set_bias(graph, 3)
            training.report_test(graph, _logits(0.7), _LABELS, SETTINGS, lambda line: None)
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
    with open_graph(tmp_path) as graph:
        graph.save_best(0.6)
        graph.save()
    facts = tmp_path / "best" / "model.ckpt.json"
    assert files.read_json(str(facts), "")["accuracy"] == 0.6
    os.remove(str(facts))  # of an older version
    with open_graph(tmp_path) as graph:
        assert graph.best_accuracy == pytest.approx(0.6)
    facts.write_text('{"accuracy": "high"}')
    with pytest.raises(InputError, match=r"model.ckpt.json has 'high'.*delete"), open_graph(tmp_path):
        pass
    shutil.rmtree(str(tmp_path / "best"))
    with open_graph(tmp_path) as graph:
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


@pytest.mark.parametrize("num_bytes", [0, 20, 60])
def test_a_disk_that_is_full_at_a_save_is_said_in_one_line_and_nothing_is_lost(tmp_path, num_bytes):
    with open_graph(tmp_path) as graph:
        graph.save_best(0.5)
        graph.save()
        before = content(tmp_path)
        line = r"^cannot save .*model.ckpt \(.*[Ff]ile too large.*\): what was saved before .* the same command goes on"
        for save in (graph.save, lambda: graph.save_best(0.9)):
            with _room_for(num_bytes), pytest.raises(InputError, match=line) as raised:
                save()
            assert "\n" not in str(raised.value)
        assert content(tmp_path) == before and graph.best_accuracy == 0.5
        assert not list(tmp_path.rglob("*.saving"))
        graph.save()


def test_a_folder_that_vanishes_is_said_so_and_does_not_come_back_half_empty(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    with open_graph(folder) as graph:
        shutil.rmtree(str(folder))
        for save, name in ((graph.save, "model.ckpt"), (lambda: graph.save_best(0.9), "best")):
            with pytest.raises(InputError, match=r"^cannot (save|write) .*{} \(No such file".format(name)):
                save()
    assert not folder.exists()


def test_a_full_disk_is_said_where_tensorboards_file_or_the_log_does_not_fit(tmp_path, monkeypatch, capfd):
    with open_graph(tmp_path) as graph, _room_for(0):
        with pytest.raises(InputError, match=r"^cannot write .*events.out.*[Ff]ile too large.*the last save"):
            graph.summarise("test", {"accuracy": 0.5})
        with pytest.raises(InputError, match=r"^cannot write .*log_train.txt \(File too large\)"):
            monkeypatch.setattr(training.progress, "print_line", lambda line: None)
            training.Log(str(tmp_path / "log_train.txt"))("a line")
    assert "Traceback" not in capfd.readouterr().err


def test_a_training_that_a_full_disk_ended_goes_on_to_the_same_end(tmp_path, monkeypatch):
    """Ends with one line wherever in an epoch a file cannot be written, and the next start repeats what was lost."""
    rng = np.random.RandomState(0)
    clouds = rng.uniform(-1, 1, (8, 5, 3)).astype(np.float32), np.arange(8) % 2
    settings = SETTINGS._replace(steps_per_epoch=2, max_epoch=3)

    def run(folder, fail_at=None):
        folder.mkdir(exist_ok=True)
        calls = []

        def replace_or_fail(written, path, put=files.put_in_place):
            calls.append(path)
            if len(calls) == fail_at:
                raise OSError(28, "No space left on device")
            put(written, path)

        with monkeypatch.context() as patch:
            for module in (files, checkpoint_files):
                patch.setattr(module, "put_in_place", replace_or_fail)
            with training_graph.open_training(str(folder), settings, gpu=-1) as graph, training.StopOnSignal() as stop:
                training.train(
                    graph, clouds, clouds, settings, lambda points, step: points, lambda: None, stop, lambda line: None
                )
                return [float(value) for value in graph._session.run(top_biases())], len(calls)

    whole, count = run(tmp_path / "whole")
    assert count > 20
    for fail_at in range(1, count + 1, 3):
        folder = tmp_path / str(fail_at)
        with pytest.raises(InputError, match=r"^cannot (save|write) .*No space left on device"):
            run(folder, fail_at)
        assert run(folder)[0] == whole
