"""Several networks side by side: from folders of one protocol, and refused where nobody can compare them."""

import os
import zlib

import numpy as np
import pytest

from utils import files
from utils.clouds.cloud import Cloud
from utils.compare import heats, network_figures, networks, report
from utils.compare.protocols import PROTOCOLS
from utils.files import InputError

METHODS = ["random", "asm", "critical"]
CLASSES = ["chair", "cone"]
KEPT = {
    "protocol": "insert",
    "methods": METHODS,
    "classes": CLASSES,
    "class_names": CLASSES,
    "per_class": 2,
    "num_point": 16,
    "rotation": "none",
    "seed": 0,
    "model": "pointnet_cls",
    "data": "d" * 64,
    "power": 1.0,
    "colormap": "viridis",
    "scale": "rank",
}
# By how much the probability of a method is below that of ASM on each of three networks, on average.
BEHIND = {"asm": (0, 0, 0), "critical": (0.05, -0.05, 0.15), "random": (0.1, 0.2, 0.3)}
CLOUDS = {("chair", 0): -0.02, ("chair", 1): 0, ("cone", 0): 0, ("cone", 1): 0.02}


def _write(folder, rows, columns=("correct", "probability"), **changes):
    """Writes a comparison of rows, tuples as in rows.csv; gives its folder."""
    os.makedirs(str(folder))
    weights = "{:064x}".format(zlib.crc32(str(folder).encode("utf-8")))
    files.write_json(str(folder / "run.json"), dict(dict(KEPT, weights=weights), **changes))
    lines = [",".join(("method", "class", "index", "step") + tuple(columns))]
    lines += [",".join(str(cell) for cell in row) for row in rows]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return str(folder)


def _insert_rows(number=0, methods=METHODS, clouds=CLOUDS):
    """Rows of insert on a network: the probability is the same at every step, so it is the area."""
    for method in methods:
        for place, (cloud, more) in enumerate(clouds.items()):
            behind = BEHIND[method][number] + (more if method == "random" else 0)
            for step in (4, 8, 16):
                yield (method,) + cloud + (step, 1, 0.5 + 0.01 * place - behind)


@pytest.fixture
def folders(tmp_path):
    """Three networks: log/a/compare/insert, log/b/..., log/c/..."""
    return [
        _write(tmp_path / "log" / name / "compare" / "insert", _insert_rows(number))
        for number, name in enumerate("abc")
    ]


def _summary(tmp_path, folders, name="insert_networks.md", methods=None):
    networks.write(folders, str(tmp_path / "out"), methods)
    with open(str(tmp_path / "out" / name), encoding="utf-8") as file:
        return file.read()


def _tables(text):
    """The tables of a summary: a list of dictionaries from first cell to the other cells, the header among them."""
    found = [[]]
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|:"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif not line.startswith("|") and found[-1]:
            found.append([])
    return [{row[0]: row[1:] for row in table} for table in found if table]


def test_each_method_has_its_value_and_rank_on_each_network(tmp_path, folders):
    text = _summary(tmp_path, folders)
    heading, areas = _tables(text)[:2]
    assert [heading[name][0] for name in "abc"] == folders
    assert "3 comparisons of 3 networks, on the 4 clouds of 2 classes" in text
    # ASM: mean of 0.50 to 0.53. The means over the networks are 51.5, 46.5 (10 apart: 10 / sqrt(3)) and 31.5.
    assert list(areas) == ["method", "asm", "critical", "random"]
    assert areas["method"] == ["a", "b", "c", "mean"]
    assert areas["asm"] == ["51.5 (1)", "51.5 (2)", "51.5 (1)", "51.5 ± 0.0"]
    assert areas["critical"] == ["46.5 (2)", "56.5 (1)", "36.5 (2)", "46.5 ± 5.8"]
    assert areas["random"] == ["41.5 (3)", "31.5 (3)", "21.5 (3)", "31.5 ± 5.8"]
    assert "The order is the same on a, c. Neighbours that stand the other way round: on b critical before asm." in text


def test_intervals_are_over_networks_and_over_clouds_alone_and_all_together(tmp_path, folders):
    text = _summary(tmp_path, folders)
    over, by_network = _tables(text)[2:4]
    # Random: -10, -20, -30 on the networks, standard error 10 / sqrt(3); of the clouds' means over them -18, -20, -20
    # and -22, 1.633 / 2. Student's t at 2 and 3 degrees of freedom: 4.303 and 3.182; of two comparisons 6.205, 4.177.
    assert over["random"] == [
        "-20.00",
        "-44.84 to +4.84",
        "-55.83 to +15.83",
        "-22.60 to -17.40",
        "-23.41 to -16.59",
        "3 of 3",
    ]
    assert over["critical"][0] == "-5.00" and over["critical"][-1] == "2 of 3"
    assert "First, but not surely best, by the mean over the networks: asm." in text and "**asm**" not in text
    assert "Over networks it is not told apart from critical, random." in text
    assert "Over clouds it is told apart from each of the others." in text
    assert "**Only 4 clouds**" in text
    assert by_network["random"] == ["-13.41 to -6.59", "-23.41 to -16.59", "-33.41 to -26.59"]


def test_of_two_methods_nothing_is_widened(tmp_path, folders):
    over = _tables(_summary(tmp_path, folders, methods=["asm", "random"]))[2]
    assert over["method"] == ["difference", "95 % over networks", "95 % over clouds", "behind the best on"]
    assert over["random"] == ["-20.00", "-44.84 to +4.84", "-22.60 to -17.40", "3 of 3"]
    with pytest.raises(InputError, match="`methods` hirescam: not all of the folders have rows of it"):
        networks.write(folders, str(tmp_path / "out"), ["asm", "hirescam"])


def test_what_not_all_have_is_left_out(tmp_path, folders):
    few = {cloud: more for cloud, more in CLOUDS.items() if cloud != ("cone", 1)}
    more = _write(tmp_path / "log" / "d" / "compare" / "insert", _insert_rows(0, ["asm", "random"], few))
    text = _summary(tmp_path, folders + [more])
    assert "on the 3 clouds of 2 classes" in text and "critical" not in text
    # Without the fourth cloud ASM has 50, 51 and 52.
    assert _tables(text)[1]["asm"][0] == "51.0 (1)"


def test_draws_of_one_network_are_told_as_such(tmp_path, folders):
    weights = {"weights": "1" * 64}
    draws = [_write(tmp_path / "draws" / str(seed), _insert_rows(seed), seed=seed, **weights) for seed in range(2)]
    text = _summary(tmp_path, draws)
    assert "2 comparisons of 1 networks" in text and "of one network under other seeds" in text
    same = _write(tmp_path / "draws" / "again", _insert_rows(0), **weights)
    with pytest.raises(InputError, match="again: it is of the same network and seed as .*0: give each once"):
        networks.write([draws[0], same], str(tmp_path / "out"))


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"num_point": 32}, "its num_points is 32, that of .*insert is 16"),
        ({"data": "e" * 64}, "its data is eeeeeeeeeeeeeeee, that of"),
        ({"power": 2.0}, "its power is 2.0, that of"),
    ],
)
def test_folders_of_other_settings_are_refused_in_one_line(tmp_path, folders, changes, words):
    other = _write(tmp_path / "other", _insert_rows(), **changes)
    with pytest.raises(InputError, match="`report` .*other: " + words):
        networks.write(folders + [other], str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_folders_of_other_protocols_or_their_settings_are_refused(tmp_path, folders):
    drops = [
        _write(tmp_path / name, _insert_rows(), protocol="drop", num_drop=num_drop, num_steps=2)
        for name, num_drop in (("five", 5), ("six", 6))
    ]
    with pytest.raises(InputError, match="five: its protocol is drop, that of .* is insert"):
        networks.write([folders[0], drops[0]], str(tmp_path / "out"))
    with pytest.raises(InputError, match="six: its num_drop is 6, that of .*five is 5"):
        networks.write(drops, str(tmp_path / "out"))


def test_folders_that_have_nothing_in_common_are_refused(tmp_path, folders):
    others = [
        _write(tmp_path / "methods", _insert_rows(0, ["asm"]), methods=["asm"]),
        _write(tmp_path / "clouds", _insert_rows(0, METHODS, {("cone", 1): 0})),
        _write(tmp_path / "no methods", _insert_rows(0, ["random"]), methods=["random"]),
    ]
    with pytest.raises(InputError, match="they have no methods in common"):
        networks.write([others[0], others[2]], str(tmp_path / "out"))
    few = _write(tmp_path / "few", _insert_rows(0, METHODS, {("chair", 1): 0}))
    with pytest.raises(InputError, match="they have no clouds in common"):
        networks.write([others[1], few], str(tmp_path / "out"))


def test_a_protocol_without_a_measure_is_refused(tmp_path, folders, monkeypatch):
    monkeypatch.setitem(PROTOCOLS, "insert", PROTOCOLS["insert"]._replace(measures=None))
    with pytest.raises(InputError, match="--protocol insert has no number of each cloud"):
        networks.write(folders, str(tmp_path / "out"))


def test_a_folder_of_the_version_before_is_taken_too(tmp_path, folders):
    old = _write(tmp_path / "old", _insert_rows(1))
    kept = files.read_json(old + "/run.json", "")
    kept.pop("data")
    files.write_json(old + "/run.json", kept)
    assert "4 comparisons" in _summary(tmp_path, folders + [old])


def test_where_none_is_best_there_are_values_alone(tmp_path):
    folders = [
        _write(
            tmp_path / name,
            [
                (method, cloud, 0, step, value)
                for method in METHODS
                for cloud in CLASSES
                for step, value in (("fc3", 0.25), ("conv1", 0.5), ("other class", 0), ("fc3 draw 2", 0.75))
            ],
            ["rank_correlation"],
            protocol="sanity",
        )
        for name in "ab"
    ]
    text = _summary(tmp_path, folders, "sanity_networks.md")
    tables = _tables(text)
    assert len(tables) == 4 and "Best by" not in text and "(1)" not in text
    assert tables[1]["asm"] == ["0.500", "0.500", "0.500 ± 0.000"] and "first layer" in text


def test_draws_that_share_their_seeds_are_not_put_side_by_side(tmp_path):
    rows = [(method, cloud, 0, "fc3", 0.5) for method in METHODS for cloud in CLASSES]
    same = {"protocol": "sanity", "draws": 3, "weights": "0" * 64}
    folders = [_write(tmp_path / str(seed), rows, ["rank_correlation"], seed=seed, **same) for seed in (0, 2, 3)]
    with pytest.raises(InputError, match="2: with 3 draws from seed 2 on it shares fresh weights with .*0, seed 0:"):
        _summary(tmp_path, folders[:2], "sanity_networks.md")
    assert "2 comparisons" in _summary(tmp_path, folders[::2], "sanity_networks.md")


def test_thesis_is_put_side_by_side_under_the_schedules_that_all_have(tmp_path):
    steps = {"a": ["lost", "lost one by one"], "b": ["lost one by one", "lost in steps of 24"]}
    folders = [
        _write(
            tmp_path / name,
            [
                (method, cloud, 0, step, 10 * place + len(step), 3, 0.9, 0.4, 1)
                for place, method in enumerate(METHODS)
                for cloud in CLASSES
                for step in steps[name]
            ],
            PROTOCOLS["thesis"].columns,
            protocol="thesis",
        )
        for name in "ab"
    ]
    text = _summary(tmp_path, folders, "thesis_networks.md")
    tables = _tables(text)
    assert len(tables) == 4 and "dropped one by one (points of the cloud; least is best)" in text
    assert tables[1]["asm"] == ["25.0 (2)", "25.0 (2)", "25.0 ± 0.0"]


@pytest.mark.parametrize(
    "paths, names",
    [
        (["log/a/compare/drop", "log/b/compare/drop"], ["a", "b"]),
        (["log/a/compare/drop", "log/b/c/compare/drop/"], ["a", "b/c"]),
        (["runs/drop", "runs/drop_all"], ["drop", "drop_all"]),
        (["runs", "runs/more"], ["folder 1", "folder 2"]),
        (["runs", "runs"], ["folder 1", "folder 2"]),
    ],
)
def test_networks_are_named_by_what_tells_their_folders_apart(paths, names):
    assert networks.short_names(paths) == names


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_measures_rank_methods_as_the_report_does(name, tmp_path, rng):
    protocol = PROTOCOLS[name]
    if protocol.measures is None:
        pytest.skip("it has none")
    steps = {"drop": [0, 5], "insert": [4, 16], "thesis": ["lost"], "sanity": ["fc3", "other class"]}
    rows = [
        (method, cloud, index, step) + tuple(np.round(rng.uniform(0.6, 1, len(protocol.columns)), 4))
        for method in METHODS
        for cloud in CLASSES
        for index in range(2)
        for step in steps.get(name, ["rotation", "jitter", "half"])
    ]
    found = report.read(_write(tmp_path / "log", rows, protocol.columns, protocol=name))
    measures = protocol.measures(found, **found.settings.own)
    assert all(measure.values.shape == (3, 4) for measure in measures)
    lines = "\n".join(protocol.report(found, **found.settings.own).blocks).splitlines()
    listed = [line.split()[1] for line in lines if line.startswith("| ") and line.split()[1] in METHODS][:3]
    if measures[0].bests:
        means = measures[0].values.mean(axis=1)
        order = np.argsort(means if measures[0].bests == "least" else -means)
        assert listed == [METHODS[number] for number in order]


def test_the_heat_of_each_method_on_each_network_is_drawn_where_all_folders_keep_it(
    tmp_path, folders, rng, monkeypatch
):
    drawn = []
    monkeypatch.setattr(
        report.grid_figure, "save_grid", lambda path, *arguments: drawn.append((os.path.basename(path),) + arguments)
    )
    stale = [tmp_path / ("insert_networks_clouds." + ending) for ending in ("png", "pdf")]
    for path in stale:
        path.write_bytes(b"of other networks")
    networks.write(folders, str(tmp_path))
    assert not drawn and not any(path.exists() for path in stale)
    clouds = [Cloud(rng.standard_normal((16, 3)).astype(np.float32), 0, name, 0, "here") for name in CLASSES]
    hot = {}
    for number, folder in enumerate(folders):
        kept = heats.KeptHeat(folder)
        for method in METHODS:
            for cloud in clouds:
                # One hot point, another one of every cell.
                hot[method, number, cloud.class_name] = len(hot) % 16
                kept.add(method, cloud, np.eye(16, dtype=np.float32)[len(hot) % 16])
        kept.save()
    colours = []
    small_picture = report.render.small_picture
    monkeypatch.setattr(
        report.render,
        "small_picture",
        lambda points, heat, *look: colours.append(int(heat.argmax())) or small_picture(points, heat, *look),
    )
    networks.write(folders, str(tmp_path / "out"), ["asm", "random"])
    ((name, row_names, column_names, rows, *_),) = drawn
    assert name == "insert_networks_clouds.png" and row_names == CLASSES
    # The best first.
    assert column_names == ["{}\n{}".format(method, network) for method in ("asm", "random") for network in "abc"]
    order = [(method, number, row) for row in CLASSES for method in ("asm", "random") for number in range(3)]
    assert colours == [(hot[one] + 1) % 16 for one in order]
    assert [len(row) for row in rows] == [6, 6]
    monkeypatch.setattr(network_figures, "MOST_CELLS", 5)
    networks.write(folders, str(tmp_path / "out"), ["random", "asm"])
    assert drawn[-1][2] == ["asm\na", "asm\nb", "asm\nc"]
