"""Downloads from a server on this machine: whole, broken off and resumed."""

import os

import pytest
from mirror import CONTENT, download, serve

from utils.files import InputError


def test_a_file_arrives_whole(tmp_path):
    with serve(CONTENT) as (url, asked):
        download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and asked == [None]
    assert os.listdir(str(tmp_path)) == ["file.zip"]


def test_a_broken_download_goes_on_where_it_was_at_the_next_mirror(tmp_path):
    with serve(CONTENT, cut_at=3000000) as (broken, _), serve(CONTENT) as (whole, asked):
        download([broken, whole], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT
    assert asked == ["bytes=3000000-"]


def test_a_broken_download_goes_on_in_the_next_call(tmp_path):
    with serve(CONTENT, cut_at=3000000) as (url, _), pytest.raises(InputError, match="127.0.0.1"):
        download([url], tmp_path / "file.zip")
    with serve(CONTENT) as (url, asked):
        download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT and asked == ["bytes=3000000-"]


def test_a_server_that_ignores_ranges_starts_over(tmp_path):
    (tmp_path / "file.zip").write_bytes(b"x" * 1000)
    with serve(CONTENT, ranges=False) as (url, _):
        download([url], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_another_file_than_expected_is_thrown_away(tmp_path):
    with serve(CONTENT[::-1]) as (wrong, _), serve(CONTENT) as (right, _):
        download([wrong, right], tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_an_answer_that_does_not_end_is_cut_at_the_expected_size(tmp_path):
    with serve(CONTENT * 3) as (url, _), pytest.raises(InputError, match="larger"):
        download([url], tmp_path / "file.zip")
    assert not os.listdir(str(tmp_path))
