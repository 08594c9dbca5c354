"""Which points made the network say so? Heat of p-grad-CAM for one point cloud, tested by dropping what is hot.

    python p_grad_CAM.py --desired_label airplane
    python p_grad_CAM.py --input my_chair.ply

`main` is the experiment: a network, a cloud, its heat, what is left without the hottest points, files and pictures.
"""

from utils import streams

with streams.one_line_interrupts():
    from utils import command_line
    from utils.explain import cases, pieces, run
    from utils.explain import flags as explain_flags
    from utils.explain.methods import METHODS
    from utils.network.flags import find_network
    from utils.network.loading import open_classifier

METHOD = METHODS["p-grad-cam"]
DESCRIPTION = "Point cloud gradient class activation mapping (p-grad-CAM) of one cloud, tested by dropping points."


def main():
    flags = explain_flags.parse_flags(DESCRIPTION, METHOD)
    found = find_network(flags)
    dropping = explain_flags.dropping(flags, found.config)
    clouds = cases.Clouds(explain_flags.source(flags), found.class_names)
    lines = []
    with open_classifier(found.prefix, flags.model, flags.gpu, clouds.class_names) as classifier:
        clouds.announce(classifier.network)
        files = explain_flags.files(flags, classifier.network)
        if flags.workers is not None:
            lines = pieces.hand_out(
                flags.workers, clouds, explain_flags.work(flags, classifier.network, dropping, files)
            )
        else:
            for case in clouds.cases(classifier, flags.methods, flags.dump_dir, flags.target_label):
                runs = {name: run.drop_until_lost(classifier, case, METHODS[name], dropping) for name in flags.methods}
                run.save(case, runs, dropping, files)
                if clouds.is_one and not flags.no_window:
                    run.show(case, runs, files)
                lines += run.summary_of(case, runs)
    run.print_summary(lines)
    clouds.finish()


if __name__ == "__main__":
    command_line.run(main)
