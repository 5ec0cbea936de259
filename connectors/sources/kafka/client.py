"""How a cluster is reached: a source's settings as librdkafka wants them, and its errors in words."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError

from connectors.errors import SourceError
from connectors.sources.kafka.spec import KafkaSpec

_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_DENIED = frozenset({
    KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED,
})  # fmt: skip
_UNKNOWN_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})
_RAN_OUT = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})
_REFUSED = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL})


def config_of(place: Path, spec: KafkaSpec, **more: Any) -> dict[str, Any]:
    """What a client is made with. Raises `SourceError` for a reference that leads nowhere; no value is ever part of a message."""
    said = {key: _resolved(place, key, value) for key, value in spec.config.items()}
    return {"bootstrap.servers": spec.servers, **said, **more}


def _resolved(place: Path, key: str, value: str) -> str:
    def referred(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("file:"):
            try:
                return Path(name.removeprefix("file:")).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is no text of UTF-8"
                raise SourceError(place, f"config.{key}: expected the file of ${{{name}}}: {why}") from None
        if name not in os.environ:
            raise SourceError(place, f"config.{key}: expected the variable of ${{{name}}}, found that it is not set")
        return os.environ[name]

    return _REFERENCE.sub(referred, value)


def words_of(error: KafkaError) -> str:
    """What went wrong."""
    return f"{error.name().lstrip('_')}: {error.str()}"


def is_refusal(error: KafkaError) -> bool:
    """Whether the cluster is there and does not want us: waiting does not cure that."""
    return error.code() in _REFUSED or error.code() in _DENIED


def remedy_of(error: KafkaError) -> str:
    """What to do about an error that waiting does not cure."""
    if error.code() == KafkaError._SSL or "certificate" in error.str().lower():
        return "check security.protocol and ssl.* in `config` of the source, and whether the certificate has expired"
    if error.code() in _REFUSED:
        return "check security.protocol and sasl.* in `config` of the source"
    return "let the cluster's ACLs give this user Read and Describe of the topic"


def fault_of(error: KafkaError, topic: str, number: int, offset: int) -> str:
    """Why a partition is read no further; empty for an error that passes."""
    if has_run_out(error):
        return gone(topic, number, offset, None)
    if error.code() in _UNKNOWN_TOPIC:
        return missing(topic, number)
    if error.code() in _DENIED:
        return f"expected to be let read topic {topic}, found {words_of(error)}; {remedy_of(error)}"
    return ""


def has_run_out(error: KafkaError) -> bool:
    """Whether the records that come next are no longer there."""
    return error.code() in _RAN_OUT


def missing(topic: str, number: int) -> str:
    """What is said of a partition that is not there."""
    return f"expected topic {topic} with partition {number}, found that there is none; make it again, or take it out of `topics`"


def gone(topic: str, number: int, offset: int, first: int | None) -> str:
    """What is said where the records that come next are no longer there."""
    found = "that it is no longer there" if first is None else f"that the first one there is {first}"
    return (
        f"expected offset {offset} of topic {topic}, partition {number}, found {found}: retention has removed what was not read yet. "
        "Decide where to go on: `skep sources skip-to`"
    )
