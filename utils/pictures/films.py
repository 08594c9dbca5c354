"""Moving pictures as files: a GIF, and an MP4 where FFmpeg is there."""

import subprocess

import numpy as np

from utils import files
from utils.pictures import plots


def save_gif(path, frames, milliseconds):
    """Writes an animated GIF that begins again at its end.

    Args:
      path: the GIF to write.
      frames: list of F uint8 images [height, width, 3] of one size.
      milliseconds: list of F times, each of which is a multiple of 10 in the format.

    Raises:
      OSError: the file cannot be written; what was there before is kept.
    """
    from PIL import Image

    # One palette for all frames, else the colours of what rests flicker; each colour counts once, else white takes all.
    sample = np.concatenate(frames[:: max(1, len(frames) // 8)]).astype(np.int32).dot([65536, 256, 1])
    sample = np.unique(sample)
    palette = Image.fromarray(
        np.stack([sample >> 16, sample >> 8, sample], axis=1).astype(np.uint8)[np.newaxis]
    ).quantize(255)
    entries = palette.getpalette()[:765]
    palette.putpalette(entries + [255] * (768 - len(entries)))
    images = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    files.replace_file(
        path,
        lambda file: images[0].save(
            file, format="GIF", save_all=True, append_images=images[1:], duration=milliseconds, loop=0
        ),
        mode="wb",
    )


class FilmError(Exception):
    """FFmpeg is there and made no film; its text says why."""


def can_save_film():
    """Whether FFmpeg is there."""
    from matplotlib import animation

    return animation.writers.is_available("ffmpeg")


def save_film(path, frames, milliseconds):
    """Writes an MP4 with FFmpeg; arguments as of `save_gif`, the images of even width and height.

    Raises:
      FilmError: it cannot start, or not write such films.
    """
    from matplotlib import animation

    height, width = frames[0].shape[:2]
    figure = plots.new_figure(width / 100, height / 100)
    image = figure.figimage(frames[0])
    step = int(np.gcd.reduce(milliseconds))
    writer = animation.FFMpegWriter(1000 / step, codec="h264", extra_args=["-pix_fmt", "yuv420p"])
    try:
        with writer.saving(figure, path, 100):
            for frame, duration in zip(frames, milliseconds):
                image.set_array(frame)
                for _ in range(duration // step):
                    writer.grab_frame()
    except subprocess.CalledProcessError as error:
        raise FilmError("it ended with status {}".format(error.returncode))
    except OSError as error:  # it was gone while frames were passed to it
        raise FilmError(error.strerror or str(error).strip().splitlines()[0])
