"""Explaining from Python: what notebooks import through explain.py. NumPy in and out, no flags, no printing.

Every error is an InputError, which is a ValueError, and names the argument in backticks.
"""

import contextlib
import os
import sys
import warnings
import weakref

import numpy as np

import models
from utils import metrics
from utils.clouds import own_cloud, readers
from utils.clouds.cloud import MIN_POINTS
from utils.command_line import ROTATIONS
from utils.demo import shapes
from utils.explain import arguments
from utils.explain.methods import DEFAULT_METHOD, METHODS, OPTIONS
from utils.files import InputError
from utils.network import checkpoint_files, memory
from utils.network.loading import open_classifier

LARGEST = np.iinfo(np.int32).max  # of whole numbers that count something
LARGEST_SEED = 2**32 - 1


def open_network(model_path=None, rotation="y", gpu=0, model=checkpoint_files.POINTNET):
    """Opens a network. TensorFlow is loaded now, which takes seconds; importing loads nothing of it.

    Args:
      model_path: a checkpoint of train.py, or of upstream PointNet, PointNet++ or DGCNN: its prefix, one of its files,
        or its folder; None: a network that comes with the program, trained on the 40 classes of ModelNet40.
      rotation: which PointNet of these: trained on objects that stand upright ("y"), lie in any position ("xyz") or
        were never turned ("none").
      gpu: index of the GPU, where there is one; -1 for the CPU.
      model: which network of these: "pointnet_cls", "dgcnn" or "pointnet2_cls_ssg".

    Returns:
      An OpenNetwork; it holds memory until it is closed: `with explain.open_network() as network:`, or `close`.

    Raises:
      InputError: there is no such checkpoint, it is damaged, or there is no such GPU.
    """
    arguments.check_is_one_of("rotation", rotation, ROTATIONS)
    arguments.check_is_one_of("model", model, shipped_models())
    arguments.check_whole("gpu", gpu, LARGEST, least=-1)
    is_pointnet = model == checkpoint_files.POINTNET
    if rotation != "y" and (model_path is not None or not is_pointnet):
        raise InputError("`rotation` {}: it chooses among the shipped PointNets; leave it out".format(rotation))
    if model_path is not None and not is_pointnet:
        raise InputError("`model` {}: it chooses among the shipped networks; leave it out".format(model))
    if model_path is None:
        model_path = os.path.join(checkpoint_files.PRETRAINED_DIR, "rotation_" + rotation if is_pointnet else model)
    return OpenNetwork(checkpoint_files.find(arguments.path("model_path", model_path), None), gpu)


def shipped_models():
    """The networks that come with the program, trained: a list of names."""
    others = [name for name in models.NAMES if os.path.isdir(os.path.join(checkpoint_files.PRETRAINED_DIR, name))]
    return [checkpoint_files.POINTNET] + others


class OpenNetwork:
    """A network that answers questions about clouds, until it is closed.

    Clouds are float32 [N, 3], or [B, N, 3] for B clouds at once, as the network knows them: centred, in the unit
    sphere, y up. `place` and `read_cloud` make them so.

    Attributes:
      class_names: tuple of the C class names, in the order of their labels.
      known_points: how many points a cloud should have, as in training, of a network that sees how dense they lie; None
        where any number is as good.
    """

    def __init__(self, prefix, gpu=0):
        """Opens a checkpoint; prefix: as `checkpoint_files.find` returns it."""
        with contextlib.ExitStack() as opened, warnings.catch_warnings():
            # TensorFlow 1.15 greets a current NumPy with pages of them.
            warnings.simplefilter("ignore", FutureWarning)
            self._classifier = opened.enter_context(open_classifier(prefix, gpu=gpu))
            # At the end of Python too: TensorFlow cannot close a session once it is taken down itself.
            self._end = weakref.finalize(self, opened.pop_all().close)
        self.class_names = self._classifier.class_names
        self.known_points = self._classifier.known_points

    def classify(self, points):
        """What the network sees.

        Args:
          points: float array [N, 3] or [B, N, 3].

        Returns:
          The names of all classes, likeliest first, and their probabilities: arrays [C], or [B, C] of B clouds.

        Raises:
          InputError: points that are no clouds, or the network is closed.
        """
        clouds = arguments.clouds(points, 1)
        classifier = self._open_classifier()
        with memory.shortage_told():
            logits = classifier.logits(clouds)
        probabilities = np.stack([metrics.softmax(one) for one in logits])
        order = np.argsort(-probabilities, axis=1, kind="stable")
        names, probabilities = np.array(self.class_names)[order], np.take_along_axis(probabilities, order, axis=1)
        return (names, probabilities) if np.ndim(points) == 3 else (names[0], probabilities[0])

    def heat(self, points, method=DEFAULT_METHOD, label=None, target=None, seed=0, **options):
        """Heat of each point: how much the network's answer hangs on it.

        Args:
          points: float array [N, 3] or [B, N, 3].
          method: name of one of methods.METHODS.
          label: what the cloud is: a class name, or its place in `class_names`, from 0; of B clouds one for all, or a
            list of B. None: what the network sees in it.
          target: class to explain instead, as in "why not a chair?", likewise; None: `label`.
          seed: of methods that draw.
          options: what the method takes besides: pooling="avg" of p-grad-cam, power of asm, path_refresh of
            runner-up-path.

        Returns:
          float array [N] or [B, N], as the method's formula gives it.

        Raises:
          InputError: points that are no clouds, or another argument that cannot be used, or the network is closed.
        """
        clouds, classifier = arguments.clouds(points, MIN_POINTS), self._open_classifier()
        arguments.check_is_one_of("method", method, METHODS)
        method = METHODS[method]
        _check_options(method, options)
        arguments.check_whole("seed", seed, LARGEST_SEED)
        given = [
            None if classes is None else self._labels(classes, name, len(clouds))
            for name, classes in (("label", label), ("target", target))
        ]
        with memory.shortage_told():
            found = _heats(classifier, clouds, method, given, seed, options)
        return found if np.ndim(points) == 3 else found[0]

    def close(self):
        """Frees what the network holds. A second time it does nothing."""
        self._classifier = None
        self._end()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _open_classifier(self):
        if self._classifier is None:
            raise InputError("the network is closed: open it again with `open_network`")
        return self._classifier

    def _labels(self, classes, argument, count):
        """Labels, int array [B], of one class for all, or of B; classes are names or numbers from 0."""
        if isinstance(classes, np.ndarray):
            classes = classes.tolist()
        listed = list(classes) if isinstance(classes, (list, tuple)) else [classes] * count
        if len(listed) != count:
            raise InputError(
                "`{}`: {} classes for {} clouds; give one for all, or as many".format(argument, len(listed), count)
            )
        return np.array([self._label(one, argument) for one in listed])

    def _label(self, one, argument):
        """The label of a class, of its name or of itself."""
        names = list(self.class_names)
        if isinstance(one, str) and one in names:
            return names.index(one)
        if arguments.is_whole(one) and 0 <= one < len(names):
            return int(one)
        raise InputError(
            "`{}` {}: no such class; give 0 to {} or one of {}".format(argument, one, len(names) - 1, ", ".join(names))
        )


def _heats(classifier, clouds, method, given, seed, options):
    """Heat [B, N] of clouds [B, N, 3].

    Args:
      classifier: a classifier.Classifier.
      clouds: float32 array [B, N, 3].
      method: a methods.Method.
      given: labels and classes to explain instead, int array [B] each, or None.
      seed, options: as for `OpenNetwork.heat`.
    """
    labels, explained = given
    labels = classifier.logits(clouds).argmax(axis=1) if labels is None else labels
    explained = labels if explained is None else explained
    found = [None] * len(clouds)
    for is_target in (False, True):
        rows = np.flatnonzero((explained != labels) == is_target)
        if len(rows):
            rngs = [np.random.RandomState(seed) for _ in rows]
            heats = method.heat(classifier, clouds[rows], explained[rows], rngs, is_target, **options)
            for row, heat in zip(rows, heats):
                found[row] = heat
    return np.stack(found)


def read_cloud(path, num_points=None, up="y", index=0, sampling="farthest", seed=0):
    """A cloud of a file, of any kind that the scripts read, placed as the network knows clouds.

    Args:
      path, num_points, up, index, sampling, seed: as for `own_cloud.load`; `known_points` of a network is a good
        `num_points`.

    Returns:
      float32 array [N, 3].

    Raises:
      InputError: the file cannot be read, or holds no such cloud.
    """
    arguments.check_is_one_of("up", up, "xyz")
    arguments.check_is_one_of("sampling", sampling, readers.SAMPLINGS)
    if num_points is not None:
        arguments.check_whole("num_points", num_points, LARGEST, least=MIN_POINTS)
    arguments.check_whole("index", index, LARGEST)
    arguments.check_whole("seed", seed, LARGEST_SEED)
    try:
        return own_cloud.load(arguments.path("path", path), num_points, index, up, sampling, seed).points
    except InputError as error:
        # As the scripts' flags are called.
        raise InputError(str(error).replace("`shape_index`", "`index`").replace("`input`", "`path`"))


def place(points, up="y"):
    """A cloud in any units, placed as the network knows clouds: centred, in the unit sphere, y up.

    Args:
      points: float array [N, 3].
      up: the axis that points up: "x", "y" or "z".

    Returns:
      float32 array [N, 3].

    Raises:
      InputError: points that are no cloud.
    """
    arguments.check_is_one_of("up", up, "xyz")
    # Far from the origin, as surveys are, float32 would round the shape away.
    points = arguments.one_cloud(points, np.float64)
    return own_cloud.normalise(points, "`points`")[0].dot(own_cloud.up_rotation(up)).astype(np.float32)


def demo_cloud(class_name, num_points=1024, seed=0):
    """A built-in shape, to try things on.

    Args:
      class_name: one of shapes.DEMO_CLASSES, such as "airplane".
      num_points: how many.
      seed: other seeds give other objects of the class.

    Returns:
      float32 array [num_points, 3], placed as the network knows clouds.

    Raises:
      InputError: there is no shape of that class, or too few points.
    """
    arguments.check_is_one_of("class_name", class_name, shapes.DEMO_CLASSES)
    arguments.check_whole("num_points", num_points, LARGEST, least=MIN_POINTS)
    arguments.check_whole("seed", seed, shapes.MAX_SEED)
    return shapes.sample_shape(class_name, num_points, np.random.RandomState(seed))


def _check_options(method, options):
    """Raises an InputError for an option that the method has none of, or whose value is none."""
    taken = [name for name in OPTIONS if name in method.options]
    for name in options:
        if name not in taken:
            raise InputError("`{}`: {} takes {}".format(name, method.name, " and ".join(taken) or "no option"))
    if "pooling" in options:
        arguments.check_is_one_of("pooling", options["pooling"], ("max", "avg"))
    if "power" in options:
        power = options["power"]
        if not isinstance(power, (int, float, np.integer, np.floating)) or not abs(power) <= sys.float_info.max:
            raise InputError("`power` {}: give a finite number".format(power))
    if "path_refresh" in options:
        arguments.check_whole("path_refresh", options["path_refresh"], np.iinfo(np.int64).max)
