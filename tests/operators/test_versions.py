"""Which version of a contract judges an event, what is stored with it, and how old documents are read."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import Event, Refused
from contracts.model.definitions import Definitions
from contracts.model.versions import way
from operators.judge import Judge
from tests.contracts.project import GOOD

NOW = 1_790_000_000_000_000
ONE = (
    '{"type": "object", "properties": {"mail": {"type": "string"}, "cents": {"type": "integer"}}, '
    '"required": ["mail"], "additionalProperties": false}'
)
ONE_ONE = ONE.replace('"required": ["mail"]', '"required": ["mail", "cents"]')
TWO = (
    '{"type": "object", "properties": {"email": {"type": "string"}, "total": {"type": "number"}}, '
    '"required": ["email"], "additionalProperties": false}'
)
UP = """\
upcast: 1-0-0 to 2-0-0
steps:
  - rename: {mail: email, cents: total}
  - convert: {path: total, unit: {from: cent, to: euro}}
examples:
  - old: {mail: a@b.c, cents: 1999}
    new: {email: a@b.c, total: 19.99}
"""
FILES = {
    "events/signed_up/1-0-0.json": ONE,
    "events/signed_up/1-1-0.json": ONE_ONE,
    "events/signed_up/2-0-0.json": TWO,
    "events/signed_up/1-0-0-to-2-0-0.yaml": UP,
}


def project(**files: str | None) -> Definitions:
    """The contracts above; a file given as None is not there."""
    texts = {**GOOD, **FILES, **{f"events/signed_up/{name}": text for name, text in files.items()}}
    return load({path: text for path, text in texts.items() if text is not None})


def judge(definitions: Definitions, properties: dict[str, Any], **more: Any) -> Event | Refused:
    body = {"type": "track", "event": "Signed Up", "timestamp": "2026-01-31T10:00:00Z", "userId": "u", "properties": properties, **more}
    return Judge(definitions, unknown_ok=False, future_skew_us=1, max_event_bytes=10_000).judge(orjson.dumps(body), 1, NOW)


def contract(found: Event | Refused) -> str:
    assert isinstance(found, Event), found
    return found.contract


def test_the_newest_version_of_the_oldest_model_that_accepts_it_is_an_events_contract() -> None:
    known = project()
    assert contract(judge(known, {"mail": "a", "cents": 1})) == "signed_up/1-1-0"
    assert contract(judge(known, {"mail": "a"})) == "signed_up/1-0-0"
    assert contract(judge(known, {"email": "a"})) == "signed_up/2-0-0"


def test_an_event_may_name_its_version() -> None:
    known = project()
    assert contract(judge(known, {"mail": "a", "cents": 1}, context={"contract": "signed_up/1-0-0"})) == "signed_up/1-0-0"
    refused = judge(known, {"mail": "a"}, context={"contract": "signed_up/1-1-0"})
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.detail) == ("invalid", 'properties: "cents" is a required property (signed_up/1-1-0)')


@pytest.mark.parametrize("named", ["signed_up/9-0-0", "order_completed/1-0-0"])
def test_a_version_that_is_not_there_is_told_with_those_that_are(named: Any) -> None:
    refused = judge(project(), {"mail": "a"}, context={"contract": named})
    assert isinstance(refused, Refused)
    assert refused.reason == "unsupported_version"
    assert "expected one of signed_up/1-0-0, signed_up/1-1-0, signed_up/2-0-0" in refused.detail


@pytest.mark.parametrize(
    "said", ["1-0-0", 7, {"a": 1}, "", "standard-2024", "signed_up/5", "Signed Up/1-0-0", "signed_up/01-1-0", ["signed_up/1-0-0"]]
)
def test_a_field_of_the_senders_own_names_no_version(said: Any) -> None:
    assert contract(judge(project(), {"mail": "a"}, context={"contract": said})) == "signed_up/1-0-0"


def test_what_none_accepts_is_told_in_the_words_of_the_newest() -> None:
    refused = judge(project(), {"email": 5})
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.detail) == ("invalid", 'properties.email: 5 is not of type "string" (signed_up/2-0-0)')


def test_old_documents_are_read_at_the_newest_model() -> None:
    known = project()
    found = judge(known, {"mail": "A@B.c", "cents": 1999})
    assert isinstance(found, Event)
    assert found.properties == {"email": "A@B.c", "total": 19.99}
    assert (1, "a@b.c") in found.identifiers
    assert found.body["properties"] == {"mail": "A@B.c", "cents": 1999}
    judged = Judge(known, unknown_ok=False, future_skew_us=1, max_event_bytes=10_000)
    again = judged.reread(found.raw, found.contract)
    assert (again.properties, again.identifiers, again.contract) == (found.properties, found.identifiers, found.contract)
    assert judged.reread(found.raw, "").properties == {"mail": "A@B.c", "cents": 1999}


def test_a_draft_judges_only_who_names_it() -> None:
    known = project(**{"2-0-0.json": TWO.replace("{", '{"status": "draft", ', 1)})
    assert isinstance(judge(known, {"email": "a"}), Refused)
    assert contract(judge(known, {"email": "a"}, context={"contract": "signed_up/2-0-0"})) == "signed_up/2-0-0"


def test_a_deprecated_version_judges_no_later_event() -> None:
    ended = '{"status": {"deprecated": "2026-01-01"}, '
    known = project(**{name: text.replace("{", ended, 1) for name, text in (("1-0-0.json", ONE), ("1-1-0.json", ONE_ONE))})
    assert contract(judge(known, {"mail": "a"}, timestamp="2025-12-31T23:59:59Z")) == "signed_up/1-0-0"
    refused = judge(known, {"mail": "a"}, timestamp="2026-01-01")
    assert isinstance(refused, Refused)
    assert refused.reason == "invalid"
    refused = judge(known, {"mail": "a"}, context={"contract": "signed_up/1-0-0"})
    assert isinstance(refused, Refused)
    assert refused.detail == "context.contract: signed_up/1-0-0 is deprecated since 2026-01-01T00:00:00.000000Z"


def test_what_an_upcast_cannot_convert_is_refused_with_its_line() -> None:
    up = UP.replace("unit: {from: cent, to: euro}", "type: integer").replace("19.99", "1999").replace("cents: 1999", 'cents: "1999"')
    loose = ONE.replace('{"type": "integer"}', "{}")
    tight = TWO.replace('"total": {"type": "number"}', '"total": {"type": "integer"}')
    known = project(**{"1-0-0.json": loose, "1-1-0.json": None, "2-0-0.json": tight, "1-0-0-to-2-0-0.yaml": up})
    refused = judge(known, {"mail": "a", "cents": "many"})
    assert isinstance(refused, Refused)
    assert refused.reason == "upcast"
    assert refused.detail.startswith("signed_up/1-0-0: ")
    assert "total" in refused.detail


def test_upcasts_chain_from_the_nearest_start() -> None:
    three = {
        "3-0-0.json": TWO.replace("total", "amount"),
        "2-0-0-to-3-0-0.yaml": "upcast: 2-0-0 to 3-0-0\nsteps:\n  - rename: {total: amount}\n",
    }
    known = project(**three)
    found = judge(known, {"mail": "a", "cents": 5})
    assert isinstance(found, Event)
    assert found.properties == {"email": "a", "amount": 0.05}
    steps = way((1, 1, 0), known.upcasts["signed_up"], (3, 0, 0))
    assert [(one.old, one.new) for one in steps] == [((1, 0, 0), (2, 0, 0)), ((2, 0, 0), (3, 0, 0))]


def test_types_are_shared_by_contracts() -> None:
    known = load(
        {
            **GOOD,
            "types/money.json": '{"properties": {"cents": {"$ref": "#/$defs/whole"}}, "$defs": {"whole": {"type": "integer"}}}',
            "events/signed_up/1-0-0.json": '{"properties": {"price": {"$ref": "../../types/money.json"}}}',
        }
    )
    assert contract(judge(known, {"price": {"cents": 1}})) == "signed_up/1-0-0"
    assert isinstance(judge(known, {"price": {"cents": "1"}}), Refused)
