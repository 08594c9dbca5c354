"""`thesis`: how many points does it take? The loop of the explain scripts, until the object is lost (Struhs 2020)."""

import functools

import numpy as np

import provider
from utils.command_line import positive_int
from utils.compare import figures, tables
from utils.compare.protocol import Figure, Protocol, Report, Setting
from utils.explain import point_drop
from utils.explain.methods import METHODS, SCRIPTED

LOST = "lost"  # the one step
COLUMNS = ("points_removed", "rounds", "accuracy_before", "accuracy_after", "seconds")


def run(comparison, num_votes, eval_every):
    """Drops points of each cloud, as each method usually does, until the network no longer recognises the object.

    Args:
      comparison: a run.Comparison.
      num_votes: rotations under which each round classifies; None: as the method usually does.
      eval_every: see `point_drop.drop_until_lost`.
    """
    for method, (cloud,) in comparison.batches([LOST], size=1):
        votes = 1 if comparison.rotation == "none" else num_votes or METHODS[method].votes
        rotations = provider.draw_rotations(comparison.rotation, votes, np.random.RandomState(comparison.seed))
        found = _drop_until_lost(comparison, method, cloud, rotations, eval_every)
        comparison.rows.add(
            method,
            cloud,
            LOST,
            (found.removed_in_round > 0).sum(),
            len(found.rounds),
            found.rounds[0].accuracy,
            found.rounds[-1].accuracy,
            found.seconds,
        )


def _drop_until_lost(comparison, method, cloud, rotations, eval_every):
    """The results.DropRun of one cloud under a method and rotations [V, 3, 3]."""
    return point_drop.drop_until_lost(
        cloud.points,
        cloud.label,
        vote_logits=lambda points: comparison.classifier.vote_logits(points, rotations),
        heat_of=lambda points: comparison.heat_of(method, [cloud], points[np.newaxis], draw=len(points))[0],
        choose=lambda heat: point_drop.points_to_drop(heat, METHODS[method].drop_mode),
        eval_every=eval_every,
    )


def report(results, **_):
    """How many points each method removes, and of each cloud how many, in how many rounds, in which time."""
    methods = results.methods
    removed, rounds, before, after, seconds = (results.select(name)[:, :, 0] for name in COLUMNS)
    known = (before > point_drop.LOST_ACCURACY).all(axis=0)
    known_removed = np.where(known, removed, np.nan)
    order = tables.order(known_removed, False)
    rows = [
        [
            methods[number],
            tables.mean(removed[number]),
            tables.mean(known_removed[number]),
            str(int(known.sum())),
            tables.mean(np.where(known, rounds[number], np.nan)),
            tables.mean(np.where(known, seconds[number], np.nan)),
            str(int((known & (after[number] > point_drop.LOST_ACCURACY)).sum())),
        ]
        for number in order
    ]
    header = [
        "method",
        "points removed, all",
        "points removed, recognised",
        "clouds recognised",
        "rounds",
        "seconds",
        "never lost",
    ]
    blocks = [
        "Points removed until the network loses the object (at most half of the votes are right). Recognised: more "
        "than half are right before any point is removed. ± is the standard error over the clouds.",
        tables.markdown(header, rows),
    ]
    blocks += tables.lead(
        methods, order, known_removed, "points removed of recognised clouds", "least", "points of the cloud"
    )
    blocks.append(_cloud_table(results, before[0], removed, rounds, seconds))
    figure = Figure(
        "points_removed.png",
        functools.partial(
            figures.save_distributions,
            values={methods[number]: removed[number] for number in order},
            is_counted=known,
            limit=results.settings.num_points,
            label="points removed until the object is lost",
            left_out="not recognised before",
        ),
    )
    return Report(blocks, [figure])


def _cloud_table(results, before, removed, rounds, seconds):
    header = ["cloud", "votes right before"]
    header += ["{}: {}".format(method, what) for method in results.methods for what in ("removed", "rounds", "seconds")]
    rows = []
    for place, cloud in enumerate(results.clouds):
        row = ["{} {}".format(cloud.class_name, cloud.index), "{:.3f}".format(before[place])]
        for number in range(len(results.methods)):
            row.append("{:.0f}".format(removed[number][place]))
            row.append("{:.0f}".format(rounds[number][place]))
            row.append("{:.1f}".format(seconds[number][place]))
        rows.append(row)
    return tables.markdown(header, rows)


def idle(rotation, **_):
    if rotation == "none":
        return {"num_votes": "under `rotation` none all votes are the same, so one is cast; leave it out"}
    return {}


PROTOCOL = Protocol(
    "thesis",
    help="points until the object is lost",
    columns=COLUMNS,
    steps=lambda *_, **__: [LOST],
    run=run,
    report=report,
    methods=SCRIPTED,
    per_class=1,
    is_one_view=False,
    shows_heat=False,
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
            8,
            "classify in every K-th round only, and go back to find the round that lost the object",
            positive_int,
            metavar="K",
        ),
    ),
)
