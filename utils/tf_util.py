"""The layers that PointNet is made of, in TensorFlow 1.x graph mode.

Variables carry the names of upstream PointNet (`conv1/weights`, `conv1/biases`, `conv1/bn/beta`, ...);
the two moving averages of a batch norm are `<scope>/bn/moving_mean` and `<scope>/bn/moving_variance`.

Batch norm is an affine map per channel, so it is folded into the layer's weights and biases, in evaluation and in
training alike: the statistics that training needs of a product x W follow from those of x (`_product_moments`).
"""

import tensorflow.compat.v1 as tf

BATCH_NORM_EPSILON = 1e-3
# A product of the widest layer over as many points stays in the processor's cache.
POINTS_PER_CHUNK = 4 * 1024
# The maximum is taken over blocks of at most as many points first, so that its place is sought in one block only.
MAX_BLOCK = 16


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
    rows, weights, biases = _shared(points, num_outputs, scope, is_training, bn_decay)
    outputs = tf.nn.relu(tf.nn.bias_add(tf.matmul(rows, weights), biases))
    return tf.reshape(outputs, _shape_of(points)[:2] + [num_outputs])


def shared_dense_max(points, num_outputs, scope, is_training, bn_decay=None):
    """`shared_dense` and the maximum over the points, at a fraction of their cost.

    max_i ReLU(x_i W + b) = ReLU(max_i(x_i W) + b), batch norm being part of W and b: after the product, only the
    maximum passes over all points. Going back, only the points that hold a channel's maximum have a gradient; those
    that share one share it equally, as with tf.reduce_max.

    Args:
      points, num_outputs, scope, is_training, bn_decay: as in `shared_dense`.

    Returns:
      The maximum, float32 Tensor [B, num_outputs], and what it is taken of, float32 Tensor [B, N, num_outputs]; the
      latter is a feature map for looking at: gradients stop there, and what is not asked for is not computed.
    """
    rows, weights, biases = _shared(points, num_outputs, scope, is_training, bn_decay)
    features = tf.nn.relu(tf.nn.bias_add(tf.matmul(rows, weights), biases))
    features = tf.stop_gradient(tf.reshape(features, _shape_of(points)[:2] + [num_outputs]))
    return tf.nn.relu(_max_of_product(points, weights) + biases), features


def dense(inputs, num_outputs, scope, is_training, bn_decay=None):
    """A dense layer, batch norm, ReLU.

    Args:
      inputs: float32 Tensor [B, C].
      num_outputs, scope, is_training, bn_decay: as in `shared_dense`.

    Returns:
      float32 Tensor [B, num_outputs].
    """
    with tf.variable_scope(scope):
        weights, biases = _weights([inputs.shape.as_list()[1], num_outputs])
        product = tf.matmul(inputs, weights)
        moments = tf.nn.moments(product, axes=[0]) if is_training else None
        scale, shift = _batch_norm(biases, moments, bn_decay)
        # Few rows pass here, so they are scaled, not the weights.
        return tf.nn.relu(product * scale + shift)


def linear(inputs, num_outputs, scope, weights_initializer=None):
    """A dense layer without batch norm and activation.

    Args:
      inputs: float32 Tensor [B, C].
      num_outputs: width of the layer.
      scope: name of the layer.
      weights_initializer: Xavier's unless given.

    Returns:
      float32 Tensor [B, num_outputs].
    """
    with tf.variable_scope(scope):
        weights, biases = _weights([inputs.shape.as_list()[1], num_outputs], weights_initializer)
        return tf.nn.bias_add(tf.matmul(inputs, weights), biases)


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


def _shared(points, num_outputs, scope, is_training, bn_decay):
    """The points as rows [B N, C], and weights [C, num_outputs] and biases with batch norm folded in."""
    num_inputs = points.shape.as_list()[2]
    # Upstream stores x, y, z as the width of a one-channel image, which a 1x3 kernel spans.
    kernel_shape = [1, 3, 1, num_outputs] if num_inputs == 3 else [1, 1, num_inputs, num_outputs]
    rows = tf.reshape(points, [-1, num_inputs])
    with tf.variable_scope(scope):
        weights, biases = _weights(kernel_shape)
        weights = tf.reshape(weights, [num_inputs, num_outputs])
        moments = _product_moments(rows, weights) if is_training else None
        scale, shift = _batch_norm(biases, moments, bn_decay)
        return rows, weights * scale, shift


def _weights(shape, initializer=None):
    weights = tf.get_variable("weights", shape, initializer=initializer or tf.glorot_uniform_initializer())
    biases = tf.get_variable("biases", shape[-1:], initializer=tf.zeros_initializer())
    return weights, biases


def _batch_norm(biases, moments, bn_decay):
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
            mean, variance = moments[0] + biases, moments[1]
            for average, value in zip(averages, (mean, variance)):
                update = tf.assign_sub(average, (1 - bn_decay) * (average - value))
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
        scale = gamma * tf.rsqrt(variance + BATCH_NORM_EPSILON)
        return scale, biases * scale + (beta - mean * scale)


def _product_moments(rows, weights):
    """Mean and variance [K] of rows . weights over the rows, without a pass over that product."""
    mean, covariance = _mean_and_covariance(rows)
    return (
        tf.squeeze(tf.matmul(mean[tf.newaxis], weights), 0),
        tf.reduce_sum(weights * tf.matmul(covariance, weights), axis=0),
    )


@tf.custom_gradient
def _mean_and_covariance(rows):
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


@tf.custom_gradient
def _max_of_product(points, weights):
    """max_i x_i W: the maximum over the points of a product that is held for a few clouds at a time.

    Its gradient is a sparse matrix of one value a maximum, so going back costs two sparse products instead of two as
    large as the one going forward.

    Args:
      points: float32 Tensor [B, N, C].
      weights: float32 Tensor [C, K].

    Returns:
      float32 Tensor [B, K].
    """
    num_clouds, num_points, num_inputs = _shape_of(points)
    num_outputs = weights.shape.as_list()[1]
    clouds_each = tf.maximum(1, POINTS_PER_CHUNK // num_points)
    num_chunks = -(-num_clouds // clouds_each)

    def one_chunk(number, maxima, holders, shares):
        first = number * clouds_each
        rows = tf.reshape(points[first : first + clouds_each], [-1, num_inputs])
        product = tf.reshape(tf.matmul(rows, weights), [-1, num_points, num_outputs])
        maximum, holder, share = _max_and_holders(product)
        return (
            number + 1,
            maxima.write(number, maximum),
            holders.write(number, holder + [first, 0, 0]),
            shares.write(number, share),
        )

    arrays = [tf.TensorArray(dtype, num_chunks, infer_shape=False) for dtype in (tf.float32, tf.int32, tf.float32)]
    # One chunk is multiplied while the places of the maxima are sought in the one before.
    _, maxima, holders, shares = tf.while_loop(
        lambda number, *_: number < num_chunks, one_chunk, [0] + arrays, parallel_iterations=2, back_prop=False
    )
    holders, shares = tf.reshape(holders.concat(), [-1, 3]), tf.reshape(shares.concat(), [-1])

    def gradient(maximum_gradient):
        cloud, point, channel = tf.unstack(holders, axis=1)
        values = shares * tf.gather(tf.reshape(maximum_gradient, [-1]), cloud * num_outputs + channel)
        indices = tf.cast(tf.stack([cloud * num_points + point, channel], axis=1), tf.int64)
        product_gradient = tf.SparseTensor(
            indices, values, tf.cast(tf.stack([num_clouds * num_points, num_outputs]), tf.int64)
        )
        rows = tf.reshape(points, [-1, num_inputs])
        points_gradient = tf.sparse.sparse_dense_matmul(product_gradient, weights, adjoint_b=True)
        weights_gradient = tf.sparse.sparse_dense_matmul(product_gradient, rows, adjoint_a=True)
        return tf.reshape(points_gradient, tf.shape(points)), tf.transpose(weights_gradient)

    return tf.reshape(maxima.concat(), [-1, num_outputs]), gradient


def _max_and_holders(product):
    """The maximum over the points, and which points hold it.

    Blocks of points are reduced first; the holders are then sought in the blocks that reach the maximum, not in all.

    Args:
      product: float32 Tensor [B, N, K].

    Returns:
      maximum: float32 Tensor [B, K].
      holders: int32 Tensor [T, 3], T >= B K: cloud, point and channel of each value that equals the maximum.
      shares: float32 Tensor [T], 1 / the number of points that hold the same maximum.
    """
    num_clouds, num_points, num_outputs = _shape_of(product)
    sizes = tf.range(1, MAX_BLOCK + 1)
    size = tf.reduce_max(tf.boolean_mask(sizes, tf.equal(num_points % sizes, 0)))
    block_maxima = tf.reduce_max(tf.reshape(product, [-1, size, num_outputs]), axis=1)
    block_maxima = tf.reshape(block_maxima, [num_clouds, -1, num_outputs])
    maximum = tf.reduce_max(block_maxima, axis=1)

    winners = tf.cast(tf.where(tf.equal(block_maxima, maximum[:, tf.newaxis])), tf.int32)
    cloud, block, channel = tf.unstack(winners, axis=1)
    rows = (cloud * num_points + block * size)[:, tf.newaxis] + tf.range(size)
    values = tf.gather(tf.reshape(product, [-1]), rows * num_outputs + channel[:, tf.newaxis])
    cell = cloud * num_outputs + channel
    is_maximum = tf.equal(values, tf.gather(tf.reshape(maximum, [-1]), cell)[:, tf.newaxis])
    winner, place = tf.unstack(tf.cast(tf.where(is_maximum), tf.int32), axis=1)
    holders = tf.stack(
        [tf.gather(cloud, winner), tf.gather(block * size, winner) + place, tf.gather(channel, winner)], axis=1
    )
    cell = tf.gather(cell, winner)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(cell, tf.float32), cell, num_clouds * num_outputs)
    return maximum, holders, 1 / tf.gather(counts, cell)


def _shape_of(tensor):
    """The shape as a list: Python numbers where they are known, scalar Tensors where not."""
    return [size if size is not None else tf.shape(tensor)[axis] for axis, size in enumerate(tensor.shape.as_list())]
