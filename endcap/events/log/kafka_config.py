"""Settings of Kafka's client: endcap's own, and the ones of a file, which may hold passwords and are never shown."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import KafkaException

from endcap.core.errors import InvalidInput
from endcap.core.settings import EventSettings
from endcap.core.standard_logging import StructuredHandler
from endcap.events.log.topic_names import impressions_topic

OWN_NAMES = frozenset(
    {
        *("bootstrap.servers", "metadata.broker.list"),
        *("acks", "request.required.acks", "enable.idempotence", "delivery.report.only.error", "transactional.id"),
        *("group.id", "enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof", "auto.offset.reset"),
    }
)
"""What endcap's promises rest on; a file cannot change it."""

IN_ORDER_AND_ONCE: Mapping[str, Any] = {
    "enable.idempotence": True,
    "acks": "all",
    # Java's default too, so that a person's events stay in one partition whoever sends them.
    "partitioner": "murmur2_random",
    "compression.type": "lz4",
    # An event is not given up for its age.
    "message.timeout.ms": 0,
    "delivery.report.only.error": True,
}
"""What every producer of events sets."""

_BOOTSTRAP = "ENDCAP_EVENTS__KAFKA_BOOTSTRAP"
_FILE = "ENDCAP_EVENTS__KAFKA_CONFIG_FILE"
_REFUSALS = (KafkaException, TypeError, ValueError)
_UNKNOWN = "No such configuration property"
_NAME = re.compile(r"[a-z0-9._]+")

Client = TypeVar("Client")


@dataclass(frozen=True, slots=True)
class FileSetting:
    """One line of a file of settings.

    Attributes:
        line: its number, from 1.
        value: not in the representation; it may be a password.
    """

    line: int
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """How Kafka is reached.

    Attributes:
        bootstrap: host:port, several with commas.
        topic: where the lists that were shown go.
        file: where `more` was read from.
        more: settings of the client by name.
    """

    bootstrap: str
    topic: str
    file: Path | None = None
    more: Mapping[str, FileSetting] = field(default_factory=dict)

    def opened(self, kind: Callable[[dict[str, Any]], Client], own: Mapping[str, Any]) -> Client:
        """A client of Kafka with these settings; it connects by itself, whenever Kafka answers.

        Args:
            kind: `Producer` or `Consumer` of confluent_kafka.
            own: what endcap sets for it; the file's settings go before those of them that are not in OWN_NAMES.

        Raises:
            InvalidInput: Kafka's client refuses a setting.
        """
        given = {name: setting.value for name, setting in self.more.items()}
        try:
            return kind({**own, **given, "bootstrap.servers": self.bootstrap, "logger": _client_log()})
        except _REFUSALS as error:
            raise self._refusal(str(error), kind) from None  # the cause's words may show a password

    def _refusal(self, reason: str, kind: Callable[[dict[str, Any]], Client]) -> InvalidInput:
        alone = {name: words for name, setting in self.more.items() if (words := _refused_alone(kind, name, setting.value))}
        named = [*alone, *(name for name in self.more if name in reason)]
        if not named:
            words = self._without_values(reason)
            return InvalidInput(f"Kafka's client refused the settings: {words}", field=_BOOTSTRAP, fix=f"correct it or the file of {_FILE}")
        name = named[0]
        is_unknown = _UNKNOWN in alone.get(name, "")
        what = "is no setting of Kafka's client" if is_unknown else "has a value that Kafka's client refuses"
        return InvalidInput(f"{name} {what}", field=f"{self.file}:{self.more[name].line}", fix="correct or remove the line")

    def _without_values(self, text: str) -> str:
        for setting in sorted(self.more.values(), key=lambda one: -len(one.value)):
            if setting.value:
                text = text.replace(setting.value, "[hidden]")
        return text


def kafka_config(settings: EventSettings) -> KafkaConfig:
    """How the settings say that Kafka is reached.

    Raises:
        InvalidInput: no Kafka is set, or the file cannot be read or has a line that is not understood.
    """
    if not settings.kafka_bootstrap:
        raise InvalidInput("no Kafka is set", field=_BOOTSTRAP, fix="set it to host:port of one or more brokers")
    file = settings.kafka_config_file
    more = _read(file) if file is not None else {}
    return KafkaConfig(settings.kafka_bootstrap, impressions_topic(settings), file, more)


def _read(file: Path) -> dict[str, FileSetting]:
    """The settings of a file: `name=value` a line, `#` begins a comment line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("the file cannot be read as text", field=_FILE, value=str(file), fix="mount the secret there") from error
    settings: dict[str, FileSetting] = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = line.partition("=")
        name = name.strip()
        if not line.strip() or name.startswith("#"):
            continue
        # A line that is not understood may be a password that was cut in two: it is not shown.
        if not equals or not _NAME.fullmatch(name):
            raise InvalidInput("the line is not `name=value`", field=f"{file}:{number}", fix="for example security.protocol=SASL_SSL")
        if name in OWN_NAMES:
            raise InvalidInput(f"{name} is set by endcap", field=f"{file}:{number}", fix="remove the line")
        if name in settings:
            raise InvalidInput(f"{name} is set twice", field=f"{file}:{number}", fix=f"remove it here or in line {settings[name].line}")
        settings[name] = FileSetting(number, value.strip())
    return settings


def _refused_alone(kind: Callable[[dict[str, Any]], object], name: str, value: str) -> str:
    """What Kafka's client says about a name or a value whatever else is set; empty when it knows both."""
    try:
        kind({"group.id": "endcap", name: value, "logger": _client_log()})
    except _REFUSALS as error:
        words = str(error)
        return words if _UNKNOWN in words or "Invalid value" in words else ""
    return ""


def _client_log() -> logging.Logger:
    """A logger of one client, whose lines go through endcap's, each kind once in a while."""
    log = logging.Logger("kafka", logging.WARNING)
    log.addHandler(StructuredHandler("event_log"))
    return log
