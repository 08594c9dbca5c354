"""Reports of `sanity` and `thesis`: several draws and schedules, and folders that have fewer of them."""

import numpy as np
import pytest
from report_files import CLASSES, KEPT, cells, summary

from utils import files
from utils.compare import report, sanity, thesis
from utils.files import InputError


def _sanity_folder(folder, values, **changes):
    """A comparison by sanity of one layer: values is a dictionary from step to its correlations of four clouds."""
    lines = [
        "asm,{},{},{},{}".format(CLASSES[place // 2], place % 2, step, value)
        for step, found in values.items()
        for place, value in enumerate(found)
    ]
    (folder / "rows.csv").write_text("\n".join(["method,class,index,step,rank_correlation"] + lines) + "\n")
    files.write_json(str(folder / "run.json"), dict(KEPT, protocol="sanity", methods=["asm"], **changes))
    return str(folder)


def test_sanity_shows_what_differs_between_draws_beside_what_differs_between_clouds(tmp_path):
    draws = {"fc3": [0.1, 0.3, 0.1, 0.3], "other class": [0] * 4, "fc3 draw 2": [0.5] * 4, "fc3 draw 3": [0.5] * 4}
    folder = _sanity_folder(tmp_path, draws, draws=3)
    report.write(folder)
    # Means over the draws of the clouds: 11 / 30, 13 / 30, twice. Their standard error: (1 / 30) / sqrt(3) = 0.019.
    # Means over the clouds of the draws: 0.2, 0.5, 0.5; their standard deviation is 0.3 / sqrt(3) = 0.173.
    assert cells(summary(folder), "asm") == ["asm", "0.400 ± 0.019 (0.173)", "0.000 ± 0.000"]
    assert "3 draws of the fresh weights" in summary(folder)
    files.write_json(folder + "/run.json", dict(KEPT, protocol="sanity", methods=["asm"], draws=2))
    report.write(folder)
    assert cells(summary(folder), "asm")[1] == "0.350 ± 0.029 (0.212)"


def test_sanity_of_the_version_before_is_of_one_draw_and_says_so(tmp_path):
    folder = _sanity_folder(tmp_path, {"fc3": [0.1, 0.3, "nan", 0.3], "other class": [0] * 4})
    report.write(folder)
    found = summary(folder)
    assert cells(found, "asm") == ["asm", "0.233 ± 0.067", "0.000 ± 0.000"] and "one draw" in found
    assert "| asm      |     1 |             0 |" in found


def test_sanity_that_is_not_finished_says_so_and_takes_no_layer_for_the_last(tmp_path):
    values = {"fc3": [0.5] * 4, "fc2": [0.25] * 4, "other class": [0] * 4}
    steps = ["fc3", "fc2", "conv1", "other class", "fc3 draw 2", "fc2 draw 2", "conv1 draw 2"]
    folder = _sanity_folder(tmp_path, values, steps=steps, draws=2)
    report.write(folder)
    assert "Not finished: there are no rows yet of conv1, fc3 draw 2, fc2 draw 2, conv1 draw 2." in summary(folder)
    results = report.read(folder)
    assert [one.name for one in sanity.measures(results)] == [
        "rank correlation, the first layer re-initialised",
        "rank correlation, other class",
    ]
    (_, bars) = sanity.report(results).figures
    assert list(bars.save.keywords["series"]) == ["other class"]


@pytest.mark.parametrize("steps", [["fc3"], ["other class"], ["fc3", "fc3 draw two"]])
def test_sanity_is_reported_on_as_far_as_it_is_there(steps, tmp_path):
    folder = _sanity_folder(tmp_path, {step: [0.5] * 4 for step in steps})
    report.write(folder)
    assert cells(summary(folder), "asm") == ["asm"] + ["0.500 ± 0.000"] * len(steps)


def test_the_error_of_a_mean_counts_clouds_and_draws():
    values = np.array([[[0.1, 0.5, 0.5], [0.3, 0.5, 0.5], [0.1, 0.5, 0.5], [0.3, 0.5, 0.5]]])
    mean, error = sanity._mean_and_error(values)
    assert (mean[0], error[0]) == (pytest.approx(0.4), pytest.approx(np.sqrt((1 / 30) ** 2 / 3 + 0.1**2)))


def _thesis_folder(folder, removed, **changes):
    """A comparison by thesis: removed is a dictionary from (method, step) to the points removed of four clouds.

    The last cloud was not recognised before; where 1000 points were removed, the object was not lost, and of 1024 none
    was left.
    """
    lines = [
        "{},{},{},{},{},9,{},{},1".format(
            method,
            CLASSES[place // 2],
            place % 2,
            step,
            count,
            0.4 if place == 3 else 0.9,
            {1000: 0.6, 1024: "nan"}.get(count, 0.5),
        )
        for (method, step), found in removed.items()
        for place, count in enumerate(found)
    ]
    (folder / "rows.csv").write_text("\n".join(["method,class,index,step," + ",".join(thesis.COLUMNS)] + lines) + "\n")
    files.write_json(str(folder / "run.json"), dict(KEPT, protocol="thesis", **changes))
    return str(folder)


def _thesis_rows(text):
    """(method, dropped, mean of all, mean and median of the recognised, never lost) of each row of the table."""
    lines = [line for line in text.splitlines() if line.startswith(("| asm ", "| random "))]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [tuple(row[:2] + [row[2].split()[0], row[3].split()[0], row[4], row[8]]) for row in cells if len(row) == 9]


def test_thesis_shows_each_method_under_each_schedule_with_medians(tmp_path):
    folder = _thesis_folder(
        tmp_path,
        {
            ("asm", "lost"): [10, 20, 1000, 0],
            ("random", "lost"): [400, 500, 600, 0],
            ("asm", "lost one by one"): [10, 20, 1000, 0],
            ("random", "lost one by one"): [30, 60, 90, 0],
            ("asm", "lost in steps of 24"): [24, 48, 48, 0],
            ("random", "lost in steps of 24"): [48, 72, 24, 0],
            ("asm", "lost in steps of 7"): [7, 7, 7, 0],
        },
    )
    report.write(folder)
    assert _thesis_rows(summary(folder)) == [
        # The one that is never lost moves the mean, not the median.
        ("asm", "as usual", "257.5", "343.3", "20.0", "1"),
        ("random", "as usual", "375.0", "500.0", "500.0", "0"),
        ("random", "one by one", "45.0", "60.0", "60.0", "0"),
        ("asm", "one by one", "257.5", "343.3", "20.0", "1"),
        ("asm", "24 a round", "30.0", "40.0", "48.0", "0"),
        ("random", "24 a round", "36.0", "48.0", "48.0", "0"),
    ]
    assert "dropped one by one (least): random; not told apart from asm." in summary(folder)
    assert cells(summary(folder), "cone 0")[2:] == ["1000", "1000", "48", "600", "90", "24"]
    assert (tmp_path / "points_removed.png").exists()


def test_an_object_of_which_no_point_was_left_was_never_lost(tmp_path):
    folder = _thesis_folder(tmp_path, {("asm", "lost"): [10, 20, 1024, 0], ("random", "lost"): [1000, 1024, 3, 0]})
    report.write(folder)
    assert [row[5] for row in _thesis_rows(summary(folder))] == ["1", "2"]
    (figure,) = thesis.report(report.read(folder)).figures
    (panel,) = figure.save.keywords["panels"].values()
    assert panel["random"][1].tolist() == [False, False, True, True]


def test_thesis_of_the_version_before_is_reported_under_the_schedule_that_it_has(tmp_path):
    found = {("asm", "lost"): [10, 20, 30, 0], ("random", "lost"): [40, 50, 60, 0]}
    folder = _thesis_folder(tmp_path, found, num_drop=5, num_votes=100)
    report.write(folder)
    assert [row[:2] for row in _thesis_rows(summary(folder))] == [("asm", "as usual"), ("random", "as usual")]


def test_a_schedule_without_rows_is_no_report(tmp_path):
    folder = _thesis_folder(tmp_path, {("asm", "lost"): [10, 20, 30, 0]}, schedule="single")
    with pytest.raises(InputError, match="holds no cloud with all rows of asm"):
        report.write(folder)
