"""What the flags of compare.py come to: a comparison that is settled, and kept in run.json."""

import os

import models
from utils import command_line, files
from utils.compare import settings
from utils.compare.flags import FLAGS_OF_LOOKS, idle_options, own_settings, refuse_idle_colours, settings_of_others
from utils.compare.protocol import Subject
from utils.compare.protocols import PROTOCOLS
from utils.network import checkpoint_files
from utils.pictures import colours


def rotation_of(flags, config):
    """How clouds or votes are turned.

    Args:
      flags: of `flags.parse_flags`.
      config: of the network, as `checkpoint_files.read_config` reads it.

    Returns:
      "none", "y" or "xyz".

    Raises:
      InputError: a flag was given that does nothing under this rotation.
    """
    protocol = PROTOCOLS[flags.protocol]
    rotation = flags.rotation or checkpoint_files.default_rotation(config, protocol.is_one_view)
    for name, reason in protocol.idle(rotation, **own_settings(flags)).items():
        command_line.refuse_idle(flags, name, reason)
    return rotation


def begin(flags, network, data, digest, clouds, rotation, given):
    """Settles what is compared, and writes it to run.json.

    Args:
      flags: of `flags.parse_flags`.
      network: a checkpoint.Network.
      data: a provider.DataSet.
      digest, clouds: of `run.load_clouds`.
      rotation: of `rotation_of`.
      given: heat from elsewhere, of `given_heat.read`.

    Returns:
      settings.Settings.

    Raises:
      InputError: the folder holds another comparison.
    """
    protocol = PROTOCOLS[flags.protocol]
    idle = list(protocol.idle(rotation, **own_settings(flags)))
    kept = command_line.kept_flags(flags)
    left_out = ["report", "heat", "shard", "workers"]
    for name in left_out + idle + list(settings_of_others(protocol)) + idle_options(flags):
        kept.pop(name)
    kept.update(
        rotation=rotation,
        classes=list(dict.fromkeys(cloud.class_name for cloud in clouds)),
        class_names=list(network.class_names),
        data=digest,
        data_dir=os.path.abspath(data.folder),
        clouds=len(clouds),
        model=network.model_name,
        model_path=network.prefix,
        weights=network.digest,
        versions=files.versions(),
    )
    if given:
        kept["heat"] = {name: {"file": one.path, "sha256": one.digest} for name, one in given.items()}
    path = settings.path_in(flags.dump_dir)
    subject = Subject(flags.num_point, models.network(network.model_name).LAYERS_FROM_TOP)
    kept["steps"] = [str(step) for step in protocol.steps(subject, **settings.of(kept, path).own)]
    settings.begin(flags.dump_dir, kept, idle, flags.shard)
    return settings.of(kept, path)


def recolour(flags):
    """Writes how pictures look, as far as it was given, into the run.json of the one folder to report on.

    Raises:
      InputError: the folder is not of a comparison, or shows no colours.
    """
    (folder,) = flags.report
    kept = settings.read(folder)
    found = settings.of(kept, settings.path_in(folder))
    changed = {name: getattr(flags, name) for name in FLAGS_OF_LOOKS if name in flags.given}
    refuse_idle_colours(flags, found.protocol)
    if "colormap" in changed and "scale" not in changed and found.scale == colours.usual_scale(found.colormap):
        changed["scale"] = colours.usual_scale(flags.colormap)
    if changed:
        files.write_json(settings.path_in(folder), dict(kept, **changed))
