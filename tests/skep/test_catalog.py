"""The catalog: what it knows of each event, trait, segment and destination, with and without data, in the terminal and as pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from contracts import load
from skep.answers.catalog.collect import MISSING, collect
from skep.answers.catalog.entries import KINDS, Catalog, Entry
from skep.answers.catalog.figures import Figures, figures
from skep.answers.catalog.pages import page_name, render, write_pages
from skep.answers.catalog.words import duration_words, share
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import snapshot_path
from skep.tools.demo.events import write_demo
from skep.tools.starter import create
from state.snapshot import publish as snapshot
from tests.contracts.project import GOOD
from tests.skep.test_cli import skep

TAGGED = """{
  "title": "Order paid",
  "description": "The money is there",
  "owner": "shop team",
  "sla": {"freshness": "2h", "completeness": 0.5},
  "status": "live",
  "type": "object",
  "examples": [{"total": 3}],
  "properties": {
    "total": {"type": "number", "minimum": 0, "x-unit": "EUR", "description": "What was paid <b>in all</b>", "examples": [12.5]},
    "email": {"type": "string", "x-personal": "direct", "x-purpose": ["marketing"], "x-retention": "365d"},
    "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}}
  },
  "required": ["total"]
}"""
SECOND = TAGGED.replace('"required": ["total"]', '"required": ["total", "email"]').replace('"lines"', '"products"')
FILES = {
    **GOOD,
    "events/order_paid/1-0-0.json": TAGGED.replace('"status": "live"', '"status": {"deprecated": "2027-01-01"}'),
    "events/order_paid/1-1-0.json": SECOND,
    "events/order_paid/1-2-0.json": SECOND.replace('"status": "live"', '"status": "draft"'),
    "traits.yaml": """traits:
  - {name: spent, sum: total, did: order_paid, emit: true}
  - {name: "<script>alert(1)</script>", count: true, did: order_paid}
  - {name: contact, last: email, did: order_paid}
""",
    "accounts.yaml": "traits: [{name: spent, sum: total, did: order_paid, owner: sales}]\n",
    "segments/large.yaml": "segment: large\npurpose: marketing\nwho: {account: {trait: spent, gt: 100}}\n",
    "segments/payers.yaml": """segment: payers
title: Have paid
owner: crm
purpose: marketing
who: {trait: spent, gt: 0}
activate: [file]
""",
    "segments/reached.yaml": "segment: reached\npurpose: marketing\nwho: {all: [{segment: payers}, {trait: contact, exists: true}]}\n",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return collect(load(FILES), Figures())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The demo shop after a run."""
    root = tmp_path_factory.mktemp("catalog") / "shop"
    create(root)
    write_demo(root / "events", 40, 1500, seed=5)
    (root / "events/_truth.jsonl").unlink()
    assert skep("run", "--once", project=root).returncode == 0
    return Settings.load(root)


def _entry(catalog: Catalog, kind: str, name: str) -> Entry:
    (found,) = [one for one in catalog.entries if (one.kind, one.name) == (kind, name)]
    return found


def test_an_event_has_everything_that_its_contracts_say(catalog: Catalog) -> None:
    """Owner, words, versions with what they changed, personal class, purposes, properties and who uses each of them."""
    event = _entry(catalog, "event", "order_paid")
    assert (event.owner, event.title, event.description, event.status) == ("shop team", "Order paid", "The money is there", "live")
    assert [(one.version, one.status, one.deprecated) for one in event.versions] == [
        ("1-0-0", "deprecated", "2027-01-01"), ("1-1-0", "live", None), ("1-2-0", "draft", None),
    ]  # fmt: skip
    assert event.versions[1].changes == (
        "email is required now", "products is new: list", "products[].sku is new and required: text",
        "lines is gone", "lines[].sku is gone",
    )  # fmt: skip
    assert event.versions[2].changes == ()
    assert (event.personal, event.purposes) == ("direct", ("marketing",))
    assert event.used_by == {
        "trait": ["<script>alert(1)</script>", "contact", "spent"], "account trait": ["spent"], "segment": ["large", "payers", "reached"],
        "destination": ["file"],
        "namespace": ["email"],
    }  # fmt: skip
    total, email = event.properties[:2]
    assert (total.path, total.type, total.required, total.unit, total.examples) == ("total", "number, ≥ 0", True, "EUR", (12.5,))
    assert total.used_by == {
        "trait": ["spent"], "account trait": ["spent"], "segment": ["large", "payers", "reached"], "destination": ["file"],
    }  # fmt: skip
    assert (email.personal, email.purposes, email.retention) == ("direct", ("marketing",), "365d")
    assert email.used_by["segment"] == ["reached"]
    assert dict(event.facts)["promised freshness"] == "the newest event is at most 2h old"
    assert event.examples == ({"total": 3},)


def test_traits_segments_and_destinations_likewise(catalog: Catalog) -> None:
    """What they are made of, whom they belong to, how personal they are, and who uses them."""
    spent, contact = _entry(catalog, "trait", "spent"), _entry(catalog, "trait", "contact")
    assert (spent.description, spent.owner, spent.rests_on) == ("sum of total over order_paid", "shop team", {"event": ["order_paid"]})
    assert spent.used_by == {"segment": ["payers"], "destination": ["file"]}
    assert (contact.personal, contact.purposes, contact.used_by) == ("direct", ("marketing",), {"segment": ["reached"]})
    plan = _entry(catalog, "trait", "plan")
    assert (plan.description, plan.rests_on) == ("written by identify calls", {"event": ["identify"]})
    counted = _entry(catalog, "account trait", "spent")
    assert (counted.description, counted.owner) == ("sum of total over order_paid, of the members of an account", "sales")
    assert (counted.rests_on, counted.used_by) == ({"event": ["order_paid"]}, {"segment": ["large"]})
    payers = _entry(catalog, "segment", "payers")
    assert (payers.title, payers.owner, payers.purposes) == ("Have paid", "crm", ("marketing",))
    assert payers.rests_on == {"event": ["order_paid"], "trait": ["spent"]}
    assert payers.used_by == {"segment": ["reached"], "destination": ["file"]}
    told = _entry(catalog, "destination", "file")
    assert told.rests_on == {"segment": ["payers"], "trait": ["spent"]}
    assert told.purposes == ("marketing",)


def test_words_find_names_descriptions_owners_and_properties(catalog: Catalog) -> None:
    """All of the words must occur, in whatever case and place."""

    def found(*words: str) -> set[str]:
        return {entry.name for entry in catalog.find(list(words))}

    assert found("ORDER", "money") == {"order_paid"}
    assert found("products[].sku") == {"order_paid"}
    assert found("direct") == {"order_paid", "contact", "reached"}
    assert "payers" in found("crm")
    assert found("segment", "have paid") == {"payers"}
    assert found("nowhere") == set()
    assert found() == {entry.name for entry in catalog.entries}


def test_without_data_figures_are_unknown_and_not_zero(catalog: Catalog) -> None:
    """No snapshot: no volume, no quality, and a line that says how to get them."""
    assert catalog.missing == MISSING
    assert {(entry.volume, entry.quality, entry.since) for entry in catalog.entries} == {(None, None, None)}


def test_figures_come_from_the_snapshot(shop: Settings) -> None:
    """Volumes, quality and first times are those that the snapshot's tables give; versions know since when they are in force."""
    found = collect(load_definitions(shop), figures(shop))

    def sql(query: str) -> Any:
        columns, rows = snapshot.sql(snapshot_path(shop), query)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    events = {
        row["name"]: row
        for row in sql("select coalesce(event, type) as name, count(*) as n, min(event_time) as first from events group by 1")
    }
    for entry in found.entries:
        if entry.kind == "event":
            known = events.get(entry.name, {"n": 0, "first": None})
            assert entry.volume == known["n"], entry.name
            assert entry.since == (known["first"] and f"{known['first'].isoformat(timespec='seconds')}Z"), entry.name
            assert sum(one.events or 0 for one in entry.versions) == entry.volume
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", entry.versions[0].declared or "")
    scores = {row["event"]: row for row in sql("select event, sum(events)::bigint as n, sum(refused)::bigint as r from quality group by 1")}
    viewed, paid = _entry(found, "event", "product_viewed"), _entry(found, "event", "order_completed")
    assert viewed.quality == scores["product_viewed"]["n"] / (scores["product_viewed"]["n"] + scores["product_viewed"]["r"])
    assert _entry(found, "segment", "window_shoppers").quality == min(viewed.quality, paid.quality or 0)
    coupon = next(one for one in paid.properties if one.path == "coupon")
    pairs = [row["c"] for row in sql("select properties -> 'coupon' as c from quality where event = 'order_completed' and events > 0")]
    carried, of = (sum(json.loads(pair)[at] if isinstance(pair, str) else pair[at] for pair in pairs) for at in (0, 1))
    assert coupon.present == carried / of
    assert 0 < coupon.present < 1
    members = sql("select count(*) as n from memberships where segment = 'big_spenders' and exited_at is null")[0]["n"]
    assert _entry(found, "segment", "big_spenders").volume == members
    with_city = sql("select count(*) as n from profiles where json_exists(traits, '$.city')")[0]["n"]
    assert _entry(found, "trait", "city").volume == with_city > 0
    assert _entry(found, "trait", "lifetime_value").declared == found.entries[0].declared
    assert found.clock is not None
    assert found.missing == ""


def test_the_command_prints_a_table_json_and_pages(shop: Settings) -> None:
    """Without words the pages are written as well; with words only what has them is shown."""
    done = skep("catalog", project=shop.root)
    assert done.returncode == 0
    assert "order_completed" in done.stdout
    assert (shop.data / "catalog/index.html").exists()
    rows = json.loads(skep("catalog", "refund", "--json", project=shop.root).stdout)
    assert {(row["kind"], row["name"]) for row in rows} == {("event", "order_refunded"), ("trait", "refunded")}
    assert rows[0]["versions"][0]["version"] == "1-0-0"
    # The demo computes no traits of accounts.
    assert {row["kind"] for row in json.loads(skep("catalog", "--json", project=shop.root).stdout)} == {*KINDS} - {"account trait"}
    assert "nothing has all of these words" in skep("catalog", "nowhere", project=shop.root).stdout


class _Page(HTMLParser):
    """Collects what the tests look at, and refuses tags that do not nest."""

    VOID = frozenset({"meta", "input", "br", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "a":
            self.links.append(str(dict(attrs)["href"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text += data


def _pages(catalog: Catalog) -> Iterator[tuple[str, _Page]]:
    for name, text in render(catalog).items():
        yield name, _Page(text)


def test_pages_are_sound_and_their_links_lead_somewhere(catalog: Catalog) -> None:
    """Every tag is closed, every link is a page of the catalog, nothing is loaded from elsewhere, and there is one page for each entry."""
    pages = dict(_pages(catalog))
    assert len(pages) == len(catalog.entries) + 1
    for page in pages.values():
        assert {unquote(link) for link in page.links} <= set(pages)
        assert not [
            attrs for _, attrs in page.tags if "src" in attrs or str(attrs.get("href", "")).startswith(("http", "//", "javascript"))
        ]
        assert ("html", {"lang": "en"}) in page.tags
        assert [tag for tag, _ in page.tags].count("h1") == 1
        assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in page.tags if tag == "th")
        labels = {attrs.get("for") for tag, attrs in page.tags if tag == "label"}
        assert all(attrs.get("id") in labels for tag, attrs in page.tags if tag == "input")
    linked = {unquote(link) for link in pages["index.html"].links}
    assert linked == set(pages) - {"index.html"}


def test_what_contracts_say_is_text_and_never_markup(catalog: Catalog) -> None:
    """A name or a description with tags in it is shown as it is written, and runs nothing."""
    pages = render(catalog)
    assert "<script>alert" not in "".join(pages.values())
    event = _Page(pages["event-order_paid.html"])
    assert "What was paid <b>in all</b>" in event.text
    assert "<script>alert(1)</script>" in event.text
    assert all(tag != "b" for tag, _ in event.tags)
    assert re.fullmatch(r"trait-[a-z0-9-]+\.html", page_name("trait", "<script>alert(1)</script>"))
    assert page_name("trait", "City") != page_name("trait", "city") == "trait-city.html"
    assert page_name("trait", "City").lower() != page_name("trait", "city")


def test_pages_are_the_same_for_the_same_catalog(catalog: Catalog, tmp_path: Path) -> None:
    """Rendering again gives the same bytes; pages of entries that are gone go, other files of the folder stay."""
    assert render(catalog) == render(collect(load(dict(reversed(FILES.items()))), Figures()))
    (tmp_path / "mine.html").write_text("mine")
    (tmp_path / "event-mine.html").write_text("mine")
    write_pages(catalog, tmp_path)
    smaller = collect(load(GOOD), Figures())
    write_pages(smaller, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*render(smaller), "mine.html", "event-mine.html"}


def test_figures_are_written_for_people() -> None:
    """A share is never rounded up to all, durations take the largest unit that fits."""
    assert [share(value) for value in (None, 1.0, 0.999999, 0.5, 0.0)] == ["–", "100 %", "99.99 %", "50.00 %", "0.00 %"]
    assert [duration_words(us) for us in (7_200_000_000, 90_000_000, 1_209_600_000_000, 86_400_000_000)] == ["2h", "90s", "2w", "1d"]
