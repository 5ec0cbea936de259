"""One person's visits to the demo shop, as a Segment SDK would send them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

import orjson

from skep.tools.demo.shop import APP_AGENT, CATEGORIES, CITIES, COUPONS, REFUND_REASONS, WEB_AGENT, Product, catalogue

DAY_MS = 86_400_000
END_MS = 1_782_864_000_000
"""2026-07-01T00:00:00Z: where a demo ends for which nobody says when."""
PRODUCTS = catalogue()
_SERVER = {"name": "skep-demo-server", "version": "2.1.0"}
_LIBRARIES = {True: {"name": "analytics-ios", "version": "4.1"}, False: {"name": "analytics.js", "version": "2.11"}}


@dataclass(slots=True)
class Device:
    anonymous_id: str
    mobile: bool
    agent: str
    ip: str
    seen: bool = False


@dataclass(slots=True)
class Person:
    """A person of the shop; the flags and ``seen`` say which identifiers occur in the events."""

    name: str
    user_id: str
    email: str
    phone: str | None
    first_name: str
    last_name: str
    logs_in: bool
    devices: list[Device]
    since_ms: int
    user_id_seen: bool = False
    email_seen: bool = False
    phone_seen: bool = False
    orders: list[tuple[str, float]] = field(default_factory=list)
    guest: bool = False
    """Says who they are, but has no account."""
    told: dict[str, str] = field(default_factory=dict)
    """Further traits that an identify call carries."""

    def identifiers(self) -> Iterator[tuple[str, str]]:
        """Those that occur in the events, as the contracts normalise them."""
        if self.user_id_seen:
            yield "user_id", self.user_id
        if self.email_seen:
            yield "email", self.email
        if self.phone_seen and self.phone:
            yield "phone", self.phone
        for device in self.devices:
            if device.seen:
                yield "anonymous_id", device.anonymous_id


@dataclass(slots=True)
class Visit:
    """A session in the making: where it happens, whether somebody is logged in, and what lies in the cart."""

    person: Person
    device: Device
    logged_in: bool
    delay_ms: int
    now_ms: int
    cart_id: str
    cart: list[tuple[Product, int]] = field(default_factory=list)
    order_id: str = ""


def visits(rng: Random, person: Person, quota: int, end_ms: int) -> Iterator[tuple[int, bytes]]:
    """Exactly ``quota`` events of ``person`` as ``(arrival in ms, line)``, not sorted; none happens or arrives after ``end_ms``."""
    lengths = _lengths(rng, quota)
    starts = sorted(rng.randrange(person.since_ms, end_ms - 7_200_000) for _ in lengths)
    devices = _devices(rng, person, len(lengths))
    logins = _login_visits(rng, person, devices)
    known: set[str] = set()
    for number, (length, start, device) in enumerate(zip(lengths, starts, devices, strict=True)):
        device.seen = True
        login = number in logins
        recognised = device.anonymous_id in known and rng.random() < 0.8
        offline = device.mobile and rng.random() < 0.05
        delay = rng.randrange(600_000, 6 * 3_600_000) if offline else rng.randrange(150, 3_000)
        visit = Visit(person, device, recognised, delay, start, message_id(rng)[:8])
        turn = rng.randrange(min(length, 4)) if login else -1
        for step in range(length):
            visit.now_ms += rng.randrange(4_000, 90_000)
            if step == turn:
                visit.logged_in = True
                known.add(device.anonymous_id)
                record = identify(rng, person)
            else:
                record = step_of(rng, visit, step, turn)
            visit.delay_ms = min(delay, end_ms - visit.now_ms)
            yield sent(rng, visit, record)


def _lengths(rng: Random, quota: int) -> list[int]:
    lengths = []
    while quota > 0:
        length = min(quota, 1 + int(rng.expovariate(1 / 8)))
        lengths.append(length)
        quota -= length
    return lengths


def _devices(rng: Random, person: Person, visits: int) -> list[Device]:
    """Which device each visit happens on; a person with few visits uses few devices."""
    used = person.devices[-visits:] if len(person.devices) > visits else person.devices
    return [used[number] if number < len(used) else rng.choice(used) for number in range(visits)]


def _login_visits(rng: Random, person: Person, devices: list[Device]) -> set[int]:
    """The visits in which the person logs in: one or more for every device, not always the first."""
    if not person.logs_in:
        return set()
    of_device: dict[str, list[int]] = {}
    for number, device in enumerate(devices):
        of_device.setdefault(device.anonymous_id, []).append(number)
    return {rng.choice(numbers[: 1 + len(numbers) // 3]) for numbers in of_device.values()}


def identify(rng: Random, person: Person) -> dict[str, Any]:
    """The person says who they are."""
    person.user_id_seen, person.email_seen = not person.guest, True
    traits: dict[str, Any] = {
        "email": person.email if rng.random() < 0.9 else person.email.title(),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "city": CITIES[int(person.user_id) % len(CITIES)],
        **person.told,
    }
    if person.phone and rng.random() < 0.7:
        person.phone_seen = True
        traits["phone"] = person.phone if rng.random() < 0.7 else "0" + person.phone[3:7] + " " + person.phone[7:]
    return {"type": "identify", "traits": traits}


def step_of(rng: Random, visit: Visit, step: int, login_turn: int) -> dict[str, Any]:
    """What the visitor does next."""
    chance = rng.random()
    if visit.order_id:
        return _order_completed(rng, visit)
    if login_turn >= 0 and step == login_turn + 1 and chance < 0.75:
        return _track("Consent Updated", {"categoryPreferences": {"marketing": chance < 0.6, "analytics": True}})
    if visit.logged_in and visit.person.orders and chance < 0.01:
        return _order_refunded(rng, visit)
    if visit.logged_in and chance > 0.997:
        return _track("Consent Updated", {"categoryPreferences": {"marketing": False}})
    if chance > 0.99:
        visit.person.email_seen = True
        return _track("Newsletter Subscribed", {"email": visit.person.email, "list": "weekly"})
    if visit.cart and chance < 0.07:
        return _checkout_started(visit)
    if chance < 0.2:
        return _product_added(rng, visit)
    if chance < 0.62:
        return _track("Product Viewed", PRODUCTS[_popular(rng)].properties())
    return _page(rng)


def _popular(rng: Random) -> int:
    return int(len(PRODUCTS) * rng.random() ** 2)


def _track(event: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "track", "event": event, "properties": properties}


def _page(rng: Random) -> dict[str, Any]:
    category = rng.choice(CATEGORIES)
    return {
        "type": "page",
        "name": "Category",
        "properties": {"url": f"https://shop.example/{category}", "path": f"/{category}"},
    }


def _product_added(rng: Random, visit: Visit) -> dict[str, Any]:
    product, quantity = PRODUCTS[_popular(rng)], rng.choice((1, 1, 1, 2, 3))
    visit.cart.append((product, quantity))
    return _track("Product Added", {**product.properties(), "quantity": quantity, "cart_id": visit.cart_id})


def _products(cart: list[tuple[Product, int]]) -> list[dict[str, Any]]:
    return [
        {"product_id": product.product_id, "sku": product.sku, "name": product.name, "price": product.price, "quantity": quantity}
        for product, quantity in cart
    ]


def _value(cart: list[tuple[Product, int]]) -> float:
    return round(sum(product.price * quantity for product, quantity in cart), 2)


def _checkout_started(visit: Visit) -> dict[str, Any]:
    visit.order_id = f"o-{visit.cart_id}"
    lines = visit.cart[-3:]
    return _track(
        "Checkout Started",
        {"order_id": visit.order_id, "cart_id": visit.cart_id, "value": _value(lines), "currency": "EUR", "products": _products(lines)},
    )


def _order_completed(rng: Random, visit: Visit) -> dict[str, Any]:
    lines = visit.cart[-3:]
    revenue, shipping = _value(lines), rng.choice((0.0, 3.9, 5.9))
    total, order_id = round(revenue + shipping, 2), visit.order_id
    properties: dict[str, Any] = {
        "order_id": order_id,
        "total": total,
        "revenue": revenue,
        "shipping": shipping,
        "currency": "EUR",
        "products": _products(lines),
    }
    if coupon := rng.choice(COUPONS):
        properties["coupon"] = coupon
    visit.person.orders.append((order_id, total))
    visit.order_id = ""
    visit.cart.clear()
    visit.cart_id = message_id(rng)[:8]
    return _track("Order Completed", properties)


def _order_refunded(rng: Random, visit: Visit) -> dict[str, Any]:
    order_id, total = visit.person.orders.pop()
    properties = {"order_id": order_id, "total": total, "currency": "EUR", "reason": rng.choice(REFUND_REASONS)}
    return {**_track("Order Refunded", properties), "server": True}


def sent(rng: Random, visit: Visit, step: dict[str, Any]) -> tuple[int, bytes]:
    """The step in its envelope: the app's timestamps are corrected already, the browser's are not; a server knows no device."""
    server = step.pop("server", False)
    device, now = visit.device, visit.now_ms
    arrival = now + (80 if server else visit.delay_ms)
    record: dict[str, Any] = {"messageId": message_id(rng), **step}
    if visit.logged_in and not visit.person.guest:
        record["userId"] = visit.person.user_id
    if not server:
        record["anonymousId"] = device.anonymous_id
    record["timestamp"] = iso(now)
    if device.mobile:
        record["originalTimestamp"] = record["timestamp"]
    record["sentAt"], record["receivedAt"] = iso(arrival - 60), iso(arrival)
    record["context"] = (
        {"library": _SERVER} if server else {"library": _LIBRARIES[device.mobile], "ip": device.ip, "userAgent": device.agent}
    )
    return arrival, orjson.dumps(record)


def new_device(rng: Random) -> Device:
    """A browser or a phone that nobody has used yet."""
    mobile = rng.random() < 0.4
    return Device(
        anonymous_id=message_id(rng),
        mobile=mobile,
        agent=APP_AGENT if mobile else WEB_AGENT,
        ip=f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    )


def message_id(rng: Random) -> str:
    """A UUID (version 4 in form) from the seeded generator."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@lru_cache(maxsize=512)
def _day(number: int) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - once a day of the demo

    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%dT")


def iso(ms: int) -> str:
    """Milliseconds since 1970 as ``2026-06-30T09:15:00.123Z``; `datetime` is four times slower."""
    day, rest = divmod(ms, DAY_MS)
    minutes, rest = divmod(rest, 60_000)
    return f"{_day(day)}{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}Z"
