"""What Skep means, its first part: events, and the links between identifiers that events and people make."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any, NamedTuple

import orjson
import phonenumbers

from contracts.model import definitions as d
from contracts.model.batches import Event
from contracts.model.definitions import IdentityRules

Ident = tuple[int, str]
"""An identifier: index of its namespace, normalised value. Comparing two of them compares their rank."""
Moment = tuple[int, str]
"""Time and message id: the order of events everywhere."""
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive UTC: it also holds the years 1 and 9999)


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def sent(event: Event) -> dict[str, Any]:
    """What the sender wrote, without what lookups have put into the body; events made by a test may have no bytes."""
    said: dict[str, Any] = orjson.loads(event.raw) if event.raw else event.body
    return said


def content(event: Event) -> bytes:
    """What a repeat must equal: the decoded object without what a server rewrites, every number as the number that it writes."""
    kept = {k: v for k, v in sent(event).items() if k not in ("messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt")}
    if isinstance(kept.get("context"), dict):
        kept["context"] = {k: v for k, v in kept["context"].items() if k not in ("ip", "library")}
    kept = {k: v for k, v in kept.items() if k not in ("context", "properties", "traits") or v not in (None, {}, [])}
    return orjson.dumps(written(kept), option=orjson.OPT_SORT_KEYS)


EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def written(value: object) -> object:
    """The value with an object in the place of each number, and of each text that is one."""
    if isinstance(value, dict):
        return {k: written(v) for k, v in value.items()}
    if isinstance(value, list):
        return [written(v) for v in value]
    number = not isinstance(value, bool) and (isinstance(value, int | float) or (isinstance(value, str) and NUMBER.fullmatch(value)))
    # As a decimal, because 9e999999999 is a number too, and no text of its digits could be held.
    return {"number": str(EXACT.normalize(Decimal(str(value)) or Decimal()))} if number else value


def accepted(events: Iterable[Event]) -> list[Event]:
    """One event a message id: the first content stands, of its repeats the best, with the sources of all. By (time, id)."""
    standing: dict[str, Event] = {}
    came: dict[str, set[str]] = defaultdict(set)
    for event in events:
        first = standing.setdefault(event.message_id, event)
        if content(first) == content(event):
            standing[event.message_id] = min(first, event, key=goodness)
            came[event.message_id].update(event.sources)
    for message, sources in came.items():
        if sources != {*standing[message].sources}:
            standing[message] = handed_over_by(standing[message], sources)
    return sorted(standing.values(), key=moment)


def handed_over_by(event: Event, sources: Iterable[str]) -> Event:
    """The same event, from all of these sources."""
    said = ("position", "time_us", "message_id", "type", "name", "contract", "identifiers", "properties", "traits", "consents",
            "received_at_us", "body", "raw", "unread", "lookup", "group")  # fmt: skip
    return Event(*(getattr(event, each) for each in said), tuple(sorted(sources)))


def goodness(event: Event) -> tuple[bool, int, bytes, str, bytes, bytes]:
    """What a contract accepts before what none does, the smallest time, the smallest canonical bytes; the rest makes it one."""
    said = orjson.dumps(sent(event), option=orjson.OPT_SORT_KEYS)
    return event.contract == "", event.time_us, said, event.contract, event.raw, event.lookup


def moment(event: Event) -> Moment:
    return event.time_us, event.message_id


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────
class Link(NamedTuple):
    """Evidence that two identifiers are one person; ``a`` is the higher in rank. ``message``: the first that says so, of
    ``count`` messages. ``weight``: of a probabilistic link, in bits."""

    a: Ident
    b: Ident
    kind: str
    first_seen: int
    last_seen: int
    message: str = ""
    count: int = 1
    weight: float | None = None


UNSEEN = {chr(c) for c in (0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFEFF, 0xFFA0)} | {
    chr(c)
    for first, last in (
        (0x180B, 0x180F), (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFFF0, 0xFFFB),
        (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    )
    for c in range(first, last + 1)
}  # fmt: skip
EXAMPLES = r"\+447700900\d{3}|\+441632960\d{3}|\+1\d{3}55501\d\d"


JOINERS = "\u200c\u200d"
JOINED = [(0x600, 0x109F), (0x1780, 0x18AF), (0x2190, 0x2BFF), (0x11000, 0x11FFF), (0x1F000, 0x1FAFF)]


def seen(text: str) -> str:
    """What of a text people see: no control or invisible characters, ordinary blanks and none around it, composed. Joiners
    are seen between two characters that they join."""
    shown = [" " if c.isspace() else c for c in text if c.isspace() or (c not in UNSEEN and unicodedata.category(c) != "Cc")]
    joined = [False, *(any(first <= ord(c) <= last for first, last in JOINED) for c in shown), False]
    shown = [c for c, before, after in zip(shown, joined, joined[2:], strict=False) if c not in JOINERS or (before and after)]
    return unicodedata.normalize("NFC", "".join(shown)).strip()


def plain(text: str) -> str:
    """A text as blocked values are compared: without case, and without quotation marks and brackets around it."""
    return seen(unicodedata.normalize("NFKC", seen(text)).casefold()).strip(" \"'`´‘’“”„«»()[]{}<>")


def as_email(text: str) -> str:
    """Lower case of the compatibility form, again and again until nothing changes."""
    text = "".join(c for c in text if c not in JOINERS)
    once = "".join(seen(unicodedata.normalize("NFKC", seen(text)).lower()).split(" ")).replace("。", ".")
    return once if once == text else as_email(once)


def as_phone(text: str, region: str) -> str | None:
    """E.164 of a number that somebody can have, or that is kept for examples."""
    if re.match(r"^[^0-9]*[A-Za-z][0-9]", text) or re.search("[0-9][eE][-+]?[0-9]", text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    national = str(number.national_number)
    typed = [digit * (len(national) - 1) for digit in "0123456789"]
    if national[1:] in typed or national in ("1234567890"[: len(national)], "9876543210"[: len(national)]):
        return None
    written: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written if phonenumbers.is_valid_number(number) or re.fullmatch(EXAMPLES, written) else None


def normalise(rules: IdentityRules, namespace: d.Namespace, value: str) -> str | None:
    """The value as identifiers are compared; None if it is blocked or no such thing."""

    def kind(text: str) -> str | None:
        if namespace.normalize == "phone":
            return as_phone(seen(text), namespace.region)
        return as_email(text) if namespace.normalize == "email" else seen(text)

    normal = kind(value)
    if not normal:
        return None
    flags = re.IGNORECASE if namespace.normalize == "email" else 0
    for form in (value, seen(value), normal):
        if plain(form) in [plain(entry) for entry in rules.blocked_values]:
            return None
        if any(re.search(pattern, form, flags) for pattern in rules.blocked_patterns):
            return None
    return None if normal in [kind(entry) for entry in rules.blocked_values] else normal


def pair_of(rules: IdentityRules, entry: Mapping[str, Any]) -> tuple[Ident, Ident] | None:
    """The pair of a manual entry, higher rank first; None (the entry is void) for unknown, blocked or equal ends."""
    ends = [(entry[end]["namespace"], entry[end]["value"]) for end in ("a", "b")]
    found = {(i, normalise(rules, n, value)) for i, n in enumerate(rules.namespaces) for name, value in ends if name == n.name}
    pair = sorted((i, value) for i, value in found if value is not None)
    return (pair[0], pair[1]) if len(pair) == 2 else None


def manual_entries(rules: IdentityRules, control: Iterable[Mapping[str, Any]]) -> tuple[list[Link], set[tuple[Ident, Ident]]]:
    """The manual links in force, and the pairs that are unlinked: of the entries of one pair the last one rules."""
    last: dict[tuple[Ident, Ident], tuple[int, str, str]] = {}
    for entry in control:
        if entry["type"] in ("link", "unlink") and (pair := pair_of(rules, entry)):
            said = (instant(entry["timestamp"]), entry["messageId"], entry["type"])
            last[pair] = max(last.get(pair, said), said)
    links = [Link(*pair, "manual", time, time, message) for pair, (time, message, what) in last.items() if what == "link"]
    return links, {pair for pair, (_, _, what) in last.items() if what == "unlink"}


def instant(text: str) -> int:
    """µs of an ISO 8601 date-time; without an offset it is UTC."""
    value = datetime.fromisoformat(text)
    value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return (value - EPOCH) // timedelta(microseconds=1)


def event_links(events: Sequence[Event]) -> list[Link]:
    """The star of each event around its first identifier, summed up by pair."""
    said: dict[tuple[Ident, Ident], list[Moment]] = defaultdict(list)
    for event in events:
        for other in event.identifiers[1:]:
            said[event.identifiers[0], other].append(moment(event))
    return [Link(a, b, "deterministic", min(at)[0], max(at)[0], min(at)[1], len(at)) for (a, b), at in said.items()]


def link_order(rules: IdentityRules, link: Link) -> tuple[Any, ...]:
    """The order in which links are considered: manual, deterministic, then probabilistic ones, heavier first. The layer is
    the lower in priority of the two namespaces, that is the larger index; a smaller layer is a stronger one."""
    layer = max(link.a[0], link.b[0])
    time = (link.first_seen, layer) if rules.conflict == "oldest" else (layer, -link.last_seen)
    texts = [f"{rules.namespaces[i].name}:{value}" for i, value in (link.a, link.b)]
    return (("manual", "deterministic", "probabilistic").index(link.kind), -(link.weight or 0), *time, link.a[0] + link.b[0], *texts)


def within_link_limit(rules: IdentityRules, links: Sequence[Link]) -> list[Link]:
    """What is among the first `limits.links` of both its ends; those that a rule refuses later take a place too."""
    time = {link: link.first_seen if rules.conflict == "oldest" else -link.last_seen for link in links}
    preferred = sorted(links, key=lambda link: (time[link], link_order(rules, link)))

    def kept(end: Ident) -> list[Link]:
        return [link for link in preferred if end in (link.a, link.b)][: rules.limit_links]

    return [link for link in links if link in kept(link.a) and link in kept(link.b)]


# ── clusters ────────────────────────────────────────────────────────────────────────────────────────────────────────
class Identity(NamedTuple):
    """Who is who: each identifier's first and last time, the accepted links, each identifier's cluster."""

    seen: dict[Ident, tuple[int, int]]
    links: list[Link]
    cluster: dict[Ident, frozenset[Ident]]
    unlinked: set[tuple[Ident, Ident]]


def lead(identity: Identity, cluster: frozenset[Ident]) -> Ident:
    """The highest-priority namespace, then the one first seen, then the smaller text."""
    return min(cluster, key=lambda i: (i[0], identity.seen[i][0], i[1]))


def join(rules: IdentityRules, identity: Identity, link: Link) -> None:
    """Accept the link unless its clusters, made one, would break a rule."""
    joined = identity.cluster[link.a] | identity.cluster[link.b]
    if identity.cluster[link.a] == identity.cluster[link.b] or not breaks_a_rule(rules, joined):
        identity.links.append(link)
        identity.cluster.update(dict.fromkeys(joined, joined))


def breaks_a_rule(rules: IdentityRules, cluster: frozenset[Ident]) -> bool:
    values = Counter(index for index, _ in cluster)
    allowed = [1 if n.unique else rules.limit_identifiers if n.limit is None else n.limit for n in rules.namespaces]
    return len(cluster) > rules.limit_identifiers or any(count > allowed[index] for index, count in values.items())


# ── on devices ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def is_person(rules: IdentityRules, identifier: Ident) -> bool:
    return rules.namespaces[identifier[0]].scope == "person"


def anchor_of(rules: IdentityRules, event: Event) -> Ident | None:
    """The identifier that the event hangs on: its first person identifier, else its first device."""
    persons = [i for i in event.identifiers if is_person(rules, i)]
    return next(iter([*persons, *event.identifiers]), None)


def identifications(
    rules: IdentityRules, events: Sequence[Event], device: Ident, unlinked: set[tuple[Ident, Ident]]
) -> list[tuple[Moment, Ident]]:
    """When who was identified on the device, in order. A *person* here is a person identifier."""
    found = [(moment(e), first) for e in events if device in e.identifiers and (first := anchor_of(rules, e)) and is_person(rules, first)]
    return [(at, person) for at, person in found if (min(person, device), max(person, device)) not in unlinked]


def is_shared(rules: IdentityRules, device: Ident, identified: Sequence[tuple[Moment, Ident]]) -> bool:
    """Whether `shared_after` persons have been identified on it. Its links are refused then, manual ones aside."""
    threshold = rules.namespaces[device[0]].shared_after
    return threshold is not None and not is_person(rules, device) and len({person for _, person in identified}) >= threshold
