"""Kinds of destinations that a file describes, for everybody: ``connectors/destinations/vendors/<kind>.yaml``, or a project's own
``contracts/destinations/kinds/<kind>.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from contracts.model.destinations import BUILT_IN, Replies, Setting, Vendor
from contracts.reading.calls import REPLIES, REQUESTS, read_replies, read_requests
from contracts.reading.connections import AUTHS, auth_values
from contracts.reading.limits import LIMITS, read_limits
from contracts.reading.said_values import VALUES, Nameable, check_apply, check_template, check_value
from contracts.text.keys import Boolean, Choice, Fields, Items, Key, Own, Text, text_schema, texts_schema
from contracts.text.problems import ContractErrors, Problem
from contracts.text.yaml_tree import Reader, Tree

FOLDER = "destinations/kinds"
SHIPPED = Path(__file__).resolve().parents[2] / "connectors" / "destinations" / "vendors"
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
SOURCE = Fields((
    Key("title", Text(), "what was read", required="what was read"),
    Key("read", Text(), "when, as 2026-11-29", required="the day on which it was read"),
    Key("url", Text(), "where it is"),
))  # fmt: skip
SETTING = Fields((
    Key("secret", Boolean(), "it is written as ${NAME} or {file: …}", default=False),
    Key("choice", Own(_TEXTS), "what may be said, and what each stands for"),
    Key("default", Text(), "what counts without it"),
    Key("is", Choice(("url",)), "url: requests are made there"),
    Key("optional", Boolean(), "it may be left out", default=False),
))  # fmt: skip
IDENTIFY = Fields((Key("any", Own(texts_schema()), "one of these is enough", required="a list of names"),))
KIND = Fields((
    Key("sources", SOURCE.listed(), "the documentation that it was made from", required="the documentation that it was made from"),
    Key("unverified", Items(Text()), "what could not be verified"),
    Key("connection", Own({"type": "object"}), "the keys of `connection`"),
    Key("url", Own(text_schema()), "where requests are made, if the connection does not say"),
    Key("auth", Own({"type": "object"}), "how a request proves who asks: bearer, basic, header or query"),
    Key("headers", Own(VALUES), "headers of every request"),
    Key("identify", Own(IDENTIFY.schema), "what a person must have"),
    Key("match", Own(texts_schema()), "what of a person is sent to be recognised"),
    Key("spellings", Own({"type": "object"}), "traits in which else a name of `match` is looked for"),
    Key("normalise", Own({"type": "object"}), "what is applied to names of `match`"),
    Key("derived", Own(VALUES), "values that requests name as person.derived.<name>"),
    Key("identity", Choice(("alias", "remove_and_add")), "how a new identity is told", default="remove_and_add"),
    Key("limits", Own(LIMITS.schema), "what the vendor allows"),
    Key("channel", Text(), "of messages: email, sms, push or chat"),
    Key("requests", Own(REQUESTS.schema), "how it is asked", required="how it is asked"),
    Key("replies", Own(REPLIES.schema), "how its answers are read"),
))  # fmt: skip


@cache
def shipped() -> tuple[str, ...]:
    """The kinds of vendors that come with Skep."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


@cache
def shipped_vendor(kind: str) -> Vendor | None:
    """One of them; None if there is none of that name. Raises `ContractErrors` if its file is wrong."""
    path = SHIPPED / f"{kind}.yaml"
    if kind not in shipped():
        return None
    problems: list[Problem] = []
    reader = Reader(problems)
    tree = reader.parse(f"{FOLDER}/{kind}.yaml", path.read_text(encoding="utf-8"))
    found = None if tree is None else read_kind(reader, tree, kind)
    if problems:
        raise ContractErrors(problems)
    return found


def read_kind(reader: Reader, at: Tree, name: str) -> Vendor:
    """A kind, named after its file."""
    if name in BUILT_IN:
        reader.refuse(at, "another name of the file: this kind is built in", name)
    parts = KIND.parts(reader, at)
    said = KIND.values(reader, at, parts)
    for source in reader.items(parts.get("sources"), "a list of {title: …, read: 2026-11-29}"):
        SOURCE.read(reader, source)
    settings = _settings(reader, parts.get("connection"))
    secrets = frozenset(one.name for one in settings if one.secret)
    matched = _names(reader, parts.get("match"))
    identify = IDENTIFY.parts(reader, parts["identify"]) if "identify" in parts else {}
    derived = tuple(reader.mapping(parts["derived"])) if "derived" in parts else ()
    names = Nameable(connection=tuple(one.name for one in settings), secrets=secrets, match=matched, derived=derived)
    for part in parts.get("derived", ()):
        check_value(reader, part, names)
    if "url" in parts and reader.text(parts["url"]):
        check_template(reader, parts["url"], names)
    check_auth(reader, parts.get("auth"), names)
    for part in reader.mapping(parts["headers"]).values() if "headers" in parts else ():
        check_value(reader, part, names)
    for part in reader.mapping(parts["normalise"]).values() if "normalise" in parts else ():
        check_apply(reader, part)
    requests = read_requests(reader, said["requests"], names)
    if "enter" in requests and "exit" not in requests and not said["channel"]:
        reader.refuse(parts["requests"], "an `exit` beside `enter`: an audience that nobody leaves is none", "enter alone")
    return Vendor(
        name=name,
        file=at.file,
        connection=settings,
        url=said["url"].plain() if said["url"] is not None else "",
        auth=parts["auth"].plain() if "auth" in parts else {},
        headers=parts["headers"].plain() if "headers" in parts else {},
        identify=_names(reader, identify.get("any")),
        match=matched,
        spellings=_spellings(reader, parts.get("spellings")),
        normalise={key: tuple(part.plain()) for key, part in parts["normalise"].value.items()} if "normalise" in parts else {},
        derived=parts["derived"].plain() if "derived" in parts else {},
        identity=said["identity"],
        limits=read_limits(reader, said["limits"]),
        requests=requests,
        replies=read_replies(reader, said["replies"], Replies()),
        channel=said["channel"],
        sources=tuple(part.plain() for part in reader.items(parts.get("sources"))),
        unverified=tuple(filter(None, said["unverified"] or ())),
    )


def _names(reader: Reader, at: Tree | None) -> tuple[str, ...]:
    return tuple(part.value for part in reader.texts(at, "a name or a list of names"))


def _spellings(reader: Reader, at: Tree | None) -> Mapping[str, tuple[str, ...]]:
    return {} if at is None else {key: _names(reader, part) for key, part in reader.mapping(at).items()}


def _settings(reader: Reader, at: Tree | None) -> tuple[Setting, ...]:
    found = []
    for name, part in reader.mapping(at).items() if at is not None else ():
        parts = SETTING.parts(reader, part)
        said = SETTING.values(reader, part, parts)
        choices = {key: reader.text(one) for key, one in reader.mapping(said["choice"]).items()} if said["choice"] is not None else {}
        if choices and said["default"] and said["default"] not in choices:
            reader.refuse(parts["default"], f"one of {', '.join(choices)}")
        optional, is_url = said["optional"], said["is"] == "url"
        found.append(Setting(name, said["secret"], choices, said["default"] or None, is_url, optional))
    return tuple(found)


def check_auth(reader: Reader, at: Tree | None, names: Nameable) -> None:
    """Problems of ``auth``, of which each value is one of a request."""
    if at is None:
        return
    within = Nameable(connection=names.connection, is_auth=True, match=names.match)
    for word, part in reader.fields(at, AUTHS).items():
        for one in auth_values(reader, word, part):
            check_value(reader, one, within)
