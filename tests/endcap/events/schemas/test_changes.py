"""The contracts are held against every schema that was released."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from endcap.contracts.topic_schema import schema_file_text, topic_schema
from endcap.contracts.topics import TOPICS, Topic
from endcap.core.errors import SchemaIncompatible
from endcap.events.schemas.changes import require_compatible, schema_change, schema_changes
from endcap.events.schemas.next_version import write_next_versions
from endcap.events.schemas.released import VERSIONS, write_version


class Visit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    session_id: str
    pages: int | None = None


class LongerVisit(Visit):
    seconds: float | None = None


class VisitOfSomebody(Visit):
    user_id: str
    pages: int


def topic(contract: type[BaseModel]) -> Topic:
    return Topic("visits.v1", contract, "A visit.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_version("visits.v1", topic_schema(Visit), tmp_path)
    return tmp_path


def test_no_contract_breaks_readers_of_its_topic() -> None:
    """Fails where a contract changed so that what is in its topic can no longer be read."""
    changes = schema_changes()
    require_compatible(changes)
    assert [change.topic for change in changes] == [*TOPICS]


@pytest.mark.parametrize("each", TOPICS, ids=lambda each: each.stem)
def test_the_newest_released_schema_is_the_contracts(each: Topic) -> None:
    found = schema_change(each)
    stored = (VERSIONS / each.stem / f"{found.version}.json").read_text(encoding="utf-8") if not found.is_new else ""
    assert stored == schema_file_text(topic_schema(each.contract)), "write it: python -m endcap.events.schemas.next_version"


def test_nothing_is_written_while_nothing_changed(capsys: pytest.CaptureFixture[str]) -> None:
    write_next_versions()
    assert capsys.readouterr().out == ""


def test_an_unchanged_contract_is_as_released(folder: Path) -> None:
    found = schema_change(topic(Visit), folder)
    assert (found.version, found.is_new, found.breaks) == (1, False, ())


def test_a_compatible_change_is_a_version_to_come(folder: Path) -> None:
    found = schema_change(topic(LongerVisit), folder)
    assert (found.version, found.is_new, found.breaks) == (2, True, ())


def test_a_breaking_change_names_the_field_what_breaks_and_the_fix(folder: Path) -> None:
    found = schema_change(topic(VisitOfSomebody), folder)
    assert sorted({each.field for each in found.breaks}) == ["pages", "user_id"]
    with pytest.raises(SchemaIncompatible) as refused:
        require_compatible([found])
    assert str(refused.value) == (
        "visits.v1: pages: is required, and what was written before may lack it (and 2 more); "
        "give it a default, or begin the topic visits.v2"
    )
    assert refused.value.exit_code == 8


def test_versions_before_the_last_one_count_too(folder: Path) -> None:
    write_version("visits.v1", topic_schema(VisitOfSomebody), folder)
    assert schema_change(topic(VisitOfSomebody), folder).breaks


def test_a_topic_that_was_never_released_gets_its_first_version(tmp_path: Path) -> None:
    found = schema_change(topic(Visit), tmp_path)
    assert (found.version, found.is_new, found.breaks) == (1, True, ())
