"""The rules by which a visit is of a channel: those that come with Skep, or a project's own, read and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from connectors.lookups.data_table import Unusable
from contracts.text.keys import Fields, Key, Own, Text
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree

SHIPPED = Path(__file__).with_name("channels.yaml")
CLAUSES = ("source", "medium", "campaign", "click")
RULE_FILE = Fields((Key("lists", Own({})), Key("rules", Own({}), required="a list of rules, each with a channel")))
RULE = Fields((Key("channel", Text(), required="the name of the channel"), *(Key(name, Own({})) for name in CLAUSES)))


def channel_rules(path: Path | None) -> tuple[bytes, int]:
    """The rules as JSON, ``[[channel, {clause: [text]}]]``, and how many there are. Raises `Unusable` with the line, and `OSError`."""
    file = path or SHIPPED
    reader = Reader([])
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("path", "a text in UTF-8", "other bytes", "save it anew, with the encoding UTF-8") from None
    tree = reader.parse(file.name, text)
    rules = [] if tree is None else _rules(reader, tree)
    if not reader.problems and not rules:
        raise Unusable("path", "at least one rule", "none")
    if reader.problems:
        first = reader.problems[0]
        raise Unusable("path", first.expected, f"{first.found} in line {first.line}, {first.key}", first.hint)
    return orjson.dumps(rules), len(rules)


def _rules(reader: Reader, tree: Tree) -> list[list[Any]]:
    parts = RULE_FILE.parts(reader, tree)
    RULE_FILE.values(reader, tree, parts)
    lists = reader.mapping(parts["lists"], "a mapping of names to lists of texts") if "lists" in parts else {}
    known = {name: [one.value.lower() for one in reader.texts(part, "a list of texts")] for name, part in lists.items()}
    found: list[list[Any]] = []
    for item in reader.items(parts.get("rules"), "a list of rules, each with a channel"):
        clauses = RULE.parts(reader, item)
        said = RULE.values(reader, item, clauses)
        found.append([said["channel"], {name: _texts(reader, clauses[name], known) for name in CLAUSES if name in clauses}])
    return found


def _texts(reader: Reader, at: Tree, known: dict[str, list[str]]) -> list[str]:
    texts: list[str] = []
    for part in reader.texts(at, "a text, a list of texts, or $ and the name of a list"):
        name = part.value.removeprefix("$")
        if name == part.value:
            texts.append(name.lower())
        elif name in known:
            texts += known[name]
        else:
            reader.refuse(part, "$ and the name of one of `lists`", part.value, choices(name, known))
    return texts
