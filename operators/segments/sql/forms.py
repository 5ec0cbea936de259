"""Each form of a condition as an expression over ``people`` that is never NULL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from contracts.model.definitions import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    Did,
    Feature,
    InAccount,
    InactiveFor,
    InOrder,
    MemberOf,
    NewWithin,
    Not,
    OtherField,
    TraitIs,
)
from contracts.model.of_accounts import of_accounts
from contracts.model.traits import Trait
from operators.segments.sql.derived import derived_value
from operators.segments.sql.identifiers import has_sql, in_list_sql, sample_sql
from operators.segments.sql.lasting_sql import unbroken_value
from operators.segments.sql.measures import feature_value, matching_sql, value_key
from operators.segments.sql.operators import all_hold
from operators.segments.sql.plan import Plan
from operators.segments.sql.sequences import sequence_column
from operators.segments.sql.values import Value, extract, quote, some_value
from schemalogic.paths import Step, parse_path

ACCOUNTS = "SELECT account_id AS profile_id, traits FROM accounts"
"""Accounts as the profiles of a query."""
NAMED = """CASE json_type(e.context, '$.groupId')
    WHEN 'VARCHAR' THEN nullif(regexp_replace(json_extract_string(e.context, '$.groupId'), '^\\s+|\\s+$', '', 'g'), '')
    WHEN 'BIGINT' THEN json_extract_string(e.context, '$.groupId') WHEN 'UBIGINT' THEN json_extract_string(e.context, '$.groupId')
    WHEN 'DOUBLE' THEN CASE WHEN CAST(e.context->'$.groupId' AS DOUBLE) % 1 = 0
        THEN CAST(CAST(CAST(e.context->'$.groupId' AS DOUBLE) AS HUGEINT) AS VARCHAR) END END"""
"""The account that an event itself says it is of."""
DOINGS = f"""SELECT m.account_id AS profile_id, e.message_id, e.event, epoch_us(e.event_time) AS time_us, e.properties, e.context
    FROM events e JOIN attributions a ON a.message_id = e.message_id JOIN account_members m ON m.profile_id = a.profile_id
    WHERE e.event <> '' AND epoch_us(e.event_time) >= epoch_us(CAST(m.since AS TIMESTAMP))
    AND (m.until IS NULL OR epoch_us(e.event_time) < epoch_us(CAST(m.until AS TIMESTAMP)))
    AND coalesce({NAMED}, m.account_id) = m.account_id"""
"""What members have done while they belonged to an account, as the moments of a query."""


def condition_sql(plan: Plan, condition: Condition, timezone: str) -> str:
    """The condition; dates alone are days of the time zone."""
    return FORMS[condition.form](plan, condition, timezone)


def _all(plan: Plan, condition: All, timezone: str) -> str:
    return "(" + (" AND ".join(condition_sql(plan, part, timezone) for part in condition.of) or "true") + ")"


def _any(plan: Plan, condition: AnyOf, timezone: str) -> str:
    return "(" + (" OR ".join(condition_sql(plan, part, timezone) for part in condition.of) or "false") + ")"


def _at_least(plan: Plan, condition: AtLeast, timezone: str) -> str:
    return "(" + " + ".join(f"CAST({condition_sql(plan, part, timezone)} AS INTEGER)" for part in condition.of) + f" >= {condition.n})"


def _not(plan: Plan, condition: Not, timezone: str) -> str:
    return f"(NOT {condition_sql(plan, condition.of, timezone)})"


def _did(plan: Plan, condition: Did, timezone: str) -> str:
    feature = plan.definitions.features[condition.feature]
    if feature.by is not None:
        return _each(plan, feature, feature.by, condition, timezone)
    measured = feature_value(plan, feature)
    return f"({all_hold(measured, condition.predicates, timezone, lambda field: _single(*_trait_root(plan, field.path)))})"


def _each(plan: Plan, feature: Feature, by: str, condition: Did, timezone: str) -> str:
    """In a query of its own everybody stands as often as there are values in the window, each with its events."""
    about, alone = Plan(plan.definitions), replace(feature, by=None)
    such = all_hold(feature_value(about, alone), condition.predicates, timezone)
    value = Value(extract("properties", parse_path(by)))
    keyed = f"SELECT profile_id || ' ' || {value_key(value)} AS profile_id, message_id, event, time_us, properties, context FROM moments"
    named = [
        ("keyed", f"{keyed} WHERE coalesce({value.present}, false)"),
        ("profiles", f"SELECT DISTINCT profile_id, CAST('{{}}' AS JSON) AS traits FROM keyed WHERE {matching_sql(alone)}"),
        ("moments", "SELECT * FROM keyed"), *about.facts.items(), ("people", people_sql(about.facts, confident=False)),
    ]  # fmt: skip
    parts = ", ".join(f"{name} AS ({body})" for name, body in named)
    values = f"WITH {parts} SELECT split_part(profile_id, ' ', 1) FROM people WHERE {such}"
    return f"(profile_id IN ({values}))"


def _sequence(plan: Plan, condition: InOrder, _timezone: str) -> str:
    return f"coalesce({sequence_column(plan, plan.definitions.features[condition.feature])}, false)"


def _segment(plan: Plan, condition: MemberOf, _timezone: str) -> str:
    at = [segment.name for segment in plan.definitions.segments].index(condition.segment)
    return f"(profile_id IN (SELECT profile_id FROM s_{at}))"


def _new_within(plan: Plan, condition: NewWithin, _timezone: str) -> str:
    return f"coalesce({_seen(plan, 'first', 'min')} > at_us - {condition.within_us}, false)"


def _inactive_for(plan: Plan, condition: InactiveFor, _timezone: str) -> str:
    return f"coalesce({_seen(plan, 'last', 'max')} <= at_us - {condition.for_us}, false)"


def _seen(plan: Plan, which: str, measure: str) -> str:
    """When somebody was first or last seen, by whatever call."""
    owned = "events e JOIN attributions a ON a.message_id = e.message_id"
    return plan.column(
        which, f"{which} seen", f"SELECT a.profile_id, {measure}(epoch_us(e.event_time)) AS value FROM {owned} GROUP BY a.profile_id"
    )


def _account(plan: Plan, condition: InAccount, timezone: str) -> str:
    """In a query of its own accounts stand in the place of people."""
    about = Plan(of_accounts(plan.definitions))
    such = condition_sql(about, condition.of, timezone)
    named = [("profiles", ACCOUNTS), ("moments", DOINGS), *about.facts.items(), ("people", people_sql(about.facts, confident=False))]
    accounts = f"WITH {', '.join(f'{name} AS ({body})' for name, body in named)} SELECT profile_id FROM people WHERE {such}"
    return f"(profile_id IN (SELECT profile_id FROM account_members WHERE until IS NULL AND account_id IN ({accounts})))"


def consent_sql(plan: Plan, purpose: str) -> str:
    """Whether a purpose is granted: as decided, else by its default."""
    default = any(p.default for p in plan.definitions.purposes if p.name == purpose)
    column = plan.column("c", purpose, f"SELECT profile_id, granted AS value FROM consents WHERE purpose = {quote(purpose)}")
    return f"coalesce({column}, {str(default).lower()})"


def _trait(plan: Plan, condition: TraitIs, timezone: str) -> str:
    """A computed name is never read from what identify calls wrote."""
    if condition.feature is not None:
        return f"({all_hold(unbroken_value(plan, plan.definitions.features[condition.feature]), condition.lasting, timezone)})"
    joined = any(isinstance(one.operand, OtherField) for one in condition.predicates)

    def holds(value: Value) -> str:
        return all_hold(value, condition.predicates, timezone, lambda field: _single(*_trait_root(plan, field.path)))

    value, steps = _trait_root(plan, condition.path)
    if value.computed:
        return f"({holds(_single(value, steps))})"
    return f"({some_value(value.json, steps, holds, joined=joined)})"


def _trait_root(plan: Plan, path: str) -> tuple[Value, tuple[Step, ...]]:
    """Where the value of a trait begins, and the path from there."""
    steps = parse_path(path)
    trait = next((t for t in plan.definitions.traits if t.name == steps[0] and t.kind != "plain"), None)
    if trait is None:
        return Value("traits"), steps
    return trait_value(plan, trait), steps[1:]


def trait_value(plan: Plan, trait: Trait) -> Value:
    """A trait that Skep makes."""
    if trait.expression is None:
        return feature_value(plan, plan.definitions.features[trait.feature or ""])
    return derived_value(plan, trait, lambda path: _single(*_trait_root(plan, path)), lambda used: people_sql(used, confident=False))


def people_sql(facts: Iterable[str], *, confident: bool = True) -> str:
    """One row a profile with every fact; what has no row of its own is NULL."""
    columns = "".join(f", {name}.value AS {name}" for name in facts)
    joins = "".join(f" LEFT JOIN {name} ON {name}.profile_id = p.profile_id" for name in facts)
    sure = ", p.confidence, (SELECT at_us FROM clock) AS at_us" if confident else ""
    return f"SELECT p.profile_id, p.traits{sure}{columns} FROM profiles p{joins}"


def _single(value: Value, steps: tuple[Step, ...]) -> Value:
    """The one value at a path; there is nothing below a number."""
    if value.computed:
        return Value() if steps else value
    return Value(extract(value.json, steps))


FORMS: dict[str, Callable[[Plan, Any, str], str]] = {
    "all": _all,
    "any": _any,
    "at_least": _at_least,
    "not": _not,
    "trait": _trait,
    "did": _did,
    "sequence": _sequence,
    "new_within": _new_within,
    "inactive_for": _inactive_for,
    "has": has_sql,
    "sample": sample_sql,
    "in_list": in_list_sql,
    "segment": _segment,
    "account": _account,
    "consent": lambda plan, condition, _timezone: consent_sql(plan, condition.purpose),
}
