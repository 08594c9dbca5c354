"""What becomes of a network that needs more memory than there is."""

import contextlib

from utils.files import InputError


@contextlib.contextmanager
def shortage_told():
    """A context that raises an InputError where TensorFlow, or NumPy, finds no more memory."""
    # It is loaded where there is a network.
    import tensorflow.compat.v1 as tf

    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        # TensorFlow 2 begins with where in the graph it was.
        lines = error.message.split("\n")
        raise _error(next((line for line in lines if line.startswith("OOM")), lines[0]).strip())
    except MemoryError as error:
        raise _error(error)


def _error(reason):
    return InputError(
        "out of memory ({}): take fewer points or smaller batches, or the CPU with `gpu` -1".format(reason)
    )
