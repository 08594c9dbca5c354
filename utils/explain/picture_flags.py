"""The flags of pictures, which the scripts that explain clouds and the one that compares methods share."""

import argparse
import math

import numpy as np

from utils.pictures import colours, heat_picture, plots

CENTIMETRES = 2.54  # an inch
LEAST_WIDTH, MOST_WIDTH = 8.0, 60.0  # centimetres of a figure
BEST = "best"


def add_colour_flags(group):
    """--colormap and --scale; `check_colours` fills in the scale where it is not given."""
    group.add_argument(
        "--colormap",
        default=colours.DEFAULT_COLORMAP,
        metavar="MAP",
        help="`thesis` (red hot, green cold, black none; colour-blind people cannot read it) or any colour map of "
        "matplotlib",
    )
    group.add_argument(
        "--scale",
        choices=colours.SCALES,
        help="from heat to colour: `robust` ends where all but the {} %% greatest do, so that a few outliers hide "
        "nothing, `linear` at the greatest, `rank` goes by the order (default: {}; {} of `thesis`)".format(
            100 - colours.ROBUST_PERCENTILE, colours.DEFAULT_SCALE, colours.usual_scale("thesis")
        ),
    )


def add_figure_flags(group):
    """--view, --figure_width and --figure_format."""
    group.add_argument(
        "--view",
        type=view,
        metavar="AZIMUTH,ELEVATION|" + BEST,
        help="where pictures are taken from, in degrees: 0,0 is on the z axis, 90,0 on the x axis, and 0,90 straight "
        "above; {} (default): from the side that shows most of the cloud".format(BEST),
    )
    group.add_argument(
        "--figure_width",
        type=figure_width,
        metavar="column|page|CM",
        help="of the pictures, for papers: of a column ({:.1f} cm), of a page ({:.1f} cm), or in cm, with all text of "
        "{} points or more (default: what the picture needs)".format(
            plots.FIGURE_WIDTHS["column"] * CENTIMETRES, plots.FIGURE_WIDTHS["page"] * CENTIMETRES, plots.LEAST_TEXT
        ),
    )
    group.add_argument("--figure_format", choices=plots.FORMATS, default=plots.FORMATS[0], help="of the pictures")


def check_colours(flags):
    """Fills in the usual scale, and refuses a colour map that there is not, which would spoil the end of a long run.

    Raises:
      InputError: an unknown colour map.
    """
    flags.scale = flags.scale or colours.usual_scale(flags.colormap)
    colours.heat_colours(np.zeros(1), flags.colormap, flags.scale)


def view(text):
    """argparse type: two angles in degrees, a tuple; or None for the best view."""
    if text == BEST:
        return None
    try:
        azimuth, elevation = map(float, text.split(","))
    except ValueError:
        azimuth = elevation = math.nan
    if not (math.isfinite(azimuth) and abs(elevation) <= 90):
        raise argparse.ArgumentTypeError(
            "{!r} is neither {} nor two angles such as 30,20, the second of -90 to 90".format(text, BEST)
        )
    return azimuth, elevation


def figure_width(text):
    """argparse type: a width in inches."""
    if text in plots.FIGURE_WIDTHS:
        return plots.FIGURE_WIDTHS[text]
    try:
        width = float(text)
    except ValueError:
        width = math.nan
    if not LEAST_WIDTH <= width <= MOST_WIDTH:
        raise argparse.ArgumentTypeError(
            "{!r} is not {}, nor a width in cm of {:g} to {:g}".format(
                text, " or ".join(plots.FIGURE_WIDTHS), LEAST_WIDTH, MOST_WIDTH
            )
        )
    return width / CENTIMETRES


def look(flags):
    """How pictures of clouds look: a heat_picture.Look."""
    return heat_picture.Look(flags.colormap, flags.scale, tuple(flags.show), flags.view, flags.figure_width)
