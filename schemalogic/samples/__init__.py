"""Documents that are valid under a schema. The same seed gives the same documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from schemalogic.keywords import Schema
from schemalogic.samples.source import NOTHING, Source
from schemalogic.validation import compile_schema

_NO_TYPES: Mapping[str, Schema] = {}
_TRIES_EACH = 20
_TRIES_MORE = 300
_SEARCH_S = 2.0


def documents(schema: Schema, types: Mapping[str, Schema] = _NO_TYPES, *, seed: int, count: int, formats: bool = False) -> Iterator[Any]:
    """Up to ``count`` different documents that are valid under ``schema``; fewer if it has fewer, or if none more are found.

    ``types`` are the schemas of ``types/<name>.json`` by name. ``formats``: formats are asserted.
    """
    source = Source([schema], types, seed, count)
    valid = compile_schema(schema, types, formats=formats, linear=False).is_valid
    seen: set[bytes] = set()
    for turn in range(count * _TRIES_EACH + _TRIES_MORE):
        if len(seen) >= count:
            return
        document = source.next(turn, source.roots)
        if document is NOTHING or not valid(document):
            continue
        key = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        if key not in seen:
            seen.add(key)
            yield document
    if not seen and count:
        yield from _found(schema, types, formats=formats)


def _found(schema: Schema, types: Mapping[str, Schema], *, formats: bool) -> Iterator[Any]:
    """The document that a search finds, where construction met none."""
    from schemalogic.compare import Found, parse, satisfiable  # noqa: PLC0415 - seldom needed, and large

    found = satisfiable([(parse(schema, types, formats=formats), True)], _SEARCH_S)
    if isinstance(found, Found):
        yield found.document
