"""What must stay when a comparison goes on: per protocol and method what its rows depend on, and nothing else."""

import gzip
import json
import os

import numpy as np
import pytest

from utils import files
from utils.clouds.cloud import Cloud
from utils.compare import heats, settings
from utils.disk.rows import NamedCloud
from utils.disk.shards import Shard
from utils.files import InputError

# What the version before wrote, of every protocol.
OLD = {
    "classes": ["chair", "9"],
    "colormap": "viridis",
    "data_dir": "/data",
    "drop_neg": False,
    "dump_dir": "/out",
    "eval_every": 8,
    "gpu": 0,
    "log_dir": "/log",
    "methods": ["p-grad-cam", "asm"],
    "model": "pointnet_cls",
    "model_path": "/log/model.ckpt",
    "num_drop": 5,
    "num_point": 1024,
    "num_steps": 40,
    "num_votes": None,
    "one_shot": False,
    "per_class": 2,
    "pooling": "max",
    "power": 1.0,
    "protocol": "insert",
    "quiet": False,
    "rotation": "none",
    "scale": "rank",
    "seed": 0,
    "verbose": False,
    "versions": {},
    "weights": "1dcd",
}

DATA = "0123456789abcdef" * 4


def _new(**changes):
    """What this version keeps of the same comparison."""
    kept = {name: value for name, value in OLD.items() if name not in ("quiet", "verbose")}
    for name in ("num_drop", "num_steps", "drop_neg", "one_shot", "num_votes", "eval_every"):
        kept.pop(name)
    new = {"classes": ["chair", "cone"], "class_names": ["chair", "cone"], "data": DATA}
    return dict(kept, **dict(new, **changes))


def _folder(tmp_path, rows=("p-grad-cam", "asm"), **changes):
    files.write_json(str(tmp_path / "run.json"), dict(OLD, **changes))
    lines = ["{},chair,0,16,1,0.5".format(method) for method in rows]
    (tmp_path / "rows.csv").write_text("\n".join(["method,class,index,step,correct,probability"] + lines) + "\n")
    return str(tmp_path)


def _kept(folder):
    with open(settings.path_in(folder), encoding="utf-8") as file:
        return json.load(file)


def test_a_folder_of_the_version_before_goes_on_whatever_it_says_of_other_protocols(tmp_path):
    folder = _folder(tmp_path, num_drop=7, num_votes=3)
    settings.begin(folder, _new())
    assert _kept(folder) == _new()


@pytest.mark.parametrize("name, value", [("seed", 1), ("num_point", 512), ("rotation", "y"), ("weights", "2")])
def test_what_every_row_depends_on_must_stay(name, value, tmp_path):
    folder = _folder(tmp_path)
    with pytest.raises(InputError, match="`{}` {}: .* began with .*`dump_dir`".format(name, value)):
        settings.begin(folder, _new(**{name: value}))
    assert _kept(folder) == OLD


def test_data_may_lie_elsewhere_but_be_no_others(tmp_path):
    folder = _folder(tmp_path, data=DATA, data_dir="/on/another/machine")
    settings.begin(folder, _new())
    assert _kept(folder)["data_dir"] == "/data"
    with pytest.raises(InputError, match=r"`data_dir` /data: .*sha256 fedc.* not those that .* began with \(0123"):
        settings.begin(folder, _new(data="fedc" * 16))


def test_of_a_folder_without_a_checksum_of_its_data_the_path_must_stay(tmp_path):
    folder = _folder(tmp_path)
    with pytest.raises(InputError, match="`data_dir` /other: .* began with /data"):
        settings.begin(folder, _new(data_dir="/other"))
    settings.begin(folder, _new())
    # From then on the checksum counts.
    settings.begin(folder, _new(data_dir="/other"))


def test_packed_rows_are_not_begun_anew_without_their_settings(tmp_path):
    with gzip.open(str(tmp_path / "rows.csv.gz"), "wb") as file:
        file.write(b"method,class,index,step,correct,probability\n")
    with pytest.raises(InputError, match="run.json is missing.*rows.csv.gz beside it"):
        settings.begin(str(tmp_path), _new())


def test_what_the_protocol_depends_on_must_stay(tmp_path):
    own = {"num_drop": 5, "num_steps": 40, "drop_neg": False, "one_shot": False, "remove": "away"}
    folder = _folder(tmp_path, protocol="drop")
    settings.begin(folder, _new(protocol="drop", **own))
    with pytest.raises(InputError, match="`num_steps` 20"):
        settings.begin(folder, _new(protocol="drop", **dict(own, num_steps=20)))
    with pytest.raises(InputError, match="`remove` centre: .* began with away"):
        settings.begin(folder, _new(protocol="drop", **dict(own, remove="centre")))


def test_a_setting_that_is_younger_than_a_folder_must_be_what_its_rows_were_made_by(tmp_path):
    own = {"num_drop": 5, "num_steps": 40, "drop_neg": False, "one_shot": False, "remove": "centre"}
    folder = _folder(tmp_path, protocol="drop")
    with pytest.raises(InputError, match="`remove` centre: .* began with away.*`dump_dir`"):
        settings.begin(folder, _new(protocol="drop", **own))
    assert "remove" not in _kept(folder)
    settings.begin(folder, _new(protocol="drop", **dict(own, remove="away")))
    assert _kept(folder)["remove"] == "away"


def test_what_does_nothing_in_this_run_may_differ(tmp_path):
    folder = _folder(tmp_path, protocol="thesis", num_votes=100)
    header = "method,class,index,step,points_removed,rounds,accuracy_before,accuracy_after,seconds\n"
    (tmp_path / "rows.csv").write_text(header)
    settings.begin(folder, _new(protocol="thesis", eval_every=8), idle=["num_votes"])


def test_an_option_must_stay_where_rows_and_methods_depend_on_it(tmp_path):
    folder = _folder(tmp_path)
    with pytest.raises(InputError, match="`pooling` avg"):
        settings.begin(folder, _new(pooling="avg"))
    with pytest.raises(InputError, match="`power` 2.0"):
        settings.begin(folder, _new(methods=["asm"], power=2.0))


def test_an_option_may_change_where_no_row_depends_on_it(tmp_path):
    folder = _folder(tmp_path, rows=["asm", "a method of next year"])
    settings.begin(folder, _new(pooling="avg"))
    assert _kept(folder)["pooling"] == "avg"


def test_an_option_must_stay_where_kept_heat_depends_on_it(tmp_path):
    folder = _folder(tmp_path, rows=["asm"])
    kept = heats.KeptHeat(folder)
    kept.add("p-grad-cam", Cloud(np.zeros((16, 3)), 0, "chair", 0, "here"), np.arange(16.0))
    kept.save()
    with pytest.raises(InputError, match="`pooling` avg: .* began with max"):
        settings.begin(folder, _new(pooling="avg"))
    settings.begin(folder, _new(methods=["asm"]))
    assert _kept(folder)["pooling"] == "max"


def test_of_other_points_of_the_same_clouds_their_number_is_to_blame(tmp_path):
    folder = _folder(tmp_path, data=DATA)
    with pytest.raises(InputError, match="`num_point` 512: .* began with 1024"):
        settings.begin(folder, _new(num_point=512, data="fedc" * 16))


def test_an_option_that_rows_depend_on_is_kept_while_other_methods_run(tmp_path):
    folder = _folder(tmp_path, pooling="avg")
    without = _new(methods=["asm"])
    without.pop("pooling")
    settings.begin(folder, without)
    assert _kept(folder)["pooling"] == "avg"
    with pytest.raises(InputError, match="`pooling` max: .* began with avg"):
        settings.begin(folder, _new())


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("rows.csv", "method,class,index,step,value\n", "run.json is missing.*rows.csv"),
        ("run.json", json.dumps({"source": "airplane"}), "not of a comparison"),
        ("run.json", json.dumps({"protocol": []}), "not of a comparison"),
        ("run.json", "[1]", "cannot be read"),
    ],
)
def test_a_folder_of_something_else_is_refused_and_kept(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words + ".*`dump_dir`"):
        settings.begin(str(tmp_path), _new())
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == text


def test_settings_come_back_with_the_protocols_own():
    found = settings.of(_new(protocol="thesis", eval_every=4), "run.json")
    assert found.own == {"num_votes": None, "eval_every": 4, "schedule": "all", "num_drop": 24}
    assert found.classes == ("chair", "cone")
    assert found.options == {"pooling": "max", "power": 1.0} and found.model_name == "pointnet_cls"
    # The version before kept what was given, be it names, numbers or nothing.
    assert settings.of(OLD, "run.json").classes is None


@pytest.mark.parametrize("lacking", ["methods", "num_point", "weights", "scale"])
def test_a_run_json_that_lacks_something_is_refused_in_one_line(lacking):
    kept = {name: value for name, value in OLD.items() if name != lacking}
    with pytest.raises(InputError, match="run.json lacks '{}'".format(lacking)):
        settings.of(kept, "run.json")


@pytest.mark.parametrize(
    "name, value",
    [
        ("per_class", "x"),
        ("num_point", [1]),
        ("rotation", 7),
        ("methods", "asm"),
        ("classes", [1]),
        ("weights", None),
        ("data", 7),
    ],
)
def test_a_run_json_whose_values_are_of_another_kind_is_refused_in_one_line(name, value):
    with pytest.raises(InputError, match="run.json holds .*{}.* of another kind".format(name)):
        settings.of(_new(**{name: value}), "run.json")


@pytest.mark.parametrize("value", ["centr", 1, None, ["centre"]])
def test_a_choice_in_run_json_is_one_of_those_that_there_are(value):
    assert settings.of(_new(protocol="drop", remove="centre"), "run.json").own["remove"] == "centre"
    with pytest.raises(InputError, match="run.json holds remove of another kind"):
        settings.of(_new(protocol="drop", remove=value), "run.json")


def test_which_steps_there_are_may_change(tmp_path):
    header = "method,class,index,step,points_removed,rounds,accuracy_before,accuracy_after,seconds\n"
    # The version before kept the number of `drop` here, and knew no schedules.
    folder = _folder(tmp_path, protocol="thesis", num_drop=5)
    (tmp_path / "rows.csv").write_text(header)
    own = {"protocol": "thesis", "num_votes": None, "eval_every": 8}
    settings.begin(folder, _new(schedule="all", num_drop=24, **own))
    settings.begin(folder, _new(schedule="steps", num_drop=12, **own))
    assert settings.of(_kept(folder), "run.json").own == {
        "num_votes": None,
        "eval_every": 8,
        "schedule": "steps",
        "num_drop": 12,
    }
    with pytest.raises(InputError, match="`eval_every` 4"):
        settings.begin(folder, _new(schedule="all", num_drop=24, **dict(own, eval_every=4)))
    with pytest.raises(InputError, match="run.json holds .*schedule.* of another kind"):
        settings.of(_new(schedule=7, **own), "run.json")


def test_shards_of_one_comparison_alone_begin_and_are_merged(tmp_path):
    folder = str(tmp_path)
    for number in (1, 2):
        settings.begin(folder, _new(), own=Shard(number, 3))
    with pytest.raises(InputError, match="`seed` 1: what .* began with 0"):
        settings.begin(folder, _new(seed=1), own=Shard(3, 3))
    assert sorted(os.listdir(folder)) == ["run.1-of-3.json", "run.2-of-3.json", "run.json"]
    # Shards that were computed elsewhere bring their records, without run.json.
    os.remove(str(tmp_path / "run.json"))
    assert settings.read(folder)["seed"] == 0
    files.write_json(str(tmp_path / "run.3-of-3.json"), _new(weights="other"))
    with pytest.raises(InputError, match="`weights`"):
        settings.read(folder)
    with pytest.raises(InputError, match="`weights`"):
        settings.begin(folder, _new())


def test_a_shard_that_begins_reads_no_rows_of_others_where_nothing_differs(tmp_path, monkeypatch):
    folder = _folder(tmp_path, ["asm"])
    for number in (1, 2):
        settings.begin(folder, _new(), own=Shard(number, 2))
    asked = []
    methods_of = settings._methods_of

    def counted(*arguments):
        asked.append(arguments)
        return methods_of(*arguments)

    # Of sixty-four shards that start again at once each would wait for sixty-three to do so.
    monkeypatch.setattr(settings, "_methods_of", counted)
    settings.begin(folder, _new(), own=Shard(1, 2))
    assert not asked
    with pytest.raises(InputError, match="`power` 2.0: what .* began with 1.0"):
        settings.begin(folder, _new(power=2.0), own=Shard(1, 2))
    assert asked


def test_rows_of_shards_count_for_the_whole_and_the_other_way_round(tmp_path):
    folder, protocol = _folder(tmp_path, ["asm"]), settings.PROTOCOLS["insert"]
    one, two = (settings.open_rows(folder, protocol, Shard(number, 2)) for number in (1, 2))
    one.add("p-grad-cam", NamedCloud("chair", 1), 16, 1, 0.5)
    one.flush()
    assert len(one.rows) == 2 and len(two.rows) == 1
    assert len(settings.open_rows(folder, protocol).rows) == 2
    assert settings.shards_lacking(folder) == [(2, 2)]
    # What is added to the whole goes to its own file.
    whole = settings.open_rows(folder, protocol)
    whole.add("p-grad-cam", NamedCloud("chair", 2), 16, 1, 0.5)
    whole.flush()
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 3
    assert len((tmp_path / "rows.1-of-2.csv").read_text().splitlines()) == 2
    assert whole.num_written() == 3 and [os.path.basename(path) for path in whole.paths()] == [
        "rows.csv",
        "rows.1-of-2.csv",
    ]
