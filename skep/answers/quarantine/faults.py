"""What is wrong with a record, place by place: every error of the contract that refused it, or what the refusal names."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import orjson
from jsonpointer import resolve_pointer

from contracts.envelope import named
from contracts.model.definitions import Contract, Definitions
from operators.frames import is_event
from operators.view.quarantine import Quarantined
from schemalogic.lines import line_at
from schemalogic.paths import parse_path
from schemalogic.validation import compile_schema
from skep.answers.quarantine.causes import without_value
from skep.answers.quarantine.framed import parts

Path = tuple[str | int, ...]

FAULTS_MAX = 20
PARSED_MAX = 2_000_000
"""Bytes of a record that is looked into."""
_PLACES = {"too_late": ("timestamp",), "future": ("timestamp",), "conflict": ("messageId",)}
_AROUND = 60
"""Characters that are shown before and behind the place where a text stops being JSON."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where in the record, in which words, and by which line of which file (``""``: by none)."""

    path: Path
    message: str
    where: str = ""


def faults(row: Quarantined, readings: Iterable[Definitions], *, formats: bool) -> list[Fault]:
    """What is wrong with a record, as far as that is known.

    ``readings`` are definitions in which its contract may be, those to try first first.
    """
    if row.reason == "edited" or len(row.raw) > PARSED_MAX:
        return []
    if row.contract and row.reason == "invalid":
        for definitions in readings:
            contract = contract_of(definitions, row.contract)
            found = [] if contract is None else _by_contract(row.raw, contract, definitions, formats)
            if found:
                return found
    return [Fault(_PLACES.get(row.reason) or _named(row.detail), row.detail)]


def contract_of(definitions: Definitions, name: str) -> Contract | None:
    """The version with a name such as ``order_completed/1-0-0``."""
    event = name.partition("/")[0]
    return next((one for one in definitions.contracts.get(event, ()) if one.name == name), None)


def _by_contract(raw: bytes, contract: Contract, definitions: Definitions, formats: bool) -> list[Fault]:
    body = orjson.loads(parts(raw)[1])
    place, judged = _judged(body) if is_event(body) else ("", body)
    found: list[Fault] = []
    for error in compile_schema(contract.schema, definitions.types, formats=formats).errors(judged):
        file = _file_of(error.evaluation_path, contract, definitions)
        text = definitions.files.get(file)
        where = f"contracts/{file}:{line_at(text, error.schema_path)}" if text else f"contracts/{file}"
        path = (*([place] if place else ()), *error.instance_path)
        unexpected = getattr(error.kind, "unexpected", None)
        if unexpected:
            found += [Fault((*path, name), "a property that is not allowed", where) for name in unexpected]
        else:
            message = error.message if error.schema_path[-1:] == ["required"] else without_value(error.message).removeprefix("… ")
            found.append(Fault(path, message, where))
        if len(found) >= FAULTS_MAX:
            break
    return found[:FAULTS_MAX]


def _judged(body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the contract of an event judges: the name of the part, and its content."""
    _, place, properties, traits = named(body, body["type"])
    return place, properties if place == "properties" else traits


def _file_of(steps: Iterable[str | int], contract: Contract, definitions: Definitions) -> str:
    """The file in which the keyword at the end of an evaluation's way stands: a shared type's, if the last reference leads there."""
    file, root = contract.file, contract.schema
    node: Any = root
    for step in steps:
        if step == "$ref" and isinstance(node, dict):
            base, _, pointer = str(node.get("$ref")).partition("#")
            if base:
                name = PurePosixPath(base).stem
                file, root = f"types/{name}.json", definitions.types.get(name, {})
            node = resolve_pointer(root, pointer, None) if not pointer or pointer.startswith("/") else None
        elif isinstance(node, list):
            node = node[step] if isinstance(step, int) and step < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return file


def _named(detail: str) -> Path:
    """The place that a refusal begins with; the whole record if it names none."""
    with suppress(ValueError):
        return tuple(step for step in parse_path(detail.partition(":")[0]) if step is not None)
    return ()


def broken_text(raw: bytes) -> tuple[str, int, str] | None:
    """Of bytes that are no JSON: the text around the place where they stop being that, its column in it, and why."""
    raw = parts(raw)[1]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[max(0, error.start - _AROUND) : error.start].decode("utf-8", "backslashreplace")
        behind = raw[error.start : error.start + _AROUND].decode("utf-8", "backslashreplace")
        return _one_line(before) + _one_line(behind), len(_one_line(before)), f"not UTF-8: {error.reason}"
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        before, behind = text[max(0, error.pos - _AROUND) : error.pos], text[error.pos : error.pos + _AROUND]
        return _one_line(before) + _one_line(behind), len(_one_line(before)), error.msg
    return None


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
