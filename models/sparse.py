"""Products with a sparse matrix, fast on both TensorFlows."""

import tensorflow.compat.v1 as tf

# TensorFlow 1.15 has no other sparse matrix than tf.SparseTensor, with which TensorFlow 2 takes six times as long.
HAS_COMPRESSED_ROWS = hasattr(tf.raw_ops, "SparseMatrixMatMul")


def products(indices, values, shape, right, left):
    """S . right and S^T . left of a sparse matrix S [T, K].

    The second is for gradients of weights: where several threads work, its last bits differ from call to call.

    Args:
      indices: int64 Tensor [V, 2], in ascending order, none twice.
      values: float32 Tensor [V].
      shape: T and K, ints or scalar Tensors.
      right: float32 Tensor [K, C].
      left: float32 Tensor [T, D].

    Returns:
      float32 Tensors [T, C] and [K, D].
    """
    matrix = _matrix(indices, values, shape)
    if not HAS_COMPRESSED_ROWS:
        return (
            tf.sparse.sparse_dense_matmul(matrix, right),
            tf.sparse.sparse_dense_matmul(matrix, left, adjoint_a=True),
        )
    return (
        tf.raw_ops.SparseMatrixMatMul(a=matrix, b=right),
        # Each row of `left` is read once; after SparseMatrixTranspose they would be read here and there, in three times
        # the time.
        tf.raw_ops.SparseMatrixMatMul(a=matrix, b=left, transpose_a=True),
    )


def sums_by_place(rows, places, count):
    """The sum of the rows that share a place, always in the same order.

    Args:
      rows: float32 Tensor [T, C].
      places: int32 Tensor [T], each less than `count`.
      count: an int or a scalar Tensor.

    Returns:
      float32 Tensor [count, C].
    """

    @tf.custom_gradient
    def sums(rows):
        num_rows = tf.shape(rows)[0]
        indices = tf.cast(tf.stack([tf.range(num_rows), places], axis=1), tf.int64)
        matrix = _matrix(indices, tf.ones([num_rows]), [num_rows, count])
        if HAS_COMPRESSED_ROWS:
            matrix = tf.raw_ops.SparseMatrixTranspose(input=matrix, type=tf.float32)
            found = tf.raw_ops.SparseMatrixMatMul(a=matrix, b=rows)
        else:
            found = tf.sparse.sparse_dense_matmul(matrix, rows, adjoint_a=True)
        return found, lambda gradient: tf.gather(gradient, places)

    return sums(rows)


def _matrix(indices, values, shape):
    shape = tf.cast(tf.stack(shape), tf.int64)
    if HAS_COMPRESSED_ROWS:
        return tf.raw_ops.SparseTensorToCSRSparseMatrix(indices=indices, values=values, dense_shape=shape)
    return tf.SparseTensor(indices, values, shape)
