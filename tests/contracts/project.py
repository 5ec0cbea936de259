"""A small project that is as it should be; the tests add to it or break it."""

ORDER = """{
  "type": "object",
  "properties": {
    "order_id": {"type": "string"},
    "revenue": {"type": "number"},
    "currency": {"enum": ["EUR", "GBP"]},
    "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}, "qty": {"type": "integer"}}}}
  },
  "additionalProperties": false
}
"""
IDENTIFY = '{"type": "object", "properties": {"plan": {"enum": ["free", "plus"]}, "city": {"type": "string"}, "age": {"type": "integer"}}}'
TRAITS = "traits:\n  - {name: lifetime_value, sum: revenue, did: order_completed, emit: true}\n"
CONSENT = "purposes:\n  - {name: marketing, default: denied}\n  - {name: analytics, default: granted}\n"
GOOD = {
    "consent.yaml": CONSENT,
    "traits.yaml": TRAITS,
    "events/order_completed/1-0-0.json": ORDER,
    "events/identify/1-0-0.json": IDENTIFY,
    "destinations/file.yaml": "kind: file\npath: out.jsonl\n",
}


def segment(who: str, name: str = "one") -> dict[str, str]:
    """The good project and a segment of it."""
    return {**GOOD, f"segments/{name}.yaml": f"segment: {name}\nwho: {who}\n"}
