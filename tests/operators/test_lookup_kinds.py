"""What the kinds of lookups that are no tables find: addresses, user agents, channels; and tables that a query gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from connectors.lookups.agent_patterns import agent_patterns
from connectors.lookups.channel_rules import SHIPPED, channel_rules
from connectors.lookups.data import Loaded, LoadedContent, load_lookup
from contracts.model.event import Event
from contracts.model.lookup import Lookup
from contracts.text.problems import ContractErrors
from operators.lookups.agents import Agents
from operators.lookups.channels import CLICKS, Channels, arrival_of
from operators.lookups.networks import Networks
from tests.mmdb import mmdb
from tests.samples import ROOT

COUNTRY = Lookup("country", "maxmind", "ip.mmdb", "", ("context.ip",), (("country", "country.iso_code"), ("city", "city.names.en")))
DEVICE = Lookup("device", "user_agent", "", "", ("context.userAgent",))
CHANNEL = Lookup("channel", "channel", "", "", ())
RECORDS: dict[str, Any] = {
    "10.0.0.0/8": {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Bonn", "de": "Bonn"}}},
    "192.168.1.0/24": {"country": {"iso_code": "FR"}, "size": 2**40},
    "203.0.113.7/32": {"city": {"names": ["x"]}},
}


def said(found: Any) -> Any:
    """Without the version; text and value are the same."""
    assert found is None or orjson.loads(found.text) == found.said
    return found and {name: value for name, value in found.said.items() if name != "version"}


def test_addresses(tmp_path: Path) -> None:
    (tmp_path / "ip.mmdb").write_bytes(mmdb(RECORDS))
    loaded = load_lookup(COUNTRY, tmp_path)
    assert isinstance(loaded, LoadedContent)
    assert loaded.size > 30
    look = Networks(COUNTRY, "v", tmp_path / "ip.mmdb").look
    for address, expected in {
        "10.1.2.3": {"country": "DE", "city": "Bonn"},
        " 192.168.1.255 ": {"country": "FR"},
        "203.0.113.7": {},
        "192.168.2.1": {},
        "2001:db8::1": {},
        "no address": {},
        "10.1.2.3:80": {},
    }.items():
        assert said(look(address)) == expected, address
        assert said(look(address)) == expected, address
    assert look(None) is None
    assert look({"a": 1}) is None


def test_half_a_database(tmp_path: Path) -> None:
    path, whole = tmp_path / "ip.mmdb", mmdb(RECORDS)
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:size])
        with pytest.raises(ContractErrors, match=r"path: expected a complete database in MaxMind's format.*half written"):
            load_lookup(COUNTRY, tmp_path)


def test_user_agents() -> None:
    content, count, source = agent_patterns()
    assert count > 1_000
    assert source.startswith("ua-parser-builtins ")
    look = Agents(DEVICE, "v", content).look
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"
    assert said(look(phone)) == {
        "browser": "Mobile Safari", "browser_version": "17.5", "os": "iOS", "os_version": "17.5", "device": "iPhone", "brand": "Apple",
        "model": "iPhone",
    }  # fmt: skip
    assert said(look("no such thing")) == {}
    assert look(7) is not None
    assert look(None) is None
    assert look("x" * 1_001) is None
    one = Agents(Lookup("device", "user_agent", "", "", (), (("system", "os"),)), "v", content).look
    assert said(one(phone)) == {"system": "iOS"}


def event(body: dict[str, Any], properties: dict[str, Any] | None = None) -> Event:
    return Event(1, 0, "m", "page", "page_viewed", "", (), properties or {}, None, None, None, body, b"")


def page(url: str = "", referrer: str = "", **campaign: str) -> dict[str, Any]:
    return {"context": {"page": {"url": url, "referrer": referrer}, "campaign": campaign}}


SHOP = "https://shop.example/"
VISITS: list[tuple[dict[str, Any], str | None]] = [
    (page(SHOP), "Direct"),
    (page(SHOP, "https://shop.example/basket"), "Direct"),
    (page(SHOP, "https://www.shop.example/basket"), "Direct"),
    (page(SHOP, "https://www.google.de/search?q=x"), "Organic search"),
    (page(SHOP, "https://duckduckgo.com/"), "Organic search"),
    (page(SHOP, "https://notgoogle.example/"), "Referral"),
    (page(SHOP, "https://l.facebook.com/"), "Organic social"),
    (page(SHOP, "https://t.co/abc"), "Organic social"),
    (page(SHOP, "https://not.co/abc"), "Referral"),
    (page(SHOP, "https://www.youtube.com/watch"), "Organic video"),
    (page(SHOP, "https://www.amazon.de/"), "Organic shopping"),
    (page(SHOP, "https://chatgpt.com/"), "AI assistant"),
    (page(SHOP, "https://mail.google.com/"), "Email"),
    (page(SHOP, "https://blog.example/post"), "Referral"),
    (page(SHOP + "?utm_source=Google&utm_medium=CPC&utm_campaign=brand"), "Paid search"),
    (page(SHOP + "?utm_source=google&utm_medium=cpc&utm_campaign=shopping_spring"), "Paid shopping"),
    (page(SHOP + "?utm_source=facebook&utm_medium=paid_social"), "Paid social"),
    (page(SHOP + "?utm_source=youtube&utm_medium=cpv"), "Paid video"),
    (page(SHOP + "?utm_source=x&utm_medium=banner"), "Display"),
    (page(SHOP + "?utm_source=partner7&utm_medium=cpc"), "Paid other"),
    (page(SHOP + "?gclid=abc", "https://www.google.com/"), "Paid search"),
    (page(SHOP + "?fbclid=abc"), "Organic social"),
    (page(SHOP + "?utm_medium=e-mail&utm_source=june"), "Email"),
    (page(SHOP + "?utm_source=newsletter"), "Email"),
    (page(SHOP + "?utm_medium=affiliates&utm_source=x"), "Affiliates"),
    (page(SHOP + "?utm_medium=sms&utm_source=x"), "SMS"),
    (page(SHOP + "?utm_medium=web_push&utm_source=x"), "Push"),
    (page(SHOP + "?utm_medium=podcast&utm_source=x"), "Audio"),
    (page(SHOP + "?utm_source=%28direct%29&utm_medium=%28none%29"), "Direct"),
    (page(SHOP + "?utm_source=leaflet&utm_medium=print"), "Other"),
    (page(SHOP + "?utm_source=leaflet"), "Referral"),
    (page(SHOP + "?utm_source=bing", source="facebook", medium="cpc"), "Paid social"),
    (page("", "https://www.google.de/"), "Organic search"),
    (page("https://[broken", "https://[also"), "Direct"),
    ({"context": {"campaign": {"name": "x"}}}, "Direct"),
    ({"context": {"page": {"url": 7}, "campaign": "x"}}, None),
    ({"context": "x"}, None),
    ({}, None),
]


@pytest.mark.parametrize("number", range(len(VISITS)))
def test_channels(number: int) -> None:
    body, expected = VISITS[number]
    look = Channels(CHANNEL, "v", channel_rules(None)[0]).look
    visit = arrival_of(event(body))
    assert (visit and look(visit).said["channel"]) == expected, visit  # type: ignore[union-attr]


def test_a_page_says_it_in_its_properties() -> None:
    visit = arrival_of(event({}, {"url": SHOP + "?UTM_Source=Bing&utm_source=no&utm_medium=organic", "referrer": "https://blog.example/"}))
    assert visit == ("bing", "organic", "", "")
    assert said(Channels(CHANNEL, "v", channel_rules(None)[0]).look(visit)) == {
        "channel": "Organic search", "source": "bing", "medium": "organic",
    }  # fmt: skip


def test_every_rule_can_be_met_and_names_what_there_is() -> None:
    rules = orjson.loads(channel_rules(None)[0])
    names = {name for name, _ in rules}
    assert names == {expected for _, expected in VISITS if expected}
    assert {click for _, clauses in rules for click in clauses.get("click", ())} <= set(CLICKS)


def test_the_page_has_the_rules() -> None:
    """docs/lookups.md shows them as they are."""
    rules = SHIPPED.read_text().split("\n", 1)[1]
    assert f"`reference/channels.yaml`:\n\n```yaml\n{rules}```\n" in (ROOT / "docs/lookups.md").read_text()


RULES_WRONG = {
    "rules: [{channel: A, sourc: x}]": "expected one of the keys channel, source, medium, campaign or click, found sourc in line 1",
    "rules: [{source: x}]": "expected the name of the channel, found nothing in line 1",
    "rules:\n  - {channel: A, source: $serch}\nlists: {search: [a]}": "found $serch in line 2",
    "lists: {}": "expected a list of rules, each with a channel, found nothing in line 1",
    "rules: []": "expected at least one rule, found none",
    "rules: [": "expected YAML 1.2",
}


@pytest.mark.parametrize("text", RULES_WRONG)
def test_rules_of_ones_own(tmp_path: Path, text: str) -> None:
    mine = Lookup("channel", "channel", "mine.yaml", "", (), lines={"path": 2})
    (tmp_path / "mine.yaml").write_text("rules: [{channel: Mine, source: [bees, shop.example]}, {channel: Rest}]\n")
    loaded = load_lookup(mine, tmp_path)
    assert isinstance(loaded, LoadedContent)
    look = Channels(mine, "v", loaded.content).look
    found = [
        look(visit) for source in ("www.bees.org", "a.shop.example", "myshop.example") if (visit := arrival_of(event(page(source=source))))
    ]
    assert [one and one.said["channel"] for one in found] == ["Mine", "Mine", "Rest"]
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ContractErrors) as error:
        load_lookup(mine, tmp_path)
    assert str(error.value).startswith("contracts/lookups/channel.yaml:2: path: ")
    assert RULES_WRONG[text] in str(error.value)


def test_a_query(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("sku,price\nA,1.5\nB,2.5\n")
    ask = Lookup(
        "price", "duckdb", "", "sku", ("properties.sku",), query="SELECT sku, price::DECIMAL(9,2) AS price FROM read_csv('prices.csv')"
    )
    loaded = load_lookup(ask, tmp_path)
    assert isinstance(loaded, Loaded)
    assert dict(zip(*loaded, strict=True)) == {"A": b'{"price":1.5}', "B": b'{"price":2.5}'}
    with duckdb.connect(tmp_path / "shop.duckdb") as con:
        con.execute("CREATE TABLE stock AS SELECT 7 AS sku, TIMESTAMP '2026-01-01' AS since, ['a'] AS tags")
    over = Lookup("stock", "duckdb", "shop.duckdb", "sku", (), lines={"query": 3, "path": 2}, query="FROM stock")
    loaded = load_lookup(over, tmp_path)
    assert isinstance(loaded, Loaded)
    assert dict(zip(*loaded, strict=True)) == {"7": b'{"since":"2026-01-01T00:00:00.000Z","tags":["a"]}'}
    for query, words in {
        "FROM nothing": "lookups/stock.yaml:3: query: expected a query that DuckDB answers, found Catalog Error: Table with name nothing",
        "SELEC 1": "query: expected a query that DuckDB answers, found Parser Error",
        "DROP TABLE stock": "query: expected a query that",
        "SELECT 1 AS sku, 2 AS sku_1, 3 AS sku_1": "path: expected columns that have names of their own",
    }.items():
        broken = Lookup("stock", "duckdb", "shop.duckdb", "sku", (), lines={"query": 3, "path": 2}, query=query)
        with pytest.raises(ContractErrors) as error:
            load_lookup(broken, tmp_path)
        assert words in str(error.value), str(error.value)
