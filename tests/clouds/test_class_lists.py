"""Class names and lists of files as editors of any system leave them."""

import numpy as np
import pytest

from utils.clouds import class_lists
from utils.files import InputError


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes(b"\xef\xbb\xbfchair\r\n\r\nSt\xc3\xbchle \r\n")
    assert class_lists.read_class_names(str(path)) == ("chair", "St\u00fchle")


def test_a_zero_byte_is_named_with_its_line(tmp_path):
    path = tmp_path / "train_files.txt"
    path.write_bytes(b"a.h5\nb\0.h5\n")
    with pytest.raises(InputError, match="train_files.txt holds a zero byte in line 2"):
        class_lists.read_lines(str(path))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
def test_names_are_read_as_shells_and_editors_save_them(tmp_path, encoding):
    # PowerShell's > writes UTF-16.
    path = tmp_path / "names.txt"
    path.write_bytes("chair\r\nSt\u00fchle\r\n".encode(encoding))
    assert class_lists.read_class_names(str(path)) == ("chair", "St\u00fchle")


def test_names_in_an_encoding_that_nobody_can_tell_are_refused_with_the_way_on(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes("chair\r\n\r\nSt\u00fchle\r\n".encode("latin-1"))
    with pytest.raises(InputError, match="names.txt is not UTF-8 in line 3: save it as UTF-8$"):
        class_lists.read_class_names(str(path))
    path.write_bytes("chair\n".encode("utf-16-le"))
    with pytest.raises(InputError, match="holds a zero byte in line 1: .*UTF-8"):
        class_lists.read_class_names(str(path))


@pytest.mark.parametrize(
    "labels, count, words",
    [
        ([0, 1, 2, 1], 3, "labels 0 to 2 are class 1 to class 3\n"),
        ([1, 2, 3, 3], 4, "class 4; no cloud has label 0\n"),
        ([7, 8, 9, 10, 11, 12, 13], 14, "class 14; no cloud has label 0, 1, 2, 3, 4 and 2 more\n"),
        ([0, 1, 2, 255], None, "labels up to 255, but 252 of these 256 have no cloud: .* shape_names.txt$"),
        ([2**63 - 1], None, "labels up to 9223372036854775807, "),
        ([], None, "hold no cloud"),
    ],
)
def test_labels_alone_number_the_classes_unless_they_skip_most(labels, count, words, capsys):
    if count is None:
        with pytest.raises(InputError, match=words):
            class_lists.number_classes("set", np.array(labels, np.int64))
    else:
        names = class_lists.number_classes("set", np.array(labels, np.int64))
        assert names == tuple("class {}".format(number + 1) for number in range(count))
        assert capsys.readouterr().out.endswith(words)
