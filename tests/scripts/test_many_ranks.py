"""Two processes of Horovod train as one process with all their clouds. Minutes; skipped where Horovod is not built."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import MODELNET40, needs
from training_runs import log_text, step, training_arguments

from utils.files import PROJECT_DIR

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("horovod") is None, reason="needs Horovod: python docs/cluster/build_horovod.py"
)
RECORDED = os.path.join("tests", "scripts", "recorded_training.py")
TRAIN = "train.py"
# At the usual rate two trainings part within some steps where no more than the order of the clouds in a batch differs.
SLOWLY = ["--learning_rate", "1e-5"]


def _start(num_processes, script, *arguments):
    """Starts a script of the project by horovodrun, on one core each; its output goes to a pipe."""
    words = [sys.executable, script] + [str(argument) for argument in arguments]
    if num_processes > 1:
        launcher = os.path.join(os.path.dirname(sys.executable), "horovodrun")
        words = [launcher, "--gloo", "-np", str(num_processes)] + words
    return subprocess.Popen(
        words,
        cwd=PROJECT_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env=dict(os.environ, CUDA_VISIBLE_DEVICES="", TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1"),
    )


@needs(MODELNET40)
def test_two_processes_of_16_clouds_train_as_one_of_32(tmp_path):
    found = []
    for count in (1, 2):
        folder = tmp_path / str(count)
        flags = ["--data_dir", MODELNET40, "--log_dir", folder, "--batch_size", 32 // count, "--gpu", -1] + SLOWLY
        process = _start(count, RECORDED, 50, tmp_path / "{}.npz".format(count), *flags)
        output = process.communicate(timeout=1200)[0]
        assert "Stopped at step 50;" in output
        found.append(np.load(str(tmp_path / "{}.npz".format(count))))
    one, two = found
    assert np.abs(one["losses"] - two["losses"])[:10].max() <= 1e-3 * one["losses"][0]
    averages = [name for name in one.files if "|bn|moving_" in name]
    assert len(averages) == 2 * 17
    for name in averages:
        np.testing.assert_allclose(two[name], one[name], atol=1e-4, err_msg=name)


def _ranks(launcher):
    """{rank: process} of the trainings below horovodrun."""
    psutil = pytest.importorskip("psutil")
    found = {}
    for process in psutil.Process(launcher).children(recursive=True):
        try:
            words, names = process.cmdline(), process.environ()
        except psutil.Error:
            continue
        # A rank's own child, which passes signals on, has its words and its environment too.
        if TRAIN in words and "HOROVOD_RANK" in names and "python" in words[0]:
            rank = int(names["HOROVOD_RANK"])
            if rank not in found or process.create_time() < found[rank].create_time():
                found[rank] = process
    return found


def _train_until_saved(data, log):
    process = _start(2, TRAIN, *training_arguments(data, log, "--max_epoch", 1000))
    deadline = time.time() + 180
    while not os.path.isfile(os.path.join(str(log), "model.ckpt.index")):
        assert process.poll() is None and time.time() < deadline, "no checkpoint appeared"
        time.sleep(0.1)
    return process


@pytest.mark.parametrize("target", [0, 1, None])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_one_ends_all_do_and_another_number_goes_on(number, target, tiny_data, tmp_path):
    if (number, target) == (signal.SIGKILL, None):
        pytest.skip("what horovodrun starts ends itself then, unseen from here")
    process = _train_until_saved(tiny_data, tmp_path)
    (process if target is None else _ranks(process.pid)[target]).send_signal(number)
    output = process.communicate(timeout=60)[0]
    if number != signal.SIGKILL:
        assert "Stopped at step {};".format(step(tmp_path)) in output
    # horovodrun shows a traceback of its own; lines of a training have its rank before them.
    assert not re.search(r"^\[\d\].*Traceback", output, re.MULTILINE)
    # In steps of 2 x 16 clouds; of 80 clouds there are two an epoch, and five with 16.
    epochs, steps = divmod(step(tmp_path), 2)
    finished = _start(1, TRAIN, *training_arguments(tiny_data, tmp_path, "--max_epoch", epochs + 1))
    output = finished.communicate(timeout=180)[0]
    assert finished.returncode == 0, output
    assert step(tmp_path) == 5 * (epochs + 1)
    assert "Resumed after {} steps".format(5 * epochs + 2 * steps) in log_text(tmp_path) or epochs + steps == 0
