"""Runs the cells of docs/tutorial.ipynb one after the other, as a notebook does, without Jupyter.

    PYTHONPATH=. python tests/scripts/tutorial_cells.py

runs them and keeps what they put out in the file.
"""

import ast
import base64
import contextlib
import io
import json
import os

from utils.files import PROJECT_DIR, replace_file

TUTORIAL = os.path.join(PROJECT_DIR, "docs", "tutorial.ipynb")


def read():
    """The notebook, as a dictionary of nbformat 4."""
    with open(TUTORIAL, encoding="utf-8") as file:
        return json.load(file)


def run(notebook):
    """Runs all code cells in one namespace.

    Args:
      notebook: of `read`.

    Returns:
      For each code cell a list of its outputs, as nbformat 4 keeps them: what it printed, then what its last line is
      worth. Of that the picture is kept, not the page, which would be 5 MB each time.
    """
    namespace = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [_outputs(number, "".join(cell["source"]), namespace) for number, cell in enumerate(cells, 1)]


def _outputs(number, source, namespace):
    statements = ast.parse(source, "cell {}".format(number)).body
    last = statements.pop() if isinstance(statements[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(
            compile(source if last is None else _text(source, statements), "cell {}".format(number), "exec"), namespace
        )
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell {}".format(number), "eval"), namespace)
    outputs = []
    if printed.getvalue():
        lines = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines})
    if value is not None:
        assert value._repr_html_().startswith("<iframe")
        data = {"image/png": base64.b64encode(value._repr_png_()).decode("ascii"), "text/plain": ["a page to turn"]}
        outputs.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return outputs


def _text(source, statements):
    """The lines of a cell before its last statement."""
    count = ast.parse(source).body[len(statements)].lineno - 1
    return "\n".join(source.split("\n")[:count])


def main():
    notebook = read()
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, (cell, outputs) in enumerate(zip(cells, run(notebook)), 1):
        cell.update(execution_count=number, outputs=outputs)
    replace_file(TUTORIAL, lambda file: file.write(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"))


if __name__ == "__main__":
    main()
