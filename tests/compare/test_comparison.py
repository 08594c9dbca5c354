"""Rows that outlive an interruption, and protocols on a network simple enough to count along."""

import argparse

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import provider
from utils.compare import comparison, protocols
from utils.explain import heat
from utils.files import InputError
from utils.network import checkpoint, explainer

CLOUD = provider.Cloud(np.zeros((4, 3), np.float32), 8, "chair", 0, "")


def test_rows_stay_and_are_not_added_twice(tmp_path):
    path = str(tmp_path / "rows.csv")
    rows = comparison.RowFile(path, ("value",))
    rows.add("asm", CLOUD, 25, 0.5)
    assert rows.flush() == 1
    rows.add("asm", CLOUD, 25, 0.75)
    rows.add("asm", CLOUD._replace(index=1), 25, 0.25)
    assert rows.flush() == 1
    with open(path) as file:
        assert file.read() == "method,class,index,step,value\nasm,chair,0,25,0.5\nasm,chair,1,25,0.25\n"
    again = comparison.RowFile(path, ("value",))
    assert again.has("asm", CLOUD, 25) and not again.has("asm", CLOUD, 50)
    found = again.select(["random", "asm"], [CLOUD, CLOUD._replace(index=1)], [25, 50], "value")
    np.testing.assert_array_equal(found, [[[np.nan, np.nan]] * 2, [[0.5, np.nan], [0.25, np.nan]]])


@pytest.mark.parametrize(
    "torn", ["asm,chair,1,2", "asm,chair,1,25,0.5,", "asm,chair,1,25,0.5,1.2e", "asm,chair,1,25,0.5,0.9"]
)
def test_a_torn_last_line_is_forgotten_wherever_it_is_torn(tmp_path, torn):
    path = str(tmp_path / "rows.csv")
    with open(path, "w") as file:
        file.write("method,class,index,step,one,two\nasm,chair,0,25,0.5,1\n" + torn)
    rows = comparison.RowFile(path, ("one", "two"))
    assert len(rows.rows) == 1
    with open(path) as file:
        assert file.read().endswith("0.5,1\n")


def test_rows_count_as_written_once_they_are_in_the_file(tmp_path):
    rows = comparison.RowFile(str(tmp_path / "rows.csv"), ("value",))
    rows.add("asm", CLOUD, 25, 0.5)
    assert rows.num_written() == 0
    rows.flush()
    assert rows.num_written() == 1


@pytest.mark.parametrize(
    "text", ["a letter", "method,class,index,step,other\n", "method,class,index,step,value\nasm,chair,0,25,many\n"]
)
def test_a_file_of_something_else_is_refused_and_kept(tmp_path, text):
    path = str(tmp_path / "rows.csv")
    with open(path, "w") as file:
        file.write(text)
    with pytest.raises(InputError, match="--dump_dir"):
        comparison.RowFile(path, ("value",))
    with open(path) as file:
        assert file.read() == text


class CountingExplainer:
    """Sees class 8 while at least three of the points that are left have x > 0, else class 0."""

    def __init__(self):
        self.heats = 0

    def logits(self, clouds):
        is_seen = (clouds[:, :, 0] > 0).sum(axis=1) >= 3
        logits = np.zeros((len(clouds), 40))
        logits[:, 8] = np.where(is_seen, 1, -1)
        return logits

    def vote_logits(self, points, rotations):
        return np.repeat(self.logits(points[np.newaxis]), len(rotations), axis=0)


def _x_of(counting, clouds, labels, **_):
    counting.heats += 1
    return clouds[:, :, 0]


def _comparison(tmp_path, monkeypatch, protocol, **flags):
    """Two clouds of 20 points, x from -10 to 9 and from -9 to 10 in any order, under a method whose heat is x."""
    monkeypatch.setitem(heat.METHODS, "x", _x_of)
    rng = np.random.RandomState(0)
    clouds = [
        CLOUD._replace(points=np.float32([[x, 0, 0] for x in rng.permutation(20) - low]), index=number)
        for number, low in enumerate((10, 9))
    ]
    flags = argparse.Namespace(
        **dict(
            dict(
                protocol=protocol,
                methods=["x"],
                num_point=20,
                num_drop=1,
                num_steps=10,
                drop_neg=False,
                one_shot=False,
                seed=0,
                pooling="max",
                power=1.0,
                rotation="y",
                num_votes=4,
                eval_every=1,
            ),
            **flags,
        )
    )
    rows = comparison.RowFile(str(tmp_path / "rows.csv"), protocols.PROTOCOLS[protocol].columns)
    return comparison.Comparison(CountingExplainer(), None, clouds, flags, rows, lambda count: None)


def _correct(bench, steps):
    return bench.rows.select(["x"], bench.clouds, steps, "correct")[0].tolist()


def test_drop_takes_the_hottest_first_and_classifies_every_25_points(tmp_path, monkeypatch):
    monkeypatch.setattr(protocols, "CURVE_STEP", 2)
    bench = _comparison(tmp_path, monkeypatch, "drop")
    steps = protocols.dropped_points(bench.flags)
    assert steps == [0, 2, 4, 6, 8, 10]
    protocols.drop(bench)
    # 9 and 10 points have x > 0: after 6 dropped 3 and 4 are left, after 8 one and two.
    assert _correct(bench, steps) == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 0, 0]]
    assert bench.explainer.heats == 10
    seen = bench.rows.select(["x"], bench.clouds, [0, 10], "probability")[0, 0]
    assert seen == pytest.approx([np.e / (np.e + 39), np.exp(-1) / (np.exp(-1) + 39)], rel=1e-5)


def test_drop_of_the_coldest_loses_nothing_here_and_one_shot_takes_heat_once(tmp_path, monkeypatch):
    bench = _comparison(tmp_path, monkeypatch, "drop", drop_neg=True, one_shot=True, num_drop=5, num_steps=2)
    protocols.drop(bench)
    assert _correct(bench, protocols.dropped_points(bench.flags)) == [[1, 1], [1, 1]]
    assert bench.explainer.heats == 1


def test_the_published_protocol_classifies_at_0_25_to_200_dropped():
    flags = argparse.Namespace(num_drop=5, num_steps=40)
    assert protocols.dropped_points(flags) == list(range(0, 201, 25))
    flags = argparse.Namespace(num_drop=20, num_steps=4)
    assert protocols.dropped_points(flags) == [0, 40, 60, 80]


def test_dropping_all_points_is_refused():
    flags = argparse.Namespace(protocol="drop", num_point=64, num_drop=5, num_steps=11)
    with pytest.raises(InputError, match="--num_drop 5 in --num_steps 11"):
        protocols.check_flags(flags)
    flags.num_steps = 10
    protocols.check_flags(flags)


def test_insert_begins_with_the_hottest(tmp_path, monkeypatch):
    bench = _comparison(tmp_path, monkeypatch, "insert")
    counts = protocols.inserted_points(bench.flags)
    assert counts == [1, 2, 4, 5, 8, 10, 15, 20]
    protocols.insert(bench)
    assert _correct(bench, counts) == [[0, 0, 1, 1, 1, 1, 1, 1]] * 2
    assert bench.explainer.heats == 1


def test_thesis_drops_until_the_object_is_lost(tmp_path, monkeypatch):
    bench = _comparison(tmp_path, monkeypatch, "thesis")
    protocols.thesis(bench)
    removed = bench.rows.select(["x"], bench.clouds, ["lost"], "points_removed")[0, :, 0]
    after = bench.rows.select(["x"], bench.clouds, ["lost"], "accuracy_after")[0, :, 0]
    # Heats 1 to 9: midrange 5 drops 6 to 9, then 2.5 drops 3 to 5, and two are left. Of 10: 5.5, then 3.
    assert removed.tolist() == [7, 7 + 1] and after.tolist() == [0, 0]


def test_stability_turns_the_cloud_though_the_network_was_trained_without(tmp_path, monkeypatch, rng):
    bench = _comparison(tmp_path, monkeypatch, "stability")
    bench.network = argparse.Namespace(config={"rotation": "none"})
    bench.clouds = [cloud._replace(points=rng.uniform(-1, 1, (20, 3)).astype(np.float32)) for cloud in bench.clouds]
    protocols.stability(bench)
    steps = protocols.DISTURBANCES
    correlation, overlap = (
        bench.rows.select(["x"], bench.clouds, steps, name)[0] for name in ("rank_correlation", "top_overlap")
    )
    # Heat x of a point does not depend on the others, moves little by jitter, and much by a turn about y.
    assert (correlation[:, steps.index("half")] > 1 - 1e-9).all() and (overlap[:, steps.index("half")] == 1).all()
    assert (correlation[:, steps.index("jitter")] > 0.95).all()
    assert (correlation[:, steps.index("rotation")] < 0.95).all()


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    bench = _comparison(tmp_path, monkeypatch, "insert")
    for count in protocols.inserted_points(bench.flags):
        bench.rows.add("x", bench.clouds[0], count, 1, 1.0)
    assert [
        (method, [cloud.index for cloud in clouds])
        for method, clouds in bench.batches(protocols.inserted_points(bench.flags))
    ] == [("x", [1])]


def test_views_turn_each_cloud_its_own_way_whatever_else_is_there(rng):
    clouds = [CLOUD._replace(points=rng.standard_normal((6, 3)).astype(np.float32), index=index) for index in range(2)]
    both, alone = protocols.turn_clouds(clouds, "xyz", 3), protocols.turn_clouds(clouds[1:], "xyz", 3)
    np.testing.assert_array_equal(both[1].points, alone[0].points)
    for before, after in zip(clouds, both):
        np.testing.assert_allclose(after.points.dot(after.points.T), before.points.dot(before.points.T), atol=1e-5)
        assert not np.allclose(before.points, after.points, atol=0.05)
    np.testing.assert_array_equal(protocols.turn_clouds(clouds, "none", 3)[0].points, clouds[0].points)


def test_fresh_layers_forget_and_the_others_stay(tiny_log, rng):
    prefix = checkpoint.find(None, tiny_log)
    clouds = rng.uniform(-0.7, 0.7, (2, 64, 3)).astype(np.float32)
    layers = protocols.sanity_steps(None, "pointnet_cls_basic")[:-1]

    def answers(fresh_layers, seed=0):
        with checkpoint.restore(prefix, gpu=-1, fresh_layers=fresh_layers, seed=seed) as network:
            found = explainer.Explainer(network)
            return found.sums_per_point(["features"], clouds, 0)[0], found.logits(clouds)

    features, logits = answers(())
    same_features, other_logits = answers(layers[:3])
    np.testing.assert_allclose(same_features, features, rtol=1e-5)
    assert not np.allclose(other_logits, logits, rtol=0.1)
    other_features, _ = answers(layers[:4])
    assert not np.allclose(other_features, features, rtol=0.1)
    np.testing.assert_array_equal(answers(layers)[1], answers(layers)[1])
    assert not np.allclose(answers(layers)[1], answers(layers, seed=1)[1], rtol=0.1)


def test_a_network_of_fresh_layers_alone_owes_nothing_to_its_checkpoint(tiny_log, tmp_path, rng):
    clouds = rng.uniform(-0.7, 0.7, (2, 64, 3)).astype(np.float32)
    layers = protocols.sanity_steps(None, "pointnet_cls_basic")[:-1]
    prefix = checkpoint.find(None, tiny_log)
    other = str(tmp_path / "model.ckpt")
    with tf.Graph().as_default(), tf.Session() as session:
        reader = tf.train.NewCheckpointReader(prefix)
        variables = [
            tf.get_variable(name, initializer=3 + 0 * reader.get_tensor(name))
            for name in reader.get_variable_to_shape_map()
        ]
        session.run(tf.global_variables_initializer())
        checkpoint.save(session, tf.train.Saver(variables), other)
    logits = []
    for path in (prefix, other):
        with checkpoint.restore(path, gpu=-1, fresh_layers=layers) as network:
            logits.append(explainer.Explainer(network).logits(clouds))
    np.testing.assert_array_equal(*logits)
