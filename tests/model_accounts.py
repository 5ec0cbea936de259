"""What Skep means by accounts: what group calls say of them, who belongs to them, and when, and what members do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from tests.model_links import EPOCH, moment
from tests.model_segments import traits_of


def account_lines(traits: Mapping[str, Mapping[str, object]], profiles: Mapping[str, Sequence[Event]]) -> Iterator[dict[str, object]]:
    """A line of each account, with its traits, and of each profile that ever belonged to one."""
    for account in traits:
        yield {"kind": "account", "id": account, "traits": traits[account]}
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


def account_traits(
    definitions: Definitions, events: Sequence[Event], profiles: Mapping[str, Sequence[Event]], account: str, at: int
) -> dict[str, object]:
    """What calls say of it, and what is computed of what its members did; a name that is computed is never one that is said."""
    of_accounts = replace(definitions, traits=definitions.account_traits, features=definitions.account_features)
    done = [event for mine in profiles.values() for event in mine if counts(event, stays_of(mine, account), account)]
    return traits_of(of_accounts, sorted(done, key=moment), at, sent_traits(events, account))


def counts(event: Event, stays: Sequence[tuple[int, int | None]], account: str) -> bool:
    """Whether a profile's event is one of the account: done during a stay, and not said to be of another account."""
    inside = any(since <= event.time_us and (until is None or event.time_us < until) for since, until in stays)
    return inside and event.name != "" and named_by(event) in {None, account}


def named_by(event: Event) -> str | None:
    """The account that an event itself is said to be of."""
    context = event.body.get("context")
    said = context.get("groupId") if isinstance(context, dict) else None
    if isinstance(said, str):
        return said.strip() or None
    return str(int(said)) if isinstance(said, int | float) and not isinstance(said, bool) and said == int(said) else None


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
