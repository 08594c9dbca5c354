"""The works that `throughput.py` times, ours and the textbook's, and what does each in PyTorch."""

import contextlib
import os
import tempfile

import numpy as np
import real_objects
import textbook_classifier
import torch_dgcnn
import torch_pointnet
import torch_pointnet2

# Nominal cost of 1024 points, after DESIGN: three products of N x 128 x 1024 and what stands around them.
GFLOP_FORWARD, GFLOP_TRAINING = 0.9, 2.7
POINTNET2, GFLOP_POINTNET2 = "pointnet2_cls_ssg", 1.7
BATCH = 32
# Clouds of DGCNN, whose features of edges would fill the memory where all are kept.
SMALL_BATCH = 8
DROPPED_PER_ROUND = 20


def _clouds(num_clouds, num_points):
    return np.random.RandomState(0).uniform(-0.6, 0.6, (num_clouds, num_points, 3)).astype(np.float32)


@contextlib.contextmanager
def _open_training(folder, is_textbook, model_name="pointnet_cls"):
    """Context of a TrainingGraph of a fresh network, and its folder."""
    import textbook

    from utils.network import training, training_graph

    log_dir = tempfile.mkdtemp(dir=folder)
    # As many classes as ModelNet40 has.
    class_names = tuple("class {}".format(number) for number in range(40))
    settings = training.TrainingSettings(model_name, class_names, batch_size=BATCH, steps_per_epoch=1, max_epoch=1)
    layers = textbook.layers() if is_textbook else contextlib.ExitStack()
    with layers, training_graph.open_training(log_dir, settings) as graph:
        yield graph, log_dir


def _training(num_points, model_name="pointnet_cls", clouds_of=_clouds, num_clouds=BATCH):
    def prepare(folder, flags, is_textbook, opened):
        graph, _ = opened.enter_context(_open_training(folder, is_textbook, model_name))
        clouds, labels = clouds_of(num_clouds, num_points), np.arange(num_clouds)
        return lambda: graph.train_step(clouds, labels)

    return prepare


def _classifier(folder, is_textbook, opened, model_name="pointnet_cls"):
    """Ours, or an object of the same methods that works the textbook way, of a fresh network."""
    with _open_training(folder, False, model_name) as (graph, log_dir):
        graph.save()
    return textbook_classifier.of(os.path.join(log_dir, "model.ckpt"), is_textbook, opened, model_name=model_name)


def _inference(num_points, model_name="pointnet_cls", clouds_of=_clouds, num_clouds=BATCH):
    def prepare(folder, flags, is_textbook, opened):
        classifier = _classifier(folder, is_textbook, opened, model_name)
        clouds = clouds_of(num_clouds, num_points)
        return lambda: classifier.logits(clouds)

    return prepare


def _gradient(folder, flags, is_textbook, opened):
    classifier, clouds = _classifier(folder, is_textbook, opened), _clouds(BATCH, 1024)
    return lambda: list(classifier.quantities(["loss_gradients"], clouds, 0))


def _whole(method, eval_every=1):
    """The loop of an explain script. Each vote is made one for the label, so that all runs have the same rounds."""

    def prepare(folder, flags, is_textbook, opened):
        from utils.clouds import transforms
        from utils.explain import point_drop
        from utils.explain.methods import METHODS

        classifier, points = _classifier(folder, is_textbook, opened), _clouds(1, 2048)[0]
        rotations = transforms.draw_rotations("xyz", flags.votes, np.random.RandomState(0))

        vote = classifier.vote_logits
        if is_textbook and method == "p-grad-cam":
            vote = classifier.vote_logits_and_features

        def vote_logits(remaining):
            logits = vote(remaining, rotations)
            logits[:, 0] = logits.max(axis=1) + 1
            return logits

        def heat_of(remaining):
            if is_textbook and method == "p-grad-cam":
                return classifier.p_grad_cam(remaining)
            return METHODS[method].heat(classifier, remaining[np.newaxis], 0)[0]

        return lambda: point_drop.drop_until_lost(
            points,
            0,
            vote_logits,
            heat_of,
            lambda values: point_drop.points_to_drop(values, "top", DROPPED_PER_ROUND),
            max_rounds=_num_rounds(method, flags),
            eval_every=1 if is_textbook else eval_every,
        )

    return prepare


def _num_rounds(method, flags):
    return flags.rounds if method == "asm" else max(1, flags.rounds // 4)


def _votes_of(method):
    # The last round classifies, too.
    return lambda flags: flags.votes * (_num_rounds(method, flags) + 1)


OBJECT_WORKS = {
    "{} until lost, {}".format(class_name, script): real_objects.until_lost(method, class_name)
    for script, method in (("p_grad_CAM", "p-grad-cam"), ("ASM", "asm"))
    for class_name in ("airplane", "chair", "guitar")
}
# work -> function(folder, flags, is_textbook, opened) -> function to time; clouds it handles; points of each; nominal
# GFLOP of 1024 points; whether it is too long to be repeated
ROWS = {
    "training step, 1024 points": (_training(1024), BATCH, 1024, GFLOP_TRAINING, False),
    "inference, 1024 points": (_inference(1024), BATCH, 1024, GFLOP_FORWARD, False),
    "inference, 2048 points": (_inference(2048), BATCH, 2048, GFLOP_FORWARD, False),
    "gradient by points, 1024 points": (_gradient, BATCH, 1024, None, False),
    "p_grad_CAM whole, 2048 points": (_whole("p-grad-cam"), _votes_of("p-grad-cam"), 2048, None, True),
    "ASM whole, 2048 points": (_whole("asm"), _votes_of("asm"), 2048, None, True),
    "ASM whole, --eval_every 8": (_whole("asm", eval_every=8), _votes_of("asm"), 2048, None, True),
}
OF_DGCNN = ("dgcnn", _clouds, SMALL_BATCH)
OF_POINTNET2 = (POINTNET2, torch_pointnet2.demo_clouds)
ROWS.update(
    {
        "dgcnn training step, 512 points": (_training(512, *OF_DGCNN), SMALL_BATCH, 512, None, False),
        "dgcnn training step": (_training(1024, *OF_DGCNN), SMALL_BATCH, 1024, None, False),
        "dgcnn inference": (_inference(1024, *OF_DGCNN), SMALL_BATCH, 1024, None, False),
        POINTNET2 + " training step": (_training(1024, *OF_POINTNET2), BATCH, 1024, 3 * GFLOP_POINTNET2, False),
        POINTNET2 + " inference": (_inference(1024, *OF_POINTNET2), BATCH, 1024, GFLOP_POINTNET2, False),
    }
)
# Clouds a second are those that are classified where every round classifies.
ROWS.update((name, (work, lambda flags: flags.votes_cast, 1024, None, True)) for name, work in OBJECT_WORKS.items())
# work -> what does the same in PyTorch on as many clouds, and which of its works that is
OF_TORCH = {
    "training step, 1024 points": (torch_pointnet, "training"),
    "inference, 1024 points": (torch_pointnet, "inference"),
    "inference, 2048 points": (torch_pointnet, "inference"),
    "gradient by points, 1024 points": (torch_pointnet, "gradient"),
    "dgcnn training step, 512 points": (torch_dgcnn, "training"),
    "dgcnn training step": (torch_dgcnn, "training"),
    "dgcnn inference": (torch_dgcnn, "inference"),
    POINTNET2 + " training step": (torch_pointnet2, "training"),
    POINTNET2 + " inference": (torch_pointnet2, "inference"),
}
