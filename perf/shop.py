"""What every measurement runs on: a shop's events, always the same for the same numbers, and a project that reads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date
from heapq import heappop, heappush
from pathlib import Path
from random import Random

from skep.tools.starter import shop_contracts

CATEGORIES = ("honey", "candles", "hives", "clothing", "books", "gifts")
BEGIN_MS = 1_767_225_600_000
"""The first of January 2026."""
DAY_MS = 86_400_000
EVENTS_PER_PERSON_AND_WEEK = 10
_VERSION = 2
"""Raised when the generator changes, so that no old file is measured."""


def cache_folder() -> Path:
    """Where generated input is kept, outside the checkout."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "skep" / "perf"


def events_file(events: int, people: int, seed: int, categories: int = 6) -> Path:
    """The file with these events, made on first use."""
    path = cache_folder() / f"shop-{_VERSION}-{events}-{people}-{seed}-{categories}.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}")
        with scratch.open("wb") as stream:
            stream.writelines(lines(events, people, seed, categories))
        scratch.replace(path)
    return path


def lines(events: int, people: int, seed: int, categories: int = 6) -> Iterator[bytes]:
    """Events of ``people`` people in order of arrival: sessions of 2 to 8 events, some hundred of them at a time.

    Everybody comes once before anybody comes again, ten events a person and week; a tenth of the people comes with a
    second device. Every event carries both identifiers. With more than six categories everybody prefers three of them.
    """
    rng = Random(f"{events}-{people}-{seed}")
    span_ms = max(1, events * 7 * DAY_MS // (EVENTS_PER_PERSON_AND_WEEK * people))
    sessions = _session_lengths(rng, events)
    order: list[int] = []
    pending: list[tuple[int, int, bytes]] = []
    number = 0
    for session, length in enumerate(sessions):
        if not order:
            order = list(range(people))
            rng.shuffle(order)
        person, start = order.pop(), BEGIN_MS + span_ms * session // len(sessions)
        while pending and pending[0][0] <= start:
            yield heappop(pending)[2]
        for at, line in _session(rng, person, start, length, number, categories):
            number += 1
            heappush(pending, (at, number, line))
    while pending:
        yield heappop(pending)[2]


def _session_lengths(rng: Random, events: int) -> list[int]:
    lengths = []
    while events > 0:
        lengths.append(min(events, rng.randrange(2, 9)))
        events -= lengths[-1]
    return lengths


def _session(rng: Random, person: int, at_ms: int, length: int, number: int, categories: int) -> Iterator[tuple[int, bytes]]:  # noqa: PLR0917
    device = f"{person:08x}{'b' if person % 10 == 0 and rng.random() < 0.5 else 'a'}5f0c3d1"
    for step in range(length):
        kind = rng.random()
        product, price = rng.randrange(2000), rng.randrange(300, 20_000) / 100
        if categories > 6 and rng.random() < 0.6:
            product += (person + rng.randrange(3) - product) % categories
        category = category_name(product % categories)
        coupon = f'"coupon":"c{product % 50:02d}",' if product < 400 else ""
        if step == 0 and kind < 0.5:
            call, body = (
                "page",
                (f'"name":"{category}","properties":{{"path":"/shop/{category}","url":"https://skep.shop/shop/{category}"}}'),
            )
        elif kind < 0.70:
            call, body = (
                "track",
                (
                    f'"event":"Product Viewed","properties":{{"product_id":"p{product:05d}","category":"{category}","price":{price},'
                    f'"currency":"EUR"}}'
                ),
            )
        elif kind < 0.90:
            call, body = (
                "track",
                (
                    f'"event":"Product Added","properties":{{"product_id":"p{product:05d}","category":"{category}","price":{price},'
                    f'"currency":"EUR","quantity":{1 + product % 3}}}'
                ),
            )
        else:
            call, body = (
                "track",
                (
                    f'"event":"Order Completed","properties":{{"order_id":"o{number + step:09d}",{coupon}"revenue":{price},'
                    f'"currency":"EUR",'
                    f'"products":[{{"product_id":"p{product:05d}","quantity":1}}]}}'
                ),
            )
        moment = iso_ms(at_ms)
        message = f"{rng.getrandbits(128):032x}"
        line = (
            f'{{"type":"{call}",{body},"messageId":"{message}","userId":"u{person:07d}","anonymousId":"{device}",'
            f'"timestamp":"{moment}","receivedAt":"{iso_ms(at_ms + 40 + product)}"}}\n'
        )
        yield at_ms, line.encode()
        at_ms += rng.randrange(2_000, 90_000)


def category_name(number: int) -> str:
    """The name of a category."""
    return CATEGORIES[number] if number < 6 else f"{CATEGORIES[number % 6]} {number}"


_DAYS: dict[int, str] = {}


def iso_ms(at_ms: int) -> str:
    """A moment as the shop's clients write it."""
    day, rest = divmod(at_ms, DAY_MS)
    text = _DAYS.get(day)
    if text is None:
        text = _DAYS[day] = date.fromordinal(719_163 + day).isoformat()
    seconds, millis = divmod(rest, 1000)
    return f"{text}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{millis:03d}Z"


def _name(number: int) -> str:
    return f"s{number:04d}"


def _orders(n: int) -> str:
    """Every fourth looks at all orders, the others at those with a coupon of their own."""
    return (
        "did: order_completed, where: {currency: EUR}"
        if n % 4 == 0
        else f"did: order_completed, where: {{coupon: c{n % 50:02d}, currency: EUR}}"
    )


_SHAPES: tuple[Callable[[int, str, str], str], ...] = (
    lambda n, _a, _b: f"{{{_orders(n)}, sum: revenue, gte: {250 + 10 * n}}}",
    lambda n, a, _b: (
        f"{{all: [{{did: product_added, where: {{category: {a}}}, within: {1 + n % 28}d}},"
        f" {{not: {{did: order_completed, within: {1 + n % 28}d}}}}]}}"
    ),
    lambda n, _a, _b: f"{{{_orders(n)}, times: {{gte: {2 + n % 7}}}, within: {30 - n % 23}d}}",
    lambda n, a, _b: (
        f"{{did: [product_viewed, product_added], where: {{category: {a}}}, times: {{gte: {3 + n % 7}}}, within: {30 - n % 23}d}}"
    ),
    lambda n, a, _b: (
        f"{{all: [{{did: product_viewed, {f'where: {{category: {a}}}, ' if n % 10 else ''}"
        f"distinct: product_id, gte: {5 + n % 7}, within: {7 + n % 15}d}},"
        " {did: order_completed, times: {eq: 0}}]}"
    ),
    lambda n, _a, b: f"{{did: page_viewed, where: {{name: {b}}}, times: {{gte: {1 + n % 7}}}}}",
    lambda n, _a, b: f"{{did: product_viewed, where: {{category: {b}, price: {{gt: {20 + n}}}}}, times: {{gte: {2 + n % 7}}}}}",
    lambda n, _a, _b: f"{{did: order_completed, where: {{{f'coupon: c{n % 50:02d}, ' if n % 10 else ''}revenue: {{gte: {100 + n}}}}}}}",
    lambda n, _a, b: (
        f"{{did: product_added, where: {{category: {b}, currency: EUR}}, sum: price, gte: {100 + 5 * n}, within: {1 + n % 30}d}}"
    ),
    lambda n, a, _b: f"{{did: product_viewed, where: {{category: {a}}}, times: {{gte: {4 + n % 7}}}, within: {1 + n % 28}d}}",
    lambda n, a, _b: (
        f"{{all: [{{trait: lifetime_value, gte: {100 + 10 * n}}},"
        f" {{not: {{did: product_viewed, where: {{category: {a}}}, within: {1 + n % 28}d}}}}]}}"
    ),
    lambda n, a, _b: (
        f"{{sequence: [{{did: product_viewed, where: {{category: {a}}}}}, {{did: product_added, where: {{category: {a}}}, within: 1h}}],"
        f" within: {1 + n % 28}d}}"
    ),
    lambda n, _a, b: f"{{all: [{{segment: {_name(16 * n + 3)}}}, {{did: page_viewed, where: {{name: {b}}}, within: {1 + n % 28}d}}]}}",
    lambda n, _a, b: (
        f"{{all: [{{has: anonymous_id}},"
        f" {{did: product_added, where: {{category: {b}}}, times: {{gte: {1 + n % 5}}}, within: {2 + n % 27}d}}]}}"
    ),
    lambda n, a, _b: (
        f"{{all: [{{sample: {{percent: {5 + n % 60}, seed: t{n}, by: user_id}}}},"
        f" {{did: product_viewed, where: {{category: {a}}}, within: {3 + n % 26}d}}]}}"
    ),
    lambda n, a, b: (
        f"{{at_least: {{n: 2, of: [{{did: product_viewed, where: {{category: {a}}}, times: {{gte: {2 + n % 9}}}}},"
        f" {{did: product_added, where: {{category: {b}}}}}, {{did: order_completed, within: {1 + n % 28}d}}, {{consent: marketing}}]}}}}"
    ),
)
"""By the turn and two categories: ten that look at what was done, as the demo shop's, then one of each other form."""


def segment(number: int, categories: int = 6) -> str:
    """The YAML of one segment: sixteen shapes in turn; each turn has other categories, thresholds, windows and coupons."""
    turn, shape = divmod(number, len(_SHAPES))
    who = _SHAPES[shape](turn, category_name(turn % categories), category_name((turn * 7 + 1) % categories))
    return f"segment: {_name(number)}\ntitle: Measured {number}\nowner: perf\nwho: {who}\n"


TRAITS = "traits:\n  - {name: lifetime_value, sum: revenue, did: order_completed, where: {currency: EUR}}\n"
"""One computed trait."""


def make_project(
    folder: Path, source: Path, segments: int, *, categories: int = 6, follow: bool = False, cache_mb: int = 512, traits: str = TRAITS
) -> Path:
    """A project with the demo shop's schemas, identity and consent, ``segments`` segments, and these traits."""
    for path, text in shop_contracts().items():
        if path.parts[0] in {"segments", "destinations", "traits.yaml"}:
            continue
        _write(folder / "contracts" / path, text)
    _write(folder / "contracts/traits.yaml", traits)
    for number in range(segments):
        _write(folder / f"contracts/segments/{_name(number)}.yaml", segment(number, categories))
    _write(
        folder / "skep.yaml",
        f"spaces: [shop]\ndata: data\nfollow: {str(follow).lower()}\nsecret: measuring\ncache_mb: {cache_mb}\n"
        f"sources:\n  - {{name: shop, kind: jsonl, path: {source}, space: shop}}\n",
    )
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
