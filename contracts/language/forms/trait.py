"""``trait: path`` with predicates."""

from __future__ import annotations

from contracts.language.claims import is_zoned, moves, sentence
from contracts.language.comparisons import said
from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.plain import said_of
from contracts.language.predicates import Others, meant_operator, predicates_text, read_durations, read_predicates
from contracts.model.definitions import Condition, Feature, OtherField, Predicate, TraitIs, Where
from contracts.model.traits import FILES
from contracts.text.durations import duration_text
from contracts.text.numbers import micros
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path
from schemalogic.typed import ANYTHING, Typed, typed_below

KEPT_MAX = 10_000
"""So many writes of a trait, the newest, are looked at for how long it has been so."""


def _trait(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    path = reader.text(parts["trait"], expected="the path of a trait such as plan or address.city")
    rest = {name: part for name, part in parts.items() if name != "trait"}
    lasting_at = rest.pop("for", None)
    compared = _compared(path)
    if compared:
        reader.refuse(parts["trait"], "a trait, and what it is compared with in a line of its own", None, compared)
        return None
    typed = _trait_type(reader, parts["trait"], path, around) if path else None
    predicates = read_predicates(reader, at, rest, [] if typed is None else [typed], moving=True, others=other_traits(around))
    if around.call == "group" and any(map(moves, predicates)):
        hint = "what calls say of accounts changes with them alone; a window of a computed trait looks at now"
        reader.refuse(at, "operators that do not look at now", predicates_text(predicates), hint)
    if lasting_at is None or not path:
        return TraitIs(path, predicates) if path else None
    return _lasting(reader, lasting_at, path, predicates, around)


def _lasting(reader: Reader, at: Tree, path: str, predicates: tuple[Predicate, ...], around: Surroundings) -> Condition | None:
    """The condition with the time for which it has to have been so."""
    before = len(reader.problems)
    lasting = _so_long(reader, at)
    instead = _timeless(path, predicates, around)
    if instead:
        reader.refuse(at, "no `for` here", "for", instead)
    if len(reader.problems) > before or not predicates or not lasting:
        return None
    bounds = {micros(one) or 0 for each in lasting for one in (each.operand if isinstance(each.operand, list) else [each.operand])}
    options = (("bounds_us", tuple(sorted(bounds))), ("kept", KEPT_MAX))
    zone = around.timezone if any(map(is_zoned, predicates)) else "UTC"
    where = (Where(path, predicates),)
    feature = Feature("", ("identify",), where, None, "unbroken", path, None, zone, options=options, sent=True)
    return TraitIs(path, predicates, around.measured.add(feature), lasting)


def _so_long(reader: Reader, at: Tree) -> tuple[Predicate, ...]:
    """`7d` is at least that long."""
    if isinstance(at.value, dict):
        return read_durations(reader, at)
    before = len(reader.problems)
    length = reader.duration(at, 0)
    if length == 0 and len(reader.problems) == before:
        reader.refuse(at, "a time longer than nothing")
    return read_durations(reader, Tree({"gte": at}, at.file, at.line, at.key)) if length else ()


def _timeless(path: str, predicates: tuple[Predicate, ...], around: Surroundings) -> str:
    """Why it is not known since when a condition holds; empty if it is."""
    name = str(parse_path(path)[0])
    if around.call == "group":
        return "it is asked of what identify calls write of a person"
    if name in around.computed:
        return f"{name} is computed: `did` with a window says what has been done in which time"
    if any(map(moves, predicates)):
        return f"{predicates_text(predicates)} looks at now by itself"
    if any(isinstance(one.operand, OtherField) for one in predicates):
        return "of another trait it is not known what it was"
    return ""


def other_traits(around: Surroundings) -> Others:
    """The traits that an operand may name in the place of a value."""
    return Others("trait", lambda reader, at, path: _trait_type(reader, at, path, around), "a trait is compared with another: {trait: …}")


def _compared(path: str) -> str:
    """How to write a trait and its comparison in one text, such as ``orders > 3``; empty if it is none."""
    name, sign, operand = [*path.split(maxsplit=2), "", "", ""][:3]
    op = meant_operator(sign) if sign and operand else ""
    return f"write `trait: {name}` and below it `{op}: {operand}`" if op else ""


def _trait_type(reader: Reader, at: Tree, path: str, around: Surroundings) -> Typed | None:
    try:
        steps = parse_path(path)
    except ValueError as error:
        reader.refuse(at, "a path such as address.city", str(error))
        return None
    name, measured = steps[0], around.measured
    if name in around.approximate:
        hint = f"{name} may be wrong {around.approximate[name]}, so that people would be in and out by chance"
        reader.refuse(at, "a trait that is exact", str(name), hint)
    if name in measured.passing:
        hint = f"it is made of {measured.passing[str(name)]}, which changes at every moment: compare that itself"
        reader.refuse(at, "a trait of which it is known when it changes", str(name), hint)
    if isinstance(name, str) and name in around.traits:
        measured.note(measured.traits, "", name, at)
        below = typed_below(around.traits[name], steps[1:])
        if below is None:
            reader.refuse(at, f"a path into what the trait {name} is", path, said(around.traits[name])[1])
        return below
    measured.note("property", around.call, path, at)
    if not around.identify:
        return ANYTHING
    typed = measured.properties.typed(around.call, path)
    if typed is None:
        known = (*around.traits, *measured.properties.names(around.call))
        hint = measured.properties.gone(around.call, path) or choices(str(name), known)
        reader.refuse(at, f"a trait of {FILES[around.call]} or of the contract of {around.call}", path, hint)
    return typed


def lasting_text(condition: TraitIs) -> str:
    """`` for gte 7d``, as messages and explanations say it; empty where that does not matter."""
    if not condition.lasting:
        return ""
    return f" for {sentence(condition.lasting, lambda seconds: duration_text(micros(seconds) or 0))}"


def _says(condition: TraitIs, _features: object) -> str:
    return f"trait {condition.path} {predicates_text(condition.predicates)}{lasting_text(condition)}"


def _tells(condition: TraitIs, _telling: object) -> str:
    said = f"whose {condition.path} {said_of(condition.predicates)}"
    return said if not condition.lasting else f"{said}, which {said_of(condition.lasting, passing=True).replace('is ', 'has lasted ')},"


TRAIT = Form(_trait, _says, _tells)
