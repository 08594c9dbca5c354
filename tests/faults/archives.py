"""Zips put into data/ by hand that are damaged, or made to harm: paths, links, sizes, passwords."""

import functools
import hashlib
import io
import os
import stat
import warnings
import zipfile

import corruptor
from judgement import Outcome, files_in, judge, strays

import provider

TITLE = "zip archives"
SIZE = 1
TOP = provider.MODELNET40 + "/"
NAMES = {
    "an absolute path": ("/tmp/absolute-name/x", "//host/share/x"),
    "a path upwards": ("../up", TOP + "../../up", TOP + "a/../../../up", "..\\..\\up", TOP + "..\\..\\up"),
    "a drive": ("C:/x", "C:x", "C:\\x"),
    "a device of Windows": (TOP + "CON", TOP + "nul.txt", TOP + "com1"),
    "odd letters": (TOP + "a\x00b", TOP + "a\nb", TOP + "\x1b[2J", TOP + "x" * 300, TOP + "a:b*?", TOP + "."),
    "an empty name": ("", "/", TOP + "/", "."),
    "two top folders": ("other/x",),
    "a file where a folder is": (TOP + "train_files.txt/x",),
}


REFUSED = {*NAMES, "a link", "a name twice", "a password", "a bomb", "many files", "a lie about a size", "a file less"}


def inject(rng, bench, folder):
    """Unpacks one bad zip; returns Outcomes."""
    kind, content = rng.choice((_bad_name, _bad_name, _damaged, _damaged, _twice, _link, _bomb, _locked, _lacking))(
        rng, bench
    )
    data_dir = os.path.join(folder, "out")
    os.makedirs(data_dir)
    zip_path = os.path.join(data_dir, provider.MODELNET40 + ".zip")
    with open(zip_path, "wb") as file:
        file.write(content)
    words = bench.words("fetch", out=os.path.join(folder, "in"))
    if rng.random() < 0.2:
        os.makedirs(os.path.join(data_dir, rng.choice((".unpacking-x", provider.MODELNET40 + ".99999.tmp")), "top"))
    run = bench.run_words(words, folder, before=functools.partial(_trust, data_dir, content))
    wrong = judge(run) or strays(folder) or _judge_folder(run, kind, bench, data_dir)
    if not wrong and (os.path.exists("/tmp/absolute-name") or os.path.exists(os.path.join(folder, "..", "up"))):
        wrong = "writes outside its folder"
    return [Outcome(kind, wrong)]


def _judge_folder(run, kind, bench, data_dir):
    """What is wrong with what lies in data/; None where all is right."""
    names, unpacked = set(os.listdir(data_dir)), os.path.join(data_dir, provider.MODELNET40)
    if provider.MODELNET40 + ".zip" not in names:
        return "deletes a zip that the user put there"
    if names - {provider.MODELNET40, provider.MODELNET40 + ".zip"}:
        return "leaves {}".format(", ".join(sorted(names))[:200])
    if any(os.path.islink(path) for path in files_in(data_dir)):
        return "makes a link"
    if run.status == 0 and kind in REFUSED:
        return "unpacks what it must refuse"
    if run.status == 0 and _contents(unpacked) != _contents(bench.data):
        return "unpacks other files"
    return None


def _contents(folder):
    """{path in the folder: bytes} of all its files."""
    contents = {}
    for path in files_in(folder):
        with open(path, "rb") as file:
            contents[os.path.relpath(path, folder)] = file.read()
    return contents


def _trust(data_dir, content):
    """In the new process: the zip has the checksum that is wanted, so that its content alone can be at fault."""
    provider.DATA_DIR = data_dir
    provider.ZIP_BYTES, provider.ZIP_SHA256 = len(content), hashlib.sha256(content).hexdigest()


def _zip(bench, extra=(), left_out=None, **options):
    """The prepared data set as a zip: bytes. extra: list of (name or ZipInfo, content)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files_in(bench.data):
            if os.path.basename(path) != left_out:
                archive.write(path, TOP + os.path.relpath(path, bench.data))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a name twice
            for name, content in extra:
                archive.writestr(name, content)
    return file.getvalue()


def _bad_name(rng, bench):
    kind = rng.choice(sorted(NAMES))
    # zipfile itself would make names harmless: a name of the same length is put in its place.
    name = rng.choice(NAMES[kind]).encode("utf-8")
    stand_in = b"q" * len(name)
    if not name:
        return kind, _zip(bench, [("q", b"x")]).replace(b"q", b"\x00")
    return kind, _zip(bench, [(stand_in.decode(), b"content")]).replace(stand_in, name)


def _damaged(rng, bench):
    content = _zip(bench)
    way, changed = corruptor.damage(rng, content)
    if rng.random() < 0.4:
        # The list of its files stands at its end.
        tail = max(0, len(content) - 700)
        way, changed_tail = corruptor.damage(rng, content[tail:])
        changed = content[:tail] + changed_tail
    return way, changed


def _twice(rng, bench):
    name = rng.choice(("train_files.txt", "TRAIN_FILES.TXT", "shape_names.txt", "ply_data_test0.h5"))
    return "a name twice", _zip(bench, [(TOP + name, rng.choice((b"", b"../../x.h5\n", b"\x00" * 100)))])


def _link(rng, bench):
    link = zipfile.ZipInfo(TOP + rng.choice(("link", "ply_data_train0.h5", "sub")))
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return "a link", _zip(
        bench, [(link, rng.choice(("/etc/passwd", "../../..", "..")))], left_out=link.filename[len(TOP) :]
    )


def _bomb(rng, bench):
    kind = rng.choice(("a bomb", "many files", "a lie about a size"))
    if kind == "many files":
        return kind, _zip(bench, [(TOP + str(number), b"") for number in range(10001)])
    content = _zip(bench, [(TOP + "zeros", b"\x00" * 100000000)])
    if kind == "a lie about a size":
        content = content.replace((100000000).to_bytes(4, "little"), rng.choice((5, 2**31)).to_bytes(4, "little"))
    return kind, content


def _locked(rng, bench):
    content = bytearray(_zip(bench))
    # The flag of a password, in the list and before the file.
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.find(mark)
        content[at + place] |= 1
    return "a password", bytes(content)


def _lacking(rng, bench):
    name = rng.choice(("train_files.txt", "test_files.txt", "shape_names.txt", "ply_data_test0.h5"))
    return "a file less", _zip(bench, left_out=name)
