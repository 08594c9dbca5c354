"""Letters that matplotlib's own font lacks."""

import warnings

import numpy as np
import pytest
from matplotlib import font_manager

from utils.pictures import fonts, plots

CHAIR = "椅子"
# A letter that STIX has, which comes with matplotlib, and its usual font does not.
ONLY_IN_STIX = "\u210a"


def _pixels(text, **more):
    figure = plots.new_figure(1, 0.3)
    figure.text(0.1, 0.3, text, **more)
    return plots.figure_pixels(figure, 100)


@pytest.mark.parametrize("ending", plots.FORMATS)
def test_letters_that_no_font_has_are_drawn_without_a_word(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(fonts, "EAST_ASIAN", ())
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        plots.save_confusion_matrix(str(tmp_path / ("a." + ending)), np.eye(2, dtype=int), [CHAIR, "bed"], CHAIR)
        assert (_pixels(CHAIR) < 128).any()
    assert len((tmp_path / ("a." + ending)).read_bytes()) > 1000


def test_a_text_is_drawn_in_a_font_that_has_all_its_letters(monkeypatch):
    # The faces of a family come in the order of the disk; bold STIX lacks the letter.
    faces = sorted(font_manager.fontManager.ttflist, key=lambda face: face.weight in ("bold", 700))
    assert any(face.name == "STIXGeneral" for face in faces[-20:])
    monkeypatch.setattr(font_manager.fontManager, "ttflist", faces)
    monkeypatch.setattr(fonts, "EAST_ASIAN", ("No Such Font", "cmr10", "STIXGeneral"))
    wanted = _pixels("chair " + ONLY_IN_STIX, fontfamily="STIXGeneral")
    assert (wanted < 128).any()
    np.testing.assert_array_equal(_pixels("chair " + ONLY_IN_STIX), wanted)
    # Of what the usual font has nothing changes.
    usual = font_manager.FontProperties()
    assert fonts.families("Stühle $x$", usual) == usual.get_family()
    monkeypatch.setattr(fonts, "EAST_ASIAN", ())
    assert (_pixels("chair " + ONLY_IN_STIX) != wanted).any()
