"""Names of classes, files and folders that are paths, markup, formulas, patterns or commands of a terminal."""

import csv
import os
import re
import shutil

import h5py
from bench import NUM_POINTS
from judgement import Outcome, files_in, judge, strays

from utils.files import PROJECT_DIR, read_json, write_json

TITLE = "hostile text"
SIZE = 2
CASES = os.path.join(PROJECT_DIR, "tests", "cases")
FORMULA = re.compile("[=@]|[-+](?![0-9.]+(e[-+]?[0-9]+)?$|inf$|nan$)")
PIECES = {
    "path upwards": ("../../../up", "..\\..\\up", "..", "."),
    "absolute path": ("/tmp/absolute-name", "C:\\absolute", "\\\\host\\share"),
    "markup": ("<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "a&b\"c'd<e>", "]]>"),
    "formula": ("=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "-2+3"),
    "terminal sequence": ("\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\x08\x08b"),
    "Markdown": ("a|b", "[x](http://example.com)", "`x`", "*x*_y_#"),
    "pattern": ("[1]", "a*b", "?", "{x}", "%s%d%n", "$HOME `id` $(id)"),
    "TeX": ("$x^2$", "$\\frac", "\\input{x}", "$$"),
    "format": ("{0}", "{}", "%(name)s", "{x.__class__}"),
    "direction": ("\u202egpj.exe", "\u2066x\u2069"),
    "long": ("x" * 300, "\u00e9" * 200),
    "device of Windows": ("CON", "nul.txt", "a:b", "name.", "name "),
    "letters": ("\u98de\u673a", "\u0645\u0642\u0639\u062f", "\U0001f6e9", "na\u00efve", "e\u0301"),
}


def inject(rng, bench, folder):
    """Puts hostile text where a user's data has text; returns Outcomes."""
    kind = rng.choice(sorted(PIECES))
    place = rng.choice((_classes, _file_name, _folder_name, _flag))
    return place(rng, bench, folder, kind, rng.choice(PIECES[kind]))


def _judge(folder, runs, text):
    wrong = next((wrong for wrong in map(judge, runs) if wrong), None) or strays(folder)
    if wrong:
        return wrong
    outside = os.path.join(os.path.dirname(folder), "up")
    if os.path.exists(outside) or os.path.exists("/tmp/absolute-name"):
        return "writes outside its folder"
    for path in files_in(os.path.join(folder, "out")):
        problem = _judge_file(path, text)
        if problem:
            return "{}: {}".format(os.path.basename(path), problem)
    return None


def _judge_file(path, text):
    """What in a file of results would obey the text; None where nothing would."""
    ending = os.path.splitext(path)[1]
    if ending not in (".csv", ".md", ".svg", ".html", ".txt", ".json"):
        return None
    with open(path, encoding="utf-8", newline="") as file:
        content = file.read()
    # The library within a page has some of its own.
    if ending != ".html" and re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x9b]", content):
        return "holds control characters"
    if ending == ".csv":
        cells = [cell for row in csv.reader(content.splitlines()) for cell in row]
        if any(FORMULA.match(cell) for cell in cells):
            return "holds a formula"
    if ending in (".md", ".svg", ".html") and text.startswith("<") and text in content:
        return "holds the markup as it is"
    return None


def _classes(rng, bench, folder, kind, text):
    """Hostile names of the classes that a data set has and a network knows."""
    log, data = os.path.join(folder, "in", "log"), os.path.join(folder, "in", "data")
    shutil.copytree(bench.log, log)
    config = read_json(os.path.join(log, "config.json"), "")
    names = list(config["class_names"])
    names[0] = text
    write_json(os.path.join(log, "config.json"), dict(config, class_names=names))
    shutil.copytree(bench.data, data)
    with open(os.path.join(data, "shape_names.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(names) + "\n")
    name = rng.choice(("explain", "evaluate", "compare", "train"))
    out = os.path.join(folder, "out")
    if name == "explain":
        words = bench.words(name, "--data_dir", data, "--desired_label", "1", log=log, out=out)
        words += ["--figure_format", rng.choice(("svg", "png", "pdf"))]
    else:
        words = bench.short_words(name, log=log, data=data, out=out)
    if name == "compare":
        words[words.index("chair")] = "1"
    runs = [bench.run_words(words, folder)]
    if name == "compare" and runs[0].status == 0:
        runs.append(bench.run_words(["compare.py", "--report", out], folder))
    return [Outcome("{} as a class of {}".format(kind, name), _judge(folder, runs, text))]


def _file_name(rng, bench, folder, kind, text):
    """A cloud in a file of such a name, alone or in a folder."""
    inputs = os.path.join(folder, "in")
    os.makedirs(inputs)
    name = text.replace("/", "_").replace("\x00", "") + ".ply"
    encoded = os.fsencode(name)[-250:]
    if rng.random() < 0.2:
        encoded, kind = b"\xff\xfe" + encoded[-200:], kind + " that is no UTF-8"
    path = os.path.join(os.fsencode(inputs), encoded)
    shutil.copy(os.path.join(CASES, "09-ply-kinds", "comments.ply"), path)
    given = inputs if rng.random() < 0.5 else os.fsdecode(path)
    run = bench.run("explain", "--num_point", 64, "--input", given, folder=folder)
    return [Outcome("{} as a file".format(kind), _judge(folder, [run], text))]


def _folder_name(rng, bench, folder, kind, text):
    """Everything in a folder of such a name: a checkpoint to read, results to write, a training to resume."""
    inner = os.path.join(folder, "in", text.strip("./\\").replace("/", "_")[:80] or "dots")
    log = os.path.join(inner, "log")
    shutil.copytree(bench.log, log)
    name = rng.choice(("explain", "evaluate", "compare", "train"))
    words = bench.short_words(name, log=log, out=log if name == "train" else os.path.join(inner, "results"))
    if name == "train":
        words[-1] = "3"  # one epoch more than it has
    run = bench.run_words(words, folder)
    wrong = judge(run, (0,)) or _judge(folder, [run], text)
    return [Outcome("{} as a folder of {}".format(kind, name), wrong)]


def _flag(rng, bench, folder, kind, text):
    """Such a text as the value of a flag, and as a key in an HDF5 file."""
    if rng.random() < 0.5:
        inputs = os.path.join(folder, "in")
        os.makedirs(inputs)
        path = os.path.join(inputs, "keys.h5")
        with h5py.File(path, "w") as file:
            file.create_dataset(text.replace("/", "_").replace("\x00", "") + "x", data=[[0.0] * 3] * NUM_POINTS)
        run = bench.run("explain", "--input", path, folder=folder)
        return [Outcome("{} as a key".format(kind), _judge(folder, [run], text))]
    flag = rng.choice(("--desired_label", "--target_label", "--class_names", "--input", "--model_path", "--colormap"))
    source = [] if flag == "--input" else ["--input", os.path.join(CASES, "09-ply-kinds", "comments.ply")]
    run = bench.run("explain", *(source + ["{}={}".format(flag, text)]), folder=folder)
    return [Outcome("{} as {}".format(kind, flag), judge(run, (2,)) or _judge(folder, [run], text))]
