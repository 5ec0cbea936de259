"""A request as it goes over the wire: with the patience that its destination's file asks for, and signed at its moment."""

from __future__ import annotations

import time

from connectors.destinations.wire import Incoming, Outgoing, Wire, send
from contracts.model.destinations import Destination
from contracts.text.secrets import revealed as with_secrets
from operators.activation.renderer import Renderer
from operators.activation.told import Request
from operators.activation.webhook import signed
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.runtime.delivery.addressed import AbsentSecret, revealed

_TURN_S = 0.001


def outgoing(number: int, renderer: Renderer, request: Request, seconds: int) -> Outgoing:
    """What of a request goes over the wire. ``seconds``: now; a webhook's signature is of this moment."""
    destination = renderer.destination
    if request.signed:
        secret, _ = with_secrets(destination.connection["secret"], renderer.reveal)
        request = signed(request, secret, seconds)
    timeout = (destination.limits.timeout_us or 10_000_000) / 1e6
    return Outgoing(number, request.method, request.url, request.headers, request.body, timeout, destination.allow_private)


def reply_to(wire: Wire, renderer: Renderer, request: Request) -> Incoming:
    """What comes back of a request, once it has come."""
    (came,) = send(wire, [outgoing(0, renderer, request, int(time.time()))], lambda: time.sleep(_TURN_S))
    return came


def renderer_of(settings: Settings, destination: Destination) -> Renderer:
    """Renders with the secrets that are there. Raises `CommandError` if one is not."""
    try:
        return Renderer(destination, lambda name: revealed(name, settings.root))
    except AbsentSecret as error:
        raise CommandError(f"{destination.name}: {error}") from None
