"""Runs that must be the same to the last bit: twice the same, with other surroundings, in another folder."""

import json
import os
import re

from judgement import Outcome, files_in, judge

from utils.files import PROJECT_DIR

TITLE = "determinism"
SIZE = 1
CASES = os.path.join(PROJECT_DIR, "tests", "cases")
CLOUDS = tuple(
    os.path.join(CASES, *parts)
    for parts in (("09-ply-kinds", "comments.ply"), ("06-off-headers", "comments.off"), ("05-csv-and-asc", "chair.csv"))
)
SURROUNDINGS = {
    "again": {},
    "PYTHONHASHSEED": {"PYTHONHASHSEED": "7"},
    "LANG=C": {"LANG": "C", "LC_ALL": "C"},
    "time zone": {"TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1000000000"},
    "another HOME": {"MPLCONFIGDIR": "", "XDG_CACHE_HOME": ""},
}
# What tells of the time or the place of a run, and of nothing else.
TIMES = ("seconds", "versions", "date", "dump_dir", "log_dir", "started", "input", "time")


def inject(rng, bench, folder):
    """Runs one command twice, the second time elsewhere; returns Outcomes."""
    name = rng.choice(("explain", "explain", "evaluate", "compare", "train"))
    kind = rng.choice(sorted(SURROUNDINGS))
    arguments = {
        "explain": ["--num_point", "64", "--input", rng.choice(CLOUDS)]
        + ["--figure_format", rng.choice(("png", "svg", "pdf")), "--compare"],
        "train": ["--max_epoch", "2", "--seed", str(rng.randrange(100))],
        "compare": ["--methods", rng.choice(("asm", "random", "critical")), "--classes", "chair"]
        + rng.choice((["--num_steps", "2"], ["--protocol", "insert"], ["--protocol", "stability"])),
    }.get(name, [])
    words = bench.words(name, *arguments, out="out")
    found = []
    for number, environment in enumerate(({}, SURROUNDINGS[kind])):
        place = os.path.join(folder, str(number))
        os.makedirs(place)
        run = bench.run_words(words, place, environment=environment)
        wrong = judge(run, (0,))
        if wrong:
            return [Outcome("{} of {}".format(kind, name), wrong)]
        out = os.path.join(place, "out")
        found.append({os.path.relpath(path, out): _content(path) for path in files_in(out) if "events.out" not in path})
    first, second = found
    differing = [path for path in sorted(set(first) | set(second)) if first.get(path) != second.get(path)]
    wrong = "differ in {}".format(", ".join(differing)[:300]) if differing else None
    return [Outcome("{} of {}".format(kind, name), wrong)]


def _content(path):
    """What a file holds, without the time and the place."""
    with open(path, "rb") as file:
        content = file.read()
    name = os.path.basename(path)
    if name.endswith(".json"):
        return {key: value for key, value in json.loads(content.decode()).items() if key not in TIMES}
    if name == "rounds.csv":
        return [line.rsplit(b",", 1)[0] for line in content.splitlines()]
    if name == "log_train.txt":
        return re.sub(rb"^[-0-9]+ [:0-9]+ |[.0-9]+ clouds/s", b"", content, flags=re.MULTILINE)
    return content
