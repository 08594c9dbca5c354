"""Which heat to believe? Puts methods side by side over many test clouds, by seven protocols.

    python compare.py
    python compare.py --protocol sanity --methods p-grad-cam asm --per_class 3
    python compare.py --report log/compare/drop
    python compare.py --report log_a/compare/drop log_b/compare/drop --dump_dir log/networks

Started again with the same flags it goes on where it was.
"""

from utils import streams

with streams.one_line_interrupts():
    import contextlib
    import os

    import provider
    from utils import command_line, files
    from utils.compare import flags as compare_flags
    from utils.compare import given_heat, heats, networks, pieces, report, run, settings, settling
    from utils.disk import shards
    from utils.explain import doubts
    from utils.network import checkpoint_files
    from utils.network.flags import find_network
    from utils.network.loading import open_classifier


def main():
    flags = compare_flags.parse_flags()
    if flags.report is None:
        compare(flags)
    elif len(flags.report) == 1:
        settling.recolour(flags)
        report.write(flags.report[0])
    else:
        methods = flags.methods if "methods" in flags.given else None
        networks.write(flags.report, flags.dump_dir, methods, flags.figure_format, flags.figure_width)


def compare(flags):
    """Computes what is not in the folder yet, rows of every method, cloud and step, and heat to show; reports.

    A shard computes those of its own clouds, and leaves the report to who has them all.
    """
    found = find_network(flags)
    if flags.num_point is None:
        flags.num_point = checkpoint_files.num_points_of(found.config)
        compare_flags.check_points(flags)
    rotation = settling.rotation_of(flags, found.config)
    data = provider.open_data(flags.data_dir, checkpoint_files.scaling_of(found.config))
    names = provider.class_names(data, found.class_names)
    clouds, digest = run.load_clouds(data, names, flags.classes, flags.per_class, flags.num_point)
    given, clouds = given_heat.read(flags.heat or [], clouds, flags.num_point)
    if flags.shard and not flags.shard.part(clouds):
        print("Shard {} has nothing to do: there are {} clouds".format(flags.shard, len(clouds)))
        return
    files.make_folder(flags.dump_dir, "dump_dir")
    with shards.hold(flags.dump_dir, "dump_dir", flags.shard) as beginning:
        files.sweep(flags.dump_dir)
        with open_classifier(found.prefix, flags.model, flags.gpu, names) as classifier:
            with beginning():
                chosen = settling.begin(flags, classifier.network, data, digest, clouds, rotation, given)
            rows = settings.open_rows(flags.dump_dir, chosen.protocol, flags.shard)
            own = flags.shard.part(clouds) if flags.shard else clouds
            comparison = run.of_network(classifier, own, rows, chosen, flags.gpu, given)
            print_subject(comparison, classifier.network)
            for doubt in doubts.of_density(classifier.known_points, comparison.num_points):
                print(command_line.one_line(doubt))
            kept = heats.KeptHeat(flags.dump_dir, flags.shard) if chosen.protocol.shows_heat else None
            with counted(rows, flags.dump_dir):
                shown = heats.first_of_each_class(clouds)
                if flags.workers is None:
                    comparison.fill_in(chosen.protocol, chosen.own, kept, shown)
                else:
                    source = pieces.Source(comparison, own, chosen, flags.gpu, given)
                    pieces.fill_in(flags.workers, source, kept, shown)
        if flags.shard is None:
            report.write(flags.dump_dir)
        else:
            print_way_on(flags.shard, rows, flags.dump_dir)


def print_way_on(own, rows, folder):
    print("Shard {} is done: {}".format(own, ", ".join(os.path.basename(path) for path in rows.paths())))
    print("Once all are: compare.py --report {}".format(folder))


@contextlib.contextmanager
def counted(rows, folder):
    """A context that says how many rows there are where Ctrl-C comes."""
    try:
        yield
    except KeyboardInterrupt:
        print("{} rows are kept in {}; the same command goes on from there".format(rows.num_written(), folder))
        raise


def print_subject(comparison, network):
    """Says what is compared, on which clouds, of which network."""
    print(
        "{} of {}: {} clouds of {} classes, {} points each, rotation {}, methods: {}".format(
            network.model_name,
            network.prefix,
            len(comparison.clouds),
            len({cloud.label for cloud in comparison.clouds}),
            comparison.num_points,
            comparison.rotation,
            ", ".join(comparison.methods),
        )
    )


if __name__ == "__main__":
    command_line.run(main)
