"""Every file of tests/cases comes out as its README says: read whole and right, or refused in one line."""

import os
import re

import numpy as np
import pytest

from utils.clouds import own_cloud, readers
from utils.files import PROJECT_DIR, InputError

CASES = os.path.join(PROJECT_DIR, "tests", "cases")
# The chair, by the simplest of its files and the simplest of readers.
CHAIR = np.loadtxt(os.path.join(CASES, "05-csv-and-asc", "chair.csv"), delimiter=",")
UTM = np.array([500000.0, 5400000.0, 300.0])
BOX = np.array([[0.0, 0, 0], [1, 2, 4]])


def _in(folder, names):
    return [os.path.join(folder, name) for name in names.split()]


def _case(name):
    return os.path.join(CASES, name)


@pytest.mark.parametrize(
    "name",
    _in("01-pandas-index-column", "chair.txt")
    + _in("03-comma-table-with-dated-comment", "chair.txt")
    + _in("04-pts-count-line", "chair.pts chair_two_scans.xyz")
    + _in("05-csv-and-asc", "chair.asc chair.csv")
    + _in("06-off-headers", "points_only.off")
    + _in("07-obj", "vertices_only.obj vertices_colours.obj vertices_points.obj polyline.obj")
    + _in("09-ply-kinds", "big_endian.ply camera_first.ply comments.ply crlf_ascii.ply upper.ply vertex_list.ply")
    + _in("10-pcd", "ascii_crlf.pcd ascii_rgb.pcd no_count.pcd normals_first.pcd old_columns_v05.pcd")
    + _in("10b-pcd-more", "data_tab.pcd lowercase_type.pcd uppercase_fields.pcd viewpoint_turned.pcd")
    + _in("10b-pcd-more", "more_lines_than_promised.pcd")
    + _in("11-tables", "brackets.txt comma_header_spaces.txt comma_then_space_mixed.txt empty_field.txt footer.txt")
    + _in("11-tables", "empty_first_field.txt float_nan_text.txt label_first.txt latin1_header.txt utf16.txt")
    + _in("11-tables", "name_last_column.txt slash_header_count.txt trailing_separator.txt two_columns_then.txt")
    + _in("11-tables", "word_first_column.xyz")
    + _in("12-npy", "N6.npy batch_1xNx3.npy batch_4xNx3.npy chair.npz fortran.npy twelve.npz")
    + _in("13-h5", "points_key.h5")
    + _in("15-other", "ply_named_xyz.xyz text_named_ply.ply")
    + _in("22-macos-zip", "chair.xyz"),
)
def test_the_chair_is_read_to_the_last_digit(name):
    np.testing.assert_array_equal(readers.read(_case(name)).points, CHAIR)


@pytest.mark.parametrize(
    "name",
    _in("09-ply-kinds", "crlf_binary.ply float32_uint8.ply")
    + _in("10-pcd", "compressed.pcd compressed_padding.pcd padding_binary.pcd")
    + _in("10b-pcd-more", "count_zero_padding.pcd")
    + _in("12-npy", "bigendian.npy")
    + _in("13-h5", "label_float.h5 no_label.h5 normals_6.h5 other_cloud_nan.h5 scalar_label.h5 scanobjectnn.h5")
    + _in("13-h5", "shapenet55.h5"),
)
def test_the_chair_of_32_bits_is_read_as_these_bits_say(name):
    np.testing.assert_array_equal(readers.read(_case(name)).points, CHAIR.astype(np.float32).astype(float))


@pytest.mark.parametrize(
    "name", _in("09-ply-kinds", "int_mm.ply") + _in("10-pcd", "short_ints.pcd") + _in("12-npy", "ints_mm.npy")
)
def test_whole_millimetres(name):
    points = readers.read(_case(name)).points
    assert (points == np.round(points)).all() and np.abs(points / 1000 - CHAIR).max() < 0.00051


@pytest.mark.parametrize("name", _in("08-utm", "chair.h5 chair.pcd chair.ply"))
def test_far_from_the_origin_the_chair_keeps_its_tenths_of_a_millimetre(name):
    np.testing.assert_allclose(readers.read(_case(name)).points - UTM, CHAIR, rtol=0, atol=0.000051)


def test_other_columns_and_precisions():
    assert np.abs(readers.read(_case("12-npy/float16.npy")).points - CHAIR).max() < 5e-4
    np.testing.assert_array_equal(readers.read(_case("11-tables/yxz_named.txt")).points, CHAIR[:, [1, 0, 2]])
    np.testing.assert_array_equal(
        readers.read(_case("16-geometry/z_up.xyz")).points, CHAIR.dot([[1, 0, 0], [0, 0, 1], [0, -1, 0]]) + 0
    )
    assert len(readers.read(_case("11-tables/comment_within.txt")).points) == 350
    with open(_case("08-utm/wide_tile.xyz")) as file:
        expected = [[float(word) for word in line.split()] for line in file]
    np.testing.assert_array_equal(readers.read(_case("08-utm/wide_tile.xyz")).points, expected)


@pytest.mark.parametrize(
    "name",
    _in("06-off-headers", "coff.off comments.off crlf.off facecolour.off modelnet.off noff.off off_rgba_vertices.off")
    + _in("07-obj", "crlf.obj mesh_and_stray_line.obj missing_mtl.obj mixed_quads_and_triangles.obj negative.obj")
    + _in("07-obj", "object_line.obj plain_quads.obj plain_tri.obj")
    + _in("09-ply-kinds", "mesh_one_nan_vertex.ply quad_mesh.ply")
    + _in("15-other", "plain_binary.stl solid_binary.stl")
    + _in("21-more", "face_before_vertex.ply meshlab_wedge_uv.ply vertex_index_singular.ply"),
)
def test_the_box_is_covered_by_area(name):
    points = readers.read(_case(name), 6000).points
    _assert_covers_box(points, *BOX)


def _assert_covers_box(points, low, high):
    """Every point lies on the box; of its six sides each has its share, within four standard errors."""
    sides = high - low
    at_side = [
        np.abs(points[:, axis] - end[axis]) < 1e-6 * sides[axis] + 1e-9 for axis in range(3) for end in (low, high)
    ]
    assert np.any(at_side, axis=0).all()
    assert (points > low - 1e-9).all() and (points < high + 1e-9).all()
    areas = np.repeat([sides[1] * sides[2], sides[0] * sides[2], sides[0] * sides[1]], 2)
    for side, share in zip(at_side, areas / areas.sum()):
        assert abs(side.mean() - share) < 4 * np.sqrt(share * (1 - share) / len(points))


@pytest.mark.parametrize("name", _in("08-utm", "mesh.obj mesh.ply") + _in("21-more", "utm_obj_texture.obj"))
def test_a_mesh_far_from_the_origin_keeps_its_millimetres(name):
    _assert_covers_box(readers.read(_case(name), 6000).points - UTM, np.zeros(3), np.array([0.3, 0.6, 1.2]))


@pytest.mark.parametrize(
    "name, far",
    [
        ("07-obj/two_objects.obj", (11, 2, 4)),
        ("15-other/two_solids.stl", (11, 2, 4)),
        ("07-obj/one_object_triangles_one_quads.obj", (1, 2, 5.4)),
    ],
)
def test_both_bodies_are_there(name, far):
    points = readers.read(_case(name), 4000).points
    assert (points.max(axis=0) <= np.add(far, 1e-6)).all() and np.abs(points.max(axis=0) - far).max() < 0.05
    body = points[:, 0] < 5 if far[0] > 5 else points[:, 2] <= 4
    # Two boxes of one size; or one of area 28 and one of 0.28.
    share = 0.5 if far[0] > 5 else 28 / 28.28
    assert abs(body.mean() - share) < 4 * np.sqrt(share * (1 - share) / 4000)


@pytest.mark.parametrize(
    "name, words",
    [
        ("04-pts-count-line/chair_count_off.xyz", "promises 255 points and holds 256"),
        ("09-ply-kinds/cut_off.ply", "promises 256 vertices and holds 83"),
        ("09-ply-kinds/bad_index.ply", "face 1 names vertex 99"),
        ("10-pcd/fewer_than_promised_ascii.pcd", "promises 400 points and holds 256"),
        ("10-pcd/cut_binary.pcd", "promises 400 points and holds 256"),
        ("11-tables/s3dis_bad_char.txt", r"line 201 .*185\\x10187"),
        ("11-tables/german_semicolon.txt", "decimal commas"),
        ("11-tables/german_tab.xyz", "decimal commas"),
        ("12-npy/transposed_3xN.npy", r"\(3, 256\): points in columns\? transpose it"),
        ("12-npy/transposed_1024.npy", r"\(3, 1024\): points in columns\? transpose it"),
        ("12-npy/transposed_6xN.npy", r"\(6, 256\): points in columns\? transpose it"),
        ("12-npy/objects.npy", "pickled"),
        ("12-npy/kitti.bin", "cannot read '.bin'"),
        ("15-other/a.glb", "cannot read '.glb'"),
        ("15-other/a.las", "cannot read '.las'"),
        ("15-other/chair.ply.gz", "unpack it first"),
        ("15-other/gz_named_ply.ply", "unpack it first"),
        ("17-ten-classes/shape_names.txt", "line 1 is bathtub"),
        ("21-more/transposed.txt", "3 rows of 256 numbers: points in columns"),
        ("24-cut/half.off", "promises 6 faces and holds 3"),
        ("24-cut/half.stl", "promises 12 triangles and holds 5"),
        ("24-cut/short.ply", "promises 300 vertices and holds 256"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(name, words):
    with pytest.raises(InputError, match=words) as caught:
        readers.read(_case(name))
    assert os.path.basename(name) in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name, words",
    [
        ("01-pandas-index-column/chair.txt", "column 1 without a name"),
        ("11-tables/label_first.txt", "column ignored: label"),
        ("11-tables/name_last_column.txt", "column ignored: name"),
        ("06-off-headers/points_only.off", "without faces"),
        ("07-obj/polyline.obj", "without faces"),
        ("10-pcd/kinect_zero_padding.pcd", "344 of 600 points lie at exactly 0 0 0"),
        ("10-pcd/organised_nan_binary.pcd", "44 of 300 points have no finite coordinates"),
        ("13-h5/shapenet55.h5", "label in the file is 50"),
        ("13-h5/scanobjectnn.h5", "label in the file is 3"),
        ("13-h5/scalar_label.h5", r"label is ignored: of shape \(\)"),
        ("13-h5/label_float.h5", "label is ignored: 8.0 of type float64"),
        ("07-obj/plain_quads.obj", "6 faces .* extent 1 x 2 x 4 in the file's units"),
        ("04-pts-count-line/chair_two_scans.xyz", "2 scans"),
    ],
)
def test_what_was_understood_is_one_line(name, words):
    found = readers.read(_case(name))
    assert len(found.notices) == 1
    assert re.search(words, found.notices[0])


def test_of_points_that_are_left_out_the_others_keep_their_places():
    found = readers.read(_case("10-pcd/organised_nan_ascii.pcd"))
    with open(_case("10-pcd/organised_nan_ascii.pcd")) as file:
        rows = np.array(
            [[float(word) for word in line.split()] for line in file.read().split("DATA ascii\n")[1].splitlines()]
        )
    assert len(rows) == 300 and len(found.points) == 256
    np.testing.assert_array_equal(rows[found.index], found.points)
    np.testing.assert_array_equal(readers.read(_case("07-obj/plain_quads.obj"), 20).index, np.full(20, -1))


def test_one_of_several_clouds_is_taken_by_its_index():
    np.testing.assert_array_equal(
        readers.read(_case("12-npy/batch_4xNx3.npy"), index=3).points, np.load(_case("12-npy/batch_4xNx3.npy"))[3]
    )
    with pytest.raises(InputError, match="`shape_index` 4: .*holds 4 clouds"):
        readers.read(_case("12-npy/batch_4xNx3.npy"), index=4)
    found = readers.read(_case("13-h5/other_cloud_nan.h5"), index=1)
    assert len(found.points) < 256 and "no finite coordinates" in found.notices[0]


def test_shapes_of_any_size_are_placed_alike():
    expected = own_cloud.normalise(CHAIR)[0]
    for name in ("huge", "tiny", "subnormal", "mm"):
        found = own_cloud.load(_case("16-geometry/{}.xyz".format(name)))
        np.testing.assert_allclose(found.points, expected, atol=1e-6)


def test_geometry_without_volume_is_read():
    for name, count in (("collinear", 300), ("planar", 300), ("few_unique", 3000), ("one_outlier", 257)):
        assert len(readers.read(_case("16-geometry/{}.xyz".format(name)), count).points) == count
    assert len(readers.read(_case("23-scene/room.xyz")).points) == 756
    assert readers.read(_case("21-more/gaussian_splat.ply")).points.shape == (64, 3)
    assert readers.read(_case("09-ply-kinds/tristrips.ply")).points.max() <= 4


def test_files_of_one_name_are_told_apart_and_hidden_ones_passed_over():
    paths = own_cloud.list_inputs([_case("14-same-names/scene1"), _case("14-same-names/scene2"), _case("22-macos-zip")])
    assert own_cloud.names(paths) == ["scene1_mesh", "scene2_mesh", "chair"]
    assert own_cloud.names(["a/x.ply", "a/x.obj", "b/y.ply"]) == ["x.ply", "x.obj", "y"]
