"""Every protocol, on a network simple enough to count along."""

import contextlib
import types

import numpy as np
import pytest
from counting import CountingClassifier, comparison, turned_round, x_method

from utils.compare import drop, insert, run, sanity, stability, thesis
from utils.compare.protocols import PROTOCOLS
from utils.explain import point_drop
from utils.explain.methods import METHODS
from utils.files import InputError


def _correct(bench, steps):
    return bench.rows.select(["x"], bench.clouds, steps, "correct")[0].tolist()


def _settings(protocol, **changes):
    return dict({setting.name: setting.default for setting in protocol.settings}, **changes)


def test_drop_takes_the_hottest_first_and_classifies_every_25_points(tmp_path, monkeypatch):
    monkeypatch.setattr(drop, "CURVE_STEP", 2)
    bench = comparison(tmp_path, monkeypatch, drop.PROTOCOL)
    own = _settings(drop.PROTOCOL, num_drop=1, num_steps=10)
    steps = drop.steps(bench, **own)
    assert steps == [0, 2, 4, 6, 8, 10]
    drop.run(bench, **own)
    # 9 and 10 points have x > 0: after 6 dropped 3 and 4 are left, after 8 one and two.
    assert _correct(bench, steps) == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 0, 0]]
    assert bench.classifier.heats == 10
    seen = bench.rows.select(["x"], bench.clouds, [0, 10], "probability")[0, 0]
    assert seen == pytest.approx([np.e / (np.e + 39), np.exp(-1) / (np.exp(-1) + 39)], rel=1e-5)


def test_drop_of_the_coldest_loses_nothing_here_and_one_shot_takes_heat_once(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, drop.PROTOCOL)
    own = _settings(drop.PROTOCOL, num_drop=5, num_steps=2, drop_neg=True, one_shot=True)
    drop.run(bench, **own)
    assert _correct(bench, drop.steps(bench, **own)) == [[1, 1], [1, 1]]
    assert bench.classifier.heats == 1


def _ordering(asked):
    """A formula whose heat is x above its least, for as many of the hottest points as are asked for, else 0."""

    def formula(points, places):
        asked.append(places)
        heat = points[:, :, 0] - points[:, :, 0].min(axis=1, keepdims=True) + 1
        ranks = (-heat).argsort(axis=1).argsort(axis=1)
        return np.where(ranks < (places or heat.shape[1]), heat, 0)

    return formula


@pytest.mark.parametrize(
    "changes, places", [({}, 2), ({"one_shot": True}, 10), ({"drop_neg": True}, 0), ({"remove": drop.CENTRE}, 0)]
)
def test_drop_asks_for_no_more_points_in_order_than_go(changes, places, tmp_path, monkeypatch):
    own = _settings(drop.PROTOCOL, num_drop=2, num_steps=5, **changes)
    bench = comparison(tmp_path, monkeypatch, drop.PROTOCOL)
    drop.run(bench, **own)
    expected = _correct(bench, drop.steps(bench, **own))
    asked = []
    bench.methods = ["ordered"]
    monkeypatch.setitem(METHODS, "ordered", x_method(name="ordered", formula=_ordering(asked), options=("places",)))
    drop.run(bench, **own)
    found = bench.rows.select(["ordered"], bench.clouds, drop.steps(bench, **own), "correct")[0].tolist()
    assert found == expected and set(asked) == {places}


def test_the_published_protocol_classifies_at_0_25_to_200_dropped():
    assert drop.steps(None, **_settings(drop.PROTOCOL)) == list(range(0, 201, 25))
    assert drop.steps(None, num_drop=20, num_steps=4) == [0, 40, 60, 80]


def test_dropping_all_points_is_refused():
    with pytest.raises(InputError, match="`num_drop` 5 in `num_steps` 11"):
        drop.check(64, num_drop=5, num_steps=11)
    drop.check(64, num_drop=5, num_steps=10)


def test_a_protocol_is_named_and_filed_by_the_switches_that_are_on():
    both = _settings(drop.PROTOCOL, drop_neg=True, one_shot=True)
    assert drop.PROTOCOL.title(both) == "--protocol drop --drop_neg --one_shot"
    assert drop.PROTOCOL.folder_name(both) == "drop_lowest_one_shot"
    # A number that equals True is none.
    assert drop.PROTOCOL.title(_settings(drop.PROTOCOL, num_drop=1)) == "--protocol drop"


def test_insert_begins_with_the_hottest(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, insert.PROTOCOL)
    counts = insert.steps(bench)
    assert counts == [1, 2, 4, 5, 8, 10, 15, 20]
    insert.run(bench)
    assert _correct(bench, counts) == [[0, 0, 1, 1, 1, 1, 1, 1]] * 2
    assert bench.classifier.heats == 1


def test_thesis_drops_until_the_object_is_lost(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, thesis.PROTOCOL)
    thesis.run(bench, num_votes=4, eval_every=1, schedule="own", num_drop=24)
    removed = bench.rows.select(["x"], bench.clouds, ["lost"], "points_removed")[0, :, 0]
    after = bench.rows.select(["x"], bench.clouds, ["lost"], "accuracy_after")[0, :, 0]
    # Heats 1 to 9: midrange 5 drops 6 to 9, then 2.5 drops 3 to 5, and two are left. Of 10: 5.5, then 3.
    assert removed.tolist() == [7, 7 + 1] and after.tolist() == [0, 0]


@pytest.mark.parametrize("rotation, num_votes, votes", [("y", None, 7), ("xyz", 3, 3), ("none", None, 1)])
def test_thesis_drops_and_votes_as_the_method_usually_does(tmp_path, monkeypatch, rotation, num_votes, votes):
    bench = comparison(tmp_path, monkeypatch, thesis.PROTOCOL, rotation=rotation)
    monkeypatch.setitem(METHODS, "x", x_method(votes=7, drop_mode="top"))
    counts = []
    monkeypatch.setattr(
        bench.classifier,
        "vote_logits",
        lambda points, rotations: counts.append(len(rotations)) or bench.classifier.logits(points[np.newaxis]),
    )
    thesis.run(bench, num_votes=num_votes, eval_every=1, schedule="own", num_drop=24)
    assert set(counts) == {votes}
    # One by one, until two of the 9 or 10 points with x > 0 are left.
    assert bench.rows.select(["x"], bench.clouds, ["lost"], "points_removed")[0, :, 0].tolist() == [7, 8]


def test_thesis_drops_under_every_schedule(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, thesis.PROTOCOL)
    own = {"num_votes": 4, "eval_every": 1, "schedule": "all", "num_drop": 3}
    steps = thesis.steps(bench, **own)
    assert steps == ["lost", "lost one by one", "lost in steps of 3"]
    thesis.run(bench, **own)
    removed, rounds = (bench.rows.select(["x"], bench.clouds, steps, name)[0] for name in ("points_removed", "rounds"))
    # 9 and 10 points have x > 0; with two of them left the object is lost: by midrange (6 and more go, then 4 and 5,
    # then 3), one by one, in steps of three.
    assert removed.tolist() == [[7, 7, 9], [8, 8, 9]]
    assert rounds.tolist() == [[4, 8, 4], [4, 9, 4]]
    # Another step joins those that are there, which are not dropped again.
    heats = bench.classifier.heats
    thesis.run(bench, **dict(own, num_drop=5))
    assert bench.classifier.heats - heats == 2 * 2
    assert thesis.shown(bench.rows.steps(), **own) == steps
    assert thesis.shown(bench.rows.steps(), schedule="steps", num_drop=5) == ["lost in steps of 5"]
    assert thesis.shown(["lost"], schedule="all", num_drop=24) == ["lost"]


def test_what_usually_drops_one_by_one_does_so_once_for_both_schedules(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, thesis.PROTOCOL)
    monkeypatch.setitem(METHODS, "x", x_method(drop_mode="top"))
    thesis.run(bench, num_votes=1, eval_every=1, schedule="single", num_drop=24)
    single = bench.classifier.heats
    bench.rows = type(bench.rows)(str(tmp_path / "others.csv"), thesis.COLUMNS)
    thesis.run(bench, num_votes=1, eval_every=1, schedule="all", num_drop=19)
    assert bench.classifier.heats == 2 * single + 2
    found = bench.rows.select(["x"], bench.clouds, ["lost", "lost one by one"], "points_removed")[0]
    assert found.tolist() == [[7, 7], [8, 8]]


def test_more_points_a_round_than_there_are_are_refused():
    with pytest.raises(InputError, match="`num_drop` 64: the clouds have 64 points"):
        thesis.check(64, schedule="all", num_drop=64)
    thesis.check(64, schedule="own", num_drop=64)
    assert list(thesis.idle("y", schedule="single")) == ["num_drop"] and thesis.idle("y", schedule="steps") == {}


def test_thesis_compares_the_methods_that_have_scripts():
    assert thesis.PROTOCOL.methods == ("p-grad-cam", "asm")
    assert (METHODS["p-grad-cam"].votes, METHODS["asm"].votes) == (500, 100)
    assert METHODS["asm"].drop_mode == "top" and METHODS["p-grad-cam"].drop_mode in point_drop.DROP_MODES


@pytest.mark.parametrize("trained, turns", [("none", "y"), ("y", "y"), ("xyz", "xyz")])
def test_stability_turns_the_cloud_though_the_network_was_trained_without(trained, turns, tmp_path, monkeypatch, rng):
    bench = comparison(tmp_path, monkeypatch, stability.PROTOCOL, trained_rotation=trained)
    bench.clouds = [cloud._replace(points=rng.uniform(-1, 1, (20, 3)).astype(np.float32)) for cloud in bench.clouds]
    kinds = []
    draw = stability.transforms.draw_rotations
    monkeypatch.setattr(
        stability.transforms, "draw_rotations", lambda kind, count, rng: kinds.append(kind) or draw(kind, count, rng)
    )
    stability.run(bench)
    assert set(kinds) == {turns}
    steps = stability.DISTURBANCES
    correlation, overlap = (
        bench.rows.select(["x"], bench.clouds, steps, name)[0] for name in ("rank_correlation", "top_overlap")
    )
    # Heat x of a point does not depend on the others, moves little by jitter, and much by a turn about y.
    assert (correlation[:, steps.index("half")] > 1 - 1e-9).all() and (overlap[:, steps.index("half")] == 1).all()
    assert (correlation[:, steps.index("jitter")] > 0.95).all()
    assert (correlation[:, steps.index("rotation")] < 0.95).all()


def test_sanity_compares_with_fresh_networks_and_another_class(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, sanity.PROTOCOL, layers=["fc3", "fc2", "conv1"], open_fresh=turned_round)
    sanity.run(bench, draws=1)
    steps = sanity.steps(bench, draws=1)
    assert steps == ["fc3", "fc2", "conv1", "other class"]
    found = bench.rows.select(["x"], bench.clouds, steps, "rank_correlation")[0]
    np.testing.assert_allclose(found, [[1, -1, -1, -1]] * 2)


def test_sanity_draws_fresh_weights_again_and_keeps_what_it_has(tmp_path, monkeypatch):
    opened = []

    def open_fresh(layers, draw):
        opened.append((layers[-1], draw))
        return turned_round(layers, draw)

    bench = comparison(tmp_path, monkeypatch, sanity.PROTOCOL, layers=["fc3", "fc2"], open_fresh=open_fresh)
    sanity.run(bench, draws=1)
    sanity.run(bench, draws=3)
    assert opened == [("fc3", 0), ("fc2", 0), ("fc3", 1), ("fc2", 1), ("fc3", 2), ("fc2", 2)]
    steps = sanity.steps(bench, draws=3)
    assert steps == ["fc3", "fc2", "other class", "fc3 draw 2", "fc2 draw 2", "fc3 draw 3", "fc2 draw 3"]
    found = bench.rows.select(["x"], bench.clouds, steps, "rank_correlation")[0]
    np.testing.assert_allclose(found, [[1, -1, -1, 1, -1, 1, 1]] * 2)
    assert sanity.shown(steps, draws=2) == steps[:5] and sanity.shown(steps[:3], draws=3) == steps[:3]


def test_draws_of_fresh_weights_are_of_one_seed_after_the_other(monkeypatch):
    seeds = []

    @contextlib.contextmanager
    def open_classifier(prefix, name, gpu, names, layers, seed):
        seeds.append(seed)
        yield CountingClassifier()

    monkeypatch.setattr(run, "open_classifier", open_classifier)
    network = types.SimpleNamespace(prefix="", model_name="", class_names=(), digest="1")
    monkeypatch.setattr(CountingClassifier, "network", network, raising=False)
    for seed, draw in ((7, 0), (7, 2), (2**32 - 1, 1)):
        with run._open_fresh(network, -1, seed, ["fc3"], draw):
            pass
    assert seeds == [7, 9, 0]


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, insert.PROTOCOL)
    for count in insert.steps(bench):
        bench.rows.add("x", bench.clouds[0], count, 1, 1.0)
    assert [(method, [cloud.index for cloud in clouds]) for method, clouds in bench.batches(insert.steps(bench))] == [
        ("x", [1])
    ]


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_a_protocol_runs_with_its_own_settings_and_gives_every_step_a_row(name, tmp_path, monkeypatch):
    protocol = PROTOCOLS[name]
    bench = comparison(tmp_path, monkeypatch, protocol, layers=["fc3", "fc2"], open_fresh=turned_round)
    own = _settings(protocol)
    if "num_drop" in own:
        own.update(num_drop=1)
    if "num_steps" in own:
        own.update(num_steps=10)
    protocol.check(bench.num_points, **own)
    assert protocol.idle("y", **own) == {}
    bench.run(protocol, own)
    assert bench.rows.count(["x"], bench.clouds, protocol.steps(bench, **own)) == bench.rows.num_written() > 0
