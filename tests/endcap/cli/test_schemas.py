"""`endcap schemas`."""

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from endcap.cli.schemas import app
from endcap.contracts.topics import TOPICS
from endcap.core.errors import DependencyUnavailable, InvalidInput, SchemaIncompatible
from endcap.events.schemas.released import VERSIONS, newest_schema, released_schemas, write_version
from tests.schema_registry.apicurio import ApicurioRegistry


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def prefix(registry_server: ApicurioRegistry, monkeypatch: pytest.MonkeyPatch) -> str:
    """A real registry is set; topics have names of their own."""
    name = f"shop-{uuid4().hex}"
    monkeypatch.setenv("ENDCAP_SCHEMAS__REGISTRY_URL", registry_server.url)
    monkeypatch.setenv("ENDCAP_SCHEMAS__TIMEOUT_SECONDS", "30")
    monkeypatch.setenv("ENDCAP_EVENTS__TOPIC_PREFIX", name)
    monkeypatch.setenv("ENDCAP_EVENTS__KAFKA_TOPIC", f"{name}.events.v1")
    return name


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """Released schemas of which the last one of events has a field that the contract lacks."""
    folder = tmp_path / "versions"
    shutil.copytree(VERSIONS, folder)
    newest = newest_schema("events.v1").schema
    write_version("events.v1", {**newest, "properties": {**newest["properties"], "colour": {"type": "string"}}}, folder)
    return folder


def test_contracts_that_are_as_released_pass_without_a_registry() -> None:
    rows = json.loads(run("check", "--json"))
    assert [(row["topic"], row["state"], row["breaks"]) for row in rows] == [(topic.stem, "as released", []) for topic in TOPICS]
    assert "events.v1" in run("check")


def test_a_breaking_change_fails_with_field_break_and_fix(versions: Path) -> None:
    result = CliRunner().invoke(app, ["check", "--versions", str(versions), "--json"])
    assert isinstance(result.exception, SchemaIncompatible)
    assert result.exception.exit_code == 8
    assert str(result.exception) == (
        "events.v1: colour: was removed, and what was written before may have it; keep the field, optional, or begin the topic events.v2"
    )
    row, *others = json.loads(result.stdout)
    assert (row["state"], [found["field"] for found in row["breaks"]]) == ("breaks readers", ["colour"])
    assert {other["state"] for other in others} == {"as released"}
    assert "events.v1: colour: was removed" in CliRunner().invoke(app, ["check", "--versions", str(versions)]).stdout


def test_publish_prints_subject_version_and_id_and_does_it_once(prefix: str) -> None:
    would = json.loads(run("publish", "--dry-run", "--json"))
    assert {(row["id"], row["outcome"]) for row in would} == {(None, "would be registered")}
    done = json.loads(run("publish", "--json"))
    released = [(f"{topic.named(prefix)}-value", each.number) for topic in TOPICS for each in released_schemas(topic.stem)]
    assert [(row["subject"], row["version"]) for row in done] == released
    assert all(row["id"] is not None and row["outcome"] == "registered" for row in done)
    again = json.loads(run("publish", "--json"))
    newest = {row["subject"]: row for row in done}
    assert again == [{**row, "outcome": "there"} for row in newest.values()]
    assert "there" in run("publish")


def test_check_also_asks_the_registry(prefix: str) -> None:
    assert {row["registry"] for row in json.loads(run("check", "--registry", "--json"))} == {"has none of it"}
    run("publish")
    assert {row["registry"] for row in json.loads(run("check", "--registry", "--json"))} == {"compatible"}


def test_what_the_registry_has_against_a_schema_fails_the_check(
    prefix: str, registry_server: ApicurioRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from endcap.events.schemas.registry import open_registry

    registry = open_registry(registry_server.settings)
    subject = f"{prefix}.rejected.v1-value"
    registry.register(subject, '{"$schema":"http://json-schema.org/draft-07/schema#","type":"string"}')
    assert registry.set_mode(subject)
    registry.close()
    result = CliRunner().invoke(app, ["check", "--registry"])
    assert isinstance(result.exception, SchemaIncompatible)
    assert str(result.exception).startswith("rejected.v1: the schema registry refuses the schema")


@pytest.mark.parametrize("arguments", [["publish"], ["check", "--registry"]])
def test_a_registry_that_is_not_set_or_away_is_named(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    assert isinstance(CliRunner().invoke(app, arguments).exception, InvalidInput)
    monkeypatch.setenv("ENDCAP_SCHEMAS__REGISTRY_URL", "http://127.0.0.1:1")
    assert isinstance(CliRunner().invoke(app, arguments).exception, DependencyUnavailable)
