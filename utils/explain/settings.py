"""What the flags of the scripts that explain clouds come to: the values that the steps of a run take."""

from utils import command_line
from utils.explain import picture_flags
from utils.explain.cases import Source
from utils.explain.methods import OPTIONS
from utils.explain.pieces import Work
from utils.explain.run import Dropping, Files
from utils.network import checkpoint_files, workers


def source(flags):
    """Which clouds to explain: a run.Source."""
    return Source(
        inputs=flags.input,
        data_dir=flags.data_dir,
        class_name=flags.desired_label,
        index=flags.shape_index,
        num_points=flags.num_point,
        up=flags.up,
        sampling=flags.sampling,
        seed=flags.seed,
        shard=flags.shard,
        workers=flags.workers,
    )


def dropping(flags, config):
    """How the dropping goes: a run.Dropping.

    Args:
      flags: of `flags.parse_flags`.
      config: of the network.

    Raises:
      InputError: --num_votes was given, but all votes would be the same.
    """
    rotation = flags.rotation or checkpoint_files.default_rotation(config)
    if rotation == "none":
        command_line.refuse_idle(flags, "num_votes", "under --rotation none all votes are the same, so one is cast")
    return Dropping(
        rotation=rotation,
        num_votes=1 if rotation == "none" else flags.num_votes,
        drop_mode=flags.drop_mode,
        num_drop=flags.num_drop,
        lowest=flags.drop_neg,
        max_rounds=flags.num_steps,
        eval_every=flags.eval_every,
        seed=flags.seed,
        options={name: getattr(flags, name) for name in OPTIONS},
    )


def files(flags, network):
    """Which files a run leaves, and how its pictures look: a run.Files, for a checkpoint.Network."""
    kept = command_line.kept_flags(flags)
    del kept["shard"], kept["workers"]
    return Files(
        look=picture_flags.look(flags),
        figure_format=flags.figure_format,
        turntable=flags.turntable,
        rounds_gif=flags.rounds_gif,
        settings=dict(kept, model_path=network.prefix, model=network.model_name, weights=network.digest),
        overwrite=flags.overwrite,
        resumes=flags.shard is not None and not flags.overwrite,
    )


def work(flags, network, dropping, files):
    """How workers explain each file: a pieces.Work.

    Args:
      flags: of `flags.parse_flags`.
      network: a checkpoint.Network.
      dropping, files: of `dropping` and `files`.
    """
    return Work(
        arguments=workers.arguments_of(network, flags.gpu),
        digest=network.digest,
        methods=flags.methods,
        dump_dir=flags.dump_dir,
        target_class=flags.target_label,
        dropping=dropping,
        files=files,
        flags=frozenset(command_line.Parser.arguments),
    )
