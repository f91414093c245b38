"""Event types of the shop's own: the file that collector and stream start with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endcap.events.acceptance.custom_types import load_custom_types
from tests.charts.chart import Document, Refused, environment, of_kind, one
from tests.charts.test_stream import on_spark

Chart = Callable[..., list[Document]]
SIZE_GUIDE = {
    "meaning": "The size guide was opened.",
    "browser": True,
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"table": {"type": "string"}, "shown": {"maximum": 10_000_000}},
    },
}
COLLECTOR = {"enabled": True, "secretName": "keys"}


def _values(types: dict[str, Any]) -> dict[str, Any]:
    return {
        "kafka": {"bootstrap": "kafka:9092"},
        "collector": COLLECTOR,
        "stream": {"enabled": True},
        "customTypes": types,
    }


def _templates(objects: list[Document]) -> dict[str, Document]:
    return {each["metadata"]["name"]: each["spec"]["template"] for each in of_kind(objects, "StatefulSet")}


def test_collector_and_stream_read_the_file_that_the_values_make(chart: Chart, tmp_path: Path) -> None:
    objects = chart(_values({"size_guide_opened": SIZE_GUIDE}))
    ((name, text),) = one(objects, "ConfigMap", "endcap-custom-types")["data"].items()
    (file := tmp_path / name).write_text(text)
    types = load_custom_types(file)
    assert "size_guide_opened" in types
    assert types.of_browsers == {"size_guide_opened"}
    assert types.schemas["size_guide_opened"].is_valid({"table": "shoes", "shown": 9_999_999})
    assert not types.schemas["size_guide_opened"].is_valid({"shown": 10_000_001})
    templates = _templates(objects)
    assert set(templates) == {"endcap-collector", "endcap-stream"}
    for template in templates.values():
        (container,) = template["spec"]["containers"]
        mount = next(each for each in container["volumeMounts"] if each["name"] == "custom-types")
        volume = next(each for each in template["spec"]["volumes"] if each["name"] == "custom-types")
        assert volume["configMap"]["name"] == "endcap-custom-types"
        assert environment(container)["ENDCAP_EVENTS__CUSTOM_TYPES_FILE"] == f"{mount['mountPath']}/{name}"


def test_pods_start_anew_when_a_type_changes_and_at_no_other_time(chart: Chart) -> None:
    changed = {**SIZE_GUIDE, "browser": False}
    first, again, other = (
        [each["metadata"]["annotations"] for each in _templates(chart({**_values({"size_guide_opened": each}), **more})).values()]
        for each, more in ((SIZE_GUIDE, {}), (SIZE_GUIDE, {"commonLabels": {"team": "search"}}), (changed, {}))
    )
    assert first == again
    assert all(before != after for before, after in zip(first, other, strict=True))


def test_without_types_there_is_no_file(chart: Chart) -> None:
    objects = chart(_values({}))
    assert [each for each in of_kind(objects, "ConfigMap") if each["metadata"]["name"] == "endcap-custom-types"] == []
    for template in _templates(objects).values():
        assert "annotations" not in template["metadata"]
        assert "ENDCAP_EVENTS__CUSTOM_TYPES_FILE" not in environment(template["spec"]["containers"][0])


def test_on_spark_the_driver_has_it(chart: Chart) -> None:
    spec = one(chart({**on_spark(), "customTypes": {"size_guide_opened": SIZE_GUIDE}}), "SparkApplication", "endcap-stream")["spec"]
    assert "custom-types" in {each["name"] for each in spec["driver"]["volumeMounts"]}
    assert "custom-types" in {each["name"] for each in spec["volumes"]}
    assert spec["driver"]["annotations"]


@pytest.mark.parametrize(
    ("types", "named"),
    [
        ({"Size-Guide": SIZE_GUIDE}, "Size-Guide"),
        ({"size_guide": {"meaning": "It was opened."}}, "schema"),
        ({"size_guide": {**SIZE_GUIDE, "pattern": "x"}}, "pattern"),
    ],
)
def test_what_is_no_type_is_refused_by_the_schema(chart: Chart, types: dict[str, Any], named: str) -> None:
    with pytest.raises(Refused, match="values don't meet the specifications") as refused:
        chart(_values(types))
    assert named in str(refused.value)
