"""Keyed hashes: identifiers inside the shard, profile ids, and personal values wherever they leave it."""

from __future__ import annotations

from hashlib import blake2b

DEFAULT_SECRET = "skep: set SKEP_SECRET"
"""Used while a project has no secret of its own; personal hashes can then be guessed, and ``skep status`` says so."""


class Hasher:
    """128-bit keyed BLAKE2b (RFC 7693) of the values of one space."""

    def __init__(self, secret: str, space: str) -> None:
        self._keyed = blake2b(digest_size=16, key=blake2b(secret.encode(), digest_size=32, person=b"skep").digest())
        """Of nothing: to copy it takes less than to make one."""
        self._space = space.encode()

    def identifier(self, namespace: str, value: str) -> bytes:
        """The 16 bytes that stand for an identifier everywhere; also those of the profile that it leads."""
        return self._hash(b"%b\0%b\0%b" % (self._space, namespace.encode(), value.encode("utf-8", "surrogatepass")))

    def shared(self, namespace: str, value: str) -> bytes:
        """The 16 bytes of the profile for a device's events that belong to nobody."""
        return self._hash(self.identifier(namespace, value) + b"shared")

    def account(self, account: str) -> bytes:
        """The 16 bytes of an account."""
        return self._hash(b"%b\0\0account\0%b" % (self._space, account.encode()))

    def _hash(self, text: bytes) -> bytes:
        found = self._keyed.copy()
        found.update(text)
        return found.digest()

    def personal(self, namespace: str, value: str) -> str:
        """What stands for a personal value outside the shard: ``h_`` and 32 hexadecimal digits."""
        return "h_" + self.identifier(namespace, value).hex()


def profile_id(key: bytes) -> str:
    """``p_`` and 32 hexadecimal digits: the public form of a profile's 16 bytes."""
    return "p_" + key.hex()
