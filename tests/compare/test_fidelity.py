"""`fidelity`: on a network on which taking points away is exactly additive, and by brute force on one that is not."""

import numpy as np
import pytest
from counting import CLOUD, CountingClassifier, comparison, x_method

from utils import metrics
from utils.compare import fidelity
from utils.compare.report import Results
from utils.explain.methods import METHODS
from utils.files import InputError


class LinearClassifier(CountingClassifier):
    """Sees class 8 with probability 0.5 + the sum of x / 1000, else class 0: every point adds its share."""

    def logits(self, clouds):
        probability = 0.5 + clouds[:, :, 0].astype(np.float64).sum(axis=1) / 1000
        logits = np.full((len(clouds), 40), -1e9)
        logits[:, 8], logits[:, 0] = np.log(probability), np.log(1 - probability)
        return logits


@pytest.fixture
def bench(tmp_path, monkeypatch, rng):
    found = comparison(tmp_path, monkeypatch, fidelity.PROTOCOL)
    found.classifier = LinearClassifier()
    found.clouds = [cloud._replace(points=rng.uniform(-1, 1, (40, 3)).astype(np.float32)) for cloud in found.clouds]
    return found


def _rows(bench, name, method="x"):
    return bench.rows.select([method], bench.clouds, [fidelity.WHOLE], name)[0, :, 0]


@pytest.mark.parametrize("factor", [1, 250, -3])
def test_heat_that_says_what_every_point_adds_has_no_infidelity_whatever_its_unit(factor, bench, monkeypatch):
    monkeypatch.setitem(METHODS, "x", x_method(formula=lambda points: factor * points[:, :, 0]))
    fidelity.run(bench, perturbations=64)
    for name in fidelity.INFIDELITY + fidelity.RELATIVE:
        np.testing.assert_allclose(_rows(bench, name), 0, atol=1e-9)
    np.testing.assert_allclose(_rows(bench, "rank_correlation"), np.sign(factor))


def test_heat_of_nothing_explains_nothing(bench, monkeypatch):
    monkeypatch.setitem(METHODS, "x", x_method(formula=lambda points: 0 * points[:, :, 0]))
    fidelity.run(bench, perturbations=10)
    for kind, part in zip(fidelity.KINDS, (slice(0, 5), slice(5, 10), slice(0, 10))):
        assert _rows(bench, "relative_" + kind).tolist() == [1, 1]
        for cloud, found in zip(bench.clouds, _rows(bench, "infidelity_" + kind)):
            removed = fidelity.draw_perturbations(cloud, bench.seed, 10)
            falls = [sum(cloud.points[points, 0].tolist()) / 1000 for points in removed[part]]
            assert found == pytest.approx(np.mean(np.square(falls)), rel=1e-5)
    assert np.isnan(_rows(bench, "rank_correlation")).all()


@pytest.mark.parametrize(
    "sums, drops, found, relative",
    [
        ([1, 2], [2, 4], 0, 0),
        ([1, 1], [1, -1], 1, 1),
        ([1, 1], [1, 0], 0.25, 0.5),
        ([0, 0], [3, 4], 12.5, 1),
        # The best factor, (3 + 8) / (1 + 4) = 2.2, leaves 0.8 and -0.4.
        ([1, 2], [3, 4], (0.64 + 0.16) / 2, 0.4 / 12.5),
    ],
)
def test_infidelity_by_hand(sums, drops, found, relative):
    assert fidelity.infidelity(np.array(sums, float), np.array(drops, float)) == pytest.approx((found, relative))


def test_the_best_factor_is_that_of_least_squares(rng):
    sums, drops = rng.standard_normal((2, 30))
    rest = np.linalg.lstsq(sums[:, np.newaxis], drops, rcond=None)[1][0]
    assert fidelity.infidelity(sums, drops) == pytest.approx((rest / 30, rest / (drops**2).sum()))


def test_where_the_probability_never_moves_there_is_nothing_to_explain():
    found, relative = fidelity.infidelity(np.array([1.0, 2.0]), np.zeros(2))
    assert found == 0 and np.isnan(relative)


def test_half_of_the_perturbations_are_patches_and_all_have_one_of_five_sizes(rng):
    cloud = CLOUD._replace(points=rng.uniform(-1, 1, (100, 3)).astype(np.float32))
    removed = fidelity.draw_perturbations(cloud, 0, 200)
    assert removed.shape == (200, 100) and set(removed.sum(axis=1)) == {5, 10, 15, 20, 25}
    distances = np.linalg.norm(cloud.points[:, np.newaxis] - cloud.points, axis=2)

    def is_patch(points):
        """Whether any point has all of these nearer than all others."""
        return any(row[points].max() < row[~points].min() for row in distances)

    assert all(map(is_patch, removed[:100])) and not any(map(is_patch, removed[100:]))
    assert len(np.unique(removed, axis=0)) > 150
    # They follow from the cloud and the seed alone.
    np.testing.assert_array_equal(removed, fidelity.draw_perturbations(cloud, 0, 200))
    for other in (
        fidelity.draw_perturbations(cloud, 1, 200),
        fidelity.draw_perturbations(cloud._replace(index=1), 0, 200),
    ):
        assert (removed != other).any()


def test_falls_are_those_of_one_cloud_after_the_other_with_points_really_gone(rng):
    points = rng.uniform(-1, 1, (3, 20, 3)).astype(np.float32)
    clouds = [CLOUD._replace(points=one, index=index) for index, one in enumerate(points)]
    removed = np.stack([fidelity.draw_perturbations(cloud, 0, 12) for cloud in clouds])
    labels, classifier = np.array([8, 0, 8]), LinearClassifier()
    found = fidelity.probability_drops(classifier, points, labels, removed)
    for place, label in enumerate(labels):
        for number in range(12):
            left = points[place][~removed[place, number]]
            before, after = (
                metrics.softmax(classifier.logits(one[np.newaxis])[0])[label] for one in (points[place], left)
            )
            assert found[place, number] == pytest.approx(before - after, abs=1e-12)
    assert len(np.unique(removed.sum(axis=2))) > 2


def test_what_heat_is_measured_by_is_found_once_for_all_methods(bench, monkeypatch):
    asked = []
    monkeypatch.setitem(METHODS, "y", x_method(name="y", formula=lambda points: points[:, :, 1]))
    found = fidelity.references
    monkeypatch.setattr(
        fidelity, "references", lambda bench, clouds, count: asked.append(len(clouds)) or found(bench, clouds, count)
    )
    clouds, bench.clouds = bench.clouds, bench.clouds[:1]
    bench.methods = ["x"]
    bench.run(fidelity.PROTOCOL, {"perturbations": 4})
    bench.clouds, bench.methods = clouds, ["x", "y"]
    bench.run(fidelity.PROTOCOL, {"perturbations": 4})
    bench.run(fidelity.PROTOCOL, {"perturbations": 4})
    # One cloud, then both, as the first lacks a method; then none.
    assert asked == [1, 2]
    assert bench.rows.count(["x", "y"], clouds, [fidelity.WHOLE]) == bench.rows.num_written() == 4


def test_a_report_ranks_methods_and_says_which_clouds_have_no_value(bench, monkeypatch):
    monkeypatch.setitem(METHODS, "y", x_method(name="y", formula=lambda points: 0 * points[:, :, 1]))
    bench.methods = ["y", "x"]
    fidelity.run(bench, perturbations=8)
    results = Results(None, bench.rows, tuple(bench.methods), bench.clouds, [fidelity.WHOLE], 0)
    found = fidelity.report(results, perturbations=8)
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.blocks[1].splitlines()]
    assert table[0][:4] == ["method", "relative, patches", "relative, sets", "relative, together"]
    assert table[2][:4] == ["x"] + ["0.000 ± 0.000"] * 3 and table[2][-1] == "1.000 ± 0.000"
    assert table[3][4].split(" ± ")[0] == "{:.2g}".format(_rows(bench, "infidelity_patches", "y").mean())
    assert table[3][:4] == ["y"] + ["1.000 ± 0.000"] * 3 and table[3][-1] == "-"
    assert found.blocks[2] == "Clouds left out: in the rank correlation, as all points have the same heat, 2 of y."
    assert "Best by relative infidelity (least): **x**" in found.blocks[3]


def test_too_few_perturbations_are_refused():
    with pytest.raises(InputError, match="`perturbations` 3: give at least 4"):
        fidelity.check(1024, perturbations=3)
    fidelity.check(1024, perturbations=4)
