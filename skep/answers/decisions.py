"""What people have decided, as it stands in the control partition."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import orjson

from skep.project.settings import Settings
from skep.project.spaces import control_path


def reasons(settings: Settings, space: str, messages: Collection[str]) -> dict[str, str]:
    """By message id of entries: the reasons that were given with them."""
    if not messages:
        return {}
    found = ((str(entry.get("messageId")), entry.get("why")) for _, entry in entries(settings, space))
    return {message: why for message, why in found if message in messages and isinstance(why, str)}


def entries(settings: Settings, space: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The entries of a space with their positions, oldest first."""
    path = control_path(settings, space)
    if not path.exists():
        return
    with path.open("rb") as lines:
        for position, line in enumerate(filter(bytes.strip, lines), 1):
            # What a crash tore off before it counted is skipped, as by the flow.
            with suppress(orjson.JSONDecodeError):
                yield position, orjson.loads(line)
