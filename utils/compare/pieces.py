"""A comparison in pieces, which workers find the rows and the heat of; who hands them out keeps what comes."""

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from utils import progress
from utils.clouds.cloud import Cloud
from utils.compare import run, settings
from utils.compare.protocols import PROTOCOLS
from utils.disk.rows import RowFile
from utils.network import workers

MOST_CLOUDS = 16  # of a piece: a kill loses no more than a piece of each worker
PIECES_PER_WORKER = 4  # at least, so that none waits long for the last


class Piece(NamedTuple):
    """A part of a comparison.

    Attributes:
      arguments, digest: of the network, as for `workers.open_once`.
      settings: settings.Settings whose protocol is its name, and whose methods are those of the piece.
      clouds: list of Cloud, as the data set has them.
      known: rows of these that there are already, as in a rows.RowFile.
      given: heat from elsewhere, as for `run.of_network`.
    """

    arguments: Tuple[Any, ...]
    digest: str
    settings: settings.Settings
    clouds: List[Cloud]
    known: List[Dict[str, Any]]
    given: Optional[Dict[str, Any]]


class Source(NamedTuple):
    """What pieces are cut from.

    Attributes:
      comparison: a run.Comparison.
      clouds: list of Cloud, as the data set has them, in the order of those of the comparison.
      settings: its settings.Settings.
      gpu: as for `loading.open_classifier`.
      given: as of a Piece.
    """

    comparison: run.Comparison
    clouds: List[Cloud]
    settings: settings.Settings
    gpu: int
    given: Dict[str, Any]


def fill_in(where, source, kept, shown):
    """Has workers find the heat and the rows that a folder lacks, with a progress bar.

    Args:
      where: as for `workers.open_pool`.
      source: a Source; the rows of its comparison are added to and written.
      kept: the heats.KeptHeat to add to; None where no heat is shown.
      shown: the clouds that pictures show.
    """
    comparison, chosen = source.comparison, source.settings
    steps = chosen.protocol.steps(comparison, **chosen.own)
    with workers.open_pool(where) as pool:
        if kept is not None:
            _keep_heat(pool, source, kept, shown)
        pieces = _pieces(source, steps, pool.count)
        total = len(comparison.methods) * len(comparison.clouds) * len(steps)
        done = comparison.rows.count(comparison.methods, comparison.clouds, steps)
        with progress.Progress(chosen.protocol.name, total, "rows", done) as bar:
            for _, rows in pool.results(find_rows, pieces):
                for row in rows:
                    comparison.rows.take(row)
                bar.update(comparison.rows.flush())


def _keep_heat(pool, source, kept, shown):
    wanted = {_key(one) for one in shown}
    # As its one view is turned, where the pieces have it as it lies.
    seen = {_key(one): one for one in source.comparison.clouds}
    pieces = []
    for cloud in source.clouds:
        lacking = [method for method in source.settings.methods if not kept.has(method, cloud)]
        if _key(cloud) in wanted and lacking:
            pieces.append(_piece(source, lacking, [cloud]))
    if pieces:
        with progress.Progress("Heat for pictures", len(pieces), "clouds") as bar:
            for piece, heats in pool.results(find_heat, pieces):
                for method, heat in zip(piece.settings.methods, heats):
                    kept.add(method, seen[_key(piece.clouds[0])], heat)
                bar.update()
        kept.save()


def _key(cloud):
    return cloud.class_name, cloud.index


def _pieces(source, steps, num_workers):
    """All that is still to do, in pieces: of few clouds each, under one method or, where they share work, under all."""
    comparison, methods = source.comparison, list(source.settings.methods)
    groups = [methods] if source.settings.protocol.shares_work else [[method] for method in methods]
    size = -(-len(comparison.clouds) * len(groups) // (PIECES_PER_WORKER * num_workers))
    size = max(1, min(MOST_CLOUDS, size))
    pieces = []
    for group in groups:
        lacking = [
            cloud for cloud in source.clouds if comparison.rows.count(group, [cloud], steps) < len(group) * len(steps)
        ]
        pieces += [_piece(source, group, lacking[start : start + size]) for start in range(0, len(lacking), size)]
    return pieces


def _piece(source, methods, clouds):
    network = source.comparison.classifier.network
    keys = {_key(one) for one in clouds}
    return Piece(
        arguments=workers.arguments_of(network, source.gpu),
        digest=network.digest,
        settings=source.settings._replace(protocol=source.settings.protocol.name, methods=tuple(methods)),
        clouds=clouds,
        known=[
            row
            for row in source.comparison.rows.rows
            if row["method"] in methods and (row["class"], row["index"]) in keys
        ],
        given={name: one for name, one in source.given.items() if name in methods},
    )


def find_rows(piece, num_workers):
    """The rows of a Piece that there are not yet: list of dictionaries, as in a rows.RowFile.

    Args:
      piece: a Piece.
      num_workers: how many share this machine.

    Raises:
      InputError: the checkpoint is not there, or not that of the comparison.
    """
    comparison, protocol = _open(piece, num_workers)
    comparison.run(protocol, piece.settings.own, is_shown=False)
    return comparison.rows.rows[len(piece.known) :]


def find_heat(piece, num_workers):
    """The heat of the one cloud of a Piece under each of its methods: list of float arrays [N]."""
    comparison, _ = _open(piece, num_workers)
    return [comparison.heat_of(method, comparison.clouds)[0] for method in piece.settings.methods]


def _open(piece, num_workers):
    """The run.Comparison of a Piece, whose rows are kept nowhere, and its Protocol."""
    classifier = workers.open_once(piece.arguments, piece.digest, num_workers)
    protocol = PROTOCOLS[piece.settings.protocol]
    rows = RowFile(None, protocol.columns)
    for row in piece.known:
        rows.take(row)
    chosen = piece.settings._replace(protocol=protocol)
    gpu = workers.own_gpu(piece.arguments[2])
    return run.of_network(classifier, piece.clouds, rows, chosen, gpu, piece.given), protocol
