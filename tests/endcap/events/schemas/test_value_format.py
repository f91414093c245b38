"""A process frames its values where a registry is set and the id is known; else it writes plain JSON and goes on."""

from pathlib import Path

import httpx

from endcap.core.settings import SchemasSettings, Settings
from endcap.events.schemas.frame import Value, opened
from endcap.events.schemas.known_ids import KnownIds
from endcap.events.schemas.schema_ids import SchemaId
from endcap.events.schemas.value_format import FramedJson, PlainJson, open_value_format
from tests.endcap.events.schemas.made_registry import ChangingRegistry, made_registry


def framing(answer: ChangingRegistry, folder: Path, counts: list[int]) -> FramedJson:
    schema_id = SchemaId(made_registry(answer), KnownIds(folder / "ids.json"), "events-value", "{}", refresh_seconds=3_600)
    schema_id.start()
    return FramedJson(schema_id, counts.append)


def test_values_are_framed_by_the_registrys_id(tmp_path: Path) -> None:
    counts: list[int] = []
    values = framing(ChangingRegistry(7), tmp_path, counts)
    assert opened(values.encoded(b'{"a":1}')) == Value(b'{"a":1}', 7)
    values.close()
    assert counts == []


def test_values_of_a_process_that_never_knew_an_id_are_plain_and_counted(tmp_path: Path) -> None:
    counts: list[int] = []
    values = framing(ChangingRegistry(httpx.ConnectError("refused")), tmp_path, counts)
    assert [values.encoded(b"{}") for _ in range(3)] == [b"{}"] * 3
    values.close()
    assert sum(counts) == 3


def test_without_a_registry_values_are_plain_and_nothing_is_counted(tmp_path: Path) -> None:
    counts: list[int] = []
    values = open_value_format(Settings(home=tmp_path), "endcap-events", counts.append)
    assert isinstance(values, PlainJson)
    assert values.encoded(b"{}") == b"{}"
    values.close()
    assert (counts, [*tmp_path.iterdir()]) == ([], [])


def test_a_registry_that_is_away_at_the_start_stops_nothing(tmp_path: Path) -> None:
    counts: list[int] = []
    settings = Settings(home=tmp_path, schemas=SchemasSettings(registry_url="http://127.0.0.1:1"))
    values = open_value_format(settings, "endcap-events", counts.append)
    assert values.encoded(b"{}") == b"{}"
    values.close()
    assert counts == [1]
