"""Votes that keep maxima answer as those that are computed anew."""

import functools
import os

import numpy as np
import pytest

from utils.clouds import transforms
from utils.network import checkpoint, checkpoint_files, votes
from utils.network.classifier import Classifier


@pytest.fixture(scope="module", params=["pointnet_cls_basic", "pointnet_cls"])
def classifier(request, tiny_log):
    prefix = checkpoint_files.find(None, tiny_log)
    if request.param == "pointnet_cls":
        prefix = os.path.join(checkpoint_files.PRETRAINED_DIR, "rotation_y", "model.ckpt")
    with checkpoint.restore(prefix, gpu=-1) as network:
        assert network.model_name == request.param
        yield Classifier(network)


@pytest.fixture
def points(rng):
    # Two of them in one place, and no whole number of blocks.
    found = rng.uniform(-0.7, 0.7, (70, 3)).astype(np.float32)
    found[33] = found[5]
    return found


ROTATIONS = transforms.draw_rotations("xyz", 5, np.random.RandomState(1))


def test_points_go_and_come_and_the_answers_are_those_of_all_anew(classifier, points, rng, monkeypatch):
    monkeypatch.setattr(votes, "LEAST_POINTS", 0)
    voter = classifier.voter(points, ROTATIONS)
    assert isinstance(voter, votes.Votes)
    order = rng.permutation(len(points))
    for gone in (0, 1, 2, 5, 18, 50, 30, 41, 35, 36, 69, 0):
        left = points[np.sort(order[gone:])]
        np.testing.assert_allclose(voter(left), classifier.vote_logits(left, ROTATIONS), rtol=1e-6, atol=1e-5)
    # Of two points in one place one is as good as both.
    np.testing.assert_allclose(voter(np.delete(points, 5, 0)), voter(np.delete(points, 33, 0)), rtol=0, atol=0)
    # Points of another cloud are classified too.
    others = points[:20] + np.float32(0.01)
    np.testing.assert_array_equal(voter(others), classifier.vote_logits(others, ROTATIONS))


def test_points_that_hold_no_maximum_cost_no_classification(classifier, rng, monkeypatch):
    monkeypatch.setattr(votes, "LEAST_POINTS", 0)
    points, turns = rng.uniform(-0.7, 0.7, (600, 3)).astype(np.float32), ROTATIONS[:2]
    (holds,) = next(classifier.quantities(["matters"], np.matmul(points, turns), 0))
    without = np.flatnonzero(~holds.any(axis=0))[:20]
    assert len(without) == 20
    voter = classifier.voter(points, turns)
    whole = voter(points)
    calls = []
    monkeypatch.setattr(classifier, "logits_by_maxima", lambda *arguments: calls.append(arguments))
    np.testing.assert_array_equal(voter(np.delete(points, without, 0)), whole)
    assert not calls


def test_what_would_not_fit_or_not_pay_is_computed():
    # 1,024 points, 500 votes: 64 blocks of 1,024 numbers of 4 bytes a vote are 125 MiB.
    assert votes.pays(1024, 500, 1024) and votes.pays(2**14, 512, 1024)
    assert not votes.pays(2**14 + 1, 512, 1024) and not votes.pays(1024, 31, 1024)


def test_few_votes_are_cast_as_they_were(classifier, points):
    voter = classifier.voter(points, ROTATIONS)
    assert isinstance(voter, functools.partial)
    np.testing.assert_array_equal(voter(points), classifier.vote_logits(points, ROTATIONS))
