"""The steps that the explain scripts share: opening the network, the dropping loop, files, pictures and window."""

import argparse
import contextlib
import os
import sys

import numpy as np
from tqdm import tqdm

import provider
from utils import metrics
from utils.clouds import own_cloud
from utils.command_line import table
from utils.explain import flags as explain_flags
from utils.explain import heat, point_drop, results
from utils.files import InputError, make_folder, versions
from utils.network.loading import load_tensorflow
from utils.pictures import colours

TITLES = {"p-grad-cam": "p-grad-CAM", "asm": "ASM"}
LIKELIEST = 5


def run(flags, method):
    """Explains the cloud that the flags name, or each of their --input files, and prints a summary.

    Of several files one that cannot be explained is one line on stderr, and the rest goes on.

    Args:
      flags: of `explain_flags.parse_flags`.
      method: the script's, a name in heat.METHODS.

    Raises:
      InputError: nothing could be explained, or, once the rest is done, not all.
    """
    inputs = [None] if flags.input is None else own_cloud.list_inputs(flags.input)
    stems = [_stem(path) for path in inputs if path is not None]
    rows, num_refused = [], 0
    with contextlib.ExitStack() as stack:
        explainer = None
        for path in inputs:
            job = argparse.Namespace(**dict(vars(flags), input=path, no_window=flags.no_window or len(inputs) > 1))
            try:
                cloud = provider.load_cloud(job)
                if path is not None and stems.count(_stem(path)) > 1:
                    cloud = cloud._replace(class_name=os.path.basename(path))
                folders = {name: output_folder(cloud, name, job) for name in methods_of(job, method)}
            except InputError as error:
                if len(inputs) == 1:
                    raise
                sys.stderr.write("Left out: {}\n".format(" ".join(str(error).split())))
                num_refused += 1
                continue
            if explainer is None:
                explainer = stack.enter_context(open_explainer(flags))
            job.rotation, job.model_path, job.model = flags.rotation, flags.model_path, flags.model
            rows += explain(explainer, cloud, folders, job)
    if rows:
        print(
            "\n"
            + table(("cloud", "method", "class", "probability", "dropped", "of", "rounds", "accuracy", "seconds"), rows)
        )
    if num_refused:
        raise InputError("{} of {} files were left out, for the reasons above".format(num_refused, len(inputs)))


def _stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def explain(explainer, cloud, folders, flags):
    """Explains one cloud: heat, dropping, files, pictures, window.

    Args:
      explainer: an explainer.Explainer.
      cloud: a provider.Cloud.
      folders: dictionary from each method to run to its output folder.
      flags: of `explain_flags.parse_flags`, after `open_explainer`.

    Returns:
      List of rows of the summary, one for each method.
    """
    cloud, logits = recognise(explainer, cloud, flags)
    runs = {method: drop_until_lost(explainer, cloud, method, flags) for method in folders}
    for method in runs:
        save(folders[method], runs, cloud, logits, method, flags)
    show(runs, cloud, flags)
    return [_summary(one, cloud, logits, method) for method, one in runs.items()]


def methods_of(flags, method):
    """The methods to run: the script's, and with --compare the other one."""
    return [method] + [other for other in TITLES if flags.compare and other != method]


@contextlib.contextmanager
def open_explainer(flags):
    """Restores the checkpoint that the flags name; settles `flags.rotation` by what it was trained with.

    Yields:
      An explainer.Explainer.
    """
    load_tensorflow()
    # TensorFlow takes seconds to load: only once flags and cloud are known to be good.
    from utils.network import checkpoint, explainer

    prefix = checkpoint.find(flags.model_path, flags.log_dir, flags.rotation)
    with checkpoint.restore(prefix, flags.model, flags.gpu) as network:
        print("Network: {} of {}".format(network.model_name, prefix))
        flags.model_path, flags.model = prefix, network.model_name
        flags.rotation = flags.rotation or network.config.get("rotation", "xyz")
        yield explainer.Explainer(network)


def recognise(explainer, cloud, flags):
    """Classifies the whole, unrotated cloud, and says what came out.

    Returns:
      The cloud, its label the class to explain: that of --target_label, else its own, else the one the network sees;
      its logits, float32 array [40].
    """
    print("\nCloud: {} points of {}".format(len(cloud.points), cloud.source))
    if cloud.own is not None:
        for notice in cloud.own.notices:
            print("  {}".format(notice))
        print(
            "  centred from ({}) and scaled by 1 / {:.6g}".format(
                ", ".join("{:.6g}".format(value) for value in cloud.own.centre), cloud.own.scale
            )
        )
    logits = explainer.logits(cloud.points[np.newaxis])[0]
    probabilities = metrics.softmax(logits)
    print(
        "The network sees: {}".format(
            ", ".join(
                "{} {:.1%}".format(provider.class_name(label), probabilities[label])
                for label in np.argsort(-logits, kind="stable")[:LIKELIEST]
            )
        )
    )
    label = int(logits.argmax()) if cloud.label is None else cloud.label
    if flags.target_label is not None:
        label = provider.class_label(flags.target_label, flag="--target_label")
    return cloud._replace(label=label), logits


def drop_until_lost(explainer, cloud, method, flags):
    """Runs the dropping loop for one method, with a progress bar, and says why it stopped.

    Args:
      explainer: an explainer.Explainer.
      cloud: a provider.Cloud with its label.
      method: a name in heat.METHODS.
      flags: of `explain_flags.parse_flags`, after `open_explainer`.

    Returns:
      A results.DropRun.
    """
    # The rotations come from a generator of their own, so that every method and drop mode sees the same.
    num_votes = 1 if flags.rotation == "none" else flags.num_votes or explain_flags.NUM_VOTES[method]
    rotations = provider.draw_rotations(flags.rotation, num_votes, np.random.RandomState(flags.seed))
    rng = np.random.RandomState(flags.seed)
    drop_mode = flags.drop_mode or explain_flags.DROP_MODES[method]
    options = {"pooling": flags.pooling, "power": flags.power, "rngs": [rng]}
    with tqdm(total=len(cloud.points), unit="point", desc="{}: dropping".format(TITLES[method])) as bar:

        def show_round(finished):
            shown = {} if np.isnan(finished.accuracy) else {"accuracy": "{:.1%}".format(finished.accuracy)}
            bar.set_postfix(round=finished.round, left=finished.points_left, **shown)
            bar.update(finished.points_dropped)

        found = point_drop.drop_until_lost(
            cloud.points,
            cloud.label,
            vote_logits=lambda points: explainer.vote_logits(points, rotations),
            heat_of=lambda points: heat.METHODS[method](explainer, points[np.newaxis], cloud.label, **options)[0],
            choose=lambda values: point_drop.points_to_drop(values, drop_mode, flags.num_drop, flags.drop_neg, rng),
            max_rounds=flags.num_steps,
            eval_every=flags.eval_every,
            on_round=show_round,
        )
    removed = found.removed_in_round > 0
    print(
        "{}: stopped after round {}: {}. {} of {} points removed in {:.1f} s.".format(
            TITLES[method], len(found.rounds), found.stop_reason, removed.sum(), len(removed), found.seconds
        )
    )
    if found.rounds[0].accuracy <= point_drop.LOST_ACCURACY and flags.target_label is None:
        print(
            "The network does not recognise this cloud as {} under `--rotation {}`; try another --rotation.".format(
                provider.class_name(cloud.label), flags.rotation
            )
        )
    return found


def output_folder(cloud, method, flags):
    """Makes <dump_dir>/<method>/<class>_<index>, with _as_<target> where one is given, and returns its path.

    Raises:
      InputError: what would spoil the end of a long run, or what it would spoil: the folder cannot be written, the
        colour map or target class does not exist, or the folder holds what another cloud of the same name gave.
    """
    colours.heat_colours(np.zeros(1), flags.colormap, flags.scale)
    name = "{}_{}".format(cloud.class_name, cloud.index)
    if flags.target_label is not None:
        name += "_as_" + provider.class_name(provider.class_label(flags.target_label, flag="--target_label"))
    folder = os.path.join(flags.dump_dir, method, name)
    make_folder(folder, "--dump_dir")
    other = results.source_of(folder)
    if other not in (None, cloud.source):
        raise InputError("{} holds the results of {}: give another folder with --dump_dir".format(folder, other))
    return folder


def save(folder, runs, cloud, logits, method, flags):
    """Writes the files of a run, and prints where they are.

    Args:
      folder: as `output_folder` made it.
      runs: dictionary from method to results.DropRun; heat.html shows all of them, this one first.
      cloud, logits: of `recognise`.
      method: a key of runs.
      flags: of `explain_flags.parse_flags`.
    """
    from utils.pictures import animation, plots, render
    from utils.viewer import html_page

    one = runs[method]
    removed = one.removed_in_round > 0
    explained, predicted = provider.class_name(cloud.label), provider.class_name(int(logits.argmax()))
    settings = dict(
        vars(flags),
        method=method,
        source=cloud.source,
        explained_class=explained,
        predicted_class=predicted,
        num_votes=flags.num_votes or explain_flags.NUM_VOTES[method],
        drop_mode=flags.drop_mode or explain_flags.DROP_MODES[method],
        versions=versions(),
    )
    if cloud.own is not None:
        settings.update(centre=cloud.own.centre.tolist(), scale=float(cloud.own.scale))
    ply_points, ply_heat = cloud.points, one.heat
    if cloud.own is not None:
        ply_points, ply_heat = cloud.own.all_points, own_cloud.carry_back(one.heat, cloud)
    results.save(
        folder,
        one,
        logits,
        cloud.label,
        settings,
        ply_points,
        ply_heat,
        colours.heat_colours(ply_heat, flags.colormap, flags.scale),
    )
    title = "{} of {} {}: {}".format(TITLES[method], cloud.class_name, cloud.index, _seen_as(logits, cloud.label))
    names = {"rounds": "rounds." + flags.figure_format, "heat": "heat." + flags.figure_format}
    classified = [round_ for round_ in one.rounds if not np.isnan(round_.accuracy)]
    plots.save_rounds(
        os.path.join(folder, names["rounds"]),
        [round_.points_left for round_ in classified],
        [round_.accuracy for round_ in classified],
        title,
    )
    picture = {"title": title, "colormap": flags.colormap, "scale": flags.scale, "label": "heat for\n" + explained}
    renderer = render.save_heat_picture(
        os.path.join(folder, names["heat"]),
        one.points,
        one.heat,
        removed,
        ending=", {} dropped, accuracy {:.1%}".format(removed.sum(), one.rounds[-1].accuracy),
        **picture,
    )
    _remove_other_formats(folder, names, flags.figure_format)
    views = [
        html_page.View(
            TITLES[name], _seen_as(logits, cloud.label), shown.points, shown.heat, shown.removed_in_round, shown.rounds
        )
        for name, shown in sorted(runs.items(), key=lambda item: item[0] != method)
    ]
    html_page.save(
        os.path.join(folder, "heat.html"),
        "{} {}: heat for {}".format(cloud.class_name, cloud.index, explained),
        views,
        flags.colormap,
        flags.scale,
    )
    written = [names["heat"], "heat.html", "heat.ply", "heat.npz", "rounds.csv", names["rounds"], "run.json"]
    if flags.turntable:
        paths = animation.save_turntable(os.path.join(folder, "turntable.gif"), one.points, one.heat, **picture)
        written += [os.path.basename(path) for path in paths]
    if flags.rounds_gif:
        paths = animation.save_rounds(os.path.join(folder, "rounds.gif"), one, **picture)
        written += [os.path.basename(path) for path in paths]
    print("Written to {} (pictures by {}):\n  {}".format(folder, renderer, ", ".join(written)))


def show(runs, cloud, flags):
    """Opens the window, unless it is not wanted or there is no display."""
    from utils.pictures import open3d_scene, render

    if flags.no_window:
        return
    if not open3d_scene.has_display():
        print("There is no display, so no window: heat.html, in any browser, turns the cloud.")
        return
    views = []
    for method, one in runs.items():
        kept = one.removed_in_round < 0
        point_colours = colours.heat_colours(one.heat, flags.colormap, flags.scale)
        views.append(("{}: {} points".format(TITLES[method], len(kept)), one.points, point_colours))
        if not kept.all():
            views.append(("{} left".format(kept.sum()), one.points[kept], point_colours[kept]))
    render.show_window(views, "{}: {}".format(", ".join(TITLES[method] for method in runs), cloud.class_name))


def _seen_as(logits, label):
    """What the network sees, and how likely it thinks the explained class where that is another, as a clause."""
    probabilities, predicted = metrics.softmax(logits), int(logits.argmax())
    text = "seen as {} ({:.1%})".format(provider.class_name(predicted), probabilities[predicted])
    if label != predicted:
        text += ", {} {:.1%}".format(provider.class_name(label), probabilities[label])
    return text


def _summary(run_, cloud, logits, method):
    """The row of one method in the summary."""
    removed = run_.removed_in_round > 0
    return (
        "{} {}".format(cloud.class_name, cloud.index),
        TITLES[method],
        provider.class_name(cloud.label),
        "{:.1%}".format(metrics.softmax(logits)[cloud.label]),
        str(removed.sum()),
        str(len(removed)),
        str(len(run_.rounds)),
        "{:.1%}".format(run_.rounds[-1].accuracy),
        "{:.1f}".format(run_.seconds),
    )


def _remove_other_formats(folder, names, kept):
    """Removes pictures that an earlier run left in another format: they would pass for this one's."""
    from utils.pictures import plots

    for name in names:
        for ending in plots.FORMATS:
            path = os.path.join(folder, "{}.{}".format(name, ending))
            if ending != kept and os.path.exists(path):
                os.remove(path)
