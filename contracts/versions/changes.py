"""What is different between two versions of a contract, property by property."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from contracts.language.comparisons import said
from contracts.meaning.properties import listed_properties
from contracts.meaning.tags import WORDS, Tags, tags_at
from schemalogic.compare import included, parse
from schemalogic.document import Document, Place
from schemalogic.paths import Step, parse_path
from schemalogic.typed import Typed, typed_at

What = Literal["removed", "added", "retyped", "narrowed", "widened", "changed", "required", "optional", "tagged"]
NARROWER: frozenset[What] = frozenset({"retyped", "narrowed", "changed", "required"})
"""After such a change events that were accepted may be refused."""
BUDGET_S = 0.5
"""How long the comparison of one property may take, each way."""
_INNER = frozenset({"$ref", "allOf", "anyOf", "oneOf", "properties", "items", "prefixItems", "additionalItems", "required", "description",
                    "examples", "title", "default", *WORDS})  # fmt: skip
_URI = "https://skep.invalid/contract.json"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: the path, what happened there, from what to what, and the line in the new file (of what is gone: in the old one)."""

    path: str
    what: What
    detail: str
    file: str
    line: int


def changes(old: Document, new: Document) -> list[Change]:
    """The differences, in the order of the old file, then what the new one adds."""
    before, after = dict(listed_properties(old)), dict(listed_properties(new))
    found: list[Change] = []
    for path, typed in before.items():
        if path in after:
            found += _differences(path, typed, after[path], (old, new), has_parts=_has_parts(path, before))
        else:
            found.append(_change(path, "removed", said(typed)[0], typed))
    found += [_change(path, "added", said(typed)[0], typed) for path, typed in after.items() if path not in before]
    return found


def _change(path: str, what: What, detail: str, typed: Typed) -> Change:
    place = typed.places[0] if typed.places else None
    return Change(path, what, detail, place.file if place else "", place.line if place else 1)


def _has_parts(path: str, listed: dict[str, Typed]) -> bool:
    return any(one.startswith((f"{path}.", f"{path}[")) for one in listed)


def _differences(path: str, old: Typed, new: Typed, documents: tuple[Document, Document], *, has_parts: bool) -> Iterator[Change]:
    if has_parts:
        words = _own_words(old, new)
        if words:
            yield _change(path, "changed", words, new)
    else:
        what = _compared(old, new, documents)
        if what is not None:
            yield _change(path, what, f"{said(old)[0] or 'anything'} → {said(new)[0] or 'anything'}", new)
    was, now = (_is_required(document, parse_path(path)) for document in documents)
    if was != now:
        yield _change(path, "required" if now else "optional", "", new)
    tagged = _tagged(*(tags_at(document, parse_path(path)) for document in documents))
    if tagged:
        yield _change(path, "tagged", tagged, new)


def _own_words(old: Typed, new: Typed) -> str:
    """Of an object or a list whose parts are listed themselves: what else is said of it otherwise than before."""
    one, other = (_said_of(typed) for typed in (old, new))
    words = [word for word in {**one, **other} if one.get(word) != other.get(word)]
    return ", ".join(f"{word} {_shown(one.get(word))} → {_shown(other.get(word))}" for word in words)


def _said_of(typed: Typed) -> dict[str, Any]:
    schemas = [place.schema for place in typed.places if isinstance(place.schema, dict)]
    return {word: value for schema in reversed(schemas) for word, value in schema.items() if word not in _INNER}


def _shown(value: Any) -> str:
    text = "–" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


def _compared(old: Typed, new: Typed, documents: tuple[Document, Document]) -> What | None:
    if [place.plain() for place in old.places] == [place.plain() for place in new.places] and len(old.ways) == len(new.ways) == 1:
        return None
    sides = [parse(_schema(typed, document), document.types) for typed, document in zip((old, new), documents, strict=True)]
    wider, narrower = included(sides[0], sides[1], BUDGET_S).compatible, included(sides[1], sides[0], BUDGET_S).compatible
    if wider and narrower:
        return None
    if wider or narrower:
        return "widened" if wider else "narrowed"
    return "retyped" if old.kinds is not None and new.kinds is not None and old.kinds != new.kinds else "changed"


def _schema(typed: Typed, document: Document) -> dict[str, Any]:
    """A schema of the values at a path, whose references lead into the whole contract and into its types."""
    ways = [{"allOf": [{"$ref": _reference(place)} for place in way]} for way in typed.ways]
    root = {**document.schema, "$id": _uri(document)} if isinstance(document.schema, dict) else document.schema
    draft = {"$schema": root["$schema"]} if isinstance(root, dict) and "$schema" in root else {}
    return {**draft, "anyOf": ways, "definitions" if "draft-07" in str(draft) else "$defs": {"contract": root}}


def _reference(place: Place) -> str:
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1').replace('%', '%25')}" for step in place.path)
    return f"{place.file if place.file.startswith('types/') else _uri(place.document)}#{pointer}"


def _uri(document: Document) -> str:
    """What the contract is called within the schema of a part: by its own name, if it has one, since it may refer to itself by it."""
    return document.root.key[0] if isinstance(document.schema, dict) and "$id" in document.schema else _URI


def _is_required(document: Document, path: tuple[Step, ...]) -> bool:
    around = typed_at(document, path[:-1])
    if around is None or not isinstance(path[-1], str):
        return False
    return all(any(isinstance(one.schema, dict) and path[-1] in one.schema.get("required", ()) for one in way) for way in around.ways)


def _tagged(old: Tags, new: Tags) -> str:
    pairs = [
        ("x-personal", old.personal, new.personal),
        ("x-purpose", _names(old), _names(new)),
        ("x-unit", old.unit or old.unit_of, new.unit or new.unit_of),
        ("x-retention", old.retention_us, new.retention_us),
        ("x-identifier", old.identifier, new.identifier),
    ]
    return ", ".join(f"{word} {was or '–'} → {now or '–'}" for word, was, now in pairs if was != now)


def _names(tags: Tags) -> str:
    return "" if tags.purposes is None else "+".join(sorted(tags.purposes)) or "none"
