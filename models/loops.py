"""Loops in a graph, without a gradient, in which what nobody asks for is not computed. TensorFlow 1.x graph mode."""

import threading

import tensorflow.compat.v1 as tf

_LOCK = threading.RLock()


def loop(count, one, kinds, state=(), parallel_iterations=1):
    """What a function gives of 0, 1, 2 and so on, without a gradient; what nobody asks for is not computed.

    Args:
      count: how many numbers, an int or a scalar Tensor.
      one: function of the number, a scalar Tensor, and the state -> list of Tensors, and the next state.
      kinds: the types of these Tensors.
      state: tuple of Tensors.
      parallel_iterations: of how many numbers at a time.

    Returns:
      List of tf.TensorArray.
    """

    def body(number, *before):
        found, after = one(number, *before[len(kinds) :])
        arrays = [array.write(number, values) for array, values in zip(before, found)]
        return (number + 1,) + tuple(arrays) + tuple(after)

    # TensorFlow 2 makes a function of a body, which computes all or nothing; whether it does holds for the process.
    with _LOCK:
        makes_functions = tf.control_flow_v2_enabled()
        tf.disable_control_flow_v2()
        try:
            arrays = [tf.TensorArray(kind, count, infer_shape=False) for kind in kinds]
            start = (0,) + tuple(arrays) + tuple(state)
            found = tf.while_loop(
                lambda number, *_: number < count, body, start, parallel_iterations=parallel_iterations, back_prop=False
            )
        finally:
            if makes_functions:
                tf.enable_control_flow_v2()
    return found[1 : 1 + len(kinds)]


def in_chunks(function, tensors, clouds_each, kinds):
    """What a function gives of all clouds, computed for a few at a time, so that what lies between stays in the cache.

    Args:
      function: of Tensors as `tensors`, of fewer clouds -> tuple of Tensors [clouds, ...]. No gradient passes.
      tensors: list of Tensors [B, ...].
      clouds_each: how many clouds at a time, a scalar Tensor.
      kinds: the types of what it returns.

    Returns:
      List of Tensors [B, ...].
    """
    num_clouds = tf.shape(tensors[0])[0]
    num_chunks = -(-num_clouds // clouds_each)

    def one_chunk(number):
        first = number * clouds_each
        return function(*(tensor[first : first + clouds_each] for tensor in tensors)), ()

    return [array.concat() for array in loop(num_chunks, one_chunk, kinds)]
