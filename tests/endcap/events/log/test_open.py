from pathlib import Path

import pytest

from endcap.core.errors import InvalidInput
from endcap.core.settings import EventSettings, Settings
from endcap.events.log.kafka import KafkaEventLog
from endcap.events.log.open import open_event_log
from endcap.events.log.writer import EventLog
from tests.endcap.events.log.shown_lists import shown_list


@pytest.mark.parametrize("bootstrap", [None, ""])
def test_without_kafka_the_log_is_under_the_home_folder(tmp_path: Path, bootstrap: str | None) -> None:
    log = open_event_log(Settings(home=tmp_path, events=EventSettings(kafka_bootstrap=bootstrap)))
    log.emit(shown_list("r1"))
    log.close()
    assert isinstance(log, EventLog)
    assert len(list((tmp_path / "events").iterdir())) == 1


def test_with_kafka_the_log_is_there_whether_it_answers_or_not(tmp_path: Path) -> None:
    counts: list[int] = []
    log = open_event_log(Settings(home=tmp_path, events=EventSettings(kafka_bootstrap="127.0.0.1:1")), counts.append)
    log.emit(shown_list("r1"))
    log.close(0.2)
    assert isinstance(log, KafkaEventLog)
    assert sum(counts) == 4
    assert not (tmp_path / "events").exists()


def test_settings_that_cannot_be_used_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("no.such.setting=1\n")
    with pytest.raises(InvalidInput, match=r"kafka\.properties:1: no\.such\.setting is no setting"):
        open_event_log(Settings(events=EventSettings(kafka_bootstrap="127.0.0.1:1", kafka_config_file=file)))
