"""Files that copying, editing or crafting damaged: clouds, data sets, checkpoints, settings, rows, lists of classes."""

import csv
import glob
import os
import re
import shutil

import corruptor
import crafted_hdf5
import numpy as np
from bench import COMMENTS, COMPARISON
from judgement import Outcome, files_in, judge, strays

from utils.files import PROJECT_DIR

TITLE = "corrupted files"
SIZE = 6
LARGEST = 300000  # bytes of a file to damage
CLOUDS_OF_A_STEP = 12
# They say how much follows, so that a piece of them is never right.
COUNTED = (".ply", ".pcd", ".off", ".npy", ".npz", ".h5")
CASES = os.path.join(PROJECT_DIR, "tests", "cases")


def inject(rng, bench, folder):
    """Damages some files of one kind, and runs the script that reads them; returns Outcomes."""
    kinds = (_clouds, _clouds, _clouds, _checkpoint, _config, _rows, _data_set, _class_list)
    return rng.choice(kinds)(rng, bench, folder)


def _clouds(rng, bench, folder):
    """A folder of damaged clouds, in one run: each is explained or left out in one line."""
    from utils.clouds.readers import ENDINGS

    sources = [
        path
        for path in files_in(CASES)
        if os.path.splitext(path)[1].lower() in ENDINGS and os.path.getsize(path) < LARGEST
    ]
    inputs = os.path.join(folder, "in")
    os.makedirs(inputs)
    ways = {}
    for number in range(CLOUDS_OF_A_STEP):
        # Each ending as often as any other, however many files it has.
        ending = rng.choice(sorted({os.path.splitext(path)[1].lower() for path in sources}))
        source = rng.choice([path for path in sources if path.lower().endswith(ending)])
        with open(source, "rb") as file:
            content = file.read()
        way, changed = corruptor.damage(rng, content)
        name = "{:02d}{}".format(number, ending)
        with open(os.path.join(inputs, name), "wb") as file:
            file.write(changed)
        ways[name] = way, os.path.relpath(source, CASES), len(changed) / max(1, len(content))
    run = bench.run("explain", "--num_point", 64, "--input", inputs, folder=folder)
    found = {
        name: _judge_cloud(run, folder, name, source, way == "cut off" and share < 0.9)
        for name, (way, source, share) in ways.items()
    }
    wrong = judge(run) or strays(folder)
    if wrong:
        # A run that ended too early was ended by the first file that it did not come to the end of.
        culprit = next((name for name in sorted(found) if found[name]), min(found))
        found = {name: wrong if name == culprit else None for name in found}
    return [Outcome("{} {}".format(os.path.splitext(name)[1], way), found[name]) for name, (way, _, _) in ways.items()]


def _judge_cloud(run, folder, name, source, is_piece):
    """What went wrong with one cloud of a folder, in words; None where nothing did."""
    number, ending = os.path.splitext(name)
    lines = [line for line in run.err.splitlines() if line.startswith("Left out: ") and os.sep + name in line]
    results = glob.glob(os.path.join(folder, "out", "*", number + "*"))
    if len(lines) + len(results) != 1:
        return "is neither explained nor left out in one line ({}): {}".format(source, lines)
    if lines and len(lines[0]) > 600:
        return "is told in {} letters ({})".format(len(lines[0]), source)
    if lines and re.search(r"\w(Error|Exception)\b|errno = |\bobject at 0x", lines[0]):
        return "is told for programmers ({}): {}".format(source, lines[0])
    if results:
        with np.load(os.path.join(results[0], "heat.npz")) as found:
            if not (np.isfinite(found["file_points"]).all() and len(found["heat"]) >= 10):
                return "is explained with points that are none ({})".format(source)
        if is_piece and ending in COUNTED and not _has_ascii_rest(source):
            return "is explained, though it was cut ({})".format(source)
    return None


def _has_ascii_rest(source):
    """Whether a file's points can all be there although its end is missing: an element or array after them."""
    return os.path.basename(source) in ("camera_first.ply",)


def _explained_as_before(bench, folder, run):
    """What differs from the run without faults, where there are results; None where nothing does."""
    for result in glob.glob(os.path.join(folder, "out", "*", "*", "heat.npz")):
        with np.load(result) as found, np.load(_one(bench.explained, "heat.npz")) as before:
            # By their bytes, since NaN equals nothing.
            differing = [name for name in before.files if before[name].tobytes() != found[name].tobytes()]
        if differing:
            return "gives other {} than of the whole file | {}".format(", ".join(differing), run.command)
    return None


def _one(folder, name):
    (found,) = [path for path in files_in(folder) if os.path.basename(path) == name]
    return found


def _copy(folder, source, name):
    target = os.path.join(folder, "in", name)
    shutil.copytree(source, target)
    return target


def _damage_file(rng, path):
    with open(path, "rb") as file:
        content = file.read()
    way, changed = corruptor.damage(rng, content)
    with open(path, "wb") as file:
        file.write(changed)
    return way


def _checkpoint(rng, bench, folder):
    """Damaged weights give the same heat or none."""
    log = _copy(folder, bench.log, "log")
    paths = [path for path in files_in(log) if ".ckpt" in os.path.basename(path)] + glob.glob(
        os.path.join(log, "checkpoint")
    )
    path = rng.choice(paths)
    way = _damage_file(rng, path)
    run = bench.run("explain", "--input", COMMENTS, folder=folder, log=log)
    wrong = judge(run) or strays(folder) or _explained_as_before(bench, folder, run)
    outcomes = [Outcome("checkpoint {} {}".format(os.path.splitext(path)[1], way), wrong)]
    if rng.random() < 0.4:
        before = {path: os.path.getsize(path) for path in files_in(log)}
        run = bench.run_words(bench.words("train", "--max_epoch", 3, out=log), folder)
        wrong = judge(run)
        if not wrong and run.status == 2 and set(before) - set(files_in(log)):
            wrong = "loses {}".format(", ".join(sorted(set(before) - set(files_in(log)))))
        outcomes.append(Outcome("resumed checkpoint {} {}".format(os.path.splitext(path)[1], way), wrong))
    return outcomes


def _config(rng, bench, folder):
    """A damaged config.json: every script that reads it says so, or takes it."""
    log = _copy(folder, bench.log, "log")
    way = _damage_file(rng, os.path.join(log, "config.json"))
    outcomes = []
    for name in rng.sample(("evaluate", "explain", "train", "compare"), 2):
        words = bench.short_words(name, log=log, out=log if name == "train" else os.path.join(folder, "out", name))
        run = bench.run_words(words, folder)
        outcomes.append(Outcome("config.json {} {}".format(way, name), judge(run) or strays(folder)))
    return outcomes


def _rows(rng, bench, folder):
    """A damaged file of a comparison: it goes on and has each row once, or says what is damaged, and loses nothing."""
    out = os.path.join(folder, "out")
    shutil.copytree(bench.compared, out)
    name = rng.choice(("rows.csv", "rows.csv", "run.json"))
    path = os.path.join(out, name)
    way = _damage_file(rng, path)
    with open(path, "rb") as file:
        damaged = file.read()
    outcomes = []
    run = bench.run_words(["compare.py", "--report", out], folder)
    outcomes.append(Outcome("{} {} report".format(name, way), judge(run) or strays(folder)))
    run = bench.run("compare", *COMPARISON, folder=folder)
    wrong = judge(run) or strays(folder)
    if not wrong and run.status == 2:
        with open(path, "rb") as file:
            wrong = None if file.read() == damaged else "is changed, though it was refused: " + run.err
    elif not wrong:
        found, whole = _keys_of(out, bench), _keys_of(bench.compared, bench)
        if len(set(found)) != len(found) or set(whole) - set(found):
            wrong = "has {} rows for {}, {} missing".format(len(found), len(set(found)), len(set(whole) - set(found)))
    outcomes.append(Outcome("{} {} resumed".format(name, way), wrong))
    return outcomes


def _keys_of(folder, bench):
    """What the rows of a comparison's folder are of: a list of tuples."""
    with open(os.path.join(bench.compared, "rows.csv"), encoding="utf-8") as file:
        columns = file.readline().strip().split(",")
    with open(os.path.join(folder, "rows.csv"), encoding="utf-8", newline="") as file:
        return [tuple(row[key] for key in columns[:4]) for row in csv.DictReader(file)]


def _data_set(rng, bench, folder):
    """A damaged data set: trained on, evaluated or explained as far as it can be, or said in one line."""
    data = _copy(folder, bench.data, "data")
    is_crafted = rng.random() < 0.4
    if is_crafted:
        # All scripts read the test split.
        path = os.path.join(data, "ply_data_test0.h5")
        way = "crafted: " + crafted_hdf5.craft(rng, path)
    else:
        path = rng.choice([path for path in files_in(data) if os.path.getsize(path)])
        way = _damage_file(rng, path)
    name = rng.choice(("evaluate", "explain", "train", "compare"))
    out = os.path.join(folder, "out")
    # The one command that reads a data set only where it is told to.
    words = bench.words(name, "--data_dir", data, out=out) if name == "explain" else None
    words = words or bench.short_words(name, data=data, out=out)
    run = bench.run_words(words, folder)
    kind = "data set {} {} {}".format(os.path.splitext(path)[1], way, name)
    wrong = judge(run) or strays(folder)
    if not wrong and is_crafted and run.status != 2:
        wrong = "is taken | {}".format(run.command)
    return [Outcome(kind, wrong)]


def _class_list(rng, bench, folder):
    """A damaged list of classes."""
    os.makedirs(os.path.join(folder, "in"))
    path = os.path.join(folder, "in", "classes.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join("class {}\n".format(number) for number in range(40)))
    way = _damage_file(rng, path)
    name = rng.choice(("evaluate", "explain"))
    words = bench.short_words(name, out=os.path.join(folder, "out")) + ["--class_names", path]
    run = bench.run_words(words, folder)
    return [Outcome("list of classes {} {}".format(way, name), judge(run) or strays(folder))]
