"""HDF5 files under any name that the system takes."""

import contextlib


@contextlib.contextmanager
def opened(path, mode="r"):
    """A context with an open h5py.File.

    Args:
      path: the file.
      mode: "r", or "w" for a new one.

    Raises:
      OSError and others, as of h5py.
    """
    import h5py  # here, so that what asks for no HDF5 does without it

    with contextlib.ExitStack() as held:
        try:
            file = h5py.File(path, mode)
        except UnicodeEncodeError:
            # On Windows h5py before 3 gives HDF5 a name in the code page, which lacks most letters. Python opens any.
            stream = held.enter_context(open(path, "rb" if mode == "r" else "w+b"))
            file = h5py.File(stream, mode)
        yield held.enter_context(file)
