"""The layers that PointNet is made of, in TensorFlow 1.x graph mode.

Variables carry the names of upstream PointNet (`conv1/weights`, `conv1/biases`, `conv1/bn/beta`, ...);
the two moving averages of a batch norm are `<scope>/bn/moving_mean` and `<scope>/bn/moving_variance`.

Batch norm is an affine map per channel, so it is folded into the layer's weights and biases, in evaluation and in
training alike: the statistics that training needs of a product x W follow from those of x (`_product_moments`).
"""

import zlib

import tensorflow.compat.v1 as tf

BATCH_NORM_EPSILON = 1e-3
# What is inferred of a cloud has the same bits whatever clouds go with it and on any number of threads, so that it does
# not depend on how the work is shared out. Sums over so many points or inputs are found in one way; rows that are left
# over would be multiplied in another order than as many as a processor takes at once: 6 with AVX2, 16 with AVX-512.
POINTS_SUMMED, INPUTS_SUMMED, VECTOR = 128, 128, 48
# The collection of a graph that holds its network.processes.Processes, where several train one network together.
PROCESSES = "processes"


def shared_dense(points, num_outputs, scope, is_training, bn_decay=None):
    """A dense layer that all points share (a 1x1 convolution), batch norm, ReLU.

    Args:
      points: float32 Tensor [B, N, C].
      num_outputs: width of the layer.
      scope: name of the layer.
      is_training: Python bool; batch statistics if true, else moving averages.
      bn_decay: scalar Tensor, decay of the moving averages; needed in training only.

    Returns:
      float32 Tensor [B, N, num_outputs].
    """
    rows, weights, biases = folded(points, num_outputs, scope, is_training, bn_decay)
    outputs = tf.nn.relu(tf.nn.bias_add(row_products(rows, weights), biases))
    return tf.reshape(outputs, shape_of(points)[:2] + [num_outputs])


def dense(inputs, num_outputs, scope, is_training, bn_decay=None):
    """A dense layer, batch norm, ReLU.

    Args:
      inputs: float32 Tensor [B, C].
      num_outputs, scope, is_training, bn_decay: as in `shared_dense`.

    Returns:
      float32 Tensor [B, num_outputs].
    """
    with tf.variable_scope(scope):
        weights, biases = weights_and_biases([inputs.shape.as_list()[1], num_outputs])
        product = tf.matmul(inputs, weights) if is_training else _product(inputs, weights)
        moments = tf.nn.moments(product, axes=[0]) if is_training else None
        scale, shift = batch_norm(biases, moments, bn_decay)
        # Few rows pass here, so they are scaled, not the weights.
        return tf.nn.relu(product * scale + shift)


def linear(inputs, num_outputs, scope, is_training, weights_initializer=None):
    """A dense layer without batch norm and activation.

    Args:
      inputs: float32 Tensor [B, C].
      num_outputs: width of the layer.
      scope: name of the layer.
      is_training: Python bool.
      weights_initializer: Xavier's unless given.

    Returns:
      float32 Tensor [B, num_outputs].
    """
    with tf.variable_scope(scope):
        weights, biases = weights_and_biases([inputs.shape.as_list()[1], num_outputs], weights_initializer)
        product = tf.matmul(inputs, weights) if is_training else _product(inputs, weights)
        return tf.nn.bias_add(product, biases)


def dropout(inputs, keep_prob, is_training):
    """Inverted dropout: in training, each value is kept with `keep_prob` and then divided by it.

    Args:
      inputs: float32 Tensor.
      keep_prob: share of values that are kept.
      is_training: Python bool; without it, `inputs` come back as they are.

    Returns:
      float32 Tensor of the shape of `inputs`.
    """
    return tf.nn.dropout(inputs, rate=1 - keep_prob) if is_training else inputs


def cross_entropy(logits, labels, label_smoothing=0.0):
    """Mean cross-entropy of a batch, with smoothed labels if wanted (Szegedy et al., arXiv 1512.00567, section 7).

    Args:
      logits: float32 Tensor [B, C].
      labels: int32 Tensor [B].
      label_smoothing: Python float s in 0..1: the label's target is 1 - s + s / C, each other class's s / C.

    Returns:
      float32 Tensor, a scalar.
    """
    of_labels = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    if not label_smoothing:
        return of_labels
    of_all_classes = tf.reduce_mean(-tf.nn.log_softmax(logits))
    return (1 - label_smoothing) * of_labels + label_smoothing * of_all_classes


def folded(points, num_outputs, scope, is_training, bn_decay):
    """The points as rows, and the weights and biases of a layer that all share, with batch norm folded in.

    Args:
      points, num_outputs, scope, is_training, bn_decay: as in `shared_dense`.

    Returns:
      float32 Tensors [B N, C], [C, num_outputs] and [num_outputs]: the layer is the ReLU of rows . weights + biases.
    """
    num_inputs = points.shape.as_list()[2]
    # Upstream stores x, y, z as the width of a one-channel image, which a 1x3 kernel spans.
    kernel_shape = [1, 3, 1, num_outputs] if num_inputs == 3 else [1, 1, num_inputs, num_outputs]
    rows = tf.reshape(points, [-1, num_inputs])
    weights, biases = folded_weights(kernel_shape, lambda: mean_and_covariance(rows), scope, is_training, bn_decay)
    return rows, weights, biases


def folded_weights(kernel_shape, moments_of_rows, scope, is_training, bn_decay):
    """The weights and biases of a layer that rows share, with batch norm folded in.

    Args:
      kernel_shape: list, as the weights are stored: its last number is the width of the layer, K, and the product of
        the others that of the rows, C.
      moments_of_rows: function without arguments -> mean [C] and covariance [C, C] of the rows; called in training.
      scope, is_training, bn_decay: as in `shared_dense`.

    Returns:
      float32 Tensors [C, K] and [K]: the layer is the ReLU of rows . weights + biases.
    """
    with tf.variable_scope(scope):
        weights, biases = weights_and_biases(kernel_shape)
        weights = tf.reshape(weights, [-1, kernel_shape[-1]])
        moments = _product_moments(*moments_of_rows(), weights) if is_training else None
        scale, shift = batch_norm(biases, moments, bn_decay)
        return weights * scale, shift


def transformed(points, matrices):
    """The points of each cloud times a matrix of its own.

    Args:
      points: float32 Tensor [B, N, C].
      matrices: float32 Tensor [B, C, K].

    Returns:
      float32 Tensor [B, N, K].
    """
    num_clouds, num_points = tf.unstack(tf.shape(points)[:2])
    # One product alone would be shared out among threads, and the last points of a cloud summed up otherwise than its
    # others: points in one place are to have the same features.
    lacking = tf.maximum(0, 2 - num_clouds)
    padded = tf.pad(points, [[0, lacking], [0, -num_points % VECTOR], [0, 0]])
    products = _matrix_products(padded, filled_up(matrices, lacking))
    products = tf.slice(products, [0, 0, 0], [num_clouds, num_points, -1])
    products.set_shape(points.shape.as_list()[:2] + matrices.shape.as_list()[2:])
    return products


@tf.custom_gradient
def _matrix_products(points, matrices):
    """points [B, N, C] . matrices [B, C, K]."""

    def gradient(product_gradient):
        # Summed over all points at once, the order would depend on the threads.
        num_clouds, num_points, num_inputs = shape_of(points)
        missing = -num_points % POINTS_SUMMED
        parts = [
            tf.reshape(tf.pad(tensor, [[0, 0], [0, missing], [0, 0]]), [num_clouds, -1, POINTS_SUMMED, width])
            for tensor, width in ((points, num_inputs), (product_gradient, matrices.shape.as_list()[2]))
        ]
        sums = tf.matmul(parts[0], parts[1], transpose_a=True)
        # Along the last axis each sum is one thread's.
        matrices_gradient = tf.reduce_sum(tf.transpose(sums, [0, 2, 3, 1]), axis=3)
        return tf.matmul(product_gradient, matrices, transpose_b=True), matrices_gradient

    return tf.matmul(points, matrices), gradient


def row_products(rows, weights):
    """rows [M, C] . weights [C, K]."""
    num_rows = tf.shape(rows)[0]
    return first(tf.matmul(filled_up(rows, -num_rows % VECTOR), weights), num_rows)


def filled_up(tensor, count):
    """A Tensor with `count` (a scalar Tensor) rows of zeros behind its own; it is not copied where there are none."""
    return tf.pad(tensor, [[0, count]] + [[0, 0]] * (len(tensor.shape) - 1))


def first(tensor, count):
    """The first `count` (a scalar Tensor) rows of a Tensor, which is not copied where these are all."""
    rank = len(tensor.shape)
    found = tf.slice(tensor, [0] * rank, tf.stack([count] + [-1] * (rank - 1)))
    found.set_shape([None] + tensor.shape.as_list()[1:])
    return found


def _product(rows, weights):
    """rows [B, C] . weights [C, K], one row at a time.

    The sums of several rows together would be shared out among threads, and depend on how many rows there are. oneDNN
    shares out those of a row that is alone.
    """
    num_rows = tf.shape(rows)[0]
    rows = filled_up(rows, tf.maximum(0, 2 - num_rows))
    return first(tf.squeeze(_products_of_rows(rows[:, tf.newaxis], weights), axis=1), num_rows)


@tf.custom_gradient
def _products_of_rows(rows, weights):
    """rows [B, 1, C] . weights [C, K]."""

    def gradient(product_gradient):
        # TensorFlow's own multiplies by weights that it reads across, which takes ten times as long. Turned beforehand,
        # and once, as weights do not change in evaluation, they are read as they lie.
        rows_gradient = _product_in_parts(product_gradient, tf.transpose(weights))
        return rows_gradient, tf.reduce_sum(tf.matmul(rows, product_gradient, transpose_a=True), axis=0)

    return _product_in_parts(rows, weights), gradient


def _product_in_parts(rows, weights):
    """rows [B, 1, C] . weights [C, K], summed up over a part of C at a time, which rounds less than all in a row."""
    num_inputs, num_outputs = weights.shape.as_list()
    width = max(one for one in range(1, min(INPUTS_SUMMED, num_inputs) + 1) if num_inputs % one == 0)
    if width == num_inputs:
        return tf.matmul(rows, weights)
    parts = tf.reshape(rows, [-1, num_inputs // width, 1, width])
    return tf.reduce_sum(tf.matmul(parts, tf.reshape(weights, [-1, width, num_outputs])), axis=1)


def weights_and_biases(shape, initializer=None):
    # By its name, so that the same seed draws the same weights in whatever order a graph is built.
    number = zlib.crc32(tf.get_variable_scope().name.encode("utf-8")) % 2**31
    initializer = initializer or tf.glorot_uniform_initializer(seed=number)
    weights = tf.get_variable("weights", shape, initializer=initializer)
    biases = tf.get_variable("biases", shape[-1:], initializer=tf.zeros_initializer())
    return weights, biases


def batch_norm(biases, moments, bn_decay):
    """Batch norm as the affine map that it is: scale and shift [K], to apply to inputs . weights without the biases.

    Args:
      biases: float32 Tensor [K], of the layer.
      moments: mean and variance [K] of inputs . weights over the batch; None for the moving averages.
      bn_decay: decay of the moving averages, whose updates go to UPDATE_OPS.
    """
    with tf.variable_scope("bn"):
        shape = biases.shape.as_list()
        beta = tf.get_variable("beta", shape, initializer=tf.zeros_initializer())
        gamma = tf.get_variable("gamma", shape, initializer=tf.ones_initializer())
        averages = [
            tf.get_variable("moving_mean", shape, initializer=tf.zeros_initializer(), trainable=False),
            tf.get_variable("moving_variance", shape, initializer=tf.ones_initializer(), trainable=False),
        ]
        mean, variance = averages
        if moments is not None:
            mean, variance = _moments_of_all_processes(*moments)
            mean += biases
            for average, value in zip(averages, (mean, variance)):
                update = tf.assign_sub(average, (1 - bn_decay) * (average - value))
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
        scale = gamma * tf.rsqrt(variance + BATCH_NORM_EPSILON)
        return scale, biases * scale + (beta - mean * scale)


def _moments_of_all_processes(mean, variance):
    """Mean and variance [K] over the rows of all processes, of which each has as many, from those over this one's."""
    for processes in tf.get_collection(PROCESSES):
        mean, mean_square = processes.average([mean, variance + tf.square(mean)])
        # Rounding may leave a little less than nothing.
        variance = tf.maximum(mean_square - tf.square(mean), 0.0)
    return mean, variance


def batch_sum(total):
    """A sum over the clouds of this process, times the number of processes: the mean of that is the sum over all.

    Losses are averaged over the processes; a term that is a mean over the clouds is right without it.
    """
    for processes in tf.get_collection(PROCESSES):
        total *= processes.size
    return total


def _product_moments(mean, covariance, weights):
    """Mean and variance [K] of rows . weights over rows of this mean and covariance, without a pass over that."""
    return (
        tf.squeeze(tf.matmul(mean[tf.newaxis], weights), 0),
        tf.reduce_sum(weights * tf.matmul(covariance, weights), axis=0),
    )


@tf.custom_gradient
def mean_and_covariance(rows):
    """Mean [C] and covariance [C, C] of rows [M, C]."""
    num_rows = tf.cast(tf.shape(rows)[0], tf.float32)
    mean = tf.reduce_mean(rows, axis=0)
    centred = rows - mean
    covariance = tf.matmul(centred, centred, transpose_a=True) / num_rows

    def gradient(mean_gradient, covariance_gradient):
        # (x - mean) S = x S - mean S: one product and a bias. That the mean moves with x adds nothing: over all rows
        # x - mean is 0.
        matrix = (covariance_gradient + tf.transpose(covariance_gradient)) / num_rows
        shift = mean_gradient / num_rows - tf.squeeze(tf.matmul(mean[tf.newaxis], matrix), 0)
        return tf.nn.bias_add(tf.matmul(rows, matrix), shift)

    return (mean, covariance), gradient


def shape_of(tensor):
    """The shape as a list: Python numbers where they are known, scalar Tensors where not."""
    return [size if size is not None else tf.shape(tensor)[axis] for axis, size in enumerate(tensor.shape.as_list())]
