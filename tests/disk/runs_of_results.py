"""Runs that fill folders of results, for the tests of these."""

import os

from utils import files
from utils.disk import result_folder

SETTINGS = {"rotation": "y", "names": ("a", "b")}


def is_ours(name):
    return name in ("heat.png", "heat.svg", "numbers", "run.json")


def filler_of(text, names=("numbers", "heat.png"), settings=SETTINGS):
    """A function that fills a folder with a run: files of a text, and run.json."""

    def fill(folder):
        for name in names:
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        files.write_json(os.path.join(folder, "run.json"), dict(settings, text=text))
        return text

    return fill


def write_run(folder, text, names=("numbers", "heat.png"), settings=SETTINGS, **options):
    """Writes a run; returns the folder that it went to, and the notice."""
    fill = filler_of(text, names, settings)
    return result_folder.write(str(folder), settings, fill, is_ours, **options)[:2]


def texts_of(folder):
    """{name: text} of a folder."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != "run.json"}
