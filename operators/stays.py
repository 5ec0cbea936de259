"""The group calls of a person that name one account: whether the last says that the person belongs to it, and the stays that they make.

Of calls in a row that say the same only the first and the last are kept. What was left out between them is missed where a call comes
between them that says the opposite: then the stays are *unsure* until the calls are gone through again in order, and only the newest
call is kept, which says who belongs.
"""

from __future__ import annotations

from typing import Any, Final

LEAVES: Final = "left"
"""What a call says, ``true``, in the place of a trait: that the person leaves the account."""
BELONGS: Final = ("account",)
"""Among what an event has touched: to which accounts the person belongs. What holds of accounts is ``("account", condition)``."""
LEFT: Final = 1
"""The call says that the person has left."""
_GAP: Final = 2
"""Between this call and the next there were others that said the same."""
_UNSURE: Final = 4
"""The only call of several that is left."""

Call = list[Any]
"""``[time, message id, bits]``."""
Calls = list[Call]
"""In order of time and message id, at least one."""
Stay = tuple[int, int | None]
"""Since when, and until when (µs); None while it lasts."""


def call(time: int, message: str, *, left: bool) -> Calls:
    """One call by itself."""
    return [[time, message, LEFT if left else 0]]


def join(one: Calls, other: Calls) -> Calls:
    """The calls of both, which have none in common."""
    if is_unsure(one) or is_unsure(other) or _is_torn(one, other) or _is_torn(other, one):
        time, message, bits = max(one[-1], other[-1])
        return [[time, message, bits & LEFT | _UNSURE]]
    kept: Calls = []
    for each in sorted([*one, *other]):
        if len(kept) > 1 and kept[-1][2] & LEFT == kept[-2][2] & LEFT == each[2] & LEFT:
            kept[-2] = [kept[-2][0], kept[-2][1], each[2] & LEFT | _GAP]
            kept[-1] = each
        else:
            kept.append(each)
    return kept


def _is_torn(calls: Calls, others: Calls) -> bool:
    """Whether one of the others says the opposite between two of the calls where some have been left out."""
    for at in range(len(calls) - 1):
        first, last = calls[at], calls[at + 1]
        if first[2] & _GAP and any((each[2] ^ first[2]) & LEFT and first[:2] < each[:2] < last[:2] for each in others):
            return True
    return False


def belongs(calls: Calls) -> bool:
    """Whether the person belongs to the account."""
    return not calls[-1][2] & LEFT


def is_unsure(calls: Calls) -> bool:
    """Whether the calls do not say any more when a stay began or ended."""
    return bool(calls[-1][2] & _UNSURE)


def stays(calls: Calls) -> list[Stay]:
    """The stays, oldest first; the last one lasts where the person belongs to the account."""
    found: list[Stay] = []
    since: int | None = None
    for time, _, bits in calls:
        if bits & LEFT:
            if since is not None:
                found.append((since, time))
            since = None
        elif since is None:
            since = time
    return found if since is None else [*found, (since, None)]
