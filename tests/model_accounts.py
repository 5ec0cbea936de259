"""What Skep means by accounts: what group calls say of them, and who belongs to them, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from contracts.model.batches import Event
from tests.model_links import EPOCH, moment


def account_lines(events: Sequence[Event], profiles: Mapping[str, Sequence[Event]]) -> Iterator[dict[str, object]]:
    """A line of each account that an accepted group call names, whoever made it, and of each profile that ever belonged to one."""
    for account in accounts_of(events):
        yield {"kind": "account", "id": account, "traits": sent_traits(events, account)}
        for profile, mine in profiles.items():
            stays = stays_of(mine, account)
            told = [[text_of(since), None if until is None else text_of(until)] for since, until in stays]
            if stays:
                yield {"kind": "member", "account": account, "profile": profile, "stays": told}


def text_of(time_us: int) -> str:
    return (EPOCH + timedelta(microseconds=time_us)).isoformat(timespec="microseconds") + "Z"


def accounts_of(events: Sequence[Event]) -> list[str]:
    return sorted({event.group[0] for event in events if event.group is not None})


def calls_of(events: Sequence[Event], account: str) -> list[Event]:
    """The group calls that name the account, in order."""
    return sorted((event for event in events if event.group is not None and event.group[0] == account), key=moment)


def sent_traits(events: Sequence[Event], account: str) -> dict[str, object]:
    """Of each trait what the last call says that says something of it; null is nothing. ``left`` is no trait."""
    said = {name: value for event in calls_of(events, account) for name, value in event.group[1].items()}
    return {name: value for name, value in said.items() if value is not None and name != "left"}


def stays_of(events: Sequence[Event], account: str) -> list[tuple[int, int | None]]:
    """Of a profile's events: a stay begins with the first call that does not say that the person leaves, and ends with the
    first that does."""
    stays: list[tuple[int, int | None]] = []
    for event in calls_of(events, account):
        inside = bool(stays) and stays[-1][1] is None
        leaves = event.group[1].get("left") is True
        if leaves and inside:
            stays[-1] = (stays[-1][0], event.time_us)
        elif not leaves and not inside:
            stays.append((event.time_us, None))
    return stays


def belongs_to(events: Sequence[Event]) -> list[str]:
    """The accounts that a profile of these events belongs to."""
    return [account for account in accounts_of(events) if (stays := stays_of(events, account)) and stays[-1][1] is None]
