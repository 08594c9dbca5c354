"""When a cloud looks unlike what the network knows: what to tell the user, and the flag to try."""

import numpy as np

from utils import metrics, wording
from utils.clouds import own_cloud

LIKELY = 0.5  # probability from which a class is thought to be seen
# Times the odds. Under the shipped network it doubts 6 % of 300 upright clouds of ModelNet40's test split, and 61 % of
# the same clouds when they lie.
MUCH_LIKELIER = 7.4
FLAT = 1e-3  # of its largest extent
FAR_MORE_POINTS = 500000  # than scans of one object have


def of(cloud, logits, classifier):
    """Doubts about one cloud.

    Args:
      cloud: a Cloud of one's own.
      logits: float array [C], of the cloud as it is.
      classifier: a classifier.Classifier, or anything with `logits` and `class_names`.

    Returns:
      List of lines, each of which names what to try.
    """
    probability = metrics.softmax(logits).max()
    found = []
    if len(cloud.own.all_points) > FAR_MORE_POINTS:
        found.append(
            "{} points are far more than one object has: if it is a scene, cut out one object".format(
                len(cloud.own.all_points)
            )
        )
    spread = np.linalg.svd(cloud.points - cloud.points.mean(axis=0), compute_uv=False)
    if spread[1] <= FLAT * spread[0]:
        found.append("all its points lie on a line: are the right columns read? try another `input`")
    elif spread[2] <= FLAT * spread[0]:
        found.append("all its points lie in a plane: are the right columns read? try another `input`")
    other, turned = _likeliest_turned(cloud, classifier)
    is_other_class = turned is not None and turned.argmax() != logits.argmax()
    if is_other_class and _log_odds(turned) > max(_log_odds(logits) + np.log(MUCH_LIKELIER), 0):
        found.append(
            "if {0} were up, it would be seen as {1} ({2}): try `up` {0}".format(
                other, classifier.class_names[int(turned.argmax())], wording.percent(metrics.softmax(turned).max())
            )
        )
    elif probability <= LIKELY:
        found.append(
            "no class is likely: it may be no object that the network knows, a whole scene, or not upright; "
            "try `up` {}, or `rotation` xyz for any position".format(other)
        )
    return found


def of_density(known_points, num_points, most=None):
    """Doubts about how many points a cloud has.

    Args:
      known_points: of a classifier.Classifier.
      num_points: of the cloud.
      most: how many points the cloud can have, infinite for a mesh; None where nobody knows.

    Returns:
      List of at most one line, which names as many points as can be had.
    """
    if known_points in (None, num_points):
        return []
    text = "the network sees how dense points lie, and knows {0} a cloud: of {1} it may see something else"
    if most is None and known_points > num_points:
        text += "; try `num_points` {0}, if the data have as many"
    elif known_points <= max(num_points, most or 0):
        text += "; try `num_points` {0}"
    return [text.format(known_points, num_points)]


def _likeliest_turned(cloud, classifier):
    """The other axis that makes a class likeliest when it is up, and the logits [C] then; None where no turn is one."""
    placed = (cloud.own.file_points - cloud.own.centre) / cloud.own.scale
    turned = {up: placed.dot(own_cloud.up_rotation(up)).astype(np.float32) for up in "yzx"}
    others = {up: points for up, points in turned.items() if not np.allclose(points, cloud.points, atol=1e-4)}
    if not others:
        return "z", None
    # Never classified in one batch with the cloud itself, whose logits must stay what they are to the last bit.
    logits = classifier.logits(np.stack(list(others.values())))
    best = max(range(len(logits)), key=lambda number: _log_odds(logits[number]))
    return list(others)[best], logits[best]


def _log_odds(logits):
    """Logarithm of the odds of the likeliest class, which probabilities of nearly 1 do not tell apart."""
    ordered = np.sort(np.asarray(logits, np.float64))
    return ordered[-1] - np.logaddexp.reduce(ordered[:-1])
