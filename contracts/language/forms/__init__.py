"""The forms of a condition, one file each, by name. The stream, the SQL twin, editors and the model go by the same names."""

from __future__ import annotations

from contracts.language.forms.account import ACCOUNT
from contracts.language.forms.consent import CONSENT
from contracts.language.forms.did import DID
from contracts.language.forms.form import Form
from contracts.language.forms.has import HAS
from contracts.language.forms.in_list import IN_LIST
from contracts.language.forms.logic import ALL, ANY, AT_LEAST, NOT
from contracts.language.forms.sample import SAMPLE
from contracts.language.forms.seen import INACTIVE_FOR, NEW_WITHIN
from contracts.language.forms.segment import SEGMENT
from contracts.language.forms.sequence import SEQUENCE
from contracts.language.forms.trait import TRAIT
from contracts.language.plain import Plainly, told
from contracts.model.definitions import Condition, Feature, Segment

FORMS: dict[str, Form] = {
    "all": ALL, "any": ANY, "at_least": AT_LEAST, "not": NOT, "trait": TRAIT, "did": DID, "segment": SEGMENT, "consent": CONSENT,
    "new_within": NEW_WITHIN, "inactive_for": INACTIVE_FOR, "account": ACCOUNT, "sequence": SEQUENCE, "has": HAS,
    "sample": SAMPLE, "in_list": IN_LIST,
}  # fmt: skip


def say(segment: Segment, features: dict[str, Feature]) -> str:
    """A segment as a plain sentence, given the features that its conditions name, by key."""
    return told(segment, features, _clause)


def _clause(condition: Condition, telling: Plainly) -> str:
    tells = FORMS[condition.form].tells
    assert tells is not None, f"the form {condition.form} has no sentence"
    return tells(condition, telling)
