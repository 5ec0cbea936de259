"""Conditions on identifiers as columns of ``people``, made of the table ``identifiers``."""

from __future__ import annotations

import json
from collections.abc import Iterable

from contracts.model.definitions import HasIdentifier, Predicate
from contracts.model.of_identifiers import InList, Sampled
from contracts.text.numbers import MICRO
from operators.segments.identified import entries, hash_of, normalised, position
from operators.segments.sql.operators import all_hold
from operators.segments.sql.plan import Plan
from operators.segments.sql.values import Value, quote

_EQUALS = frozenset({"eq", "ne", "in", "not_in"})


class HiddenValuesError(Exception):
    """A condition asks for values of which the table has only hashes."""

    def __init__(self, what: str, namespace: str) -> None:
        super().__init__(f"{what} asks for values of {namespace}, of which a snapshot has hashes")
        self.what, self.namespace = what, namespace


def has_sql(plan: Plan, condition: HasIdentifier, timezone: str) -> str:
    """Whether some identifier of the namespace satisfies the predicates."""
    predicates = _as_kept(plan, condition, normalised(plan.definitions.identity, condition))
    such = f" AND {all_hold(Value('to_json(value)'), predicates, timezone)}" if predicates else ""
    mine = f"FROM identifiers WHERE namespace = {quote(condition.namespace)}{such}"
    return _some(plan, repr(condition), f"SELECT DISTINCT profile_id, true AS value {mine}")


def _as_kept(plan: Plan, condition: HasIdentifier, predicates: Iterable[Predicate]) -> tuple[Predicate, ...]:
    """The predicates with hashes in the place of values that the table has not."""
    hidden, namespace = plan.hidden, condition.namespace
    if hidden is None or namespace not in hidden.namespaces:
        return tuple(predicates)
    found = []
    for each in predicates:
        if each.op not in _EQUALS or each.ignore_case:
            raise HiddenValuesError(f"has: {namespace} with {each.op}", namespace)
        operand = each.operand
        several = isinstance(operand, list)
        hashes = [hidden.hashed(namespace, one) if isinstance(one, str) else one for one in (operand if several else [operand])]
        found.append(Predicate(each.op, hashes if several else hashes[0]))
    return tuple(found)


def in_list_sql(plan: Plan, condition: InList, _timezone: str) -> str:
    """Whether some identifier is in the list."""
    listed, rules = plan.definitions.lists[condition.list], plan.definitions.identity
    names = [namespace.name for namespace in rules.namespaces]
    found = {names[at]: set(values) for at, values in entries(listed, rules).values.items()}
    if plan.hidden is not None:
        for namespace in found.keys() & plan.hidden.namespaces:
            found[namespace] = {plan.hidden.hashed(namespace, value) for value in found[namespace]}
    for namespace, text in listed.entries:
        if hash_of(text) is not None:
            found.setdefault(namespace, set()).add(text)
    rows = [f"SELECT {quote(name)} AS namespace, {_each(sorted(values))} AS value" for name, values in sorted(found.items())]
    none = "SELECT CAST(NULL AS VARCHAR) AS namespace, CAST(NULL AS VARCHAR) AS value WHERE false"
    listed_here = f"({' UNION ALL '.join(rows) or none}) l ON l.namespace = i.namespace AND l.value = i.value"
    return _some(plan, f"list {condition.list}", f"SELECT DISTINCT i.profile_id, true AS value FROM identifiers i JOIN {listed_here}")


def _each(values: list[str]) -> str:
    """Many texts as rows; as one literal, which DuckDB reads at once."""
    return f"unnest(from_json({quote(json.dumps(values, ensure_ascii=False))}, '[\"VARCHAR\"]'))"


def sample_sql(plan: Plan, condition: Sampled, _timezone: str) -> str:
    """Whether the identifier that chooses lies in the share."""
    rules = plan.definitions.identity
    chosen = [condition.by] if condition.by is not None else [namespace.name for namespace in rules.namespaces]
    if plan.hidden is not None:
        for namespace in chosen:
            if namespace in plan.hidden.namespaces:
                raise HiddenValuesError(f"sample by {'the lead' if condition.by is None else namespace}", namespace)
    among = f"namespace IN ({', '.join(map(quote, chosen))})"
    rank = "CASE namespace " + " ".join(f"WHEN {quote(name)} THEN {position(rules, name)}" for name in chosen) + " END"
    first = f"row_number() OVER (PARTITION BY profile_id ORDER BY {rank}, first_seen, value)"
    said = f"{quote(f'{condition.seed}:')} || namespace || ':' || value"
    below = f"CAST('0x' || left(sha256({said}), 8) AS BIGINT) * {100 * MICRO} < {condition.percent << 32}"
    one = f"SELECT profile_id, namespace, value FROM identifiers WHERE {among} QUALIFY {first} = 1"
    return _some(plan, repr(condition), f"SELECT profile_id, {below} AS value FROM ({one})")


def _some(plan: Plan, key: str, body: str) -> str:
    return f"coalesce({plan.column('i', key, body)}, false)"
