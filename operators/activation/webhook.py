"""What proves that a webhook came from here: a digest of its time and body under a secret that both sides know."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from operators.activation.renderer import SIGNATURE
from operators.activation.told import Request


def signature(secret: str, seconds: int, body: bytes) -> str:
    """``t=<seconds>,v1=<hex>``: the HMAC-SHA256 of ``<t>.<body>``."""
    digest = hmac.new(secret.encode(), b"%d.%b" % (seconds, body), hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def signed(request: Request, secret: str, seconds: int) -> Request:
    """The request with its signature of a moment."""
    header = {SIGNATURE: signature(secret, seconds, request.body or b"")}
    return msgspec.structs.replace(request, headers={**request.headers, **header})
