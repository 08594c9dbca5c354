"""Texts of data sets, checkpoints and files where they become a folder, a cell or Markdown: text, and nothing else."""

import hashlib
import re
import unicodedata

from utils.files import printable

LONGEST_NAME = 100  # bytes in UTF-8; file systems take 255, Windows 260 characters for a whole path
# Names of devices on Windows, whatever their ending.
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])\s*(\.|$)", re.IGNORECASE)
# What a spreadsheet takes for a formula, behind any apostrophes that say that it is text.
FORMULA = re.compile(r"'*[=+\-@\t\r]")


def folder_name(text):
    """The name of a folder or file after a text: as the text wherever every system takes that, else nearly so.

    It is never a path, hidden, a device of Windows, longer than LONGEST_NAME or without a letter. A name that had to
    change ends with a digest of the text, so that two texts have two names, also where case does not count.

    Args:
      text: any text, such as a class and an index.
    """
    name = unicodedata.normalize("NFC", text)
    name = "".join(one if one.isprintable() and one not in '<>:"/\\|?*' else "_" for one in name)
    name = re.sub(r"^[\s.]+|[\s.]+$", "_", name)
    if DEVICE.match(name):
        name = "_" + name
    name = name or "_"
    if name != text or len(name.encode("utf-8")) > LONGEST_NAME:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        start = name.encode("utf-8")[: LONGEST_NAME - len(digest) - 1].decode("utf-8", "ignore")
        name = "{}-{}".format(start, digest)
    return name


def same_folder(first, second):
    """Whether two names mean one folder on a system where case does not count (Windows, macOS)."""
    first, second = (unicodedata.normalize("NFC", name).casefold() for name in (first, second))
    return first == second


def to_cell(text):
    """Text as a cell of a CSV file: an apostrophe before what a spreadsheet would take for a formula."""
    return "'" + text if FORMULA.match(text) else text


def from_cell(cell):
    """The text of a cell that `to_cell` wrote."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def markdown(text):
    """Text that Markdown shows as it stands, in one line: no element, link, picture, emphasis or end of a cell."""
    text = re.sub(r"[\\`*\[\]|]", r"\\\g<0>", printable(text).replace("&", "&amp;"))
    return text.replace("<", "&lt;")
