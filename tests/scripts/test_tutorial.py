"""docs/tutorial.ipynb runs from top to bottom, and says what it keeps."""

import pytest
import tutorial_cells


def _texts(outputs):
    return ["".join(one["text"]) for one in outputs if one["output_type"] == "stream"]


def test_the_tutorial_runs_and_puts_out_what_it_keeps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = tutorial_cells.read()
    kept = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = tutorial_cells.run(notebook)
    assert [_texts(outputs) for outputs in found] == [_texts(outputs) for outputs in kept]
    assert [[one["output_type"] for one in outputs] for outputs in found] == [
        [one["output_type"] for one in outputs] for outputs in kept
    ]
    assert sum("data" in one for outputs in kept for one in outputs) >= 2


def test_the_tutorial_is_a_notebook():
    nbformat = pytest.importorskip("nbformat")
    with open(tutorial_cells.TUTORIAL, encoding="utf-8") as file:
        nbformat.validate(nbformat.read(file, as_version=4))
