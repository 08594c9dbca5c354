"""Text that editors and shells of any system left, before a reader looks at it."""

UTF_8_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def without_mark(content):
    """The bytes of a text file as UTF-8 without a byte-order mark; those of any other encoding as they are.

    Windows' editors begin UTF-8 with a mark, and its PowerShell writes UTF-16. The first word of a file is neither.
    """
    if content.startswith(UTF_8_MARK):
        return content[len(UTF_8_MARK) :]
    if content.startswith(UTF_16_MARKS):
        return content.decode("utf-16", "replace").encode("utf-8")
    return content


def read_text(path):
    """The bytes of a text file, without a byte-order mark, with line feeds alone."""
    with open(path, "rb") as file:
        return without_mark(file.read()).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
