"""What commands want of deliveries: an entry in the file of orders, and what activation, or this process in its place, has made of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from connectors import control
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import ledger_path, orders_path
from skep.project.who import who
from state.errors import NoState
from state.ledger import LedgerReader

PATIENCE_S = 30.0
"""How long an answer is waited for."""
_POLL_S = 0.05


def orders_of(settings: Settings, space: str) -> list[dict[str, Any]]:
    """All orders of a space, oldest first."""
    path = orders_path(settings, space)
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    found = []
    for line in lines:
        with suppress(orjson.JSONDecodeError):
            found.append(orjson.loads(line))
    return found


def order(settings: Settings, space: str, entry: dict[str, Any], work: Callable[[], bool]) -> dict[str, Any]:
    """Append an order durably; what came of it. ``work`` is called in between; it is True if this process does the work of activation
    meanwhile.

    Raises `CommandError` if it was refused, or not done in time.
    """
    identity = f"o_{uuid.uuid4().hex}"
    control.append(orders_path(settings, space), {"by": who(), **entry, "messageId": identity})
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        here = work()
        found = looked_up(settings, space, identity)
        if found is not None:
            if not found.get("ok"):
                raise CommandError(str(found.get("error")))
            return found
        if not here:
            time.sleep(_POLL_S)
    raise CommandError(f"recorded; activation has not done it within {PATIENCE_S:.0f} s and will do it when it gets there")


def looked_up(settings: Settings, space: str, identity: str) -> dict[str, Any] | None:
    """The answer to an order, None if there is none yet."""
    with suppress(NoState):
        reader = LedgerReader(ledger_path(settings, space))
        try:
            found = reader.row("answers", identity.encode())
        finally:
            reader.close()
        return None if found is None else orjson.loads(found)
    return None
