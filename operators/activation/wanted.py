"""What is wanted of a row, and what a call or its absence makes of that: each a function of the row alone."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from msgspec.structs import replace

from operators.activation.ledger_row import ALIAS, ERASE, FEED, IN, NEVER, OUT, TRAITS, LedgerRow
from operators.activation.told import Asked

NOT_SENT = frozenset(
    {"erased", "stale", "consent", "suppressed", "confidence", "holdout", "min_size", "no_identifier", "invalid", "quiet", "cap"}
)
"""Why somebody is not told of although it is wanted ("The last moment")."""


_FED: Mapping[str, Asked] = {"segment.entered": "enter", "segment.exited": "exit", "profile.erased": "exit"}
"""As which call a change is told that is told as it is; the others as `update`."""


def traits_digest(traits: dict[str, Any]) -> str:
    """What stands for chosen traits in a row."""
    return blake2b(orjson.dumps(traits, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def is_there(row: LedgerRow) -> bool:
    """Whether the other side may have the person: it was told so, or a call was made whose answer is not known."""
    return row.acknowledged == IN or row.called


def wish(row: LedgerRow | None, wanted: str, version: int, place: int, now: int) -> LedgerRow | None:
    """A row by what a change wants; None where nothing is to be told and nothing was. Nothing older changes anything.

    ``version``: the profile's at the change; ``place``: the change's own in the log.
    """
    if row is None:
        return None if wanted == OUT else LedgerRow(wanted, version, place, next_at=now, since=now)
    if version < row.wanted_version or (version == row.wanted_version and wanted == row.wanted):
        return row
    if wanted == row.wanted:
        return replace(row, wanted_version=version)
    if wanted == OUT and not is_there(row):
        return None
    return replace(row, wanted=wanted, wanted_version=version, place=place, attempts=0, reason="", dead=False, next_at=now, since=now)


def again(row: LedgerRow, now: int) -> LedgerRow:
    """A row that is tried once more, whatever was in its way."""
    return replace(row, dead=False, attempts=0, reason="", next_at=now)


def barred(row: LedgerRow, reason: str, now: int) -> LedgerRow:
    """A row by what forbids that the person is told of; an empty reason is nothing. Who is there then leaves."""
    if row.barred == reason:
        return row
    return replace(row, barred=reason, reason=reason, dead=False, next_at=now)


def renamed(row: LedgerRow, known_as: dict[str, str], now: int) -> LedgerRow:
    """A row by how the person is called now: of who is there under another name, that name goes first."""
    if row.wanted != IN or not is_there(row):
        # Whom nobody knows under that name may be known by it now.
        return replace(row, reason="", dead=False, attempts=0, next_at=now) if row.dead or row.reason in NOT_SENT else row
    anew = bool(row.sent_as) and known_as != row.sent_as
    return row if anew == row.anew else replace(row, anew=anew, dead=False, attempts=0, next_at=now)


def call_of(row: LedgerRow, audience: str) -> Asked | None:
    """What the other side is to be told next; None if it holds what is wanted, or is to be told nothing."""
    if row.dead:
        return None
    if audience == ERASE:
        return "erase"
    if audience == ALIAS:
        return "alias"
    if audience[:1] == FEED:
        return _FED.get(row.wanted, "update")
    if audience == TRAITS:
        return None if row.wanted in {row.acknowledged, OUT} or row.barred else "update"
    if (row.wanted == OUT or row.barred or row.anew) and is_there(row):
        return "exit"
    return "enter" if row.wanted == IN and not row.barred and row.acknowledged != IN else None


def is_pending(row: LedgerRow, audience: str) -> bool:
    """Whether the row waits for its turn or for an answer: not done, not dead, and not held by what only new input can change."""
    return call_of(row, audience) is not None and row.next_at != NEVER


def held_back(row: LedgerRow, reason: str, until: int = NEVER) -> LedgerRow:
    """A row that is not sent for a reason of the last moment, before ``until``."""
    return replace(row, reason=reason, last_class="not_sent", next_at=until)


def called_now(row: LedgerRow, call: str, sent: dict[str, str], now: int) -> LedgerRow:
    """A row of which a call is about to be on the wire: whatever becomes of it, the other side may know the person by this."""
    if call == "enter":
        return replace(row, called=True, sent_as=sent, tried_at=now)
    return replace(row, tried_at=now)


def acknowledged(row: LedgerRow, call: str, said: str, version: int, now: int) -> LedgerRow | None:
    """A row of which a call was taken; ``said``: what was wanted when it was sent, at ``version``. None of one that is done with."""
    done = replace(row, acknowledged=said, acknowledged_version=version, acknowledged_at=now, attempts=0, reason="",
                   last_class="delivered", next_at=now)  # fmt: skip
    if call in {"enter", "update"}:
        return replace(done, called=False)
    if call != "exit":
        return None
    done = replace(done, acknowledged=OUT, called=False, anew=False, sent_as={})
    return None if done.wanted == OUT else done
