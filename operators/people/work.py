"""What a space works on: what lasts as long as the space, and what one set of definitions makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators import meta as meta_row
from operators.change_log import Cause, ChangeLog
from operators.judge import Judge
from operators.match.model import model_of
from operators.meta import Meta
from operators.moment_row import with_owner
from operators.people import rebuilds
from operators.people.accounts import Accounts
from operators.people.announce import Announcer, Hide
from operators.people.belonging import Belonging
from operators.people.clock import Clock
from operators.people.heads import Heads, owner_key
from operators.people.history import History
from operators.people.manual import Manual, Ruling
from operators.people.matcher import Matcher
from operators.people.moments import Kept, Moments
from operators.people.reading import BUDGET, Reading
from operators.people.stitcher import Stitcher
from operators.people.store import PeopleStore
from operators.people.timers import Timers
from operators.quality.keeper import Quality
from operators.records import Person
from operators.segments.carried import Carried
from operators.segments.compile import Program
from operators.segments.on_accounts import OnAccounts
from operators.stitch.owners import Owner
from operators.stitch.rules import Pair, Rules
from state.keys import period_of
from state.shard import Shard

NEVER_US = 1 << 60
"""Longer than all the years there are: as a horizon it makes nothing late and seals nothing."""


class Work:
    """Everything that the functions of this folder work on. What depends on definitions is there once `use` has been called.

    ``judge`` gives the judge by a digest of definitions, ``load`` the definitions themselves. ``hide`` makes of
    definitions what hides personal values in change events; without it they go out in the clear. ``said`` is what was said by hand, if
    another `Work` has it already.
    """

    definitions: Definitions
    judge: Judge
    program: Program
    rules: Rules
    moments: Moments
    heads: Heads
    store: PeopleStore
    stitcher: Stitcher
    announcer: Announcer
    belonging: Belonging

    def __init__(
        self,
        name: str,
        shard: Shard,
        hasher: Hasher,
        *,
        load: Callable[[str], Definitions],
        judge: Callable[[str], Judge],
        horizon_us: int,
        cache_bytes: int = 512_000_000,
        repair_moments: int = BUDGET,
        hide: Callable[[Definitions], Hide] | None = None,
        said: dict[bytes, Ruling] | None = None,
    ) -> None:
        self.name = name
        self.shard = shard
        self.hasher = hasher
        self.horizon_us = horizon_us
        self.load = load
        self._judge_of = judge
        self._cache_bytes, self._repair_moments = cache_bytes, repair_moments
        self.reading = Reading(repair_moments)
        self._hide = hide
        row = shard.meta.get(meta_row.KEY)
        self.meta = meta_row.decode(row) if row is not None else Meta()
        self.clock = Clock(self.meta)
        self.timers = Timers(shard.timers)
        self.log = ChangeLog(name, shard.changes, self.meta)
        self.history = History(shard.history, self.meta, self.log)
        self.manual = Manual(shard.manual, hasher, said)
        self.accounts = Accounts(shard, hasher, self.clock)
        self.quality = Quality(shard.quality, self.meta, self.log)
        cost = shard.meta.get(rebuilds.KEY)
        self.cost = rebuilds.decode(cost) if cost is not None else rebuilds.Rebuilds()
        """What rebuilds have cost, as committed and since."""
        self.digest = ""
        """Of the definitions in force; empty before the first."""
        self.matcher: Matcher | None = None
        """With probabilistic rules."""
        self.computing: Callable[[str], AbstractContextManager[object]] = nullcontext
        """Wrapped around computing everybody anew, told why: for whoever says so to people."""
        self.stepped: Callable[[], None] | None = None
        """Called before and behind every commit of definitions that are on their way: for whoever says so to people."""
        self.carried: Carried | None = None
        """While definitions are on their way."""
        self.older: Callable[[Person], None] | None = None
        """Brings somebody along whose row is of an older edition (`operators/people/change.py`)."""
        self.beside: Work | None = None
        """While everybody is made anew by other definitions: the steps over the generation that is being made (`operators/people/anew.py`).
        Whatever is applied is applied to it, too."""
        self.replaced: Callable[[Event, Event, bytes], None] | None = None
        """Is told there that a repeat has taken the place of a stored event: both, and the hash of their message id."""
        self.came_again: Callable[[Event, tuple[str, ...], bytes], None] | None = None
        """The same where it has not, and has come from another source: the stored event, and all sources."""
        self.first: Callable[[Iterable[Pair]], None] | None = None
        """While is told of those who have been made anew: tells of whoever had one of these identifiers, before anything happens to it."""
        self.earlier: Callable[[bytes], None] | None = None
        """The same of whoever was there under a key."""
        if self.meta.digest:
            self.use(self.meta.digest)

    def use(self, digest: str) -> None:
        """Work by the definitions of this digest from now on; call it with nothing pending."""
        definitions = self.definitions = self.load(digest)
        self.digest = digest
        self.judge = self._judge_of(digest)
        change = self.meta.change
        self.carried = carried = None if change is None or change.anew else Carried(self.load(change.before), self.load(change.after))
        self.program = Program(definitions if change is None or change.switched or carried is None else carried.widened)
        self.program.account_of = self.accounts.of
        self.accounts.program = OnAccounts(self.program.definitions)
        self.rules = Rules(definitions.identity)
        self.manual.use(self.judge.identifiers)
        self.store = PeopleStore(self.shard, self.hasher, self.rules, self._cache_bytes)
        self.store.edition, self.store.older, self.store.earlier = self.meta.edition, self._bring, self.earlier
        self.heads = Heads(self.program, self.clock, self._cache_bytes)
        self.moments = Moments(self.shard, self.meta, self.heads, self.reading)
        self.stitcher = Stitcher(self.store, self.moments, self.manual)
        if self.matcher is not None:
            self.matcher.let_go()
        likeness = definitions.identity.probabilistic
        model = None if likeness is None else model_of(definitions)
        self.matcher = Matcher(self.store, self.manual, self.meta, likeness, model) if likeness is not None and model is not None else None
        hide = self._hide(definitions) if self._hide is not None else None
        self.belonging = Belonging(self.accounts, self.store, self.log)
        self.announcer = Announcer(
            self.meta, self.log, self.store, self.timers, self.program, history=self.history, belonging=self.belonging, hide=hide
        )
        # Records are judged, and so scored, by the definitions of their position, whoever is still to be brought along.
        self.quality.use(definitions if change is None else self.load(change.after))

    @property
    def judged_ahead(self) -> bool:
        """Whether records are judged by definitions that do not say the same of an event as those in force: everybody is being made anew
        by them."""
        change = self.meta.change
        return change is not None and change.anew and not change.switched

    def begin_again(self) -> None:
        """Another generation of the shard is in force: nothing that was in memory of it stands."""
        self.timers = Timers(self.shard.timers)
        self.accounts = Accounts(self.shard, self.hasher, self.clock)
        self.use(self.meta.digest)

    def apart(self, shard: Shard) -> Work:
        """The same steps over another shard, by definitions of which nobody is told: nothing is late, nothing is sealed. They take a
        quarter of the memory that people do, beside it."""

        def silent(digest: str) -> Definitions:
            found = self.load(digest)
            return replace(found, segments=(), traits=tuple(replace(each, emit=False) for each in found.traits))

        return Work(
            self.name, shard, self.hasher, load=silent, judge=self._judge_of, horizon_us=NEVER_US,
            cache_bytes=self._cache_bytes // 4, repair_moments=self._repair_moments, said=self.manual.said,
        )  # fmt: skip

    def _bring(self, person: Person) -> None:
        if self.older is not None:
            self.older(person)

    def shown(self, pair: Pair) -> str:
        """An identifier as a log may say it: of a personal namespace the hash of its value."""
        space, value = self.definitions.identity.namespaces[pair[0]], pair[1]
        return f"{space.name}:{self.hasher.personal(space.name, value) if space.personal else value}"

    def open_period(self, clock: int) -> int:
        """The first period that is not sealed at a clock: what is older is beyond the horizon and what may be stitched behind it."""
        return period_of(clock - self.horizon_us - self.rules.backstitch)

    def is_sealed(self, time_us: int) -> bool:
        """Whether messages of a time may have been forgotten."""
        clock = self.meta.clock
        return clock is not None and period_of(time_us) < self.open_period(clock)

    def reread(self, kept: Kept) -> Event:
        """A stored event, as the definitions in force read it, with the time and the id under which it is stored."""
        return self.judge.stored(kept.row, kept.time_us, self.meta.contracts)

    def give(self, kept: Kept, owner: Owner, event: Event) -> None:
        """Give a stored event to another owner."""
        self.heads.drop(owner_key(kept.anchor, kept.owner))
        self.heads.add(owner_key(kept.anchor, owner), event, kept.anchor)
        self.moments.rewrite(kept, with_owner(kept.row, *owner))

    def begin(self, cause: Cause, time_us: int) -> None:
        """What is told from now on has this cause, of this time; before the clock runs, that is when it happens."""
        log, clock = self.log, self.meta.clock
        log.cause, log.time, log.clock = cause, time_us, time_us if clock is None else clock

    def remember(self) -> None:
        """Tell, and write into the history, what the cause at hand has done to who people are."""
        self.store.callings.tell(self.log, self.store.person, self.store.dirty)
        self.history.write(self.store.moves, self.shard.alias, self.rules.version)
        self.store.moves.clear()

    @property
    def changed_who(self) -> bool:
        """Whether `remember` has anything to tell or to write."""
        return bool(self.store.moves or self.store.callings.waiting or self.history.waiting)
