"""The words of the Open Data Contract Standard 3.x, and what of JSON Schema each of them says.

`schema_of` reads a part of an ODCS document (a schema object, a property, the items of an array) as JSON Schema. What ODCS has no
word for stands in custom properties of the part: ``jsonSchema`` (keywords that hold), ``jsonSchemaWithout`` (keywords that ODCS says
and the contract does not), and the tags ``x-…`` under their own names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.meaning.classes import CLASSES
from schemalogic.keywords import DRAFT_2020

Part = dict[str, Any]
EXTRA, WITHOUT = "jsonSchema", "jsonSchemaWithout"
TYPES: dict[str, Part] = {
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "map": {"type": "object"},
    "vector": {"type": "array", "items": {"type": "number"}},
}
_NUMBER = ("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
OPTIONS: dict[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": _NUMBER,
    "integer": _NUMBER,
    "object": ("minProperties", "maxProperties"),
    "array": ("minItems", "maxItems", "uniqueItems"),
}
"""Keywords that ``logicalTypeOptions`` has under the same name."""
_ORDER = ("$schema", "$id", "title", "description", "owner", "sla", "status", "x-personal", "x-purpose", "x-retention", "x-unit",
          "x-identifier", "type", "format", "enum", "properties", "items", "required", "additionalProperties")  # fmt: skip
_SILENT = (False, -1, "", None)
EVENT = "event"
"""The physical type of what Skep exports."""


class Left:
    """What a document says that a contract has no place for: the words, and where they stand."""

    def __init__(self) -> None:
        self.places: dict[str, list[str]] = {}

    def add(self, word: str, place: str) -> None:
        self.places.setdefault(word, []).append(place)

    def words(self, part: Part, carried: Iterable[str], place: str) -> None:
        """All words of a part that say something, except those that are carried over."""
        for word, value in part.items():
            if word not in carried and value not in ([], {}) and not any(value is one or value == one for one in _SILENT):
                self.add(word, place)

    def lines(self) -> list[str]:
        """``primaryKey of rcvr_id, id``."""
        named = {word: [place or "the document" for place in dict.fromkeys(places)] for word, places in sorted(self.places.items())}
        return [word if places == ["the document"] else f"{word} of {', '.join(places)}" for word, places in named.items()]


def root_schema(part: Part, words: Part, left: Left) -> Any:
    """The contract of a schema object; ``words`` is what the document around it says (owner, sla, status)."""
    shown = {word: value for word, value in part.items() if (word, value) != ("physicalType", EVENT)}
    return _completed({"$schema": DRAFT_2020, **words, "type": "object"}, shown, str(part.get("name", "")), left)


def schema_of(part: Part, place: str, left: Left) -> Any:
    """The JSON Schema of a property or of items; ``place`` is its name for `Left`."""
    return _completed({}, part, place, left)


def custom(part: Part) -> dict[str, Any]:
    """The custom properties by name."""
    found = part.get("customProperties")
    return {one["property"]: one.get("value") for one in maps(found) if isinstance(one.get("property"), str)}


def maps(value: Any) -> list[Part]:
    """The mappings of a list; nothing of what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _completed(found: Part, part: Part, place: str, left: Left) -> Any:
    said = custom(part)
    extra = said.get(EXTRA, {})
    if not isinstance(extra, dict):
        return extra
    found |= _texts(part)
    logical = part.get("logicalType")
    found |= TYPES.get(logical, {}) if isinstance(logical, str) else {}
    found |= _options(part, place, left)
    found |= _inner(part, place, left)
    found |= _values(part, place, left)
    found |= {word: value for word, value in said.items() if word.startswith("x-")}
    found |= extra
    for word in said.get(WITHOUT) or ():
        found.pop(word, None)
    for word in said:
        if word not in {EXTRA, WITHOUT} and not word.startswith("x-"):
            left.add(f"customProperties.{word}", place)
    left.words(part, _CARRIED, place)
    return dict(sorted(found.items(), key=lambda one: _ORDER.index(one[0]) if one[0] in _ORDER else len(_ORDER)))


_CARRIED = frozenset(
    ["name", "id", "businessName", "description", "logicalType", "logicalTypeOptions", "properties", "items", "map", "required", "examples",
     "enum", "quality", "classification", "deprecated", "customProperties"]
)  # fmt: skip


def _texts(part: Part) -> Part:
    words = {"businessName": "title", "description": "description"}
    found: Part = {mine: part[theirs] for theirs, mine in words.items() if isinstance(part.get(theirs), str) and part[theirs]}
    if isinstance(part.get("examples"), list):
        found["examples"] = part["examples"]
    if part.get("deprecated") is True:
        found["deprecated"] = True
    return found


def _options(part: Part, place: str, left: Left) -> Part:
    options = part.get("logicalTypeOptions")
    known = OPTIONS.get(str(part.get("logicalType")), ())
    if not isinstance(options, dict):
        return {}
    for word in options:
        if word not in known:
            left.add(f"logicalTypeOptions.{word}", place)
    return {word: value for word, value in options.items() if word in known}


def _inner(part: Part, place: str, left: Left) -> Part:
    """What lies in an object, an array or a map."""
    found: Part = {}
    inner = [one for one in maps(part.get("properties")) if isinstance(one.get("name"), str)]
    if inner or part.get("properties") == []:
        found["properties"] = {one["name"]: schema_of(one, one["name"], left) for one in inner}
    required = [one["name"] for one in inner if one.get("required") is True]
    if required:
        found["required"] = required
    if isinstance(part.get("items"), dict):
        found["items"] = schema_of(part["items"], f"{place}[]", left)
    value = part["map"].get("value") if isinstance(part.get("map"), dict) else None
    if isinstance(value, dict):
        found["additionalProperties"] = schema_of(value, f"{place}.*", left)
    return found


def _values(part: Part, place: str, left: Left) -> Part:
    """Enumerations and the personal class."""
    found: Part = {}
    named = [one["value"] for one in maps(part.get("enum")) if "value" in one]
    if named:
        found["enum"] = named
    for rule in maps(part.get("quality")):
        arguments = rule.get("arguments")
        valid = arguments.get("validValues") if isinstance(arguments, dict) else None
        if rule.get("metric") == "invalidValues" and rule.get("mustBe") == 0 and isinstance(valid, list) and valid:
            found["enum"] = valid
        else:
            left.add("quality", place)
    if part.get("classification") in CLASSES:
        found["x-personal"] = part["classification"]
    elif part.get("classification"):
        left.add("classification", place)
    return found
