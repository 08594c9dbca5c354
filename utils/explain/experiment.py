"""The experiment of every explain script: a network, clouds, their heat, what is left without hot points, files."""

from utils.explain import cases, pieces, run, settings, writer
from utils.explain.methods import METHODS
from utils.network import checkpoint_files
from utils.network.flags import find_network
from utils.network.loading import open_classifier
from utils.pictures import open3d_scene


def explain_clouds(flags):
    """Explains each cloud by each method, drops points by that heat until the object is lost, and leaves the files.

    Args:
      flags: of `flags.parse_flags`.

    Raises:
      InputError: a flag, the network or a cloud cannot be used.
    """
    found = find_network(flags)
    dropping = settings.dropping(flags, found.config)
    clouds = cases.Clouds(settings.source(flags), found.class_names, checkpoint_files.scaling_of(found.config))
    lines = []
    # Open3D loads while TensorFlow does, and while the next cloud is explained.
    with open3d_scene.ahead(is_wanted=flags.workers is None) as load_open3d, open_classifier(
        found.prefix, flags.model, flags.gpu, clouds.class_names
    ) as classifier:
        clouds.announce(classifier.network)
        files = settings.files(flags, classifier.network)
        if flags.workers is not None:
            work = settings.work(flags, classifier.network, dropping, files)
            lines = pieces.hand_out(flags.workers, clouds, work)
        else:
            with writer.Writer(dropping, files, is_behind=not clouds.is_one) as written:
                for case in clouds.cases(classifier, flags.methods, flags.dump_dir, flags.target_label):
                    if run.is_saved(case, flags.methods, dropping, files):
                        continue
                    load_open3d()
                    runs = {
                        name: run.drop_until_lost(classifier, case, METHODS[name], dropping) for name in flags.methods
                    }
                    written.save(case, runs)
                    if clouds.is_one and not flags.no_window:
                        run.show(case, runs, files)
                    lines += run.summary_of(case, runs)
    run.print_summary(lines)
    clouds.finish()
