"""The definitions of a scenario: traits of any measure in any window, segments of any condition, rules of identity, all of them drawn."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from random import Random
from typing import Any

import contracts
from contracts import ContractErrors, Problem
from tests.predicates import drawn, drawn_against, drawn_of_trait
from tests.typed import BLOCKED

Json = dict[str, Any]

NO_SESSION = {"since_first", "since_last", "first_time", "decayed_sum"}
WINDOWS = ("10m", "30m", "1h", "1d", "3d", "10d", "30d")


def definitions_files(seed: int) -> dict[str, str]:
    """The files of a seed, without an `all` that nobody can meet: such a segment asks for some one of its conditions."""
    files = drawn_files(seed)
    for path, problem in contradictions(files):
        assert problem.expected.startswith("conditions"), problem
        files[path] = json.dumps({**json.loads(files[path]), "who": {"did": "order_*"}}, indent=1, ensure_ascii=False)
    return files


def contradictions(files: dict[str, str]) -> list[tuple[str, Problem]]:
    """The segments that are refused, with what is said of them; only what speaks of one thing twice is looked at."""
    segments = [text for path, text in files.items() if path.startswith("segments/")]
    if not any(name == again for text in segments for name, again in pairwise(sorted(_NAMED.findall(text)))):
        return []
    try:
        contracts.load(files)
    except ContractErrors as errors:
        return [(problem.file, problem) for problem in errors.problems]
    return []


_NAMED = re.compile(r'(?:"purpose"|"consent"): "(\w+)"|"trait": "([^"]+)"|"segment": "(\w+)"|"(did)"')


def drawn_files(seed: int) -> dict[str, str]:
    """The files of a seed as they are drawn. JSON is YAML, too."""
    rng = Random(f"{seed}:definitions")
    computed = Random(f"{seed}:computed")
    traits = [*TRAITS, *(_computed(computed, number) for number in range(computed.choice([0, 3, 6])))]
    merged = Random(f"{seed}:merged")
    for name in ("age", "value"):
        if merged.random() < 0.3:
            traits = [{"name": name, "merge": merged.choice(["earliest", "earliest", "latest"])}, *traits]
    made = Random(f"{seed}:made")
    traits += [_made(made, number, [one["name"] for one in traits]) for number in range(made.choice([0, 0, 2, 4]))]
    files: dict[str, Any] = {"identity.yaml": _identity(rng), "consent.yaml": CONSENT, "traits.yaml": {"traits": traits}}
    belonging = Random(f"{seed}:belonging")
    for number in range(belonging.choice([0, 1, 2])):
        who: Json = {"account": _of_account(belonging, 1)}
        who = belonging.choice([who, {"not": who}, {"any": [who, {"consent": "marketing"}]}])
        files[f"segments/b{number}.yaml"] = {"segment": f"b{number}", "who": who}
    files |= _of_accounts(Random(f"{seed}:accounts")) if seed % 2 else {}
    for event, properties in PROPERTIES.items():
        files[f"events/{event}/1-0-0.json"] = {"type": "object", "properties": {name: {} for name in properties}}
    for trait in (one for one in traits if "expression" in one or "ratio" in one):
        if made.random() < 0.7:
            said = made.choice([{"eq": True}, {"ne": True}]) if trait["name"].startswith("b") else _number_predicate(made)
            files[f"segments/{trait['name']}.yaml"] = {"segment": trait["name"], "who": {"trait": trait["name"], **said}}
    for trait in (one for one in traits if re.fullmatch(r"c\d", one["name"])):
        if computed.random() < 0.5 and not {"percentile", "top", "list", "set", "first", "last"} & set(trait):
            number = computed.choice([1, 3, 20, 3600, 864_000])
            who = {"trait": trait["name"], **computed.choice([{"gte": number}, {"lt": number}, {"ne": number}, {"exists": True}])}
            files[f"segments/{trait['name']}.yaml"] = {"segment": trait["name"], "who": who}
    for number in range(rng.choice([2, 5, 8])):
        floor = Random(f"{seed}:floor:{number}").choice([None] * 7 + [0.9, 0.96, 0.99, 0.999, 1])
        files[f"segments/s{number}.yaml"] = _segment(rng, number) | ({} if floor is None else {"confidence": {"gte": floor}})
    asked = Random(f"{seed}:predicates")
    for number in range(asked.choice([0, 1, 3])):
        files[f"segments/p{number}.yaml"] = _of_value(asked, number)
    ordered = Random(f"{seed}:sequences")
    for number in range(ordered.choice([0, 1, 2])):
        who = drawn_sequence(ordered)
        who = ordered.choice([who, who, {"not": who}, {"any": [who, {"consent": "marketing"}]}, {"all": [who, _did(ordered)]}])
        files[f"segments/q{number}.yaml"] = {"segment": f"q{number}", "who": who} | ordered.choice([{}, {"timezone": "Europe/Berlin"}])
    listed = "namespace,value\nuser_id,u1\nuser_id,u3\nanonymous_id,d2\nemail,Ada@Example.org\n"
    return {**{path: json.dumps(content, indent=1, ensure_ascii=False) for path, content in files.items()}, "lists/some.csv": listed}


PROPERTIES = {
    "order_completed": ("amount", "sku", "currency", "items", "due", "value"),
    "order_refunded": ("amount", "sku", "currency", "items", "due", "value"),
    "product_viewed": ("amount", "sku"),
    "consent_updated": ("categoryPreferences",),
}
CONSENT = {"purposes": [{"name": "marketing", "default": "denied"}, {"name": "analytics", "default": "granted"}]}
TRAITS = [
    {"name": "plan"},
    {"name": "orders", "count": True, "did": "order_completed"},
    {"name": "total", "sum": "amount", "did": "order_*", "emit": True},
    {"name": "first_sku", "first": "sku", "did": "order_*"},
    {"name": "last_sku", "last": "sku", "did": ["product_viewed", "order_completed"], "where": {"amount": {"gt": 0}}},
    {"name": "skus", "set": "sku", "did": "order_*", "limit": 2},
]


_AMOUNT, _SKU = ("avg", "min", "max", "stddev", "percentile", "sum", "decayed_sum"), ("top", "list", "set", "distinct", "first", "last")
_PLAIN: tuple[Json, ...] = (
    {"count": True}, {"distinct_days": True}, {"since_first": True}, {"since_last": True}, {"interval_mean": True}, {"session_count": True},
    {"streak": "days"}, {"streak": "weeks"}, *({"session_length": how} for how in ("mean", "last", "total")),
)  # fmt: skip


def _computed(rng: Random, number: int) -> Json:
    """A computed trait of any measure, in any window that the measure takes."""
    measure = rng.choice([*({word: "amount"} for word in _AMOUNT), *({word: "sku"} for word in _SKU), *_PLAIN])
    (word,) = measure
    if rng.random() < 0.2 and word in {*_AMOUNT, *_SKU}:
        measure = {word: "items[].qty" if word in _AMOUNT else "items[].sku"}
    trait = {"name": f"c{number}", **measure, "did": rng.choice(["order_completed", "order_*", "*", ["product_viewed", "order_completed"]])}
    if word in {"list", "set"}:
        trait["limit"] = rng.choice([1, 2, 5])
    if word == "top":
        trait |= rng.choice([{}, {"k": 2}, {"k": 3, "weights": {"order_completed": rng.choice([0, 0.5, 5])}}])
        trait["did"] = rng.choice([trait["did"], ["order_completed", "product_viewed"]]) if "weights" not in trait else "order_*"
    if word == "percentile":
        trait["at"] = rng.choice([0.5, 0.95, 1, 0.000001])
    if word == "decayed_sum":
        trait["half_life"] = rng.choice(["10m", "1d", "7d"])
    if word != "streak":
        trait |= _window(rng, session=word not in NO_SESSION)
    if trait["did"] == "order_completed" and rng.random() < 0.3:
        trait["where"] = _where(rng)
    if not word.startswith("since") and word != "decayed_sum" and rng.random() < 0.4:
        trait["emit"] = True
    return trait


def _made(rng: Random, number: int, known: list[str]) -> Json:
    """A trait that is made of others: numbers, comparisons of numbers and texts, presence."""
    numbers = ["age", "orders", "total", *(name for name in known if re.fullmatch(r"n\d", name))]
    one, two = rng.choice(numbers), rng.choice(numbers)
    text = rng.choice(["plan", "first_sku", "last_sku"])
    expression = rng.choice(
        [
            f"{one} {rng.choice('+-*/')} {two}",
            f"({one} + 1) / ({two} - 3) * 0.7",
            f"{one} > {rng.choice(['3', '20', two])} and not {text} = 'A'",
            f"{text} {rng.choice(['<', '!=', '>='])} 'B' or {one} / {two} <= 1.5",
            f"exists({rng.choice([one, text, 'address.city', 'value'])})",
        ]
    )
    truth = any(sign in expression for sign in "=<>") or "exists" in expression
    made: Json = {"name": f"{'b' if truth else 'n'}{number}", "expression": expression}
    if rng.random() < 0.2:
        made = {"name": f"n{number}", "ratio": {"of": one, "to": two}}
    return made | {"emit": rng.random() < 0.5}


def _of_accounts(rng: Random) -> dict[str, Any]:
    """Mostly traits of accounts, of any measure and in any window, some made of others, and segments that look at them."""
    traits = [trait for number in range(rng.choice([0, 1, 2, 4])) if "session" not in (trait := _computed(rng, number))]
    if not traits:
        return {}
    traits = [{key: said for key, said in trait.items() if key != "emit"} | {"name": f"w{at}"} for at, trait in enumerate(traits)]
    traits += [{"name": "all_orders", "count": True, "did": "order_*"}, {"name": "all_time", "sum": "amount", "did": "*"}]
    traits.append({"name": "share", "ratio": {"of": "all_time", "to": rng.choice(["all_orders", "seats"])}})
    traits.append({"name": "large", "expression": rng.choice(["all_orders > 2 and plan != 'free'", "exists(plan) or all_time < 20"])})
    files: dict[str, Any] = {"accounts.yaml": {"traits": traits}}
    inexact = {"percentile", "top", "list", "set", "first", "last"}
    asked = [trait["name"] for trait in traits[:-1] if not inexact & set(trait)]
    for number, name in enumerate(rng.sample(asked, rng.randrange(len(asked)))):
        said = {"trait": name, **rng.choice([{"gte": 3}, {"lt": 20}, {"gt": 3600}, {"ne": 1}, {"exists": True}])}
        who = {"account": rng.choice([said, {"not": said}, {"all": [said, {"trait": "large", "eq": True}]}])}
        files[f"segments/w{number}.yaml"] = {"segment": f"w{number}", "who": rng.choice([who, who, {"not": who}])}
    return files


def _window(rng: Random, *, session: bool) -> Json:
    longer, shorter = sorted(rng.sample([0, 1, 2, 5, 9, 20, 40], 2), reverse=True)
    days = sorted(rng.sample(["2026-01-03", "2026-01-10", "2026-01-10T22:30:00Z", "2026-01-20", "2026-02-05"], 2))
    return rng.choice(
        [
            {},
            {"within": rng.choice(WINDOWS)},
            {"within": rng.choice(WINDOWS)},
            {"ago": [f"{longer}d", f"{shorter}d"]},
            {"between": days},
            {"session": "current"} if session else {},
        ]
    )


def _identity(rng: Random) -> Json:
    device: Json = {"name": "anonymous_id", "from": ["anonymousId", "previousId"], "scope": "device"}
    if rng.random() < 0.25:
        device["shared_after"] = rng.choice([2, 3])
    email: Json = {"name": "email", "from": ["traits.email", "context.traits.email"], "normalize": "email", "personal": True}
    email |= rng.choice([{}, {"unique": True}, {"limit": 2}, {"limit": 1}])
    namespaces: list[Json] = [{"name": "user_id", "from": "userId", "unique": rng.random() < 0.85}, email]
    if rng.random() < 0.5:
        namespaces.append({"name": "phone", "from": "context.traits.phone", "normalize": "phone", "limit": 1})
    namespaces.append(device)
    if rng.random() < 0.3:
        namespaces.append({"name": "device_id", "from": "context.device.id", "scope": "device", "limit": 1})
    stitching = {"session_gap": "30m", "backstitch": rng.choice(["1h", "2d", "30d"]), "owner": rng.choice(["session"] * 5 + ["device"])}
    limits = rng.choice([{}, {}, {"identifiers": 4}, {"links": 3}, {"identifiers": 3, "links": 2}])
    return {
        "version": 1,
        "namespaces": namespaces,
        "conflict": rng.choice(["newest", "newest", "oldest"]),
        "limits": limits,
        "stitching": stitching,
    } | rng.choice([{}, {}, {}, {"blocked": BLOCKED}])


def _segment(rng: Random, number: int) -> Json:
    segment: Json = {"segment": f"s{number}", "who": _condition(rng, number, 2)}
    if rng.random() < 0.3:
        segment["purpose"] = rng.choice(["marketing", "analytics"])
    if rng.random() < 0.4:
        segment["timezone"] = rng.choice(["Europe/Berlin", "America/New_York"])
    return segment


def drawn_sequence(rng: Random) -> Json:
    """Two to four steps of what happens often, so that some are there and some are not."""
    steps = [_step(rng)]
    for _ in range(rng.choice([1, 1, 2, 3])):
        never, short = rng.random() < 0.4, rng.choice(["1s", "10m", "30m", "1h", "6h"])
        step: Json = {"not": _step(rng)} if never else _step(rng)
        steps.append({**step, "within": short} if rng.random() < 0.5 else step)
    if "not" in steps[-1]:
        steps[-1]["within"] = rng.choice(["10m", "1h", "1d"])
    found: Json = {"sequence": steps}
    if rng.random() < 0.3:
        found["same"] = rng.choice(["sku", "sku", "amount", "items"])
    if rng.random() < 0.5:
        found["within"] = rng.choice(["3d", "10d", "30d"])
    if rng.random() < 0.3:
        found["span"] = rng.choice(["2d", "3d", "10d"])
    return found


def _step(rng: Random) -> Json:
    step: Json = {"did": rng.choice(["order_completed", "order_*", "order_*", "*", ["order_refunded", "product_viewed"], "order_refunded"])}
    if step["did"] == "order_completed" and rng.random() < 0.4:
        step["where"] = _where(rng)
    elif "order" in step["did"] and rng.random() < 0.2:
        step["where"] = rng.choice([{"sku": "A"}, {"amount": _number_predicate(rng)}])
    return step


def _of_value(rng: Random, number: int) -> Json:
    """A segment by what identify calls, or orders, say of one thing that may be anything."""
    kind = rng.random()
    if kind < 0.15:
        who = {"trait": rng.choice(["value", "value[]"]), **drawn_against(rng, {"trait": rng.choice(["plan", "age", "last_sku"])})}
    elif kind < 0.3:
        who = {"did": "order_*", "where": {rng.choice(["value", "value[]"]): drawn_against(rng, {"property": rng.choice(["sku", "due"])})}}
    elif kind < 0.65:
        who = {"trait": rng.choice(["value", "value[]", "value.a"]), **drawn_of_trait(rng)}
    else:
        who = {"did": rng.choice(["order_completed", "order_*"]), "where": {rng.choice(["value", "value[]"]): drawn(rng)}}
    return {"segment": f"p{number}", "who": who} | rng.choice([{}, {"timezone": "Europe/Berlin"}])


def _condition(rng: Random, number: int, depth: int) -> Json:
    """A condition of segment ``number``, which may name those before it."""
    kind = rng.choices(
        ["did", "trait", "consent", "segment", "all", "any", "not", "at_least", "seen", "identifiers"],
        [12, 8, 2, 2, *[2 if depth else 0] * 4, 1, 1],
    )[0]
    if kind == "seen":
        return rng.choice([{"new_within": rng.choice(["1h", "3d"])}, {"inactive_for": rng.choice(["1h", "2d"])}])
    if kind == "identifiers":
        return _of_identifiers(rng)
    if kind == "at_least":
        return {kind: {"n": rng.choice([1, 2, 2, 3]), "of": [_condition(rng, number, depth - 1) for _ in range(3)]}}
    if kind in ("all", "any"):
        return {kind: [_condition(rng, number, depth - 1) for _ in range(2)]}
    if kind == "not":
        return {"not": _condition(rng, number, depth - 1)}
    if kind == "consent":
        return {"consent": rng.choice(["marketing", "analytics"])}
    if kind == "segment" and number:
        return {"segment": f"s{rng.randrange(number)}"}
    return _trait(rng) if kind == "trait" else _did(rng)


def _of_identifiers(rng: Random) -> Json:
    namespace = rng.choice(["user_id", "email", "anonymous_id"])
    has = rng.choice([{}, {}, {"eq": "u1"}, {"in": ["u1", "u2", "d1", "ada@example.org"]}, {"starts_with": "d"}, {"not_contains": "1"}])
    sample = {"percent": rng.choice([0, 10, 50, 50, 100]), "seed": rng.choice(["a", "b"])}
    by = rng.choice([{}, {"by": namespace}])
    return rng.choice([{"has": namespace, **has}, {"has": namespace, **has}, {"sample": {**sample, **by}}, {"in_list": "some.csv"}])


def _of_account(rng: Random, depth: int) -> Json:
    """A condition on the traits that `tests.generator` has group calls say."""
    kind = rng.choice(["trait", "trait", *["all", "any", "not"] * depth])
    if kind in ("all", "any"):
        return {kind: [_of_account(rng, depth - 1) for _ in range(2)]}
    if kind == "not":
        return {"not": _of_account(rng, depth - 1)}
    text = {"trait": rng.choice(["plan", "address.city"]), **_text_predicate(rng)}
    some = {"trait": "tags[]", **rng.choice([{"eq": "a"}, {"starts_with": "b"}])}
    return rng.choice([text, some, {"trait": "seats", **_number_predicate(rng)}, {"trait": "since", **_date_predicate(rng)}])


def _trait(rng: Random) -> Json:
    name = rng.choice(["age", "orders", "total"])
    number = {"trait": name, **(_count_predicate(rng) if name == "orders" else _number_predicate(rng))}
    text = {"trait": rng.choice(["plan", "address.city", "first_sku", "last_sku", "skus[0]"]), **_text_predicate(rng)}
    day = {"trait": "since", **_date_predicate(rng)}
    some = {"trait": "skus[]", **rng.choice([{"eq": "A"}, {"starts_with": "B"}])}
    if rng.random() < 0.15:
        lasting = rng.choice(["1h", "1d", "3d", {"lt": "1d"}, {"gte": "1h", "lt": "3d"}, {"between": ["1m", "3d"]}, {"gt": "10d"}])
        such = rng.choice([{"eq": "gold"}, {"ne": "gold"}, {"exists": False}, {"exists": True}, {"gt": "B"}])
        plan = {"trait": rng.choice(["plan", "address.city"]), **such}
        return {**rng.choice([plan, plan, {"trait": "since", **_date_predicate(rng)}]), "for": lasting}
    return rng.choice([number, number, text, text, day, some])


def _did(rng: Random) -> Json:
    events = rng.choice(
        ["order_completed", "Order Completed", "order_*", ["product_viewed", "order_refunded"], "product_viewed", "page_viewed"]
    )
    condition: Json = {"did": events}
    if events != "page_viewed":
        measure = rng.choice(["times", "times", "sum", "distinct", "avg", "min", "max", "other", "other"])
        condition |= (
            _other(rng) if measure == "other" else {"times": _count_predicate(rng)} if measure == "times" else _measure(rng, measure)
        )
        if events == "order_completed" and "where" not in condition and rng.random() < 0.6:
            condition["where"] = _where(rng)
    elif rng.random() < 0.5:
        condition |= {"times": {"eq": 0}}
    if "active_periods" not in condition and (rng.random() < 0.6 or "first_time" in condition):
        condition |= _window(rng, session=not NO_SESSION & condition.keys()) or {"within": "3d"}
    if "session" not in condition and not {"latest", "first_time"} & condition.keys() and rng.random() < 0.08:
        condition = json.loads(re.sub(r'\{"trait": "\w+"\}', "2", json.dumps(condition)))
        condition["each"] = "sku"
        if "times" in condition:
            condition["times"] = rng.choice([{"gte": 2}, {"eq": 1}, {"lt": 3}, {"gt": 1, "lte": 3}, {"in": [2, 3]}])
    return condition


def _measure(rng: Random, measure: str) -> Json:
    predicate = _count_predicate(rng) if measure == "distinct" else _number_predicate(rng)
    if rng.random() < 0.06:
        predicate = {rng.choice(["gt", "lte", "eq", "ne"]): {"trait": rng.choice(["age", "orders", "total"])}}
    beside = "between" not in predicate and rng.random() < 0.5
    return {measure: "sku" if measure == "distinct" else "amount", **(predicate if beside else {"value": predicate})}


def _other(rng: Random) -> Json:
    """A measure of days, of times, or of one event."""
    passed = rng.choice([{"gte": "1d"}, {"lt": "10m"}, {"gt": "3d", "lte": "10d"}, {"between": ["1h", "30d"]}, {"ne": "1d"}])
    value = {"value": _count_predicate(rng)}
    return rng.choice(
        [
            {"distinct_days": True, **value},
            {"active_periods": {"each": rng.choice(["1h", "1d", "7d"]), "of": rng.choice([4, 5, 7])}, **value},
            {rng.choice(["since_first", "since_last"]): passed},
            {rng.choice(["first", "last"]): "sku", "value": _text_predicate(rng)},
            {"latest": True, "where": rng.choice([{"amount": _number_predicate(rng)}, {"sku": "A"}, {"context.channel": "web"}])},
            {"first_time": True},
            {"decayed_sum": rng.choice([True, "amount"]), "half_life": rng.choice(["10m", "1d", "7d"]), "value": _number_predicate(rng)},
            {"decayed_sum": True, "half_life": rng.choice(["30m", "3d"]), "gte": rng.choice([0.1, 0.5, 1, 1.5])},
        ]
    )


def _count_predicate(rng: Random) -> Json:
    n = rng.choice([1, 2, 3])
    return rng.choice(
        [{"gte": n}, {"eq": n}, {"eq": 0}, {"lt": n}, {"gt": n, "lte": n + 1}, {"between": [n, n + 1]}, {"ne": n}, {"in": [0, n]}]
    )


def _where(rng: Random) -> Json:
    return rng.choice(
        [
            {"currency": "EUR"},
            {"currency": ["EUR", "GBP"], "amount": _number_predicate(rng)},
            {"items[].sku": "A"},
            {"items[].sku": {"exists": False}},
            {"items[].sku": {"starts_with": "A", "ne": "A"}},
            {"items[0].qty": {"gte": 2}},
            {"sku": _text_predicate(rng)},
            {"context.channel": "web"},
            {"due": _date_predicate(rng)},
        ]
    )


def _number_predicate(rng: Random) -> Json:
    n = rng.choice([0, 0.1, 0.3, 3, 19.99, 20, -5, 100])
    return rng.choice(
        [{"gte": n}, {"gt": n}, {"lt": n}, {"lte": n}, {"eq": n}, {"ne": n}, {"in": [n, 3]}, {"not_in": [n]}, {"between": [n, n + 20]}]
    )


def _text_predicate(rng: Random) -> Json:
    return rng.choice(
        [
            {"eq": "A"},
            {"ne": "gold"},
            {"in": ["gold", "B", 1]},
            {"not_in": ["A", "Berlin"]},
            {"exists": True},
            {"exists": False},
            {"is": "empty"},
            {"contains": "erl"},
            {"not_contains": "o"},
            {"starts_with": "B"},
            {"not_starts_with": "B"},
            {"ends_with": "d"},
            {"not_ends_with": "n"},
            {"gt": "B"},
            {"lte": "Berlin"},
        ]
    )


def _date_predicate(rng: Random) -> Json:
    operand = rng.choice(["2026-01-10", "2026-01-10T22:30:00Z", "2026-01-11T00:30:00+02:00"])
    return rng.choice(
        [{"gt": operand}, {"gte": operand}, {"lt": operand}, {"lte": operand}, {"between": ["2026-01-10", "2026-01-15"]}, {"eq": operand}]
    )
