"""How long `skep contracts compat` takes: pairs of the example contracts after start-up, and pairs that are hard on purpose."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from perf.processes import ROOT
from schemalogic.compare import included, parse

_BUDGET_S = 7.0
_WAIT_S = 60.0
"""A command that takes longer is ended and has failed."""

Pair = tuple[str, Any, Any]


def comparing(rounds: int, hard: int | None = None) -> dict[str, Any]:
    """``hard``: how many of the hard pairs, None is all."""
    examples = {path.parent.name: json.loads(path.read_text()) for path in sorted((ROOT / "contracts/events").glob("*/*.json"))}
    return {"examples": _examples(examples, rounds), "commands": list(_commands(hard))}


def _examples(examples: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Every ordered pair of the contracts, and each with its mutants, both ways."""
    pairs: list[Pair] = [(f"{a} {b}", examples[a], examples[b]) for a, b in product(examples, repeat=2)]
    for name, schema in examples.items():
        for kind, mutant in mutants(schema):
            pairs += [(f"{name} {kind}", schema, mutant), (f"{kind} {name}", mutant, schema)]
    included(parse(pairs[0][1]), parse(pairs[0][2]), _BUDGET_S)
    took: list[tuple[float, str]] = []
    undecided = 0
    for name, old, new in pairs:
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            answer = included(parse(old), parse(new), _BUDGET_S)
            times.append((time.perf_counter() - began) * 1000)
        took.append((min(times), name))
        undecided += answer.undecided
    slowest = max(took)
    return {
        "pairs": len(pairs),
        "undecided": undecided,
        "median_ms": round(median(ms for ms, _ in took), 1),
        "max_ms": round(slowest[0], 1),
        "slowest": slowest[1],
    }


def mutants(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Versions of a contract as people make them: each with what was done to it."""
    properties, required = schema["properties"], schema.get("required", [])
    name, first = next(iter(properties.items()))
    yield "opened", {**schema, "additionalProperties": True}
    yield "one more", {**schema, "properties": {**properties, "more": {"type": "string"}}}
    yield "one less", {**schema, "properties": {key: one for key, one in properties.items() if key != name}, "required": []}
    yield "all required", {**schema, "required": list(properties)}
    yield "null too", {**schema, "properties": {**properties, name: {"anyOf": [first, {"type": "null"}]}}}
    yield "narrower", {**schema, "properties": {**properties, name: {**first, "enum": ["a", "b", "c"]}}}
    yield "patterned", {**schema, "properties": {**properties, name: {"type": "string", "pattern": "^[a-z]{1,8}(-[a-z0-9]+)*$"}}}
    yield "one or the other", {**schema, "required": required, "anyOf": [{"required": [key]} for key in properties]}


def _commands(hard: int | None) -> Iterator[dict[str, Any]]:
    """Whole commands, their start included."""
    order = json.loads((ROOT / "contracts/events/order_completed/1-0-0.json").read_text())
    pairs: list[Pair] = [("order_completed and a closed enum", order, dict(mutants(order))["narrower"]), *hard_pairs()[:hard]]
    with tempfile.TemporaryDirectory(prefix="skep-compat-") as folder:
        old, new = Path(folder, "old.json"), Path(folder, "new.json")
        for name, first, second in pairs:
            old.write_text(json.dumps(first))
            new.write_text(json.dumps(second))
            yield {"pair": name, **_command(old, new)}


def _command(old: Path, new: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "skep.cli", "contracts", "compat", str(old), str(new), "--json"]
    began = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=_WAIT_S, check=False)
    except subprocess.TimeoutExpired:
        return {"seconds": _WAIT_S, "answer": "none"}
    seconds = round(time.perf_counter() - began, 2)
    if done.returncode > 1:
        return {"seconds": seconds, "answer": f"exit code {done.returncode}: {done.stderr.decode()[:200]}"}
    reasons = json.loads(done.stdout)["reasons"]
    undecided = any(one["keyword"] == "undecided" for one in reasons)
    return {"seconds": seconds, "answer": "undecided" if undecided else "incompatible" if reasons else "compatible"}


def hard_pairs() -> list[Pair]:
    """Questions on which a search without a limit would not end soon."""
    text = {"type": "string"}
    tree = {"$ref": "#/$defs/n", "$defs": {"n": _node("n")}}
    trees = {"$ref": "#/$defs/n", "$defs": {"n": _node("m"), "m": _node("n")}}
    wide = {f"p{number}": {"type": "integer"} for number in range(200)}
    counts = [{"properties": {f"p{one}": {"const": one}}, "required": [f"p{one}"]} for one in range(40)]
    clauses = [{"anyOf": [_literal((3 * at + step) % 24, (at + step) % 2 == 0) for step in range(3)]} for at in range(100)]
    return [
        ("nested repeats", {**text, "pattern": "^(a+)+$"}, {**text, "pattern": "^((a|aa)*)*b$"}),
        ("counted repeats", {**text, "pattern": "^(a|b){0,400}c(a|b){400}$"}, {**text, "pattern": "^(a|b)*c(a|b){200,300}$"}),
        ("a far letter", {**text, "pattern": "^[ab]*a[ab]{24}$"}, {**text, "pattern": "^[ab]*b[ab]{24}$"}),
        ("lookaheads", {**text, "pattern": "^(?=.*a)(?=.*b)(?=.*c)(?=.*d).{8,64}$"}, {**text, "pattern": "^(?=.*e)(?=.*f).{8,60}$"}),
        ("references back", {**text, "pattern": r"^(.+)\1$"}, {**text, "pattern": r"^(..)+$"}),
        ("recursion", tree, trees),
        ("deep nesting", _deep(400, "integer"), _deep(400, "number")),
        ("many branches", {"anyOf": [_branch(one) for one in range(200)]}, {"anyOf": [_branch(one) for one in range(1, 201)]}),
        ("one of many", {"properties": wide, "oneOf": counts}, {"properties": wide, "oneOf": counts[::-1][:39]}),
        ("clauses", {"allOf": clauses}, False),
        (
            "different items of a large enum",
            {"type": "array", "uniqueItems": True, "minItems": 300, "items": {"enum": list(range(300))}},
            {"type": "array", "uniqueItems": True, "items": {"enum": list(range(299))}},
        ),
        (
            "multiples",
            {"type": "integer", "allOf": [{"multipleOf": one} for one in (99991, 99989, 99971, 99961)], "minimum": 1},
            {"multipleOf": 0.0007},
        ),
        ("contained items", _contains(12), {"type": "array", "maxItems": 11}),
        ("names by pattern", {**_patterns("a"), "minProperties": 30}, {**_patterns("b"), "maxProperties": 40}),
        ("not not not", _nots(60), _nots(61)),
    ]  # fmt: skip


def _node(other: str) -> dict[str, Any]:
    below = {"$ref": f"#/$defs/{other}"}
    return {
        "type": "object",
        "properties": {"left": below, "right": below, "value": {"type": "integer", "minimum": 0 if other == "n" else -1}},
        "additionalProperties": below,
        "required": ["value"],
    }


def _deep(levels: int, kind: str) -> Any:
    schema: Any = {"type": kind}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"in": schema}, "required": ["in"]}
    return schema


def _branch(number: int) -> Any:
    return {"properties": {"kind": {"const": number}, "size": {"minimum": number}}, "required": ["kind", "size"]}


def _literal(number: int, there: bool) -> Any:
    name = {"required": [f"x{number}"]}
    return name if there else {"not": name}


def _contains(kinds: int) -> Any:
    return {
        "type": "array",
        "allOf": [{"contains": {"type": "object", "required": [f"k{one}"], "maxProperties": 1}} for one in range(kinds)],
    }


def _patterns(letter: str) -> Any:
    named = {f"^{letter}{{0,{one}}}[a-d]*{one % 10}$": {"type": "integer", "multipleOf": one + 1} for one in range(20)}
    return {"patternProperties": named}


def _nots(levels: int) -> Any:
    schema: Any = {"properties": {"a": {"type": "integer"}}, "minProperties": 1}
    for level in range(levels):
        schema = {"not": {"allOf": [schema, {"maxProperties": 50 + level}]}}
    return schema
