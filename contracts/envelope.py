"""What a record is: "The envelope, exactly" in docs/architecture.md, under the numbers that it has there.

7 is `operators.judge`, 8 the people step, 9 `operators.consent`, 10 `contracts.text.numbers` and `operators.extract`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any

import orjson

from contracts.model import unreadable
from contracts.model.batches import Event
from contracts.text.names import event_name
from contracts.text.times import DAY_US, MAX_US, MIN_US, parse_time
from schemalogic.paths import Step, path_text

LEVELS_MAX = 100
"""Deeper nesting than this is refused as undecodable."""
CALLS = ("track", "identify", "page", "screen", "group", "alias")
NAMED = {"page": "page_viewed", "screen": "screen_viewed"}
"""How the calls are named that may have a title of their own, ``name``."""
ALWAYS_KNOWN = tuple(NAMED.values())
"""Names that are known without a contract."""
BY_TRAITS = ("identify", "group")
"""The calls whose contract judges their traits."""
NOT_DONE = frozenset({"identify", "group", "alias"})
"""The calls without a name: they may have a contract but are nothing that a person did."""


class NotAccepted(Exception):  # noqa: N818 (an answer, not an error)
    """Why a record is not accepted; what `Refused` says of it."""

    def __init__(self, reason: str, detail: str, schema_path: str = "", received_at_us: int | None = None, contract: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail, self.schema_path, self.received_at_us = reason, detail, schema_path, received_at_us
        self.contract = contract


# ---- 1. One JSON object, of numbers that can be kept


def decode(raw: bytes, max_bytes: int, *, shallow: bool = False) -> dict[str, Any]:
    """The JSON object of a record; `NotAccepted` if it is too large, too deep or none. ``shallow``: it is known not to be too deep."""
    if len(raw) > max_bytes:
        raise NotAccepted("too_large", f"expected at most {max_bytes} bytes, found {len(raw)}")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise NotAccepted("undecodable", f"expected one JSON object in UTF-8: {error}") from None
    if type(body) is not dict:
        raise NotAccepted("undecodable", f"expected one JSON object, found a {type(body).__name__}")
    # Only texts and containers hold brackets, so few brackets are few levels.
    if not shallow and raw.translate(_ALIKE).count(b"{") > LEVELS_MAX and _deeper(body, LEVELS_MAX):
        raise NotAccepted("undecodable", f"expected at most {LEVELS_MAX} levels of nesting, found more")
    return body


def _deeper(value: Any, levels: int) -> bool:
    items = value.values() if type(value) is dict else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in items if type(item) is dict or type(item) is list)


_ALIKE = bytes.maketrans(b"123456789[", b"000000000{")
"""Makes all digits one, and all brackets that open."""
_LONG = b"0" * 19
"""The fewest digits of a whole number beyond 64 bits: -9223372036854775809."""
_TOGETHER = 16
"""Records that are searched at once: few, so that they stay in the processor's cache, and have few brackets together."""
_BEGINS = re.compile(rb"(?:^|[\s:,\[])-?(?:\d{17}|\d\.\d{16,}[eE])")
"""How a number begins that has as many digits; in a text it is rare."""
_WHOLE = 2.0**53
"""From here on a double stands for more than one whole number."""


class _Lost:
    """Stands for a number that would lose digits; ``kind`` says in words what it is."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def suspects(records: Sequence[bytes]) -> tuple[list[bytes], bool]:
    """The records that may hold a number with more digits than can be kept, those with so many digits in a row, also in texts;
    and whether any of all may be too deep."""
    long: list[bytes] = []
    deep = False
    for at in range(0, len(records), _TOGETHER):
        some = records[at : at + _TOGETHER]
        alike = b"\n".join(some).translate(_ALIKE)
        if _LONG in alike:
            long += [raw for raw in some if _LONG in raw.translate(_ALIKE)]
        if not deep and alike.count(b"{") > LEVELS_MAX:
            deep = any(raw.translate(_ALIKE).count(b"{") > LEVELS_MAX for raw in some)
    return long, deep


def lost_digits(raw: bytes) -> str | None:
    """Where in a record a number would lose digits, and what is expected there; None if there is no such, or it is no JSON.

    JSON's readers make one double of several such numbers, which would be one identifier of several.
    """
    if _BEGINS.search(raw) is None:
        return None
    seen: list[_Lost] = []
    try:
        body = json.loads(raw, parse_int=lambda text: _whole(text, seen), parse_float=lambda text: _decimal(text, seen))
        # Of a key that stands twice the last one counts, so that what was seen need not be there.
        found = next(_places(body, ()), None) if seen else None
    except (ValueError, RecursionError):
        return None
    if found is None:
        return None
    path, kind = found
    return f"{path_text(path)}: expected a number that 64 bits can hold, found {kind}; send it as a text"


def check_digits(raw: bytes) -> None:
    """`NotAccepted` if a number of a record would lose digits when it is decoded."""
    lost = lost_digits(raw)
    if lost is not None:
        raise NotAccepted("envelope", lost)


def _whole(text: str, seen: list[_Lost]) -> int | _Lost:
    if len(text) <= 20 and -(1 << 63) <= int(text) < 1 << 64:
        return int(text)
    seen.append(_Lost(f"one of {len(text.removeprefix('-'))} digits"))
    return seen[-1]


def _decimal(text: str, seen: list[_Lost]) -> float | _Lost:
    number = float(text)
    if abs(number) < _WHOLE or Decimal(text) == Decimal(repr(number)):
        return number
    seen.append(_Lost("a decimal of more than 17 digits"))
    return seen[-1]


def _places(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    if isinstance(value, _Lost):
        yield path, value.kind
    items: Iterable[tuple[Step, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for step, item in items:
        yield from _places(item, (*path, step))


# ---- 2. The call, its ids, and its objects


ACCOUNT_MAX_BYTES = 10_000
"""A longer id of an account is none."""
_CALLS = {call: call for call in CALLS}
"""One object a call, however many events have it."""


def head(body: dict[str, Any]) -> tuple[str, str | None]:
    """The call, and the message id if there is one; `NotAccepted` if the record is no call, or an id of it no text."""
    said = body.get("type")
    call = _CALLS.get(said) if type(said) is str else None
    if call is None:
        unread = unreadable.why(body)
        if unread is not None:
            raise NotAccepted("undecodable", unread)
        raise NotAccepted("envelope", f"type: expected one of {', '.join(CALLS)}, found {said!r}")
    user, device, before = body.get("userId"), body.get("anonymousId"), body.get("previousId")
    if not (_may_identify(user) and _may_identify(device) and _may_identify(before)):
        for key, value in (("userId", user), ("anonymousId", device), ("previousId", before)):
            if not _may_identify(value):
                _text(key, value)
    message_id = body.get("messageId")
    return call, message_id if message_id is None or type(message_id) is str else _text("messageId", message_id)


def _may_identify(value: object) -> bool:
    return type(value) is str or value is None


def _text(key: str, value: object) -> str:
    digits = _digits(value)
    if digits:
        return digits
    raise NotAccepted("envelope", f"{key}: expected a text, found {value!r}")


def _digits(value: object) -> str:
    """The decimal text of a whole number; of anything else an empty one."""
    if type(value) is int:
        return str(value)
    return str(int(value)) if type(value) is float and value.is_integer() and abs(value) < _WHOLE else ""


def account_of(body: dict[str, Any]) -> str | None:
    """The account that a group call names: its ``groupId`` without blanks around; None if it names none."""
    said = body.get("groupId")
    text = said.strip() if type(said) is str else _digits(said)
    return text if 0 < len(text.encode()) <= ACCOUNT_MAX_BYTES else None


def may_name_account(raw: bytes) -> bool:
    """Whether an event of these bytes may be a group call: a cheap no is most answers."""
    return b'group"' in raw or b"\\u" in raw


def _object(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    if type(value) is dict:
        return value
    # PHP writes an array that holds nothing as a list.
    if value is None or value == []:
        return {}
    raise NotAccepted("envelope", f"{key}: expected an object, found {value!r}")


# ---- 3. When it happened

_YEAR_2100_US = 4_102_444_800_000_000


def event_time(body: dict[str, Any]) -> tuple[int, int | None, bool]:
    """``(event time, receivedAt or None, doubted)``: times in microseconds, the first corrected by the sender's clock.

    ``doubted``: the correction is not believed and the event's own time stands, because the event would have been sent
    more than a day before it happened: so it is with a ``sentAt`` that nobody has set.
    """
    received_us = None
    received = body.get("receivedAt")
    if received is not None:
        # Called only for what cannot be read (and the moment 0), `_time` costs nothing.
        received_us = parse_time(received) or _time("receivedAt", received)
        if not 0 < received_us < _YEAR_2100_US:
            # Nothing was received before there was anybody to receive it, nor is it yet: the field was never set.
            received_us = None
    said, original = body.get("timestamp"), body.get("originalTimestamp")
    if said is not None and original is not None:
        return parse_time(said) or _time("timestamp", said), received_us, False
    if said is None and original is None:
        if received_us is None:
            raise NotAccepted("envelope", "timestamp: expected a time here, in originalTimestamp or in receivedAt; found none")
        return received_us, received_us, False
    time_us = _time("originalTimestamp", original) if said is None else parse_time(said) or _time("timestamp", said)
    sent = body.get("sentAt")
    if received_us is not None and sent is not None:
        sent_us = parse_time(sent) or _time("sentAt", sent)
        if sent_us < time_us - DAY_US:
            return time_us, received_us, True
        time_us += received_us - sent_us
        if not MIN_US <= time_us <= MAX_US:
            raise NotAccepted("envelope", "timestamp: corrected by receivedAt − sentAt it is not between the years 1 and 9999")
    return time_us, received_us, False


def _time(key: str, value: object) -> int:
    time_us = parse_time(value)
    if time_us is None:
        what = "seconds or milliseconds since 1970" if type(value) in {int, float} else "a time like 2026-01-31T10:00:00.000Z"
        raise NotAccepted("envelope", f"{key}: expected {what}, found {value!r}")
    return time_us


# ---- 4. What it is called, and which part of it its contract judges


def named(body: dict[str, Any], call: str) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """The name ("" of a call that has none), which part the contract judges, the properties with a page's title, and the traits.

    `NotAccepted` if a part is no object, or a track call has no name.
    """
    properties, traits = body.get("properties"), body.get("traits")
    if type(properties) is not dict:
        properties = _object(body, "properties")
    if type(traits) is not dict:
        traits = {} if traits is None else _object(body, "traits")
    if call == "track":
        said = body.get("event")
        return (event_name(said) if type(said) is str else "") or track_name(said), "properties", properties, traits
    name = NAMED.get(call)
    if name is None:
        return "", judged_part(call), properties, traits
    return name, "properties", properties if body.get("name") is None else with_title(properties, body), traits


def track_name(said: object) -> str:
    """The name of a track call's ``event``; `NotAccepted` if it has none."""
    if type(said) is str:
        name = event_name(said)
        if name:
            return name
    raise NotAccepted("envelope", f"event: expected the name of what happened, found {said!r}")


def with_title(properties: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The properties of a page or screen, and its title as their ``name`` unless they have one."""
    title = body.get("name")
    return properties if title is None or properties.get("name") is not None else {**properties, "name": title}


def judged_part(called: str) -> str:
    """Which part of an event of this name, or of a call without one, its contract judges."""
    return "traits" if called in BY_TRAITS else "properties"


def called(body: dict[str, Any]) -> str:
    """Whose contract judges a record: its name, or the call; "" if that cannot be told. It need not be an event otherwise."""
    call = body.get("type")
    if call == "track":
        said = body.get("event")
        return event_name(said) if type(said) is str else ""
    return NAMED.get(call, call) if type(call) is str and call in CALLS else ""


# ---- 5. The message id


def content_id(body: dict[str, Any]) -> str:
    """The message id of an event that has none: equal for retries, which differ in ``sentAt`` and ``receivedAt`` only."""
    said = {key: value for key, value in body.items() if key not in {"messageId", "sentAt", "receivedAt"}}
    return "m_" + blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


_HASH = blake2b(digest_size=16)
"""Of nothing: to copy it takes less than to make one."""


def message_hash(message_id: str) -> bytes:
    """The 16 bytes under which a message id is remembered."""
    found = _HASH.copy()
    found.update(message_id.encode("utf-8", "surrogatepass"))
    return found.digest()


# ---- 6. The content: what two records of one message id must have in common, and which of two equal ones stands

_OF_THE_DELIVERY = frozenset({"messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt"})
_OF_THE_SENDER = frozenset({"ip", "library"})
"""Of the context: who sends an event again sends it from elsewhere, by another version of its library."""
_EMPTY = ("context", "properties", "traits")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def content(body: dict[str, Any]) -> bytes:
    """The canonical form of an event without what a server rewrites when it delivers it again; equal bytes are equal contents.

    A number and a text that writes the same number as JSON does are equal; absent, null and empty ``properties`` are.
    """
    kept = {key: value for key, value in body.items() if key not in _OF_THE_DELIVERY}
    context = kept.get("context")
    if type(context) is dict:
        kept["context"] = {key: value for key, value in context.items() if key not in _OF_THE_SENDER}
    kept = {key: value for key, value in kept.items() if key not in _EMPTY or value not in (None, {}, [])}
    return orjson.dumps(_plain(kept), option=orjson.OPT_SORT_KEYS)


def canonical(raw: bytes | str) -> bytes:
    """All of an event with sorted keys and no blanks."""
    return orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)


def replaces(event: Event, time_us: int, contract: str, raw: bytes, lookup: bytes) -> bool:
    """Whether a repeat of equal content stands in the place of what is stored: what a contract accepts before what none does,
    then the smaller time, then the smaller canonical bytes. What is equal by then is ordered too, so that one always stands."""
    mine, theirs = (not event.contract, event.time_us), (not contract, time_us)
    if mine != theirs or (event.raw == raw and event.contract == contract and event.lookup == lookup):
        return mine < theirs
    return (canonical(event.raw), event.contract, event.raw, event.lookup) < (canonical(raw), contract, raw, lookup)


def _plain(value: Any) -> Any:
    """The value with each number as a text: a text that writes none cannot be taken for it."""
    kind = type(value)
    if kind is dict:
        return {key: _plain(each) for key, each in value.items()}
    if kind is list:
        return [_plain(each) for each in value]
    if kind is int or kind is float:
        return _number(repr(value))
    return _number(value) if kind is str and _NUMBER.fullmatch(value) else value


def _number(text: str) -> str:
    """One text for all that write a number: its digits without zeros at the ends, and where its point is."""
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return text
    written = "".join(map(str, digits)).lstrip("0")
    kept = written.rstrip("0")
    if not kept or type(exponent) is not int:
        return "0"
    return f"{'-' * sign}{kept}e{exponent + len(written) - len(kept)}"
