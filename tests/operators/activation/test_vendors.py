"""Every vendor's file: the requests that it makes of one set of lines, and what it takes replies for. REWRITE=1 writes the requests anew.

tests/golden/destinations/<kind>.txt: the destination's file, ``----``, then the requests.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.reading.kinds import SHIPPED, read_kind, shipped, shipped_vendor
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader
from operators.activation.classify import classify
from operators.activation.told import Reply, Request
from skep.answers.destinations import RenderedRows, destination_of, judge, render
from tests.operators.activation.files import destination

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "destinations"
CUT = "----\n"
TIME = "2026-01-31T10:00:00.000Z"
PRODUCTS = [{"product_id": "s1", "name": "Honey", "price": 2.5, "quantity": 2}]
PERSON: dict[str, Any] = {
    "profile": "p1",
    "identifiers": {"email": " Ann.B+x@Gmail.com", "phone": "+447700900123", "user_id": "u1", "anonymous_id": "a1"},
    "traits": {
        "first_name": "Ann",
        "last_name": "Miller",
        "city": "New York",
        "country": "us",
        "postal_code": "10001",
        "plan": "gold",
        "ltv": 12.5,
    },
    "segments": ["vips"],
}
LEFT = {**PERSON, "profile": "p2", "sent_as": {"vips": {"email": "old@example.org", "user_id": "u2", "phone": "+447700900199"}}}
ORDER = {
    "type": "track", "event": "Order Completed", "messageId": "m1", "userId": "u1", "anonymousId": "a1", "timestamp": TIME,
    "context": {"traits": {"email": "Ann@example.org", "phone": "+1 212 555 0123"}, "ip": "192.0.2.7", "userAgent": "Firefox"},
    "properties": {"order_id": "o1", "revenue": 12.5, "currency": "eur", "coupon": "x", "gclid": "g-1", "products": PRODUCTS},
}  # fmt: skip
LINES: list[dict[str, Any]] = [
    {"change": {"type": "segment.entered", "segment": "vips", "profile": "p1", "version": 2}, "person": PERSON},
    {"change": {"type": "segment.exited", "segment": "vips", "profile": "p2", "version": 2}, "person": LEFT},
    {"change": {"type": "profile.updated", "trait": "plan", "profile": "p1", "version": 2}, "person": PERSON},
    {"change": {"type": "profile.erased", "profile": "p2", "version": 3, "cause": {"type": "erasure"}}, "person": LEFT},
    ORDER,
    {"type": "page", "name": "Home", "messageId": "m2", "anonymousId": "a1", "timestamp": TIME, "properties": {"path": "/"}},
    {"type": "identify", "messageId": "m3", "userId": "u1", "timestamp": TIME,
     "traits": {"email": "Ann@example.org", "firstName": "Ann", "age": 41}},
    {"type": "alias", "messageId": "m4", "userId": "u1", "previousId": "a1", "timestamp": TIME},
    {"type": "group", "messageId": "m5", "userId": "u1", "groupId": "g", "timestamp": TIME, "traits": {"name": "Ours"}},
]  # fmt: skip
TEXT = "".join(f"{json.dumps(line)}\n" for line in LINES)


def rendered(kind: str, folder: Path, text: str = TEXT) -> RenderedRows:
    file = folder / "to.yaml"
    file.write_text((GOLDEN / f"{kind}.txt").read_text().partition(CUT)[0])
    return render(file, text)


def shown(found: RenderedRows) -> str:
    parts = []
    for one in found.requests:
        body = "" if one.body is None else one.body + "\n" if isinstance(one.body, str) else json.dumps(one.body, indent=1) + "\n"
        headers = "".join(f"{name}: {value}\n" for name, value in one.headers.items())
        parts.append(f"{one.method} {one.url}  lines {one.lines}\n{headers}{body}")
    refused = "".join(f"line {one.line}: {one.reason}\n" for one in found.refused)
    return "\n".join([*parts, *([refused] if refused else [])])


def test_every_kind_has_its_requests_here() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == list(shipped())


@pytest.mark.parametrize("kind", shipped())
def test_requests(kind: str, tmp_path: Path) -> None:
    said, _, expected = (GOLDEN / f"{kind}.txt").read_text().partition(CUT)
    found = shown(rendered(kind, tmp_path))
    if os.environ.get("REWRITE"):
        (GOLDEN / f"{kind}.txt").write_text(said + CUT + found)
    else:
        assert found == expected


@pytest.mark.parametrize("kind", shipped())
def test_a_kind_says_what_it_was_made_from_and_keeps_its_secrets(kind: str, tmp_path: Path) -> None:
    vendor = shipped_vendor(kind)
    assert vendor is not None
    assert vendor.sources
    assert all(source["title"] and source["read"] and source["url"] for source in vendor.sources)
    assert any(setting.secret for setting in vendor.connection)
    file = tmp_path / "to.yaml"
    file.write_text((GOLDEN / f"{kind}.txt").read_text().partition(CUT)[0])
    assert "${KEY}" in file.read_text()
    assert "***" in shown(rendered(kind, tmp_path))
    assert destination_of(file).limits.attempts == 20


def test_files_of_kinds_are_read_without_a_project() -> None:
    problems: list[Problem] = []
    for path in sorted(SHIPPED.glob("*.yaml")):
        tree = Reader(problems).parse(path.name, path.read_text())
        assert tree is not None
        read_kind(Reader(problems), tree, path.stem)
    assert problems == []


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def body(kind: str, folder: Path, *lines: dict[str, Any]) -> Any:
    """The body of the last request for some lines."""
    return rendered(kind, folder, "".join(f"{json.dumps(line)}\n" for line in lines)).requests[-1].body


def test_hashes_are_of_what_the_vendors_say(tmp_path: Path) -> None:
    """Google: no dots and nothing from the plus on at Gmail, E.164 with its plus, names hashed, country and postal code not. Meta: digits
    alone, Gmail as it is, an external id in the clear. TikTok and LinkedIn: as it is, in small letters."""
    google = body("google_ads_audience", tmp_path, LINES[0])["audienceMembers"][0]["userData"]["userIdentifiers"]
    assert google == [
        {"emailAddress": sha("annb@gmail.com")}, {"phoneNumber": sha("+447700900123")},
        {"address": {"givenName": sha("ann"), "familyName": sha("miller"), "regionCode": "US", "postalCode": "10001"}},
    ]  # fmt: skip
    meta = body("facebook_audience", tmp_path, LINES[0])["payload"]
    assert dict(zip(meta["schema"], meta["data"][0], strict=True)) == {
        "EMAIL": sha("ann.b+x@gmail.com"), "PHONE": sha("447700900123"), "FN": sha("ann"), "LN": sha("miller"), "CT": sha("newyork"),
        "ZIP": sha("10001"), "COUNTRY": sha("us"), "EXTERN_ID": "u1",
    }  # fmt: skip
    assert body("tiktok_audience", tmp_path, LINES[0])["batch_data"][0][1]["id"] == sha("+447700900123")
    assert body("linkedin_audience", tmp_path, LINES[1])["elements"][0]["userIds"][0]["idValue"] == sha("old@example.org")
    conversion = body("facebook_conversions", tmp_path, ORDER)["data"][0]["user_data"]
    assert (conversion["em"], conversion["ph"], conversion["external_id"]) == ([sha("ann@example.org")], [sha("12125550123")], [sha("u1")])


MARKED = {
    "profile": "p1", "identifiers": {"email": "a@b.org"},
    "traits": {"first_name": " Seán ", "last_name": "O'Neill-Smith", "city": "St. Louis", "postal_code": "63101-1234", "country": "US"},
}  # fmt: skip


def test_names_and_places_are_hashed_without_their_marks(tmp_path: Path) -> None:
    """Meta: no punctuation, of an American postal code five digits. Google: no punctuation in names, the postal code as it is."""
    entered = {**LINES[0], "person": MARKED}
    meta = body("facebook_audience", tmp_path, entered)["payload"]
    assert dict(zip(meta["schema"], meta["data"][0], strict=True)) == {
        "EMAIL": sha("a@b.org"), "PHONE": "", "FN": sha("seán"), "LN": sha("oneillsmith"), "CT": sha("stlouis"), "ZIP": sha("63101"),
        "COUNTRY": sha("us"), "EXTERN_ID": "",
    }  # fmt: skip
    bought = {**ORDER, "userId": None, "context": {"traits": {"email": "a@b.org", **MARKED["traits"]}}}
    told = body("facebook_conversions", tmp_path, bought)["data"][0]["user_data"]
    assert [told[key] for key in ("fn", "ln", "ct", "zp", "country")] == [
        [sha("seán")], [sha("oneillsmith")], [sha("stlouis")], [sha("63101")], [sha("us")],
    ]  # fmt: skip
    google = body("google_ads_audience", tmp_path, entered)["audienceMembers"][0]["userData"]["userIdentifiers"]
    assert google[1] == {
        "address": {"givenName": sha("seán"), "familyName": sha("oneillsmith"), "regionCode": "US", "postalCode": "63101-1234"}
    }


def test_google_is_sent_no_half_of_an_address_beside_something_better(tmp_path: Path) -> None:
    names = {"first_name": "Ann", "last_name": "Miller", "country": "us"}
    named = {"profile": "p1", "identifiers": {}, "traits": names}
    mailed = {**named, "identifiers": {"email": "a@b.org"}}
    for person, known in ((mailed, ["emailAddress"]), (named, ["address"])):
        found = body("google_ads_audience", tmp_path, {**LINES[0], "person": person})["audienceMembers"][0]["userData"]["userIdentifiers"]
        assert [key for one in found for key in one] == known


def test_who_becomes_another_is_named_as_he_was_known(tmp_path: Path) -> None:
    """Braze: whoever had a user id is merged, whoever had none is identified. Customer.io: by the id, and without one by the address."""
    merge = {"type": "identity.merged", "profile": "p1", "merged": "p2", "version": 3}
    for old, word, key in (
        ({"user_id": "u0", "email": "o@b.org"}, "merge", "merge_updates"), ({"anonymous_id": "a0"}, "identify", "aliases_to_identify"),
        ({"email": "o@b.org"}, "identify", "emails_to_identify"), ({"phone": "+447700900199"}, "identify", "phone_numbers_to_identify"),
    ):  # fmt: skip
        (found,) = rendered("braze", tmp_path, json.dumps({"change": merge, "person": {**PERSON, "old": old}})).requests
        assert (found.url.rpartition("/")[2], next(iter(found.body))) == (word, key)
    for was, known in (({"user_id": "u0", "email": "o@b.org"}, {"id": "u0"}), ({"email": "o@b.org"}, {"email": "o@b.org"})):
        assert body("customerio", tmp_path, {"change": merge, "person": {**PERSON, "old": was}})["secondary"] == known
    call = {"type": "alias", "messageId": "m", "userId": "u1", "timestamp": TIME}
    assert body("customerio", tmp_path, {**call, "previousId": "o@b.org"})["secondary"] == {"email": "o@b.org"}
    assert body("customerio", tmp_path, {**call, "previousId": "u0"})["secondary"] == {"id": "u0"}


def test_klaviyo_finds_no_profile_by_an_anonymous_id_alone(tmp_path: Path) -> None:
    gone = {**LINES[1], "person": {**LEFT, "sent_as": {"vips": {"anonymous_id": "a0"}}}}
    found = rendered("klaviyo", tmp_path, json.dumps(gone)).requests
    assert (found[0].url, found[0].body["data"]["attributes"]) == ("https://a.klaviyo.com/api/profile-import", {"anonymous_id": "a0"})
    assert found[1].body == {"data": [{"type": "profile", "id": "{remote_id}"}]}


def test_ids_of_orders_and_products_are_texts(tmp_path: Path) -> None:
    numbers = {**ORDER, "properties": {"order_id": 12, "gclid": "g", "value": 2, "products": [{"product_id": 7, "price": "2.5"}]}}
    params = body("ga4", tmp_path, numbers)["events"][0]["params"]
    assert (params["transaction_id"], params["items"], params["value"]) == ("12", [{"item_id": "7", "price": 2.5}], 2)
    custom = body("facebook_conversions", tmp_path, numbers)["data"][0]["custom_data"]
    assert (custom["order_id"], custom["content_ids"], custom["contents"]) == ("12", ["7"], [{"id": "7", "item_price": 2.5}])
    assert body("google_ads_conversions", tmp_path, numbers)["events"][0]["transactionId"] == "12"


def test_a_person_in_pieces_is_named_by_what_is_known(tmp_path: Path) -> None:
    anonymous = {**ORDER, "userId": None, "context": {}}
    assert body("braze", tmp_path, anonymous)["events"][0]["user_alias"] == {"alias_name": "a1", "alias_label": "anonymous_id"}
    by_mail = {**ORDER, "userId": None, "anonymousId": None}
    assert body("braze", tmp_path, by_mail)["events"][0]["email"] == "ann@example.org"
    found = rendered("customerio", tmp_path, json.dumps(anonymous)).requests[0]
    assert (found.url, found.body["anonymous_id"]) == ("https://track.customer.io/api/v1/events", "a1")
    click = {**ORDER, "userId": None, "anonymousId": None, "context": {}}
    assert body("google_ads_conversions", tmp_path, click)["events"][0]["adIdentifiers"] == {"gclid": "g-1"}
    assert rendered("facebook_conversions", tmp_path, json.dumps(click)).refused[0].reason == "no_identifier"


def test_people_of_two_kinds_of_ids_go_in_two_requests(tmp_path: Path) -> None:
    mailed = {"profile": "p9", "identifiers": {"email": "only@example.org"}}
    lines = [LINES[0], {"change": {**LINES[0]["change"], "profile": "p9"}, "person": mailed}]
    found = [
        one for one in rendered("customerio", tmp_path, "".join(f"{json.dumps(one)}\n" for one in lines)).requests if "segments" in one.url
    ]
    assert [(one.url.rpartition("?")[2], one.body) for one in found] == [
        ("id_type=id", {"ids": ["u1"]}), ("id_type=email", {"ids": ["only@example.org"]}),
    ]  # fmt: skip


def test_only_what_match_names_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "to.yaml"
    file.write_text('kind: klaviyo\nconnection: {api_key: "${KEY}"}\naudiences: {vips: V}\nmatch: [email]\n')
    (found,) = render(file, json.dumps(LINES[0])).requests
    assert found.body["data"]["attributes"]["profiles"]["data"] == [{"type": "profile", "attributes": {"email": "ann.b+x@gmail.com"}}]


REPLIES: list[tuple[str, str, int, int, Any, tuple[str, list[int], list[int]]]] = [
    ("braze", "enter", 3, 201, {"message": "success", "attributes_processed": 3}, ("delivered", [], [])),
    ("braze", "enter", 3, 201, {"message": "success", "errors": [{"type": "bad", "index": 1}]}, ("partial", [1], [])),
    ("braze", "enter", 3, 400, {"message": "Valid data must be provided"}, ("split", [], [])),
    ("braze", "enter", 1, 401, {"message": "Invalid API key"}, ("auth", [], [])),
    ("klaviyo", "enter", 2, 202, {"data": {"id": "job"}}, ("delivered", [], [])),
    ("klaviyo", "exit", 1, 404, {"errors": [{"detail": "no such list"}]}, ("refused", [], [])),
    ("customerio", "erase", 1, 404, None, ("delivered", [], [])),
    ("iterable", "enter", 2, 200, {"successCount": 1, "failCount": 1, "invalidEmails": ["p1@example.org"]}, ("partial", [1], [])),
    ("iterable", "update", 3, 200, {"successCount": 0, "failCount": 3, "failedUpdates": {
        "invalidDataEmails": ["p0@example.org"], "conflictEmails": ["p1@example.org"], "forgottenEmails": ["P2@example.org"]}},
     ("partial", [0, 1, 2], [])),
    ("iterable", "enter", 2, 200, {"code": "RateLimitExceeded"}, ("throttle", [], [])),
    ("iterable", "enter", 2, 200, {"code": "BadParams"}, ("split", [], [])),
    ("iterable", "enter", 1, 200, {"code": "BadParams"}, ("refused", [], [])),
    ("hubspot", "enter", 2, 200, {"recordsIdsAdded": ["r0"], "recordIdsMissing": ["r1"]}, ("partial", [1], [])),
    ("hubspot", "update", 2, 423, {"message": "locked"}, ("throttle", [], [])),
    ("hubspot", "update", 2, 477, None, ("throttle", [], [])),
    ("mailchimp", "enter", 1, 204, None, ("delivered", [], [])),
    ("mailchimp", "exit", 1, 404, {"title": "Resource Not Found"}, ("delivered", [], [])),
    ("sendgrid", "exit", 1, 404, {"errors": [{"message": "no list"}]}, ("refused", [], [])),
    ("salesforce", "enter", 2, 200, [{"success": True}, {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW"}]}],
     ("partial", [1], [1])),
    ("salesforce", "enter", 2, 403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}], ("throttle", [], [])),
    ("intercom", "exit", 1, 404, None, ("delivered", [], [])),
    ("ga4", "event", 1, 204, None, ("delivered", [], [])),
    ("google_ads_audience", "enter", 2, 400, {"error": {"status": "INVALID_ARGUMENT"}}, ("split", [], [])),
    ("facebook_conversions", "event", 2, 400, {"error": {"code": 100}}, ("split", [], [])),
    ("facebook_conversions", "event", 2, 400, {"error": {"code": 190}}, ("auth", [], [])),
    ("facebook_conversions", "event", 2, 400, {"error": {"code": 80004}}, ("throttle", [], [])),
    ("facebook_conversions", "event", 2, 400, {"error": {"code": 2, "is_transient": True}}, ("retry", [], [])),
    ("tiktok_audience", "enter", 2, 200, {"code": 0, "message": "OK"}, ("delivered", [], [])),
    ("tiktok_audience", "enter", 2, 200, {"code": 40100}, ("throttle", [], [])),
    ("tiktok_audience", "enter", 2, 200, {"code": 40105}, ("auth", [], [])),
    ("tiktok_audience", "enter", 2, 200, {"code": 40002}, ("split", [], [])),
    ("tiktok_audience", "enter", 2, 200, {"code": 50000}, ("retry", [], [])),
    ("linkedin_audience", "enter", 3, 200, {"elements": [{"status": 201}, {"status": 400}, {"status": 429}]}, ("partial", [1, 2], [2])),
    ("linkedin_audience", "enter", 3, 426, {"code": "NONEXISTENT_VERSION"}, ("auth", [], [])),
    ("facebook_audience", "enter", 2, 400, {"error": {"code": 2635, "message": "deprecated version"}}, ("auth", [], [])),
    ("slack", "event", 1, 200, "ok", ("delivered", [], [])),
    ("slack", "event", 1, 404, "channel_not_found", ("refused", [], [])),
    ("slack", "event", 1, 403, "invalid_token", ("auth", [], [])),
    ("twilio_sms", "event", 1, 400, {"code": 21211}, ("refused", [], [])),
    ("twilio_sms", "event", 1, 429, {"code": 20429}, ("throttle", [], [])),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "call", "people", "status", "answer", "says"), REPLIES)
def test_replies(  # noqa: PLR0917 - a line of the table
    kind: str, call: str, people: int, status: int, answer: Any, says: tuple[str, list[int], list[int]]
) -> None:
    to = destination((GOLDEN / f"{kind}.txt").read_text().partition(CUT)[0])
    items: Any = [{"email": f"p{at}@example.org"} for at in range(people)] if kind != "hubspot" else [f"r{at}" for at in range(people)]
    request = Request(call, "POST", "https://x.example", {}, orjson.dumps({"items": items}), tuple(range(people)))
    raw = b"" if answer is None else answer.encode() if isinstance(answer, str) else orjson.dumps(answer)
    found = classify(to, request, Reply(status, {}, raw))
    assert (found.says, list(found.failed), list(found.retry)) == says


def test_ids_are_learned_from_lookups(tmp_path: Path) -> None:
    for kind, call, answer in (
        ("klaviyo", "lookup", {"data": [{"id": "7"}]}), ("hubspot", "create", {"results": [{"id": 7}]}), ("hubspot", "lookup", {"id": "7"}),
        ("sendgrid", "lookup", {"result": {"a@b.org": {"contact": {"id": "7"}}}}), ("intercom", "lookup", {"data": [{"id": "7"}]}),
        ("salesforce", "lookup", {"searchRecords": [{"Id": "7"}]}),
    ):  # fmt: skip
        to = destination((GOLDEN / f"{kind}.txt").read_text().partition(CUT)[0])
        request = Request(call, "POST", "https://x.example", {}, b"{}", (0,), learns=True)
        assert classify(to, request, Reply(200, {}, orjson.dumps(answer))).remote_ids == ("7",), kind


def test_the_reason_is_that_of_those_who_failed() -> None:
    to = destination((GOLDEN / "braze.txt").read_text().partition(CUT)[0])
    request = Request("enter", "POST", "https://x.example", {}, orjson.dumps({"attributes": [{"email": "a"}, {"email": "b"}]}), (0, 1))
    answer = {"message": "success", "errors": [{"type": "'email' is invalid", "input_array": "attributes", "index": 1}]}
    assert classify(to, request, Reply(201, {}, orjson.dumps(answer))).reason == "HTTP 201: 'email' is invalid"


def test_ids_of_jobs_and_tags_are_no_ids_of_people() -> None:
    """Klaviyo answers an import with the id of a job, Intercom a tag with that of the tag: the next `exit` must not go by it."""
    for kind, answer in (("klaviyo", {"data": {"type": "profile-bulk-import-job", "id": "job"}}), ("intercom", {"type": "tag", "id": "t"})):
        to = destination((GOLDEN / f"{kind}.txt").read_text().partition(CUT)[0])
        request = Request("enter", "POST", "https://x.example", {}, b"{}", (0,))
        assert classify(to, request, Reply(200, {}, orjson.dumps(answer))).remote_ids == (), kind


@pytest.mark.parametrize("kind", shipped())
def test_a_request_is_known_again_by_what_is_shown_of_it(kind: str, tmp_path: Path) -> None:
    """`skep destinations classify` finds out which call it was: 404 of an `exit` whose path names the person has arrived."""
    found = rendered(kind, tmp_path)
    for one in found.requests:
        answer = json.dumps({"status": 500, "headers": {}, "body": None})
        shown_of_it = {"method": one.method, "url": one.url, "headers": one.headers, "body": one.body, "lines": one.lines}
        assert judge(tmp_path / "to.yaml", json.dumps(shown_of_it), answer).says == "retry"
