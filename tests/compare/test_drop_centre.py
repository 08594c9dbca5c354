"""`drop --remove centre`: points move to the median of the whole cloud, followed by hand."""

import numpy as np
import pytest
from counting import comparison

from utils.compare import drop
from utils.compare.report import Results

OWN = {"num_drop": 5, "num_steps": 2, "drop_neg": False, "one_shot": False, "remove": "centre"}


def _seen(bench, monkeypatch, **changes):
    """Runs the protocol; sorted x of each cloud at every step: list of arrays [2, 20]."""
    seen = []
    logits = bench.classifier.logits
    monkeypatch.setattr(
        bench.classifier, "logits", lambda points: seen.append(np.sort(points[:, :, 0])) or logits(points)
    )
    drop.run(bench, **dict(OWN, **changes))
    return seen


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Clouds with x from -10 to 9 and from -9 to 10: their medians are -0.5 and 0.5."""
    monkeypatch.setattr(drop, "CURVE_STEP", 5)
    return comparison(tmp_path, monkeypatch, drop.PROTOCOL)


def test_points_go_to_the_median_of_the_whole_cloud_and_are_not_chosen_again(bench, monkeypatch):
    seen = _seen(bench, monkeypatch, num_steps=3)
    assert [one.shape for one in seen] == [(2, 20)] * 4
    # The second round passes over the five at -0.5, whose heat is greater than that of -1; so does the third.
    np.testing.assert_array_equal(seen[1][0], sorted(list(range(-10, 5)) + [-0.5] * 5))
    np.testing.assert_array_equal(seen[2][0], sorted(list(range(-10, 0)) + [-0.5] * 10))
    np.testing.assert_array_equal(seen[3][0], sorted(list(range(-10, -5)) + [-0.5] * 15))
    np.testing.assert_array_equal(seen[3][1], list(range(-9, -4)) + [0.5] * 15)
    # The first cloud is lost with its points of x > 0; those of the second stay above 0, at its centre.
    correct = bench.rows.select(["x"], bench.clouds, [0, 5, 10, 15], "correct")[0]
    assert correct.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]


def test_heat_is_taken_anew_of_the_whole_cloud_with_the_points_where_they_are_now(bench, monkeypatch):
    asked = []
    quantities = bench.classifier.quantities
    monkeypatch.setattr(
        bench.classifier,
        "quantities",
        lambda names, clouds, *rest, **options: (
            asked.append(np.sort(clouds[0, :, 0])) or quantities(names, clouds, *rest, **options)
        ),
    )
    seen = _seen(bench, monkeypatch)
    np.testing.assert_array_equal(asked, [one[0] for one in seen[:2]])
    assert bench.classifier.heats == 2


@pytest.mark.parametrize("one_shot", [False, True])
def test_the_coldest_go_to_the_centre_too(bench, monkeypatch, one_shot):
    seen = _seen(bench, monkeypatch, drop_neg=True, one_shot=one_shot)
    # From below the order is that of x, whether the heat of those that were moved is known anew or not.
    np.testing.assert_array_equal(seen[2][0], [-0.5] * 10 + list(range(10)))
    assert bench.classifier.heats == (1 if one_shot else 2)


def test_points_that_go_away_are_those_that_else_go_to_the_centre(bench, monkeypatch):
    away = _seen(bench, monkeypatch, remove="away")
    assert [one.shape for one in away] == [(2, 20), (2, 15), (2, 10)]
    np.testing.assert_array_equal(away[2][0], range(-10, 0))


def test_the_report_says_that_points_were_moved(bench, monkeypatch):
    _seen(bench, monkeypatch)
    results = Results(None, bench.rows, ("x",), bench.clouds, ["0", "5", "10"], 0)
    found = drop.report(results, **OWN)
    assert "after moving the hottest points to the cloud's centre, heat taken anew after every 5" in found.blocks[0]
    assert found.figures[0].save.keywords["xlabel"] == "hottest points moved to the cloud's centre"
    assert "after dropping the hottest points, heat" in drop.report(results, **dict(OWN, remove="away")).blocks[0]


def test_it_has_a_folder_and_a_title_of_its_own():
    assert drop.PROTOCOL.folder_name(OWN) == "drop_centre"
    assert drop.PROTOCOL.title(dict(OWN, one_shot=True)) == "--protocol drop --one_shot --remove centre"
    assert drop.PROTOCOL.folder_name(dict(OWN, remove="away")) == "drop"
