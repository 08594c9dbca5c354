"""The layers that PointNet is made of, in TensorFlow 1.x graph mode.

Variables carry the names of upstream PointNet (`conv1/weights`, `conv1/biases`, `conv1/bn/beta`, ...);
the two moving averages of a batch norm are `<scope>/bn/moving_mean` and `<scope>/bn/moving_variance`.
"""
import tensorflow.compat.v1 as tf

BATCH_NORM_EPSILON = 1e-3


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
    batch_size, num_points = tf.shape(points)[0], tf.shape(points)[1]
    num_inputs = points.shape.as_list()[2]
    # Upstream stores x, y, z as the width of a one-channel image, which a 1x3 kernel spans.
    kernel_shape = [1, 3, 1, num_outputs] if num_inputs == 3 else [1, 1, num_inputs, num_outputs]
    rows = tf.reshape(points, [-1, num_inputs])
    outputs = _layer(rows, kernel_shape, scope, is_training, bn_decay)
    return tf.reshape(outputs, [batch_size, num_points, num_outputs])


def dense(inputs, num_outputs, scope, is_training, bn_decay=None):
    """A dense layer, batch norm, ReLU.

    Args:
      inputs: float32 Tensor [B, C].
      num_outputs, scope, is_training, bn_decay: as in `shared_dense`.

    Returns:
      float32 Tensor [B, num_outputs].
    """
    return _layer(inputs, [inputs.shape.as_list()[1], num_outputs], scope, is_training, bn_decay)


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
        return tf.matmul(inputs, weights) + biases


def max_pool(features):
    """The maximum over the points. Its gradient is split equally among points that share a maximum.

    Args:
      features: float32 Tensor [B, N, K].

    Returns:
      float32 Tensor [B, K].
    """
    return tf.reduce_max(features, axis=1)


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


def _layer(rows, weights_shape, scope, is_training, bn_decay):
    """ReLU(batch norm(rows . weights + biases)); rows [M, C] -> [M, weights_shape[-1]]."""
    with tf.variable_scope(scope):
        weights, biases = _weights(weights_shape)
        weights = tf.reshape(weights, [-1, weights_shape[-1]])
        with tf.variable_scope("bn"):
            if is_training:
                normalised = _normalise_batch(tf.matmul(rows, weights) + biases, bn_decay)
            else:
                scale, shift = _moving_scale_and_shift(weights_shape[-1])
                # The same numbers as normalising the product, at the cost of a plain layer.
                normalised = tf.matmul(rows, weights * scale) + (biases * scale + shift)
        return tf.nn.relu(normalised)


def _weights(shape, initializer=None):
    weights = tf.get_variable("weights", shape, initializer=initializer or tf.glorot_uniform_initializer())
    biases = tf.get_variable("biases", shape[-1:], initializer=tf.zeros_initializer())
    return weights, biases


def _batch_norm_variables(num_channels):
    shape = [num_channels]
    beta = tf.get_variable("beta", shape, initializer=tf.zeros_initializer())
    gamma = tf.get_variable("gamma", shape, initializer=tf.ones_initializer())
    mean = tf.get_variable("moving_mean", shape, initializer=tf.zeros_initializer(), trainable=False)
    variance = tf.get_variable("moving_variance", shape, initializer=tf.ones_initializer(), trainable=False)
    return beta, gamma, mean, variance


def _normalise_batch(rows, bn_decay):
    """Batch norm by the statistics of `rows` [M, C]; the moving averages' updates go to UPDATE_OPS."""
    beta, gamma, moving_mean, moving_variance = _batch_norm_variables(rows.shape.as_list()[1])
    mean, variance = tf.nn.moments(rows, axes=[0])
    for average, value in ((moving_mean, mean), (moving_variance, variance)):
        update = tf.assign_sub(average, (1 - bn_decay) * (average - value))
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
    return tf.nn.batch_normalization(rows, mean, variance, beta, gamma, BATCH_NORM_EPSILON)


def _moving_scale_and_shift(num_channels):
    """The affine map that batch norm is in evaluation: x -> scale * x + shift."""
    beta, gamma, mean, variance = _batch_norm_variables(num_channels)
    scale = gamma * tf.rsqrt(variance + BATCH_NORM_EPSILON)
    return scale, beta - mean * scale
