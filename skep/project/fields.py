"""What the contracts say of each property and trait, as the snapshot and `skep contracts impact` show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts.language.claims import values_of
from contracts.language.expression_text import words
from contracts.language.measures import MEASURES
from contracts.language.units import CURRENCIES, MONEY, is_money
from contracts.meaning.inheritance import Inheritance
from contracts.meaning.properties import Properties, listed_properties
from contracts.meaning.tags import NOTHING, Tags, tags_at, tags_of
from contracts.model.definitions import DAY_US, Definitions, Feature, Where
from contracts.model.event_patterns import matches
from contracts.model.traits import Trait
from contracts.model.uses import Use
from contracts.model.versions import newest
from contracts.reading.lineage import inheritance_of, touches, uses
from schemalogic.paths import parse_path, path_text
from schemalogic.typed import ANYTHING, Typed
from state.snapshot.fields import Field

_TYPES = {"text": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN"}


def fields(definitions: Definitions) -> list[Field]:
    """The properties of the newest version of each contract, then the traits."""
    inheritance = inheritance_of(definitions)
    return [*_properties(definitions, inheritance.properties), *_traits(definitions, inheritance)]


def _properties(definitions: Definitions, properties: Properties) -> Iterator[Field]:
    used = uses(definitions)
    for event, versions in definitions.contracts.items():
        document = properties.newest(event)
        if document is None:
            continue
        of_event = [use for use in used if use.path and use.event and matches(use.event, event) and not use.path.startswith("context.")]
        for path, typed in listed_properties(document):
            keys = parse_path(path)
            by = dict.fromkeys(f"{use.kind} {use.name}" for use in of_event if touches(keys, parse_path(use.path)))
            found = _field("event", event, path, typed, tags_at(document, keys), contract=newest(versions).name, used_by=tuple(by))
            yield replace(found, type=_exact(found.type, event, typed, properties))


def _traits(definitions: Definitions, inheritance: Inheritance) -> Iterator[Field]:
    properties = inheritance.properties
    named = {trait.name: trait for trait in definitions.traits}
    document = properties.newest("identify")
    plain = [parse_path(path) for path, _ in listed_properties(document)] if document is not None else []
    names = dict.fromkeys([*named, *(str(keys[0]) for keys in plain if len(keys) == 1)])
    for name in names:
        trait = named.get(name, Trait(name, "plain"))
        by = dict.fromkeys(f"{use.kind} {use.name}" for use in definitions.uses if _reads(use, name))
        feature = definitions.features.get(trait.feature or "")
        typed = _typed(trait, feature, properties)
        tags = trait_tags(trait, feature, inheritance)
        field = _field("trait", name, path_text((name,)), typed, tags, used_by=tuple(by))
        yield replace(field, type=_trait_type(trait, feature, field, properties))


def _reads(use: Use, trait: str) -> bool:
    """Whether something else than the trait itself reads it."""
    if use.of == "trait":
        return use.path == trait
    of_identify = use.of == "property" and use.event == "identify" and bool(use.path)
    return of_identify and parse_path(use.path)[0] == trait and (use.kind, use.name) != ("trait", trait)


def _trait_type(trait: Trait, feature: Feature | None, field: Field, properties: Properties) -> str:
    """DuckDB's type for the values of a trait: what its measure can be whatever it measures, else that of the property; a sum is of the
    kind of what it adds up."""
    if trait.expression is not None:
        return "DECIMAL" if trait.gives == "number" else "BOOLEAN"
    measured = ANYTHING if feature is None else MEASURES[feature.measure].value(None, "", 0)
    known = field.type if measured == ANYTHING else _type(measured, ())
    if feature is not None and feature.measure == "top" and feature.option("k") > 1:
        known = "JSON"
    if known != "DOUBLE" or field.unit in CURRENCIES | MONEY:
        return "DECIMAL" if known == "DOUBLE" else known
    if trait.kind == "plain":
        return _exact(known, "identify", _typed(trait, feature, properties), properties)
    if feature is None or feature.property is None:
        return known
    if feature.sent:
        return _exact(known, "identify", _typed(trait, feature, properties), properties)
    shown = ((event, properties.typed(event, feature.property)) for event in properties.events(feature.events))
    return next((_exact(known, event, typed, properties) for event, typed in shown if typed is not None), known)


def _exact(known: str, event: str, typed: Typed | None, properties: Properties) -> str:
    """DECIMAL for money; how many places it has, the snapshot's values say."""
    if known != "DOUBLE" or typed is None:
        return known
    unit_of = tags_of(typed).unit_of
    return "DECIMAL" if is_money(typed, properties.typed(event, unit_of) if unit_of else None) else known


def _typed(trait: Trait, feature: Feature | None, properties: Properties) -> Typed | None:
    """What a trait shows: of a plain one what identify calls say, of a computed one its property in the first event that has it."""
    if trait.kind == "plain" or (feature is not None and feature.sent):
        return properties.typed("identify", path_text((trait.name,))) if properties.contracts.get("identify") else None
    if feature is None or feature.property is None or feature.measure == "distinct":
        return None
    found = (properties.typed(event, feature.property) for event in properties.events(feature.events))
    return next((one for one in found if one is not None), None)


def trait_tags(trait: Trait, feature: Feature | None, inheritance: Inheritance) -> Tags:
    """The tags of a trait: what it inherits, and of what it shows the unit, the description and the examples."""
    typed = _typed(trait, feature, inheritance.properties)
    shown = tags_of(typed) if typed is not None else NOTHING
    found = inheritance.of("trait", trait.name)
    if trait.kind == "plain":
        sent = inheritance.properties.tags("identify", path_text((trait.name,))) if typed is not None else shown
        strict = sent.joined(found)
        return replace(
            sent, personal=strict.personal, purposes=strict.purposes, retention_us=strict.retention_us, limits=strict.limits,
            description=_own_words(trait) or sent.description,
        )  # fmt: skip
    unit = shown.unit or _chosen(shown.unit_of, feature.where if feature else ())
    return Tags(
        found.personal, found.purposes, found.retention_us, unit=unit, unit_of="" if unit else shown.unit_of,
        identifier=shown.identifier if trait.kind in {"first", "last", "set", "list", "top"} else "",
        description=_own_words(trait) or (words(trait.expression) if trait.expression is not None else _described(feature, shown)),
        examples=shown.examples if trait.kind in {"first", "last", "top"} else (),
    )  # fmt: skip


def _own_words(trait: Trait) -> str:
    return ": ".join(filter(None, (trait.about.title, trait.about.description)))


def _chosen(unit_of: str, where: tuple[Where, ...]) -> str:
    """The unit that the filter of a sum leaves."""
    for one in where:
        for predicate in one.predicates:
            values = values_of(predicate) if predicate.op in {"eq", "in"} else None
            if one.path == unit_of and values is not None and len(values) == 1:
                return str(values[0])
    return ""


def _described(feature: Feature | None, shown: Tags) -> str:
    if feature is None:
        return ""
    of = f"{feature.property} of " if feature.property and not feature.sent else ""
    what = f"{MEASURES[feature.measure].says} {of}{'identify calls' if feature.sent else ', '.join(feature.events)}"
    return what[:1].upper() + what[1:] + (f": {shown.description}" if shown.description else "")


def _field(kind: str, name: str, path: str, typed: Typed | None, tags: Tags, *, contract: str = "", used_by: tuple[str, ...] = ()) -> Field:
    days, rest = divmod(tags.retention_us or 0, DAY_US)
    return Field(
        kind=kind, name=name, path=path, keys=parse_path(path), type=_type(typed, tags.examples), description=tags.description,
        unit=tags.unit or (f"as {tags.unit_of} says" if tags.unit_of else ""), personal=tags.personal,
        purposes=None if tags.purposes is None else tuple(sorted(tags.purposes)),
        retention="" if tags.retention_us is None else f"{days}d" if not rest else f"{tags.retention_us // 1_000_000}s",
        identifier=tags.identifier, examples=tags.examples, contract=contract, used_by=used_by,
    )  # fmt: skip


def _type(typed: Typed | None, examples: tuple[object, ...]) -> str:
    """DuckDB's type for the values; JSON if they can be of several kinds, hold others, or are whole numbers beyond 64 bits."""
    kinds = set(typed.kinds or ()) - {"null"} if typed is not None else set()
    if any(isinstance(one, int) and not -(2**63) <= one < 2**63 for one in examples):
        return "JSON"
    if kinds == {"number"} and typed is not None and all(_is_whole(typed, at) for at in range(len(typed.ways))):
        return "BIGINT"
    return _TYPES.get(kinds.pop(), "JSON") if len(kinds) == 1 else "JSON"


def _is_whole(typed: Typed, at: int) -> bool:
    return any(isinstance(place.schema, dict) and place.schema.get("type") == "integer" for place in typed.ways[at])
