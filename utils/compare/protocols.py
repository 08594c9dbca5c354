"""The protocols of compare.py: how the heat of a method is put to the test, cloud by cloud.

Each takes a comparison.Comparison, and adds the rows that are not there yet. PROTOCOLS names them, with the columns
and the steps of their rows.
"""

import collections

import numpy as np

import models
import provider
from utils import metrics
from utils.compare.comparison import labels_of, points_of, rng_of
from utils.explain import point_drop
from utils.files import InputError

CURVE_STEP = 25  # points between two classifications of `drop`
KEPT_SHARES = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1)  # of the points, in `insert`
DISTURBANCES = ("rotation", "jitter", "half")
OTHER_CLASS = "other class"
LOST = "lost"
DROP_MODES = {"asm": "top"}  # of `thesis`; every other method drops by +midrange
VOTES = {"p-grad-cam": 500}  # of `thesis`; 100 for every other method

# Streams of random numbers, so that one does not repeat another.
VIEWS, TURNS, JITTERS, HALVES = 1001, 1002, 1003, 1004

Protocol = collections.namedtuple("Protocol", "run columns steps")
Protocol.__doc__ = """A way of testing heat.

run: function of a Comparison; columns: names of the values of a row; steps: function of flags (with num_point) and the
name of the network -> list of the steps of a cloud under a method.
"""


def check_flags(flags):
    """Raises an InputError where the protocol cannot run with these flags of compare.py."""
    if flags.num_point < point_drop.MIN_POINTS:
        raise InputError("--num_point {}: give at least {}".format(flags.num_point, point_drop.MIN_POINTS))
    if flags.protocol == "drop" and flags.num_drop * flags.num_steps > flags.num_point - point_drop.MIN_POINTS:
        raise InputError(
            "--num_drop {} in --num_steps {} leaves fewer than {} of {} points: drop less".format(
                flags.num_drop, flags.num_steps, point_drop.MIN_POINTS, flags.num_point
            )
        )


def turn_clouds(clouds, rotation, seed):
    """The clouds as one view shows them: turned by a rotation of their own, or as they lie for "none"."""
    return [
        cloud._replace(
            points=np.matmul(cloud.points, provider.draw_rotations(rotation, 1, rng_of(cloud, seed, VIEWS))[0])
        )
        for cloud in clouds
    ]


def drop(comparison):
    """Drops the hottest points (or the coldest) round by round, and classifies what is left (Zheng et al. 2019)."""
    flags = comparison.flags
    recorded = dropped_points(flags)
    for method, clouds in comparison.batches(recorded):
        points, values = points_of(clouds), None
        for number in range(flags.num_steps + 1):
            if number * flags.num_drop in recorded:
                _add_classified(comparison, method, clouds, number * flags.num_drop, points)
            if number == flags.num_steps:
                break
            if values is None or not flags.one_shot:
                values = comparison.heat_of(method, clouds, points, draw=number)
            kept = ~np.stack([point_drop.points_to_drop(row, "top", flags.num_drop, flags.drop_neg) for row in values])
            points, values = (array[kept].reshape((len(clouds), -1) + array.shape[2:]) for array in (points, values))


def dropped_points(flags, _=None):
    """How many points are gone where `drop` classifies: at the start, after every 25, and at the end."""
    dropped = [number * flags.num_drop for number in range(flags.num_steps + 1)]
    return [
        now
        for before, now in zip([-CURVE_STEP] + dropped, dropped)
        if now // CURVE_STEP > before // CURVE_STEP or now == dropped[-1]
    ]


def insert(comparison):
    """Begins with the few hottest points and adds the rest in order of heat; the heat is that of the whole cloud."""
    counts = inserted_points(comparison.flags)
    for method, clouds in comparison.batches(counts):
        order = np.argsort(-comparison.heat_of(method, clouds), axis=1, kind="stable")
        ordered = np.take_along_axis(points_of(clouds), order[:, :, np.newaxis], axis=1)
        for count in counts:
            _add_classified(comparison, method, clouds, count, ordered[:, :count])


def inserted_points(flags, _=None):
    """How many points are there where `insert` classifies, ascending."""
    return sorted({max(1, int(round(share * flags.num_point))) for share in KEPT_SHARES})


def _add_classified(comparison, method, clouds, step, points):
    logits = comparison.explainer.logits(points)
    labels = labels_of(clouds)
    for cloud, is_right, probability in zip(
        clouds, logits.argmax(axis=1) == labels, metrics.probabilities(logits, labels)
    ):
        comparison.rows.add(method, cloud, step, float(is_right), probability)


def thesis(comparison):
    """The loop of the explain scripts: drops until the network loses the object (Struhs 2020)."""
    flags = comparison.flags
    for method, (cloud,) in comparison.batches([LOST], size=1):
        votes = 1 if flags.rotation == "none" else flags.num_votes or VOTES.get(method, 100)
        rotations = provider.draw_rotations(flags.rotation, votes, np.random.RandomState(flags.seed))
        run = point_drop.drop_until_lost(
            cloud.points,
            cloud.label,
            vote_logits=lambda points: comparison.explainer.vote_logits(points, rotations),
            heat_of=lambda points: comparison.heat_of(method, [cloud], points[np.newaxis], draw=len(points))[0],
            choose=lambda values: point_drop.points_to_drop(values, DROP_MODES.get(method, "+midrange")),
            eval_every=flags.eval_every,
        )
        comparison.rows.add(
            method,
            cloud,
            LOST,
            (run.removed_in_round > 0).sum(),
            len(run.rounds),
            run.rounds[0].accuracy,
            run.rounds[-1].accuracy,
            run.seconds,
        )


def sanity(comparison):
    """How much heat is left of a network that has forgotten what it learned (Adebayo et al., arXiv 1810.03292).

    The layers are re-initialised one by one from the top, each step with all before it. A row holds the rank
    correlation of that network's heat with the trained one's, for the same class; a last row that of the trained
    network's heat for another class, the likeliest but for the label.
    """
    # TensorFlow takes seconds to load, and --help needs the names of the protocols.
    from utils.network import checkpoint, explainer

    network, flags = comparison.network, comparison.flags
    layers = sanity_steps(flags, network.model_name)[:-1]
    known = {}

    def trained_heat(method, clouds):
        missing = [cloud for cloud in clouds if (method, cloud.label, cloud.index) not in known]
        if missing:
            known.update(
                ((method, cloud.label, cloud.index), values)
                for cloud, values in zip(missing, comparison.heat_of(method, missing))
            )
        return [known[method, cloud.label, cloud.index] for cloud in clouds]

    def add(method, clouds, step, values):
        for cloud, one, other in zip(clouds, trained_heat(method, clouds), values):
            comparison.rows.add(method, cloud, step, metrics.rank_correlation(one, other))

    for depth, layer in enumerate(layers):
        if not comparison.is_missing([layer]):
            continue
        with checkpoint.restore(
            network.prefix, network.model_name, flags.gpu, layers[: depth + 1], flags.seed
        ) as forgetful:
            fresh = explainer.Explainer(forgetful)
            for method, clouds in comparison.batches([layer]):
                add(method, clouds, layer, comparison.heat_of(method, clouds, explainer=fresh, draw=depth + 1))
    for method, clouds in comparison.batches([OTHER_CLASS]):
        logits = comparison.explainer.logits(points_of(clouds))
        logits[np.arange(len(clouds)), labels_of(clouds)] = -np.inf
        add(
            method,
            clouds,
            OTHER_CLASS,
            comparison.heat_of(method, clouds, labels=logits.argmax(axis=1), draw=len(layers) + 1),
        )


def sanity_steps(_, model_name):
    """The layers of a network from the top, and another class."""
    return list(models.network(model_name).LAYERS_FROM_TOP) + [OTHER_CLASS]


def stability(comparison):
    """How much heat changes where the object does not: turned, jittered, or only every other point of it.

    A row holds the rank correlation with the heat before, and the share of the 100 hottest points that stay so. Of
    "half", a random half of the points is explained as a cloud, and compared over its own points.
    """
    flags = comparison.flags
    # A network that was trained without rotations is put to the test too: turned by none, heat would seem to be stable.
    rotation = "xyz" if comparison.network.config.get("rotation") == "xyz" else "y"
    for method, clouds in comparison.batches(DISTURBANCES):
        points = points_of(clouds)
        before = comparison.heat_of(method, clouds)
        turned = np.matmul(
            points,
            np.concatenate(
                [provider.draw_rotations(rotation, 1, rng_of(cloud, flags.seed, TURNS)) for cloud in clouds]
            ),
        )
        jittered = np.stack([provider.jitter(cloud.points, rng_of(cloud, flags.seed, JITTERS)) for cloud in clouds])
        halves = np.stack(
            [rng_of(cloud, flags.seed, HALVES).permutation(flags.num_point)[: flags.num_point // 2] for cloud in clouds]
        )
        whole = np.broadcast_to(np.arange(flags.num_point), points.shape[:2])
        for draw, (name, changed, members) in enumerate(
            (
                ("rotation", turned, whole),
                ("jitter", jittered, whole),
                ("half", np.take_along_axis(points, halves[:, :, np.newaxis], axis=1), halves),
            ),
            1,
        ):
            after = comparison.heat_of(method, clouds, changed, draw=draw)
            for cloud, one, other in zip(clouds, np.take_along_axis(before, members, axis=1), after):
                comparison.rows.add(
                    method,
                    cloud,
                    name,
                    metrics.rank_correlation(one, other),
                    metrics.top_overlap(one, other, top_count(flags.num_point)),
                )


def top_count(num_points):
    """How many of the hottest points `stability` follows: 100, or a quarter of a small cloud."""
    return min(100, num_points // 4)


PROTOCOLS = {
    "drop": Protocol(drop, ("correct", "probability"), dropped_points),
    "insert": Protocol(insert, ("correct", "probability"), inserted_points),
    "thesis": Protocol(
        thesis, ("points_removed", "rounds", "accuracy_before", "accuracy_after", "seconds"), lambda *_: [LOST]
    ),
    "sanity": Protocol(sanity, ("rank_correlation",), sanity_steps),
    "stability": Protocol(stability, ("rank_correlation", "top_overlap"), lambda *_: list(DISTURBANCES)),
}
