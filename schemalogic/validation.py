"""The one reading of JSON Schema: what the flow, the comparison of versions, inference and samples mean by valid.

Patterns are ECMA-262's, searched, and run in linear time; ``format`` is an annotation unless it is asked for;
``multipleOf`` is exact in decimals; 1.0 is an integer; ``contentEncoding`` and the like assert nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from schemalogic.document import BrokenReference, Document, Key, Place, RemoteReference
from schemalogic.keywords import DRAFT_2020, Steps
from schemalogic.patterns.formats import CHECKS
from schemalogic.patterns.linear import BACKTRACKS_MAX, fancy, rust
from schemalogic.patterns.nodes import PatternError
from schemalogic.references import loops

_ANNOTATIONS = {7: ("contentEncoding", "contentMediaType"), 2020: ("dependencies",)}
"""Keywords that the library asserts, although their draft does not."""
LONG = 100_000
"""Characters of a value of which all errors are found."""


class Validator:
    """A compiled schema. ``is_valid`` takes a decoded value and is the library's own method."""

    def __init__(self, inner: jsonschema_rs.Validator, originals: dict[str, str]) -> None:
        self.is_valid: Callable[[Any], bool] = inner.is_valid
        self._inner, self._originals = inner, originals

    def errors(self, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
        """The library's errors, with patterns as the schema has them (``kind`` has them as they are run).

        Of a long value it is one error at most: the library finds all of them before it gives the first, which takes seconds.
        """
        found = self._inner.iter_errors(value) if len(repr(value)) <= LONG else self._one_error(value)
        for error in found:
            yield self._told(error, value)

    def _one_error(self, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
        try:
            self._inner.validate(value)
        except jsonschema_rs.ValidationError as error:
            yield error

    def _told(self, error: jsonschema_rs.ValidationError, value: Any) -> jsonschema_rs.ValidationError:
        return jsonschema_rs.ValidationError(
            self._restored(error.message),
            self._restored(error.verbose_message),
            self._way(error.schema_path),
            _names(error.instance_path, value),
            self._way(error.evaluation_path[1:]),
            error.kind,
            error.instance,
        )

    def _way(self, steps: list[str | int]) -> list[str | int]:
        return [
            self._originals.get(str(step), step) if index and steps[index - 1] == "patternProperties" else step
            for index, step in enumerate(steps)
        ]

    def _restored(self, text: str) -> str:
        for run, original in self._originals.items():
            if run in text:
                text = text.replace(f'"{run}"', f'"{original}"').replace(json.dumps(run), json.dumps(original))
        return text


def compile_schema(schema: Any, types: Mapping[str, Any] | None = None, *, formats: bool = False, linear: bool = True) -> Validator:
    """The validator of a schema, a boolean or an object; ``types``: the schemas below contracts/types by file stem.

    Without ``linear``, patterns may look around and refer back, and may give up on long texts. `UnreadableDraft`,
    `BrokenReference` and `RemoteReference`, PatternError and NotLinear (all with ``path``); ValidationError of
    jsonschema_rs if the schema is none of its draft.
    """
    found = Document("", schema, types or {})
    _check(found)
    rewriter = _Rewriter(found, rust if linear else fancy)
    rewriter.rewrite()
    options = jsonschema_rs.RegexOptions() if linear else jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS_MAX)
    registry = jsonschema_rs.Registry(list(rewriter.documents.items()), retriever=_no_retrieval)
    inner = jsonschema_rs.Draft202012Validator(
        {"$ref": found.root.key[0]},
        registry=registry,
        validate_formats=formats,
        formats=CHECKS if formats else None,
        pattern_options=options,
        retriever=_no_retrieval,
    )
    return Validator(inner, rewriter.originals)


def _names(steps: list[str | int], value: Any) -> list[str | int]:
    """A way into a value, with names that look like numbers as texts: the library gives them as numbers.

    It leaves out names that are empty; the way then ends where it can be followed no further.
    """
    found: list[str | int] = []
    for step in steps:
        known = str(step) if isinstance(value, dict) else step
        try:
            value = value[known]
        except (KeyError, IndexError, TypeError):
            break
        found.append(known)
    return found


def _no_retrieval(uri: str) -> Any:
    raise RemoteReference(f"{uri} is not fetched")


def _check(found: Document) -> None:
    """Whether the documents are schemas of their drafts. What a pattern is the library judges by other rules, so it sees none."""
    documents = {uri: _copy(one) for uri, one in found.sources.items()}
    for schema in [_at(documents, key) for key in found.places]:
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = ""
        if isinstance(schema.get("patternProperties"), dict):
            schema["patternProperties"] = {f"p{index}": one for index, one in enumerate(schema["patternProperties"].values())}
    for one in documents.values():
        jsonschema_rs.meta.validate(one)
    for _, error in found.broken:
        raise error
    for place, word, message in loops(found):
        raise BrokenReference(message, (*place.path, word))


class _Rewriter:
    """Rewrites copies of the documents: patterns for the engine, references by where they lead."""

    def __init__(self, found: Document, translate: Callable[[str], str]) -> None:
        self.documents = {uri: _copy(one) for uri, one in found.sources.items()}
        self.originals: dict[str, str] = {}
        self._found, self._translate = found, translate
        self._texts: dict[str, str] = {}

    def rewrite(self) -> None:
        """After this, ``documents`` are what the library compiles, and ``originals`` the patterns by what became of them."""
        schemas = {key: _at(self.documents, key) for key in self._found.places}
        for key, schema in schemas.items():
            place = self._found.places[key]
            if isinstance(schema.get("pattern"), str):
                schema["pattern"] = self._text(schema["pattern"], (*place.path, "pattern"))
            if isinstance(schema.get("patternProperties"), dict):
                path = (*place.path, "patternProperties")
                schema["patternProperties"] = {self._text(name, (*path, name)): one for name, one in schema["patternProperties"].items()}
            for word in _ANNOTATIONS[place.draft]:
                schema.pop(word, None)
            if not key[1]:
                schema.setdefault("$schema", DRAFT_2020)
        for key, target in self._found.targets.items():
            schemas[key]["$ref"] = self._reference(key, target)

    def _text(self, pattern: str, path: Steps) -> str:
        """What runs in place of a pattern; another text for each pattern, so that no key swallows another."""
        if pattern not in self._texts:
            try:
                text = self._translate(pattern)
            except PatternError as error:
                raise type(error)(error.message, error.position, path) from error
            while self.originals.get(text, pattern) != pattern:
                text += "(?:)"
            self._texts[pattern], self.originals[text] = text, pattern
        return self._texts[pattern]

    def _reference(self, key: Key, target: Place) -> str:
        document, steps = target.key
        renamed = [
            self._texts.get(str(step), step) if index and steps[index - 1] == "patternProperties" else step
            for index, step in enumerate(steps)
        ]
        if document == key[0] and renamed == list(steps):
            return str(self._found.places[key].schema["$ref"])
        return document + "#" + "".join("/" + quote(str(step).replace("~", "~0").replace("/", "~1"), safe="~") for step in renamed)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _at(documents: dict[str, Any], key: Key) -> Any:
    value = documents[key[0]]
    for step in key[1]:
        value = value[step]
    return value
