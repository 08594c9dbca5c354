"""Heat from elsewhere in a comparison: which protocols take it, the rows that it gives, and whose name it has."""

import json
import sys

import numpy as np
import pytest
from counting import CLOUD, comparison

from utils.compare import curve, drop, fidelity, flags, given_heat, heats, insert, settings
from utils.files import InputError
from utils.files import write_json as put_json


def _flags(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["compare.py", "--heat", "mine=x.npz"] + list(arguments))
    return flags.parse_flags()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--protocol", "sanity"], "sanity takes the heat of other networks"),
        (["--protocol", "stability"], "stability takes the heat of turned"),
        (["--protocol", "thesis"], "thesis takes heat anew"),
        (["--protocol", "drop"], r"drop takes heat anew in each round \(`one_shot` takes it once\)"),
        (["--protocol", "curve", "--anew"], "curve takes heat anew"),
    ],
)
def test_protocols_that_take_more_heat_than_a_file_has_refuse_it(arguments, words, monkeypatch):
    with pytest.raises(InputError, match="`heat` mine: --protocol " + words) as error:
        _flags(monkeypatch, *arguments)
    assert "--protocol insert or curve or fidelity takes no more" in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--protocol", "drop", "--one_shot"],
        ["--protocol", "drop", "--one_shot", "--remove", "centre"],
        ["--protocol", "insert"],
        ["--protocol", "curve"],
        ["--protocol", "fidelity"],
    ],
)
def test_protocols_that_take_heat_once_compare_it_with_the_methods(arguments, monkeypatch):
    assert _flags(monkeypatch, "--methods", "asm", *arguments).methods == ["asm", "mine"]


@pytest.mark.parametrize(
    "protocol, own",
    [
        (insert.PROTOCOL, {}),
        (drop.PROTOCOL, {"num_drop": 1, "num_steps": 9, "drop_neg": False, "one_shot": True, "remove": "away"}),
        (drop.PROTOCOL, {"num_drop": 1, "num_steps": 9, "drop_neg": True, "one_shot": True, "remove": "centre"}),
        (curve.PROTOCOL, {"anew": False}),
        (fidelity.PROTOCOL, {"perturbations": 8}),
    ],
)
def test_heat_of_a_method_gives_the_same_rows_out_of_a_file(protocol, own, tmp_path, monkeypatch):
    bench = comparison(tmp_path, monkeypatch, protocol)
    path = str(tmp_path / "mine.npz")
    np.savez(
        path,
        heat=np.stack([cloud.points[:, 0] for cloud in bench.clouds]),
        class_name=np.array(["chair"] * 2),
        index=np.arange(2),
    )
    bench._given, _ = given_heat.read([given_heat.Source("mine", path)], bench.clouds, 20)
    bench.methods = ["x", "mine"]
    bench.keep_heat(heats.KeptHeat(str(tmp_path)))
    bench.run(protocol, own)
    steps = protocol.steps(bench, **own)
    for column in protocol.columns:
        one, other = bench.rows.select(["x", "mine"], bench.clouds, steps, column)
        np.testing.assert_array_equal(one, other)
    assert bench.rows.count(["mine"], bench.clouds, steps) == 2 * len(steps)
    kept = heats.KeptHeat(str(tmp_path))
    np.testing.assert_array_equal(kept.heat("mine", bench.clouds[0]), bench.clouds[0].points[:, 0])


def test_heat_from_elsewhere_is_of_the_whole_clouds_alone(tmp_path, monkeypatch):
    bench = comparison(
        tmp_path,
        monkeypatch,
        insert.PROTOCOL,
        given={"mine": given_heat.GivenHeat("", "", {("chair", 0): np.zeros(20)})},
    )
    assert bench.heat_of("mine", bench.clouds[:1]).shape == (1, 20)
    for changes in ({"points": np.zeros((1, 10, 3))}, {"labels": np.zeros(1, int)}, {"classifier": bench.classifier}):
        with pytest.raises(ValueError, match="mine has heat of whole clouds alone"):
            bench.heat_of("mine", bench.clouds[:1], **changes)


def _kept(methods, **given):
    found = dict.fromkeys(settings.COMMON, "x")
    found.update(protocol="insert", methods=methods, classes=["chair"], class_names=["chair"], per_class=2)
    found.update(num_point=20, seed=0, colormap="viridis", scale="rank")
    if given:
        found["heat"] = {name: {"file": name + ".npz", "sha256": digest} for name, digest in given.items()}
    return found


def _folder(tmp_path, kept, rows):
    put_json(str(tmp_path / "run.json"), kept)
    lines = ["{},chair,0,1,1,0.5".format(name) for name in rows]
    (tmp_path / "rows.csv").write_text("\n".join(["method,class,index,step,correct,probability"] + lines) + "\n")
    return str(tmp_path)


def _heat_of(folder):
    with open(settings.path_in(folder), encoding="utf-8") as file:
        return {name: one["sha256"] for name, one in json.load(file).get("heat", {}).items()}


def test_rows_of_one_name_come_from_one_file(tmp_path):
    folder = _folder(tmp_path, _kept(["mine"], mine="1a"), ["mine"])
    settings.begin(folder, _kept(["mine"], mine="1a"))
    with pytest.raises(
        InputError, match=r"`heat` mine: the rows .* came from mine.npz \(sha256 1a...\); give another name"
    ):
        settings.begin(folder, _kept(["mine"], mine="2b"))
    assert _heat_of(folder) == {"mine": "1a"}
    assert settings.of(settings.read(folder), "run.json").given == {"mine": {"file": "mine.npz", "sha256": "1a"}}


def test_a_name_stays_taken_while_others_are_compared(tmp_path):
    folder = _folder(tmp_path, _kept(["mine"], mine="1a"), ["mine"])
    settings.begin(folder, _kept(["asm"]))
    settings.begin(folder, _kept(["asm", "other"], other="3c"))
    assert _heat_of(folder) == {"mine": "1a", "other": "3c"}
    # The report is on those that are compared now.
    assert list(settings.of(settings.read(folder), "run.json").given) == ["other"]
    with pytest.raises(InputError, match="`heat` mine"):
        settings.begin(folder, _kept(["mine"], mine="2b"))


def test_a_name_is_not_of_a_file_and_of_a_method(tmp_path):
    folder = _folder(tmp_path, _kept(["shapley"]), ["shapley"])
    with pytest.raises(InputError, match="`heat` shapley: .* came from a method"):
        settings.begin(folder, _kept(["shapley"], shapley="1a"))
    _folder(tmp_path, _kept(["shapley"], shapley="1a"), ["shapley"])
    with pytest.raises(InputError, match=r"`methods` shapley: .* came from shapley.npz .*; give another `dump_dir`"):
        settings.begin(folder, _kept(["shapley"]))


@pytest.mark.parametrize("heat", [[], {"mine": "x"}, {"mine": {"file": "x"}}, {"mine": {"file": "x", "sha256": 1}}])
def test_a_run_json_whose_heat_is_of_another_kind_is_refused_in_one_line(heat, tmp_path):
    spoilt = dict(_kept(["mine"]), heat=heat)
    with pytest.raises(InputError, match="run.json holds heat of another kind"):
        settings.of(spoilt, "run.json")
    with pytest.raises(InputError, match="run.json holds heat of another kind"):
        settings.begin(_folder(tmp_path, spoilt, []), _kept(["asm"]))


def test_the_clouds_of_a_comparison_are_named_as_in_the_file():
    found = given_heat.GivenHeat("", "", {("chair", 0): np.arange(4)})
    assert found.of(CLOUD).tolist() == [0, 1, 2, 3]
