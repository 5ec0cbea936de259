"""Requests: batches, order, secrets, identities, look-ups, webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.activation.renderer import Renderer
from operators.activation.told import Request, Told
from operators.activation.webhook import signed
from tests.operators.activation.files import HTTP, destination, enter, leave, render, somebody

LIST = (
    HTTP
    + """
audiences: {vips: list-7, buyers: "list 8"}
limits: {bytes: 300B}
requests:
  enter:
    path: "/lists/{audience}"
    batch: {max: 3, at: data.people, item: {id: person.profile, mail: person.identifiers.email}}
    body: {data: {how: {constant: add}}}
  exit: {method: DELETE, path: "/lists/{audience}/{person.profile}", query: {mail: person.identifiers.email}}
  update: {method: PUT, path: "/people/{person.profile}", body: person.traits}
"""
)


def bodies(requests: tuple[Request, ...]) -> list[Any]:
    return [None if one.body is None else orjson.loads(one.body) for one in requests]


def test_people_of_one_audience_are_in_one_request_up_to_its_most() -> None:
    found = render(LIST, *(enter(f"p{number}") for number in range(5)))
    assert [one.told for one in found.requests] == [(0, 1, 2), (3, 4)]
    assert found.requests[0].url == "https://api.example.com/v1/lists/list-7"
    assert bodies(found.requests)[1] == {
        "data": {"how": "add", "people": [{"id": "p3", "mail": "p3@example.org"}, {"id": "p4", "mail": "p4@example.org"}]}
    }


def test_a_body_is_no_larger_than_its_bytes() -> None:
    found = render(LIST, *(enter("p" + str(number) * 60) for number in range(3)))
    assert [one.told for one in found.requests] == [(0,), (1,), (2,)]
    assert all(len(one.body or b"") <= 300 for one in found.requests)


def test_what_is_in_braces_is_one_segment_and_a_query_is_encoded() -> None:
    (found,) = render(LIST, leave("a/b?c", "buyers")).requests
    assert found.url == "https://api.example.com/v1/lists/list%208/a%2Fb%3Fc?mail=a%2Fb%3Fc%40example.org"
    assert (found.method, found.body, "Content-Type" in found.headers) == ("DELETE", None, False)


CALLS = st.lists(
    st.tuples(st.sampled_from(["enter", "exit", "update"]), st.sampled_from("abc"), st.sampled_from(["vips", "buyers"])), max_size=30
)


@given(CALLS)
def test_everybody_is_told_everything_in_order_and_is_nowhere_twice(calls: list[tuple[str, str, str]]) -> None:
    """Whatever is told to whom: each of it once, of each person in the order given, in requests of one call and one audience."""
    told = [
        Told(call, somebody(person, traits={"n": at}), str(at), None if call == "update" else audience)  # type: ignore[arg-type]
        for at, (call, person, audience) in enumerate(calls)
    ]
    found = render(LIST, *told)
    assert sorted(at for one in found.requests for at in one.told) == list(range(len(told)))
    of_person = defaultdict(list)
    for request in found.requests:
        assert len({(told[at].call, told[at].audience) for at in request.told}) == 1
        people = [told[at].person["profile"] for at in request.told]
        assert len(people) == len(set(people))
        for at in request.told:
            of_person[told[at].person["profile"]].append(at)
    assert all(positions == sorted(positions) for positions in of_person.values())


def test_who_leaves_is_named_as_when_he_came() -> None:
    text = LIST.replace("audiences:", "match: [email]\naudiences:", 1)
    gone = leave(sent_as={"vips": {"email": "old@example.org"}, "buyers": {"email": "other@example.org"}})
    assert render(text, gone).requests[0].url.endswith("?mail=old%40example.org")
    assert render(text, leave()).requests[0].url.endswith("?mail=p1%40example.org")
    (entered,) = render(text, enter(sent_as={"vips": {"email": "old@example.org"}})).requests
    assert entered.sent == ({"email": "p1@example.org"},)


def test_whom_the_other_side_cannot_know_is_refused() -> None:
    text = LIST.replace("audiences:", "match: [phone]\naudiences:", 1)
    assert render(text, enter()).refused == ((0, "no_identifier"),)


def test_whoever_lacks_what_a_header_requires_is_refused_alone() -> None:
    head = "headers: {X-Plan: {from: person.traits.plan, required: true}}"
    text = HTTP + f"requests: {{enter: {{path: /in, {head}, batch: {{max: 3, item: person.profile}}}}, update: {{path: /up, {head}}}}}\n"
    who = somebody("b", traits={"plan": "gold"})
    for call in ("enter", "update"):
        found = render(text, Told(call, somebody("a"), "1", "vips"), Told(call, who, "2", "vips"))  # type: ignore[arg-type]
        assert found.refused == ((0, "invalid"),)
        assert [(one.told, one.headers["X-Plan"]) for one in found.requests] == [((1,), "gold")]


SECRETS = [
    ('auth: {bearer: "${T}"}', {"Authorization": "Bearer ***"}, ""),
    ('auth: {basic: [ann, "${T}"]}', {"Authorization": "Basic ***"}, ""),
    ('auth: {header: {X-Key: "key ${T}"}}', {"X-Key": "key ***"}, ""),
    ('auth: {query: {key: "${T}"}}', {}, "?key=***"),
    ("auth: {bearer: {file: /run/secrets/t}}", {"Authorization": "Bearer ***"}, ""),
    ('headers: {X-Team: "crm-${T}"}', {"X-Team": "crm-***"}, ""),
]


@pytest.mark.parametrize(("said", "headers", "query"), SECRETS, ids=lambda one: str(one)[:40])
def test_secrets_are_shown_to_nobody(said: str, headers: dict[str, str], query: str) -> None:
    """Not where they are hidden from the start, nor in a request that is ready to be sent."""
    text = f'kind: http\nconnection: {{url: "https://x.example", {said}}}\nrequests: {{erase: {{path: /gone}}}}\n'
    told = Told("erase", somebody(), "k")
    (ready,) = Renderer(destination(text), lambda _: "hunter 2/x").render([told]).requests
    assert "***" not in f"{ready.url}{ready.headers}"
    for request in (ready.shown(), Renderer(destination(text)).render([told]).requests[0]):
        assert {**headers} == request.headers
        assert request.url == f"https://x.example/gone{query}"


def test_a_webhook_is_sent_the_event_or_the_change_with_its_person() -> None:
    text = 'kind: webhook\nconnection: {url: "https://x.example/in", secret: "${S}"}\nevents: ["*"]\npurpose: none\n'
    event = {"type": "track", "event": "Paid", "messageId": "m1", "timestamp": "2026-01-01T00:00:00Z", "properties": {"total": 1.5}}
    found = render(text, enter(sent_as={"x": {}}), Told("event", somebody(), "m1", event=event)).requests
    assert [one.headers["X-Skep-Delivery"] for one in found] == ["crm:vips:p1:1", "m1"]
    assert bodies(found)[1] == event
    assert bodies(found)[0] == {
        "change": {"type": "segment.entered"}, "person": {"profile": "p1", "identifiers": {"email": "p1@example.org"}, "traits": {}},
    }  # fmt: skip
    header = signed(found[1], "key", 17).headers["X-Skep-Signature"]
    assert header == f"t=17,v1={hmac.new(b'key', b'17.' + (found[1].body or b''), hashlib.sha256).hexdigest()}"
    assert found[1].signed


KIND = """
sources: [{title: Ours, read: "2026-11-29"}]
connection: {key: {secret: true}, region: {choice: {eu: "https://eu.example", us: "https://us.example"}, default: eu, is: url}, shop: {optional: true}}
auth: {basic: [connection.shop, connection.key]}
headers: {X-Shop: connection.shop}
identify: {any: [email, first_name+last_name]}
match: [email, first_name, last_name]
spellings: {first_name: [firstName, name.first]}
normalise: {email: [trim, lower]}
requests:
  create: {path: /contacts, body: {email: person.match.email}}
  lookup: {method: GET, path: "/contacts", query: {email: person.match.email}}
  enter: {path: "/lists/{audience}/members", batch: {max: 10, at: ids, item: person.remote_id}}
  exit: {method: DELETE, path: "/lists/{audience}/members/{person.remote_id}"}
  update: {path: /rows, batch: {max: 10, at: x, rows: {columns_at: data.schema, rows_at: data.rows, names: {email: MAIL}, cell: {from: value, apply: [upper]}, missing: ""}}}
replies: {remote_id: id}
"""  # noqa: E501
OURS = 'kind: ours\nconnection: {key: "${K}"}\naudiences: {vips: "7"}\ntraits: [plan]\n'


def test_the_vendors_id_is_asked_for_where_it_is_not_known() -> None:
    """Of who comes it is made, of who leaves it is looked up; who is known needs neither."""
    found = render(OURS, enter("a"), enter("b", remote_id="9"), enter("c"), ours=KIND)
    assert [(one.method, one.url.removeprefix("https://eu.example"), one.told, one.waits) for one in found.requests] == [
        ("POST", "/contacts", (0,), False), ("POST", "/lists/7/members", (0, 1), True),
        ("POST", "/contacts", (2,), False), ("POST", "/lists/7/members", (2,), True),
    ]  # fmt: skip
    assert bodies(found.requests)[1] == {"ids": ["{remote_id}", "9"]}
    (one, two) = render(OURS, leave("a"), ours=KIND).requests
    assert (one.url, one.learns) == ("https://eu.example/contacts?email=a%40example.org", True)
    assert two.url == "https://eu.example/lists/7/members/{remote_id}"
    (only,) = render(OURS, leave("a", sent_as={"vips": {"email": "a@example.org", "remote_id": "31"}}), ours=KIND).requests
    assert only.url == "https://eu.example/lists/7/members/31"


def test_whom_the_vendors_id_names_needs_no_other_name() -> None:
    """Of who leaves it may be all that was ever sent; a call that does not go by it needs a name of the vendor's."""
    nobody: dict[str, Any] = {"identifiers": {}, "sent_as": {"vips": {"remote_id": "31"}}}
    (only,) = render(OURS, leave("a", **nobody), ours=KIND).requests
    assert only.url == "https://eu.example/lists/7/members/31"
    assert render(OURS, enter("a", identifiers={}), ours=KIND).refused == ((0, "no_identifier"),)
    assert render(OURS, Told("update", {"profile": "a", "remote_id": "31"}, "k"), ours=KIND).refused == ((0, "no_identifier"),)


def test_a_lookup_goes_before_the_request_that_needs_it() -> None:
    found = render(OURS, *(enter(name) for name in "abc"), ours=KIND).requests
    asked: set[int] = set()
    for one in found:
        if one.learns:
            asked |= {*one.told}
        else:
            assert {*one.told} <= asked


def test_a_kind_normalises_and_finds_what_it_is_sent() -> None:
    person = {
        "profile": "p",
        "identifiers": {"email": " Ann@Example.org ", "phone": "1"},
        "traits": {"name": {"first": "Ann"}, "plan": "x"},
    }
    (found,) = render(OURS, Told("update", person, "k"), ours=KIND).requests
    assert bodies((found,)) == [{"data": {"schema": ["MAIL", "first_name", "last_name"], "rows": [["ANN@EXAMPLE.ORG", "ANN", ""]]}}]
    assert found.sent == ({"email": "ann@example.org", "first_name": "Ann"},)
    nobody = {"profile": "p", "identifiers": {"phone": "1"}, "traits": {"firstName": "Ann"}}
    assert render(OURS, Told("update", nobody, "k"), ours=KIND).refused == ((0, "no_identifier"),)
    both = {"profile": "p", "identifiers": {}, "traits": {"firstName": "Ann", "last_name": "M"}}
    assert render(OURS, Told("update", both, "k"), ours=KIND).refused == ()


def test_forms_and_lines() -> None:
    text = (
        HTTP
        + """
requests:
  update: {path: /form, encoding: form, body: {To: person.identifiers.email, n: person.traits.n, tag: person.traits.tags}}
  erase: {path: /lines, encoding: ndjson, batch: {max: 5, item: {id: person.profile}}}
"""
    )
    person = somebody(traits={"n": 1.5, "tags": ["a", "b"]})
    form, lines = render(text, Told("update", person, "k"), Told("erase", person, "e"), Told("erase", somebody("q"), "e")).requests
    assert form.body == b"To=p1%40example.org&n=1.5&tag=a&tag=b"
    assert lines.body == b'{"id":"p1"}\n{"id":"q"}\n'


LISTED = (
    HTTP
    + """
requests:
  list: {method: GET, path: "/lists/{audience}", query: {n: 5}, cursor_query: after, people: ids}
"""
)


def test_an_audience_is_listed_page_by_page() -> None:
    found = Renderer(destination(LISTED))
    assert [getattr(found.listing("vips", cursor), "url", None) for cursor in (None, "a=b")] == [
        "https://api.example.com/v1/lists/vips?n=5", "https://api.example.com/v1/lists/vips?after=a%3Db&n=5",
    ]  # fmt: skip
