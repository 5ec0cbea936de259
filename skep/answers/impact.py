"""`skep contracts impact`: what a change of a contract touches, and how many profiles that are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

import contracts
from contracts import ContractErrors, Problem
from contracts.language.measures import TRAITS
from contracts.model.definitions import Definitions
from contracts.model.uses import Use
from contracts.model.versions import VERSION, newest, version_text
from contracts.reading.lineage import used_by
from contracts.text.names import event_name
from contracts.text.schema_files import read_schema
from contracts.versions.changes import NARROWER, Change, changes
from schemalogic.document import Document
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from state.snapshot.publish import sql

_DRAFT = re.compile(r'("status"\s*:\s*)"draft"')
_SHOWN = """coalesce(CAST(traits -> ('$."' || replace($name, '"', '\\"') || '"') AS VARCHAR), 'null')"""
_PROFILES = {
    "segment": "SELECT space, profile_id FROM memberships WHERE segment = $name AND exited_at IS NULL",
    "trait": f"SELECT space, profile_id FROM profiles WHERE {_SHOWN} <> 'null'",
    "account trait": f"""SELECT m.space, m.profile_id FROM account_members m
        JOIN (SELECT space, account_id FROM accounts WHERE {_SHOWN} <> 'null') a ON a.space = m.space AND a.account_id = m.account_id
        WHERE m.until IS NULL""",
    "total": f"SELECT space, profile_id FROM profiles WHERE {_SHOWN} NOT IN ('null', '0')",
    "namespace": "SELECT space, profile_id FROM identifiers WHERE namespace = $name",
    "event": """SELECT a.space, a.profile_id FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
        WHERE coalesce(e.event, e.type) = $name""",
}
"""Whose a thing is, by its kind, a profile as often as it has it. A ``total``, a count or a sum, that is 0 touches nobody."""


class Touched(msgspec.Struct, frozen=True):
    """A trait (also of accounts), segment, destination or namespace that rests on what changes. ``through``: the properties; empty is the
    event itself.

    ``profiles``: in the segment, with the trait or identifier, at an account with the trait, or told of; None without a snapshot.
    """

    kind: str
    name: str
    through: tuple[str, ...]
    file: str
    line: int
    profiles: int | None


class Impact(msgspec.Struct, frozen=True):
    """What changes, what it touches, and what `skep check` would say with the new version in place."""

    event: str
    profiles: int | None
    """With such an event."""
    snapshot: str | None
    changes: list[Change]
    touched: list[Touched]
    problems: list[str]


def impact(settings: Settings, old: Path, new: Path, event: str | None = None) -> Impact:
    """What it means to put ``new`` in the place of ``old``. Raises `CommandError` and `ContractErrors`."""
    name = _event(old, new, event)
    texts = {path: _text(path) for path in (old, new)}
    files = contracts.read_files(settings.root / "contracts", unknown_events_ok=settings.unknown_events == "accept")
    definitions, before = _loaded(settings, files, f"events/{name}/{new.name}")
    place = f"events/{name}/{new.name if VERSION.fullmatch(new.stem) else _next(definitions, name)}"
    documents = [_document(path, texts[path], definitions) for path in (old, new)]
    found = changes(documents[0], documents[1])
    target = snapshot_path(settings)
    counted = _Counter(target if target.exists() else None)
    after = _problems(settings, {**before, place: _DRAFT.sub(r'\1"live"', texts[new])})
    touched = _touched(definitions, name, found, counted)
    snapshot = None if counted.target is None else str(counted.target)
    return Impact(name, counted.of([("event", name)]), snapshot, found, touched, [str(one) for one in after])


def _event(old: Path, new: Path, event: str | None) -> str:
    if event is not None:
        return event_name(event)
    for path in (old, new):
        folder = path.absolute().parent
        if folder.parent.name == "events":
            return folder.name
    raise CommandError(f"expected files below contracts/events/<event>/, found {old} and {new} → say which event it is with --event")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: expected a JSON Schema in UTF-8, found: {error}") from None


def _document(path: Path, text: str, definitions: Definitions) -> Document:
    problems: list[Problem] = []
    schema = read_schema(str(path), text, problems)
    if schema is None:
        raise CommandError("\n".join(str(one).removeprefix("contracts/") for one in problems))
    return Document(str(path), schema, definitions.types, {**definitions.files, str(path): text})


def _loaded(settings: Settings, files: dict[str, str], new: str) -> tuple[Definitions, dict[str, str]]:
    """The project and its files; without the new version if it is there already and the project is not good with it."""
    accept = settings.unknown_events == "accept"
    try:
        return contracts.load(files, unknown_events_ok=accept), files
    except ContractErrors:
        if new not in files:
            raise
        without = {path: text for path, text in files.items() if path != new}
        return contracts.load(without, unknown_events_ok=accept), without


def _problems(settings: Settings, files: dict[str, str]) -> list[Problem]:
    try:
        contracts.load(files, unknown_events_ok=settings.unknown_events == "accept")
    except ContractErrors as error:
        return error.problems
    return []


def _next(definitions: Definitions, event: str) -> str:
    """The file of the next model."""
    versions = definitions.contracts.get(event, ())
    return f"{version_text((newest(versions).version[0] + 1, 0, 0) if versions else (1, 0, 0))}.json"


def _touched(definitions: Definitions, event: str, found: Iterable[Change], counted: _Counter) -> list[Touched]:
    """What rests on a property that changes, and, if fewer events may be accepted, on the event."""
    found = list(found)
    uses: dict[tuple[str, str], list[tuple[str, Use]]] = {}
    for change in found:
        if change.what != "added":
            for use in used_by(definitions, event, change.path):
                uses.setdefault((use.kind, use.name), []).append((change.path, use))
    if any(change.what in NARROWER for change in found):
        for use in used_by(definitions, event):
            uses.setdefault((use.kind, use.name), []).append(("", use))
    return [
        Touched(
            kind, name, tuple(dict.fromkeys(path for path, _ in reasons if path)), reasons[0][1].file, reasons[0][1].line,
            counted.of(_sources(definitions, kind, name, uses)),
        )
        for (kind, name), reasons in sorted(uses.items(), key=lambda one: (_ORDER.index(one[0][0]), one[0][1]))
    ]  # fmt: skip


_ORDER = ("trait", "account trait", "segment", "destination", "namespace")


def _sources(definitions: Definitions, kind: str, name: str, touched: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Whose profiles are counted: of a destination those of the touched segments and traits that it is told of."""
    if kind != "destination":
        return [(_counted(definitions, kind, name), name)]
    told = {(use.of, use.path) for use in definitions.uses if (use.kind, use.name) == (kind, name)}
    return [(_counted(definitions, *one), one[1]) for one in touched if one in told]


def _counted(definitions: Definitions, kind: str, name: str) -> str:
    """The key of `_PROFILES`."""
    total = kind == "trait" and any(
        trait.name == name and trait.kind in TRAITS and TRAITS[trait.kind].of_nothing == 0 for trait in definitions.traits
    )
    return "total" if total else kind


class _Counter:
    """Counts profiles in the snapshot, if there is one."""

    def __init__(self, target: Path | None) -> None:
        self.target = target

    def of(self, sources: list[tuple[str, str]]) -> int | None:
        """The different profiles of all the sources, ``(kind, name)``."""
        if self.target is None:
            return None
        if not sources:
            return 0
        queries = [_PROFILES[kind].replace("$name", f"$name_{at}") for at, (kind, _) in enumerate(sources)]
        query = f"SELECT count(DISTINCT (space, profile_id)) FROM ({' UNION ALL '.join(f'({one})' for one in queries)})"
        return int(sql(self.target, query, {f"name_{at}": name for at, (_, name) in enumerate(sources)})[1][0][0])
