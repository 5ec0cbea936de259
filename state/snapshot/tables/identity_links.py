"""Table ``identity_links``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.personal import Hider
from state.snapshot.table import Space, Table


class LinkRow(NamedTuple):
    a_namespace: Annotated[str, "VARCHAR", "Namespace of the identifier of the higher priority"]
    a_value: Annotated[str, "VARCHAR", "Its value; a hash if the namespace is personal"]
    b_namespace: Annotated[str, "VARCHAR", "Namespace of the other identifier"]
    b_value: Annotated[str, "VARCHAR", "Its value; a hash if the namespace is personal"]
    kind: Annotated[str, "VARCHAR", "manual, deterministic or probabilistic"]
    state: Annotated[str, "VARCHAR", "accepted; rejected by a rule, unlinked by hand, or a candidate: likely, below accept"]
    first_seen: Annotated[int, "TIMESTAMP", "Time of the earliest evidence (UTC)"]
    last_seen: Annotated[int, "TIMESTAMP", "Time of the latest evidence (UTC)"]
    message_id: Annotated[str, "VARCHAR", "The first event that says so; of a manual link its entry of the control partition"]
    events: Annotated[int, "BIGINT", "How many events say so; 1 of a manual link"]
    rules: Annotated[int, "BIGINT", "version of contracts/identity.yaml under which the link was made"]
    weight: Annotated[float | None, "DOUBLE", "Match weight of a probabilistic link in bits; null for others"]
    space: Space


def _hidden(row: LinkRow, hider: Hider) -> LinkRow:
    return row._replace(a_value=hider.identifier(row.a_namespace, row.a_value), b_value=hider.identifier(row.b_namespace, row.b_value))


IDENTITY_LINKS = Table("identity_links", "Evidence that two identifiers belong together", LinkRow, hide=_hidden)
