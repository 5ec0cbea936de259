"""What is wrong with a record, place by place: every error of the contract that refused it, or what the refusal names."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from contracts.envelope import named
from contracts.model.definitions import Contract, Definitions
from operators.frames import is_event
from operators.view.quarantine import Quarantined
from schemalogic.document import Document, Place
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
    document = Document(contract.file, contract.schema, definitions.types)
    found: list[Fault] = []
    for error in compile_schema(contract.schema, definitions.types, formats=formats).errors(judged):
        file, stands = _stands(error.evaluation_path, document)
        text = definitions.files.get(file)
        where = f"contracts/{file}:{line_at(text, stands)}" if text else f"contracts/{file}"
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


def _stands(steps: Iterable[str | int], document: Document) -> tuple[str, tuple[str | int, ...]]:
    """The file in which the keyword at the end of an evaluation's way stands, maybe a shared type's, and the path in it."""
    place: Place = document.root
    way: tuple[str | int, ...] = ()
    for step in steps:
        here = place.inside(*way)
        targets = {} if here is None else dict(here.targets())
        place, way = (targets[str(step)][0], ()) if targets.get(str(step)) else (place, (*way, step))
    return place.file, (*place.path, *way)


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
