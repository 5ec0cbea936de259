"""`skep destinations` and `skep deliveries`: what is there, what is wrong, and putting it right, with and without activation running."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skep.runtime.delivery.reconciling import cursor_in
from tests.activation.shop import differences, events, files, shop, wanted
from tests.activation.test_delivery import told
from tests.fakes.receiver import Receiver
from tests.patience import until
from tests.processes import started
from tests.promises.project import asked, environment, ran, write_contract
from tests.skep.test_cli import refused, skep


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@pytest.fixture
def told_shop(tmp_path: Path, receiver: Receiver) -> Path:
    folder = shop(tmp_path / "shop", receiver, events(3, 20, 80))
    ran(folder)
    told(folder)
    return folder


def status(folder: Path, name: str, audience: str) -> dict[str, Any]:
    return next(one for one in asked(folder, "destinations", "status", name) if one["audience"] == audience)


def test_status_says_whether_a_destination_holds_its_segment(told_shop: Path, receiver: Receiver) -> None:
    there = status(told_shop, "singles", "buyers")
    assert there["acknowledged"] == len(receiver.members("s-l1")) == len(wanted(told_shop)["s-l1"])
    assert (there["pending"], there["failing"], there["dead"], there["breaker"]) == (0, 0, 0, "closed")
    assert there["members"] == there["acknowledged"] + sum(there["not_sent"].values())
    assert set(there["not_sent"]) <= {"consent"}
    assert list(there) == [
        "destination", "audience", "members", "acknowledged", "pending", "failing", "dead", "not_sent", "oldest_pending", "breaker", "rate",
        "last_ok",
    ]  # fmt: skip
    assert "in sync" in skep("destinations", "status", project=told_shop).stdout
    assert "batches or hooks or mails or rows or singles" in refused(skep("destinations", "status", "singels", project=told_shop))


def test_reconcile_puts_right_what_somebody_else_has_changed(told_shop: Path, receiver: Receiver) -> None:
    """Missing, too many, unknown; a second run has nothing to do."""
    members = receiver.lists["l1"]
    lost = sorted(members)[:2]
    outside = min(members.keys() - receiver.members("l2"))
    for one in lost:
        del members[one]
    members["somebody@else"] = receiver.lists["l2"][outside] = ""
    found = asked(told_shop, "destinations", "reconcile", "batches", "--dry-run")
    assert (found["missing"], found["too_many"], found["unknown"], found["sent"]) == (2, 1, 1, 0)
    found = asked(told_shop, "destinations", "reconcile", "batches")
    assert (found["missing"], found["too_many"], found["sent"]) == (2, 1, 3)
    assert set(lost) <= set(members)
    assert outside not in receiver.members("l2")
    found = asked(told_shop, "destinations", "reconcile", "batches")
    assert (found["missing"], found["too_many"]) == (0, 0)


def test_the_next_page_is_asked_by_what_its_address_says() -> None:
    """Klaviyo gives the whole address of the next page, HubSpot what to ask for."""
    assert cursor_in("https://a.klaviyo.com/api/lists/V/profiles?page%5Bsize%5D=100&page%5Bcursor%5D=bmV4%3D", "page[cursor]") == "bmV4="
    assert cursor_in("NTI1Cg%3D%3D", "after") == "NTI1Cg%3D%3D"
    assert cursor_in("https://api.example/next", "after") == "https://api.example/next"


def test_a_running_activation_does_what_commands_decide(told_shop: Path, receiver: Receiver) -> None:
    """Paused it says nothing, resumed everything; who decided stands in the audit."""
    process = started("bytewax.run", "flows.activation", env=environment(told_shop, SKEP_FOLLOW="1"), stderr=subprocess.DEVNULL)
    try:
        assert skep("destinations", "pause", "singles", project=told_shop).returncode == 0
        with (told_shop / "events.jsonl").open("ab") as stream:
            stream.write(b"".join(line + b"\n" for line in events(4, 20, 60, 80)))
        ran(told_shop)
        until(lambda: status(told_shop, "singles", "buyers")["pending"] or status(told_shop, "singles", "big")["pending"])
        assert status(told_shop, "singles", "buyers")["breaker"] == "paused"
        assert skep("destinations", "resume", "singles", project=told_shop).returncode == 0
        until(lambda: differences(told_shop, receiver), lambda found: found == {})
    finally:
        process.terminate()
        assert process.wait(60) == 0
    orders = [one for one in asked(told_shop, "audit") if one["partition"] == "orders"]
    assert [(one["type"], one["what"]["destination"]) for one in orders] == [("pause", "singles"), ("resume", "singles")]
    assert "singles" in skep("audit", project=told_shop).stdout


def test_somebody_is_forgotten_and_a_receipt_stays(told_shop: Path, receiver: Receiver) -> None:
    one = min(receiver.members("s-l1"))
    (receipt,) = asked(told_shop, "destinations", "erase", "singles", one)["receipts"]
    assert (receipt["destination"], receipt["status"]) == ("singles", 200)
    assert one not in receiver.members("s-l1")
    assert one not in receiver.traits
    assert "requests: {erase" in refused(skep("destinations", "erase", "mails", one, project=told_shop))


def test_a_poisoned_person_is_a_dead_letter_that_holds_nobody_up(tmp_path: Path) -> None:
    """The others of the batch are taken in log2(n) calls; it can be looked at, tried again and dropped."""
    first = Receiver()
    folder = shop(tmp_path / "shop", first, events(5, 30, 120))
    ran(folder)
    poison = sorted(wanted(folder)["l1"])[3]
    first.close()
    receiver = Receiver(poison=poison)
    try:
        for path, content in files(receiver.url).items():
            write_contract(folder, path, content)
        assert skep("apply", project=folder).returncode == 0
        ran(folder)
        told(folder)
        assert receiver.members("l1") == wanted(folder)["l1"] - {poison}
        assert receiver.counts["poisoned"] <= 14
        dead = asked(folder, "deliveries", "list", "--dead")
        assert {(one["profile"], one["call"], one["class"], one["status"]) for one in dead} == {(poison, "enter", "dead", 400)}
        identity = dead[0]["id"]
        shown = skep("deliveries", "show", identity, "--json", project=folder).stdout
        assert "example.com" not in shown
        assert "one of them is wrong" in shown
        assert "example.com" in skep("deliveries", "show", identity, "--clear", project=folder).stdout
        assert json.loads(skep("deliveries", "retry", "--all", "--json", project=folder).stdout)["retried"] == len(dead)
        assert skep("deliveries", "drop", identity, "--why", "asked by telephone", project=folder).returncode == 0
        assert identity not in {one["id"] for one in asked(folder, "deliveries", "list")}
    finally:
        receiver.close()


def test_a_sample_person_is_sent_and_taken_away(told_shop: Path, receiver: Receiver) -> None:
    """Of a webhook with its signature."""
    for name in ("singles", "hooks"):
        found = asked(told_shop, "destinations", "test", name)
        assert [(one["call"], one["class"]) for one in found["calls"]] == [("enter", "delivered"), ("exit", "delivered")]
        assert found["removed"]
    assert receiver.counts["unsigned"] == 0
    assert not any("0" * 32 in one for members in receiver.lists.values() for one in members)


def test_a_run_says_what_is_pending_and_waits_as_long_as_it_may(tmp_path: Path) -> None:
    """Of a destination that is away: exit code 4, and how much; the next run tells it."""
    away = Receiver()
    folder = shop(tmp_path / "shop", away, events(6, 10, 30))
    away.close()
    done = skep("run", "--once", "--wait", "100ms", project=folder)
    assert done.returncode == 4, done.stderr
    assert "DESTINATION singles@shop" in done.stderr
    assert status(folder, "singles", "buyers")["acknowledged"] == 0
    assert "expected a duration" in skep("run", "--once", "--wait", "soon", project=folder).stderr
    assert "--once" in skep("run", "--wait", "1s", project=folder).stderr
