"""What reads or writes the local log where events go to Kafka says what to do instead."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from endcap.cli.dead_letters import app as dead_letters
from endcap.cli.evidence import evidence
from endcap.cli.outcomes import outcomes
from endcap.core.errors import InvalidInput
from endcap.core.settings import EventSettings, Settings
from endcap.events.log.whole_log import OFFSETS_FILE, require_no_collector, require_way_to_kafka, require_whole_log

KAFKA = EventSettings(kafka_bootstrap="127.0.0.1:1")


def test_a_folder_without_a_copy_of_kafka_is_refused_and_a_copy_or_a_local_log_is_not(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"ENDCAP_EVENTS__KAFKA_BOOTSTRAP: events are in Kafka.*endcap evidence --from-kafka"):
        require_whole_log(Settings(home=tmp_path, events=KAFKA), tmp_path)
    require_whole_log(Settings(home=tmp_path), tmp_path)
    (tmp_path / OFFSETS_FILE).touch()
    require_whole_log(Settings(home=tmp_path, events=KAFKA), tmp_path)


def test_on_a_collectors_home_folder_nothing_is_copied_and_elsewhere_nothing_is_stored(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, events=KAFKA)
    require_no_collector(settings)
    with pytest.raises(InvalidInput, match="run it on a collector's home folder"):
        require_way_to_kafka(settings)
    require_way_to_kafka(Settings(home=tmp_path))
    settings.spool_dir.mkdir()
    require_way_to_kafka(settings)
    with pytest.raises(InvalidInput, match="ENDCAP_HOME: a collector sends from this home folder to Kafka"):
        require_no_collector(settings)


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (outcomes, ["--from-log"], "events are in Kafka"),
        (evidence, [], "events are in Kafka"),
        (dead_letters, ["replay"], "no collector sends from this home folder"),
    ],
)
def test_commands_over_the_log_say_what_to_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: object, arguments: list[str], message: str
) -> None:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    monkeypatch.setenv("ENDCAP_EVENTS__KAFKA_BOOTSTRAP", "127.0.0.1:1")
    app = command if isinstance(command, typer.Typer) else typer.Typer()
    if not isinstance(command, typer.Typer):
        app.command()(command)  # type: ignore[arg-type]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InvalidInput)
    assert message in str(result.exception)
