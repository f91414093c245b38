"""values.yaml, its schema and its table: one source, and nothing unknown gets through."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.charts.chart import CHART, PROFILES, ROOT, Document, Refused

BUNDLE = {"version": 1, "collection": "c"}
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


@pytest.fixture(autouse=True)
def _generators_are_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "charts"))


def test_schema_file_is_current() -> None:
    from values_schema import schema_text

    assert (CHART / "values.schema.json").read_text() == schema_text()


def test_table_has_a_row_a_value() -> None:
    from values_comments import leaves, read_values
    from values_table import values_table

    rows = values_table().splitlines()[2:]
    assert len(rows) == len(list(leaves(read_values())))
    assert "| `serving.replicas.min` | Fewest pods. | `2` | 0.1.0 |" in rows


def test_a_value_without_a_comment_is_refused(tmp_path: Path) -> None:
    from values_comments import read_values

    (tmp_path / "values.yaml").write_text("part:\n  # -- Said.\n  said: 1\n  unsaid: 2\n")
    with pytest.raises(ValueError, match=r"part\.unsaid"):
        read_values(tmp_path / "values.yaml")


def test_schema_is_a_valid_schema() -> None:
    assert _errors(jsonschema.Draft202012Validator.META_SCHEMA, SCHEMA) == []


def test_schema_takes_the_defaults() -> None:
    assert _errors(SCHEMA, VALUES) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_schema_takes_the_profiles(profile: str) -> None:
    given = yaml.safe_load((CHART / "profiles" / f"{profile}.yaml").read_text())
    assert _errors(SCHEMA, given) == []


def _errors(schema: Document, document: Document) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def test_values_and_schema_have_the_same_keys() -> None:
    assert set(_keys_of_values(VALUES, SCHEMA)) == set(_keys_of_schema(SCHEMA)) - {"global"}


def _keys_of_values(values: Any, schema: Document, path: str = "") -> Iterator[str]:
    for name, value in values.items():
        here = f"{path}{name}"
        yield here
        inner = schema["properties"].get(name, {})
        if isinstance(value, dict) and "properties" in inner:
            yield from _keys_of_values(value, inner, f"{here}.")


def _keys_of_schema(schema: Document, path: str = "") -> Iterator[str]:
    for name, inner in schema["properties"].items():
        here = f"{path}{name}"
        yield here
        if "properties" in inner:
            yield from _keys_of_schema(inner, f"{here}.")


def test_every_map_with_fixed_keys_is_closed() -> None:
    open_maps = [path for path, node in _nodes(SCHEMA) if "properties" in node and node.get("additionalProperties") is not False]
    assert open_maps == []


def _nodes(node: Any, path: str = "$") -> Iterator[tuple[str, Document]]:
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield path, node
        for name, inner in node.items():
            yield from _nodes(inner, f"{path}.{name}")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"servng": {}}, "servng"),
        ({"serving": {"replica": {"min": 1}}}, "replica"),
        ({"serving": {"transformer": {"image": {"tga": "1"}}}}, "tga"),
        ({"serving": {"transformer": {"resources": {"request": {"cpu": "1"}}}}}, "request"),
        ({"redis": {"password": "hidden"}}, "password"),
        ({"redis": {"auth": {"password": "hidden"}}}, "password"),
        ({"settings": {"env": {"ENDCAP_MILVUS__TOKEN": "root:hidden"}}}, "ENDCAP_MILVUS__TOKEN"),
        ({"pipelines": {"env": {"DB_PASSWORD": "hidden"}}}, "DB_PASSWORD"),
        ({"serving": {"replicas": {"min": "two"}}}, "/serving/replicas/min"),
        ({"serving": {"enabled": "yes"}}, "/serving/enabled"),
        ({"serving": {"deploymentMode": "Serverless"}}, "/serving/deploymentMode"),
        ({"serving": {"modelServer": {"image": {"digest": "latest"}}}}, "/serving/modelServer/image/digest"),
        ({"serving": {"modelServer": {"extraArgs": ["--enable_batching=true"]}}}, "/serving/modelServer/extraArgs"),
        ({"serving": {"transformer": {"env": {"LOG": "x"}}}}, "LOG"),
        ({"serving": {"tolerations": [{"keyy": "gpu"}]}}, "keyy"),
        ({"pipelines": {"gpus": {"count": -1}}}, "/pipelines/gpus/count"),
        ({"pipelines": {"volumes": [{"claimName": "data"}]}}, "mountPath"),
        ({"pipelines": {"secretEnv": [{"secretName": "s", "key": "k", "env": "lower"}]}}, "/pipelines/secretEnv/0/env"),
        ({"rollouts": {"steps": [{"setWeight": 101}]}}, "/rollouts/steps/0/setWeight"),
        ({"rollouts": {"analysis": {"guardrails": [{"name": "a", "limit": 1}]}}}, "/rollouts/analysis/guardrails/0"),
        (
            {"experiments": {"variants": [{"name": "candidate", "bundle": BUNDLE}]}},
            "/experiments/variants/0/name",
        ),
        ({"rollouts": {"analysis": {"interval": "1m"}}}, "/rollouts/analysis"),
        ({"bundles": {"claim": {"size": "much"}}}, "/bundles/claim/size"),
    ],
)
def test_unknown_keys_and_wrong_values_are_refused_by_name(chart: Callable[..., list[Document]], values: Document, named: str) -> None:
    with pytest.raises(Refused, match="values don't meet the specifications") as refused:
        chart(values)
    assert named in str(refused.value) or named.replace("/", ".").strip(".") in str(refused.value)
