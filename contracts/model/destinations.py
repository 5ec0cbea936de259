"""What the files below ``contracts/destinations/`` mean: who is told of what, where, and in which words.

Values that are made of people, events and changes are kept as they are written; `operators.activation.saying` compiles them. Secrets are
kept as ``${NAME}`` and ``{"file": path}``: they are resolved where something is sent. Durations are microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

Spec = Any
"""A value as it is written: a path, a form such as ``{"constant": 1}``, an object or a list of values."""
Texts = Mapping[str, str]
Path = tuple[str | int | None, ...]
"""Steps, of which None is every item of a list."""
NONE: Mapping[str, Any] = {}
"""Of what has been said nothing of."""

BUILT_IN = ("file", "webhook", "http", "kafka", "sql", "redis", "smtp")
"""The kinds that need no file of their own."""
NAMELESS = frozenset({"file", "kafka", "webhook", "http"})
"""Those whose audiences need no name there: it is the segment's own."""
CALLS = ("enter", "exit", "update", "event", "alias", "erase", "group", "list", "lookup", "create")
"""What a destination may be asked. ``lookup`` finds out the vendor's own id of a person; ``create`` does, of one who need not be there."""
LEAVING = frozenset({"exit", "erase", "alias"})
"""The calls that speak of a person as the other side knows them, and need no consent."""
BUILT_IN_LIMITS_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast and how much; None is not said. ``rate``: requests a second. ``batch``: people a request. ``bytes``: of a body."""

    rate: float | None = None
    concurrency: int | None = None
    batch: int | None = None
    bytes: int | None = None
    wait_us: int | None = None
    timeout_us: int | None = None
    attempts: int | None = None
    backoff_from_us: int | None = None
    backoff_to_us: int | None = None
    backlog: int | None = None

    def tightened(self, other: Limits) -> Limits:
        """With what the other says, of what both say the smaller."""
        pairs = ((one.name, getattr(self, one.name), getattr(other, one.name)) for one in fields(self))
        return Limits(**{name: theirs if mine is None else mine if theirs is None else min(mine, theirs) for name, mine, theirs in pairs})

    def filled(self) -> Limits:
        """With the defaults of what nobody says; a rate and a batch that nobody says are none."""
        return replace(self, **{one.name: getattr(DEFAULTS, one.name) for one in fields(self) if getattr(self, one.name) is None})


DEFAULTS = Limits(
    concurrency=4, bytes=5_000_000, wait_us=1_000_000, timeout_us=10_000_000, attempts=20, backoff_from_us=500_000,
    backoff_to_us=300_000_000, backlog=1_000_000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quiet:
    """When nobody is disturbed: from and to a time of day in minutes, in the zone of a trait or in one that is named."""

    from_minute: int
    to_minute: int
    zone: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Caps:
    """At most ``max`` messages a person of a channel ``within_us``."""

    channel: str
    max: int
    within_us: int
    per: Literal["person"] = "person"


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows under named columns, which are those of ``match``: ``names``: what each is called there; ``cell``: a value over ``value``, and
    ``cells`` that of single names; ``missing`` stands for a value that is not there."""

    columns_at: str
    rows_at: str
    names: Texts
    cell: Spec = "value"
    missing: Spec = None
    cells: Mapping[str, Spec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Several people in one request: ``at`` is the path of the list in the body, "" where the body is the list."""

    max: int
    at: str
    item: Spec = None
    rows: Columns | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """How a request is made. ``path`` is added to the url, ``url`` stands in its place. ``people``, ``next`` and ``cursor_query`` are of
    ``list``: where the ids are, what the next page is asked by, and under which name. ``requires``: names of ``match``,
    all of them, of ``a|b`` one; of whom they are not known it is ``otherwise`` that is asked, if there is such."""

    method: str = "POST"
    path: str = ""
    url: str = ""
    query: Mapping[str, Spec] = field(default_factory=dict)
    headers: Mapping[str, Spec] = field(default_factory=dict)
    encoding: Literal["json", "form", "ndjson"] = "json"
    batch: Batch | None = None
    body: Spec = None
    people: str = ""
    next: str = ""
    cursor_query: str = ""
    requires: tuple[str, ...] = ()
    otherwise: Call | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a value of a reply is one of some: ``path``, an operator of `OPERATORS`, and its operand."""

    path: str
    op: str
    operand: Any


OPERATORS = ("eq", "in", "not_in", "contains", "exists")
CLASSES = ("delivered", "partial", "throttle", "retry", "auth", "split", "refused")
"""What a reply can be (`operators.activation.classify`)."""
Class = Literal["delivered", "partial", "throttle", "retry", "auth", "split", "refused"]


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """Of a reply with one of these status codes (none: any), for which all questions say yes, what it is."""

    says: Class
    status: tuple[int, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Errors:
    """Where a reply lists the items that failed. ``index``: the path of their position; ``item``: the fields of an item by whose value they
    are named, which stands at ``value`` of what is listed. ``retry``: which of them may be tried again."""

    at: tuple[str, ...]
    index: str = ""
    item: tuple[str, ...] = ()
    value: str = ""
    retry: Question | None = None


@dataclass(frozen=True, slots=True)
class Replies:
    """How replies are read. ``items``: the path of a result for each item. ``wait``: a header that says how long, in ``wait_is``."""

    items: str = ""
    errors: Errors | None = None
    failed: Question | None = None
    retry_item: Question | None = None
    rules: tuple[ReplyRule, ...] = ()
    remote_id: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    wait: str = ""
    wait_is: Literal["seconds", "epoch"] = "seconds"


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of ``connection``. ``choices``: what may be said, and what it stands for. ``is_url``: the others are added to it."""

    name: str
    secret: bool = False
    choices: Texts = field(default_factory=dict)
    default: str | None = None
    is_url: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Vendor:
    """A kind of destination, the same for everybody: ``connectors/destinations/vendors/<kind>.yaml`` or one of the project's own.

    ``identify``: one of these is enough, ``a+b`` is both of them; empty: nobody need be known. ``match``: what may be sent of a person, to
    be recognised. ``spellings``: paths of traits in which else it is looked for. ``channel``: of kinds that write
    messages. ``derived``: values that requests name as ``person.derived.<name>``.
    """

    name: str
    file: str = ""
    connection: tuple[Setting, ...] = ()
    url: str = ""
    auth: Mapping[str, Spec] = field(default_factory=dict)
    headers: Mapping[str, Spec] = field(default_factory=dict)
    identify: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    normalise: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    derived: Mapping[str, Spec] = field(default_factory=dict)
    identity: Literal["alias", "remove_and_add"] = "remove_and_add"
    limits: Limits = Limits()
    requests: Mapping[str, Call] = field(default_factory=dict)
    replies: Replies = Replies()
    channel: str = ""
    sources: tuple[Mapping[str, Any], ...] = ()
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Withheld:
    """What of people and events is not for a destination. ``traits``, ``properties`` (event → paths): what may not serve its purpose is not
    there; the ``whole_`` ones are sensitive, and go nowhere but where a path names them."""

    traits: frozenset[str] = frozenset()
    whole_traits: frozenset[str] = frozenset()
    properties: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    whole_properties: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Destination:
    """Who is told of what, where. ``path``, ``changes`` are of kind `file`. Of people below ``confidence`` (a probability) it is told what
    cohorts do, not who.

    ``connection``: as written. ``audiences``: segment → what it is called there. ``traits``: trait → name there, None is not said.
    ``purpose``: None is the segment's own, "" is none. ``requests``, ``replies``: the vendor's, with what the file says in their place.
    ``more``: keys of built-in kinds (``table``, ``columns``, ``key``, ``member``, ``profile``).
    """

    name: str
    kind: str
    path: str = ""
    changes: tuple[str, ...] = ()
    confidence: float | None = None
    connection: Mapping[str, Any] = field(default_factory=dict)
    audiences: Texts = field(default_factory=dict)
    match: tuple[str, ...] = ()
    traits: Texts | None = None
    events: tuple[str, ...] = ()
    event_names: Texts = field(default_factory=dict)
    purpose: str | None = None
    min_size: int | None = None
    people: Literal["audience", "all"] = "audience"
    quiet: Quiet | None = None
    caps: Caps | None = None
    limits: Limits = DEFAULTS
    on_delete: Literal["exit", "nothing"] = "exit"
    cost_per_call: float = 0.0
    allow_private: bool = False
    requests: Mapping[str, Call] = field(default_factory=dict)
    replies: Replies = Replies()
    vendor: Vendor = field(default=Vendor("file"))
    more: Mapping[str, Any] = field(default_factory=dict)
    withheld: Withheld = field(default_factory=Withheld)

    @property
    def is_nameless(self) -> bool:
        """Whether an audience has its segment's name where the file says no other; so it is of messages, too."""
        return self.kind in NAMELESS or bool(self.vendor.channel)

    def called(self, segment: str) -> str | None:
        """What a segment is called there; None if it has no name there."""
        return self.audiences.get(segment, segment if self.is_nameless else None)

    def asks_for(self, segment: str) -> bool:
        """Whether the file asks for a segment: it lists it, or lists none and needs no names."""
        return segment in self.audiences or (self.is_nameless and not self.audiences)
