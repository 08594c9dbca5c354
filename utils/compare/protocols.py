"""The protocols of compare.py, a line each: all that the program knows of one stands in its file."""

from utils.compare import curve, drop, fidelity, insert, sanity, stability, thesis

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        drop.PROTOCOL,
        insert.PROTOCOL,
        curve.PROTOCOL,
        fidelity.PROTOCOL,
        thesis.PROTOCOL,
        sanity.PROTOCOL,
        stability.PROTOCOL,
    )
}
