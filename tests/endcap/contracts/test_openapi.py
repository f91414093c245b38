"""The OpenAPI document says what the contracts say."""

import json
from pathlib import Path

from endcap.contracts.openapi import openapi_document, openapi_json
from endcap.contracts.request import Instance, PredictRequest

ROOT = Path(__file__).resolve().parents[3]


def test_document_in_the_repository_is_current() -> None:
    stored = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert stored == openapi_json(), "renew it: python -m endcap.contracts.openapi > docs/openapi.json"


def test_every_field_of_an_instance_is_described() -> None:
    schema = openapi_document()["components"]["schemas"]["Instance"]
    assert set(schema["properties"]) == set(Instance.model_fields)
    assert schema["additionalProperties"] is False


def test_every_reference_leads_somewhere() -> None:
    document = openapi_document()
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]


def test_path_carries_the_models_name() -> None:
    assert "/v1/models/shop:predict" in openapi_document("shop")["paths"]
    assert PredictRequest.__name__ in openapi_document("shop")["components"]["schemas"]
