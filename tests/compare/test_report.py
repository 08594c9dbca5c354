"""Reports: from the files of a comparison alone, numbers before figures, and what they claim."""

import gzip
import json

import numpy as np
import pytest
from report_files import CLASSES, KEPT, METHODS
from report_files import cells as _cells
from report_files import summary as _summary

from utils import files
from utils.clouds.cloud import Cloud
from utils.compare import figures, heats, report, styles, tables
from utils.files import InputError

STEPS = [4, 8, 16]


def _lines(methods=METHODS, classes=CLASSES, num_clouds=2):
    """Rows of insert. The probability is 1 where all points are there, else 0 of random and 0.5 of others."""
    return [
        "{},{},{},{},{},{}".format(method, name, index, step, int(step == 16), _probability(method, step))
        for method in methods
        for name in classes
        for index in range(num_clouds)
        for step in STEPS
    ]


def _probability(method, step):
    return 1 if step == 16 else 0 if method == "random" else 0.5


def _write(folder, lines, methods=METHODS, **changes):
    files.write_json(str(folder / "run.json"), dict(KEPT, methods=methods, **changes))
    (folder / "rows.csv").write_text("\n".join(["method,class,index,step,correct,probability"] + lines) + "\n")
    kept = heats.KeptHeat(str(folder))
    for label, name in enumerate(CLASSES):
        points = np.random.RandomState(label).uniform(-0.5, 0.5, (16, 3)).astype(np.float32)
        for method in methods:
            kept.add(method, Cloud(points, label, name, 0, ""), points[:, 0])
    kept.save()
    return str(folder)


def test_everything_is_drawn_from_the_files(tmp_path, capsys):
    folder = _write(tmp_path, _lines())
    report.write(folder)
    found = _summary(folder)
    # Area by probability of asm: 0.5 over 4 points, then 0.75 on average over 8, of 12; of random 0 and 0.5.
    assert _cells(found, "asm")[-1] == "66.7 ± 0.0" and _cells(found, "random")[-1] == "33.3 ± 0.0"
    assert "4 clouds of 2 classes, 16 points each, rotation `none`; network `pointnet_cls`" in found
    assert _cells(found, "cone") == ["cone", "2", "66.7", "33.3"]
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"summary.md", "curves.png", "bars.png", "clouds.png", "gallery.html"}
    said = capsys.readouterr().out
    assert found in said and "curves.png, bars.png, clouds.png, gallery.html" in said


def test_figures_are_drawn_in_the_format_and_width_that_run_json_asks_for(tmp_path):
    folder = _write(tmp_path, _lines())
    report.write(folder)
    kept = files.read_json(str(tmp_path / "run.json"), "")
    files.write_json(str(tmp_path / "run.json"), dict(kept, figure_format="svg", figure_width=3.46))
    report.write(folder)
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"curves.svg", "bars.svg", "clouds.svg", "gallery.html"}
    # None of before stays, which would show other numbers once rows have been added.
    assert not any(name.endswith(".png") for name in names)
    for name in ("curves", "bars", "clouds"):
        assert 'width="249.12pt"' in (tmp_path / (name + ".svg")).read_text(encoding="utf-8")


def test_the_numbers_are_there_though_a_figure_fails(tmp_path, monkeypatch):
    folder = _write(tmp_path, _lines())

    def fail(*_, **__):
        raise RuntimeError("no font")

    monkeypatch.setattr(figures, "save_curves", fail)
    with pytest.raises(RuntimeError, match="no font"):
        report.write(folder)
    assert _cells(_summary(folder), "asm")[-1] == "66.7 ± 0.0"


def test_packed_rows_and_settings_without_paths_are_reported_alike(tmp_path, capsys):
    folder = _write(tmp_path, _lines())
    report.write(folder)
    before = _summary(folder)
    (tmp_path / "summary.md").unlink()
    with gzip.open(folder + "/rows.csv.gz", "wb") as file:
        file.write((tmp_path / "rows.csv").read_bytes())
    (tmp_path / "rows.csv").unlink()
    (tmp_path / heats.FILE_NAME).unlink()
    capsys.readouterr()
    report.write(folder)
    assert _summary(folder) == before
    assert "Written to {}: rows.csv.gz, summary.md".format(folder) in capsys.readouterr().out
    assert not (tmp_path / "rows.csv").exists()


def test_rows_of_other_methods_classes_and_clouds_are_left_out(tmp_path):
    lines = _lines(["asm", "critical", "random"], ["lamp"] + CLASSES, 3)
    folder = _write(tmp_path, lines)
    report.write(folder)
    found = _summary(folder)
    assert "4 clouds of 2 classes" in found and "| critical" not in found and "lamp" not in found
    assert "There are also rows of critical, 5 more clouds, which the last command did not name" in found
    assert "Not finished" not in found


def test_classes_stand_in_the_order_of_their_labels_whenever_their_rows_came(tmp_path):
    folder = _write(tmp_path, _lines(classes=CLASSES[::-1]))
    found = report.read(folder)
    assert [(cloud.class_name, cloud.index) for cloud in found.clouds] == [
        ("chair", 0),
        ("chair", 1),
        ("cone", 0),
        ("cone", 1),
    ]


def test_steps_stand_in_the_order_of_the_protocol_whenever_their_rows_came(tmp_path):
    # As where a shard was killed, and another process found the rest.
    folder = _write(tmp_path, sorted(_lines(), key=lambda line: "chair" in line)[::-1], steps=["4", "8", "16"])
    assert report.read(folder).steps == ["4", "8", "16"]
    # Of an older version: as they came.
    folder = _write(tmp_path, _lines()[::-1])
    assert report.read(folder).steps == ["16", "8", "4"]


def test_a_folder_of_the_version_before_is_reported_on_without_pictures_of_heat(tmp_path, capsys):
    folder = _write(tmp_path, _lines(), classes=["2", "cone"], quiet=False)
    kept = dict(KEPT, classes=["2", "cone"], pooling="max", num_drop=5)
    kept.pop("class_names")
    files.write_json(folder + "/run.json", kept)
    (tmp_path / heats.FILE_NAME).unlink()
    report.write(folder)
    assert "4 clouds of 2 classes" in _summary(folder)
    assert "holds no heat: the same command without --report adds it" in capsys.readouterr().out
    assert not (tmp_path / "clouds.png").exists()


def test_a_method_that_this_version_does_not_know_is_drawn_as_well(tmp_path):
    methods = ["asm", "shapley", "shapley-2"]
    folder = _write(tmp_path, _lines(methods), methods)
    report.write(folder)
    assert _cells(_summary(folder), "shapley-2")[-1] == "66.7 ± 0.0"
    looks = styles.of(methods)
    assert len({(look.colour, look.marker) for look in looks.values()}) == 3


def test_an_unfinished_comparison_is_reported_on_as_far_as_it_is_whole(tmp_path):
    lines = _lines()
    # The last cloud of random lacks its last row; a third method has none at all.
    folder = _write(tmp_path, lines[:-1], METHODS + ["critical"])
    report.write(folder)
    found = _summary(folder)
    assert "3 clouds of 2 classes" in found and "nan" not in found
    assert "Not finished: 1 cloud lacks rows; there are no rows of critical." in found


@pytest.mark.parametrize("count", [0, 2])
def test_of_no_whole_cloud_there_is_no_report(tmp_path, count):
    folder = _write(tmp_path, _lines()[:count])
    # Steps that no cloud has had yet are unknown: two rows of the first cloud are all of two steps.
    if count:
        (tmp_path / "rows.csv").write_text(
            (tmp_path / "rows.csv").read_text() + "random,chair,0,4,0,0\nrandom,chair,1,8,0,0\n"
        )
    with pytest.raises(InputError, match="holds no cloud with all rows of asm"):
        report.write(folder)
    assert not (tmp_path / "summary.md").exists()


def test_a_folder_without_a_comparison_is_refused(tmp_path):
    with pytest.raises(InputError, match="run.json cannot be read"):
        report.write(str(tmp_path))
    (tmp_path / "run.json").write_text(json.dumps({"protocol": "shake"}))
    with pytest.raises(InputError, match="not of a comparison"):
        report.write(str(tmp_path))


def test_the_best_method_leads_by_its_differences_cloud_by_cloud():
    values = np.array([[3.0, 5.0, 7.0], [1.0, 3.0, 5.0], [2.0, 2.0, 8.0]])
    lead, table = tables.lead(["a", "b", "c"], [1, 2, 0], values, "loss", "least", "points")
    assert lead.startswith("First, but not surely best, by loss (least): b; not told apart from c (from the others")
    # Differences 1, -1, 3: mean 1, standard error 2 / sqrt(3), 4.303 of it on either side for two degrees of freedom;
    # two comparisons together need the 98.75 % point of Student's t, 6.205.
    assert _cells(table, "c") == ["c", "+1.00", "-3.97 to +5.97", "-6.17 to +8.17"]
    assert _cells(table, "a") == ["a", "+2.00", "+2.00 to +2.00", "+2.00 to +2.00"]


def test_a_lead_that_holds_alone_and_not_among_many_is_said():
    # 2 +- 1.37 by t = 2.776 of 4 degrees of freedom; at t = 3.495 of two comparisons +- 1.73, at 5.598 of ten +- 2.77.
    near = 2 + np.sqrt(5) * 0.495 * np.array([-1.0, -1.0, 0.0, 1.0, 1.0])
    few, many = (np.array([np.zeros(5)] + [near] + [np.full(5, 9.0)] * count) for count in (1, 9))
    names = ["best", "near"] + ["far {}".format(number) for number in range(9)]
    lead, table = tables.lead(names, [0, 1, 2], few, "loss", "least", "points")
    assert lead.startswith("Best by loss (least): **best**; told apart from each of the others.")
    assert _cells(table, "near") == ["near", "+2.00", "+0.63 to +3.37", "+0.27 to +3.73"]
    lead, table = tables.lead(names, list(range(11)), many, "loss", "least", "points")
    assert "best; not told apart from near (from the others it is)." in lead and "**" not in lead
    assert _cells(table, "near") == ["near", "+2.00", "+0.63 to +3.37", "-0.77 to +4.77"]
    lead, table = tables.lead(names, [0, 1], few[:2], "loss", "least", "points")
    # Of a single comparison there is nothing to widen.
    assert len(table.splitlines()[0].split("|")) == 5 and "together" not in lead


def test_a_first_method_that_is_worse_on_the_clouds_that_both_have_does_not_lead():
    # 0.5 on two clouds, where the other has 0.6; on the rest, where the first has none, it has 0.2.
    values = np.array([[0.5, 0.5, np.nan, np.nan], [0.6, 0.61, 0.2, 0.2]])
    lead, table = tables.lead(["a", "b"], tables.order(values, True), values, "correlation", "greatest", "")
    assert lead.startswith("First, but not surely best, by correlation (greatest): a; not told apart from b")
    assert _cells(table, "b")[2] == "+0.04 to +0.17"


def test_equal_values_share_a_rank():
    assert tables.ranks(np.array([0.5, 0.75, np.nan, 0.75]), True) == [3, 1, 4, 1]
    assert tables.ranks(np.array([0.5, 0.75, np.nan, 0.75]), False) == [1, 2, 4, 2]


def test_of_one_cloud_or_none_nothing_is_claimed():
    one, none = (
        tables.lead(["a", "b"], [0, 1], values, "loss", "least", "points")
        for values in (np.array([[1.0], [2.0]]), np.full((2, 3), np.nan))
    )
    assert _cells(one[1], "b") == ["b", "+1.00", "one cloud has none"] and none == []
    assert "not surely best, by loss (least): a; not told apart from b." in one[0]
    assert [tables.mean(np.array(values)) for values in ([2.0], [np.nan], [1.0, 3.0])] == ["2.0", "-", "2.0 ± 1.0"]


def test_a_class_all_of_whose_clouds_are_left_out_has_a_dash(tmp_path):
    found = report.read(_write(tmp_path, _lines()))
    values = np.array([[0.5, np.nan, np.nan, np.nan], [0.5, 0.25, 0.25, 0.75]])
    _, table = tables.by_class(found, [0, 1], values, "caption")
    assert _cells(table, "chair") == ["chair", "2", "50.0", "37.5"] and _cells(table, "cone") == [
        "cone",
        "2",
        "-",
        "50.0",
    ]


def test_a_table_keeps_its_cells_whatever_a_class_is_called():
    header, line, row = tables.markdown(["class", "+1.00"], [["a|b", "007"]]).splitlines()
    assert header.split() == ["|", "class", "|", "+1.00", "|"]
    assert line.startswith("|:-") and line.endswith("-:|")
    assert row.split() == ["|", r"a\|b", "|", "007", "|"]
    assert tables.markdown(["class"], [["<img src=x>\n|"]]).splitlines()[2:] == [r"| &lt;img src=x>\\n\| |"]
