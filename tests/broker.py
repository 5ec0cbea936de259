"""A real Kafka broker for tests: the one at ``SKEP_KAFKA``, else one of Apache's, started for the test; else a reason to skip."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from tests.patience import until

VERSION = "4.1.0"
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>skep</groupId><artifactId>broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.1</version></dependency>
</dependencies></project>
"""


def _libraries() -> Path:
    """The broker's jars, fetched once by Maven into the cache; skips where that cannot be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skep" / f"kafka-{VERSION}"
    libraries = cache / "libs"
    if libraries.is_dir():
        return libraries
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            pytest.skip(f"no Kafka broker: {tool} is not installed, and SKEP_KAFKA names none")
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=cache))
    (fresh / "pom.xml").write_text(_POM)
    done = subprocess.run(
        ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={fresh}/libs"], cwd=fresh, capture_output=True, check=False
    )
    if done.returncode:
        shutil.rmtree(fresh)
        pytest.skip(f"no Kafka broker: Maven cannot fetch it, and SKEP_KAFKA names none: {done.stdout[-300:].decode()}")
    try:
        (fresh / "libs").rename(libraries)
    except OSError:
        assert libraries.is_dir(), "another test was first"
    shutil.rmtree(fresh)
    return libraries


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Broker:
    """One broker, in KRaft mode, that can be stopped and started again with all that it holds.

    With a ``password`` it is also reached at ``locked``, by the user skep.
    """

    def __init__(self, folder: Path, password: str = "") -> None:
        self.folder, self._java = folder, ["java", "-Xmx400m", "-cp", f"{_libraries()}/*"]
        port, controller = _free_port(), _free_port()
        self.servers = f"127.0.0.1:{port}"
        said = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(folder / "logs"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            "message.max.bytes": "60000000",
            "log.retention.check.interval.ms": "1000",
            "auto.create.topics.enable": "false",
        }
        if password:
            locked = _free_port()
            self.locked = f"127.0.0.1:{locked}"
            login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_skep="{password}";'
            said["listeners"] += f",SASL_PLAINTEXT://{self.locked}"
            said["sasl.enabled.mechanisms"] = "PLAIN"
            said["listener.security.protocol.map"] = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT"
            said["listener.name.sasl_plaintext.plain.sasl.jaas.config"] = login
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "server.properties").write_text("".join(f"{key}={value}\n" for key, value in said.items()))
        # One that begins with a hyphen would be taken for an option.
        name = urlsafe_b64encode(b"\0" + uuid4().bytes[1:]).decode().rstrip("=")
        self._run("kafka.tools.StorageTool", "format", "-t", name, "-c", f"{folder}/server.properties")
        self._process: subprocess.Popen[bytes] | None = None

    def _run(self, *words: str) -> None:
        subprocess.run([*self._java, *words], check=True, capture_output=True)

    def start(self) -> None:
        with (self.folder / "out.txt").open("ab") as out:
            self._process = subprocess.Popen([*self._java, "kafka.Kafka", f"{self.folder}/server.properties"], stdout=out, stderr=out)
        until(self._answers, told=(self.folder / "out.txt").read_text)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "out.txt").read_text()[-2000:]
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", int(self.servers.split(":")[1]))):
                return False
        try:
            return bool(_admin(self.servers).list_topics(timeout=2).brokers)
        except KafkaException:
            return False


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Where a broker is reached."""
    given = os.environ.get("KAFKA_OF_TESTS") or os.environ.pop("SKEP_KAFKA", "")
    if given:
        yield given
        return
    own = Broker(folder)
    own.start()
    try:
        yield own.servers
    finally:
        own.stop()


def _admin(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers, "logger": _QUIET})


class _Quiet:
    def log(self, *_: Any) -> None:
        """A client that waits for a broker says so again and again."""


_QUIET: Any = _Quiet()


def make_topic(servers: str, topic: str, partitions: int = 1, **config: str) -> None:
    """A topic, by its name in the broker's settings with ``_`` for ``.``."""
    said = {key.replace("_", "."): value for key, value in config.items()}
    admin = _admin(servers)
    for made in admin.create_topics([NewTopic(topic, partitions, 1, config=said)]).values():
        made.result(30)


def drop_topic(servers: str, topic: str) -> None:
    admin = _admin(servers)
    for gone in admin.delete_topics([topic]).values():
        gone.result(30)
    until(lambda: topic not in admin.list_topics(timeout=5).topics)


def add_partitions(servers: str, topic: str, count: int) -> None:
    admin = _admin(servers)
    for made in admin.create_partitions([NewPartitions(topic, count)]).values():
        made.result(30)


def drop_records(servers: str, topic: str, partition: int, before: int) -> None:
    """Remove what lies before an offset, as retention does."""
    admin = _admin(servers)
    for gone in admin.delete_records([TopicPartition(topic, partition, before)]).values():
        gone.result(30)
