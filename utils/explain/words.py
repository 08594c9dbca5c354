"""What a run tells people in words: how the dropping goes, why it stopped, and at the end what was found."""

import numpy as np

from utils import wording
from utils.explain.point_drop import LOST_ACCURACY
from utils.files import printable


class DroppingLine:
    """Tells a progress.Progress how the dropping of one cloud goes: accuracy and points left before all else."""

    def __init__(self, line, label, title, voter):
        """
        Args:
          line: a progress.Progress without a total: nobody knows how many points go until the object is lost.
          label: class that is explained.
          title: of the method.
          voter: function of points [M, 3] -> logits [V, C].
        """
        self._line, self._label, self._title, self._voter = line, label, title, voter
        self._accuracy = "accuracy -"

    def vote_logits(self, points):
        """As the voter; tells what share of the votes was right, and of how many points."""
        logits = self._voter(points)
        share = wording.percent((logits.argmax(axis=1) == self._label).mean())
        self._accuracy = "accuracy {} at {}".format(share, len(points))
        self._line.tell("{} points, {}".format(self._accuracy, self._title))
        return logits

    def show_round(self, finished):
        """Tells of a finished results.Round."""
        self._line.tell(
            "{}, {} left, round {}, {}".format(self._accuracy, finished.points_left, finished.round, self._title)
        )


def is_lost(run):
    """Whether the network no longer recognised the object at the end of a results.DropRun."""
    return run.rounds[-1].accuracy <= LOST_ACCURACY


def conclusion(case, found, page):
    """What the network saw, on how much of the cloud that hung by each method, and what to open, in words.

    Args:
      case: a cases.Case.
      found: for each method its title, its results.DropRun, and the run.Dropping with its drop mode filled in.
      page: path of the page to open.
    """
    said = [_what_it_hung_on(printable(case.explained), *one) for one in found]
    return "The network: {} is {}; {}. Open {} in a browser to see its heat.".format(
        case.name, case.seen_as(), "; ".join(said), printable(page)
    )


def _what_it_hung_on(explained, title, run, dropping):
    accuracy, num_points = wording.percent(run.rounds[-1].accuracy), len(run.points)
    num_dropped = int((run.removed_in_round > 0).sum())
    if is_lost(run) and not num_dropped:
        return "under rotation {} only {} of the votes were for {}, so {} dropped no point".format(
            dropping.rotation, accuracy, explained, title
        )
    if run.rounds[-1].points_left == 0:
        shares = [(one.points_left, one.accuracy) for one in run.rounds if not np.isnan(one.accuracy)]
        points_left, share = shares[-1]
        return "by {} all {} points were dropped, {}; with {} left {} of the votes were for {}".format(
            title, num_points, _order(dropping), points_left, wording.percent(share), explained
        )
    if is_lost(run):
        return "by {} {} was lost once {} of the cloud, {} of {} points, was dropped, {}".format(
            title, explained, wording.percent(num_dropped / num_points), num_dropped, num_points, _order(dropping)
        )
    return "by {} {} was never lost: {} of the votes were for it with {} of {} points dropped, {}".format(
        title, explained, accuracy, num_dropped, num_points, _order(dropping)
    )


def _order(dropping):
    """Which points go first under a run.Dropping, as a clause."""
    if dropping.drop_mode in ("+random", "-random"):
        return "by chance"
    is_hottest = dropping.drop_mode[0] == "+" or dropping.drop_mode == "nonzero"
    if dropping.drop_mode == "top":
        is_hottest = not dropping.lowest
    return "the {} first".format("hottest" if is_hottest else "coldest")
