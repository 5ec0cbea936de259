"""Conditions: the ``who`` of a segment, read into a tree of typed conditions."""

from __future__ import annotations

import re

from contracts.language.forms import FORMS
from contracts.language.forms.account import OF_ACCOUNTS
from contracts.language.forms.did import BESIDE
from contracts.language.forms.form import Surroundings
from contracts.language.operators import OPERATORS
from contracts.model.definitions import Condition
from contracts.text.names import event_name
from contracts.text.problems import closest, listed
from contracts.text.yaml_tree import Reader, Tree


def read_condition(reader: Reader, at: Tree, around: Surroundings) -> Condition | None:
    """One condition; None if it is not one (the problems say why)."""
    parts = at.value if isinstance(at.value, dict) else {}
    forms = [name for name in parts if name in FORMS]
    if not isinstance(at.value, dict):
        reader.refuse(at, f"a condition, one of {listed(FORMS)}", None, _bare(at, around))
        return None
    if len(forms) != 1:
        place = parts[forms[1]] if forms else next(iter(parts.values()), at)
        found = " and ".join(forms) if forms else listed(parts) if parts else "nothing"
        hint = "put them into a list below `all`" if forms else _formless(parts, around)
        reader.refuse(place, f"{'only one of' if forms else 'one of'} {listed(FORMS)}", found, hint)
        return None
    if around.call == "group" and forms[0] not in OF_ACCOUNTS:
        hint = "put it beside `account`, in a list below `all`"
        reader.refuse(parts[forms[0]], f"a condition on traits of an account, one of {listed(OF_ACCOUNTS)}", forms[0], hint)
        return None
    return FORMS[forms[0]].read(reader, at, parts, around, read_condition)


def _bare(at: Tree, around: Surroundings) -> str:
    """How to write as a condition what is no mapping."""
    value = at.value
    if isinstance(value, list) and at.key.endswith("not"):
        return "put `any:` before the list for nobody of these, `all:` for not everything at once"
    if isinstance(value, list):
        return "put `all:` before the list"
    form, colon, rest = re.sub(r"[:\s]+", ":", str(value), count=1).partition(":")
    if colon and form in FORMS:
        return f"write `{form}: {rest}`"
    if value in around.segments:
        return f"write `segment: {value}`"
    return f"write `did: {value}`" if isinstance(value, str) and event_name(value) in around.measured.properties.contracts else ""


def _formless(parts: dict[str, Tree], around: Surroundings) -> str:
    """What to write in place of, or beside, parts of which none says what kind of condition they are."""
    first = next(iter(parts), "")
    if first == "none":
        return "write `not:`, and below it `any:` before the list"
    if first in around.traits or first in around.measured.properties.names("identify"):
        return f"write `trait: {first}` and an operator such as `eq`"
    if any(name in BESIDE for name in parts):
        return "name the event beside it: `did: …`"
    if any(name in OPERATORS for name in parts):
        return "say of which trait: `trait: …`"
    return closest(first, FORMS)
