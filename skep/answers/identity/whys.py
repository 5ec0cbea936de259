"""The reasons that people gave with manual links and unlinks."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from skep.project.settings import Settings
from skep.project.spaces import control_path


def whys(settings: Settings, space: str, messages: Collection[str]) -> dict[str, str]:
    """By message id of control entries: the reasons that were given with them."""
    path = control_path(settings, space)
    if not messages or not path.exists():
        return {}
    wanted = set(messages)
    found: dict[str, str] = {}
    with path.open("rb") as lines:
        for line in lines:
            # A torn line is none; `connectors.control` ends it before the next.
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(entry, dict) and entry.get("messageId") in wanted and isinstance(entry.get("why"), str):
                found[entry["messageId"]] = entry["why"]
    return found
