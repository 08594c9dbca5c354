"""Reading a checkpoint that a training saves at the same time, or whose save was cut off; numbers of any kind in it."""

import contextlib

import numpy as np
import one_layer_network
import pytest
import tensorflow.compat.v1 as tf
from one_layer import Killed, content, kill_at, open_graph, set_bias

import models
from utils.files import InputError
from utils.network import checkpoint, checkpoint_files, stored_weights


@pytest.fixture(autouse=True)
def _one_layer(monkeypatch):
    monkeypatch.setattr(models, "network", lambda name: one_layer_network)
    monkeypatch.setattr(models, "NAMES", ("pointnet_cls",))


def _bias_read(folder):
    """The mark of the network that a script which explains reads, and the digest that it names."""
    with checkpoint.restore(str(folder / "model.ckpt"), gpu=-1) as network:
        return float(network.session.run(network.logits, {network.points: np.zeros((1, 4, 3))})[0, 0]), network.digest


def test_reading_completes_no_save_and_reads_what_counts(tmp_path, monkeypatch):
    """Another who reads could take the files of the save after next; and perhaps may not write at all."""
    for count in range(8):
        folder = tmp_path / str(count)
        folder.mkdir()
        with open_graph(folder) as graph:
            set_bias(graph, 1)
            graph.save()
            set_bias(graph, 2)
            with monkeypatch.context() as patch, contextlib.suppress(Killed):
                kill_at(count, patch)
                graph.save()
        before = content(folder)
        assert _bias_read(folder)[0] == (1 if count < 5 else 2)
        assert content(folder) == before
        digest = _bias_read(folder)[1]
        checkpoint_files.finish_save(str(folder / "model.ckpt"))
        assert _bias_read(folder) == (1 if count < 5 else 2, digest)


def test_a_checkpoint_that_a_training_replaces_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    """Between opening the index and reading the values: the crc of one save and the values of the other."""
    monkeypatch.setattr(stored_weights, "SECONDS_BETWEEN_READS", 0.01)
    with open_graph(tmp_path) as graph:
        set_bias(graph, 1)
        graph.save()
        digest = _bias_read(tmp_path)[1]
        take, replacements = stored_weights.StoredWeights.take_as, []

        def replace_first(stored, asked, trained):
            if len(replacements) < 3:
                replacements.append(len(replacements) + 2)
                with graph._session.graph.as_default():
                    set_bias(graph, replacements[-1])
                graph.save()
            take(stored, asked, trained)

        monkeypatch.setattr(stored_weights.StoredWeights, "take_as", replace_first)
        bias, other = _bias_read(tmp_path)
        assert bias == 4 and other != digest and other == checkpoint_files.digest(str(tmp_path / "model.ckpt"))


def test_a_damaged_checkpoint_is_called_so_at_once(tmp_path, monkeypatch):
    with open_graph(tmp_path) as graph:
        graph.save()
    data = tmp_path / "model.ckpt.data-00000-of-00001"
    data.write_bytes(b"\1" * len(data.read_bytes()))
    monkeypatch.setattr(stored_weights.time, "sleep", lambda seconds: pytest.fail("waits for nothing"))
    with pytest.raises(InputError, match="damaged"):
        _bias_read(tmp_path)


def _read(prefix, value, name="conv3/biases", kind=np.float32):
    """What `stored_weights` reads of a checkpoint that holds such a variable."""
    with tf.Graph().as_default(), tf.Session() as session:
        variable = tf.Variable(value, name=name)
        session.run(variable.initializer)
        checkpoint.save(session, tf.train.Saver([variable]), prefix)
    return stored_weights.read_whole(prefix, lambda stored: stored.read(name, list(np.shape(value)), kind))


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int32, np.float32])
def test_numbers_of_any_precision_are_read_in_float32(tmp_path, kind, rng):
    value = rng.uniform(-99, 99, 5).astype(kind)
    found = _read(str(tmp_path / "model.ckpt"), value)
    assert found.dtype == np.float32 and [float(one) for one in found] == [float(np.float32(one)) for one in value]


def test_a_count_of_steps_is_read_to_the_last_one(tmp_path):
    assert _read(str(tmp_path / "model.ckpt"), np.array([2**24 + 1]), kind=np.int64)[0] == 16777217


@pytest.mark.parametrize(
    "value, words",
    [
        (np.full(3, 1e300), "holds numbers that are none, in conv3/biases"),
        (np.full(3, 1j), "conv3/biases is of complex128 there, float32 here"),
        (np.full(3, True), "conv3/biases is of bool there, float32 here"),
        (np.full(3, b"x"), "conv3/biases is of string there, float32 here"),
    ],
)
def test_what_is_no_number_of_float32_is_refused(tmp_path, value, words):
    with pytest.raises(InputError, match=words):
        _read(str(tmp_path / "model.ckpt"), value)


def test_a_variance_below_0_is_refused_but_for_rounding(tmp_path):
    prefix = str(tmp_path / "model.ckpt")
    with pytest.raises(InputError, match="below 0, -0.5 in conv3/bn/moving_variance"):
        _read(prefix, np.float32([1, -0.5]), "conv3/bn/moving_variance")
    rounded = np.float32([1, -1e-7])
    np.testing.assert_array_equal(_read(prefix, rounded, "conv3/bn/moving_variance"), rounded)
