"""How clusters grow along links, kept from one change to the next, so that a change is followed only where it leads.

The links are gone through in order, in turn after turn, until none joins clusters any more. What has come of that is kept: which
clusters joined when (`Stage`). Where records or links change, the same is gone through again, but only the links of clusters that
are others now than they were at that time. A cluster is another from the moment on when it joins, or no longer joins, one that is.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Any

from operators.components import Components
from operators.match.links import Joining, Match, Order, Record, place
from operators.match.stages import Dissolved, Member, Regrown, Stage, Tie, inherit
from operators.match.weighing import Weighing
from operators.refusal import Refusal
from operators.stitch.rules import Held, Rules

BEFORE: Order = ()
"""Before all links of a turn."""


class Growth:
    """Records, the links between them, and the clusters that come of those."""

    def __init__(self, rules: Rules, joining: Joining) -> None:
        self._rules = rules
        self._weighing = Weighing(rules, joining)
        self._leaves: dict[bytes, Member] = {}
        self._fresh: dict[bytes, Member] = {}
        """Records that have come or changed since it was decided last."""
        self._crowded: set[bytes] = set()
        """Those that have, or had then, more links than count."""
        self._recount: set[bytes] = set()
        """Those of them whose links have changed."""
        self._numbers = 0
        self._run = 0
        self._turn = 0
        self._at = BEFORE
        """The turn, and the link that it has come to."""
        self._until = 0
        """In the turns up to this one, clusters change that have refused others."""
        self._changed = False
        self._ahead: list[tuple[int, Order, int, Any]] = []
        """By turn and order: 0, a link to go through; −1, the end of what was a cluster at that time."""
        self._waiting: list[Tie] = []
        self._behind: list[Tie] = []
        """Links for the next turn: those that joined nothing in this one, and those that it was too late for."""
        self._reached: list[Stage] = []
        self._broken: Dissolved | None = None

    def holds(self, key: bytes) -> bool:
        """Whether a record is known, and with it all that links connect with it."""
        return key in self._leaves

    def put(self, key: bytes, record: Record, links: Iterable[tuple[bytes, float]]) -> None:
        """A record is there, or has changed; ``links``: all of its links that are sure enough, by the other end, with their weights."""
        self.drop(key)
        leaf = self._leaves[key] = self._fresh[key] = Member(key, record, self._stage([key], record.held, 0, BEFORE))
        for other, bits in links:
            there = self._leaves.get(other)
            if there is not None:
                one, two = (leaf, there) if leaf.rank < there.rank else (there, leaf)
                tie = Tie(one, two, bits, place(bits, one.record, two.record, self._rules))
                leaf.ties[other] = there.ties[key] = tie
                self._count(there)
        self._count(leaf)

    def drop(self, key: bytes) -> None:
        """A record is no more; nothing if it is not known."""
        leaf = self._leaves.pop(key, None)
        if leaf is None:
            return
        self._fresh.pop(key, None)
        self._count(leaf)
        self._crowded.discard(key)
        self._recount.discard(key)
        for other in leaf.ties:
            there = self._leaves[other]
            self._count(there)
            del there.ties[key]
        self._give_up(leaf)
        leaf.let_go()

    def clear(self) -> None:
        """Forget everything. What refers to each other in a ring is taken apart, since a flow collects no rings."""
        for leaf in self._leaves.values():
            stage: Stage | None = leaf.alone
            while stage is not None:
                above, stage.parent, stage.larger, stage.smaller = stage.parent, None, None, None
                stage = above
            leaf.let_go()
        self._leaves, self._fresh, self._crowded, self._recount, self._ahead = {}, {}, set(), set(), []

    def _count(self, leaf: Member) -> None:
        if len(leaf.ties) > self._rules.links_max or leaf.key in self._crowded:
            self._crowded.add(leaf.key)
            self._recount.add(leaf.key)

    def _stage(self, leads: list[bytes], held: Held, turn: int, order: Order) -> Stage:
        self._numbers += 1
        return Stage(self._numbers, leads, held, turn, order)

    def _give_up(self, leaf: Member) -> None:
        """The record is not what it was, from the beginning."""
        alone, parent = leaf.alone, leaf.alone.parent
        alone.run, alone.parent = self._run + 1, None
        if parent is not None:
            self._end(parent)

    # ---- one change

    def grow(self) -> list[Regrown]:
        """The clusters that are others by what has changed since the last time, or that hold a record that has; by rank."""
        if self._recount:
            self._take_count()
        if not self._fresh and not self._ahead:
            return []
        self._run += 1
        self._turn, self._at, self._until, self._changed = 1, BEFORE, 1, False
        fresh, self._fresh = self._fresh, {}
        for leaf in fresh.values():
            self._reach(leaf.alone)
        while self._ahead or self._changed or self._turn < self._until:
            self._go_through()
        self._waiting, self._behind = [], []
        ended, self._reached = [stage for stage in self._reached if stage.parent is None], []
        found = [each for stage in ended if (each := self._grown(stage)) is not None]
        return found if len(found) < 2 else sorted(found, key=lambda each: self._leaves[each.leads[0]].rank)

    def _go_through(self) -> None:
        """One turn: all links ahead of it, and those that wait."""
        turn, ahead = self._turn, self._ahead
        self._changed = False
        while ahead and ahead[0][0] == turn:
            _, self._at, kind, item = heappop(ahead)
            if kind:
                self._break(item)
            else:
                self._meet(item)
        if ahead or self._changed or turn < self._until:
            waiting = self._waiting + self._behind if self._behind else self._waiting
            if self._behind:
                waiting.sort(key=_order)
            again: list[tuple[int, Order, int, Any]] = [(turn + 1, tie.order, 0, tie) for tie in waiting]
            if ahead:
                again.extend(ahead)
                heapify(again)
            self._ahead, self._waiting, self._behind = again, [], []
            self._turn, self._at, self._changed = turn + 1, BEFORE, True

    def _end(self, stage: Stage) -> None:
        """From its time on, a cluster is not what it was."""
        if not stage.ends:
            stage.ends = True
            heappush(self._ahead, (stage.turn, stage.order, -1, stage))

    def _break(self, stage: Stage) -> None:
        """It is the time at which clusters became one of which one is another now: so is the other one from here on."""
        parts = stage.larger, stage.smaller
        stage.run, stage.larger, stage.smaller = self._run, None, None
        self._broken = Dissolved(stage, *parts)
        parent, stage.parent = stage.parent, None
        if parent is not None:
            self._end(parent)
        for part in parts:
            if part is not None and part.run != self._run:
                part.parent = None
                self._reach(part)
        self._changed = True

    def _reach(self, stage: Stage) -> None:
        """A cluster is another than it was, from here on: its links are gone through again."""
        run, turn, now = self._run, self._turn, self._at
        parent, stage.parent, stage.run = stage.parent, None, run
        self._reached.append(stage)
        if parent is not None:
            self._end(parent)
        leads, number, ahead, behind = stage.leads, stage.number, self._ahead, self._behind
        del leads[stage.size :]
        inside = [self._leaves[key] for key in leads]
        for leaf in inside:
            leaf.reached = number
        for leaf in inside:
            for tie in leaf.ties.values():
                if tie.run != run and tie.counts and (tie.b if tie.a is leaf else tie.a).reached != number:
                    tie.run = run
                    if now < tie.order:
                        heappush(ahead, (turn, tie.order, 0, tie))
                    else:
                        behind.append(tie)

    def _find(self, leaf: Member) -> Stage:
        """The cluster in which a record is now."""
        turn, order = self._turn, self._at
        stage = leaf.at if leaf.run == self._run else leaf.alone
        while (parent := stage.parent) is not None and (parent.turn < turn or (parent.turn == turn and parent.order < order)):
            stage = parent
        leaf.at, leaf.run = stage, self._run
        return stage

    def _meet(self, tie: Tie) -> None:
        """Join the clusters of a link if that may be."""
        a, b = self._find(tie.a), self._find(tie.b)
        if a is b:
            return
        if b.size > a.size:
            a, b = b, a
        held = self._weighing.together(a, b)
        if isinstance(held, Refusal):
            self._waiting.append(tie)
            for each in (a, b):
                if each.run != self._run and each.parent is not None:
                    self._until = max(self._until, each.parent.turn + 1)
            return
        for each in (a, b):
            if each.run != self._run:
                self._reach(each)
        a.leads.extend(b.leads)
        made = self._stage(a.leads, held, self._turn, self._at)
        made.run, made.larger, made.smaller = self._run, a, b
        inherit(made, a, b, self._broken)
        a.parent = b.parent = made
        self._reached.append(made)
        self._changed = True

    def _take_count(self) -> None:
        """Where a record has more links than count, which ones do is decided anew for all that links connect with it."""
        edge, region = [key for key in self._recount if key in self._leaves], dict[bytes, Member]()
        while edge:
            key = edge.pop()
            if key not in region:
                leaf = region[key] = self._leaves[key]
                edge.extend(leaf.ties)
        ties = [tie for leaf in region.values() for tie in leaf.ties.values() if tie.a is leaf]
        counted = dict.fromkeys(region, 0)
        for tie in sorted(ties, key=_order):
            tie.counts = max(counted[tie.a.key], counted[tie.b.key]) < self._rules.links_max
            if tie.counts:
                counted[tie.a.key] += 1
                counted[tie.b.key] += 1
        for key, leaf in region.items():
            self._give_up(leaf)
            leaf.alone, leaf.home, leaf.run = self._stage([key], leaf.record.held, 0, BEFORE), None, 0
            self._fresh[key] = leaf
            if len(leaf.ties) <= self._rules.links_max:
                self._crowded.discard(key)
        self._recount = set()

    # ---- what has come of it

    def _grown(self, stage: Stage) -> Regrown | None:
        """A cluster that was gone through again, unless it is what it was; ``stage`` is its home from now on."""
        leaves, leads = self._leaves, stage.leads
        core = _core(leaves, leads)
        moved = leads if core is None else [key for key in leads if leaves[key].home is not core]
        for key in leads:
            leaves[key].home = stage
        before = [] if core is None else core.spanning
        if not moved:
            stage.spanning = before
            return None
        here, ours = set(leads), set(moved)
        ties = [
            tie
            for key in moved
            for other, tie in leaves[key].ties.items()
            if tie.counts and other in here and (tie.a.key == key or other not in ours)
        ]
        ties.sort(key=_order)
        joined = Components()
        for tie in sorted(before + ties, key=_order) if before else ties:
            if joined.root(tie.a.key) != joined.root(tie.b.key):
                joined.join(tie.a.key, tie.b.key)
                stage.spanning.append(tie)
        weakest = stage.spanning[-1].bits if stage.spanning else None
        ranked = sorted(leads, key=lambda key: leaves[key].rank)
        return Regrown(ranked, ours, [_match(tie) for tie in ties], weakest)

    def ties(self, leads: Iterable[bytes]) -> list[Match]:
        """The links that stand within a cluster, in order."""
        leaves = self._leaves
        found = [tie for key in leads for tie in leaves[key].ties.values() if tie.a.key == key and tie.counts and tie.a.home is tie.b.home]
        return [_match(tie) for tie in sorted(found, key=_order)]

    def decisions(self, keys: Iterable[bytes]) -> list[tuple[Match, Refusal | None]]:
        """Every link of these records in order, and what refuses it."""
        ties = {tie.order: tie for key in keys for tie in self._leaves[key].ties.values()}
        return [(_match(tie), self._refusal(tie)) for _, tie in sorted(ties.items(), key=_first)]

    def _refusal(self, tie: Tie) -> Refusal | None:
        if not tie.counts:
            return self._rules.beyond_links._replace(by="")
        a, b = tie.a.home, tie.b.home
        assert a is not None
        assert b is not None
        if a is b:
            return None
        if b.size > a.size:
            a, b = b, a
        return self._weighing.refusal(a, b)


def _core(leaves: dict[bytes, Member], leads: list[bytes]) -> Stage | None:
    """The largest cluster that is whole among these records, none of them changed."""
    counted: dict[int, int] = {}
    core: Stage | None = None
    for key in leads:
        home = leaves[key].home
        if home is not None:
            number = counted[home.number] = counted.get(home.number, 0) + 1
            if number == home.size and (core is None or home.size > core.size):
                core = home
    return core


def _match(tie: Tie) -> Match:
    return Match(tie.a.key, tie.b.key, tie.bits)


def _order(tie: Tie) -> Order:
    return tie.order


def _first(pair: tuple[Order, Tie]) -> Order:
    return pair[0]
