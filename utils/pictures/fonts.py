"""Letters that matplotlib's own font lacks, such as Chinese ones: drawn in a font of this computer that has them."""

import contextlib
import functools
import warnings

# East Asian fonts of Windows, macOS and Linux, as matplotlib names them.
EAST_ASIAN = (
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "SimHei",
    "MS Gothic",
    "PingFang SC",
    "Hiragino Sans GB",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Heiti TC",
    "Arial Unicode MS",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "NanumGothic",
)
# What matplotlib says of letters that no font has, which are boxes then, with the lines of its source.
NO_LETTER = r"Glyph \d+ .*missing from|Matplotlib currently does not support "


@contextlib.contextmanager
def fitted(figure):
    """Within it a matplotlib Figure is drawn in fonts that have its letters, as far as there are any, and quietly."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        properties = text.get_fontproperties()
        names = families(text.get_text(), properties)
        if names != properties.get_family():
            text.set_fontfamily(names)
    with quiet():
        yield


@contextlib.contextmanager
def quiet():
    """Within it matplotlib does not warn of letters that it has no font for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", NO_LETTER)
        yield


def families(text, properties):
    """Names of fonts for a text: the usual ones, after one that has all of its letters where the usual lack some.

    Matplotlib takes letters that a font lacks from the next one only since 3.6, so one font has to have them all.

    Args:
      text: what is to be drawn.
      properties: a matplotlib FontProperties.

    Returns:
      List of names, as for its `set_family`.
    """
    from matplotlib import font_manager

    usual = properties.get_family()
    letters = {ord(letter) for letter in text if not letter.isspace()}
    if text.isascii() or letters <= _letters_of(font_manager.findfont(properties)):
        return usual
    installed = {font.name for font in font_manager.fontManager.ttflist}
    for name in EAST_ASIAN:
        if name in installed:
            # Of a family the face in which the text is drawn: others may have other letters.
            face = properties.copy()
            face.set_family(name)
            if letters <= _letters_of(font_manager.findfont(face)):
                return [name] + usual
    return usual


@functools.lru_cache(maxsize=None)
def _letters_of(path):
    """Unicode numbers of the letters that the font of a file has."""
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path).get_charmap())
