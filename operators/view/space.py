"""A space as last committed: its counters, its change log, its dump, and the readers of everything else by noun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from contracts.model.partitions import file_of
from contracts.text.times import iso, iso_or_none
from operators.people import rebuilds
from operators.people.rebuilds import Rebuilds
from operators.quality.scores import source_of
from operators.view.accounts import AccountReader
from operators.view.dump import dump
from operators.view.events import EventReader
from operators.view.history import HistoryReader
from operators.view.identity import IdentityReader
from operators.view.profiles import ProfileReader
from operators.view.quality import QualityReader
from operators.view.quarantine import QuarantineReader
from operators.view.rows import Rows, SpaceRows
from state.keys import MARKS, MARKS_END, sequence_key, sequence_of
from state.shard import SecondaryShard


class View(SpaceRows):
    """A space as last committed. ``load`` gives the definitions of a digest."""

    def __init__(self, rows: Rows, space: str, hasher: Hasher, load: Callable[[str], Definitions]) -> None:
        super().__init__(rows, space, hasher, load)
        self.profiles = ProfileReader(self)
        self.accounts = AccountReader(self)
        self.identity = IdentityReader(self)
        self.history = HistoryReader(self)
        self.quarantine = QuarantineReader(self)
        self.events = EventReader(self)
        self.quality = QualityReader(self)

    @classmethod
    def open(cls, path: Path, space: str, hasher: Hasher, load: Callable[[str], Definitions]) -> View:
        """Open beside whoever writes. Raises NoState if nothing has run here yet."""
        return cls(SecondaryShard(path), space, hasher, load)

    def refresh(self) -> None:
        """See what has been committed since."""
        if isinstance(self.rows, SecondaryShard):
            self.rows.refresh()

    def close(self) -> None:
        if isinstance(self.rows, SecondaryShard):
            self.rows.close()

    def cost(self) -> Rebuilds:
        """What rebuilds of people have cost."""
        row = self.rows.row("meta", rebuilds.KEY)
        return rebuilds.decode(row) if row is not None else Rebuilds()

    def status(self) -> dict[str, Any]:
        """Counters, clock, partitions, segment sizes, quarantine by reason."""
        meta, cost = self.meta, self.cost()
        names = [segment.name for segment in self.program.segments] if meta.digest else []
        stopped = {one.source for one in meta.broken.values() if one.stops}
        return {
            "space": self.space,
            "received": meta.received,
            "applied": meta.events,
            "duplicate": meta.duplicate,
            "conflict": meta.conflict,
            "quarantined": sum(meta.quarantine.values()) - meta.conflict,
            "dropped": meta.dropped,
            "unidentified": meta.unidentified,
            "clock": iso_or_none(meta.clock),
            "partitions": {
                name: {
                    "position": position,
                    "clock": iso_or_none(meta.clocks.get(name)),
                    "finished": name in meta.finished or name != meta.partition(file_of(name)),
                    "stopped": source_of(name) in stopped,
                }
                for name, position in sorted(meta.applied.items())
            },
            "people": meta.people,
            "segments": {name: meta.sizes.get(name, 0) for name in names},
            "quarantine": dict(sorted(meta.quarantine.items())),
            "late": [
                {"source": source, "too_late": count, "received": meta.sources.get(source, 0)}
                for source, count in sorted(meta.late.items())
            ],
            "merges": meta.merges,
            "splits": meta.splits,
            "changes": meta.changes,
            "definitions": meta.digest,
            "remembered": meta.remembered,
            "large_blocks": meta.large_blocks,
            "uncorrected": meta.uncorrected,
            "denials": meta.denials,
            "rebuilds": {"rebuilds": cost.rebuilds, "identifiers": cost.identifiers, "seconds": cost.busy_us / 1e6},
            "unread_consents": [
                {"purpose": purpose, "source": source, "decisions": count}
                for purpose, counts in sorted(meta.unread.items())
                for source, count in sorted(counts.items())
            ],
            "broken": [{**one.told(one.value), "since": iso(one.since_us), "stops": one.stops} for one in meta.broken.values()],
            "stopped": sorted(stopped),
        }

    def dump(self, at_us: int | None = None) -> Iterator[bytes]:
        """Canonical JSON lines, sorted: everything that converges, and nothing else."""
        return iter(sorted(dump(self, self.at(at_us))))

    def marks(self) -> dict[str, bytes]:
        """What was read of the file of each partition, of those that are marked."""
        return {key[len(MARKS) :].decode(): row for key, row in self.rows.rows("meta", MARKS, MARKS_END)}

    def changes(self, since: int = 0) -> Iterator[tuple[int, bytes]]:
        """Change events behind a sequence number, as JSON."""
        for key, row in self.rows.rows("changes", sequence_key(since + 1)):
            yield sequence_of(key), row

    def answer(self, message_id: str) -> dict[str, Any] | None:
        """What came of a control entry."""
        row = self.rows.row("answers", message_id.encode())
        return None if row is None else orjson.loads(row)
