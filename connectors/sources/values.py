"""Values of a file's own types as an event has them: texts, and JSON in which numbers stay exact."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import orjson


def text_of(value: Any) -> str | None:
    """A value as a text; None is absent. Lists and objects become JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso_text(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | time):
        return value.isoformat()
    return orjson.dumps(json_of(value)).decode() if isinstance(value, list | dict) else str(value)


def json_of(value: Any) -> Any:
    """A value as JSON: numbers stay exact, times become ISO texts (without a zone they are UTC)."""
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, list):
        return [json_of(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_of(item) for key, item in value.items()}
    return value if isinstance(value, bool | int | float) else text_of(value)


def number(value: Decimal) -> orjson.Fragment:
    """A number of JSON with all of its digits."""
    return orjson.Fragment(format(value, "f"))


def iso_text(moment: datetime) -> str:
    """ISO text in UTC of a time with a zone; OverflowError outside of the years 1 to 9999."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds" if utc.microsecond % 1000 else "milliseconds") + "Z"
