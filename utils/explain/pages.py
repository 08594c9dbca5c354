"""The page to turn, of clouds and heat that are given from Python: in a file, or within a notebook."""

import html
import io

import numpy as np

from utils.explain import arguments
from utils.files import InputError
from utils.pictures import colours, fonts, heat_figure, plots, render
from utils.viewer import html_page

FRAME_HEIGHT = 640  # pixels of a page within a notebook
DOTS_PER_INCH = 100  # of the still picture of a page


def save_page(path, points, heats, title="heat", colormap=colours.DEFAULT_COLORMAP, scale=colours.DEFAULT_SCALE):
    """Writes a page that shows a cloud and its heat in any browser, to turn, without a network.

    Args:
      path: the HTML file; written whole or not at all.
      points: float array [N, 3], in any units, y up.
      heats: float array [N], or a dictionary from names to such arrays, which the page offers to choose from.
      title: of the page.
      colormap, scale: as for `colours.heat_colours`: what the page shows first.

    Raises:
      InputError: points or heats that are none, an unknown colour map or scale, or the file cannot be written.
    """
    path = arguments.path("path", path)
    html_page.save(path, str(title), _views(points, heats), *_look(colormap, scale))


def show(points, heats, title="heat", colormap=colours.DEFAULT_COLORMAP, scale=colours.DEFAULT_SCALE):
    """The turning page of `save_page` within a notebook, as the last line of a cell.

    Args:
      points, heats, title, colormap, scale: as for `save_page`.

    Returns:
      A Page.

    Raises:
      InputError: as `save_page`.
    """
    return Page(_views(points, heats), str(title), *_look(colormap, scale))


class Page:
    """A cloud and its heat, as notebooks show it: to turn where scripts run, else a still picture of the first heat."""

    def __init__(self, views, title, colormap, scale):
        """Args: list of html_page.View; title, colormap, scale as for `html_page.page`."""
        self._views, self._title, self._look = views, title, (colormap, scale)
        self._page = html_page.page(title, views, colormap, scale)

    def _repr_html_(self):
        return '<iframe srcdoc="{}" width="100%" height="{}" style="border: 0"></iframe>'.format(
            html.escape(self._page), FRAME_HEIGHT
        )

    def _repr_png_(self):
        view = self._views[0]
        spheres, window = render.small_picture(view.points, view.heat, *self._look)
        caption = "{}: {} points".format(view.method, len(view.points))
        bar = colours.colour_bar(view.heat, *self._look)
        picture = io.BytesIO()
        figure = heat_figure.heat_figure([heat_figure.Panel(caption, spheres, bar)], window, self._title)
        with fonts.fitted(figure):
            figure.savefig(picture, format="png", dpi=DOTS_PER_INCH, metadata=plots.NO_DATE["png"])
        return picture.getvalue()


def _look(colormap, scale):
    """A colour map and a scale, as `save_page` takes them; raises an InputError where one of them is none."""
    arguments.check_is_one_of("scale", scale, colours.SCALES)
    if not isinstance(colormap, str):
        raise InputError("`colormap` {}: give a name".format(colormap))
    colours.heat_colours(np.zeros(1), colormap, scale)
    return colormap, scale


def _views(points, heats):
    """A list of html_page.View, one for each heat; see `save_page`."""
    # Far from the origin, or of tiny units, float32 would round the shape away.
    points = arguments.one_cloud(points, np.float64)
    heats = heats if isinstance(heats, dict) else {"heat": heats}
    if not heats:
        raise InputError("`heats`: there is none; give an array [N], or a dictionary from names to such arrays")
    views = []
    for name, heat in heats.items():
        try:
            heat = np.asarray(heat, np.float64)
        except (TypeError, ValueError, OverflowError):
            raise InputError("`heats` {}: not an array of numbers".format(name))
        if heat.shape != points.shape[:1] or not (abs(heat) <= np.finfo(np.float32).max).all():
            raise InputError(
                "`heats` {} of shape {}: give {} finite numbers of float32, one a point".format(
                    name, heat.shape, len(points)
                )
            )
        caption = "{} points".format(len(points))
        views.append(html_page.View(str(name), caption, points, heat, np.full(len(points), -1), []))
    return views
