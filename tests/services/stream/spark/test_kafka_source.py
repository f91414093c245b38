"""Settings of Kafka's Java client come from a file, and a line that is not understood is refused without being shown."""

from pathlib import Path

import pytest

from endcap.core.errors import InvalidInput
from endcap.core.settings import EventSettings
from endcap_stream.spark.kafka_source import client_options, topics_read


def test_settings_have_kafkas_prefix(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text('# of the shop\n\nsecurity.protocol = SASL_SSL\nsasl.jaas.config=a b="c";\n')
    assert client_options(file) == {"kafka.security.protocol": "SASL_SSL", "kafka.sasl.jaas.config": 'a b="c";'}
    assert client_options(None) == {}


def test_a_line_that_is_not_understood_is_named_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("a=b\nhalf-of-a-password\n")
    with pytest.raises(InvalidInput, match=r"kafka\.properties:2") as refused:
        client_options(file)
    assert "half" not in str(refused.value)
    with pytest.raises(InvalidInput, match="cannot be read"):
        client_options(tmp_path / "none")


def test_both_topics_have_the_prefix_of_the_settings() -> None:
    assert topics_read(EventSettings(topic_prefix="shop")) == ("shop.events.v1", "shop.impressions.v1")
