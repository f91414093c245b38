"""The id that a writer frames by: from the registry, from the disk while it is away, none while nobody knows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from structlog.testing import capture_logs

from endcap.events.schemas.known_ids import KnownIds
from endcap.events.schemas.schema_ids import SchemaId
from tests.endcap.events.schemas.made_registry import ChangingRegistry, made_registry
from tests.waiting import until

SELDOM, OFTEN = 3_600.0, 0.01
AWAY = httpx.ConnectError("refused")


@contextmanager
def started(answer: ChangingRegistry, file: Path, *, refresh: float = SELDOM, retry: float = SELDOM) -> Iterator[SchemaId]:
    schema_id = SchemaId(made_registry(answer), KnownIds(file), "events-value", "{}", refresh_seconds=refresh, retry_seconds=retry)
    schema_id.start()
    try:
        yield schema_id
    finally:
        schema_id.close()


def test_the_registry_is_asked_once_before_the_first_value_and_reading_asks_no_more(tmp_path: Path) -> None:
    answer = ChangingRegistry(7)
    with started(answer, tmp_path / "ids.json") as schema_id:
        assert {schema_id.value for _ in range(1_000)} == {7}
    assert answer.asked == ["POST /apis/ccompat/v7/subjects/events-value"]


def test_an_id_of_before_goes_on_after_a_restart_while_the_registry_is_away(tmp_path: Path) -> None:
    with started(ChangingRegistry(7), tmp_path / "ids.json"):
        pass
    with started(ChangingRegistry(AWAY), tmp_path / "ids.json", refresh=OFTEN) as schema_id:
        assert schema_id.value == 7
        schema_id.refresh()
        assert schema_id.value == 7


def test_a_process_that_never_knew_the_id_gets_it_when_the_registry_comes(tmp_path: Path) -> None:
    answer = ChangingRegistry(AWAY)
    with capture_logs() as lines, started(answer, tmp_path / "ids.json", retry=OFTEN) as schema_id:
        assert schema_id.value is None
        until(lambda: len(answer.asked) > 3, "another question")
        answer.id = 7
        until(lambda: schema_id.value == 7, "the id")
    assert [line["event"] for line in lines] == ["the schema registry could not be asked"]
    assert KnownIds(tmp_path / "ids.json").id_of("http://registry.test/apis/ccompat/v7/", "events-value", "{}") == 7


def test_the_registrys_word_replaces_an_id_and_ends_it(tmp_path: Path) -> None:
    answer = ChangingRegistry(7)
    with capture_logs() as lines, started(answer, tmp_path / "ids.json", refresh=OFTEN) as schema_id:
        answer.id = 8
        until(lambda: schema_id.value == 8, "the new id")
        answer.id = None
        until(lambda: schema_id.value is None, "the end of the id")
    assert [line["reason"] for line in lines] == ["run `endcap schemas publish`"]
    with started(ChangingRegistry(AWAY), tmp_path / "ids.json") as schema_id:
        assert schema_id.value is None


def test_a_disk_that_refuses_costs_the_memory_and_not_the_id(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with capture_logs() as lines, started(ChangingRegistry(7), tmp_path / "file" / "ids.json") as schema_id:
        assert schema_id.value == 7
    assert "the schema's id cannot be kept" in [line["event"] for line in lines]


def test_one_that_was_never_started_can_be_closed(tmp_path: Path) -> None:
    answer = ChangingRegistry(7)
    SchemaId(made_registry(answer), KnownIds(tmp_path / "ids.json"), "s", "{}", refresh_seconds=SELDOM).close()
    assert answer.asked == []
