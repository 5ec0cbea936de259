"""``account: {..}``: the condition holds of an account that the person belongs to."""

from __future__ import annotations

from dataclasses import replace

from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.plain import Plainly
from contracts.language.predicates import predicates_text
from contracts.model.definitions import AtLeast, Condition, InAccount, Not, TraitIs
from contracts.text.yaml_tree import Reader, Tree

OF_ACCOUNTS = ("trait", "all", "any", "at_least", "not")
"""The forms that may stand inside."""


def _account(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, inner: Inner) -> Condition | None:
    part = reader.fields(at, ("account",))["account"]
    assert around.of_account is not None, "an account is in nothing of an account"
    about = replace(around.of_account, timezone=around.timezone)
    about.measured.user = around.measured.user
    found = inner(reader, part, about)
    return None if found is None else InAccount(found)


def account_words(condition: Condition) -> str:
    """What is asked of an account."""
    if isinstance(condition, TraitIs):
        return f"{condition.path} {predicates_text(condition.predicates)}"
    if isinstance(condition, Not):
        return f"not ({account_words(condition.of)})"
    how = f"at least {condition.n}" if isinstance(condition, AtLeast) else condition.form
    return f"{how} of ({', '.join(map(account_words, condition.parts))})"


def _tells(condition: InAccount, telling: Plainly) -> str:
    return f"who belong to an account {telling.inside(condition.of).replace('who are not among those', 'that is not one')}"


ACCOUNT = Form(
    _account,
    lambda condition, _features: f"account {account_words(condition.of)}",
    _tells,
)
