"""Class names and lists of files as editors of any system leave them."""

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
