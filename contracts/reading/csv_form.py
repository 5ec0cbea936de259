"""``csv`` of ``sources/<name>.yaml``: how the file is written."""

from __future__ import annotations

import codecs

from contracts.text.keys import Choice, Fields, Key, Own, Plain, Schema, text_schema
from contracts.text.yaml_tree import Reader, Tree

DECIMALS = (".", ",")
_NOT_BETWEEN = frozenset('0123456789+-eE"\r\n')


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


_ONE: Schema = {"type": "string", "minLength": 1, "maxLength": 1}
_HEADER: Schema = {
    "anyOf": [{"type": "boolean"}, {"type": "array", "items": text_schema(), "minItems": 1, "uniqueItems": True}],
    "default": True,
}
CSV_FORM = Fields((
    Key("delimiter", Plain(_delimiter, _ONE), r"the character between fields such as ; or \t", default=","),
    Key("quote", Plain(_quote, {"type": "string", "maxLength": 1}), "the character around fields; nothing for none", default='"'),
    Key("decimal", Choice(DECIMALS), "the decimal sign of numbers", default="."),
    Key("thousands", Plain(_thousands, _ONE),
        "the character between thousands; without it the other of . and , where `decimal` is said", default="", shown=False),
    Key("encoding", Plain(_encoding, text_schema()),
        "such as utf-8, utf-16, cp1252 or latin-1; a byte order mark says more", default="utf-8"),
    Key("header", Own(_HEADER, _header),
        "whether the first line names the columns; false calls them 1, 2, 3 …, a list says their names"),
))  # fmt: skip


def read_csv_form(reader: Reader, at: Tree) -> None:
    """Checks every key, and that no two of them are one character."""
    parts = CSV_FORM.parts(reader, at)
    said = CSV_FORM.values(reader, at, parts)
    if said["quote"] == said["delimiter"]:
        reader.refuse(parts.get("quote") or at, "another character than the delimiter", repr(said["quote"]))
    if said["thousands"] == said["decimal"]:
        expected = f"another character than the decimal sign {said['decimal']}"
        reader.refuse(parts.get("thousands") or at, expected, repr(said["thousands"]))
