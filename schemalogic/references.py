"""``$ref``: to nowhere, to another document, or round and round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemalogic.document import Document, Place
from schemalogic.keywords import Steps, UnreadableDraft


def check_references(schema: Any, types: Mapping[str, Any]) -> list[tuple[Steps, str]]:
    """What is wrong with the references of a schema: the way to each, and a message. ``types``: contracts/types by file stem."""
    try:
        found = Document("", schema, types)
    except UnreadableDraft as error:
        return [(error.path, str(error))]
    wrong = [(error.path, str(error)) for place, error in found.broken if _is_own(place)]
    return wrong + [((*place.path, word), message) for place, word, message in loops(found) if _is_own(place)]


def loops(found: Document) -> list[tuple[Place, str, str]]:
    """The references that lead back to themselves without going into the value: no value could ever be judged.

    The place, the keyword, and a message.
    """
    on_the_way: set[Place] = set()
    done: set[Place] = set()
    wrong: list[tuple[Place, str, str]] = []
    for start in found.places.values():
        if start in done:
            continue
        way: list[Place] = [start]
        ways = [found.edges(start)]
        on_the_way.add(start)
        while ways:
            following = next(ways[-1], None)
            if following is None:
                ways.pop()
                done.add(way[-1])
                on_the_way.discard(way.pop())
            elif following in on_the_way:
                wrong.append(_loop(way[way.index(following) :]))
            elif isinstance(following.schema, dict) and following not in done:
                way.append(following)
                ways.append(found.edges(following))
                on_the_way.add(following)
    return wrong


def _loop(members: list[Place]) -> tuple[Place, str, str]:
    """The first reference of a loop, if possible one of the schema itself."""
    words = [(place, word) for place in members for word in ("$ref", "$dynamicRef") if isinstance(place.schema.get(word), str)]
    place, word = min(words, key=lambda one: not _is_own(one[0]))
    return place, word, f"{place.schema[word]} leads back to itself without going into the value"


def _is_own(place: Place) -> bool:
    """Whether a place is of the schema itself, not of a type."""
    return place.key[0] == place.document.root.key[0]
