"""The explain scripts on files of one's own, run as a user runs them."""

import json
import os

import numpy as np
import pytest
from conftest import assert_one_line_error, explain

from utils.explain import results

pytestmark = pytest.mark.takes_turns


def test_a_cloud_of_ones_own_is_explained_as_what_it_is_taken_for(tiny_log, tmp_path, rng):
    path = tmp_path / "blob.xyz"
    np.savetxt(str(path), 50 + rng.standard_normal((90, 3)))
    finished = explain(
        "p_grad_CAM.py",
        "--input",
        path,
        "--log_dir",
        tiny_log,
        "--dump_dir",
        tmp_path / "out",
        "--drop_mode",
        "-midrange",
        "--colormap",
        "viridis",
        "--scale",
        "rank",
    )
    assert finished.returncode == 0, finished.stderr
    found = results.load(str(tmp_path / "out" / "p-grad-cam" / "blob_0"))
    assert found["label"] == found["predicted"] and found["points"].shape == (90, 3)
    assert np.linalg.norm(found["points"], axis=1).max() == pytest.approx(1, rel=1e-5)


def test_of_a_folder_what_can_be_read_is_explained_and_the_rest_is_named(tiny_log, tmp_path, rng):
    folder = tmp_path / "scans"
    folder.mkdir()
    np.savetxt(
        str(folder / "a.xyz"),
        rng.rand(50, 5) * [10, 20, 30, 1, 1] + [5e5, 4e6, 0, 0, 0],
        header="x y z intensity time",
        comments="",
    )
    np.save(str(folder / "b.npy"), rng.rand(9, 3))
    (folder / "c.txt").write_text("no numbers at all")
    np.save(str(folder / "d.npy"), rng.rand(30, 3))
    np.savetxt(str(folder / "d.txt"), rng.rand(30, 3))
    (folder / "notes.md").write_text("not a cloud")
    finished = explain(
        "ASM.py",
        "--input",
        folder,
        "--up",
        "z",
        "--num_point",
        30,
        "--log_dir",
        tiny_log,
        "--num_steps",
        1,
        "--dump_dir",
        tmp_path / "out",
        "--rotation",
        "none",
    )
    assert finished.returncode == 2
    refused = [line for line in finished.stderr.splitlines() if line.startswith("Left out: ")]
    assert len(refused) == 2 and "b.npy" in refused[0] and "c.txt" in refused[1]
    assert "ASM.py: error: 2 of 5 files" in finished.stderr.splitlines()[-1]
    assert "columns ignored: intensity, time" in finished.stdout
    assert sorted(os.listdir(str(tmp_path / "out" / "asm"))) == ["a_0", "d.npy_0", "d.txt_0"]
    assert [line.split()[0] for line in finished.stdout.splitlines()[-3:]] == ["a", "d.npy", "d.txt"]


def test_heat_goes_back_to_every_point_of_a_file_in_its_own_coordinates(tiny_log, tmp_path, rng):
    import open3d

    points = rng.rand(3000, 3) * [10, 20, 30] + [5e5, 4e6, 100]
    np.save(str(tmp_path / "scan.npy"), points)
    finished = explain(
        "p_grad_CAM.py",
        "--input",
        tmp_path / "scan.npy",
        "--up",
        "z",
        "--num_point",
        200,
        "--log_dir",
        tiny_log,
        "--num_steps",
        1,
        "--dump_dir",
        tmp_path / "out",
    )
    assert finished.returncode == 0, finished.stderr
    folder = tmp_path / "out" / "p-grad-cam" / "scan_0"
    found = results.load(str(folder))
    cloud = open3d.t.io.read_point_cloud(str(folder / "heat.ply"))
    np.testing.assert_allclose(cloud.point["positions"].numpy(), points, rtol=0, atol=1e-6)
    carried = cloud.point["heat"].numpy().ravel()
    # Every point has the heat of the nearest sampled one, sought by brute force; y of the network is z of the file.
    with open(str(folder / "run.json")) as file:
        run = json.load(file)
    sampled = found["points"].astype(float)[:, [0, 2, 1]] * [1, -1, 1] * run["input_scale"] + run["input_centre"]
    for place in (0, 1000, 2999):
        distances = np.linalg.norm(sampled - points[place], axis=1)
        nearest, next_one = np.argsort(distances)[:2]
        assert distances[next_one] - distances[nearest] > 1e-3
        assert carried[place] == found["heat"][nearest]


def test_an_hdf5_file_cut_in_half(tiny_data, tmp_path):
    path = tmp_path / "half.h5"
    with open(os.path.join(tiny_data, "ply_data_test0.h5"), "rb") as file:
        content = file.read()
    path.write_bytes(content[: len(content) // 2])
    assert_one_line_error(explain("ASM.py", "--input", path), "half.h5", "damaged")


def test_a_cloud_of_nine_points(tmp_path):
    np.savetxt(str(tmp_path / "nine.txt"), np.random.RandomState(0).rand(9, 3))
    assert_one_line_error(explain("p_grad_CAM.py", "--input", tmp_path / "nine.txt"), "9 points", "at least 10")


def test_nan_points_of_ones_own(tmp_path):
    points = np.random.RandomState(0).rand(20, 3)
    points[7, 2] = np.nan
    np.savetxt(str(tmp_path / "nan.xyz"), points)
    assert_one_line_error(
        explain("p_grad_CAM.py", "--input", tmp_path / "nan.xyz", "--num_point", 20),
        "--num_point 20",
        "nan.xyz",
        "19 points",
    )


def test_no_run_overwrites_the_results_of_another_in_silence(tiny_log, tmp_path, rng):
    out = tmp_path / "out" / "asm"
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        np.save(str(tmp_path / folder / "x.npy"), rng.rand(30, 3))

    def run(folder, *more):
        arguments = ["--log_dir", tiny_log, "--dump_dir", out.parent, "--num_steps", 1, "--rotation", "none"]
        finished = explain("ASM.py", "--input", tmp_path / folder / "x.npy", *(arguments + list(more)))
        assert finished.returncode == 0, finished.stderr
        kept = {name: (out / name / "run.json").read_text() for name in os.listdir(str(out))}
        return finished.stdout, {
            name: (json.loads(text)["source"], json.loads(text)["power"]) for name, text in kept.items()
        }

    a, b = (str(tmp_path / folder / "x.npy") for folder in "ab")
    said, found = run("a")
    assert found == {"x_0": (a, 1.0)} and "goes to" not in said
    said, found = run("a", "--power", 2)
    assert found == {"x_0": (a, 1.0), "x_0_2": (a, 2.0)}
    assert "x_0 holds another run (power 1.0): this one goes to" in said and "; --overwrite replaces that" in said
    # The same again, in other colours, is the same run; another cloud of that name is not.
    said, found = run("a", "--power", 2, "--colormap", "viridis")
    assert len(found) == 2 and "Written to {}".format(out / "x_0_2") in said
    said, found = run("b", "--overwrite")
    assert found == {"x_0": (b, 1.0), "x_0_2": (a, 2.0)}
    # Nor is the same file once it holds another cloud.
    np.save(b, rng.rand(30, 3))
    said, found = run("b")
    assert found == {"x_0": (b, 1.0), "x_0_2": (a, 2.0), "x_0_3": (b, 1.0)}
    assert "x_0 holds another run (points_sha256 " in said
