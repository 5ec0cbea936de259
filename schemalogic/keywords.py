"""The words of JSON Schema 2020-12 and draft-07 that hold schemas, and what each of these schemas is about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema"

Schema = Any
"""A decoded JSON Schema: an object, true or false."""
Steps = tuple[str | int, ...]
"""The way into a schema."""
About = Literal["value", "member", "members", "names", "items", "text", "nothing"]
"""The value itself, a member by its name, members by a rule, their names, items, what a text holds; nothing: it is referred to."""
_ONE: dict[str, About] = {
    "additionalItems": "items", "additionalProperties": "members", "contains": "items", "contentSchema": "text", "else": "value",
    "if": "value", "items": "items", "not": "value", "propertyNames": "names", "then": "value", "unevaluatedItems": "items",
    "unevaluatedProperties": "members",
}  # fmt: skip
_LISTS: dict[str, About] = {"allOf": "value", "anyOf": "value", "items": "items", "oneOf": "value", "prefixItems": "items"}
_NAMED: dict[str, About] = {
    "$defs": "nothing", "definitions": "nothing", "dependencies": "value", "dependentSchemas": "value", "patternProperties": "members",
    "properties": "member",
}  # fmt: skip
ABOUT: dict[str, About] = {**_ONE, **_LISTS, **_NAMED}
"""Every word that holds a schema, a list of them or some by name."""
_WORDS = frozenset(ABOUT)
DATA = ("const", "default", "enum", "examples")
"""What these words hold are values, whatever it looks like."""


class UnreadableDraft(ValueError):  # noqa: N818 (named for what the schema is)
    """A ``$schema`` other than 2020-12 and draft-07; ``path``: where it stands."""

    def __init__(self, found: object, path: Steps = ()) -> None:
        super().__init__(f"expected {DRAFT_2020} or {DRAFT_7}#; found {found}")
        self.path = path


def draft_of(schema: Any, default: int = 2020, path: Steps = ()) -> int:
    """7 or 2020, by ``$schema``; `UnreadableDraft` for others."""
    if not isinstance(schema, dict) or "$schema" not in schema:
        return default
    named = schema["$schema"]
    if isinstance(named, str):
        text = named.removesuffix("#").replace("https://", "http://", 1)
        for draft, uri in ((2020, DRAFT_2020), (7, DRAFT_7)):
            if text == uri.replace("https://", "http://", 1):
                return draft
    raise UnreadableDraft(named, (*path, "$schema"))


def subschemas(schema: dict[str, Any]) -> Iterator[tuple[Steps, Any]]:
    """The schemas directly within a schema, whichever of the two drafts it is of."""
    if _WORDS.isdisjoint(schema):
        return  # Most schemas are leaves, and each is asked several times.
    for word in _ONE:
        if isinstance(schema.get(word), dict | bool):
            yield (word,), schema[word]
    for word in _LISTS:
        if isinstance(schema.get(word), list):
            yield from (((word, index), one) for index, one in enumerate(schema[word]))
    for word in _NAMED:
        if isinstance(schema.get(word), dict):
            yield from (((word, name), one) for name, one in schema[word].items() if not isinstance(one, list))
