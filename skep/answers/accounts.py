"""Accounts: what is said of them, and who belongs to them."""

from __future__ import annotations

from heapq import nlargest
from typing import Any

import msgspec

from contracts.text.times import iso, iso_or_none
from operators.view.accounts import Account, AccountMember
from skep.answers.trait import Turning
from skep.project.settings import Settings
from skep.project.spaces import open_views


class AccountStay(msgspec.Struct, frozen=True):
    """A stay of a profile; ``until`` is None while it lasts. Times are ISO 8601."""

    profile: str
    since: str
    until: str | None


class AccountShown(msgspec.Struct, frozen=True):
    """An account. ``turns``: by trait when it changes by itself, and to what. ``members`` belong to it now, ``members_ever`` do or did;
    ``stays`` are those that began last, the newest first."""

    id: str
    space: str
    traits: dict[str, Any]
    turns: dict[str, Turning]
    members: int
    members_ever: int
    stays: list[AccountStay]


class AccountListed(msgspec.Struct, frozen=True):
    """An account in a list."""

    id: str
    space: str
    members: int
    members_ever: int


class AccountList(msgspec.Struct, frozen=True):
    """The accounts with the most members first; ``others`` are left out."""

    accounts: list[AccountListed]
    others: int


def account(settings: Settings, name: str, space: str | None, limit: int) -> list[AccountShown]:
    """The account of this id, at most one a space, with up to ``limit`` stays."""
    with open_views(settings, space) as views:
        found = [(view.space, view.accounts.of(name.strip())) for view in views.values()]
        return [_shown(of, one, limit) for of, one in found if one is not None]


def accounts(settings: Settings, space: str | None, limit: int) -> AccountList:
    """Up to ``limit`` of all accounts."""
    with open_views(settings, space) as views:
        found = [_listed(view.space, one) for view in views.values() for one in view.accounts.all()]
    first = sorted(found, key=lambda one: (-one.members, one.id, one.space))[:limit]
    return AccountList(first, len(found) - len(first))


def _shown(space: str, found: Account, limit: int) -> AccountShown:
    members = list(found.members())
    stays = nlargest(limit, ((stay, member.profile) for member in members for stay in member.stays), key=lambda one: (one[0][0], one[1]))
    told = [AccountStay(profile, iso(since), iso_or_none(until)) for (since, until), profile in stays]
    now = found.committed.at(None)
    turning = {name: Turning(iso(at), value) for name, (at, value) in found.turns(now)}
    return AccountShown(found.id, space, found.traits(now), turning, _now(members), len(members), told)


def _listed(space: str, found: Account) -> AccountListed:
    members = list(found.members())
    return AccountListed(found.id, space, _now(members), len(members))


def _now(members: list[AccountMember]) -> int:
    return sum(member.stays[-1][1] is None for member in members)
