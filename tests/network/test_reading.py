"""Reading a checkpoint that a training saves at the same time, or whose save was cut off."""

import contextlib

import numpy as np
import one_layer_network
import pytest
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
