"""Products with sparse matrices against NumPy's with all their zeros."""

import numpy as np
import tensorflow.compat.v1 as tf

from models import sparse


def test_products_are_those_of_the_matrix_with_its_zeros(rng):
    for shape in ((1, 1), (30, 5), (200, 40)):
        dense = rng.standard_normal(shape) * (rng.random_sample(shape) < 0.1)
        indices = np.argwhere(dense)
        right, left = rng.standard_normal((shape[1], 35)), rng.standard_normal((shape[0], 33))
        with tf.Graph().as_default(), tf.Session() as session:
            values = tf.constant(dense[tuple(indices.T)], tf.float32)
            factors = [tf.constant(one, tf.float32) for one in (right, left)]
            found = session.run(sparse.products(tf.constant(indices), values, shape, *factors))
        np.testing.assert_allclose(found[0], dense @ right, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found[1], dense.T @ left, rtol=1e-5, atol=1e-5)


def test_rows_are_summed_up_place_by_place(rng):
    rows, places = rng.standard_normal((50, 6)), rng.randint(0, 9, 50)
    places[places == 4] = 5  # where nothing is
    with tf.Graph().as_default(), tf.Session() as session:
        values = tf.constant(rows, tf.float32)
        sums = sparse.sums_by_place(values, tf.constant(places, tf.int32), 9)
        found, gradients = session.run([sums, tf.gradients(tf.reduce_sum(tf.square(sums)), values)[0]])
    expected = np.stack([rows[places == place].sum(axis=0) for place in range(9)])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradients, 2 * expected[places], rtol=1e-5, atol=1e-5)
