"""The rows of the shard as typed records; msgpack arrays, so that a field costs no name.

Records refer to identifiers by their 16-byte hash. Times are µs.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from state.keys import moment_key, moment_parts, time_of

Exact = msgspec.msgpack.Ext
"""A number whose digits neither 64 bits nor a double keep: its decimal text, under the code `EXACT`."""
EXACT = 1

Moment = tuple[int, str]
"""``(time, message id)``: the order of everything that happens to a person."""


RUNS = 32
"""Identifications by turns in one session of a device that its row holds."""
PERSONS = 8
"""Persons identified on a device that its row holds; the others have rows of their own."""
ALONE, SEVERAL = -2, -1
"""Instead of the one namespace of all that an identifier was seen with: there is none, there are several."""


class Run(msgspec.Struct, array_like=True, gc=False):
    """Identifications of one person in a row, within one session of a device."""

    person: bytes
    first: tuple[int, str]
    last: tuple[int, str]


class Device(msgspec.Struct, array_like=True, gc=False):
    """What attribution has to know of a device while events come in order.

    ``start``..``end`` is its latest session, ``runs`` the last `RUNS` of the identifications in it, ``cut``: there were more;
    ``anonymous``: it holds an anonymous event. ``persons`` are the `PERSONS` who were identified last, each with the last
    time, ``identified`` is how many ever were; ``login`` is the first identification ever. ``own``/``nobody``: some event is
    owned by the device itself / by nobody; ``decided``: some consent decision hangs on it.
    """

    start: int
    end: int
    runs: list[Run]
    anonymous: bool
    persons: dict[bytes, tuple[int, str]]
    login: int | None
    own: bool
    nobody: bool
    decided: bool = False
    identified: int = 0
    cut: bool = False


def empty_device(time: int) -> Device:
    """A device that is seen for the first time."""
    return Device(time, time, [], anonymous=False, persons={}, login=None, own=False, nobody=False)


class Identifier(msgspec.Struct, array_like=True, gc=False):
    """An identifier in its cluster: position of its namespace, value, hash, first and last seen.

    ``refused``: how many links with an end here do not stand; ``loose``: how many of them might if clusters were smaller.
    ``rivals``: the one namespace of all identifiers that it was seen with, `ALONE` or `SEVERAL` if there is no such.
    ``anchor``: some event hangs on this person's identifier, or a refused record's denial on any.

    With probabilistic rules, what its own events say: ``traits`` are those that are compared, each as ``[time, message id,
    value]``, the newest; ``seen`` are the windowed blocks, each with its sightings as ``[start, end]``, in order.
    """

    namespace: int
    value: str
    hash: bytes
    first: int
    last: int
    device: Device | None = None
    refused: int = 0
    loose: int = 0
    rivals: int = -2
    anchor: bool = False
    traits: dict[str, list[Any]] = {}
    seen: dict[bytes, list[list[int]]] = {}


class Link(msgspec.Struct, array_like=True, gc=False):
    """Evidence that two identifiers belong together; ``a`` is the higher in rank.

    ``void``: a manual unlink rules the pair, so that the link does not count (it still says that they met).
    ``message``: id of the first event or entry that says so, ``count``: how many do, ``rules``: the version of the identity
    rules under which it was made. ``weight``: the match weight in bits of a probabilistic link between two leads; None for others.
    """

    a: bytes
    b: bytes
    manual: bool
    first: int
    last: int
    void: bool = False
    message: str = ""
    count: int = 1
    rules: int = 0
    weight: float | None = None

    def again(self, time: int, message: str) -> None:
        """One more event says so."""
        self.count += 1
        if time > self.last:
            self.last = time
        elif (time, message) < (self.first, self.message):
            self.first, self.message = time, message

    def other(self, end: bytes) -> bytes:
        """The end that is not this one."""
        return self.b if self.a == end else self.a

    @property
    def key(self) -> bytes:
        """Both ends, and ``m`` of a manual link, ``p`` of a probabilistic one."""
        return self.a + self.b + (b"m" if self.manual else b"" if self.weight is None else b"p")

    @property
    def kind(self) -> str:
        return "manual" if self.manual else "deterministic" if self.weight is None else "probabilistic"


class Record(msgspec.Struct, array_like=True, gc=False):
    """What manual and deterministic links join, as probabilistic links see it; the key beside it is the hash of its lead.

    ``blocks`` are those in which the index has it. ``matches``: lead of another record → ``[weight in bits, time]`` of the link
    between the two, for every candidate of at least the probability ``review``, whether it stands or not.
    """

    blocks: list[bytes]
    matches: dict[bytes, list[Any]]


class Person(msgspec.Struct, array_like=True, gc=False, weakref=False):
    """A cluster and what is true of it; ``identifiers`` is empty for a device's events that belong to nobody.

    ``links`` are the accepted ones by their keys; others have rows of their own. ``cells`` holds the running value of each
    feature that has one, by its number, ``consents`` the newest decision by purpose and anchor. ``bits`` are the memberships,
    ``told`` what was last announced: consents by purpose, emitted traits, the confidence, and by account whether it is
    belonged to. ``armed``: when its timer is due.
    ``records``, if the rules have probabilistic links, by lead; ``confidence`` is the probability of the weakest link on the
    strongest way to the lead. ``aside``, where events of a device belong to nobody: start of its session, and the row as it was
    before that, empty if there was none.
    ``edition``: by which numbers of features and segments ``cells`` and ``bits`` are (`operators/segments/carried.py`).
    ``accounts`` are the calls that name an account, by its id (`operators/stays.py`).
    """

    key: bytes
    identifiers: list[Identifier]
    links: dict[bytes, Link]
    version: int = 0
    first: int | None = None
    last: int | None = None
    traits: dict[str, list[Any]] = {}
    cells: dict[int, Any] = {}
    consents: dict[str, dict[bytes, list[Any]]] = {}
    granted: dict[str, bool] = {}
    told: dict[str, Any] = {}
    bits: bytes = b""
    armed: int | None = None
    records: dict[bytes, Record] = {}
    confidence: float = 1.0
    aside: list[Any] | None = None
    edition: int = 0
    accounts: dict[str, list[list[Any]]] = {}

    @property
    def certainty(self) -> float:
        """``confidence`` to six decimals: as it is shown, told, and held against floors."""
        return round(self.confidence, 6)


class Stored(msgspec.Struct, array_like=True, gc=False):
    """One moment beside others: time, message hash, and the row that it is by itself."""

    time_us: int
    message: bytes
    row: bytes


encode = msgspec.msgpack.Encoder().encode
_decode_person = msgspec.msgpack.Decoder(Person).decode
decode_page = msgspec.msgpack.Decoder(list[Stored]).decode

SEEN_BESIDE, _SEEN_FIRST = 16, 24
"""Bytes of a row of ``seen``: of a moment beside another in one row this one's message hash, of the one by which the row lies time
and anchor, of a sealed event without identifiers the time and the key of its page."""
_CELLS = Person.__struct_fields__.index("cells")
WIDE = b"\xc1"
"""Begins the row of a profile whose traits lie beside it; then come the number of chunks (2 bytes) and the rest. No msgpack begins so."""
SELF = 0
NOBODY = 1
OWNED = 2
"""Who owns an anonymous moment: its device, nobody, or the person identifier whose hash follows."""


def place(first: bytes, seen: bytes) -> tuple[str, bytes]:
    """The family and the key under which a moment lies by its message hash and the row of ``seen``."""
    if len(seen) > _SEEN_FIRST:
        return "pages", seen[8:]
    return "moments", moment_key(seen[8:], time_of(seen[:8]), first)


def decode_person(row: bytes) -> Person:
    """A row of the family ``people``; of a wide profile without its traits, which `operators.apart` reads.

    Raises `msgspec.ValidationError` if it is none.
    """
    if row[:1] == WIDE:
        return _decode_person(row[len(WIDE) + 2 :])
    try:
        return _decode_person(row)
    except msgspec.ValidationError:
        return _decode_person(_with_sparse_cells(row))


def _with_sparse_cells(row: bytes) -> bytes:
    """A person whose row has a cell for every feature, nil of those without any event, as rows are written today."""
    person = msgspec.msgpack.decode(row)
    if type(person) is list and len(person) > _CELLS and type(person[_CELLS]) is list:
        person[_CELLS] = {at: cell for at, cell in enumerate(person[_CELLS]) if cell is not None}
    return encode(person)


def decode_moments(key: bytes, row: bytes) -> list[Stored]:
    """The moments in a row of the family ``moments``: one by itself, of which the first byte is the owner's code, or a page of several."""
    if row[0] > OWNED:
        return decode_page(row)
    _, time_us, message = moment_parts(key)
    return [Stored(time_us, message, row)]


def decode_stored(family: str, key: bytes, row: bytes) -> list[Stored]:
    """The moments in a row of the family ``moments`` or ``pages``."""
    return decode_page(row) if family == "pages" else decode_moments(key, row)


def shown(value: object) -> object:
    """A value of a row for JSON."""
    return orjson.Fragment(bytes(value.data)) if isinstance(value, Exact) else value
