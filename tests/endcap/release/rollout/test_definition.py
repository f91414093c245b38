"""The resource's definition: current, structural, and as strict as the models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from endcap.release.rollout.definition import definition_text, rollout_definition

FILE = Path(__file__).parents[4] / "charts" / "endcap" / "files" / "rollouts.endcap.dev.yaml"


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for child in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        yield from nodes(child)


def root() -> dict[str, Any]:
    return rollout_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def test_the_charts_file_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == definition_text()


def test_the_schema_is_structural() -> None:
    for node in nodes(root()):
        assert node["type"] in {"object", "array", "string", "integer", "number", "boolean"}
        assert not {"$ref", "$defs", "anyOf", "title", "additionalProperties"} & node.keys()


def test_numbers_of_bundles_do_not_fit_into_32_bits() -> None:
    assert all(node["format"] == "int64" for node in nodes(root()) if node["type"] == "integer")


def test_only_the_spec_has_defaults() -> None:
    properties = root()["properties"]
    assert any("default" in node for node in nodes(properties["spec"]))
    assert not any("default" in node for node in nodes(properties["status"]))


def test_a_step_without_a_pause_lasts_five_minutes() -> None:
    pause = root()["properties"]["spec"]["properties"]["steps"]["items"]["properties"]["pause"]
    assert pause["default"] == {"duration": "5m"}
