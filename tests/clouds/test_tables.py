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


@pytest.mark.parametrize("place", [0, 4, 29])
@pytest.mark.parametrize("values", [(X, Y, Z), (X, Y, Z, VALUE)])
def test_a_damaged_coordinate_is_named_and_no_other_column_takes_its_place(tmp_path, values, place):
    lines = _lines(values, " ")
    lines[place] = "0.09760.5" + lines[place][lines[place].index(" ") :]
    with pytest.raises(InputError, match="line {}: '0.09760.5' .*is not a number".format(place + 1)):
        _read(tmp_path, lines)
    lines[place] = "0.5 0.5"
    with pytest.raises(InputError, match="line {} holds 2 values instead of {}".format(place + 1, len(values))):
        _read(tmp_path, lines)


@pytest.mark.parametrize("place", [0, 4, 29])
@pytest.mark.parametrize("header", [[], ["x,y,z,i"]])
@pytest.mark.parametrize("row", ["0.1,,0.3,2.0", ",,,2.0", "NA,NA,NA,2.0", "0.1,null,0.3,", "nan,nan,nan,2.0"])
def test_a_point_whose_coordinates_are_missing_has_none(tmp_path, row, header, place):
    lines = _lines([X, Y, Z, VALUE])
    lines[place] = row
    points = _read(tmp_path, header + lines).points
    assert points.shape == (30, 3) and not np.isfinite(points[place]).all()
    np.testing.assert_array_equal(np.delete(points, place, 0), np.delete(POINTS, place, 0))


def test_a_column_that_is_empty_in_most_rows_is_not_taken_for_a_coordinate(tmp_path):
    with pytest.raises(InputError, match="column 1 is empty in most rows: name the columns"):
        _read(tmp_path, _lines([["1.5"] + [""] * 29, X, Y, Z]))
    lines = [row if place % 3 == 0 else ",,,0.0" for place, row in enumerate(_lines([X, Y, Z, VALUE]))]
    points = _read(tmp_path, lines).points
    np.testing.assert_array_equal(points[::3], POINTS[::3])
    assert np.isfinite(points).all(axis=1).sum() == 10


@pytest.mark.parametrize("title", ["Shift: 500000.00 5400000.00 0.00", "Leica P40 SN 1840012 12 05 2021", "Box 1 2 3"])
@pytest.mark.parametrize("values", [(X, Y, Z), (X, Y, Z, VALUE)])
def test_a_text_with_numbers_above_the_rows_is_no_point(tmp_path, title, values):
    found = _read(tmp_path, [title] + _lines(values, " "))
    np.testing.assert_array_equal(found.points, POINTS)
    assert "a line above is skipped: " + title in found.notices


def test_a_word_before_each_row_is_no_text_above(tmp_path):
    lines = _lines([["C"] * 30, X, Y, Z], " ")
    np.testing.assert_array_equal(_read(tmp_path, lines).points, POINTS)


INDEX = np.random.RandomState(8).permutation(1000)[:30]
WHOLE = [["{:.0f}".format(1000 * value) for value in axis] for axis in POINTS.T]


@pytest.mark.parametrize("index", [INDEX, 2 * np.arange(30), np.arange(30)])
@pytest.mark.parametrize("names", [",0,1,2", ";0;1;2", "     0    1    2", ',"0","1","2"'])
def test_an_index_without_a_name_is_no_coordinate(tmp_path, index, names):
    for columns, expected in (([X, Y, Z], POINTS), (WHOLE, np.round(1000 * POINTS))):
        separator = names[0] if names[0] != '"' else ","
        lines = [names] + _lines([list(map(str, index))] + columns, separator)
        np.testing.assert_allclose(_read(tmp_path, lines).points, expected)


def test_an_index_before_two_columns_makes_no_three(tmp_path):
    with pytest.raises(InputError, match="holds 2 columns of numbers in 3"):
        _read(tmp_path, [",0,1"] + _lines([list(map(str, INDEX)), X, Y]))


@pytest.mark.parametrize(
    "header",
    [
        "ncols 6\nnrows 30\nxllcorner 500000\nyllcorner 5400000\ncellsize 1\nNODATA_value -9999",
        "NCOLS 6\nNROWS 30\nXLLCENTER 0.5\nYLLCENTER 0.5\nCELLSIZE 1",
        "north: 30\nsouth: 0\neast: 6\nwest: 0\nrows: 30\ncols: 6",
        "DSAA\n6 30\n0 5\n0 29\n-1 1",
    ],
)
def test_a_grid_of_heights_is_no_table_of_points(tmp_path, header):
    with pytest.raises(InputError, match="is a grid of heights .*: save it as points x y z"):
        _read(tmp_path, header.split("\n") + _lines([X, Y, Z, X, Y, Z], " "))


@pytest.mark.parametrize(
    "header",
    [
        "# Columns: x y z",
        "# columns x y z",
        "// Fields in order: X Y Z Intensity",
        "# format: x y z i",
        "* x y z",
        "Format: x y z i",
    ],
)
def test_words_before_the_names_count_for_no_column(tmp_path, header):
    found = _read(tmp_path, [header] + _lines([X, Y, Z, VALUE], " "))
    np.testing.assert_array_equal(found.points, POINTS)
    assert found.used.lower() == "x, y, z are its columns x (1), y (2), z (3)"
    np.testing.assert_array_equal(_read(tmp_path, ["# Columns: x y z"] + _lines([X, Y, Z], " ")).points, POINTS)
    named = _read(tmp_path, ["# label x y z"] + _lines([VALUE, X, Y, Z], " "))
    np.testing.assert_array_equal(named.points, POINTS)


def _counted(columns):
    return ["{} {} {:.3f} 7.5".format(*row) for row in zip(*columns)]


def test_a_column_of_a_picture_is_a_coordinate_though_it_counts_the_first_rows(tmp_path):
    place = np.arange(2 * 1280)
    columns = [place % 1280, place // 1280, place / 1000.0]
    points = _read(tmp_path, _counted(columns)).points
    np.testing.assert_array_equal(points[:, :2], np.stack(columns[:2], 1))


def test_a_count_that_begins_anew_is_unclear(tmp_path):
    place = np.arange(2600)
    with pytest.raises(InputError, match="column 1 counts the rows up to line 1301, and not from there on"):
        _read(tmp_path, _counted([place % 1300, place % 7, place / 1000.0]))


@pytest.mark.parametrize("begin", [0, 1, 1001])
def test_a_count_from_any_number_and_with_gaps_far_below_is_no_coordinate(tmp_path, begin):
    place = np.delete(np.arange(2600), [1500, 1501])
    lines = ["{} {}".format(one + begin, row) for one, row in zip(place, _counted([place % 7, place % 5, place / 1e3]))]
    found = _read(tmp_path, lines)
    np.testing.assert_array_equal(found.points[:, :2], np.stack([place % 7, place % 5], 1))
    assert "column 1 counts the rows and is ignored" in found.notices


@pytest.mark.parametrize(
    "header",
    [
        "%time,field.x,field.y,field.z",
        "intensity,x_m,y_m,z_m",
        "intensity,X_world,Y_world,Z_world",
        "frame,marker_x,marker_y,marker_z",
        "timestamp,p.x,p.y,p.z",
        '"T","Coordinates:0","Coordinates:1","Coordinates:2"',
        '"T","Points_m_XYZ:0","Points_m_XYZ:1","Points_m_XYZ:2"',
        "Nr,Rechtswert,Hochwert,Höhe",
        "Point ID,Easting (m),Northing (m),RL (m)",
        "PtNo,E,N,Z",
    ],
)
def test_names_that_differ_in_the_axis_and_names_of_surveyors_are_known(tmp_path, header):
    found = _read(tmp_path, [header] + _lines([VALUE, X, Y, Z]))
    np.testing.assert_array_equal(found.points, POINTS)
    assert found.used.startswith("x, y, z are its columns")


def test_positions_are_told_from_what_else_has_three_axes(tmp_path):
    columns = [X, Y, Z, VALUE, VALUE, VALUE]
    others = ("nx,ny,nz", "normal:0,normal:1,normal:2", "orientation.x,orientation.y,orientation.z", "f_x,f_y,f_z")
    for more in others:
        found = _read(tmp_path, ["position.x,position.y,position.z," + more] + _lines(columns))
        np.testing.assert_array_equal(found.points, POINTS)
    with pytest.raises(InputError, match="names several columns that may be x, y, z: left_x, b_x; call those"):
        _read(tmp_path, ["left_x,left_y,left_z,b_x,b_y,b_z"] + _lines(columns))


@pytest.mark.parametrize(
    "header, separator",
    [
        ("range,azimuth,elevation", ","),
        ("range azimuth elevation", " "),
        ("one;two;three;four", ";"),
        ("one two three four", " "),
        ("# one,two,three,four", ","),
        ("t,nx,ny,nz", ","),
        ("t,scalar_0,scalar_1,scalar_2", ","),
        (",one,two,three", ","),
    ],
)
def test_names_that_are_not_known_are_not_passed_over(tmp_path, header, separator):
    columns = [X, Y, Z] if "range" in header else [VALUE, X, Y, Z]
    with pytest.raises(InputError, match=r"names no columns x, y, z \(.*\): name three of them so"):
        _read(tmp_path, [header] + _lines(columns, separator))


def test_german_degrees_are_refused_and_a_text_of_three_words_is_no_header(tmp_path):
    with pytest.raises(InputError, match="holds latitude and longitude"):
        _read(tmp_path, ["Breite,Laenge,Hoehe"] + _lines([X, Y, Z]))
    for text in ("made by hand", "# made by some hand"):
        points = _read(tmp_path, [text] + _lines([X, Y, Z, VALUE][: 3 + ("#" in text)], " ")).points
        np.testing.assert_array_equal(points, POINTS)
