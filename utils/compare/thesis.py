"""`thesis`: how many points does it take? The loop of the explain scripts, until the object is lost (Struhs 2020).

How many points go in a round decides as much as which: so each method drops as it usually does, and as all others do.
"""

import functools

import numpy as np

from utils.clouds import transforms
from utils.command_line import positive_int, positive_int_or
from utils.compare import distributions, tables
from utils.compare.protocol import Figure, Measure, Protocol, Report, Setting
from utils.explain import point_drop
from utils.explain.methods import METHODS, SCRIPTED
from utils.files import InputError

OWN, SINGLE, STEPS, ALL = "own", "single", "steps", "all"  # schedules
LOST, LOST_SINGLE, LOST_STEPS = "lost", "lost one by one", "lost in steps of {}"  # their steps, of the rows
COLUMNS = ("points_removed", "rounds", "accuracy_before", "accuracy_after", "seconds")


def steps(_, schedule, num_drop, **__):
    """A step for each schedule: how each method usually drops, one point a round, `num_drop` points a round."""
    found = {OWN: LOST, SINGLE: LOST_SINGLE, STEPS: LOST_STEPS.format(num_drop)}
    return [found[schedule]] if schedule in found else list(found.values())


def shown(found, schedule, num_drop, **_):
    return [step for step in steps(None, schedule, num_drop) if step in found]


def run(comparison, num_votes, eval_every, schedule, num_drop):
    """Drops points of each cloud under each schedule until the network no longer recognises the object.

    Args:
      comparison: a run.Comparison.
      num_votes: rotations under which each round classifies; None: as the method usually does.
      eval_every: see `point_drop.drop_until_lost`.
      schedule, num_drop: see `steps`.
    """
    wanted = steps(comparison, schedule, num_drop)
    for method, (cloud,) in comparison.batches(wanted, size=1):
        votes = 1 if comparison.rotation == "none" else num_votes or METHODS[method].votes
        rotations = transforms.draw_rotations(comparison.rotation, votes, np.random.RandomState(comparison.seed))
        runs = {}
        for step in wanted:
            if comparison.rows.has(method, cloud, step):
                continue
            # ASM usually drops one by one: that is done once for both.
            way = _way(method, step, num_drop)
            if way not in runs:
                runs[way] = _drop_until_lost(comparison, method, cloud, rotations, eval_every, way)
            found = runs[way]
            comparison.rows.add(
                method,
                cloud,
                step,
                (found.removed_in_round > 0).sum(),
                len(found.rounds),
                found.rounds[0].accuracy,
                found.rounds[-1].accuracy,
                found.seconds,
            )


def _way(method, step, num_drop):
    """The mode in which a round drops under a step, and how many points where the mode is "top"."""
    if step == LOST:
        return METHODS[method].drop_mode, 1
    return "top", 1 if step == LOST_SINGLE else num_drop


def _drop_until_lost(comparison, method, cloud, rotations, eval_every, way):
    """The results.DropRun of one cloud under a method, rotations [V, 3, 3] and a way of `_way`."""
    mode, num_drop = way

    def heat_of(points):
        places = num_drop if mode == "top" else 0
        return comparison.heat_of(method, [cloud], points[np.newaxis], draw=len(points), places=places)[0]

    return point_drop.drop_until_lost(
        cloud.points,
        cloud.label,
        vote_logits=comparison.classifier.voter(cloud.points, rotations),
        heat_of=heat_of,
        choose=lambda heat: point_drop.points_to_drop(heat, mode, num_drop),
        eval_every=eval_every,
    )


def _words(step):
    """How a schedule drops, for tables and figures."""
    return {LOST: "as usual", LOST_SINGLE: "one by one"}.get(step, step.split()[-1] + " a round")


def _is_known(before):
    """Which clouds are recognised under all methods before points go: bool array [clouds] of shares [..., clouds]."""
    return (before > point_drop.LOST_ACCURACY).all(axis=tuple(range(before.ndim - 1)))


def _is_lost(after):
    """Of clouds whether the network lost them at the end: bool array, as `after`, whose shares are NaN of no point."""
    with np.errstate(invalid="ignore"):
        return after <= point_drop.LOST_ACCURACY


def measures(results, **_):
    """Points removed of the clouds that are recognised, under each schedule."""
    removed, before = (np.moveaxis(results.select(name), 2, 0) for name in ("points_removed", "accuracy_before"))
    return [
        Measure(
            "points removed of recognised clouds, dropped {}".format(_words(step)),
            np.where(_is_known(before), values, np.nan),
            "least",
            "points of the cloud",
        )
        for step, values in zip(results.steps, removed)
    ]


def report(results, **_):
    """How many points each method removes under each schedule, in how many rounds, in which time; of each cloud."""
    methods = results.methods
    removed, rounds, before, after, seconds = (np.moveaxis(results.select(name), 2, 0) for name in COLUMNS)
    known = _is_known(before)
    found = measures(results)
    orders = [tables.order(measure.values, False) for measure in found]
    rows = [
        [
            methods[number],
            _words(step),
            tables.mean(removed[place][number]),
            tables.mean(found[place].values[number]),
            tables.median(found[place].values[number]),
            str(int(known.sum())),
            tables.mean(np.where(known, rounds[place][number], np.nan)),
            tables.mean(np.where(known, seconds[place][number], np.nan)),
            str(int((known & ~_is_lost(after[place][number])).sum())),
        ]
        for place, step in enumerate(results.steps)
        for number in orders[place]
    ]
    header = [
        "method",
        "dropped",
        "points removed, all",
        "points removed, recognised",
        "their median",
        "clouds recognised",
        "rounds",
        "seconds",
        "never lost",
    ]
    blocks = [
        "Points removed until the network loses the object (at most half of the votes are right). Recognised: more "
        "than half are right before any point is removed. ± is the standard error over the clouds; an object that is "
        "never lost moves a mean, but not a median. Dropped as usual: as the method's explain script does; else the "
        "points of highest heat, as many in each round.",
        tables.markdown(header, rows),
    ]
    for measure, order in zip(found, orders):
        blocks += tables.lead(methods, order, measure.values, measure.name, measure.bests, measure.unit)
    blocks.append(_cloud_table(results, before[0][0], removed))
    figure = Figure(
        "points_removed.png",
        functools.partial(
            distributions.save,
            panels={
                "dropped " + _words(step): {
                    methods[number]: (removed[place][number], _is_lost(after[place][number])) for number in orders[0]
                }
                for place, step in enumerate(results.steps)
            },
            is_counted=known,
            limit=results.settings.num_points,
            label="points removed until the object is lost",
            left_out="not recognised before",
        ),
    )
    return Report(blocks, [figure])


def _cloud_table(results, before, removed):
    """Points removed [schedules, methods, clouds] of each cloud; rows.csv has rounds and seconds as well."""
    header = ["cloud", "votes right before"]
    header += ["{}, {}".format(method, _words(step)) for method in results.methods for step in results.steps]
    rows = []
    for place, cloud in enumerate(results.clouds):
        row = ["{} {}".format(cloud.class_name, cloud.index), "{:.3f}".format(before[place])]
        row += ["{:.0f}".format(count) for of_method in removed[:, :, place].T for count in of_method]
        rows.append(row)
    return tables.markdown(header, rows)


def check(num_points, schedule, num_drop, **_):
    if schedule in (STEPS, ALL) and num_drop >= num_points:
        raise InputError("`num_drop` {}: the clouds have {} points; drop fewer a round".format(num_drop, num_points))


def idle(rotation, schedule, **_):
    reasons = {}
    if rotation == "none":
        reasons["num_votes"] = "under `rotation` none all votes are the same, so one is cast; leave it out"
    if schedule in (OWN, SINGLE):
        reasons["num_drop"] = "it goes with `schedule` {} or {}".format(STEPS, ALL)
    return reasons


PROTOCOL = Protocol(
    "thesis",
    help="points until the object is lost",
    columns=COLUMNS,
    steps=steps,
    run=run,
    report=report,
    measures=measures,
    shown=shown,
    methods=SCRIPTED,
    per_class=1,
    is_one_view=False,
    shows_heat=False,
    check=check,
    idle=idle,
    more_heat=lambda **_: "heat anew in each round",
    settings=(
        Setting(
            "num_votes",
            None,
            "rotations under which each round classifies (default: what the explain scripts take: {})".format(
                ", ".join("{} {}".format(name, METHODS[name].votes) for name in SCRIPTED)
            ),
            positive_int,
            metavar="VOTES",
        ),
        Setting(
            "eval_every",
            point_drop.AUTO,
            "classify in every K-th round only, and go back to find the round that lost the object; auto: in rounds "
            "1, 2, 4, 8, ..., then halve the way back",
            positive_int_or(point_drop.AUTO),
            metavar="K",
        ),
        Setting(
            "schedule",
            ALL,
            "how many points go in a round: {} (as each method's explain script does), {} (one), {} (NUM_DROP), or "
            "{}, one after the other".format(OWN, SINGLE, STEPS, ALL),
            choices=(OWN, SINGLE, STEPS, ALL),
            is_selection=True,
        ),
        Setting("num_drop", 24, "points that a round drops", positive_int, metavar="N", is_selection=True),
    ),
)
