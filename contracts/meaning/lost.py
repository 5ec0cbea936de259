"""What tags say in vain: references that cannot be followed, tags where no keyword leads to, and tags that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contracts.meaning.classes import CLASSES, TAG, is_tag
from contracts.meaning.properties import Properties
from contracts.meaning.reach import reach_of
from contracts.text.problems import Problem, listed
from contracts.text.schema_files import key_of
from schemalogic.document import Document
from schemalogic.keywords import Steps

_HIDDEN = "until then all that stands there is hidden"


def lost_tags(properties: Properties) -> list[Problem]:
    """A problem for each place in contracts and types where personal values may be tagged and nobody can tell.

    `contracts.meaning.personal` hides the whole value there.
    """
    return [problem for document in properties.documents() for problem in _lost(document)]


def _lost(document: Document) -> Iterator[Problem]:
    for place, ways in reach_of(document).lost.items():
        yield from (_problem(document, steps) for steps in ways if place.key[0] == document.root.key[0])


def _problem(document: Document, steps: Steps) -> Problem:
    found: Any = document.schema
    for step in steps:
        found = found[step]
    word = str(steps[-1])
    if word == "$recursiveRef":
        expected, hint = "a reference that can be followed", f'write `"$ref": "#"`; {_HIDDEN}'
    elif word in {"$ref", "$dynamicRef"}:
        expected, hint = "a reference that can be followed", _HIDDEN
    elif word == TAG and not isinstance(found, dict):
        expected, hint = listed(CLASSES), _HIDDEN
    elif is_tag(word) and not isinstance(found, dict):
        expected, found, hint = f"the tag {TAG}", word, _HIDDEN
    else:
        expected, found, hint = f"{TAG} in a schema that a keyword or a reference leads to", f"it in {word}", _HIDDEN
    path = document.root.at(*steps)
    shown = found if isinstance(found, str) else json.dumps(found)
    return Problem(document.file, path.line, key_of(list(steps)), expected, shown[:60], hint)
