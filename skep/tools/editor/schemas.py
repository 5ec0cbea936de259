"""`skep schemas`: JSON Schemas of the YAML files that people edit, and the line in a file that names its schema."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from contracts import ContractErrors
from contracts.model.definitions import Definitions
from contracts.text.keys import Schema
from skep.project import settings
from skep.project.keys import SETTINGS
from skep.tools.editor.events import offers
from skep.tools.editor.files import FILES, FOLDERS, contract_schemas
from skep.tools.editor.names import Names

PLACE = PurePosixPath(".skep/schemas")
"""Where a project keeps its schemas; hidden, so that it is no contract."""
DRAFT = "http://json-schema.org/draft-07/schema#"
_MODELINE = "# yaml-language-server: $schema="


def schemas(definitions: Definitions | None = None, *, unknown_events_ok: bool = False) -> dict[str, Schema]:
    """Each schema by name; with definitions it knows the names that the project's files may use.

    ``unknown_events_ok``: these may be of events that have no contract.
    """
    names = replace(names_of(definitions), unknown_events_ok=unknown_events_ok) if definitions else Names()
    made = {"skep": SETTINGS.schema({"mappings": names.mappings}), **contract_schemas(names)}
    return {name: {"$schema": DRAFT, "title": _places()[name], **schema} for name, schema in made.items()}


def names_of(definitions: Definitions) -> Names:
    """What the project's files may name."""
    contracts = definitions.contracts
    properties = [name for versions in contracts.values() for one in versions for name in _declared(one.schema)]
    identify = contracts["identify"][-1].schema if "identify" in contracts else {}
    return Names(
        events=tuple(contracts),
        offers=offers(definitions),
        properties=_once(properties),
        traits=_once([*(trait.name for trait in definitions.traits), *_declared(identify)]),
        segments=_once(segment.name for segment in definitions.segments),
        purposes=tuple(purpose.name for purpose in definitions.purposes),
        namespaces=tuple(namespace.name for namespace in definitions.identity.namespaces),
        lists=_once(definitions.lists),
        destinations=_once(destination.name for destination in definitions.destinations),
        mappings=_once(definitions.mappings),
    )


def _declared(schema: Any) -> Iterable[str]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else ()


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def write(folder: Path, found: Mapping[str, Schema]) -> list[Path]:
    """Write ``<name>.json`` for each schema; returns the files that changed."""
    changed = []
    for name, schema in found.items():
        path, text_ = folder / f"{name}.json", schema_text(schema)
        if not path.exists() or path.read_text(encoding="utf-8") != text_:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text_, encoding="utf-8")
            changed.append(path)
    return changed


def write_all(found: settings.Settings, folder: Path | None = None) -> list[dict[str, str]]:
    """Write the schemas of a project, into ``folder`` or the project's own place: what each is of, and the line that names it.

    Contracts with problems give schemas that know no names.
    """
    try:
        known = schemas(settings.load_definitions(found), unknown_events_ok=found.unknown_events == "accept")
    except ContractErrors:
        known = schemas()
    target = (folder or found.root / PLACE).absolute()
    write(target, known)
    rows = []
    for name, place in _places().items():
        path = os.path.relpath(target / f"{name}.json", (found.root / place).parent)
        rows.append({"schema": str(target / f"{name}.json"), "files": place, "line": f"{_MODELINE}{path}"})
    return rows


def schema_text(schema: Schema) -> str:
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False) + "\n"


def refresh(found: settings.Settings, definitions: Definitions) -> None:
    """Bring the project's schemas up to date, if it keeps any."""
    if (found.root / PLACE).is_dir():
        write(found.root / PLACE, schemas(definitions, unknown_events_ok=found.unknown_events == "accept"))


def schema_name(file: PurePosixPath) -> str | None:
    """The schema of a file of the project (a path from its folder); None if it has none."""
    return next(
        (name for name, place in _places().items() if file.match(place) and len(file.parts) == len(PurePosixPath(place).parts)), None
    )


def _places() -> dict[str, str]:
    """Which files each schema is of, from the project folder."""
    singles = {name: f"contracts/{file}" for name, file in FILES.items()}
    return {"skep": settings.FILE, **singles, **{name: f"contracts/{folder}/*.yaml" for name, folder in FOLDERS.items()}}


def modeline(file: PurePosixPath) -> str:
    """The first line of a YAML file of the project, by which editors find its schema; empty if it has none."""
    name = schema_name(file)
    return f"{_MODELINE}{os.path.relpath(PLACE / f'{name}.json', file.parent)}\n" if name else ""


def with_modeline(file: PurePosixPath, text_: str) -> str:
    """The text of a file of the project, its schema named in the first line."""
    return text_ if text_.startswith(_MODELINE) else modeline(file) + text_
