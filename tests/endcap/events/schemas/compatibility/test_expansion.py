import pytest

from endcap.core.errors import DataRejected
from endcap.events.schemas.compatibility.expansion import expanded


def test_references_are_what_they_name_and_explanations_are_left_out() -> None:
    schema = {
        "title": "Value",
        "properties": {"title": {"$ref": "#/definitions/Name", "description": "d", "default": "x"}},
        "definitions": {"Name": {"title": "Name", "allOf": [{"type": "string"}]}},
    }
    assert expanded(schema) == {"properties": {"title": {"type": "string"}}}


def test_a_reference_beside_other_keywords_stays_beside_them() -> None:
    schema = {"properties": {"a": {"$ref": "#/definitions/N", "minimum": 1}}, "definitions": {"N": {"type": "number"}}}
    assert expanded(schema) == {"properties": {"a": {"minimum": 1, "allOf": [{"type": "number"}]}}}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"definitions": {"A": {"items": {"$ref": "#/definitions/A"}}}, "$ref": "#/definitions/A"}, "refers to itself"),
        ({"$ref": "#/definitions/B"}, "refers to what is not in it"),
        ({"$ref": "https://shop.example/schema.json"}, "refers to what is not in it"),
    ],
)
def test_a_schema_that_cannot_be_expanded_is_refused(schema: dict[str, object], told: str) -> None:
    with pytest.raises(DataRejected, match=told):
        expanded(schema)
