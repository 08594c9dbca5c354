"""Counts what a process does to files, and does something of one's own at the n-th time: a kill, a full disk."""

import builtins
import io
import os

# Each of them changes the disk, and is looked up by the program as an attribute of its module.
CALLS = ("replace", "rename", "remove", "unlink", "mkdir", "rmdir", "link", "symlink", "truncate", "fsync")
WRITING = frozenset("wax+")


class Operations:
    """The operations on files below some folder, of this process and from now on.

    TensorFlow's own writing is not seen, since it is C++; the renames around it are.

    Attributes:
      count: how many there were, as `store` was told.
    """

    def __init__(self, folder, act, store=lambda count: None):
        """Patches the calls of this process for good; meant for a forked one.

        Args:
          folder: only what lies in it counts.
          act: function of (number from 1, name of the call) before each; what it raises, the call raises. Where it
            returns a function, that is called after the call.
          store: function that is given the count after each.
        """
        self._folder = os.path.realpath(folder)
        self._act = act
        self._store = store
        self._is_acting = False
        self.count = 0
        for name in CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))
        opened = self._counted("open", builtins.open, lambda mode="r", *_, **__: bool(WRITING & set(mode)))
        builtins.open = io.open = opened
        self._open_descriptor = os.open
        os.open = self._counted("os.open", os.open, lambda flags, *_, **__: bool(flags & (os.O_WRONLY | os.O_RDWR)))

    def _counted(self, name, call, is_meant=lambda *_, **__: True):
        def counted(path, *arguments, **options):
            if self._is_acting or not is_meant(*arguments, **options) or not self._is_inside(path):
                return call(path, *arguments, **options)
            self.count += 1
            self._store(self.count)
            self._is_acting = True
            try:
                after = self._act(self.count, name)
            finally:
                self._is_acting = False
            found = call(path, *arguments, **options)
            if after is not None:
                after()
            return found

        return counted

    def _is_inside(self, path):
        if isinstance(path, int):
            return path > 2
        try:
            return os.path.realpath(os.fsdecode(path)).startswith(self._folder + os.sep)
        except (TypeError, ValueError):
            return False
