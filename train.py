"""Trains a classifier of point clouds, PointNet, PointNet++ or DGCNN, on ModelNet40 or any data set in its format.

    python train.py
    python train.py --data_dir demo --log_dir log/demo --max_epoch 20
    python train.py --model dgcnn --log_dir log/dgcnn
    horovodrun -np 4 python train.py

Started again on the same --log_dir it goes on where it was, with the same clouds, rotations and jitter as if it had not
stopped; only dropout draws anew. Ctrl-C saves first.
"""

from utils import streams

with streams.one_line_interrupts():
    import functools
    import json
    import os
    import sys

    import numpy as np

    import models
    import provider
    import utils
    from utils import command_line, files
    from utils.clouds import augmentation, transforms
    from utils.disk import locks
    from utils.explain import shown_clouds
    from utils.files import InputError
    from utils.network import loading, processes, resuming, training

EXAMPLES = (
    "python train.py",
    "python train.py --data_dir demo --log_dir log/demo --max_epoch 20",
    "python train.py --model dgcnn --log_dir log/dgcnn",
)


def parse_flags():
    parser = command_line.Parser("Trains a classifier of point clouds; started again, it resumes.", EXAMPLES)
    group = parser.add_argument_group("data")
    command_line.add_data_flag(group)
    group.add_argument("--num_point", type=command_line.positive_int, default=1024, help="points of each cloud")
    group.add_argument(
        "--train_points",
        metavar="POINTS",
        type=command_line.positive_int,
        help="train on so many of them, drawn anew at each step; half as many train twice as fast (default: all)",
    )
    group.add_argument(
        "--rotation",
        choices=command_line.ROTATIONS,
        default="y",
        help="random rotation of the training clouds: none, about the up axis, or any",
    )
    group.add_argument(
        "--augment",
        choices=("none", "scale_translate"),
        default="none",
        help="what else is done to the training clouds, which are jittered in any case: scale_translate stretches each "
        "axis by 2/3 to 3/2 and shifts it by at most 0.2",
    )
    group.add_argument("--batch_size", type=command_line.positive_int, default=32, help="clouds a step of each process")
    group = parser.add_argument_group("network")
    group.add_argument("--model", choices=models.NAMES, default="pointnet_cls", help="network")
    group.add_argument(
        "--start_from",
        metavar="CHECKPOINT",
        help="begin with its weights instead of random ones, to train on, or for other classes: then the last layer "
        "begins anew",
    )
    command_line.add_gpu_flag(group)
    group = parser.add_argument_group("optimizer")
    group.add_argument(
        "--label_smoothing",
        type=command_line.fraction,
        default=0.0,
        metavar="SHARE",
        help="share of each label that is spread over all classes: 0 for none",
    )
    group.add_argument("--max_epoch", type=command_line.positive_int, default=250, help="epochs in all")
    group.add_argument(
        "--learning_rate",
        type=command_line.positive_float,
        default=1e-3,
        help="at the start; it stays as given however many processes train",
    )
    group.add_argument("--momentum", type=command_line.fraction, default=0.9, help="of the momentum optimizer")
    group.add_argument("--optimizer", choices=("adam", "momentum"), default="adam", help="optimizer")
    group.add_argument(
        "--schedule",
        choices=("steps", "cosine"),
        default="steps",
        help="of the learning rate: it decays by --decay_rate after every --decay_step clouds, or along "
        "half a cosine down to 1e-5 at --max_epoch",
    )
    group.add_argument(
        "--decay_step",
        type=command_line.positive_int,
        default=200000,
        help="clouds after which the learning rate decays, and batch norm's momentum",
    )
    group.add_argument("--decay_rate", type=command_line.positive_float, default=0.7, help="factor of each decay")
    command_line.add_seed_flag(
        group, "weights, order, rotations and jitter; after --start_from, one more than that training's if not given"
    )
    group = parser.add_argument_group("files and tests")
    command_line.add_log_flag(group)
    group.add_argument(
        "--test_every",
        type=command_line.positive_int,
        default=1,
        metavar="K",
        help="test after every K-th epoch, and after the last",
    )
    group.add_argument(
        "--clouds_shown",
        type=command_line.non_negative_int,
        default=4,
        metavar="N",
        help="show so many test clouds in TensorBoard, after each test by their heat; 0 for none",
    )
    flags = parser.parse_args()
    for name, reason in idle_flags(flags).items():
        command_line.refuse_idle(flags, name, reason)
    if flags.train_points is not None and flags.train_points > flags.num_point:
        raise InputError(
            "`train_points` {}: a cloud has `num_points` {}; give that or less".format(
                flags.train_points, flags.num_point
            )
        )
    return flags


def idle_flags(flags):
    """The flags that do nothing in this run, and why: a dictionary."""
    idle = {}
    if flags.optimizer != "momentum":
        idle["momentum"] = "it is of --optimizer momentum"
    if flags.schedule != "steps":
        idle["decay_rate"] = "it is of --schedule steps"
    return idle


def main():
    flags = parse_flags()
    processes.pass_on_requests_to_end()
    together = processes.here()
    if not together.is_first:
        command_line.be_quiet()
        train(flags, together)
        return
    files.make_folder(flags.log_dir, "log_dir")
    with locks.hold_folder(flags.log_dir, "log_dir"):
        for folder in (flags.log_dir, os.path.join(flags.log_dir, "best")):
            files.sweep(folder)
        train(flags, together)


def train(flags, together=processes.ONE):
    """Trains by the flags until all epochs are done or the user stops it; goes on where it was.

    Of the processes that train together, the first alone knows the folder to write to.
    """
    if together.is_first:
        resuming.settle_seed(flags)
    data = provider.open_data(flags.data_dir)
    class_names = provider.class_names(data)
    train_set, test_set, scaled = provider.load_both(data, flags.num_point, len(class_names))
    config = dict(command_line.kept_flags(flags), num_train=len(train_set[0]), class_names=class_names)
    config.update(processes=together.size, scaled=scaled)
    config["data"] = {"train": provider.digest(*train_set), "test": provider.digest(*test_set)}
    if together.is_first:
        resuming.check(flags, config, idle_flags(flags))
    settings = training_settings(flags, len(train_set[0]), class_names, together)
    together.share_cores()
    loading.load_tensorflow()
    check_density(flags)
    # TensorFlow takes seconds to load: only once flags and data are known to be good.
    from utils.network.training_graph import open_training

    together.join()
    check_alike(flags, config, together)
    # The first process alone reads checkpoints.
    flags.seed = int(together.gather(np.array([flags.seed]))[0])
    settings = settings._replace(seed=flags.seed)
    log = training.Log(os.path.join(flags.log_dir, "log_train.txt")) if together.is_first else print
    test_views = turn_test_clouds(test_set[0], flags.rotation, flags.seed), test_set[1]
    with open_training(flags.log_dir, settings, flags.start_from, flags.gpu) as graph:
        if is_complete(graph, settings, log):
            # config.json still says how many epochs the network was trained for: more, maybe, than are asked for now.
            return
        if together.is_first:
            files.write_json(resuming.config_path(flags.log_dir), dict(config, versions=files.versions()))
        if graph.fresh_layer:
            log("{} begins anew: {} tells other classes apart".format(graph.fresh_layer, flags.start_from))
        with training.StopOnSignal(together) as stop:
            count = flags.clouds_shown if together.is_first else 0
            shown = shown_clouds.choose(graph, test_set, class_names, count, log)
            training.train(graph, train_set, test_views, settings, mover(flags, together), shown.show, stop, log)
        if stop.is_asked:
            log("Stopped at step {}; started again on the same --log_dir, training goes on".format(graph.step))
            # horovodrun ends all processes once one ends with another status than 0, and this one may be saving still.
            sys.exit(130 if together.is_first else 0)


def check_alike(flags, config, together):
    """Refuses to train by processes of other clouds, which would take steps of no data set, or wait for ever.

    Machines have disks of their own, where `data_dir` may hold another data set, or part of one.
    """
    others = together.others(json.dumps([utils.__version__, config["class_names"], config["data"]]))
    if others:
        raise InputError(
            "`data_dir` {}: processes {} of {} find other clouds or classes there than process 0, or run another "
            "version of this program: give all of them the same".format(
                flags.data_dir or "not given", ", ".join(map(str, others)), together.size
            )
        )


def check_density(flags):
    """Refuses to train a network of one's own on fewer points than it is tested with, if it would not know those."""
    if flags.train_points not in (None, flags.num_point) and not models.knows_densities(flags.model):
        raise InputError(
            "`train_points` {}: {} sees how dense points lie, and its `get_model` takes no `density`; train and test "
            "alike, with --num_point {}".format(flags.train_points, flags.model, flags.train_points)
        )


def mover(flags, together=processes.ONE):
    """What the flags do to this process's clouds of a step: a function of points [B, P, 3] and the step's number."""
    return functools.partial(
        augmentation.augment,
        rotation=flags.rotation,
        num_points=flags.train_points,
        seed=flags.seed,
        is_stretched=flags.augment == "scale_translate",
        first=together.rank * flags.batch_size,
        total=together.size * flags.batch_size,
    )


def turn_test_clouds(points, rotation, seed):
    """Clouds [n, P, 3] as they are tested: as they lie, since data sets are aligned.

    A network of any rotation is tested under any, the same ones after every epoch.
    """
    if rotation != "xyz":
        return points
    return np.matmul(points, transforms.draw_rotations("xyz", len(points), np.random.RandomState(seed)))


def training_settings(flags, num_train, class_names, together=processes.ONE):
    """What the flags say of the training of so many clouds: a training.TrainingSettings."""
    batch_size = flags.batch_size * together.size
    if batch_size < 2:
        raise InputError("`batch_size` 1: from one cloud a step batch norm learns nothing; give at least 2")
    if num_train < batch_size:
        of_each = " of each of {} processes".format(together.size) if together.size > 1 else ""
        raise InputError(
            "`batch_size` {}{}: there are only {} training clouds".format(flags.batch_size, of_each, num_train)
        )
    return training.TrainingSettings(
        model_name=flags.model,
        class_names=class_names,
        batch_size=batch_size,
        steps_per_epoch=num_train // batch_size,
        max_epoch=flags.max_epoch,
        test_every=flags.test_every,
        optimizer=flags.optimizer,
        learning_rate=flags.learning_rate,
        momentum=flags.momentum,
        schedule=flags.schedule,
        decay_step=flags.decay_step,
        decay_rate=flags.decay_rate,
        label_smoothing=flags.label_smoothing,
        seed=flags.seed,
        density=(flags.train_points or flags.num_point) / flags.num_point,
        processes=together,
    )


def is_complete(graph, settings, log):
    """Whether a training that goes on has nothing left to do; logs where it stands."""
    if graph.step:
        epoch = min(graph.step // settings.steps_per_epoch + 1, settings.max_epoch)
        log("Resumed after {} steps, in epoch {} of {}".format(graph.step, epoch, settings.max_epoch))
    if graph.epochs_done >= settings.max_epoch:
        way_on = "a greater --max_epoch trains on"
        if settings.schedule == "cosine":
            way_on = "as its cosine ends there, --start_from with its weights, in another --log_dir, trains on"
        log("All {} epochs are done; {}".format(settings.max_epoch, way_on))
    return graph.epochs_done >= settings.max_epoch


if __name__ == "__main__":
    command_line.run(main)
