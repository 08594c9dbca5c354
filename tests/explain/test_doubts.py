"""When a cloud of one's own looks unlike what the network knows."""

import numpy as np
import pytest

from utils.clouds import own_cloud
from utils.clouds.cloud import Cloud, OwnFile
from utils.explain import doubts


class TallClassifier:
    """Sees a tower where a cloud is tall, else a table; how surely, its `scale` says."""

    class_names = ("tower", "table", "cup")

    def __init__(self, scale=20.0):
        self._scale = scale

    def logits(self, clouds):
        width, height = np.ptp(clouds[:, :, [0, 2]], axis=1).max(axis=1), np.ptp(clouds[:, :, 1], axis=1)
        return self._scale * np.stack([2 * (height - width), width - height, 0 * width], axis=1)


def _doubts(points, scale=20.0):
    points = np.asarray(points, np.float64)
    own = OwnFile(points, np.arange(len(points)), points, np.arange(len(points)), np.zeros(3), 1.0, [])
    cloud, classifier = Cloud(points.astype(np.float32), None, "a", 0, "a.xyz", own), TallClassifier(scale)
    return doubts.of(cloud, classifier.logits(cloud.points[np.newaxis])[0], classifier)


@pytest.fixture
def tower(rng):
    return rng.uniform(-1, 1, (200, 3)) * [0.2, 1, 0.2]


def test_an_upright_cloud_of_a_known_class_is_not_doubted(tower):
    assert _doubts(tower) == []


def test_a_cloud_that_lies_is_said_to_though_the_network_is_sure_of_another_class(tower):
    # Of 0.4 x 0.4 x 2 it is no tower; wide where it is not tall, it is a table. With z up it is a tower, more surely.
    (doubt,) = _doubts(tower[:, [0, 2, 1]])
    assert "if z were up, it would be seen as tower" in doubt and "`up` z" in doubt


def test_where_no_class_is_likely_it_is_said_so(tower):
    (doubt,) = _doubts(tower, scale=0.1)
    assert "no class is likely" in doubt and "`rotation` xyz" in doubt


def test_the_axis_that_is_up_already_is_not_advised(tower):
    # Lying, with its longest axis along z, which is given as up: the other two are left to try.
    own = OwnFile(tower, np.arange(200), tower, np.arange(200), np.zeros(3), 1.0, [])
    points = tower.dot(own_cloud.up_rotation("z")).astype(np.float32)
    classifier = TallClassifier(0.1)
    (doubt,) = doubts.of(Cloud(points, None, "a", 0, "a.xyz", own), np.zeros(3), classifier)
    assert "try `up` y, or" in doubt


@pytest.mark.parametrize("axes, words", [([1.0, 1.0, 0.0], "in a plane"), ([1.0, 0.0, 0.0], "on a line")])
def test_flat_clouds_are_said_to_be(axes, words, rng):
    assert any(words in doubt for doubt in _doubts(rng.uniform(-1, 1, (50, 3)) * axes))


def test_another_number_of_points_is_doubted_where_the_network_sees_density():
    assert doubts.of_density(None, 40) == doubts.of_density(30, 30) == []
    (doubt,) = doubts.of_density(30, 40)
    assert doubt.endswith("knows 30 a cloud: of 40 it may see something else; try `num_points` 30")


def test_no_more_points_are_advised_than_there_are():
    (doubt,) = doubts.of_density(1024, 25, 25)
    assert doubt.endswith("knows 1024 a cloud: of 25 it may see something else")
    for most in (1024, np.inf):
        (doubt,) = doubts.of_density(1024, 25, most)
        assert doubt.endswith("; try `num_points` 1024")
    (doubt,) = doubts.of_density(1024, 25)
    assert doubt.endswith("; try `num_points` 1024, if the data have as many")
