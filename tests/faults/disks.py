"""Disks that are full, read-only, failing or gone while something is being written."""

import errno
import os
import resource
import shutil
import subprocess

from bench import COMMENTS
from judgement import Outcome, files_in, judge, strays

TITLE = "disks"
SIZE = 1
ERRORS = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES, errno.EDQUOT)
KINDS = ("an error once", "an error from then on", "a limit on the size of files", "a small disk", "gone")
COMMANDS = {
    "train": ["--max_epoch", "3"],  # one more than the training that lies there
    "explain": ["--num_point", "64", "--input", COMMENTS, "--overwrite"],
    "evaluate": ["--overwrite"],
    "compare": ["--methods", "asm", "random", "--classes", "airplane", "chair", "sofa", "--num_steps", "2"],
}


def inject(rng, bench, folder):
    """Lets the disk fail at some moment of a run; returns Outcomes.

    What lay in the folder before must still be valid: the same command goes on from it, once the disk is well.
    """
    name = rng.choice(sorted(COMMANDS))
    out = os.path.join(folder, "out")
    source = {"train": bench.log, "explain": bench.explained, "compare": bench.compared}.get(name)
    if source:
        shutil.copytree(source, out)
    words = bench.words(name, *COMMANDS[name], out=out)
    kind = rng.choice(
        ("an error once", "an error from then on", "a limit on the size of files", "a small disk", "gone")
    )
    if kind == "a small disk" and not _can_mount():
        kind = "an error from then on"
    wrong = {"a limit on the size of files": _limit, "a small disk": _small_disk}.get(kind, _fail)(
        rng, bench, folder, words, kind
    )
    return [Outcome("{} of {}".format(kind, name), wrong or _goes_on(bench, folder, words, name, kind))]


def _fail(rng, bench, folder, words, kind):
    """An operation on files fails: one of them, all from then on, or since the folder was removed."""
    number, code, out = rng.randrange(1, 60), rng.choice(ERRORS), os.path.join(folder, "out")

    def act(count, name):
        if kind == "gone":
            if count == number:
                os.rename(out, os.path.join(folder, "in"))
        elif (count == number or count > number and kind == "an error from then on") and name not in (
            "remove",
            "rmdir",
        ):
            raise OSError(code, os.strerror(code))

    run = bench.run_words(words, folder, act=act)
    if kind == "gone" and os.path.isdir(os.path.join(folder, "in")):
        # What was made anew in its place holds nothing of before.
        shutil.rmtree(out, ignore_errors=True)
        os.rename(os.path.join(folder, "in"), out)
    return judge(run)


def _limit(rng, bench, folder, words, kind):
    """No file may grow over some size, TensorFlow's neither."""
    size = rng.choice((4096, 20000, 200000, 800000))  # what it prints is a file too
    run = bench.run_words(words, folder, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    return judge(run)


def _small_disk(rng, bench, folder, words, kind):
    """The folder lies on a disk with little room, which is full within the run, and is made larger for the next."""
    out = os.path.join(folder, "out")
    kept = os.path.join(folder, "in")
    os.makedirs(out, exist_ok=True)
    os.rename(out, kept)
    os.makedirs(out)
    size = sum(os.path.getsize(path) + 4096 for path in files_in(kept)) + rng.choice((4096, 40000, 400000, 4000000))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size={}".format(size), "none", out], check=True)
    try:
        for name in os.listdir(kept):
            source, target = os.path.join(kept, name), os.path.join(out, name)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)
        shutil.rmtree(kept)
        wrong = judge(bench.run_words(words, folder))
        shutil.copytree(out, kept)
    finally:
        subprocess.run(["umount", "-l", out], check=True)
    os.rmdir(out)
    os.rename(kept, out)
    return wrong


def _goes_on(bench, folder, words, name, kind):
    """What is wrong with the same command once the disk is well; None where it comes to its end."""
    out = os.path.join(folder, "out")
    if name == "compare" and os.path.isdir(out):
        before = _lines(os.path.join(bench.compared, "rows.csv"))
        lost = set(before) - set(_lines(os.path.join(out, "rows.csv")))
        if lost:
            return "loses {} rows".format(len(lost))
    run = bench.run_words(words, folder)
    wrong = judge(run, (0,)) or strays(folder)
    if wrong:
        return "does not go on: " + wrong
    temporary = [path for path in files_in(out) if path.endswith((".tmp", ".lock")) or ".saving" in path]
    # A folder that was gone came back as it was.
    if temporary and kind != "gone":
        return "leaves {}".format(", ".join(os.path.relpath(path, out) for path in temporary))
    if name == "train":
        with open(os.path.join(out, "log_train.txt"), encoding="utf-8") as file:
            if sum("Epoch 3: train" in line for line in file) == 0:
                return "does not train to its end"
    return None


def _lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def _can_mount():
    return os.path.exists("/proc/mounts") and os.geteuid() == 0 and bool(shutil.which("mount"))
