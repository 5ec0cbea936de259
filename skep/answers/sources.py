"""`skep sources`: the files and topics of each source, how far they have been read, and what to do with one that is not as it was."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from collections.abc import Mapping as Named
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.errors import SourceError
from connectors.sources import marks
from connectors.sources.files import discover
from connectors.sources.marks import Mark
from connectors.sources.source import SourceSpec, open_records
from contracts.model.definitions import Definitions, Mapping
from contracts.model.partitions import file_of
from contracts.text.problems import closest, listed
from contracts.text.times import parse_time
from operators.quality.scores import source_of
from operators.view.space import View
from skep.project.entries import Submitted, submit
from skep.project.errors import CommandError
from skep.project.in_force import in_force
from skep.project.log import logger
from skep.project.settings import Settings, SourceSettings
from skep.project.spaces import bundles, open_view, open_views

if TYPE_CHECKING:
    from connectors.sources.kafka.brokers import Ends, Inventory

_LISTED_MAX = 20
"""Files that an error names."""
_ANSWER_US = 5_000_000
"""How long a cluster is waited for."""
_COUNTED = 10_000
"""Records that are counted at once."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source, or one that was read and is gone (no ``path``); ``file`` is its first partition.

    Or a partition of a ``topic``: ``records`` is then the offset behind the last one that was read, ``lag`` how many are behind that, None
    where the cluster has not answered.
    """

    space: str
    source: str
    file: str
    partition: str
    path: Path | None
    records: int
    finished: bool
    mark: Mark | None
    topic: bool = False
    lag: int | None = None

    @property
    def state(self) -> str:
        """``new``, ``reading``, ``finished``, ``stopped`` or ``gone``."""
        if self.path is None and not self.topic:
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
            topic=self.topic,
            lag=self.lag,
        )


class FileRow(msgspec.Struct, frozen=True):
    """How far a file or a topic's partition is read; ``unfinished_bytes`` are those at the end of a file that are no whole record yet,
    ``skipped`` records; ``lag`` of a ``topic`` the offsets of a partition that are not read yet, null where that is not known."""

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
    topic: bool = False
    lag: int | None = None


def spec_of(source: SourceSettings, definitions: Definitions) -> SourceSpec:
    """What the reader is told of a source."""
    mapping = definitions.mappings.get(source.mapping) if source.mapping else None
    anew = source.changed == "reread"
    return SourceSpec(source.name, source.kind, Path(source.path), mapping, source.space, source.history, anew)


def files(settings: Settings, views: Named[str, View], seen: Named[str, Inventory] | None = None) -> list[SourceFile]:
    """The files of all sources, and those that were read and are gone, by source and name; ``seen`` is what clusters have, by source."""
    return [
        one
        for source in settings.sources
        if source.space in views
        for one in (_files(source, views[source.space]) if source.kafka is None else _topics(source, views[source.space], seen or {}))
    ]


def _topics(source: SourceSettings, view: View, seen: Named[str, Inventory]) -> list[SourceFile]:
    meta, known = view.meta, view.marks()
    there = {f"{source.name}/{topic}/{number}": ends for (topic, number), ends in _partitions(seen.get(source.name))}
    read = {file_of(partition) for partition in meta.applied if source_of(partition) == source.name and "/" in partition}
    found = []
    for file in sorted(there.keys() | read, key=_natural):
        partition = meta.partition(file)
        at, finished, mark = meta.applied.get(partition, 0), partition in meta.finished, marks.decode(known.get(partition))
        lag = max(0, there[file].end - max(at, there[file].start if mark is None else 0)) if file in there else None
        found.append(SourceFile(source.space, source.name, file, partition, None, at, finished, mark, topic=True, lag=lag))
    return found


def _partitions(seen: Inventory | None) -> Iterable[tuple[tuple[str, int], Ends]]:
    return () if seen is None else seen.partitions.items()


def _natural(file: str) -> tuple[str, int]:
    topic, _, number = file.rpartition("/")
    return topic, int(number)


def look(settings: Settings) -> tuple[dict[str, Inventory], dict[str, str]]:
    """What the clusters of sources have, and why others have not answered within some seconds, by source."""
    seen, faults = {}, {}
    for source in settings.sources:
        if source.kafka is None:
            continue
        from connectors.sources.kafka.brokers import Brokers  # noqa: PLC0415 - files are read without librdkafka

        try:
            seen[source.name] = Brokers(Path(f"source {source.name}"), replace(source.kafka, wait_us=_ANSWER_US)).wait()
        except SourceError as error:
            faults[source.name] = str(error)
    return seen, faults


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
    return [one for one in files(settings, views) if one.state != "gone" and is_faulty(one.mark)]


def lags(settings: Settings, views: Named[str, View]) -> dict[tuple[str, str], int]:
    """By space and partition: how many offsets of a topic's partition are not applied, where its cluster answers."""
    seen, _ = look(settings)
    found = files(settings, views, seen) if seen else []
    return {(one.space, one.partition): one.lag for one in found if one.lag is not None}


def report(settings: Settings, source: str | None) -> list[FileRow]:
    """The files and topics of one source, or of all."""
    if source is not None and source not in {one.name for one in settings.sources}:
        raise CommandError(_unknown(source, [one.name for one in settings.sources], "a source of skep.yaml"))
    seen, faults = look(settings)
    for why in faults.values():
        logger().warning("lag is not known", because=why)
    with open_views(settings) as views:
        return [one.row() for one in files(settings, views, seen) if source in {None, one.source}]


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
    if one.topic:
        raise CommandError(f"{one.partition}: expected a file, found a topic → `skep sources skip-to {one.partition} latest`")
    if one.path is None:
        raise CommandError(f"{one.partition}: expected the file whose content is to be skipped, found none → put it back first")
    mark = _counted(settings, one, one.path)
    stored = {"mark": b64encode(marks.encode(mark)).decode(), "records": mark.behind}
    return submit(settings, one.space, _entry(settings, one, "skip", why) | stored)


def skip_to(settings: Settings, name: str, to: str, why: str) -> Submitted:
    """Ask the flow to read a topic's partition on from an offset: one of its own, ``earliest``, ``latest`` or that of a time."""
    one = _find(settings, name)
    source = next(each for each in settings.sources if each.name == one.source)
    if source.kafka is None:
        raise CommandError(f"{one.partition}: expected a topic's partition, found a file → `skep sources skip {one.partition}`")
    begins = _offset(settings, source, one, to)
    stored = {"mark": b64encode(marks.encode(Mark(begins=begins))).decode(), "records": begins}
    return submit(settings, one.space, _entry(settings, one, "skip", why) | stored)


def _offset(settings: Settings, source: SourceSettings, one: SourceFile, to: str) -> int:
    """The offset that is meant, which must be there."""
    assert source.kafka is not None, "asked only of a topic"
    time_us = parse_time(to) if not to.isdecimal() else None
    if not (to.isdecimal() or to in {"earliest", "latest"} or time_us is not None):
        raise CommandError(f"expected an offset, earliest, latest or a time such as 2026-01-31T00:00:00Z, found {to}")
    start = to if to in {"earliest", "latest"} else time_us or "earliest"
    seen, faults = look(replace(settings, sources=(replace(source, kafka=replace(source.kafka, start=start)),)))
    if faults:
        raise CommandError(faults[source.name])
    topic, _, number = one.file.removeprefix(f"{source.name}/").rpartition("/")
    ends = seen[source.name].partitions.get((topic, int(number)))
    if ends is None:
        raise CommandError(f"{one.partition}: expected a partition that is there, found none")
    begins = int(to) if to.isdecimal() else ends.start
    if not ends.first <= begins <= ends.end:
        raise CommandError(f"{one.partition}: expected an offset from {ends.first} to {ends.end}, found {begins}")
    return begins


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
