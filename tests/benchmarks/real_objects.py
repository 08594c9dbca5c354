"""Points of real objects dropped until the network loses them, as the explain scripts do it and the textbook way."""

import os
import time

import numpy as np
import textbook_classifier


def until_lost(method, class_name):
    """A test cloud, from the first round to the one that loses it, as the explain script does it."""

    def prepare(folder, flags, is_textbook, opened):
        import provider
        from utils.clouds import transforms
        from utils.explain import point_drop
        from utils.explain.methods import METHODS
        from utils.network import checkpoint_files

        row = METHODS[method]
        data = provider.open_data(flags.data_dir)
        cloud = provider.test_cloud(data, class_name, 0, None, provider.class_names(data, None))
        votes = flags.object_votes or row.votes
        rotations = transforms.draw_rotations("y", votes, np.random.RandomState(0))
        prefix = os.path.join(checkpoint_files.PRETRAINED_DIR, "rotation_y", "model.ckpt")
        classifier = textbook_classifier.of(prefix, is_textbook, opened, cloud.label)

        def heat_of(points):
            if is_textbook and method == "p-grad-cam":
                return classifier.p_grad_cam(points)
            return row.heat(classifier, points[np.newaxis], cloud.label)[0]

        def ours():
            flags.found = point_drop.drop_until_lost(
                cloud.points,
                cloud.label,
                classifier.voter(cloud.points, rotations),
                heat_of,
                lambda values: point_drop.points_to_drop(values, row.drop_mode),
                eval_every=point_drop.AUTO,
            )
            flags.votes_cast = len(flags.found.rounds) * votes

        def textbook():
            vote = classifier.vote_logits_and_features if method == "p-grad-cam" else classifier.vote_logits
            removed, last = flags.found.removed_in_round, len(flags.found.rounds)
            timed = np.unique(np.linspace(1, last, flags.textbook_rounds).round().astype(int))
            seconds = []
            vote(cloud.points, rotations[:1])  # TensorFlow prepares itself at the first call
            heat_of(cloud.points)
            for number in timed:
                left = cloud.points[(removed < 0) | (removed >= number)]
                start = time.perf_counter()
                vote(left, rotations)
                heat_of(left)
                seconds.append(time.perf_counter() - start)
            return float(np.interp(np.arange(1, last + 1), timed, seconds).sum())

        return textbook if is_textbook else ours

    return prepare
