"""``$ref``: to nowhere, to another document, or round and round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemalogic.walk import Documents, Key, Steps, UnreadableDraft, read_documents


def check_references(schema: Any, types: Mapping[str, Any]) -> list[tuple[Steps, str]]:
    """What is wrong with the references of a schema: the way to each, and a message. ``types``: contracts/types by file stem."""
    try:
        found = read_documents(schema, types)
    except UnreadableDraft as error:
        return [(error.path, str(error))]
    wrong = [(error.path, str(error)) for (document, _), error in found.broken if document == found.root]
    return wrong + [(path, message) for (document, path), message in loops(found) if document == found.root]


def loops(found: Documents) -> list[tuple[Key, str]]:
    """The references that lead back to themselves without going into the value: no value could ever be judged.

    The document and the way to the keyword, and a message.
    """
    on_the_way: set[Key] = set()
    done: set[Key] = set()
    wrong: list[tuple[Key, str]] = []
    for start in found.places:
        if start in done:
            continue
        way: list[Key] = [start]
        ways = [found.edges(start)]
        on_the_way.add(start)
        while ways:
            following = next(ways[-1], None)
            if following is None:
                ways.pop()
                done.add(way[-1])
                on_the_way.discard(way.pop())
            elif following in on_the_way:
                wrong.append(_loop(found, way[way.index(following) :]))
            elif following in found.places and following not in done:
                way.append(following)
                ways.append(found.edges(following))
                on_the_way.add(following)
    return wrong


def _loop(found: Documents, members: list[Key]) -> tuple[Key, str]:
    """The first reference of a loop, if possible one of the schema itself."""
    words = [(key, word) for key in members for word in ("$ref", "$dynamicRef") if isinstance(found.places[key].schema.get(word), str)]
    (document, steps), word = min(words, key=lambda one: one[0][0] != found.root)
    reference = found.places[document, steps].schema[word]
    return (document, (*steps, word)), f"{reference} leads back to itself without going into the value"
