"""What a long piece of work shows: a line that moves at a terminal, few plain lines in a log, nothing with --quiet."""

import io
import sys

import pytest

from utils import command_line, progress


class Screen(io.StringIO):
    """A terminal that keeps what it is told."""

    def isatty(self):
        return True

    def shown(self):
        """The states of the line, without the spaces that wipe it."""
        return [text.strip() for text in self.getvalue().replace("\n", "\r").split("\r") if text.strip()]


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told the seconds."""
    clock = {"seconds": 0.0}
    monkeypatch.setattr(progress.time, "time", lambda: clock["seconds"])
    return clock


def _at_a_terminal(monkeypatch, columns):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    whole = progress.tqdm.__init__

    def of_width(self, *arguments, **options):
        options.pop("dynamic_ncols")
        whole(self, *arguments, ncols=columns, mininterval=0, **options)

    monkeypatch.setattr(progress.tqdm, "__init__", of_width)
    return screen


def test_a_log_gets_a_plain_line_now_and_then(clock, monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with progress.Progress("Classifying", 200, "clouds") as line:
        for _ in range(200):
            clock["seconds"] += 0.5
            line.tell("accuracy 50.0 %")
            line.update()
    assert log.getvalue().splitlines() == [
        "Classifying: accuracy 50.0 %, {} of 200 clouds, {} s".format(done, seconds)
        for done, seconds in ((60, 30), (120, 60), (180, 90))
    ]


def test_a_short_work_leaves_a_log_empty(clock, monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with progress.Progress("Drawing ...") as line:
        line.tell("soon")
    assert log.getvalue() == ""


def test_the_terminal_is_told_what_counts_first_and_left_clean(monkeypatch):
    screen = _at_a_terminal(monkeypatch, 40)
    with progress.Progress("Epoch 1/2", 64, "clouds") as line:
        line.tell("accuracy 78.1 %, loss 0.790")
        line.update(32)
    assert screen.shown()[-1] == "Epoch 1/2: accuracy 78.1 %, loss 0.790,"
    assert screen.getvalue().split("\r")[-2:] == [" " * 40, ""]


def test_without_a_total_there_is_neither_share_nor_time_left(monkeypatch):
    screen = _at_a_terminal(monkeypatch, 80)
    with progress.Progress("ASM: dropping") as line:
        line.tell("accuracy 96.7 % at 769, 527 left, round 498, ASM")
    assert screen.shown() == ["ASM: dropping", "accuracy 96.7 % at 769, 527 left, round 498, ASM"]


def test_with_a_total_the_terminal_has_a_bar_and_the_time_left(monkeypatch):
    screen = _at_a_terminal(monkeypatch, 80)
    with progress.Progress("Classifying", 4, "clouds", done=1) as line:
        line.update()
    assert screen.shown()[-1].startswith("Classifying: 2 of 4 clouds |") and screen.shown()[-1].endswith(" left")


@pytest.mark.parametrize("is_terminal", [False, True])
def test_quiet_shows_nothing_and_counts_all_the_same(is_terminal, clock, monkeypatch):
    screen = Screen() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(progress.Progress, "is_silenced", False)
    command_line.be_quiet()
    with progress.Progress("Fetching", 10, "bytes", done=3, is_bytes=True) as line:
        clock["seconds"] += 1000
        line.update(7)
    assert screen.getvalue() == "" and line.done == 10
