"""Table ``destination_state``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Profile, Space, Table


class DestinationStateRow(NamedTuple):
    destination: Annotated[str, "VARCHAR", "The destination, as its file is called"]
    audience: Annotated[str | None, "VARCHAR", "The segment; NULL: the traits of the profile"]
    profile_id: Profile
    wanted: Annotated[str, "VARCHAR", "in or out; of traits a digest of them"]
    wanted_version: Annotated[int, "BIGINT", "The profile's version at the change that it follows from"]
    acknowledged: Annotated[str | None, "VARCHAR", "What the destination has taken last; NULL: nothing yet"]
    acknowledged_version: Annotated[int | None, "BIGINT", "The version that was sent then"]
    acknowledged_at: Annotated[int | None, "TIMESTAMP", "When it was taken (UTC)"]
    attempts: Annotated[int, "INTEGER", "Answers since then that asked to try again"]
    class_: Annotated[str | None, "VARCHAR", "What the last answer was; dead: it is not tried again"]
    reason: Annotated[str | None, "VARCHAR", "Why it was not taken, or why it is not sent"]
    next_at: Annotated[int | None, "TIMESTAMP", "When it is sent next (UTC); NULL: not before something new is known"]
    space: Space


DESTINATION_STATE = Table(
    "destination_state", "What each destination that is told by requests is to hold, and has taken; who is out and done with is not here",
    DestinationStateRow,
)  # fmt: skip
