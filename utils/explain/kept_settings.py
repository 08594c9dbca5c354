"""What run.json keeps of an explain run, and which of that tells it from another run."""

from utils.explain.methods import METHODS
from utils.files import versions

# By their names in run.json; what a method takes besides stands in its options.
SETTINGS_OF_NUMBERS = ("method", "source", "explained_class", "model", "weights", "num_point", "rotation", "num_votes")
SETTINGS_OF_NUMBERS += ("points", "points_sha256", "drop_mode", "num_steps", "eval_every", "seed")
SETTINGS_OF_TOP = ("num_drop", "drop_neg")
SETTINGS_OF_FILES = ("up", "sampling")
# Nothing that a run leaves depends on these.
SETTINGS_OF_PLACES = ("dump_dir", "log_dir", "model_path", "gpu")


def of(case, name, dropping, files):
    """What run.json holds of one method before it has run: a dictionary.

    Args:
      case: a cases.Case.
      name: of the method.
      dropping: a run.Dropping with the method's own filled in.
      files: a run.Files.
    """
    cloud = case.cloud
    settings = dict(
        files.settings,
        method=name,
        source=cloud.source,
        points=len(cloud.points),
        points_sha256=cloud.digest(),
        explained_class=case.explained,
        predicted_class=case.predicted,
        class_names=list(case.class_names),
        rotation=dropping.rotation,
        num_votes=dropping.num_votes,
        drop_mode=dropping.drop_mode,
        versions=versions(),
    )
    if cloud.own is not None:
        settings.update(input_centre=cloud.own.centre.tolist(), input_scale=float(cloud.own.scale))
    return settings


def what_matters(settings):
    """Of what run.json holds, what the numbers depend on: a dictionary. Colours, formats and films may differ."""
    names = SETTINGS_OF_NUMBERS + (SETTINGS_OF_TOP if settings["drop_mode"] == "top" else ())
    names += SETTINGS_OF_FILES if settings.get("input") else ()
    names += tuple(METHODS[settings["method"]].options)
    return {name: settings[name] for name in names if name in settings}


def but_places(settings):
    """Settings but for where files lie and what computes, on which nothing that a run leaves depends: a dictionary."""
    return {name: value for name, value in settings.items() if name not in SETTINGS_OF_PLACES}
