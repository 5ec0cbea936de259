"""Conditions on the identifiers of a person: has one of a namespace, is in a list of them, is of the share that one of them chooses."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from contracts.model.definitions import Definitions, HasIdentifier, IdentityRules, Predicate
from contracts.model.of_identifiers import IdentifierList, InList, Sampled
from contracts.text.numbers import MICRO
from operators.extract import Identifiers
from operators.records import Identifier, Person
from operators.segments.predicates import compiled

Holds = Callable[[Person], bool]
_EQUALS = frozenset({"eq", "ne", "in", "not_in"})
_HASH = "h_"
_HASH_DIGITS = 32


class Entries(NamedTuple):
    """Of a list: ``values`` by position of their namespace, normalised; ``hashes``: those of personal ones."""

    values: dict[int, frozenset[str]]
    hashes: frozenset[bytes]


def has(definitions: Definitions, condition: HasIdentifier, zone: str) -> Holds:
    """Whether some identifier of the namespace satisfies the predicates."""
    at = position(definitions.identity, condition.namespace)
    if not condition.predicates:
        return lambda person: any(each.namespace == at for each in person.identifiers)
    test = compiled(normalised(definitions.identity, condition), zone)
    return lambda person: any(each.namespace == at and test(each.value) for each in person.identifiers)


def normalised(rules: IdentityRules, condition: HasIdentifier) -> tuple[Predicate, ...]:
    """The predicates with the values to which they ask for equality as identifiers have them."""
    identifiers = Identifiers(rules)

    def one(text: object) -> object:
        found = identifiers.normalize(condition.namespace, text)
        return text if found is None else found[1]

    def as_kept(operand: object) -> object:
        return [one(each) for each in operand] if isinstance(operand, list) else one(operand)

    return tuple(
        Predicate(each.op, as_kept(each.operand), each.ignore_case) if each.op in _EQUALS else each for each in condition.predicates
    )


def in_list(definitions: Definitions, condition: InList) -> Holds:
    """Whether some identifier is in the list."""
    values, hashes = entries(definitions.lists[condition.list], definitions.identity)
    if not hashes:
        return lambda person: any(each.namespace in values and each.value in values[each.namespace] for each in person.identifiers)
    return lambda person: any(
        each.hash in hashes or (each.namespace in values and each.value in values[each.namespace]) for each in person.identifiers
    )


@lru_cache(maxsize=64)
def entries(listed: IdentifierList, rules: IdentityRules) -> Entries:
    """What a list asks for; a value that is no identifier by the rules is nobody's."""
    identifiers, values, hashes = Identifiers(rules), dict[int, set[str]](), set[bytes]()
    for namespace, text in listed.entries:
        known = hash_of(text)
        if known is not None:
            hashes.add(known)
            continue
        found = identifiers.normalize(namespace, text)
        if found is not None:
            values.setdefault(found[0], set()).add(found[1])
    return Entries({at: frozenset(some) for at, some in values.items()}, frozenset(hashes))


def hash_of(text: str) -> bytes | None:
    """The 16 bytes of a personal value's hash; None of any other text."""
    if not text.startswith(_HASH) or len(text) != len(_HASH) + _HASH_DIGITS:
        return None
    try:
        return bytes.fromhex(text[len(_HASH) :])
    except ValueError:
        return None


def sampled(definitions: Definitions, condition: Sampled) -> Holds:
    """Whether the identifier that chooses puts somebody into the share."""
    names = [namespace.name for namespace in definitions.identity.namespaces]
    by = None if condition.by is None else position(definitions.identity, condition.by)

    def holds(person: Person) -> bool:
        chosen = choosing(person, by)
        return chosen is not None and is_below(condition, names[chosen.namespace], chosen.value)

    return holds


def choosing(person: Person, by: int | None) -> Identifier | None:
    """The identifier of a namespace that was seen first, of several the smaller text; without one the lead."""
    if by is None:
        return next((each for each in person.identifiers if each.hash == person.key), None)
    mine = [each for each in person.identifiers if each.namespace == by]
    return min(mine, key=lambda each: (each.first, each.value), default=None)


def is_below(condition: Sampled, namespace: str, value: str) -> bool:
    """Whether an identifier lies in the share."""
    digest = sha256(f"{condition.seed}:{namespace}:{value}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") * 100 * MICRO < condition.percent << 32


def position(rules: IdentityRules, namespace: str) -> int:
    """Of a namespace among the rules'."""
    return next(at for at, each in enumerate(rules.namespaces) if each.name == namespace)
