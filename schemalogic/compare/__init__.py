"""Is everything that is valid under one JSON Schema valid under another? Decided by searching for a document that is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemalogic.compare.inclusion import Answer, included, satisfiable, unusable
from schemalogic.compare.question import Schema
from schemalogic.compare.reasons import Reason
from schemalogic.compare.verdicts import Found, Impossible, Undecided

__all__ = ["Answer", "Found", "Impossible", "Reason", "Schema", "Undecided", "included", "parse", "satisfiable", "unusable"]


def parse(schema: Any, types: Mapping[str, Any] | None = None, *, formats: bool = False) -> Schema:
    """One side of a comparison; ``types``: the schemas below contracts/types by file stem; ``formats``: they are asserted."""
    return Schema(schema, types or {}, formats)
