"""``trait: path`` with predicates."""

from __future__ import annotations

from contracts.language.claims import moves
from contracts.language.comparisons import said
from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.plain import said_of
from contracts.language.predicates import Others, meant_operator, predicates_text, read_predicates
from contracts.model.definitions import Condition, TraitIs
from contracts.model.traits import FILES
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path
from schemalogic.typed import ANYTHING, Typed, typed_below


def _trait(reader: Reader, at: Tree, parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    path = reader.text(parts["trait"], expected="the path of a trait such as plan or address.city")
    rest = {name: part for name, part in parts.items() if name != "trait"}
    if "for" in rest:
        reader.refuse(rest.pop("for"), "a trait with predicates", "for", "for is not supported yet")
    compared = _compared(path)
    if compared:
        reader.refuse(parts["trait"], "a trait, and what it is compared with in a line of its own", None, compared)
        return None
    typed = _trait_type(reader, parts["trait"], path, around) if path else None
    predicates = read_predicates(reader, at, rest, [] if typed is None else [typed], moving=True, others=_others(around))
    if around.call == "group" and any(map(moves, predicates)):
        hint = "what calls say of accounts changes with them alone; a window of a computed trait looks at now"
        reader.refuse(at, "operators that do not look at now", predicates_text(predicates), hint)
    return TraitIs(path, predicates) if path else None


def _others(around: Surroundings) -> Others:
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


def _says(condition: TraitIs, _features: object) -> str:
    return f"trait {condition.path} {predicates_text(condition.predicates)}"


def _tells(condition: TraitIs, _telling: object) -> str:
    return f"whose {condition.path} {said_of(condition.predicates)}"


TRAIT = Form(_trait, _says, _tells)
