"""Writes a small database in MaxMind's format: its tree of networks, its records, and the metadata at its end."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Any

_SEPARATOR = 16
_WIDE = {"node_count": 6, "build_epoch": 9}
"""Numbers of the metadata that are of one kind, however small they are."""
_MARKER = b"\xab\xcd\xefMaxMind.com"


def mmdb(records: dict[str, Any]) -> bytes:
    """A database of IPv4 networks, none of which lies in another, in records of 24 bits."""
    nodes: list[list[Any]] = [[None, None]]
    for text in records:
        network = ip_network(text)
        assert isinstance(network, IPv4Network)
        at = 0
        bits = [int(network.network_address) >> (31 - place) & 1 for place in range(network.prefixlen)]
        for bit in bits[:-1]:
            if not isinstance(nodes[at][bit], int):
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][bits[-1]] = ("record", text)
    data, places = b"", {}
    for text, record in records.items():
        places[text] = len(data)
        data += _encoded(record)
    tree = b"".join(_pointer(side, len(nodes), places) for node in nodes for side in node)
    metadata = {
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_700_000_000, "database_type": "Test",
        "description": {"en": "a test"}, "ip_version": 4, "languages": ["en"], "node_count": len(nodes), "record_size": 24,
    }  # fmt: skip
    said = b"".join(_encoded(key) + (_number(part, _WIDE[key]) if key in _WIDE else _encoded(part)) for key, part in metadata.items())
    return tree + bytes(_SEPARATOR) + data + _MARKER + _control(7, len(metadata)) + said


def _pointer(side: Any, nodes: int, places: dict[str, int]) -> bytes:
    target = nodes if side is None else side if isinstance(side, int) else nodes + _SEPARATOR + places[side[1]]
    return int(target).to_bytes(3, "big")


def _encoded(value: Any) -> bytes:
    """Texts, numbers, truths, lists and objects, as the format has them."""
    if isinstance(value, str):
        raw = value.encode()
        return _control(2, len(raw)) + raw
    if isinstance(value, bool):
        return _control(14, int(value))
    if isinstance(value, int):
        return _number(value, 5 if value < 1 << 16 else 6 if value < 1 << 32 else 9)
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_encoded, value))
    return _control(7, len(value)) + b"".join(_encoded(key) + _encoded(part) for key, part in value.items())


def _number(value: int, kind: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    assert size < 285
    low, more = (size, b"") if size < 29 else (29, bytes((size - 29,)))
    return bytes((low if kind > 7 else kind << 5 | low,)) + (bytes((kind - 7,)) if kind > 7 else b"") + more
