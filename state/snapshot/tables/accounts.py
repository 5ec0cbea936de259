"""Table ``accounts``."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Space, Table


class AccountRow(NamedTuple):
    account_id: Annotated[str, "VARCHAR", "Id of the account, the groupId of its calls"]
    space: Space
    traits: Annotated[dict[str, Any], "JSON", "What group calls say of it, the newest of each, and computed traits, at the clock; by name"]
    members: Annotated[int, "BIGINT", "Profiles that belong to it now"]
    members_ever: Annotated[int, "BIGINT", "Profiles that belong to it or did"]


def _hidden(row: AccountRow, hider: Hider) -> AccountRow:
    return row._replace(traits=hider.account(row.traits))


ACCOUNTS = Table("accounts", "Every account that an accepted group call names", AccountRow, hide=_hidden)
