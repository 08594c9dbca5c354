"""Loads TensorFlow, which takes seconds: only once flags and data are known to be good."""

import contextlib
import importlib
import logging
import os
import sys
import tempfile

from utils import command_line, streams


def load_tensorflow():
    """Loads TensorFlow, with its chatter off the terminal unless --verbose was given, and its memory in hand."""
    prepare()
    if command_line.is_verbose():
        return
    with _stderr_held_back():
        importlib.import_module("tensorflow")


@contextlib.contextmanager
def open_classifier(prefix, model_name=None, gpu=0, class_names=None, fresh_layers=(), seed=0):
    """Opens the network of a checkpoint, loading TensorFlow first.

    Args:
      prefix: as `checkpoint_files.find` returns it.
      model_name, gpu, class_names, fresh_layers, seed: as for `checkpoint.restore`.

    Yields:
      A classifier.Classifier.

    Raises:
      InputError: as `checkpoint.restore`.
    """
    load_tensorflow()
    from utils.network import checkpoint, classifier

    with checkpoint.restore(prefix, model_name, gpu, fresh_layers, seed, class_names) as network:
        yield classifier.Classifier(network)


def prepare():
    """Sets what TensorFlow reads when it is loaded."""
    # Feature maps of 100 MB and more are otherwise given back to the system and faulted in again in every step.
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")
    # Newer GPUs otherwise round the factors of products to 10 bits, which is too few to tell neighbours apart.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    if not command_line.is_verbose():
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def _stderr_held_back():
    """Drops what libraries write to stderr from C++ too; where an exception comes out, shows it after all."""
    sys.stderr.flush()
    try:
        before = os.dup(2)
    except OSError:  # a program without a console, such as IDLE on Windows
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        is_done = False
        try:
            yield
            is_done = True
        except KeyboardInterrupt:
            is_done = True
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)
            streams.reopen_stderr()
            if not is_done:
                held.seek(0)
                os.write(2, held.read())
