"""Files handed out to workers: under which names, and what is made of what comes back in any order."""

import contextlib
import os

import numpy as np
import pytest

from utils.explain import cases, pieces
from utils.files import InputError


@pytest.fixture
def clouds(tmp_path, monkeypatch):
    """The cases.Clouds of a/chair.xyz and b/chair.xyz, named from the folder that holds both."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        np.savetxt(str(tmp_path / name / "chair.xyz"), np.arange(36.0).reshape(12, 3) ** 2)
    return cases.Clouds(cases.Source(inputs=["a", os.path.join("b", "chair.xyz")], workers=2))


def test_each_file_keeps_its_name_among_the_others_wherever_its_worker_runs(clouds, tmp_path, monkeypatch):
    alone = clouds.each_alone()
    monkeypatch.chdir(tmp_path / "a")
    read = [one._read(path) for one in alone for path in one._paths]
    assert [cloud.class_name for cloud in read] == ["a_chair", "b_chair"]
    assert [cloud.source for cloud in read] == [str(tmp_path / name / "chair.xyz") for name in ("a", "b")]
    assert not any(one.is_one for one in alone)


class LastFirst:
    """Workers that are through with the last piece before the others."""

    def results(self, function, handed_out):
        assert function is pieces.explain
        for piece in reversed(handed_out):
            lines = [] if piece.number else [("a line",)]
            yield piece, pieces.Explained("said {}\n".format(piece.number), "", lines or [("b",)], piece.number)


def test_the_table_has_the_order_of_the_files_and_all_is_said_and_counted(clouds, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pieces.workers, "open_pool", lambda where: contextlib.nullcontext(LastFirst()))
    work = pieces.Work((), "digest", ["asm"], "out", None, None, None, frozenset())
    assert pieces.hand_out(2, clouds, work) == [("a line",), ("b",)]
    assert capsys.readouterr().out == "said 1\nsaid 0\n"
    with pytest.raises(InputError, match="1 of 2 files were left out"):
        clouds.finish()


def test_one_file_is_not_handed_out(clouds):
    with pytest.raises(InputError, match="`workers` tcp://host:1: there is one file"):
        cases.Clouds(cases.Source(inputs=[os.path.join("a", "chair.xyz")], workers="tcp://host:1"))
