from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from endcap.core.errors import InvalidInput
from endcap.core.settings import EventSettings
from endcap.events.log.kafka_config import kafka_config

SECRET = "hunter2-secret"


def settings(tmp_path: Path, text: str) -> EventSettings:
    file = tmp_path / "kafka.properties"
    file.write_text(text)
    return EventSettings(kafka_bootstrap="127.0.0.1:1", kafka_config_file=file)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        kafka_config(settings(tmp_path, text)).opened(Producer, {"enable.idempotence": True})
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None or SECRET not in str(refused.value.__cause__)
    return str(refused.value).removeprefix(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"# ours\n\nsasl.pasword={SECRET}\n", "/kafka.properties:3: sasl.pasword is no setting of Kafka's client"),
        (f"security.protocol={SECRET}", "/kafka.properties:1: security.protocol has a value that Kafka's client refuses"),
        (f"sasl.username=u\nlinger.ms={SECRET}", "/kafka.properties:2: linger.ms has a value that Kafka's client refuses"),
        (
            f"security.protocol=SSL\nssl.ca.location=/{SECRET}",
            "/kafka.properties:2: ssl.ca.location has a value that Kafka's client refuses",
        ),
        ("error_cb=x\n", "/kafka.properties:1: error_cb has a value that Kafka's client refuses"),
        (f"sasl.username=x\n{SECRET}", "/kafka.properties:2: the line is not `name=value`"),
        (f"{SECRET} is=x", "/kafka.properties:1: the line is not `name=value`"),
        ("bootstrap.servers=elsewhere:9092", "/kafka.properties:1: bootstrap.servers is set by endcap"),
        ("sasl.username=u\nacks=0", "/kafka.properties:2: acks is set by endcap"),
        (f"sasl.password={SECRET}\nsasl.password={SECRET}2", "/kafka.properties:2: sasl.password is set twice"),
        (f"sasl.password={SECRET}\nretries=0", "/kafka.properties:2: retries has a value that Kafka's client refuses"),
        ("max.in.flight=100", "/kafka.properties:1: max.in.flight has a value that Kafka's client refuses"),
        (
            f"security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\nsasl.password={SECRET}",
            "ENDCAP_EVENTS__KAFKA_BOOTSTRAP: Kafka's client refused the settings: ",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_by_file_and_line_and_never_shown(tmp_path: Path, text: str, told: str) -> None:
    assert refusal(tmp_path, text).startswith(told)


def test_values_may_hold_any_sign_and_names_blanks_around(tmp_path: Path) -> None:
    config = kafka_config(settings(tmp_path, " sasl.password = a=b#c; \n#sasl.password=old\n"))
    assert {name: (one.line, one.value) for name, one in config.more.items()} == {"sasl.password": (1, "a=b#c;")}
    assert "a=b#c" not in repr(config)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "kafka.properties"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput, match="ENDCAP_EVENTS__KAFKA_CONFIG_FILE: the file cannot be read as text"):
        kafka_config(EventSettings(kafka_bootstrap="127.0.0.1:1", kafka_config_file=file))


def test_without_kafka_there_is_no_configuration() -> None:
    with pytest.raises(InvalidInput, match="ENDCAP_EVENTS__KAFKA_BOOTSTRAP: no Kafka is set"):
        kafka_config(EventSettings())


@pytest.mark.parametrize(("kind", "own"), [(Producer, {"linger.ms": 5}), (Consumer, {"group.id": "g"})])
def test_one_file_serves_those_who_write_and_those_who_read(tmp_path: Path, kind: Any, own: dict[str, Any]) -> None:
    config = kafka_config(settings(tmp_path, "sasl.username=u\nlinger.ms=20\nfetch.min.bytes=2\n"))
    assert isinstance(config.opened(kind, {**own, "log_level": 0}), kind)
