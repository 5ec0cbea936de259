"""``all``, ``any``, ``not``: what has other conditions in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.language.forms.form import Form, Inner, Read, Surroundings
from contracts.language.plain import Plainly, parts
from contracts.model.definitions import All, AnyOf, Condition, Not
from contracts.text.yaml_tree import Reader, Tree


def _list(kind: Callable[[tuple[Condition, ...]], Condition], name: str) -> Read:
    def read(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, inner: Inner) -> Condition | None:
        parts = reader.fields(at, (name,))
        if isinstance(parts[name].value, dict):
            reader.refuse(parts[name], "a list of conditions", None, "begin each condition with `- `")
            return None
        items = reader.items(parts[name], "a list of conditions")
        if isinstance(parts[name].value, list) and not items:
            reader.refuse(parts[name], "at least one condition", "an empty list")
        conditions = [inner(reader, item, around) for item in items]
        good = tuple(one for one in conditions if one is not None)
        return kind(good) if good and len(good) == len(conditions) else None

    return read


def _not(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, inner: Inner) -> Condition | None:
    found = inner(reader, reader.fields(at, ("not",))["not"], around)
    return None if found is None else Not(found)


def _joined(word: str) -> Callable[[Any, Plainly], str]:
    return lambda condition, telling: parts([telling.inside(one) for one in condition.of], word)


def _tells_not(condition: Not, telling: Plainly) -> str:
    said = telling.clause(condition.of)
    plain = condition.of.form == "did" and said.startswith("who did ") and " at least 1 " not in said
    return said.replace("who did ", "who did not do ", 1) if plain else f"who are not among those {telling.inside(condition.of)}"


ALL = Form(_list(All, "all"), tells=_joined("and"))
ANY = Form(_list(AnyOf, "any"), tells=_joined("or"))
NOT = Form(_not, tells=_tells_not)
