"""Products with a sparse matrix, fast on both TensorFlows."""

import tensorflow.compat.v1 as tf


def products(indices, values, shape, right, left):
    """S . right and S^T . left of a sparse matrix S [T, K].

    Args:
      indices: int64 Tensor [V, 2], in ascending order, none twice.
      values: float32 Tensor [V].
      shape: T and K, ints or scalar Tensors.
      right: float32 Tensor [K, C].
      left: float32 Tensor [T, D].

    Returns:
      float32 Tensors [T, C] and [K, D].
    """
    shape = tf.cast(tf.stack(shape), tf.int64)
    # TensorFlow 1.15 has no other sparse matrix than this one, with which TensorFlow 2 takes six times as long.
    if not hasattr(tf.raw_ops, "SparseMatrixMatMul"):
        matrix = tf.SparseTensor(indices, values, shape)
        return (
            tf.sparse.sparse_dense_matmul(matrix, right),
            tf.sparse.sparse_dense_matmul(matrix, left, adjoint_a=True),
        )
    matrix = tf.raw_ops.SparseTensorToCSRSparseMatrix(indices=indices, values=values, dense_shape=shape)
    return (
        tf.raw_ops.SparseMatrixMatMul(a=matrix, b=right),
        tf.raw_ops.SparseMatrixMatMul(a=matrix, b=left, transpose_a=True),
    )


def sums_by_place(rows, places, count):
    """The sum of the rows that share a place: float32 Tensor [count, C] of rows [T, C] and int32 places [T]."""

    @tf.custom_gradient
    def sums(rows):
        num_rows = tf.shape(rows)[0]
        indices = tf.cast(tf.stack([tf.range(num_rows), places], axis=1), tf.int64)
        nothing = tf.zeros([count, 1])
        _, found = products(indices, tf.ones([num_rows]), [num_rows, count], nothing, rows)
        return found, lambda gradient: tf.gather(gradient, places)

    return sums(rows)
