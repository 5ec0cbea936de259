"""``all``, ``any``, ``not``: what has other conditions in it."""

from __future__ import annotations

from collections.abc import Callable

from contracts.language.forms.form import Form, Inner, Read, Surroundings
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


ALL = Form(_list(All, "all"))
ANY = Form(_list(AnyOf, "any"))
NOT = Form(_not)
