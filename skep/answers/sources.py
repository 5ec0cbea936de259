"""`skep sources`: the files of each source, how far they have been read, and what to do with one that has other content than before."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping as Named
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connectors.errors import SourceError
from connectors.sources import marks
from connectors.sources.files import discover
from connectors.sources.marks import Mark
from connectors.sources.source import SourceSpec, open_records
from contracts.model.definitions import Definitions, Mapping
from contracts.model.partitions import file_of
from contracts.text.problems import closest, listed
from operators.quality.scores import source_of
from operators.view.space import View
from skep.project.entries import Submitted, submit
from skep.project.errors import CommandError
from skep.project.in_force import in_force
from skep.project.settings import Settings, SourceSettings
from skep.project.spaces import bundles, open_view, open_views

_LISTED_MAX = 20
"""Files that an error names."""
_COUNTED = 10_000
"""Records that are counted at once."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source, or one that was read and is gone (no ``path``); ``file`` is its first partition."""

    space: str
    source: str
    file: str
    partition: str
    path: Path | None
    records: int
    finished: bool
    mark: Mark | None

    @property
    def state(self) -> str:
        """``new``, ``reading``, ``finished``, ``stopped`` or ``gone``."""
        if self.path is None:
            return "gone"
        if self.mark is not None and self.mark.stopped:
            return "stopped"
        if self.finished:
            return "finished"
        return "reading" if self.records else "new"

    def row(self) -> FileRow:
        """For programs."""
        mark = self.mark or Mark()
        return FileRow(
            space=self.space,
            source=self.source,
            partition=self.partition,
            file=None if self.path is None else str(self.path),
            records=self.records,
            skipped=mark.behind,
            state=self.state,
            reason=mark.stopped or None,
            changed=mark.changed,
            unfinished_bytes=mark.waiting,
        )


class FileRow(msgspec.Struct, frozen=True):
    """How far a file is read; ``unfinished_bytes`` are those at its end that are no whole record yet, ``skipped`` records."""

    space: str
    source: str
    partition: str
    file: str | None
    records: int
    skipped: int
    state: str
    reason: str | None
    changed: bool
    unfinished_bytes: int


def spec_of(source: SourceSettings, definitions: Definitions) -> SourceSpec:
    """What the reader is told of a source."""
    mapping = definitions.mappings.get(source.mapping) if source.mapping else None
    anew = source.changed == "reread"
    return SourceSpec(source.name, source.kind, Path(source.path), mapping, source.space, source.history, anew)


def files(settings: Settings, views: Named[str, View]) -> list[SourceFile]:
    """The files of all sources, and those that were read and are gone, by source and name."""
    return [one for source in settings.sources if source.space in views for one in _files(source, views[source.space])]


def _files(source: SourceSettings, view: View) -> list[SourceFile]:
    meta, known = view.meta, view.marks()
    paths = {f"{source.name}/{name}": path for name, path in discover(Path(source.path), follow=True).items()}
    read = {file_of(partition) for partition in meta.applied if source_of(partition) == source.name and "/" in partition}
    found = []
    for file in sorted(paths.keys() | read):
        partition = meta.partition(file)
        records, finished, mark = meta.applied.get(partition, 0), partition in meta.finished, marks.decode(known.get(partition))
        found.append(SourceFile(source.space, source.name, file, partition, paths.get(file), records, finished, mark))
    return found


def faulty(settings: Settings, views: Named[str, View]) -> list[SourceFile]:
    """Files that are read no further, or that end in the middle of a record."""

    def is_faulty(mark: Mark | None) -> bool:
        return mark is not None and bool(mark.stopped or mark.waiting)

    if not any(is_faulty(marks.decode(stored)) for view in views.values() for stored in view.marks().values()):
        return []
    return [one for one in files(settings, views) if one.path is not None and is_faulty(one.mark)]


def report(settings: Settings, source: str | None) -> list[FileRow]:
    """The files of one source, or of all."""
    if source is not None and source not in {one.name for one in settings.sources}:
        raise CommandError(_unknown(source, [one.name for one in settings.sources], "a source of skep.yaml"))
    with open_views(settings) as views:
        return [one.row() for one in files(settings, views) if source in {None, one.source}]


def reread(settings: Settings, name: str, why: str) -> Submitted:
    """Ask the flow, now or when it runs next, to read all of a file anew."""
    one = _find(settings, name)
    fault = refusal(settings, one)
    if fault:
        raise CommandError(f"refused: {fault}")
    return submit(settings, one.space, _entry(settings, one, "reread", why))


def skip(settings: Settings, name: str, why: str) -> Submitted:
    """Ask the flow to take what is in a file now as read."""
    one = _find(settings, name)
    if one.path is None:
        raise CommandError(f"{one.partition}: expected the file whose content is to be skipped, found none → put it back first")
    mark = _counted(settings, one, one.path)
    stored = {"mark": b64encode(marks.encode(mark)).decode(), "records": mark.behind}
    return submit(settings, one.space, _entry(settings, one, "skip", why) | stored)


def _entry(settings: Settings, one: SourceFile, kind: str, why: str) -> dict[str, Any]:
    view = open_view(settings, one.space)
    number = view.meta.generations.get(one.file, 1) + 1
    view.close()
    return {"type": kind, "file": one.file, "generation": number, "why": why}


def _counted(settings: Settings, one: SourceFile, path: Path) -> Mark:
    """The mark of all that is in the file now."""
    source = next(each for each in settings.sources if each.name == one.source)
    count = 0
    try:
        records = open_records(spec_of(source, in_force(settings, one.space)), path, skip=0, follow=False)
        while records.peek() is not None:
            count += len(records.take(_COUNTED))
    except SourceError as error:
        raise CommandError(str(error)) from error
    return msgspec.structs.replace(records.mark(), behind=count, waiting=0)


def _find(settings: Settings, name: str) -> SourceFile:
    """The file that a partition names, or a source: its stopped one, or its only one."""
    with open_views(settings) as views:
        found = files(settings, views)
    named = [one for one in found if name in {one.partition, one.file}]
    of_source = [one for one in found if one.source == name]
    for some in (named, [one for one in of_source if one.state == "stopped"], of_source):
        if len(some) == 1:
            return some[0]
    if of_source:
        names = [one.file for one in of_source if one.state == "stopped"] or [one.file for one in of_source]
        few = f"name one of {listed(names)}" if len(names) <= _LISTED_MAX else f"name one; `skep sources --source {name}` lists them"
        raise CommandError(f"expected one file, found several of source {name} → {few}")
    raise CommandError(_unknown(name, [one.file for one in found], "a file that `skep sources` lists"))


def _unknown(name: str, known: list[str], what: str) -> str:
    few = f", one of {listed(known)}" if len(known) <= _LISTED_MAX else ""
    return f"expected {what}{few}, found {name} → {closest(name, known) or '`skep sources` lists them'}"


def refusal(settings: Settings, one: SourceFile) -> str:
    """Why a file cannot be read anew; empty if it can be.

    Rows that were read before there were marks have message ids of an older kind, unless the mapping makes them of columns that it names.
    """
    unmarked = one.records if one.mark is None else one.mark.unmarked
    source = next(each for each in settings.sources if each.name == one.source)
    if not unmarked or source.mapping is None:
        return ""
    view = open_view(settings, one.space)
    load = bundles(settings)
    once = [load(digest).mappings.get(source.mapping) for digest, _ in view.meta.epochs]
    view.close()
    if not any(map(_default_ids, once)):
        return ""
    return (
        f"{unmarked} rows of {one.partition} were read by an earlier version, which made their message ids otherwise: all of them would be "
        "counted twice. Read the file into a space of its own, or begin this one anew (skep run --fresh); "
        f"`message_id: {{columns: […]}}` in contracts/sources/{source.mapping}.yaml says then what a row's id is made of"
    )


def _default_ids(mapping: Mapping | None) -> bool:
    """Whether a mapping makes message ids of all columns."""
    if mapping is None:
        return False
    spec = mapping.spec
    return not (
        "messageId" in spec.get("columns", {}) or "messageId" in spec.get("constants", {}) or (spec.get("message_id") or {}).get("columns")
    )
