"""What a reply is: a line a case."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from operators.activation.classify import classify
from operators.activation.told import Reply, Request, Verdict
from tests.operators.activation.files import HTTP, destination

PLAIN = (
    HTTP
    + """
requests:
  enter: {path: /in, batch: {max: 9, at: people, item: {mail: person.identifiers.email}}}
  exit: {method: DELETE, path: "/lists/{audience}/{person.profile}"}
  erase: {method: DELETE, path: "/lists/{audience}"}
"""
)
ITEMS = (
    PLAIN
    + """
replies:
  items: results
  failed: {path: status, not_in: [200, 201]}
  retry_item: {path: status, in: [429, 500]}
  rules: [{status: 200, path: code, eq: 40100, class: throttle}, {status: [400, 404], path: error, contains: Quota, class: throttle}]
  remote_id: id
  reason: [message]
  wait: X-Reset
  wait_is: epoch
"""
)
BY_INDEX = PLAIN + "replies: {errors: {at: errors, index: batch_index, retry: {path: code, eq: busy}}}\n"
BY_VALUE = PLAIN + "replies: {errors: {at: [bad.mails, worse], item: mail}}\n"
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def asked(call: str = "enter", people: int = 3) -> Request:
    mails = [f"p{number}@example.org" for number in range(people)]
    body = orjson.dumps({"people": [{"mail": mail} for mail in mails]})
    return Request(call, "POST", "https://x.example", {}, body, tuple(range(people)), sent=tuple({"email": mail} for mail in mails))


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    raw = b"" if body is None else body.encode() if isinstance(body, str) else orjson.dumps(body)
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def judged(text: str, request: Request, answer: Reply) -> Verdict:
    return classify(destination(text), request, answer, NOW)


BY_STATUS = [
    (200, "enter", 3, "delivered"), (204, "enter", 1, "delivered"), (207, "enter", 3, "delivered"),
    (301, "enter", 3, "refused"), (302, "enter", 1, "refused"),
    (400, "enter", 3, "split"), (413, "enter", 2, "split"), (422, "enter", 2, "split"),
    (400, "enter", 1, "refused"), (422, "enter", 1, "refused"),
    (401, "enter", 3, "auth"), (403, "exit", 1, "auth"),
    (404, "exit", 1, "delivered"), (410, "exit", 1, "delivered"), (404, "erase", 1, "refused"), (404, "enter", 1, "refused"),
    (408, "enter", 3, "retry"), (425, "enter", 3, "retry"), (409, "enter", 3, "refused"), (429, "enter", 3, "throttle"),
    (500, "enter", 3, "retry"), (502, "enter", 3, "retry"), (503, "exit", 1, "retry"), (599, "exit", 1, "retry"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "call", "people", "says"), BY_STATUS)
def test_by_status(status: int, call: str, people: int, says: str) -> None:
    found = judged(PLAIN, asked(call, people), reply(status))
    assert (found.says, found.failed, found.retry) == (says, (), ())


@pytest.mark.parametrize("failure", ["timeout", "connection", "half", "tls", "too_large"])
def test_no_answer_is_tried_again(failure: Any) -> None:
    assert judged(ITEMS, asked(), Reply(200, {}, b"", failure)).says == "retry"


BROKEN = [
    (reply(200, "<html>welcome</html>"), "retry"),
    (reply(200, "<!doctype html>", Content_Type="text/html"), "retry"),
    (reply(502, "<html>bad gateway</html>", Content_Type="text/html"), "retry"),
    (reply(200, '{"results": [{"sta', Content_Type="application/json"), "retry"),
    (reply(200, "{}", Content_Length="400"), "retry"),
    (reply(200, "ok"), "delivered"),
    (reply(200, {"anything": 1}), "delivered"),
]


@pytest.mark.parametrize(("answer", "says"), BROKEN, ids=str)
def test_a_page_or_half_an_answer_delivers_nothing(answer: Reply, says: str) -> None:
    assert judged(PLAIN, asked(), answer).says == says


def test_any_page_will_do_for_a_webhook() -> None:
    text = 'kind: webhook\nconnection: {url: "https://x.example"}\n'
    assert judged(text, asked(people=1), reply(200, "<html></html>")).says == "delivered"


WAITS = [
    ({"Retry_After": "7"}, 7), ({"Retry_After": "0"}, 0), ({"retry_after": "2.5"}, 2.5), ({}, None), ({"Retry_After": "soon"}, None),
    ({"Retry_After": "Mon, 30 Nov 2026 12:01:30 GMT"}, 90), ({"Retry_After": "Mon, 30 Nov 2026 11:00:00 GMT"}, 0),
    ({"Retry_After": "Mon, 30 Nov 2026 12:01:30 GMT", "Date": "Mon, 30 Nov 2026 12:01:00 GMT"}, 30),
    ({"X_Reset": str(int(NOW.timestamp()) + 40)}, 40), ({"X_Reset": "1", "Retry_After": "9"}, 9),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "wait"), WAITS, ids=str)
@pytest.mark.parametrize(("status", "says"), [(429, "throttle"), (503, "retry")])
def test_how_long_it_asks_to_wait(status: int, says: str, headers: dict[str, str], wait: float | None) -> None:
    found = judged(ITEMS, asked(), reply(status, None, **headers))
    assert (found.says, found.wait) == (says, wait)


def test_results_in_the_order_sent() -> None:
    body = {"results": [{"status": 200, "id": 5}, {"status": 500}, {"status": 409}]}
    found = judged(ITEMS, asked(), reply(200, body))
    assert (found.says, found.failed, found.retry, found.remote_ids) == ("partial", (1, 2), (1,), ("5", None, None))
    assert judged(ITEMS, asked(), reply(200, {"results": [{"status": 200}] * 3})).says == "delivered"


def test_of_whom_no_result_is_told_nothing_is_known() -> None:
    found = judged(ITEMS, asked(), reply(200, {"results": [{"status": 201}]}))
    assert (found.says, found.failed, found.retry) == ("partial", (1, 2), (1, 2))


def test_rules_come_first() -> None:
    assert judged(ITEMS, asked(), reply(200, {"code": 40100})).says == "throttle"
    assert judged(ITEMS, asked(), reply(404, {"error": "over quota"})).says == "throttle"
    assert judged(ITEMS, asked(), reply(404, {"error": "no list"})).says == "refused"


def test_errors_by_position() -> None:
    body = {"errors": [{"batch_index": 2, "code": "busy"}, {"batch_index": "0", "code": "bad"}]}
    found = judged(BY_INDEX, asked(), reply(200, body))
    assert (found.says, found.failed, found.retry) == ("partial", (0, 2), (2,))
    assert judged(BY_INDEX, asked(), reply(200, {"errors": []})).says == "delivered"


def test_errors_by_value() -> None:
    found = judged(BY_VALUE, asked(), reply(200, {"bad": {"mails": ["P1@example.org"]}, "worse": [{"mail": "p2@example.org"}]}))
    assert (found.says, found.failed, found.retry) == ("partial", (1, 2), ())


def test_errors_of_whom_it_is_not_known_who_they_are_split_the_batch() -> None:
    assert judged(BY_VALUE, asked(), reply(200, {"worse": ["who@example.org"]})).says == "split"
    assert judged(BY_VALUE, asked(people=1), reply(200, {"worse": ["who@example.org"]})).failed == (0,)


def test_a_reason_names_nobody() -> None:
    said = "mail p1@example.org and other@example.net, phone +44 7700 900123 unknown"
    found = judged(ITEMS, asked(), reply(409, {"message": said}))
    assert found.reason == "HTTP 409: mail … and …, phone … unknown"
