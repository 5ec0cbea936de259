"""``all``, ``any``, ``at_least``, ``not``: what has other conditions in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.language.forms.form import Form, Inner, Read, Surroundings
from contracts.language.plain import Plainly, parts
from contracts.model.definitions import All, AnyOf, AtLeast, Condition, Not
from contracts.text.yaml_tree import Reader, Tree


def _list(kind: Callable[[tuple[Condition, ...]], Condition], name: str) -> Read:
    def read(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, inner: Inner) -> Condition | None:
        good = _conditions(reader, reader.fields(at, (name,))[name], around, inner)
        return kind(good) if good else None

    return read


def _conditions(reader: Reader, at: Tree, around: Surroundings, inner: Inner) -> tuple[Condition, ...]:
    """A list of conditions; none if it is not one (the problems say why)."""
    if isinstance(at.value, dict):
        reader.refuse(at, "a list of conditions", None, "begin each condition with `- `")
        return ()
    items = reader.items(at, "a list of conditions")
    if isinstance(at.value, list) and not items:
        reader.refuse(at, "at least one condition", "an empty list")
    conditions = [inner(reader, item, around) for item in items]
    good = tuple(one for one in conditions if one is not None)
    return good if len(good) == len(conditions) else ()


def _at_least(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, inner: Inner) -> Condition | None:
    part = reader.fields(at, ("at_least",))["at_least"]
    if not isinstance(part.value, dict):
        reader.refuse(part, "how many of which conditions, such as {n: 2, of: [..]}", None, "write `n:` and `of:` below it")
        return None
    parts = reader.fields(part, ("n", "of"))
    for name in ("n", "of"):
        if name not in parts:
            reader.refuse(part, f"{name}: {'how many' if name == 'n' else 'of which conditions'}", "none")
    if len(parts) < 2:
        return None
    good, number = _conditions(reader, parts["of"], around, inner), parts["n"].value
    if type(number) is not int or number < 1 or (good and number > len(good)):
        most = f" to {len(good)}, which is how many conditions there are" if good else ""
        reader.refuse(parts["n"], f"a whole number from 1{most}")
        return None
    return AtLeast(number, good) if good else None


def _not(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, inner: Inner) -> Condition | None:
    found = inner(reader, reader.fields(at, ("not",))["not"], around)
    return None if found is None else Not(found)


def _joined(word: str) -> Callable[[Any, Plainly], str]:
    return lambda condition, telling: parts([telling.inside(one) for one in condition.of], word)


def _tells_at_least(condition: AtLeast, telling: Plainly) -> str:
    return f"with at least {condition.n} of these: {'; '.join(telling.inside(one) for one in condition.of)}"


def _tells_not(condition: Not, telling: Plainly) -> str:
    said = telling.clause(condition.of)
    plain = condition.of.form == "did" and said.startswith("who did ") and " at least 1 " not in said
    return said.replace("who did ", "who did not do ", 1) if plain else f"who are not among those {telling.apart(condition.of, said)}"


AT_LEAST = Form(_at_least, lambda condition, _features: f"at least {condition.n} of {len(condition.of)} conditions", _tells_at_least)
ALL = Form(_list(All, "all"), tells=_joined("and"))
ANY = Form(_list(AnyOf, "any"), tells=_joined("or"))
NOT = Form(_not, tells=_tells_not)
