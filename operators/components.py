"""Connected components: what links join, directly or through others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Components:
    """Union–find over keys; one that no link has named is alone."""

    def __init__(self, keys: Iterable[bytes] = (), links: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self._parent = {key: key for key in keys}
        for a, b in links:
            self.join(a, b)

    def join(self, a: bytes, b: bytes) -> None:
        """Make one component of those of two keys; its root is that of ``a``."""
        self._parent[self.root(b)] = self.root(a)

    def root(self, key: bytes) -> bytes:
        """The key that stands for the component of a key, until that is joined with another."""
        parent = self._parent
        root = parent.setdefault(key, key)
        if parent[root] is root:
            return root
        while (above := parent[root]) != root:
            root = above
        # Whoever was on the way is nearer to the root from now on, or long chains would be walked again and again.
        while (above := parent[key]) != root:
            parent[key], key = root, above
        return root

    def parts(self) -> list[list[bytes]]:
        """The components in the order of their first keys, each in the order in which its keys were told."""
        found: dict[bytes, list[bytes]] = defaultdict(list)
        for key in self._parent:
            found[self.root(key)].append(key)
        return list(found.values())
