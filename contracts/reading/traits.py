"""``traits.yaml``: the traits that are computed from events, and which changes of traits are told."""

from __future__ import annotations

from typing import Any

from contracts.language.features import Measured, read_events, read_property, read_where
from contracts.language.measures import RESERVED_TRAITS, TRAITS
from contracts.language.measures.measure import Measure
from contracts.model.definitions import Feature, Trait, Where
from contracts.text.keys import Boolean, Fields, Integer, Key, Own, Text, text_schema
from contracts.text.problems import listed
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import path_text
from schemalogic.typed import Typed

FILE = "traits.yaml"


def read_traits(reader: Reader, at: Tree, measured: Measured) -> tuple[dict[str, Trait], dict[str, Typed]]:
    """The traits by name, and of what kind their values can be (plain ones are left to the contract of identify)."""
    traits: dict[str, Trait] = {}
    types: dict[str, Typed] = {}
    for item in reader.items(TRAITS_FILE.read(reader, at)["traits"], "a list of traits, each with a name"):
        fields = TRAIT.parts(reader, item, later=RESERVED_TRAITS, beside="say what is computed as key, such as `sum: revenue`")
        said = TRAIT.values(reader, item, fields)
        name = said["name"]
        if name in traits:
            reader.refuse(fields["name"], "every trait once", f"{name} again")
            continue
        measured.user = ("trait", name)
        trait, typed = _trait(reader, item, said, fields, measured)
        if name:
            traits[name] = trait
        if typed is not None:
            types[name] = typed
    return traits, types


def _trait(reader: Reader, item: Tree, said: dict[str, Any], fields: dict[str, Tree], measured: Measured) -> tuple[Trait, Typed | None]:
    name, emit, limit = said["name"], said["emit"], said["limit"]
    if emit:
        measured.emits[name] = fields["emit"]
    how: list[Any] = [word for word in fields if word in TRAITS]
    if len(how) > 1:
        reader.refuse(fields[how[1]], f"only one of {listed(TRAITS)}", " and ".join(how))
    if not how:
        unknown = isinstance(item.value, dict) and len(item.value) > len(fields)
        for word in () if unknown else ("did", "where", "limit"):
            if word in fields:
                reader.refuse(fields[word], f"one of {listed(TRAITS)} beside it", word)
        if "name" in fields:
            measured.note("property", "identify", path_text((name,)), fields["name"], measured=True)
        return Trait(name, "plain", emit=emit), None
    kind = how[0]
    did = reader.required(item, fields, "did", "the name of an event")
    events = read_events(reader, did, measured) if did is not None else ()
    where = read_where(reader, fields.get("where"), events, measured)
    measure = TRAITS[kind]
    if "limit" in fields and not measure.limited:
        reader.refuse(fields["limit"], "`limit` only beside `set`")
    path, typed = _property(reader, fields[kind], measure, events, measured, where=where)
    if not events or (path is None and measure.of_property):
        return Trait(name, kind, emit=emit), typed
    key = measured.add(Feature("", events, where, None, measure.name, path, None), limit if measure.limited else None)
    return Trait(name, kind, key, limit, emit), typed


def _property(
    reader: Reader, at: Tree, measure: Measure, events: tuple[str, ...], measured: Measured, *, where: tuple[Where, ...]
) -> tuple[str | None, Typed | None]:
    """The property that is measured, and what the trait can be."""
    if not measure.of_property:
        if at.value is not True:
            reader.refuse(at, "true")
        return None, measure.value(None, at.file, at.line)
    path = reader.text(at, expected="the path of a property such as revenue") or None
    if path is None:
        return None, None
    typed = read_property(reader, at, path, events, measured, shown=True)
    if measure.check is not None:
        measure.check(reader, at, path, typed or {}, measured, where=where)
    return path, measure.value(typed, at.file, at.line)


def _measure_key(word: str, measure: Measure) -> Key:
    return Key(word, Own(text_schema() if measure.of_property else {"const": True}), measure.means)


_SOME_HOW = {"anyOf": [{"required": [word]} for word in TRAITS]}
_LIMITED = next(word for word, measure in TRAITS.items() if measure.limited)
TRAIT = Fields(
    (
        Key("name", Text(names="traits"), "the name of the trait", required="the name of the trait"),
        Key("emit", Boolean(), "a change of it is told as profile.updated", default=False),
        Key("did", Own(lambda names: names.get("did", {}))),
        Key("where", Own(lambda names: names.get("where", {}))),
        Key("limit", Integer(), f"how many of the newest values a `{_LIMITED}` keeps", default=100),
        *(_measure_key(word, measure) for word, measure in TRAITS.items()),
    ),
    {
        "dependencies": {
            **{word: {"not": {"anyOf": [{"required": [one]} for one in TRAITS if one != word]}, "required": ["did"]} for word in TRAITS},
            "did": _SOME_HOW,
            "where": _SOME_HOW,
            "limit": {"required": [_LIMITED]},
        },
        "allOf": [{"$ref": "#/definitions/of_event"}],
    },
)
TRAITS_FILE = Fields((Key("traits", TRAIT.listed(), "computed traits, and which changes of traits are told"),))
