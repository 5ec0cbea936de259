"""Who may be whom, as far as a slice of history and what is stored say: islands, which have nothing to do with each other.

An island is everything that is connected by any evidence, whether links stand or not. What happens to the people of one cannot depend
on another, nor touch it, so islands are folded side by side.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.backfill.chunks import NOBODY, Chunk
from operators.people.accounts import anchors_of
from state.keys import NOBODY as NO_ANCHOR
from state.shard import Shard

NONE = (1 << 32) - 1
"""Instead of an island: it is another part's."""


class Islands:
    """Groups of records by what connects them."""

    def __init__(self, shard: Shard, rulings: Iterable[bytes] = (), *, counted: bool = False) -> None:
        """``rulings``: both hashes of each pair that is linked or unlinked by hand. ``counted``: what members do counts for accounts."""
        self._nodes: dict[bytes, int] = {NO_ANCHOR: 0}
        self._parents = [0]
        self._groups: dict[int, list[int]] = {}
        """Part → by group one of its nodes."""
        self._events: list[tuple[int, bytes, Sequence[int]]] = []
        """Of each chunk its part, 8 bytes of the hash of each message id, and the group of each record."""
        for pair in chain((key for key, _ in shard.rows("refused")), rulings):
            self._join(self._held(shard, pair[:16]), self._held(shard, pair[16:32]))
        if counted:
            for key, _ in shard.rows("members"):
                self._join(self._node(key[:16]), self._node(key[16:]))
            for call, anchor in anchors_of(shard.rows("calls")):
                # Of what belongs to nobody, who holds the device stands for it.
                self._join(self._node(call[:16]), self._held(shard, anchor))

    def _held(self, shard: Shard, identifier: bytes) -> int:
        return self._node(shard.row("alias", identifier) or identifier)

    def _node(self, key: bytes) -> int:
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = len(self._parents)
            self._parents.append(found)
        return found

    def _root(self, node: int) -> int:
        parents = self._parents
        while parents[node] != node:
            parents[node] = node = parents[parents[node]]
        return node

    def _join(self, one: int, other: int) -> None:
        self._parents[self._root(one)] = self._root(other)

    def add(self, chunk: Chunk) -> None:
        """Take in what a chunk says of its groups. The chunks of one part come in the order in which it judged them."""
        groups = self._groups.setdefault(chunk.part, [NOBODY])
        for identifiers in chunk.fresh:
            nodes = [self._node(each) for each in identifiers]
            for node in nodes[1:]:
                self._join(node, nodes[0])
            groups.append(nodes[0])
        for group, anchor in chunk.also:
            self._join(groups[group], self._node(anchor))
        self._events.append((chunk.part, chunk.messages, _numbers("I", chunk.groups)))

    def _join_repeats(self) -> None:
        """Events with one message id are connected."""
        content = b"".join(messages for _, messages, _ in self._events)
        messages: Any = pa.Array.from_buffers(pa.int64(), len(content) // 8, [None, pa.py_buffer(content)])
        order = pc.sort_indices(messages)
        ordered = messages.take(order)
        # Those of refused records are 0.
        again = pc.indices_nonzero(pc.and_(pc.equal(ordered[1:], ordered[:-1]), pc.not_equal(ordered[1:], 0)))
        begins = list(accumulate((len(groups) for _, _, groups in self._events), initial=0))
        for pair in zip(order.take(again).to_pylist(), order[1:].take(again).to_pylist(), strict=True):
            self._join(*(self._node_of(begins, record) for record in pair))

    def _node_of(self, begins: list[int], record: int) -> int:
        """A node of the group of a record, of which chunks have those from ``begins`` on."""
        at = bisect_right(begins, record) - 1
        part, _, groups = self._events[at]
        return self._groups[part][groups[record - begins[at]]]

    def shares(self, chunks: Iterable[Chunk], parts: int) -> tuple[list[dict[int, bytes]], int, int]:
        """Who folds what: of each part, by the part that judged, the island of each group, or `NONE`, as an array of 32 bits.

        Also how many islands there are, and how many records the largest has. They are shared out by their records, the largest first.
        """
        self._join_repeats()
        sizes: dict[int, int] = {}
        for part, counts in self._counted(chunks).items():
            for group, count in counts.items():
                root = self._root(self._groups[part][group])
                sizes[root] = sizes.get(root, 0) + count
        loads = [0] * parts
        numbers = dict.fromkeys(range(parts), 0)
        given: dict[int, tuple[int, int]] = {}
        for root, size in sorted(sizes.items(), key=lambda item: -item[1]):
            part = loads.index(min(loads))
            loads[part] += size
            given[root] = part, numbers[part]
            numbers[part] += 1
        shares: list[dict[int, bytes]] = [{} for _ in range(parts)]
        for judged, groups in self._groups.items():
            owned = [given.get(self._root(node), (parts, NONE)) for node in groups]
            for part in range(parts):
                shares[part][judged] = array("I", [island if owner == part else NONE for owner, island in owned]).tobytes()
        return shares, len(sizes), max(sizes.values(), default=0)

    @staticmethod
    def _counted(chunks: Iterable[Chunk]) -> dict[int, Counter[int]]:
        counts: dict[int, Counter[int]] = {}
        for chunk in chunks:
            counts.setdefault(chunk.part, Counter()).update(_numbers("I", chunk.groups))
        return counts


def _numbers(kind: str, content: bytes) -> Sequence[int]:
    numbers: array[int] = array(kind)
    numbers.frombytes(content)
    return numbers
