"""Moving pictures, by their frames."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from utils.pictures import animation, films, heat_picture, render

pytestmark = pytest.mark.takes_turns

POINTS = np.array([[1, 0, 0], [-1, 0, 0], [0, 0.3, 0], [0, -0.3, 0]], np.float32)
HEAT = np.array([2, 0, 0, 0], np.float32)
LOOK = heat_picture.Look("coolwarm", "linear", view=render.angles_of(render.CAMERA_DIRECTION))


@pytest.fixture
def by_matplotlib(monkeypatch):
    monkeypatch.setattr(render, "_open3d_panels", lambda window, panels, pixels: None)
    monkeypatch.setattr(animation, "FRAMES_A_TURN", 4)


def _frames(path):
    """Frames of a GIF, float array [F, height, width, 3], and the milliseconds of each."""
    images, milliseconds = [], []
    with Image.open(str(path)) as gif:
        for number in range(gif.n_frames):
            gif.seek(number)
            images.append(np.asarray(gif.convert("RGB")) / 255)
            milliseconds.append(gif.info["duration"])
    return np.stack(images), milliseconds


def _is_red(frames):
    cloud = frames[:, : -int(0.6 * animation.DOTS_PER_INCH)]  # without the colour bar
    return cloud[..., 0] - cloud[..., 1:].max(axis=-1) > 0.3


def test_a_cloud_turns_once_about_its_up_axis(tmp_path, by_matplotlib):
    paths = animation.save_turntable(str(tmp_path / "turn.gif"), POINTS, HEAT, "title", LOOK)
    frames, milliseconds = _frames(paths[0])
    assert len(frames) == 4 and sum(milliseconds) == animation.MILLISECONDS_A_TURN
    columns = [np.nonzero(red)[1].mean() for red in _is_red(frames)]
    rows = [np.nonzero(red)[0].mean() for red in _is_red(frames)]
    # Counter-clockwise from above: from the right front to the right back, the left back, the left front.
    assert columns[0] > columns[3] and columns[1] > columns[2]
    assert rows[1] < rows[0] and rows[2] < rows[3]
    assert (frames[:, 0, 0] > 0.98).all()  # white stays white, as far as a palette has it


def test_rounds_lose_their_points_and_tell_the_end(tmp_path, by_matplotlib):
    rounds = [
        SimpleNamespace(round=1, points_left=4, accuracy=1.0),
        SimpleNamespace(round=2, points_left=3, accuracy=float("nan")),
    ]
    run = SimpleNamespace(points=POINTS, heat=HEAT, removed_in_round=np.array([1, -1, -1, -1]), rounds=rounds)
    paths = animation.save_rounds(str(tmp_path / "rounds.gif"), run, "title", LOOK)
    frames, milliseconds = _frames(paths[0])
    assert milliseconds == [animation.MILLISECONDS_A_ROUND, animation.MILLISECONDS_AT_THE_END]
    assert [red.sum() > 50 for red in _is_red(frames)] == [True, False]


def test_a_film_is_written_where_ffmpeg_is(tmp_path, by_matplotlib, monkeypatch):
    saved = []
    monkeypatch.setattr(films, "can_save_film", lambda: True)
    monkeypatch.setattr(
        films, "save_film", lambda path, frames, milliseconds: (saved.append(frames[0].shape), open(path, "wb").close())
    )
    paths = animation.save_turntable(str(tmp_path / "turn.gif"), POINTS, HEAT, "title", LOOK)
    assert sorted(os.listdir(str(tmp_path))) == ["turn.gif", "turn.mp4"] and len(paths) == 2
    assert saved[0][0] % 2 == 0 and saved[0][1] % 2 == 0


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
@pytest.mark.parametrize("script", ["exit 127", "cat > /dev/null; exit 1"])
def test_an_ffmpeg_that_fails_costs_no_more_than_the_film(tmp_path, by_matplotlib, monkeypatch, capsys, script):
    program, out = tmp_path / "bin" / "ffmpeg", tmp_path / "out"
    program.parent.mkdir()
    out.mkdir()
    program.write_text("#!/bin/sh\n{}\n".format(script))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "{}{}{}".format(program.parent, os.pathsep, os.environ["PATH"]))
    assert films.can_save_film()
    paths = animation.save_turntable(str(out / "turn.gif"), POINTS, HEAT, "title", LOOK)
    assert os.listdir(str(out)) == ["turn.gif"] and [os.path.basename(path) for path in paths] == ["turn.gif"]
    assert "There is no turn.mp4, as FFmpeg failed: " in capsys.readouterr().out


@pytest.mark.skipif(not films.can_save_film(), reason="needs FFmpeg")
def test_a_film_lasts_as_long_as_its_frames(tmp_path):
    import subprocess

    path = str(tmp_path / "film.mp4")
    films.save_film(path, [np.full((40, 60, 3), shade, np.uint8) for shade in (0, 255)], [250, 2000])
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert float(told) == pytest.approx(2.25, abs=0.05)
