"""Unpacks the zip of a data set: whole or not at all, nothing outside its folder, and no more than makes sense."""

import errno
import os
import re
import shutil
import stat
import unicodedata
import zipfile

from utils import progress
from utils.disk.made_once import begun
from utils.disk.names import DEVICE
from utils.files import InputError, printable, put_in_place, writing

# ModelNet40's zip has 30 files and hardly shrinks.
MAX_FILES = 10000
MAX_UNPACKED_BYTES = 1 << 33
MAX_RATIO = 100
MAX_NAME_BYTES = 255
NO_NAME = re.compile(r'[<>:"\\|?*]|[. ]$')  # on Windows
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG)


def unpack(zip_path, folder, required):
    """Unpacks the one top folder of a zip to `folder`, which appears only when it is whole.

    Args:
      zip_path: the zip.
      folder: where its top folder goes; it must not exist, and no other process makes it at the same time.
      required: names of files that must be in it.

    Raises:
      InputError: the zip is damaged, lacks a file, holds more than makes sense, or a path that leads out of its folder
        or is not the same on every system; or the disk is full.
    """
    temporary = begun(folder)
    shutil.rmtree(temporary, ignore_errors=True)
    with writing(folder):
        os.mkdir(temporary)
    try:
        _extract(zip_path, temporary)
        tops = [top for top in os.listdir(temporary) if top != "__MACOSX"]
        top = os.path.join(temporary, tops[0]) if len(tops) == 1 else temporary
        missing = [name for name in required if not os.path.isfile(os.path.join(top, name))]
        if missing:
            raise InputError("{} holds no {}: it is another zip; delete it".format(zip_path, missing[0]))
        with writing(folder):
            put_in_place(top, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(zip_path, folder):
    """Unpacks a zip into a folder, unless its list or its content is not as it should be."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            members = archive.infolist()
            _check_size(zip_path, members, shutil.disk_usage(folder).free)
            _check_paths(zip_path, members)
            with progress.Progress("Unpacking", len(members), "files") as bar:
                for member in members:
                    archive.extract(member, folder)
                    bar.update()
    except InputError:
        raise
    # Of damaged content zipfile raises whatever its parsers stumble on, such as a MemoryError of an LZMA header.
    except Exception as error:
        if getattr(error, "errno", None) in DISK_ERRORS:
            raise InputError(
                "{} cannot be unpacked into {} ({}): free space there or mend the disk, and run this again".format(
                    zip_path, os.path.dirname(folder), os.strerror(error.errno)
                )
            )
        reason = printable(str(error) or "it is damaged", 200)
        raise InputError("{} cannot be unpacked ({}): delete it and try again".format(zip_path, reason))


def _check_size(zip_path, members, free_bytes):
    """Refuses a zip of more files or bytes than sense, by what its list says, which is all that is ever unpacked."""
    unpacked, packed = sum(one.file_size for one in members), os.path.getsize(zip_path)
    for number, most, what in (
        (len(members), MAX_FILES, "files"),
        (unpacked, MAX_UNPACKED_BYTES, "bytes"),
        (unpacked // max(packed, 1), MAX_RATIO, "times its size"),
    ):
        if number > most:
            raise InputError(
                "{} would unpack to {} {}, more than the {} of any data set known here: delete it".format(
                    zip_path, number, what, most
                )
            )
    if unpacked > free_bytes:
        raise InputError(
            "{} needs {} bytes, and {} are free there: free more, and run this again".format(
                zip_path, unpacked, free_bytes
            )
        )


def _check_paths(zip_path, members):
    """Refuses a zip whose list would not give the same files, in its folder, on every system."""
    files, folders = set(), set()
    for member in members:
        path = member.orig_filename  # as it stands there; zipfile cuts it at a NUL, and turns backslashes on Windows
        is_folder = path.endswith("/")
        parts = path.split("/")[:-1] if is_folder else path.split("/")
        problem = None
        if not all(map(_is_name, parts)) or not parts:
            problem = "which leads out of its folder, or is no name on every system"
        elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The others unpack by whole blocks, however large these are.
            problem = "which is packed in a way that no zip of a data set is"
        elif stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "which is a link or a device"
        key = tuple(unicodedata.normalize("NFC", part).casefold() for part in parts)
        folders.update(key[:length] for length in range(1, len(key) + is_folder))
        if not is_folder and key in files:
            problem = problem or "twice, where upper and lower case do not count"
        if not is_folder:
            files.add(key)
        if problem:
            raise InputError("{} holds the path {}, {}: delete it".format(zip_path, printable(path, 200), problem))
    if files & folders:
        path = "/".join(min(files & folders))
        raise InputError("{} holds {} as a file and as a folder: delete it".format(zip_path, printable(path, 200)))


def _is_name(part):
    """Whether a part of a path is the name of a file or folder on every system."""
    return (
        part.isprintable()
        and 0 < len(part.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES
        and not (NO_NAME.search(part) or DEVICE.match(part))
    )
