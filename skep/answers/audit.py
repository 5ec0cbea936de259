"""`skep audit`: what people have decided, as the control partition has it, and what came of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson

from operators.epochs import CONTROL
from operators.generations import GENERATIONS
from operators.view.space import View
from skep.cli.console import table
from skep.cli.layout import moment, prose
from skep.project.definitions import kept_files
from skep.project.entries import Submitted
from skep.project.in_force import differences
from skep.project.settings import Settings
from skep.project.spaces import control_path, open_view
from state.errors import NoState


def audit(settings: Settings, space: str) -> list[dict[str, Any]]:
    """Every entry of a space, oldest first: ``time``, ``by`` (null for entries of older versions), ``type``, ``what``, ``why``, ``answer``.

    ``type`` is ``definitions``, ``rollback``, ``link``, ``unlink``, ``replay``, ``edit``, ``drop``, ``resume``, ``reread`` or ``skip``;
    ``answer`` is null until a flow has read the entry.
    """
    view = None
    with suppress(NoState):
        view = open_view(settings, space)
    try:
        return _rows(settings, space, view)
    finally:
        if view is not None:
            view.close()


def _rows(settings: Settings, space: str, view: View | None) -> list[dict[str, Any]]:
    path = control_path(settings, space)
    before: str | None = None
    rows = []
    lines = [line for line in path.read_bytes().split(b"\n") if line and not line.isspace()] if path.exists() else []
    for position, line in enumerate(lines, 1):
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            # Torn off by a crash before it counted; the flow skips it, too.
            continue
        kind, identity = entry.get("type"), str(entry.get("messageId", ""))
        rows.append(
            {
                "space": space,
                "partition": CONTROL,
                "position": position,
                "id": identity,
                "time": entry.get("timestamp"),
                "by": entry.get("by") or entry.get("who"),
                "type": "rollback" if kind == "definitions" and entry.get("rollback") else kind,
                "what": _what(settings, entry, before),
                "why": entry.get("why") or None,
                "answer": None if view is None else view.answer(identity),
            }
        )
        if kind == "definitions":
            before = entry.get("digest")
    return rows


def _what(settings: Settings, entry: dict[str, Any], before: str | None) -> dict[str, Any]:
    """What an entry is about: its definitions and the files that changed, its two identifiers, or its records."""
    kind = entry.get("type")
    if kind == "definitions":
        files = differences(kept_files(settings, before), kept_files(settings, entry.get("digest"))) if before else []
        return {"definitions": entry.get("digest"), "files": [{"file": f"contracts/{path}", "change": how} for path, how in files]}
    if kind in {"link", "unlink"}:
        return {"a": entry.get("a"), "b": entry.get("b")}
    if kind == "resume":
        return {"source": entry.get("source")}
    if kind in GENERATIONS:
        return {"file": entry.get("file")}
    return {"records": len(entry.get("ids") or entry.get("entries") or [])}


def show(rows: list[dict[str, Any]]) -> None:
    """A line for each entry."""
    columns = (moment("time"), "space", "by", "did", prose("what"), prose("why"), prose("answer"))
    table(columns, [(row["time"], row["space"], row["by"], row["type"], _words(row), row["why"], _answer(row)) for row in rows])


def _words(row: dict[str, Any]) -> str:
    what = row["what"]
    if "definitions" in what:
        return " ".join([what["definitions"], *(one["file"] for one in what["files"])])
    if "a" in what:
        return " ".join(f"{end['namespace']}:{end['value']}" for end in (what["a"], what["b"]) if end)
    named = what.get("source") or what.get("file")
    return named or f"{what['records']:,} records"


def _answer(row: dict[str, Any]) -> str:
    if row["answer"] is None:
        return "no flow has read it yet"
    return Submitted(row["id"], row["position"], False, row["answer"]).words()
