"""A checkpoint, ours or one of the networks' authors, -> a session that holds the network."""

import contextlib
import os
import shutil
import zlib
from typing import Any, Dict, NamedTuple, Tuple

import tensorflow.compat.v1 as tf

import models
from utils import files
from utils.demo import modelnet40
from utils.files import InputError
from utils.network import checkpoint_files, checkpoint_paths, memory, stored_weights
from utils.network.processes import ONE

STATE = 'model_checkpoint_path: "{0}"\nall_model_checkpoint_paths: "{0}"\n'


class Network(NamedTuple):
    """A network in evaluation mode with the weights of a checkpoint.

    Attributes:
      session: the tf.Session.
      points: placeholder, float32 [B, N, 3], N free.
      logits: float32 Tensor [B, C].
      end_points: dictionary, as `get_model` returns it; see `models`.
      model_name: one of models.NAMES.
      class_names: tuple of its C class names.
      config: what config.json beside the checkpoint holds, {} without one.
      prefix: path of the checkpoint.
      digest: of `checkpoint_files.digest` when it was opened: a training may have replaced it since; "" of one that is
        being trained.
    """

    session: tf.Session
    points: tf.Tensor
    logits: tf.Tensor
    end_points: Dict[str, Any]
    model_name: str
    class_names: Tuple[str, ...]
    config: Dict[str, Any]
    prefix: str
    digest: str = ""


@contextlib.contextmanager
def restore(prefix, model_name=None, gpu=0, fresh_layers=(), seed=0, class_names=None):
    """Opens a session with the network of a checkpoint, in evaluation mode.

    Args:
      prefix: path of the checkpoint, as `checkpoint_files.find` returns it.
      model_name: one of models.NAMES; None: whichever the checkpoint holds, and of several with the same layers that
        in its config.json.
      gpu: index of the GPU, -1 for the CPU.
      fresh_layers: names of layers, such as "fc3" or "transform_net1", that get the weights of a network before any
        training instead: drawn anew, other ones than any training began with, with the batch norm of a new layer.
      seed: of those weights.
      class_names: of its classes; None: those in its config.json, else, of a network for as many classes as
        ModelNet40 has, ModelNet40's, else "class 1" and so on.

    Yields:
      A Network.

    Raises:
      InputError: the checkpoint is damaged, is not of this network or nobody says of which, or of another number of
        classes.
    """
    config = checkpoint_files.read_config(prefix)

    def build(stored):
        stored.take_as(model_name, config.get("model"))
        names = _class_names(class_names, config, stored.num_classes, prefix)

        def value_of(getter, name, shape, initializer=None, **options):
            if name.split("/")[0] in fresh_layers:
                if getattr(initializer, "seed", None) is not None:
                    # A training of this seed began with what the usual one draws, and may not be far from it.
                    initializer = type(initializer)(seed=zlib.crc32(("fresh/" + name).encode("utf-8")) % 2**31)
                return getter(name, shape, initializer=initializer, **options)
            return tf.constant(stored.read(name, list(shape)), name=name)

        with tf.Graph().as_default():
            tf.set_random_seed(seed)
            points = tf.placeholder(tf.float32, [None, None, 3], "points")
            # With constants for variables, TensorFlow folds batch norm into weights and biases once, not in every call.
            with tf.variable_scope("", custom_getter=value_of):
                logits, end_points = models.network(stored.model_name).get_model(
                    points, is_training=False, num_classes=stored.num_classes
                )
        digest = checkpoint_files.digest(prefix)
        return Network(None, points, logits, end_points, stored.model_name, names, config, prefix, digest)

    network = stored_weights.read_whole(prefix, build)
    graph = network.points.graph
    with graph.as_default():
        initialiser = tf.global_variables_initializer()
    # Nobody's default graph and session: from Python, networks are closed in any order, beside other TensorFlow.
    with open_session(gpu, graph) as session:
        session.run(initialiser)
        yield network._replace(session=session)


def load(session, prefix, variables, model_name):
    """Loads variables by name, under our names or under those of upstream PointNet and DGCNN.

    Args:
      session: the tf.Session.
      prefix: path of the checkpoint.
      variables: list of tf.Variable.
      model_name: what the variables are of, for the message.

    Raises:
      InputError: the checkpoint is damaged, or a variable is missing from it or has another shape there.
    """

    def read(stored):
        stored.take_as(model_name)
        _load(session, stored, variables)

    stored_weights.read_whole(prefix, read)


def begin_with(session, prefix, variables, model_name, class_names):
    """Loads the weights that a training begins with; of a network for other classes, all but those of its last layer.

    Where nobody knows the names of its classes, those of as many are taken to be the same.

    Args:
      session, prefix, variables, model_name: as of `load`.
      class_names: tuple of the names of the classes that the training is for.

    Returns:
      The name of the last layer where that keeps the weights that it has; None where all are loaded.

    Raises:
      InputError: as `load`.
    """
    trained = checkpoint_files.read_config(prefix).get("class_names")

    def read(stored):
        stored.take_as(model_name)
        # Names that do not fit in number are not of this checkpoint.
        is_known = trained is not None and len(trained) == stored.num_classes
        is_same = tuple(trained) == tuple(class_names) if is_known else stored.num_classes == len(class_names)
        fresh = None if is_same else models.network(model_name).LAYERS_FROM_TOP[0]
        _load(session, stored, [variable for variable in variables if variable.op.name.split("/")[0] != fresh])
        return fresh

    return stored_weights.read_whole(prefix, read)


def _load(session, stored, variables):
    """Loads variables from a StoredWeights that is taken as of their network."""
    for variable in variables:
        kind = variable.dtype.base_dtype.as_numpy_dtype
        variable.load(stored.read(variable.op.name, variable.shape.as_list(), kind), session)


@contextlib.contextmanager
def open_session(gpu, graph=None, processes=ONE):
    """A context with a session on one device.

    Args:
      gpu: index of the GPU; -1 for the CPU. Where there is no GPU at all, 0 means the CPU too.
      graph: the tf.Graph that it runs; None: the default one.
      processes: a processes.Processes. Those on one machine take one GPU each, from that index on.

    Raises:
      InputError: there is no such GPU, or, at any time, its memory is full.
    """
    # Asking for a GPU that is not there would end the process, not raise, in TensorFlow 1.15.
    num_gpus = 0 if gpu < 0 else len(tf.config.experimental.list_physical_devices("GPU"))
    if gpu > 0 and gpu >= num_gpus:
        raise InputError(
            "`gpu` {}: TensorFlow sees {} GPUs here; give {}-1 for the CPU".format(
                gpu, num_gpus, "0 to {}, or ".format(num_gpus - 1) if num_gpus else "0 or "
            )
        )
    config = tf.ConfigProto(allow_soft_placement=True, device_count={} if num_gpus else {"GPU": 0})
    # Each new question otherwise prepares all of the graph, the gradients that it does not ask for, too.
    config.graph_options.place_pruned_graph = True
    if num_gpus:
        config.gpu_options.allow_growth = True
        config.gpu_options.visible_device_list = str(processes.gpu(gpu, num_gpus))
    with contextlib.closing(tf.Session(graph=graph, config=config)) as session, memory.shortage_told():
        yield session


def save(session, saver, prefix, facts=None):
    """Saves a checkpoint under a fixed name, so that a kill at any moment leaves the old one or the new one.

    tf.train.Saver would number its files, so that the best network had another path after each epoch; under one name it
    replaces them one by one, and a kill in between leaves the index of one network beside the values of another.

    Args:
      session: the tf.Session.
      saver: the tf.train.Saver.
      prefix: path to save under; its folder exists.
      facts: dictionary that `checkpoint_files.read_facts` is to give of it; None: none.

    Raises:
      InputError: it cannot be written; what was there before is still there.
    """
    folder, name = os.path.split(prefix)
    temporary = os.path.join(folder, name + checkpoint_files.SAVING)
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        # Not makedirs: a folder that vanished while the training ran is not to begin anew with this file alone.
        os.mkdir(temporary)
        with checkpoint_paths.writable(temporary) as writable:
            saver.save(session, os.path.join(writable, name), write_meta_graph=False, write_state=False)
        written = os.path.join(temporary, name)
        if facts is not None:
            files.write_json(written + checkpoint_files.FACTS, facts)
        # What tf.train.latest_checkpoint reads. TensorFlow's own way of writing it leaves a file behind after a kill.
        files.replace_file(os.path.join(folder, "checkpoint"), lambda file: file.write(STATE.format(name)))
        checkpoint_files.replace(written, prefix)
        shutil.rmtree(temporary, ignore_errors=True)
    except InputError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    # A disk that is full, or gone: tf.train.Saver raises any of them.
    except (tf.errors.OpError, OSError, ValueError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        reason = os.strerror(error.errno) if getattr(error, "errno", None) else _reason(error)
        raise InputError(
            "cannot save {} ({}): what was saved before is still there; free space there or mend the disk, and the "
            "same command goes on from it".format(prefix, reason)
        )


def _reason(error):
    """What TensorFlow says of a file, without its name, and without where in the graph it was."""
    lines = getattr(error, "message", str(error)).strip().split("\n")
    return next((line for line in lines if "; " in line), lines[0]).split("; ")[-1]


def _class_names(given, config, num_classes, prefix):
    """The names of a checkpoint's classes; see `restore`."""
    if given is not None and len(given) != num_classes:
        raise InputError(
            "{} tells {} classes apart, but {} are named: give data of its classes with `data_dir`, or their names, in "
            "the order of their labels, with `class_names`".format(prefix, num_classes, len(given))
        )
    names = given or config.get("class_names")
    if names and len(names) == num_classes:
        return tuple(names)
    if num_classes == len(modelnet40.CLASS_NAMES):
        return modelnet40.CLASS_NAMES
    return tuple("class {}".format(number + 1) for number in range(num_classes))
