"""``traits.yaml``: the traits that are computed from events, and which changes of traits are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contracts.language.features import Measured, read_events, read_property, read_where
from contracts.language.measures import OPTIONS, RESERVED_TRAITS, TRAITS
from contracts.language.measures.adding import check_number
from contracts.language.measures.beside import as_options
from contracts.language.measures.measure import Measure
from contracts.language.measures.telling import read_options, read_span
from contracts.language.merges import MERGES, Merge
from contracts.language.spans import WINDOWS, window_schemas
from contracts.model.definitions import Feature, Where
from contracts.model.traits import Trait
from contracts.reading.about import ABOUT, checked_type, read_about
from contracts.reading.derived import WORDS, Deriving, read_made, roots
from contracts.text.keys import Boolean, Fields, Key, Names, Own, Schema, Text, offered, text_schema
from contracts.text.problems import listed
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import path_text
from schemalogic.typed import ANYTHING, Typed, typed_below

FILE = "traits.yaml"
_MEASURE = "a measure of docs/segments.md beside it, such as count, sum or last"


def read_traits(
    reader: Reader, at: Tree, measured: Measured, purposes: tuple[str, ...] | None
) -> tuple[dict[str, Trait], dict[str, Typed]]:
    """The traits by name, and of what kind their values can be. ``purposes``: the declared ones, None if that is not known."""
    traits: dict[str, Trait] = {}
    types: dict[str, Typed] = {}
    made: dict[str, dict[str, Tree]] = {}
    for item in reader.items(TRAITS_FILE.read(reader, at)["traits"], "a list of traits, each with a name"):
        fields = TRAIT.parts(reader, item, later=RESERVED_TRAITS, beside="say what is computed as key, such as `sum: revenue`")
        said = TRAIT.values(reader, item, fields)
        name = said["name"]
        if name in traits:
            reader.refuse(fields["name"], "every trait once", f"{name} again")
            continue
        measured.user = (measured.traits, name)
        trait, typed = _trait(reader, item, said, fields, measured)
        if not name:
            continue
        traits[name] = replace(trait, about=read_about(reader, said, fields, measured, purposes))
        if trait.kind == "expression":
            made[name] = fields
        else:
            types[name] = checked_type(reader, fields.get("type"), typed, f"what {trait.kind if trait.feature else 'identify'} gives")
    _make(reader, made, traits, types, measured)
    return traits, types


def _make(reader: Reader, made: dict[str, dict[str, Tree]], traits: dict[str, Trait], types: dict[str, Typed], measured: Measured) -> None:
    """Read what is made of other traits, once these are known."""
    making = Deriving(reader, measured, traits, types)
    making.all([one for name, fields in made.items() if (one := read_made(reader, name, fields)) is not None])
    for name, fields in made.items():
        types[name] = checked_type(reader, fields.get("type"), types.get(name, ANYTHING), "what it gives")
        if name in making.passing:
            measured.passing[name] = making.passing[name]
            if traits[name].emit:
                changes = f"no `emit` of what is made of {making.passing[name]}, which changes at every moment"
                reader.refuse(fields["emit"], changes, "true", "a segment tells when that passes a number")


def _trait(reader: Reader, item: Tree, said: dict[str, Any], fields: dict[str, Tree], measured: Measured) -> tuple[Trait, Typed]:
    name, emit = said["name"], said["emit"]
    if emit:
        measured.emits[name] = fields["emit"]
    how: list[Any] = [word for word in fields if word in TRAITS or word in _OTHERS]
    if len(how) > 1:
        reader.refuse(fields[how[1]], f"only one measure, or one of {listed(_OTHERS)} alone", " and ".join(how))
    if not how:
        unknown = isinstance(item.value, dict) and len(item.value) > len(fields)
        for word in () if unknown else _BESIDE:
            if word in fields:
                reader.refuse(fields[word], _MEASURE, word)
        return _sent(reader, MERGES["latest"], name, fields, measured)
    if how[0] == "merge":
        return _merged(reader, name, fields, measured)
    kind = how[0]
    if kind in _OTHERS:
        for word in _BESIDE:
            if word in fields:
                reader.refuse(fields[word], f"nothing of events beside `{kind}`", word)
        return Trait(name, "expression", emit=emit), ANYTHING
    did = reader.required(item, fields, "did", "the name of an event")
    events = read_events(reader, did, measured) if did is not None else ()
    where = read_where(reader, fields.get("where"), events, measured)
    measure = TRAITS[kind]
    window = read_span(reader, fields, measure, kind, gap_us=measured.session_gap_us)
    path, options, typed = _measured(reader, fields, measure, events, measured, where=where)
    if emit and measure.passing:
        reader.refuse(
            fields["emit"], f"no `emit` of {kind}, which changes at every moment", "true", "a segment tells when it passes a number"
        )
    if not events or options is None or (path is None and measure.of_property):
        return Trait(name, kind, emit=emit), typed or ANYTHING
    if measure.name in {"session_count", "session_length"}:
        options["gap_us"] = measured.session_gap_us
    feature = Feature(
        "", events, where, window.within_us, measure.name, path, None, until_us=window.until_us, between=window.between,
        options=as_options(options), session_us=window.session_us,
    )  # fmt: skip
    return Trait(name, kind, measured.add(feature), emit), typed or ANYTHING


def _merged(reader: Reader, name: str, fields: dict[str, Tree], measured: Measured) -> tuple[Trait, Typed]:
    """What identify calls write, by the word behind `merge`."""
    at, before = fields["merge"], len(reader.problems)
    sources = _sources(reader, at)
    word = "sources" if sources is not None else reader.choice(at, [one for one in MERGES if one != "sources"], "latest")
    for key in _BESIDE:
        if key in fields and (key != "limit" or word != "union"):
            reader.refuse(fields[key], "`limit` beside `merge: union`" if key == "limit" else "nothing of events beside `merge`", key)
    trait, typed = _sent(reader, MERGES[word], name, fields, measured, sources=sources)
    return (trait, typed) if len(reader.problems) == before else (replace(trait, feature=None), typed)


def _sources(reader: Reader, at: Tree) -> tuple[str, ...] | None:
    """Of `merge: {sources: [crm, web]}` the sources, the first counts most; None of any other merge."""
    if at.value == "sources":
        reader.refuse(at, "the sources, the first counts most", "no list of them", "write `merge: {sources: [crm, web]}`")
        return ()
    if not isinstance(at.value, dict):
        return None
    listed = reader.required(at, reader.fields(at, ("sources",)), "sources", "sources: [crm, web], the first counts most")
    found: dict[str, None] = {}
    for part in () if listed is None else reader.texts(listed, "the name of a source in skep.yaml, or a list of them"):
        if part.value in found:
            reader.refuse(part, "every source once", f"{part.value} again")
        found[part.value] = None
    return tuple(found)


def _sent(
    reader: Reader, merge: Merge, name: str, fields: dict[str, Tree], measured: Measured, *, sources: tuple[str, ...] | None = None
) -> tuple[Trait, Typed]:
    emit, path = "emit" in fields and fields["emit"].value is True, path_text((name,))
    typed = measured.properties.typed("identify", path) if measured.properties.contracts.get("identify") else None
    if "name" in fields:
        measured.note("property", "identify", path, fields["name"], measured=True)
    if merge.measure is None or not name:
        return Trait(name, "plain", emit=emit), typed or ANYTHING
    at, measure = fields["merge"], merge.measure
    of = {} if typed is None else {"identify": typed}
    if measure.numeric:
        check_number(reader, at, path, of, measured, where=())
    if merge.items and typed is not None:
        of = {"identify": typed_below(typed, (None,)) or typed}
    mine = {key: part for key, part in fields.items() if key not in OPTIONS or key in {option.name for option in measure.options}}
    options = read_options(reader, mine, measure, "merge", ()) or {}
    if sources is not None:
        options["sources"] = sources
    feature = Feature("", ("identify",), (), None, measure.name, path + "[]" * merge.items, None, options=as_options(options), sent=True)
    return Trait(name, measure.trait or measure.name, measured.add(feature), emit), measure.value(of, at.file, at.line)


def inexact(traits: dict[str, Trait]) -> dict[str, str]:
    """The traits that may be wrong, and by how much, in words; also what is made of them."""
    found = {
        name: TRAITS[trait.kind].approximate for name, trait in traits.items() if trait.kind in TRAITS and TRAITS[trait.kind].approximate
    }
    while True:
        more = {
            name: f"as {root} is, {found[root]}"
            for name, trait in traits.items()
            if trait.expression is not None and name not in found
            for root in [next((one for one in roots(trait.expression) if one in found), None)]
            if root is not None
        }
        if not more:
            return found
        found |= more


def _measured(
    reader: Reader, fields: dict[str, Tree], measure: Measure, events: tuple[str, ...], measured: Measured, *, where: tuple[Where, ...]
) -> tuple[str | None, dict[str, Any] | None, Typed | None]:
    """The property that is measured, what else is said of it (None if that is wrong), and what the trait can be."""
    at = fields[measure.trait]
    options = read_options(reader, fields, measure, measure.trait, events)
    if not measure.reads(at):
        said = measure.takes.read(reader, at)
        return None, None if said is None or options is None else {**said, **options}, measure.value(None, at.file, at.line)
    path = reader.text(at, expected="the path of a property such as revenue") or None
    if path is None:
        return None, options, None
    typed = read_property(reader, at, path, events, measured, shown=True)
    if measure.check is not None:
        measure.check(reader, at, path, typed or {}, measured, where=where)
    return path, options, measure.value(typed, at.file, at.line)


def _measure_key(word: str, measure: Measure) -> Key:
    return Key(word, Own(measure.takes.schema), measure.means)


_BESIDE = ("did", "where", *WINDOWS, *OPTIONS)
_OTHERS = ("merge", *WORDS)
_SOME_HOW = {"anyOf": [{"required": [word]} for word in TRAITS]}
_TAKERS = {
    name: {"anyOf": [{"required": [word]} for word, measure in TRAITS.items() if name in {option.name for option in measure.options}]}
    for name in OPTIONS
}
_TAKERS["limit"]["anyOf"].append({"required": ["merge"]})


def _merge_schema(_names: Names) -> Schema:
    words: Schema = {"enum": [word for word in MERGES if word != "sources"]}
    listed: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
    return {"anyOf": [words, {"type": "object", "additionalProperties": False, "required": ["sources"], "properties": {"sources": listed}}]}


def _ratio_schema(names: Names) -> Schema:
    one = offered(names.get("traits", ()))
    return {"type": "object", "additionalProperties": False, "required": ["of", "to"], "properties": {"of": one, "to": one}}


TRAIT = Fields(
    (
        Key("name", Text(names="traits"), "the name of the trait", required="the name of the trait"),
        *ABOUT,
        Key("emit", Boolean(), "a change of it is told as profile.updated", default=False),
        Key("did", Own(lambda names: names.get("did", {}))),
        Key("where", Own(lambda names: names.get("where", {}))),
        *(Key(name, Own(schema)) for name, schema in window_schemas().items()),
        *(Key(name, Own(option.schema), option.means) for name, option in OPTIONS.items()),
        *(_measure_key(word, measure) for word, measure in TRAITS.items()),
        Key("expression", Own(text_schema()), "what it is made of: other traits, numbers, + - * / = != < <= > >= and or not exists(…)"),
        Key("ratio", Own(_ratio_schema), "one trait divided by another"),
        Key("merge", Own(_merge_schema), "how what several identify calls say becomes one value"),
    ),
    {
        "dependencies": {
            **{word: {"not": {"anyOf": [{"required": [one]} for one in TRAITS if one != word]}, "required": ["did"]} for word in TRAITS},
            **dict.fromkeys(("did", "where", *WINDOWS), _SOME_HOW),
            **{
                word: {"not": {"anyOf": [{"required": [one]} for one in (*TRAITS, *_OTHERS, "did", "where", *WINDOWS) if one != word]}}
                for word in _OTHERS
            },
            **_TAKERS,
        },
        "allOf": [{"$ref": "#/definitions/of_event"}],
    },
)
TRAITS_FILE = Fields((Key("traits", TRAIT.listed(), "computed traits, and which changes of traits are told"),))
