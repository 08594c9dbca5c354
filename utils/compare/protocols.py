"""The protocols of compare.py, a line each: all that the program knows of one stands in its file."""

from utils.compare import curve, drop, insert, sanity, stability, thesis

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        drop.PROTOCOL,
        insert.PROTOCOL,
        curve.PROTOCOL,
        thesis.PROTOCOL,
        sanity.PROTOCOL,
        stability.PROTOCOL,
    )
}
