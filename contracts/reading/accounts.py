"""``accounts.yaml``: the traits of accounts, which are computed from what their members do."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.language.features import Measured
from contracts.model.traits import FILES, Trait
from contracts.reading.derived import WORDS
from contracts.reading.traits import TRAIT, read_traits
from contracts.text.keys import Fields, Key
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import path_text
from schemalogic.typed import Typed

FILE = FILES["group"]
_OF_PEOPLE: Mapping[str, str] = {
    "emit": "no `emit`: of changes of accounts nobody is told but by segments",
    "merge": "a measure: of what group calls say the newest counts",
    "session": "another window: sessions are of people",
    "searchable": "no `searchable`: people are found by what they are themselves",
}
"""Keys of traits that those of accounts have not, and what is expected in their place."""


def read_account_traits(
    reader: Reader, at: Tree, measured: Measured, purposes: tuple[str, ...] | None
) -> tuple[dict[str, Trait], dict[str, Typed]]:
    """The traits by name, and of what kind their values can be; as `read_traits`."""
    before = len(reader.problems)
    traits, types = read_traits(reader, at, measured, purposes)
    if len(reader.problems) > before and not isinstance(at.value, dict):
        return traits, types
    listed = at.value["traits"].value if isinstance(at.value, dict) and "traits" in at.value else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item.value, dict):
            _check(reader, item, traits, measured)
    return traits, types


def _check(reader: Reader, item: Tree, traits: dict[str, Trait], measured: Measured) -> None:
    for word, expected in _OF_PEOPLE.items():
        if word in item.value:
            reader.refuse(item.value[word], expected, None, "leave it out")
    at = item.value.get("name")
    trait = traits.get(at.value) if at is not None and isinstance(at.value, str) else None
    if at is None or trait is None:
        return
    if trait.kind == "plain" and "merge" not in item.value:
        words = f"a measure beside it, such as count, sum or last, or {' or '.join(WORDS)}"
        reader.refuse(at, words, None, "what group calls say of accounts needs no line")
    elif measured.properties.contracts.get("group") and measured.properties.typed("group", path_text((trait.name,))) is not None:
        hint = "the contract of group declares it, so calls may say it: choose another name"
        reader.refuse(at, "a name of which no group call says anything", trait.name, hint)


_KEYS = tuple(key for key in TRAIT.keys if key.name not in _OF_PEOPLE)
TRAIT_OF_ACCOUNT = Fields(_KEYS, TRAIT.more)
ACCOUNTS_FILE = Fields((Key("traits", TRAIT_OF_ACCOUNT.listed(), "traits of accounts, computed from what their members do"),))
