"""The door for notebooks: explain.py, imported."""

import os

import numpy as np
import pytest
from conftest import HERE, run_python
from conftest import explain as run_explain

import explain
from utils.explain import heat, results
from utils.explain.methods import METHODS
from utils.files import InputError

pytestmark = pytest.mark.takes_turns


@pytest.fixture(scope="module")
def network(tiny_log):
    with explain.open_network(tiny_log, gpu=-1) as opened:
        yield opened


@pytest.fixture
def clouds(rng):
    return np.stack([explain.place(rng.standard_normal((30, 3)) * [3, 1, size], up="z") for size in (1, 2, 5)])


def test_classes_come_likeliest_first(network, clouds):
    names, probabilities = network.classify(clouds)
    logits = network._classifier.logits(clouds).astype(np.float64)
    wanted = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert names[:, 0].tolist() == [network.class_names[place] for place in logits.argmax(axis=1)]
    np.testing.assert_allclose(probabilities, -np.sort(-wanted, axis=1))
    one_names, one_probabilities = network.classify(clouds[1])
    assert one_names.tolist() == names[1].tolist() and one_probabilities.tolist() == probabilities[1].tolist()


@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if not row.is_slow])
def test_heat_of_clouds_together_is_that_of_each(method, network, clouds):
    found = network.heat(clouds, method)
    assert found.shape == (3, 30) and np.isfinite(found).all()
    for one, cloud in zip(found, clouds):
        # Few odd points are multiplied in another order with few clouds than with many.
        np.testing.assert_allclose(network.heat(cloud.tolist(), method), one, rtol=1e-3, atol=1e-5 * abs(one).max())


def test_another_class_is_asked_about_by_its_logit(network, clouds):
    seen = network.classify(clouds[0])[0][0]
    other = network.classify(clouds[0])[0][1]
    label = network.class_names.index(other)
    (gradients,) = next(network._classifier.quantities(["logit_gradients"], clouds[:1], label))
    wanted = heat.asm(clouds[0], -gradients[0])
    np.testing.assert_allclose(network.heat(clouds[0], "asm", target=other), wanted)
    # The cloud's own class is no "why not", whoever names it.
    own = network.heat(clouds[0], "asm")
    for same in (
        network.heat(clouds[0], "asm", target=seen),
        network.heat(clouds[0], "asm", label=network.class_names.index(seen)),
    ):
        np.testing.assert_array_equal(same, own)
    mixed = network.heat(clouds[[0, 0]], "asm", label=seen, target=[seen, label])
    np.testing.assert_allclose(mixed, [own, wanted], rtol=1e-3, atol=1e-5 * abs(own).max())


def test_options_reach_the_formula(network, clouds):
    label = network.class_names.index(network.classify(clouds[0])[0][0])
    names = ["features", "feature_gradients"]
    features, gradients = next(network._classifier.quantities(names, clouds[:1], label))
    wanted = heat.p_grad_cam(features[0], gradients[0], "avg")
    np.testing.assert_array_equal(network.heat(clouds[0], "p-grad-cam", pooling="avg"), wanted)
    draws = [network.heat(clouds[0], "random", seed=seed).tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


OWN = os.path.join(HERE, "cases", "22-macos-zip", "chair.xyz")
WRONG = [
    ("points", lambda network, cloud: network.heat(cloud[:, :2])),
    ("points", lambda network, cloud: network.heat(cloud[:9])),
    ("points", lambda network, cloud: network.heat(cloud * np.nan)),
    ("points", lambda network, cloud: network.classify("chair")),
    ("points", lambda network, cloud: network.classify(np.zeros((0, 10, 3)))),
    ("method", lambda network, cloud: network.heat(cloud, "grad")),
    ("label", lambda network, cloud: network.heat(cloud, label="cat")),
    ("label", lambda network, cloud: network.heat(cloud, label=[0, 1])),
    ("target", lambda network, cloud: network.heat(cloud, target=40)),
    ("seed", lambda network, cloud: network.heat(cloud, seed=-1)),
    ("pooling", lambda network, cloud: network.heat(cloud, "runner-up", pooling="avg")),
    ("pooling", lambda network, cloud: network.heat(cloud, "p-grad-cam", pooling="min")),
    ("power", lambda network, cloud: network.heat(cloud, "asm", power=np.inf)),
    ("path_refresh", lambda network, cloud: network.heat(cloud, "runner-up-path", path_refresh=-1)),
    ("heats", lambda network, cloud: explain.show(cloud, np.zeros(7))),
    ("heats", lambda network, cloud: explain.show(cloud, {"mine": np.full(30, np.inf)})),
    ("heats", lambda network, cloud: explain.show(cloud, {})),
    ("heats", lambda network, cloud: explain.show(cloud, [10**400] * 30)),
    ("colormap", lambda network, cloud: explain.show(cloud, cloud[:, 0], colormap="grey or so")),
    ("points", lambda network, cloud: explain.save_page("a.html", cloud[np.newaxis], cloud[:, 0])),
    ("class_name", lambda network, cloud: explain.demo_cloud("radio")),
    ("num_points", lambda network, cloud: explain.demo_cloud("chair", 3)),
    ("up", lambda network, cloud: explain.place(cloud, up="up")),
    ("up", lambda network, cloud: explain.read_cloud("a.ply", up="up")),
    ("rotation", lambda network, cloud: explain.open_network(rotation="z")),
    ("rotation", lambda network, cloud: explain.open_network("a.ckpt", rotation="xyz")),
    ("rotation", lambda network, cloud: explain.open_network(model="dgcnn", rotation="xyz")),
    ("model", lambda network, cloud: explain.open_network("a.ckpt", model="dgcnn")),
    ("model", lambda network, cloud: explain.open_network(model="vgg")),
    ("model", lambda network, cloud: explain.open_network(model="pointnet_cls_basic")),
    ("model_path", lambda network, cloud: explain.open_network("/nowhere/at/all")),
    ("model_path", lambda network, cloud: explain.open_network(3)),
    ("model_path", lambda network, cloud: explain.open_network("")),
    ("gpu", lambda network, cloud: explain.open_network(gpu="0")),
    ("gpu", lambda network, cloud: explain.open_network(gpu=-2)),
    ("points", lambda network, cloud: network.heat([[10**400, 1, 2]] * 12)),
    ("points", lambda network, cloud: network.heat(cloud + 1j)),
    ("points", lambda network, cloud: network.heat(np.ma.masked_less(cloud, 0))),
    ("points", lambda network, cloud: network.classify(cloud * np.float32(1e38))),
    ("label", lambda network, cloud: network.heat(cloud, label=np.array(40))),
    ("label", lambda network, cloud: network.heat(cloud, label=1.0)),
    ("power", lambda network, cloud: network.heat(cloud, "asm", power=10**400)),
    ("num_points", lambda network, cloud: explain.demo_cloud("chair", None)),
    ("num_points", lambda network, cloud: explain.demo_cloud("chair", 64.0)),
    ("num_points", lambda network, cloud: explain.read_cloud(OWN, "32")),
    ("index", lambda network, cloud: explain.read_cloud(OWN, index=3)),
    ("index", lambda network, cloud: explain.read_cloud(OWN, index="0")),
    ("seed", lambda network, cloud: explain.read_cloud(OWN, 32, sampling="random", seed=-1)),
    ("path", lambda network, cloud: explain.read_cloud(None)),
    ("path", lambda network, cloud: explain.read_cloud("nowhere.ply")),
    ("path", lambda network, cloud: explain.save_page(3, cloud, cloud[:, 0])),
    ("scale", lambda network, cloud: explain.show(cloud, cloud[:, 0], scale="log")),
    ("colormap", lambda network, cloud: explain.show(cloud, cloud[:, 0], colormap=None)),
    ("heats", lambda network, cloud: explain.show(cloud, cloud[:, 0].astype(float) * 1e300)),
]


@pytest.mark.parametrize("place", range(len(WRONG)))
def test_an_error_names_its_argument(place, network, clouds):
    argument, call = WRONG[place]
    with pytest.raises(InputError, match="`{}`".format(argument)):
        call(network, clouds[0])


def test_calls_leave_nothing_behind(network, clouds, capfd):
    psutil = pytest.importorskip("psutil")
    process, operations = psutil.Process(), network._classifier.network.points.graph.get_operations

    def call(times):
        for _ in range(times):
            network.heat(clouds[0], "asm")
            network.classify(clouds)
        return len(operations()), process.memory_info().rss

    call(20)
    before, after = call(20), call(500)  # 1,000 calls
    assert after[0] == before[0]
    # A copy of the small network's weights in each call would be 600 MiB; a feature map of 30 points, 23.
    assert after[1] - before[1] < 10 * 2**20
    assert capfd.readouterr() == ("", "")


def test_networks_are_closed_in_any_order_and_a_closed_one_says_so(tiny_log, clouds):
    first, second = (explain.open_network(tiny_log, gpu=-1) for _ in range(2))
    first.close()
    first.close()
    assert second.classify(clouds[0])[0].shape == (40,)
    second.close()
    with pytest.raises(InputError, match="closed"):
        first.heat(clouds[0])


def test_a_network_that_is_left_open_ends_in_silence(tiny_log):
    code = (
        "import sys, explain\n"
        "network = explain.open_network(sys.argv[1], gpu=-1)\n"
        "heat = network.heat(explain.demo_cloud('chair', 64), method='runner-up')\n"
    )
    finished = run_python(code, tiny_log)
    assert (finished.returncode, finished.stdout) == (0, "") and "Exception" not in finished.stderr


def test_a_shortage_of_memory_is_told(network, clouds, monkeypatch):
    def run(*_):
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr(network._classifier, "logits", run)
    for call in (network.classify, network.heat):
        with pytest.raises(InputError, match=r"out of memory \(Unable to allocate 9 GiB\)"):
            call(clouds[0])


def test_the_label_of_an_array_without_axes_is_for_all(network, clouds):
    np.testing.assert_array_equal(
        network.heat(clouds, "asm", label=np.array(3)), network.heat(clouds, "asm", label=[3, 3, 3])
    )


def test_a_cloud_far_from_the_origin_keeps_its_shape_on_the_page(clouds):
    page = explain.show(clouds[0].astype(np.float64) + 1e9, clouds[0, :, 0])
    assert np.ptp(page._views[0].points, axis=0) == pytest.approx(np.ptp(clouds[0], axis=0), rel=1e-5)


@pytest.mark.parametrize("unit", [1e-42, 1e6])
def test_a_page_of_a_cloud_in_any_units_is_the_same(clouds, unit):
    # A power of two changes no digit.
    points = np.ldexp(clouds[0].astype(np.float64), np.frexp(unit)[1])
    page, wanted = (explain.show(given, clouds[0, :, 0]) for given in (points, clouds[0]))
    assert page._page == wanted._page
    assert page._repr_png_() == wanted._repr_png_()


def test_a_page_and_what_a_notebook_shows(clouds, tmp_path):
    path = tmp_path / "heat.html"
    explain.save_page(path, clouds[0], {"<mine>": clouds[0, :, 0], "theirs": clouds[0, :, 1]}, title="a & b")
    text = path.read_text(encoding="utf-8")
    assert "a &amp; b" in text and "\\u003cmine>" in text and "theirs" in text
    page = explain.show(clouds[0], clouds[0, :, 0])
    frame = page._repr_html_()
    # The page within an attribute: nothing of it may end that.
    assert frame.startswith("<iframe srcdoc=") and frame.count('"') == 8 and frame.count("<") == 2
    assert page._repr_png_()[:4] == b"\x89PNG"


def test_the_script_leaves_the_heat_of_each_method_that_python_gives(network, tiny_log, clouds, tmp_path):
    path = str(tmp_path / "mine.npy")
    np.save(path, clouds[0] * 7 + 2)
    finished = run_explain(
        "explain.py",
        *["--method", "runner-up", "critical", "--input", path, "--log_dir", tiny_log, "--num_steps", 1],
        *["--dump_dir", tmp_path],
    )
    assert finished.returncode == 0, finished.stderr
    cloud = explain.read_cloud(path)
    for method in ("runner-up", "critical"):
        found = results.load(str(tmp_path / method / "mine_0"))
        np.testing.assert_array_equal(found["points"], cloud)
        np.testing.assert_allclose(network.heat(cloud, method), found["heat"], rtol=1e-5)
        page = (tmp_path / method / "mine_0" / "heat.html").read_text(encoding="utf-8")
        assert '"method":"{}"'.format(METHODS[method].title) in page
    assert os.path.isfile(str(tmp_path / "runner-up" / "mine_0" / "heat.csv"))


def test_a_page_that_cannot_be_written_names_its_file(clouds, tmp_path):
    with pytest.raises(InputError, match="heat.html"):
        explain.save_page(tmp_path / "nowhere" / "heat.html", clouds[0], clouds[0, :, 0])
