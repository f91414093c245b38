"""The OpenAPI document says what the contracts say."""

import json
from pathlib import Path

from endcap.contracts.submitted_event import SubmittedEvent
from endcap_collector.openapi import openapi_document, openapi_json
from tests.services.collector.running_collector import running

ROOT = Path(__file__).resolve().parents[3]


def test_document_in_the_repository_is_current() -> None:
    stored = (ROOT / "docs" / "openapi-collector.json").read_text(encoding="utf-8")
    assert stored == openapi_json(), "renew it: python -m endcap_collector.openapi > docs/openapi-collector.json"


def test_every_field_of_an_event_is_described_and_no_other_taken() -> None:
    schema = openapi_document()["components"]["schemas"]["SubmittedEvent"]
    assert set(schema["properties"]) == set(SubmittedEvent.model_fields)
    assert schema["additionalProperties"] is False


def test_every_reference_leads_somewhere() -> None:
    document = openapi_document()
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]


async def test_a_running_collector_shows_it(tmp_path: Path) -> None:
    async with running(tmp_path) as collector:
        assert (await collector.client.get("/openapi.json")).json() == openapi_document()
