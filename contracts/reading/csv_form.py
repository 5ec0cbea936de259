"""``csv`` of ``sources/<name>.yaml``: how the file is written."""

from __future__ import annotations

import codecs

from contracts.text.yaml_tree import Reader, Tree

KEYS = ("delimiter", "encoding", "quote", "decimal", "thousands", "header")
DECIMALS = (".", ",")
_NOT_BETWEEN = frozenset('0123456789+-eE"\r\n')


def read_csv_form(reader: Reader, at: Tree) -> None:
    """Checks every key, and that no two of them are one character."""
    parts = reader.fields(at, KEYS)
    delimiter = reader.read(parts.get("delimiter"), ",", _delimiter)
    quote = reader.read(parts.get("quote"), '"', _quote)
    decimal = reader.choice(parts.get("decimal"), DECIMALS, ".")
    thousands = reader.read(parts.get("thousands"), "", _thousands)
    reader.read(parts.get("encoding"), "utf-8", _encoding)
    if "header" in parts:
        _header(reader, parts["header"])
    if quote == delimiter:
        reader.refuse(parts.get("quote") or at, "another character than the delimiter", repr(quote))
    if thousands == decimal:
        reader.refuse(parts.get("thousands") or at, f"another character than the decimal sign {decimal}", repr(thousands))


def _delimiter(value: object) -> str:
    if isinstance(value, str) and len(value) == 1 and value not in '\r\n"':
        return value
    raise ValueError(r'one character between fields such as ";" or "\t"')


def _quote(value: object) -> str:
    if value == "" or (isinstance(value, str) and len(value) == 1 and value not in "\r\n"):
        return str(value)
    raise ValueError('the character around fields such as "\'", or "" for none')


def _thousands(value: object) -> str:
    if isinstance(value, str) and len(value) == 1 and value not in _NOT_BETWEEN:
        return value
    raise ValueError('the character between thousands such as "." or " "')


def _encoding(value: object) -> str:
    if isinstance(value, str) and _is_encoding(value):
        return value
    raise ValueError("an encoding of text such as utf-8, utf-16, cp1252 or latin-1")


def _is_encoding(name: str) -> bool:
    """Whether Python reads it piece by piece, and a comma is one in it."""
    try:
        codecs.getincrementaldecoder(name)
        return "a,\n".encode(name).replace(b"\0", b"").strip(b"\xef\xbb\xbf\xff\xfe") == b"a,\n"
    except (LookupError, UnicodeError, ValueError):
        return False


def _header(reader: Reader, at: Tree) -> None:
    if isinstance(at.value, bool):
        return
    if not isinstance(at.value, list) or not at.value:
        reader.refuse(at, "true, false, or a list of the names of all columns")
        return
    seen: set[str] = set()
    for item in at.value:
        name = reader.text(item, expected="the name of a column")
        if name and name in seen:
            reader.refuse(item, "every name once", name)
        seen.add(name)
