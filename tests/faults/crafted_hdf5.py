"""Files of a data set that are made to take all memory, to crash HDF5's library, or to show what lies elsewhere."""

import os
import zlib

import h5py
import numpy as np

COUNT, POINTS = 20, 32
POINTS_OF_A_PIECE = 3 * 10**6


def craft(rng, path):
    """Puts a crafted file in the place of a data set's file; returns the name of what was done."""
    name = rng.choice(sorted(WAYS))
    os.rename(path, path + ".real")
    with h5py.File(path, "w", libver="latest") as file:
        file["label"] = np.arange(COUNT)[:, np.newaxis]
        WAYS[name](rng, file, path + ".real")
    return name


def _huge_shape(rng, file, _):
    del file["label"]
    count = 10 ** rng.randint(6, 12)
    file.create_dataset("label", (count,), "u1", chunks=(4096,), compression=rng.choice((None, "gzip")))
    _in_pieces(file, (count, 10 ** rng.randint(2, 7), 3), (1, 64, 3), rng.choice((True, False)))


def _bomb(rng, file, _):
    data = _in_pieces(file, (COUNT, POINTS_OF_A_PIECE, 3), (1, POINTS_OF_A_PIECE, 3), True)
    for number in range(COUNT):
        data.id.write_direct_chunk((number, 0, 0), zlib.compress(bytes(POINTS_OF_A_PIECE * 12), 9))


def _large_piece(rng, file, _):
    data = _in_pieces(file, (COUNT, POINTS, 3), (10 ** rng.randint(6, 7), POINTS, 3), True)
    data.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(10**8)))


def _in_pieces(file, shape, piece, is_packed):
    most = (None,) + shape[1:]
    return file.create_dataset(
        "data", shape, "f4", chunks=piece, maxshape=most, compression="gzip" if is_packed else None
    )


def _external_link(rng, file, real):
    file["data"] = h5py.ExternalLink(rng.choice((real, "/dev/zero", os.path.dirname(real))), "/data")


def _soft_link(rng, file, real):
    file["away"] = h5py.ExternalLink(real, "/")
    file["data"] = h5py.SoftLink(rng.choice(("/away/data", "away/./data", "/data", "/none", "/label/data")))


def _external_storage(rng, file, real):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_external(real.encode(), 0, COUNT * POINTS * 12)
    space = h5py.h5s.create_simple((COUNT, POINTS, 3))
    h5py.h5d.create(file.id, b"data", h5py.h5t.IEEE_F32LE, space, properties)


def _virtual(rng, file, real):
    layout = h5py.VirtualLayout((COUNT, POINTS, 3), "f4")
    layout[:] = h5py.VirtualSource(real, "data", (COUNT, POINTS, 3))
    file.create_virtual_dataset("data", layout)


WAYS = {
    "huge shape": _huge_shape,
    "bomb": _bomb,
    "large piece": _large_piece,
    "external link": _external_link,
    "soft link": _soft_link,
    "external storage": _external_storage,
    "virtual": _virtual,
}
