"""The words of the language stand in every table that needs them, and the examples of docs/segments.md are true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest

from contracts.envelope import BY_TRAITS
from contracts.language.forms import FORMS
from contracts.language.measures import MEASURES, TRAITS
from contracts.language.merges import MERGES
from contracts.language.operators import IGNORE_CASE, OPERATORS
from contracts.language.spans import WINDOWS, window_schemas
from contracts.model.definitions import Condition
from contracts.text.yaml_tree import Reader
from operators.segments import cells, forms, moving, predicates
from operators.segments.sql import forms as sql_forms
from operators.segments.sql import measures as sql_measures
from operators.segments.sql import operators as sql_operators
from skep.tools.editor import conditions as editor
from skep.tools.editor import words
from skep.tools.editor.files import contract_schemas
from skep.tools.editor.names import Names
from tests import model, model_segments
from tests.engine import HASHER, Engine, from_source
from tests.generator import to_events, written
from tests.golden.cases import definitions_of
from tests.model_links import instant

PAGE = (Path(__file__).parents[2] / "docs/segments.md").read_text()
NOW = "2026-01-31T18:00:00Z"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table behind a heading, without backquotes around all of one."""
    section = f"\n{PAGE}".split(f"\n{heading}\n")[1].split("\n#")[0]
    found = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)[1:]
    return [[re.sub(r"^`(.*)`$", r"\1", cell) for cell in row.split(" | ")] for row in found]


TABLES = {
    heading: rows(f"## {heading}")
    for heading in (
        "Forms",
        "How long it has been so",
        "Sequences",
        "Measures",
        "For each value",
        "Merges",
        "Traits of traits",
        "Windows",
        "Operators",
    )
}
EXAMPLES = [pytest.param(*row, id=row[0]) for table in TABLES.values() for row in table]


def documented(heading: str) -> set[str]:
    return {row[0] for row in TABLES[heading]}


def offered() -> set[str]:
    """The measures that editors know, under their own names."""
    schemas = contract_schemas(Names())
    beside = schemas["segment"]["definitions"]
    traits = schemas["traits"]["properties"]["traits"]["items"]["properties"]
    forms = ("did", "since", "measure", "end", "whether")
    return {name for form in forms for name in beside[form]["properties"] if name in MEASURES} | {
        TRAITS[word].name for word in traits if word in TRAITS
    }


def merges_offered() -> set[str]:
    words, listed = contract_schemas(Names())["traits"]["properties"]["traits"]["items"]["properties"]["merge"]["anyOf"]
    return {*words["enum"], *listed["properties"]}


OF_MERGES = {"by_source"}
"""What no measure beside an event is."""
WORDS: dict[str, dict[str, set[str]]] = {
    "forms": {
        "language": set(FORMS),
        "types": {kind.form for kind in get_args(Condition)},
        "stream": set(forms.FORMS),
        "SQL twin": set(sql_forms.FORMS),
        "editor": set(editor.FORMS),
        "model": set(model_segments.FORMS),
        "docs/segments.md": documented("Forms"),
    },
    "measures": {
        "language": set(MEASURES) - OF_MERGES,
        "stream": set(cells.MEASURES) - OF_MERGES,
        "SQL twin": set(sql_measures.MEASURES) - OF_MERGES,
        "editor": offered(),
        "model": set(model_segments.MEASURES) - OF_MERGES,
        "docs/segments.md": documented("Measures"),
    },
    "merges": {"language": set(MERGES), "editor": merges_offered(), "docs/segments.md": documented("Merges")},
    "windows": {"language": set(WINDOWS), "editor": set(window_schemas()), "docs/segments.md": documented("Windows")},
    "operators": {
        "language": set(OPERATORS),
        "stream": {*predicates.OPERATORS, *moving.MOVING},
        "SQL twin": set(sql_operators.OPERATORS),
        "editor": set(words.predicates()["properties"]) - {IGNORE_CASE},
        "model": set(model_segments.OPERATORS),
        "docs/segments.md": documented("Operators") - {IGNORE_CASE},
    },
}


@pytest.mark.parametrize("kind", WORDS)
def test_every_table_has_every_word(kind: str) -> None:
    every = set[str]().union(*WORDS[kind].values())
    missing = [f"{place} lacks {word}" for place, known in WORDS[kind].items() for word in sorted(every - known)]
    assert not missing, "; ".join(missing)


ADA: list[dict[str, Any]] = [
    {
        "messageId": f"m{number}", "timestamp": time, "userId": "ada", "type": what if what in BY_TRAITS else "track",
        "event": what, "traits" if what in BY_TRAITS else "properties": json.loads(content),
        "groupId": json.loads(content).get("id"),
        "context": {"consent": {"categoryPreferences": {"marketing": True}}} if what == "identify" else {},
    }
    for number, (time, what, content) in enumerate(rows("# Segments: the words of a condition"))
]  # fmt: skip


LISTS = {"vips.csv": "namespace,value\nuser_id,ada\nuser_id,cid\n"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("page") / "shard", definitions_of({"segments": {}}))


@pytest.mark.parametrize(("word", "meaning", "example", "of_ada"), EXAMPLES)
def test_examples_are_true(word: str, meaning: str, example: str, of_ada: str, engine: Engine) -> None:
    """In the stream and in the model; each example has the word that it is for."""
    tree = Reader([]).parse("docs/segments.md", example)
    assert tree is not None
    assert meaning
    assert re.search(rf"\b{word}\b", example) or word == "did", example
    given = tree.plain()
    what = {"traits": [given]} if "name" in given else {}
    segments = {"buyers": {"did": "order_completed"}, **({} if what else {"example": given})}
    definitions = definitions_of({**what, "segments": segments, "purposes": [{"name": "marketing", "default": "denied"}], "lists": LISTS})
    engine.clear(definitions)
    engine.start(["web"])
    engine.feed("web", [written(body) for body in ADA])
    events = from_source("web", to_events(ADA, definitions))
    for lines in (engine.dump(instant(NOW)), model.dump(events, [], definitions, instant(NOW), hasher=HASHER)):
        ada = next(line for line in map(orjson.loads, lines) if line["kind"] == "profile")
        found = json.dumps(ada["traits"][given["name"]]) if what else "yes" if "example" in ada["segments"] else "no"
        assert found == of_ada
