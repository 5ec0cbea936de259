"""Files that are begun anew: control entries ``reread`` and ``skip``, and what they change."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from operators.meta import Meta
from state.family import Family
from state.keys import mark_key

GENERATIONS = frozenset({"reread", "skip"})
"""Types of the entries. They say ``file`` (a partition without its generation), the number of the ``generation`` that they begin, and
as ``mark`` in base64 what of the file is not to be read; without it all is."""


def begins(entry: dict[str, Any]) -> bool:
    """Whether an entry says what it must."""
    mark = entry.get("mark", "")
    if type(entry.get("file")) is not str or type(entry.get("generation")) is not int or type(mark) is not str:
        return False
    try:
        b64decode(mark, validate=True)
    except binascii.Error:
        return False
    return True


def begin(meta: Meta, rows: Family, entry: dict[str, Any]) -> dict[str, Any]:
    """Begin the next generation of a file; without effect if that has been done: an entry names the one that it means."""
    file, number = entry["file"], entry["generation"]
    known = meta.generations.get(file, 1)
    if number != known + 1:
        return {"applied": False, "partition": meta.partition(file)}
    meta.generations[file] = number
    partition = meta.partition(file)
    if entry.get("mark"):
        rows.put(mark_key(partition), b64decode(entry["mark"]))
    return {"applied": True, "partition": partition}
