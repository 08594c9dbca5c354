"""Injects faults into every script, and counts which of them it survives.

    python tests/faults/campaign.py                             # 1,000 faults
    python tests/faults/campaign.py --faults 500 --families A   # 500 kills
    python tests/faults/campaign.py --seed 3 --only B17 --keep  # one step of it again, and what it left

A fault is survived if the program goes on rightly or ends with one clear line: without a traceback, a crash or a hang,
with nothing lost that was saved, and nothing written outside its folder. Each step draws from its own seed, so that it
is the same whatever runs beside it. Forks processes, so it runs on Linux and macOS.
"""

import argparse
import collections
import concurrent.futures
import importlib
import math
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib

if __name__ == "__main__":
    if not hasattr(os, "fork"):
        sys.exit("the campaign forks processes, which Windows does not: run it on Linux or macOS")
    TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if os.path.dirname(TESTS) not in sys.path:
        # Python looks beside a script alone. The runs look for the program's modules, and are to find no Open3D.
        paths = [os.path.dirname(TESTS), TESTS, os.path.join(TESTS, "without_open3d")]
        os.environ["PYTHONPATH"] = os.pathsep.join(paths)
        os.execv(sys.executable, [sys.executable] + sys.argv)

from bench import Bench  # noqa: E402
from judgement import Outcome  # noqa: E402
from tqdm import tqdm  # noqa: E402

# Letter: module, share of the faults. A module has TITLE, SIZE (faults of a step, about) and `inject`.
FAMILIES = {
    "A": ("kills", 0.16),
    "B": ("corrupted_files", 0.40),
    "C": ("disks", 0.10),
    "D": ("bad_servers", 0.08),
    "E": ("archives", 0.08),
    "F": ("two_at_once", 0.03),
    "G": ("surroundings", 0.03),
    "H": ("hostile_text", 0.08),
    "I": ("equal_runs", 0.04),
    "J": ("shared_work", 0.02),
}


def main():
    flags = _parse_flags()
    folder = tempfile.mkdtemp(prefix="campaign-")
    start = time.time()
    try:
        print("Preparing in {} ...".format(folder), flush=True)
        bench = Bench(folder)
        bench.prepare()
        steps = [flags.only] if flags.only else plan(flags.faults, flags.families, flags.seed)
        outcomes = run_steps(bench, steps, flags.seed, flags.jobs, flags.keep)
        changed = {path for path, _ in set(bench.before.items()) ^ set(bench.listing().items())}
        if changed:
            outcomes.append(("B0", Outcome("reading alone", "changes {}".format(", ".join(sorted(changed))[:300]))))
    finally:
        if flags.keep:
            print("What the steps left lies in {}".format(folder))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    failures = [(step, outcome) for step, outcome in outcomes if outcome.wrong]
    for step, outcome in failures:
        print("{}: {}: {}".format(step, outcome.kind, outcome.wrong))
    print(table(outcomes))
    print("Seed {}, {:.0f} s, Python {}.".format(flags.seed, time.time() - start, sys.version.split()[0]))
    if failures:
        print("Again: --seed {} --only {} --keep".format(flags.seed, failures[0][0]))
    return 1 if failures else 0


def plan(faults, families, seed):
    """The steps of a campaign, in an order that mixes the families.

    Args:
      faults: how many in all.
      families: letters.
      seed: of the order.

    Returns:
      List of names, each of a letter and a number: "B17".
    """
    whole = sum(FAMILIES[letter][1] for letter in families)
    steps = []
    for letter in families:
        share = faults * FAMILIES[letter][1] / whole
        steps += ["{}{}".format(letter, n + 1) for n in range(max(1, math.ceil(share / _family(letter).SIZE)))]
    random.Random(seed).shuffle(steps)
    return steps


def run_steps(bench, steps, seed, jobs, is_keeping=False):
    """Runs the steps side by side.

    Returns:
      List of (name of the step, Outcome).
    """
    found = []
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(jobs, context, _ignore_interrupts) as pool:
        waiting = {pool.submit(run_step, bench, step, seed, is_keeping): step for step in steps}
        try:
            with tqdm(total=len(steps), unit="step", disable=not sys.stderr.isatty()) as bar:
                for future in concurrent.futures.as_completed(waiting):
                    found += [(waiting[future], outcome) for outcome in future.result()]
                    bar.update()
        except KeyboardInterrupt:
            for future in waiting:
                future.cancel()
            print("\nInterrupted: what was done until here follows.")
    return sorted(found, key=lambda pair: (pair[0][0], int(pair[0][1:])))


def run_step(bench, step, seed, is_keeping=False):
    """Injects the faults of a step; returns a list of Outcomes."""
    folder = os.path.join(bench.folder, "steps", step)
    os.makedirs(folder)
    rng = random.Random(zlib.crc32("{} {}".format(seed, step).encode()))
    try:
        outcomes = list(_family(step[0]).inject(rng, bench, folder))
    except Exception:
        # The campaign's own mistake, or something that no family looks for.
        outcomes = [Outcome("the campaign itself", "fails: " + " ".join(traceback.format_exc().split())[-500:])]
    if not (is_keeping or any(outcome.wrong for outcome in outcomes)):
        shutil.rmtree(folder, ignore_errors=True)
    return outcomes


def table(outcomes):
    """The table of a campaign, in Markdown.

    Args:
      outcomes: list of (name of the step, Outcome).
    """
    lines = ["| family | injected | survived | kinds of faults | distinct failures |", "|---|--:|--:|--:|--:|"]
    by_letter = collections.defaultdict(list)
    for step, outcome in outcomes:
        by_letter[step[0]].append(outcome)
    for letter in sorted(by_letter):
        lines.append(_row("{} {}".format(letter, _family(letter).TITLE), by_letter[letter]))
    return "\n".join(lines + [_row("all", [outcome for _, outcome in outcomes])])


def _row(name, outcomes):
    failed = [outcome for outcome in outcomes if outcome.wrong]
    return "| {} | {} | {} | {} | {} |".format(
        name,
        len(outcomes),
        len(outcomes) - len(failed),
        len({outcome.kind for outcome in outcomes}),
        len({(outcome.kind, outcome.wrong.split(":")[0]) for outcome in failed}),
    )


def _family(letter):
    return importlib.import_module(FAMILIES[letter][0])


def _ignore_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _parse_flags():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--faults", type=int, default=1000, metavar="N", help="how many, about")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument(
        "--families", default="".join(FAMILIES), metavar="LETTERS", help="which of " + "".join(FAMILIES)
    )
    parser.add_argument("--only", metavar="STEP", help="one step alone, such as B17")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="steps side by side")
    parser.add_argument("--keep", action="store_true", help="keep the folders of all steps")
    flags = parser.parse_args()
    if set(flags.families) - set(FAMILIES) or flags.only and flags.only[0] not in FAMILIES:
        parser.error("families are {}".format(" ".join(FAMILIES)))
    return flags


if __name__ == "__main__":
    sys.exit(main())
