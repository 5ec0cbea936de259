"""Table ``account_members``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Profile, Space, Table


class MemberRow(NamedTuple):
    account_id: Annotated[str, "VARCHAR", "The account, as in table accounts"]
    profile_id: Profile
    since: Annotated[int, "TIMESTAMP", "Time of the group call with which the stay begins (UTC)"]
    until: Annotated[int | None, "TIMESTAMP", "Time of the group call with which it ends (UTC); NULL while it lasts"]
    space: Space


ACCOUNT_MEMBERS = Table("account_members", "Each stay of a profile at an account, by the events that are known now", MemberRow)
