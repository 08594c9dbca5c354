"""Which class a cloud is explained as, and whether that is asked about though the cloud is another."""

import argparse

import numpy as np
import pytest

from utils.clouds.cloud import Cloud
from utils.explain import cases

NAMES = ("chair", "cone", "cup")


class SeesCups:
    """A network to which every cloud is a cup."""

    class_names = NAMES
    known_points = None
    network = argparse.Namespace(model_name="pointnet_cls", prefix="model.ckpt")

    def logits(self, clouds):
        return np.array([[0.0, 1.0, 3.0]] * len(clouds), np.float32)


@pytest.mark.parametrize(
    "label, target, explained, is_target",
    [
        (1, None, "cone", False),
        (1, "cone", "cone", False),
        (1, "chair", "chair", True),
        (None, None, "cup", False),
        (None, "cup", "cup", False),
        (None, "2", "cone", True),
    ],
)
def test_a_class_is_a_target_where_the_cloud_is_not_of_it(label, target, explained, is_target, tmp_path, monkeypatch):
    cloud = Cloud(np.zeros((4, 3), np.float32), label, "thing", 0, "a file")
    monkeypatch.setattr(cases.provider, "open_data", lambda *_: None)
    monkeypatch.setattr(cases.provider, "class_names", lambda data, known: NAMES)
    monkeypatch.setattr(cases.provider, "test_cloud", lambda *_: cloud)
    clouds = cases.Clouds(cases.Source())
    (case,) = clouds.cases(SeesCups(), ["asm"], str(tmp_path), target)
    assert (case.explained, case.is_target) == (explained, is_target)


class SeesDensity(SeesCups):
    known_points = 30


def _explained_points(source, tmp_path, classifier):
    (case,) = cases.Clouds(source).cases(classifier, ["asm"], str(tmp_path / "out"))
    return case.cloud.points


def test_a_network_that_sees_density_gets_as_many_points_as_in_training(tmp_path, rng, monkeypatch, capsys):
    monkeypatch.setattr(cases.doubts, "of", lambda *_: [])
    path = str(tmp_path / "thing.xyz")
    np.savetxt(path, rng.standard_normal((50, 3)))
    source = cases.Source(inputs=[path])
    assert len(_explained_points(source, tmp_path, SeesCups())) == 50
    assert len(_explained_points(source, tmp_path, SeesDensity())) == 30
    assert "sees how dense" not in capsys.readouterr().out
    assert len(_explained_points(source._replace(num_points=40), tmp_path, SeesDensity())) == 40
    assert "knows 30 a cloud: of 40 " in capsys.readouterr().out
    np.savetxt(path, rng.standard_normal((20, 3)))
    assert len(_explained_points(source, tmp_path, SeesDensity())) == 20
    assert "of 20 " in capsys.readouterr().out


def test_of_a_test_cloud_it_gets_the_first_of_them(tmp_path, tiny_data):
    source = cases.Source(data_dir=tiny_data, class_name="chair")
    points = _explained_points(source, tmp_path, SeesCups())
    assert len(points) == 64
    np.testing.assert_array_equal(_explained_points(source, tmp_path, SeesDensity()), points[:30])
