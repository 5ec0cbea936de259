"""``owner``, ``sla`` and ``status`` at the root of a contract: whose it is, what is promised of it, how it stands."""

from __future__ import annotations

import json
from typing import Any, Literal

from contracts.model.sla import Sla
from contracts.text.durations import duration_us
from contracts.text.problems import Problem, Unexpected, closest
from contracts.text.schema_files import key_of
from contracts.text.times import parse_time
from schemalogic.lines import line_at

SLA_KEYS = ("freshness", "completeness")
STATUS = ("draft", "live", "deprecated")
_STATUS = 'draft, live or {"deprecated": "2027-01-01"}'
Status = Literal["draft", "live", "deprecated"]


def read_ownership(file: str, text: str, schema: dict[str, Any], problems: list[Problem]) -> tuple[str, Sla, Status, int | None]:
    """Owner, promises, status, and of a deprecated version from when on (µs) it judges no event; the defaults for what is not good."""
    reader = _Reader(file, text, problems)
    owner = schema.get("owner", "")
    if "owner" in schema and not (isinstance(owner, str) and owner.strip()):
        reader.refuse(["owner"], "a text", owner)
        owner = ""
    status, deprecated_us = reader.status(schema.get("status", "live"))
    return owner, reader.sla(schema.get("sla", {})), status, deprecated_us


class _Reader:
    def __init__(self, file: str, text: str, problems: list[Problem]) -> None:
        self.file, self.text, self.problems = file, text, problems

    def refuse(self, path: list[Any], expected: str, found: Any, hint: str = "") -> None:
        shown = json.dumps(found, ensure_ascii=False)[:60]
        self.problems.append(Problem(self.file, line_at(self.text, path), key_of(path), expected, shown, hint))

    def sla(self, value: Any) -> Sla:
        if not isinstance(value, dict):
            self.refuse(["sla"], 'an object such as {"freshness": "2h", "completeness": 0.95}', value)
            return Sla()
        for key in value:
            if key not in SLA_KEYS:
                self.refuse(["sla", key], "one of the keys freshness or completeness", key, closest(key, SLA_KEYS))
        return Sla(self._freshness_us(value), self._completeness(value))

    def _freshness_us(self, sla: dict[str, Any]) -> int | None:
        if "freshness" not in sla:
            return None
        try:
            found = duration_us(sla["freshness"])
        except Unexpected as error:
            self.refuse(["sla", "freshness"], str(error), sla["freshness"], error.hint)
            return None
        if not found:
            self.refuse(["sla", "freshness"], "a duration longer than nothing", sla["freshness"])
        return found or None

    def _completeness(self, sla: dict[str, Any]) -> float | None:
        share = sla.get("completeness")
        if "completeness" not in sla:
            return None
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
            self.refuse(["sla", "completeness"], "a share from 0 to 1", share)
            return None
        return float(share)

    def status(self, value: Any) -> tuple[Status, int | None]:
        if value == "draft":
            return "draft", None
        if value == "live":
            return "live", None
        if isinstance(value, dict) and list(value) == ["deprecated"]:
            found = value["deprecated"]
            time_us = parse_time(found) if isinstance(found, str) else None
            if time_us is None:
                self.refuse(["status", "deprecated"], "a date such as 2027-01-01", found)
                return "live", None
            return "deprecated", time_us
        word = value if isinstance(value, str) else next(iter(value), "") if isinstance(value, dict) else ""
        hint = "say from when on it judges no event" if value == "deprecated" else closest(word, STATUS)
        self.refuse(["status"], _STATUS, value, hint)
        return "live", None
