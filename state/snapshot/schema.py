"""All that is in a snapshot before any row: tables, views, macros and their comments. All times are in UTC."""

from __future__ import annotations

from collections.abc import Iterator

from state.snapshot.questions import Macro, View, macros_and_parts, views
from state.snapshot.table import Table
from state.snapshot.tables.account_members import ACCOUNT_MEMBERS
from state.snapshot.tables.accounts import ACCOUNTS
from state.snapshot.tables.attributions import ATTRIBUTIONS
from state.snapshot.tables.changes import CHANGES
from state.snapshot.tables.consents import CONSENTS
from state.snapshot.tables.deliveries import DELIVERIES
from state.snapshot.tables.destination_state import DESTINATION_STATE
from state.snapshot.tables.events import EVENTS
from state.snapshot.tables.fields import FIELDS
from state.snapshot.tables.identifiers import IDENTIFIERS
from state.snapshot.tables.identity_history import IDENTITY_HISTORY
from state.snapshot.tables.identity_links import IDENTITY_LINKS
from state.snapshot.tables.memberships import MEMBERSHIPS
from state.snapshot.tables.profiles import PROFILES
from state.snapshot.tables.purposes import PURPOSES
from state.snapshot.tables.quality import QUALITY
from state.snapshot.tables.quarantine import QUARANTINE
from state.snapshot.tables.receipts import RECEIPTS
from state.snapshot.tables.segments import SEGMENTS
from state.snapshot.tables.spaces import SPACES

TABLES: tuple[Table, ...] = (
    EVENTS, ATTRIBUTIONS, PROFILES, IDENTIFIERS, IDENTITY_LINKS, IDENTITY_HISTORY, MEMBERSHIPS, SEGMENTS,
    PURPOSES, CONSENTS, ACCOUNTS, ACCOUNT_MEMBERS, QUARANTINE, CHANGES, DESTINATION_STATE,
    DELIVERIES, RECEIPTS, QUALITY, FIELDS, SPACES,
)  # fmt: skip
"""In the order in which the snapshot has them."""


def ddl() -> Iterator[str]:
    """The statements that make the empty tables, the views, the macros and all comments."""
    made: tuple[Table | View | Macro, ...] = (*TABLES, *views(), *macros_and_parts())
    for one in made:
        yield from one.ddl()
