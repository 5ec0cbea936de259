"""What the files under ``contracts/`` mean, as typed, immutable data.

The loader (`contracts.load`) makes a `Definitions` of the texts of a project's files. Everything below works on
these types only; nothing downstream reads YAML. Durations and times are integer microseconds (``_us``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from contracts.model.budget import NO_BUDGET, Budget
from contracts.model.of_identifiers import IdentifierList, InList, Sampled
from contracts.model.sla import NOTHING_PROMISED, Sla

if TYPE_CHECKING:
    from contracts.model.destinations import Destination
    from contracts.model.expectations import Expectation, Range
    from contracts.model.lookup import Lookup
    from contracts.model.probabilistic import Probabilistic
    from contracts.model.registered import Registered
    from contracts.model.traits import Trait
    from contracts.model.upcast_steps import Upcast
    from contracts.model.uses import Use

Scope = Literal["person", "device"]
Measure = Literal[
    "times", "sum", "avg", "min", "max", "stddev", "distinct", "distinct_days", "active_periods", "first", "last", "latest", "first_time",
    "since_first", "since_last", "set", "list", "top", "percentile", "interval_mean", "streak", "session_count", "session_length",
    "decayed_sum", "sequence", "unbroken", "by_source",
]  # fmt: skip

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Namespace:
    """One kind of identifier. Its position in `IdentityRules.namespaces` is its priority, 0 the highest."""

    name: str
    paths: tuple[str, ...]
    scope: Scope = "person"
    unique: bool = False
    limit: int | None = None
    normalize: Literal["trim", "email", "phone"] = "trim"
    region: str = "GB"
    personal: bool = False
    shared_after: int | None = None


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """``contracts/identity.yaml`` with its defaults filled in."""

    version: int
    namespaces: tuple[Namespace, ...]
    blocked_values: frozenset[str]
    blocked_patterns: tuple[str, ...]
    conflict: Literal["newest", "oldest"] = "newest"
    limit_identifiers: int = 1000
    limit_links: int = 1000
    session_gap_us: int = 30 * 60 * 1_000_000
    backstitch_us: int = 30 * DAY_US
    owner: Literal["session", "device"] = "session"
    probabilistic: Probabilistic | None = None


Version = tuple[int, int, int]
"""SchemaVer: (model, revision, addition)."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One version of one event's contract. ``schema`` judges ``properties`` (``traits`` for identify and group).

    A draft judges only events that name it; a deprecated one judges no event of ``deprecated_us`` (µs) or later.
    """

    event: str
    version: Version
    schema: dict[str, Any]
    file: str
    owner: str = ""
    sla: Sla = NOTHING_PROMISED
    status: Literal["draft", "live", "deprecated"] = "live"
    deprecated_us: int | None = None
    registered: Registered | None = None

    @property
    def name(self) -> str:
        return f"{self.event}/{'-'.join(map(str, self.version))}"


@dataclass(frozen=True, slots=True)
class OtherField:
    """An operand that is another trait of the person, or another property of the event, whatever it is by then."""

    of: Literal["trait", "property"]
    path: str


@dataclass(frozen=True, slots=True)
class Predicate:
    """One operator and its operand, for example ``gte`` and ``500``. Operands of predicates about parts of a value are predicates.

    ``ignore_case``: texts are compared as `contracts.text.folding` has them, the operand's and the value's.
    """

    op: str
    operand: Any
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """A property path of an event and what its value must satisfy (all of the predicates)."""

    path: str
    predicates: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """A step of a sequence: an event that comes, or, ``never``, none of which comes.

    ``within_us``: less than so long after the step before; of what never comes, how long it does not, None is until the next step ends.
    """

    events: tuple[str, ...]
    where: tuple[Where, ...]
    within_us: int | None = None
    never: bool = False


@dataclass(frozen=True, slots=True)
class Feature:
    """What has to be remembered of a person's events to answer a condition or a computed trait.

    ``key`` is made of the content alone, so that two segments that ask the same share one feature. ``cap`` is how far
    counts have to be exact: the value is ``min(n, cap)``; None is no cap. ``timezone`` is that of the dates in ``where`` and of days.

    Of the events those of ``now - within_us < time <= now - until_us`` (None: any), or those from ``between[0]`` to ``between[1]``.
    ``session_us``: of these only those behind the person's last silence, between any two things done, that is longer than it; none while
    such a silence lasts.
    ``by``: of each value of this property alone.
    ``options`` are what else the measure has been told, by name, in order of the names. ``sent``: the events are identify calls, the
    property one of their traits; behind `[]` a value that is no list is the one item.

    Of a ``sequence`` the property is the one that all steps carry the same value of; its options are ``steps``, ``span_us`` (None: any)
    and ``kept``, of how many events, the newest, it is made. ``unbroken`` is since when what identify calls write of a trait satisfies
    the one ``where``; its options are ``bounds_us``, the times that are asked for, in order, and ``kept``.
    """

    key: str
    events: tuple[str, ...]
    where: tuple[Where, ...]
    within_us: int | None
    measure: Measure
    property: str | None
    cap: int | None
    timezone: str = "UTC"
    until_us: int = 0
    between: tuple[int, int] | None = None
    options: tuple[tuple[str, Any], ...] = ()
    sent: bool = False
    session_us: int | None = None
    by: str | None = None

    def option(self, name: str) -> Any:
        """What the measure has been told under this name."""
        return next(value for key, value in self.options if key == name)


@dataclass(frozen=True, slots=True)
class All:
    of: tuple[Condition, ...]
    form: ClassVar[str] = "all"

    @property
    def parts(self) -> tuple[Condition, ...]:
        return self.of


@dataclass(frozen=True, slots=True)
class AnyOf:
    of: tuple[Condition, ...]
    form: ClassVar[str] = "any"

    @property
    def parts(self) -> tuple[Condition, ...]:
        return self.of


@dataclass(frozen=True, slots=True)
class AtLeast:
    n: int
    of: tuple[Condition, ...]
    form: ClassVar[str] = "at_least"

    @property
    def parts(self) -> tuple[Condition, ...]:
        return self.of


@dataclass(frozen=True, slots=True)
class Not:
    of: Condition
    form: ClassVar[str] = "not"

    @property
    def parts(self) -> tuple[Condition, ...]:
        return (self.of,)


@dataclass(frozen=True, slots=True)
class TraitIs:
    """``feature`` is a key of `Definitions.features` where it has to have been so for as long as ``lasting`` says, in seconds."""

    path: str
    predicates: tuple[Predicate, ...]
    feature: str | None = None
    lasting: tuple[Predicate, ...] = ()
    form: ClassVar[str] = "trait"
    parts: ClassVar[tuple[Condition, ...]] = ()


@dataclass(frozen=True, slots=True)
class Did:
    """A measure over the matching events; ``feature`` is a key of `Definitions.features`."""

    feature: str
    predicates: tuple[Predicate, ...]
    form: ClassVar[str] = "did"
    parts: ClassVar[tuple[Condition, ...]] = ()


@dataclass(frozen=True, slots=True)
class InOrder:
    """The steps of a sequence have happened; ``feature`` is a key of `Definitions.features`."""

    feature: str
    form: ClassVar[str] = "sequence"
    parts: ClassVar[tuple[Condition, ...]] = ()
    predicates: ClassVar[tuple[Predicate, ...]] = (Predicate("eq", True),)


@dataclass(frozen=True, slots=True)
class MemberOf:
    segment: str
    form: ClassVar[str] = "segment"
    parts: ClassVar[tuple[Condition, ...]] = ()


@dataclass(frozen=True, slots=True)
class ConsentIs:
    purpose: str
    form: ClassVar[str] = "consent"
    parts: ClassVar[tuple[Condition, ...]] = ()


@dataclass(frozen=True, slots=True)
class NewWithin:
    """Was first seen less than so long ago."""

    within_us: int
    form: ClassVar[str] = "new_within"
    parts: ClassVar[tuple[Condition, ...]] = ()


@dataclass(frozen=True, slots=True)
class InactiveFor:
    """Was last seen at least so long ago."""

    for_us: int
    form: ClassVar[str] = "inactive_for"
    parts: ClassVar[tuple[Condition, ...]] = ()


@dataclass(frozen=True, slots=True)
class HasIdentifier:
    """An identifier of the namespace satisfies the predicates, which are of its text."""

    namespace: str
    predicates: tuple[Predicate, ...]
    form: ClassVar[str] = "has"
    parts: ClassVar[tuple[Condition, ...]] = ()


@dataclass(frozen=True, slots=True)
class InAccount:
    of: Condition
    form: ClassVar[str] = "account"
    parts: ClassVar[tuple[Condition, ...]] = ()


Condition = (
    All | AnyOf | AtLeast | Not | TraitIs | Did | InOrder | MemberOf | ConsentIs | NewWithin | InactiveFor | InAccount
    | HasIdentifier | Sampled | InList
)  # fmt: skip
"""Each says its ``form``, and the conditions that are its ``parts``; what is ``of`` an account has its traits in view, and is no part."""


def leaves(condition: Condition) -> Iterator[Condition]:
    """The conditions in it that have no parts."""
    if isinstance(condition, All | AnyOf | AtLeast | Not):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition


@dataclass(frozen=True, slots=True)
class Segment:
    """Who belongs to a segment: for whom ``who`` holds, ``purpose`` is granted, and of whom we are as sure as ``confidence`` asks."""

    name: str
    version: int
    who: Condition
    purpose: str | None = None
    title: str = ""
    owner: str = ""
    timezone: str = "UTC"
    activate: tuple[str, ...] = ()
    file: str = ""
    confidence: float | None = None
    min_size: int | None = None
    """With fewer members it is too small to act on; None: it is never."""
    tier: str = field(default="macro", compare=False)


@dataclass(frozen=True, slots=True)
class Purpose:
    name: str
    default: bool


CHANGES = (
    "profile.created", "profile.updated", "identity.merged", "identity.split", "identity.confidence", "identity.identifiers",
    "events.reassigned", "segment.entered", "segment.exited", "consent.changed", "account.joined", "account.left", "profile.erased",
    "quality.broken", "quality.restored",
)  # fmt: skip
"""All types of change events; what a destination is told of by default."""

MEMBERSHIPS = frozenset({"segment.entered", "segment.exited"})
"""Those that the ``activate`` of a segment chooses destinations for."""

SourceKind = Literal["jsonl", "csv", "parquet", "kafka"]
SOURCE_KINDS: tuple[SourceKind, ...] = get_args(SourceKind)


@dataclass(frozen=True, slots=True)
class Mapping:
    """``contracts/sources/<name>.yaml``: which column of a CSV or Parquet file is which field of the event."""

    name: str
    spec: dict[str, Any]
    file: str


@dataclass(frozen=True)
class Definitions:
    """All of a project's contracts. ``digest`` names this content; ``files`` is the content (relative path → text)."""

    digest: str
    files: dict[str, str]
    identity: IdentityRules
    contracts: dict[str, tuple[Contract, ...]] = field(default_factory=dict)
    """Normalised event name → its versions, oldest first; `contracts.model.versions` says which one judges an event."""
    types: dict[str, Any] = field(default_factory=dict)
    """``types/<name>.json`` by name: the schemas that contracts may refer to."""
    upcasts: dict[str, tuple[Upcast, ...]] = field(default_factory=dict)
    """By event, in order of the versions that they start from."""
    expectations: tuple[Expectation, ...] = ()
    ranges: tuple[Range, ...] = ()
    traits: tuple[Trait, ...] = ()
    account_traits: tuple[Trait, ...] = ()
    """Of accounts, over what members do; their features are ``account_features``."""
    purposes: tuple[Purpose, ...] = ()
    segments: tuple[Segment, ...] = ()
    """In an order in which a segment comes after those that it names."""
    features: dict[str, Feature] = field(default_factory=dict)
    account_features: dict[str, Feature] = field(default_factory=dict)
    destinations: tuple[Destination, ...] = ()
    mappings: dict[str, Mapping] = field(default_factory=dict)
    lookups: tuple[Lookup, ...] = ()
    lists: dict[str, IdentifierList] = field(default_factory=dict)
    """By the name of their file: ``vips.csv``."""
    budget: Budget = NO_BUDGET
    uses: tuple[Use, ...] = ()
    """Who reads what, in the order of the files; `contracts.reading.lineage` follows them."""
