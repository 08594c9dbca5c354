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
    # Who holds the other maxima is asked for once it may save something.
    np.testing.assert_array_equal(voter(np.delete(points, without[:10], 0)), whole)
    calls = []
    monkeypatch.setattr(classifier, "logits_by_maxima", lambda *arguments: calls.append(arguments))
    np.testing.assert_array_equal(voter(np.delete(points, without, 0)), whole)
    np.testing.assert_array_equal(voter(np.delete(points, without, 0)), whole)
    assert not calls


def test_what_comes_back_is_answered_by_an_answer_about_more(classifier, points, rng, monkeypatch):
    monkeypatch.setattr(votes, "LEAST_POINTS", 0)
    monkeypatch.setattr(votes, "MOST_ANSWERS", 2)
    voter = classifier.voter(points, ROTATIONS)
    order = rng.permutation(len(points))
    whole_networks = []
    answer = classifier.logits_and_maxima
    monkeypatch.setattr(
        classifier, "logits_and_maxima", lambda clouds: whole_networks.append(len(clouds)) or answer(clouds)
    )
    # The third time the answer about all is gone, so the whole network has to be asked again.
    for gone, times_asked in ((0, 1), (20, 1), (10, 1), (15, 1), (5, 2)):
        left = points[np.sort(order[gone:])]
        np.testing.assert_allclose(voter(left), classifier.vote_logits(left, ROTATIONS), rtol=1e-6, atol=1e-5)
        assert len(whole_networks) == times_asked


def test_what_would_not_fit_or_not_pay_is_computed():
    # An answer takes 16 bytes a channel and vote, 8 MB for 500 votes, and two have to fit into 2 GiB.
    assert votes.pays(1024, 500, 1024) and votes.pays(10**6, 2**16, 1024)
    assert not votes.pays(1024, 2**16 + 1, 1024) and not votes.pays(1024, 31, 1024)


def test_few_votes_are_cast_as_they_were(classifier, points):
    voter = classifier.voter(points, ROTATIONS)
    assert isinstance(voter, functools.partial)
    np.testing.assert_array_equal(voter(points), classifier.vote_logits(points, ROTATIONS))
