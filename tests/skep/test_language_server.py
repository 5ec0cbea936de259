"""What an editor shows of a new project's files, asked of the language server that editors run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from skep.tools.starter import create
from tests.skep.language_server import LanguageServer

SEGMENT = "# yaml-language-server: $schema=../../.skep/schemas/segment.json\nsegment: a\nwho:\n  all:\n"
TRAITS = "# yaml-language-server: $schema=../.skep/schemas/traits.json\ntraits:\n  - name: a\n    did: order_completed\n"
ORDER = "    - did: order_completed\n"
EVENTS = {"order_completed", "order_refunded", "page_viewed", "product_viewed"}


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    root = tmp_path_factory.mktemp("editor") / "shop"
    create(root)
    server = LanguageServer(root)
    yield server
    server.close()


def test_files_of_a_new_project_are_not_underlined(editor: LanguageServer) -> None:
    """No segment and no trait that `skep init` writes."""
    contracts = editor.root / "contracts"
    for path in [*sorted((contracts / "segments").glob("*.yaml")), contracts / "traits.yaml"]:
        assert editor.problems(str(path.relative_to(editor.root)), path.read_text()) == [], path.name


@pytest.mark.parametrize(
    ("condition", "underlined", "says"),
    [
        (ORDER + "      where: {revenu: {gte: 50}}\n", "revenu", "Property revenu is not allowed."),
        ("    - did: Order Completed\n      where: {revenu: {gte: 50}}\n", "revenu", "Property revenu is not allowed."),
        (ORDER + "      where: {currency: YEN}\n", "YEN", 'Valid values: "EUR", "GBP", "USD"'),
        (ORDER + "      where: {revenue: lots}\n", "lots", "Incorrect type"),
        ("    - did: ordr_completed\n", "ordr_completed", '"order_completed"'),
        ("    - did: Order Completd\n", "Order Completd", '"order_completed"'),
        ("    - did: [order_completed, ordr_completed]\n", "ordr_completed", '"order_completed"'),
        (ORDER + "      sum: currency\n      gt: 5\n", "currency", '"revenue"'),
        (ORDER + "      wihtin: 30d\n", "wihtin", "Property wihtin is not allowed."),
        (ORDER + "      within: 1 month\n", "1 month", "expected a duration such as 30m, 12h, 30d"),
    ],
)
def test_what_is_wrong_is_underlined_where_it_stands(editor: LanguageServer, condition: str, underlined: str, says: str) -> None:
    """A property, a choice, an event, a sum of texts: one line, at the word, with what it may be."""
    ((word, message),) = editor.problems("contracts/segments/a.yaml", SEGMENT + condition)
    assert word == underlined
    assert says in message


def test_an_event_offers_its_own_properties(editor: LanguageServer) -> None:
    """Below `where` its properties, behind one its choices, behind `sum` its numbers, behind `did` the events."""

    def offered(condition: str) -> set[str]:
        return editor.completions("contracts/segments/a.yaml", SEGMENT + condition)

    assert offered("    - did: |\n") > EVENTS
    assert not {"identify", "Order Completed"} & offered("    - did: |\n")
    properties = offered(ORDER + "      where:\n        |\n")
    assert properties > {"revenue", "currency", "products[].sku"}
    assert not {"search", "gte"} & properties
    assert offered(ORDER + "      where:\n        currency: |\n") == {"EUR", "GBP", "USD"}
    assert offered(ORDER + "      where:\n        currency:\n          eq: |\n") == {"EUR", "GBP", "USD"}
    assert offered(ORDER + "      where:\n        revenue:\n          |\n") >= {"gte", "between"}
    assert offered(ORDER + "      sum: |\n") == {"revenue", "total", "shipping", "products[].price", "products[].quantity"}
    assert offered("    - did: order_*\n      sum: |\n") > {"revenue", "search"}


def test_traits_know_their_events(editor: LanguageServer) -> None:
    """A trait that sums a text is underlined, and is offered the numbers."""
    ((word, message),) = editor.problems("contracts/traits.yaml", TRAITS + "    sum: currency\n")
    assert word == "currency"
    assert '"revenue"' in message
    assert "revenue" in editor.completions("contracts/traits.yaml", TRAITS + "    sum: |\n")


def test_the_word_under_the_mouse_is_explained(editor: LanguageServer) -> None:
    """A property as its contract says it, a key as the reference does."""
    assert "what was paid without shipping" in editor.hover(
        "contracts/segments/a.yaml", SEGMENT + ORDER + "      where:\n        reve|nue: 5\n"
    )
    assert "later than so long ago" in editor.hover("contracts/segments/a.yaml", SEGMENT + ORDER + "      with|in: 30d\n")
