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
    monkeypatch.setattr(cases.provider, "open_data", lambda folder: None)
    monkeypatch.setattr(cases.provider, "class_names", lambda data, known: NAMES)
    monkeypatch.setattr(cases.provider, "test_cloud", lambda *_: cloud)
    clouds = cases.Clouds(cases.Source())
    (case,) = clouds.cases(SeesCups(), ["asm"], str(tmp_path), target)
    assert (case.explained, case.is_target) == (explained, is_target)
