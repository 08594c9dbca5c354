"""Fetches a large file from mirrors and unpacks it: resumable, checked, and whole or not at all.

Our own: urlretrieve, requests and pooch begin a broken download anew; this goes on with it, at another mirror too.
"""

import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.request
import zipfile

from tqdm import tqdm

from utils.files import InputError

BLOCK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30


def download(urls, path, num_bytes, sha256):
    """Downloads a file from the first mirror that gives it.

    What a broken download left in `<path>.part` is kept, and continued by the next mirror or the next call.

    Args:
      urls: mirrors, in the order to try.
      path: the file to write.
      num_bytes: its size.
      sha256: its checksum, hexadecimal.

    Raises:
      InputError: no mirror gave the file; the text says what each one answered.
    """
    part = path + ".part"
    failures = []
    for url in urls:
        print("Fetching {}".format(url))
        try:
            _continue_download(url, part, num_bytes)
        # urllib's errors are OSErrors; the others are malformed answers, of a proxy perhaps.
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append("{}: {}".format(url.split("/")[2], getattr(error, "reason", error)))
            print("  failed: {}".format(failures[-1]))
            continue
        if has_checksum(part, sha256):
            os.replace(part, path)
            return
        os.remove(part)
        failures.append("{}: another file than expected".format(url.split("/")[2]))
        print("  failed: {}".format(failures[-1]))
    raise InputError("could not be fetched ({})".format("; ".join(failures)))


def has_checksum(path, sha256):
    """Whether a file's SHA-256 is the given one (hexadecimal)."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            digest.update(block)
    return digest.hexdigest() == sha256


def unpack(zip_path, folder, required):
    """Unpacks the one top folder of a zip to `folder`, which appears only when it is whole.

    Args:
      zip_path: the zip.
      folder: where its top folder goes; it must not exist.
      required: names of files that must be in it.

    Raises:
      InputError: the zip is damaged, lacks a file, or has a path that leads out of its folder.
    """
    parent = os.path.dirname(os.path.abspath(folder))
    temporary = tempfile.mkdtemp(prefix=".unpacking-", dir=parent)
    try:
        with zipfile.ZipFile(zip_path) as archive:
            for name in archive.namelist():
                target = os.path.realpath(os.path.join(temporary, name))
                if not target.startswith(os.path.realpath(temporary) + os.sep):
                    raise InputError(
                        "{} holds the path {}, which leads out of its folder: delete it".format(zip_path, name)
                    )
            for member in tqdm(archive.infolist(), desc="Unpacking", unit="file"):
                archive.extract(member, temporary)
        tops = [top for top in os.listdir(temporary) if top != "__MACOSX"]
        top = os.path.join(temporary, tops[0]) if len(tops) == 1 else temporary
        missing = [name for name in required if not os.path.isfile(os.path.join(top, name))]
        if missing:
            raise InputError("{} holds no {}: it is another zip; delete it".format(zip_path, missing[0]))
        os.replace(top, folder)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError("{} cannot be unpacked ({}): delete it and try again".format(zip_path, error))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _continue_download(url, part, num_bytes):
    done = os.path.getsize(part) if os.path.exists(part) else 0
    if done == num_bytes:
        return
    request = urllib.request.Request(url, headers={"Range": "bytes={}-".format(done)} if done else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        if answer.getcode() != 206:
            # A server that ignores the range sends the file from its beginning.
            done = 0
        with open(part, "ab" if done else "wb") as file, tqdm(
            total=num_bytes, initial=done, unit="B", unit_scale=True, unit_divisor=1024
        ) as bar:
            for block in iter(lambda: answer.read(BLOCK_BYTES), b""):
                file.write(block)
                bar.update(len(block))
                if bar.n > num_bytes:
                    break
    if os.path.getsize(part) > num_bytes:
        os.remove(part)
        raise OSError("the file there is larger than expected")
    if os.path.getsize(part) < num_bytes:
        raise OSError("the connection broke off; started again, it goes on from there")
