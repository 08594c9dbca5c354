"""The rows of the methods: what each says of itself, and how it asks a network for what its formula takes."""

import inspect

import numpy as np
import pytest

from utils.explain import point_drop
from utils.explain.methods import METHODS, SCRIPTED, Method
from utils.files import InputError


class CountingClassifier:
    """A stand-in that hands out clouds two at a time, and remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    def quantities(self, names, clouds, labels, is_target=False):
        self.asked.append((tuple(names), labels))
        for start in range(0, len(clouds), 2):
            yield [clouds[start : start + 2] for _ in names]


def test_the_heat_of_many_clouds_is_put_together_from_batches():
    clouds = np.arange(15.0).reshape(5, 1, 3)
    row = Method("sum", "sum", ("points", "loss_gradients"), lambda one, other: (one + other).sum(axis=2), "red", "o")
    classifier = CountingClassifier()
    assert row.heat(classifier, clouds, 4).tolist() == (2 * clouds.sum(axis=2)).tolist()
    assert classifier.asked == [(("points", "loss_gradients"), 4)]


def test_a_formula_gets_its_options_and_no_others():
    row = Method("scaled", "", ("points",), lambda one, power: power * one[:, :, 0], "red", "o", options=("power",))
    heats = row.heat(CountingClassifier(), np.ones((3, 2, 3)), 0, pooling="avg", power=7.0)
    assert heats.tolist() == [[7.0, 7.0]] * 3


@pytest.mark.parametrize("power, named", [(-60.0, "`power` -60.0"), (1.0, "ASM")])
def test_heat_that_is_no_number_is_refused(power, named):
    clouds = np.full((1, 3, 3), [[-1e-9], [0], [1e-9]], np.float32)
    clouds[0, 0, 0] = np.nan if power == 1.0 else clouds[0, 0, 0]
    with pytest.raises(InputError, match=named):
        METHODS["asm"].heat(CountingClassifier(), clouds, 0, power=power)


def test_each_cloud_keeps_its_own_generator_across_batches():
    clouds = np.zeros((5, 4, 3))
    together = METHODS["random"].heat(
        CountingClassifier(), clouds, 0, rngs=[np.random.RandomState(n) for n in range(5)]
    )
    alone = METHODS["random"].heat(CountingClassifier(), clouds[:1], 0, rngs=[np.random.RandomState(4)])
    assert together[4].tolist() == alone[0].tolist()


def test_rows_name_themselves_and_look_different_in_figures():
    assert all(name == method.name for name, method in METHODS.items())
    assert len({method.colour for method in METHODS.values()}) == len(METHODS)
    assert len({method.marker for method in METHODS.values()}) == len(METHODS)
    assert [METHODS[name].script for name in SCRIPTED] == ["p_grad_CAM.py", "ASM.py"]


@pytest.mark.parametrize("name", METHODS)
def test_a_row_fits_its_formula(name):
    method = METHODS[name]
    arguments = list(inspect.signature(method.formula).parameters)
    assert tuple(arguments[len(method.needs) :]) == method.options
    assert method.drop_mode in point_drop.DROP_MODES and method.votes > 0


def test_a_method_has_one_name_that_flags_write_in_small_letters():
    def letters(text):
        return text.replace("-", "").replace(" ", "").lower()

    for method in METHODS.values():
        assert letters(method.title).startswith(letters(method.name)), method.name
