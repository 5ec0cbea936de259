"""Why a document is refused: the place in it, the keyword, and what both schemas say there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemalogic.compare.scope import Scoped, start
from schemalogic.document import Document

if TYPE_CHECKING:
    from schemalogic.compare.question import Question

_NO_EXAMPLE = object()
_PLACES = 200
"""How many schemas are looked at for what they say of one place."""


@dataclass(frozen=True)
class Reason:
    """One reason: a path into documents as ``/products/[]/price``, a keyword, its value on either side (None: it has none there)."""

    path: str
    keyword: str
    old: Any = None
    new: Any = None
    example: Any = _NO_EXAMPLE

    @property
    def place(self) -> tuple[str, str]:
        """What tells reasons apart."""
        return self.path, self.keyword

    @property
    def has_example(self) -> bool:
        return self.example is not _NO_EXAMPLE


def explain(question: Question, document: Any) -> Reason:
    """Why a document is valid under the first schema and not under the second."""
    try:
        error = _nearest(_deepest(list(question.validator(1).errors(document))))
        instance = _names(error.instance_path, document)
    except (KeyError, IndexError, TypeError):
        # The library leaves empty names out of the places of its errors.
        return Reason("", "false", example=document)
    evaluated = [str(one) for one in error.evaluation_path]
    keyword = evaluated[-1] if evaluated else "false"
    if keyword not in _KEYWORDS and len(evaluated) > 1:
        keyword = evaluated[-2]
    old = _said(question.documents[0], instance, keyword)
    new = _said(question.documents[1], instance, keyword)
    path = "".join("/[]" if isinstance(step, int) else "/" + step.replace("~", "~0").replace("/", "~1") for step in instance)
    return Reason(path, keyword, old, new, document)


def _deepest(errors: list[Any]) -> Any:
    return max(errors, key=lambda one: (len(one.instance_path), len(one.evaluation_path)))


def _nearest(error: Any) -> Any:
    """What is wrong in the one branch of an anyOf or oneOf that the value comes nearest to; the error itself if none stands out."""
    branches = getattr(error.kind, "context", None)
    if not branches or not all(branches):
        return error
    here = len(error.instance_path)
    near = [some for some in branches if all(len(one.instance_path) > here for one in some)]
    if not near:
        near = [some for some in branches if not any(_excludes(one, here) for one in some)]
    return _nearest(_deepest(near[0])) if len(near) == 1 else error


def _excludes(error: Any, depth: int) -> bool:
    """Whether an error says that the value is of another kind altogether."""
    return len(error.instance_path) == depth and str(error.evaluation_path[-1]) in {"type", "const", "enum"}


def _names(steps: list[str | int], value: Any) -> list[str | int]:
    """A way into a value, with names that look like numbers as texts: the library gives them as numbers."""
    found: list[str | int] = []
    for step in steps:
        found.append(str(step) if isinstance(value, dict) else step)
        value = value[found[-1]]
    return found


_KEYWORDS = frozenset({
    "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
    "pattern", "format", "items", "prefixItems", "additionalItems", "contains", "minContains", "maxContains", "uniqueItems", "minItems",
    "maxItems", "properties", "patternProperties", "additionalProperties", "propertyNames", "required", "dependentRequired",
    "dependentSchemas", "dependencies", "minProperties", "maxProperties", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
    "unevaluatedProperties", "unevaluatedItems", "false",
})  # fmt: skip


def _said(document: Document, instance: list[str | int], keyword: str) -> Any:
    """The keyword's value in the first schema that has it and judges the place."""
    places = [start(document)]
    for step in instance:
        places = [below for place in _all(places) for below in _below(place, step)]
    for place in _all(places):
        schema = place.schema
        if isinstance(schema, dict) and keyword in schema:
            return schema[keyword]
    return None


def _all(places: list[Scoped]) -> Iterator[Scoped]:
    """The places and those that judge the same value with them, nearest first."""
    seen: set[Scoped] = set()
    left = list(places)
    while left and len(seen) < _PLACES:
        place = left.pop(0)
        if place in seen:
            continue
        seen.add(place)
        yield place
        schema = place.schema
        if not isinstance(schema, dict):
            continue
        if "$ref" in schema:
            left.append(place.follow("$ref"))
            if place.old:
                continue
        if "$dynamicRef" in schema and not place.old:
            left.append(place.follow("$dynamicRef"))
        for word in ("allOf", "anyOf", "oneOf"):
            left += [place.at(word, number) for number in range(len(schema.get(word, ())))]
        left += [place.at(word) for word in ("if", "then", "else") if word in schema]


def _below(place: Scoped, step: str | int) -> Iterator[Scoped]:
    schema = place.schema
    if not isinstance(schema, dict):
        return
    if isinstance(step, str):
        if step in schema.get("properties", ()):
            yield place.at("properties", step)
        elif "additionalProperties" in schema:
            yield place.at("additionalProperties")
        for pattern in schema.get("patternProperties", ()):
            yield place.at("patternProperties", pattern)
        return
    listed = "items" if isinstance(schema.get("items"), list) else "prefixItems"
    if step < len(schema.get(listed, ())):
        yield place.at(listed, step)
        return
    yield from (place.at(word) for word in ("items", "additionalItems", "contains") if isinstance(schema.get(word), (dict, bool)))
