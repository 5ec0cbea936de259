"""One event, as the validate step hands it over."""

from __future__ import annotations

from typing import Any


class Event:
    """One event that its contract accepts.

    ``identifiers`` holds ``(index of the namespace, normalised value)`` in rank: by namespace, then by text, without
    repeats and without blocked values. ``body`` is the decoded event, ``raw`` its bytes. ``name`` is what segments
    call it (``order_completed``, ``page_viewed``); ``""`` for identify, group and alias, which are not things done.
    ``properties`` is what features read (a page's ``name`` is among them), ``traits`` what an identify call sets.
    ``consents`` are the decisions that the event carries, by purpose; None if it carries none; ``unread`` are the purposes among
    them whose decision could not be read and counts as a denial. ``group`` is the account that a group call names, and its traits; None
    of other calls, and of one that names none.

    ``lookup`` is what lookups have found for it, a JSON object as it is stored with it, which stands in the body under
    ``context.lookup``; empty if nothing was looked up. It is no part of what the event says.

    ``sources`` are the names of the sources that have handed it over, itself or as a repeat, sorted: of an identify call that people took
    in, of others none.

    A class of its own, so that compiled code reads what it holds without a look-up: an event is read more often than anything else.
    """

    __slots__ = (
        "body", "consents", "contract", "group", "identifiers", "lookup", "message_id", "name", "position", "properties", "raw",
        "received_at_us", "sources", "time_us", "traits", "type", "unread",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917
        self,
        position: int,
        time_us: int,
        message_id: str,
        type: str,  # noqa: A002 - a field's own name
        name: str,
        contract: str,
        identifiers: tuple[tuple[int, str], ...],
        properties: dict[str, Any],
        traits: dict[str, Any] | None,
        consents: dict[str, bool] | None,
        received_at_us: int | None,
        body: dict[str, Any],
        raw: bytes,
        unread: tuple[str, ...] = (),
        lookup: bytes = b"",
        group: tuple[str, dict[str, Any]] | None = None,
        sources: tuple[str, ...] = (),
    ) -> None:
        self.position = position
        self.time_us = time_us
        self.message_id = message_id
        self.type = type
        self.name = name
        self.contract = contract
        self.identifiers = identifiers
        self.properties = properties
        self.traits = traits
        self.consents = consents
        self.received_at_us = received_at_us
        self.body = body
        self.raw = raw
        self.unread = unread
        self.lookup = lookup
        self.group = group
        self.sources = sources
