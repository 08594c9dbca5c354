"""Tables that could be read wrong: which columns are taken, or the one line that refuses the file."""

import numpy as np
import pytest

from utils.clouds import tables
from utils.files import InputError

POINTS = np.round(np.random.RandomState(7).uniform(-1, 1, (30, 3)), 4)
X, Y, Z = (["{:.4f}".format(value) for value in axis] for axis in POINTS.T)
VALUE = ["{:.1f}".format(0.5 * place) for place in range(30)]


def _lines(columns, separator=","):
    return [separator.join(row) for row in zip(*columns)]


def _read(folder, lines):
    path = folder / "a.csv"
    path.write_bytes("\n".join(lines).encode("utf-8"))
    return tables.read(str(path))


def _quoted(columns, sign='"'):
    return [[sign + value + sign for value in column] for column in columns]


GERMAN = [[value.replace(".", ",") for value in axis] for axis in (X, Y, Z)]
GROUPED = [["{:,.2f}".format(5000 + 1000 * value) for value in axis] for axis in POINTS.T]


@pytest.mark.parametrize(
    "lines, number",
    [
        (_lines(_quoted(GERMAN)), 1),
        (_lines(_quoted(GERMAN, "'")), 1),
        (["x,y,z"] + _lines(_quoted(GERMAN)), 2),
        (["x\ty\tz"] + _lines(_quoted(GERMAN), "\t"), 2),
        (_lines(_quoted(GROUPED)), 1),
        (_lines(_quoted(GROUPED) + [X, Y, Z]), 1),
        (_lines(_quoted(GROUPED), " "), 1),
        (_lines(GROUPED, " "), 1),
        (_lines(GROUPED, ";"), 1),
        (_lines(GROUPED + [VALUE], "\t"), 1),
    ],
)
def test_commas_in_numbers_are_never_taken_to_split_them(tmp_path, lines, number):
    with pytest.raises(InputError, match="line {} may have decimal commas".format(number)):
        _read(tmp_path, lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["n,x,y,z"] + _lines([['"a, b"'] * 30, X, Y, Z]),
        ["n;x;y;z"] + _lines([["'a; b'"] * 30, X, Y, Z], ";"),
        ["n x y z"] + _lines([['"a b"'] * 30, X, Y, Z], " "),
        ["x,y,z,cost"] + _lines([X, Y, Z, ['"1,250"'] * 30]),
        ['"place, old","x","y","z"'] + _lines([["a"] * 30, X, Y, Z]),
        ['"{}"'.format(row) for row in _lines([X, Y, Z])],
    ],
)
def test_separators_in_quotes_split_nothing(tmp_path, lines):
    np.testing.assert_array_equal(_read(tmp_path, lines).points, POINTS)


@pytest.mark.parametrize("row", ["-nan(ind) -nan(ind) -nan(ind)", "nan(snan) 0.5 NaN(0x7ff)", "(nan(ind), 1, 2)"])
@pytest.mark.parametrize("place", [0, 5, 29])
def test_a_nan_with_brackets_is_one_field_in_any_row(tmp_path, row, place):
    lines = _lines([X, Y, Z], " ")
    lines[place] = row
    points = _read(tmp_path, lines).points
    assert np.isnan(points[place, 0])
    np.testing.assert_array_equal(np.delete(points, place, 0), np.delete(POINTS, place, 0))
