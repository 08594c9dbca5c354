"""Moving pictures of a cloud and its heat: turning about its up axis, and losing points round by round."""

import os
import tempfile

import numpy as np

from utils import files, progress, wording
from utils.pictures import films, heat_figure, plots, render
from utils.pictures.colours import colour_bar, heat_colours, heat_strengths

FRAMES_A_TURN = 48
MILLISECONDS_A_TURN = 4800
MOST_ROUNDS = 60  # of a film; of more rounds as many are shown, evenly spaced
MILLISECONDS_A_ROUND = 250
MILLISECONDS_AT_THE_END = 2000
DOTS_PER_INCH = 150


def save_turntable(path, points, heat, title, look, label="heat"):
    """Writes a GIF of the whole cloud as it turns once about its up axis, and an MP4 beside it where FFmpeg is there.

    Args:
      path: the GIF to write.
      points: float array [N, 3], y up.
      heat: float array [N].
      title, look, label: as for `heat_picture.save`.

    Returns:
      List of the paths that were written.

    Raises:
      OSError: a file cannot be written; what was there before is kept.
    """
    angles = np.arange(FRAMES_A_TURN) * 2 * np.pi / FRAMES_A_TURN
    view, map_and_scale = render.View(points, look.view, angles), (look.colormap, look.scale)
    colours, strengths = heat_colours(heat, *map_and_scale), heat_strengths(heat, *map_and_scale)
    panels = [view.panel(colours, strengths, number=number) for number in range(len(angles))]
    captions = ["{} points".format(len(points))] * len(panels)
    frames = _frames(view.window, panels, captions, colour_bar(heat, *map_and_scale, label=label), title)
    return _save(path, frames, [MILLISECONDS_A_TURN // FRAMES_A_TURN] * len(frames))


def save_rounds(path, run, title, look, label="heat"):
    """Writes a GIF of the dropping, a frame a round, and an MP4 beside it where FFmpeg is there.

    Args:
      path: the GIF to write.
      run: what the dropping did: `points` [N, 3], `heat` [N], `removed_in_round` [N], from 1 and -1 for never, and
        `rounds`, each with `round`, `points_left` and `accuracy`, NaN where not measured.
      title, look, label: as for `heat_picture.save`; the colours are those of the whole cloud's heat.

    Returns:
      List of the paths that were written.

    Raises:
      OSError: a file cannot be written; what was there before is kept.
    """
    view, map_and_scale = render.View(run.points, look.view), (look.colormap, look.scale)
    colours, strengths = heat_colours(run.heat, *map_and_scale), heat_strengths(run.heat, *map_and_scale)
    shown = np.unique(np.linspace(0, len(run.rounds) - 1, MOST_ROUNDS).astype(int))
    panels, captions = [], []
    for one in (run.rounds[number] for number in shown):
        is_gone = (run.removed_in_round > 0) & (run.removed_in_round < one.round)
        panels.append(view.panel(colours, strengths, is_gone))
        measured = "" if np.isnan(one.accuracy) else ", accuracy {}".format(wording.percent(one.accuracy))
        captions.append("round {}: {} points{}".format(one.round, one.points_left, measured))
    frames = _frames(view.window, panels, captions, colour_bar(run.heat, *map_and_scale, label=label), title)
    return _save(path, frames, [MILLISECONDS_A_ROUND] * (len(frames) - 1) + [MILLISECONDS_AT_THE_END])


def _frames(window, panels, captions, bar, title):
    """Figures of one panel each, as a list of uint8 images [height, width, 3] of one size, both even."""
    pixels = heat_figure.panel_pixels(window, 1, dots_per_inch=DOTS_PER_INCH)
    drawings, _ = render.draw_panels(window, panels, pixels)
    frames = []
    with progress.Progress("Drawing", len(drawings), "frames") as line:
        for caption, drawing in zip(captions, drawings):
            figure = heat_figure.heat_figure([heat_figure.Panel(caption, drawing, bar)], window, title)
            frame = plots.figure_pixels(figure, DOTS_PER_INCH)
            frames.append(frame[: len(frame) // 2 * 2, : frame.shape[1] // 2 * 2])  # as films must be
            line.update()
    return frames


def _save(path, frames, milliseconds):
    """Writes frames, each shown for its milliseconds, to a GIF and perhaps an MP4; returns their paths."""
    films.save_gif(path, frames, milliseconds)
    film_path = os.path.splitext(path)[0] + ".mp4"
    if not films.can_save_film():
        return [path]
    # FFmpeg tells the format by the name and wants to go back to a file's beginning.
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
        temporary = os.path.join(folder, "film.mp4")
        try:
            films.save_film(temporary, frames, milliseconds)
        except films.FilmError as error:
            print("There is no {}, as FFmpeg failed: {}.".format(os.path.basename(film_path), error))
            return [path]
        files.replace(temporary, film_path)
    return [path, film_path]
