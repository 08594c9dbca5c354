"""Damages bytes, by a seeded draw, in the ways that copying, editing and crafting do."""

import re

EVIL_NUMBERS = (
    b"0", b"-1", b"1", b"2147483648", b"4294967295", b"9223372036854775808", b"200000000", b"1e400", b"-1e-400", b"nan",
    b"inf", b"1e9", b"0x10", b"1_000", b"65536", b"",
)  # fmt: skip
NUMBER = re.compile(rb"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")
HEADER = 600  # bytes in which most formats say what follows


def damage(rng, content):
    """Damages a file's content in one way.

    Args:
      rng: a random.Random.
      content: bytes.

    Returns:
      The way in words, and the damaged bytes, which may by chance be the same.
    """
    name = rng.choice(sorted(WAYS))
    return name, WAYS[name](rng, content)


def _place(rng, content):
    """A place in the file: half of the time in its header."""
    return rng.randrange(min(len(content), HEADER) if rng.random() < 0.5 else len(content)) if content else 0


def _span(rng, content):
    start = _place(rng, content)
    return start, min(len(content), start + rng.choice((1, 2, 4, 16, 256, 4096)))


def _flip(rng, content):
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 8)) if content else 0):
        changed[_place(rng, content)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(rng, content):
    return content[: rng.randrange(len(content))] if content else content


def _cut_at_line(rng, content):
    ends = [match.end() for match in re.finditer(rb"\n", content)][:-1]
    return content[: rng.choice(ends)] if ends else content[: len(content) // 2]


def _insert(rng, content):
    at = _place(rng, content)
    return content[:at] + bytes(rng.randrange(256) for _ in range(rng.choice((1, 3, 40)))) + content[at:]


def _delete(rng, content):
    start, end = _span(rng, content)
    return content[:start] + content[end:]


def _double(rng, content):
    start, end = _span(rng, content)
    return content[:end] + content[start:end] + content[end:]


def _blank(rng, content):
    start, end = _span(rng, content)
    return content[:start] + bytes([rng.choice((0, 10, 32, 255))]) * (end - start) + content[end:]


def _lie(rng, content):
    """Puts another number in the place of one, mostly in the header."""
    found = list(NUMBER.finditer(content[: HEADER if rng.random() < 0.8 else len(content)]))
    if not found:
        return _flip(rng, content)
    match = rng.choice(found)
    return content[: match.start()] + rng.choice(EVIL_NUMBERS) + content[match.end() :]


def _swap_lines(rng, content):
    lines = content.split(b"\n")
    first, second = rng.randrange(min(len(lines), 20)), rng.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _lie_in_binary(rng, content):
    """Puts a large number of four or eight bytes where one may stand."""
    number = rng.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 200 * 10**6))
    at = _place(rng, content) // 4 * 4
    return content[:at] + number.to_bytes(4, rng.choice(("little", "big"))) + content[at + 4 :]


WAYS = {
    "bits flipped": _flip,
    "cut off": _cut,
    "cut off at a line": _cut_at_line,
    "bytes inserted": _insert,
    "bytes deleted": _delete,
    "bytes doubled": _double,
    "bytes blanked": _blank,
    "another number": _lie,
    "lines swapped": _swap_lines,
    "another binary number": _lie_in_binary,
    "emptied": lambda rng, content: b"",
    "upper case": lambda rng, content: content[:HEADER].upper() + content[HEADER:],
    "line ends changed": lambda rng, content: content.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n"))),
}
