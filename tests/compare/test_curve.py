"""`curve`: both orders of removal, followed by hand on clouds whose object is lost with its third point of x > 0."""

import numpy as np
import pytest
from counting import comparison, x_method

from utils.compare import curve, insert
from utils.compare.report import Results
from utils.explain.methods import METHODS

SEEN, LOST = np.e / (np.e + 39), np.exp(-1) / (np.exp(-1) + 39)  # probabilities of the class
HALF = 10  # 500 of 1024 is 9.8 of 20 points


class _Settings:
    num_points = 20


def _results(bench, anew):
    return Results(_Settings, bench.rows, ("x",), bench.clouds, curve.steps(bench, anew), 0)


def _row(found):
    """Means in the first line of the table by their column."""
    header, _, line = found.blocks[1].splitlines()
    cells = [cell.strip().split(" ± ")[0] for cell in line.strip("|").split("|")]
    return dict(zip((name.strip() for name in header.strip("|").split("|")), cells))


def test_steps_of_five_percent_end_where_points_are_left():
    counts = curve.removed_counts(1024)
    assert counts[:3] == [0, 51, 102] and counts[-1] == 972 and len(counts) == 20
    assert curve.removed_counts(10) == list(range(10))
    assert curve.many(1024) == 500 and curve.many(20) == HALF


def test_the_hottest_go_first_and_then_the_coldest(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, curve.PROTOCOL)
    curve.run(bench, anew=False)
    assert bench.classifier.heats == 1
    correct = {}
    for order in (curve.HOTTEST, curve.COLDEST):
        steps = [curve.step(order, count) for count in range(1 if order == curve.COLDEST else 0, 20)]
        correct[order] = bench.rows.select(["x"], bench.clouds, steps, "correct")[0]
    # 9 and 10 points have x > 0; three of them must be left.
    assert correct[curve.HOTTEST].sum(axis=1).tolist() == [7, 8]
    assert correct[curve.COLDEST].sum(axis=1).tolist() == [17, 17]
    assert bench.rows.select(["x"], bench.clouds, [curve.step(curve.ONCE, HALF)], "correct")[0].tolist() == [[0], [0]]
    assert bench.rows.count(["x"], bench.clouds, curve.steps(bench, False)) == len(bench.rows.rows) == 2 * 40


def test_areas_difference_and_aopc_are_those_found_by_hand(tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, curve.PROTOCOL)
    curve.run(bench, anew=False)
    row = _row(curve.report(_results(bench, False), anew=False))
    # Of 19 steps seven heights are 1, so six trapezoids and a half; eight of the other cloud. Insertion: 17 and a half.
    deletion, insertion = (6.5 + 7.5) / 2 / 19, 17.5 / 19
    assert float(row["deletion, accuracy"]) == round(100 * deletion, 1)
    assert float(row["insertion, accuracy"]) == round(100 * insertion, 1)
    assert float(row["difference, accuracy"]) == round(100 * (insertion - deletion), 1)
    by_probability = (SEEN - LOST) * (insertion - deletion)
    assert float(row["difference, probability"]) == pytest.approx(100 * by_probability, abs=0.05)
    # The probability is lost at 13 and 12 of 20 steps, the whole cloud among them.
    assert float(row["AOPC"]) == pytest.approx(100 * (SEEN - LOST) * 12.5 / 20, abs=0.05)
    assert row["accuracy, 10 gone at once"] == "0.0" and "accuracy, in 20 rounds" not in row


def test_aopc_is_the_mean_loss_over_the_steps():
    np.testing.assert_allclose(
        curve.aopc(np.array([[0.9, 0.6, 0.1], [0.5, 0.5, 0.7]])), [(0 + 0.3 + 0.8) / 3, -0.2 / 3]
    )


def _by_distance(points):
    """Heat that changes as points go: the distance from the mean of those that are left."""
    return np.abs(points[:, :, 0] - points[:, :, 0].mean(axis=1, keepdims=True))


def _brute_force(points, heat_of, drops):
    """x of what is left once each of `drops` has taken its hottest, each found anew."""
    left = points[:, 0].tolist()
    for count in drops:
        heat = heat_of(np.array(left, np.float32)[np.newaxis, :, np.newaxis])[0].tolist()
        hottest = sorted(range(len(left)), key=lambda index: -heat[index])[:count]
        left = [x for index, x in enumerate(left) if index not in hottest]
    return sorted(left)


def test_many_points_go_in_rounds_with_the_heat_of_what_is_left(tmp_path, monkeypatch, rng):
    bench = comparison(tmp_path, monkeypatch, curve.PROTOCOL)
    monkeypatch.setitem(METHODS, "x", x_method(formula=_by_distance))
    bench.clouds = [
        cloud._replace(points=np.float32(rng.exponential(1, (20, 3)) * [[1], [-1]][cloud.index]))
        for cloud in bench.clouds
    ]
    classified = []
    logits = bench.classifier.logits
    monkeypatch.setattr(bench.classifier, "logits", lambda points: classified.append(points) or logits(points))
    curve.run(bench, anew=True)
    # Of 20 points 10 go in 20 rounds: every other round takes one.
    for cloud, points in zip(bench.clouds, classified[-1]):
        expected = _brute_force(cloud.points, _by_distance, [0, 1] * 10)
        np.testing.assert_array_equal(np.sort(points[:, 0]), expected)
        assert expected != _brute_force(cloud.points, _by_distance, [10])
    assert bench.classifier.heats == 10
    row = _row(curve.report(_results(bench, True), anew=True))
    assert float(row["accuracy, in 20 rounds"]) == 100 * np.mean([(one[:, 0] > 0).sum() >= 3 for one in classified[-1]])


def test_the_published_rounds_take_25_points_each():
    count = curve.many(1024)
    taken = [count * (number + 1) // curve.ROUNDS - count * number // curve.ROUNDS for number in range(curve.ROUNDS)]
    assert taken == [25] * 20


def test_heat_taken_anew_has_a_folder_of_its_own():
    assert curve.PROTOCOL.folder_name({"anew": True}) == "curve_anew"
    assert curve.PROTOCOL.title({"anew": True}) == "--protocol curve --anew"


@pytest.mark.parametrize("protocol", (curve, insert))
def test_what_is_left_stands_in_the_order_of_the_cloud(protocol, tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, protocol.PROTOCOL)
    seen, logits = [], bench.classifier.logits
    monkeypatch.setattr(bench.classifier, "logits", lambda clouds: seen.extend(clouds) or logits(clouds))
    protocol.run(bench, **{setting.name: False for setting in protocol.PROTOCOL.settings})
    assert len(seen) > 10
    for number, part in enumerate(seen):
        whole = bench.clouds[number % 2].points.tolist()
        places = [whole.index(point) for point in part.tolist()]
        assert places == sorted(places)
