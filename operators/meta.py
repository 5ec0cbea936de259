"""The one row that says where a space stands: positions, clocks, counters, definitions in force."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from contracts.model.definitions import Segment
from contracts.model.partitions import generation
from operators.quality.broken import Broken

KEY = b"state"


class Underway(msgspec.Struct):
    """Definitions on their way: everybody is brought along, by key, up to ``cursor``. Until they are in force (``switched``) that means
    that what the features that are new come to is computed; from then on, that people are evaluated and told of.

    ``entry`` is the id of the control entry that waits for the answer, ``because`` what differs, ``clock`` what is told before the space's
    own runs, ``time`` the entry's own. ``people`` have been evaluated, ``events`` read. ``anew``: everybody is made anew of the moments,
    beside those who are there; ``stage`` is what is read for it (`operators/people/anew.py`), 0 before it has begun, and ``within`` who is
    told of once they are in force (`operators/people/told_anew.py`).
    """

    before: str
    after: str
    entry: str
    because: list[str]
    clock: int
    switched: bool = False
    cursor: bytes = b""
    people: int = 0
    events: int = 0
    time: int | None = None
    anew: bool = False
    within: int = 0
    stage: int = 0


class Meta(msgspec.Struct):
    """Counters are totals since the first run; ``epochs`` are the definitions that have been in force, oldest first,
    each with the first position of each partition that it judges."""

    applied: dict[str, int] = {}
    clocks: dict[str, int] = {}
    finished: list[str] = []
    clock: int | None = None
    received: int = 0
    events: int = 0
    duplicate: int = 0
    conflict: int = 0
    unidentified: int = 0
    quarantine: dict[str, int] = {}
    people: int = 0
    merges: int = 0
    splits: int = 0
    changes: int = 0
    turns: int = 0
    """Rows of the history; the number of the last one."""
    quarantined: int = 0
    """Entries ever put into quarantine; the number of the next one."""
    dropped: int = 0
    """Entries that people have given up."""
    remembered: int = 0
    """Message ids that duplicates are found by."""
    sizes: dict[str, int] = {}
    """Members by segment."""
    epochs: list[tuple[str, dict[str, int]]] = []
    contracts: list[str] = []
    """Every contract that has accepted an event, with the sources of identify calls (`operators/origins.py`); moments name theirs by its
    index here."""
    large_blocks: int = 0
    """Blocks of records that are too large to be compared."""
    broken: dict[str, Broken] = {}
    """Expectations that do not hold, by expectation, source and event."""
    uncorrected: int = 0
    """Events whose own time stands, because their ``sentAt`` is not believed."""
    sources: dict[str, int] = {}
    """Records received by source."""
    late: dict[str, int] = {}
    """Records in quarantine as `too_late`, by source."""
    meaning: int = 0
    """By which meaning of what is stored people were computed last (`operators/people/meaning.py`)."""
    denials: int = 0
    """Denials of refused records that are kept."""
    unread: dict[str, dict[str, int]] = {}
    """Decisions about consent that could not be read and count as denials, by purpose and source."""
    generations: dict[str, int] = {}
    """How often a file has been begun, where that is more than once; by its first partition."""
    edition: int = 0
    """Of the numbers of features and segments by which rows of people are read; a row of an older one is brought along first."""
    lookups: list[tuple[str, dict[str, int]]] = []
    """The versions of lookups that have been in force, as ``epochs``, each as JSON: version by lookup."""
    looked: dict[str, list[int]] = {}
    """By lookup: events for which it found something, for which it found nothing, and for which it had no data."""
    change: Underway | None = None
    """Definitions on their way."""

    def partition(self, file: str) -> str:
        """The partition in which a file is read now."""
        return generation(file, self.generations.get(file, 1))

    def count_refusal(self, reason: str, by: int, source: str) -> None:
        """One more, or one less, of a source in quarantine for a reason."""
        if reason == "conflict":
            self.conflict += by
        if reason == "too_late":
            _count(self.late, source, by)
        _count(self.quarantine, reason, by)

    def keep_sizes(self, segments: Iterable[Segment]) -> None:
        """Let go of the sizes of other segments than these, and of those in which nobody is."""
        names = {segment.name for segment in segments}
        self.sizes = {name: size for name, size in self.sizes.items() if name in names and size}

    @property
    def digest(self) -> str:
        """Of the definitions by which people are told of: those that judge, unless these are on their way yet."""
        if self.change is not None:
            return self.change.after if self.change.switched else self.change.before
        return self.epochs[-1][0] if self.epochs else ""


def _count(counts: dict[str, int], name: str, by: int) -> None:
    """Add to one of several counts, of which none is kept that is 0."""
    counts[name] = counts.get(name, 0) + by
    if not counts[name]:
        del counts[name]


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Meta).decode
