"""Files written while the next cloud is explained: the order of words, and what goes wrong on the way."""

import signal
import threading

import pytest

from utils.explain import run, writer
from utils.files import InputError


@pytest.fixture
def saved(monkeypatch):
    """The cases that `run.save` was given, in order; a case may be a function to call first."""
    cases = []

    def save(case, runs, dropping, files):
        if callable(case):
            case()
        cases.append(runs)
        return ["Written {}".format(runs)]

    monkeypatch.setattr(run, "save", save)
    return cases


def test_the_next_cloud_begins_while_one_is_written(saved, capsys):
    may_end = threading.Event()
    with writer.Writer(None, None, is_behind=True) as written:
        written.save(lambda: may_end.wait(60), "one")
        assert saved == []
        may_end.set()
        written.save(None, "two")
        assert capsys.readouterr().out == "Written one\n"
    assert saved == ["one", "two"]
    assert capsys.readouterr().out == "Written two\n"


def test_one_cloud_is_written_at_once(saved, capsys):
    with writer.Writer(None, None, is_behind=False) as written:
        written.save(None, "one")
        assert capsys.readouterr().out == "Written one\n"


def fail():
    raise InputError("the disk is full")


def test_what_goes_wrong_behind_ends_the_run_told_once_and_loses_nothing_of_the_next_cloud(saved, capsys):
    with pytest.raises(InputError, match="disk is full"), writer.Writer(None, None, is_behind=True) as written:
        written.save(fail, "one")
        written.save(None, "two")
    assert saved == ["two"]
    assert capsys.readouterr() == ("Written two\n", "")


def test_a_fault_of_the_next_cloud_loses_nothing_of_the_one_before(saved, capsys):
    may_end = threading.Event()
    with pytest.raises(KeyboardInterrupt), writer.Writer(None, None, is_behind=True) as written:
        written.save(lambda: may_end.wait(60), "one")
        may_end.set()
        raise KeyboardInterrupt
    assert saved == ["one"]
    assert capsys.readouterr().out == "Written one\n"


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows blocks no signals")
def test_ctrl_c_reaches_no_process_that_draws_behind(saved):
    blocked = []
    with writer.Writer(None, None, is_behind=True) as written:
        written.save(lambda: blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "one")
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGINT in blocked[0]


def test_both_faults_are_told(saved, capsys):
    with pytest.raises(ValueError, match="second"), writer.Writer(None, None, is_behind=True) as written:
        written.save(fail, "one")
        raise ValueError("second")
    assert "the disk is full" in capsys.readouterr().err
