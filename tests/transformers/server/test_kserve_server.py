"""KServe's application behind endcap's layers, within this process."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from kserve.model_repository import ModelRepository

from endcap.contracts.openapi import openapi_document
from endcap.core.settings import ResilienceSettings, Settings
from endcap_transformer.resilience.admission import Admission, LoopLag
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.server.draining import Draining
from endcap_transformer.server.error_answers import ErrorAnswers
from endcap_transformer.server.kserve_server import BoundRestServer, DrainedDataPlane, PromotedModels
from endcap_transformer.server.parsing_v2 import LENGTH_HEADER
from tests.transformers.canned import CannedModel

INFER = "/v2/models/shop/infer"
USER = {"name": "user_id", "shape": [1], "datatype": "BYTES"}


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Of a server whose model is called shop."""
    monkeypatch.setattr("kserve.model_server.app", FastAPI())
    access = logging.getLogger("uvicorn.access")
    monkeypatch.setattr(access, "handlers", access.handlers)
    monkeypatch.setattr(access, "propagate", access.propagate)
    canned, models = CannedModel(name="shop"), ModelRepository()
    models.update(canned.model)
    plane = DrainedDataPlane(models, Draining(ResilienceSettings(), canned.metrics))
    server = BoundRestServer(plane, PromotedModels(model_registry=models), Settings(), ErrorAnswers(canned.metrics))
    admission = Admission(ResilienceSettings(), 8_000, canned.metrics, LoopLag(canned.metrics.event_loop_lag.observe), ConcurrencyLimit(64))
    server.put_in_front(canned.model, admission, 1_000_000)
    transport = httpx.ASGITransport(server.config.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def binary(client: httpx.AsyncClient, document: Any, tail: bytes) -> httpx.Response:
    head = json.dumps(document).encode()
    headers = {"content-type": "application/octet-stream", LENGTH_HEADER: str(len(head))}
    return await client.post(INFER, content=head + tail, headers=headers)


async def test_the_document_names_the_model(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document == openapi_document("shop")
    assert "/v1/models/shop:predict" in document["paths"]


async def test_binary_tensors_are_answered(client: httpx.AsyncClient) -> None:
    tensor = USER | {"parameters": {"binary_data_size": 6}}
    response = await binary(client, {"inputs": [tensor], "outputs": [{"name": "item_id"}]}, b"\x02\x00\x00\x00U1")
    assert response.status_code == 200, response.text
    assert response.json()["outputs"][0]["data"][:2] == ["I1", "I2"]


@pytest.mark.parametrize("size", [1, 5, -1, "6", None, {}])
async def test_bytes_that_do_not_fit_the_tensors_are_refused(client: httpx.AsyncClient, size: Any) -> None:
    response = await binary(client, {"inputs": [USER | {"parameters": {"binary_data_size": size}}]}, b"\x02\x00\x00\x00U1")
    assert response.status_code == 400, response.text
    assert set(response.json()) == {"error"}


async def test_binary_json_of_another_type_is_refused_by_name(client: httpx.AsyncClient) -> None:
    response = await binary(client, {"inputs": [USER | {"shape": "1"}]}, b"")
    assert response.status_code == 400
    assert response.json()["error"].startswith("inputs.0.shape: ")


async def test_half_a_character_in_the_id_is_refused_by_name(client: httpx.AsyncClient) -> None:
    content = json.dumps({"inputs": [USER | {"data": ["U1"]}], "id": "\ud800"})
    response = await client.post(INFER, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("id: holds half a character")


EVENT = {"specversion": "1.0", "id": "7", "source": "shop", "type": "predict", "time": "2018-01-01T00:00:00Z"}
INSTANCES = {"instances": [{"surface": "home", "k": 2}]}


async def test_a_binary_event_is_answered_by_one(client: httpx.AsyncClient) -> None:
    headers = {f"ce-{name}": value for name, value in EVENT.items()} | {"x-request-id": "r1"}
    response = await client.post("/v1/models/shop:predict", json=INSTANCES, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["ce-type"] == "io.kserve.inference.response"
    (answer,) = response.json()["predictions"]
    assert answer["request_id"] == "r1"
    assert [item["item_id"] for item in answer["recommendations"]] == ["I1", "I2"]


async def test_a_structured_event_is_answered_by_one(client: httpx.AsyncClient) -> None:
    content = json.dumps(EVENT | {"data": INSTANCES})
    response = await client.post("/v1/models/shop:predict", content=content, headers={"content-type": "application/cloudevents+json"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/cloudevents+json"
    assert response.json()["type"] == "io.kserve.inference.response"
    assert [item["item_id"] for item in response.json()["data"]["predictions"][0]["recommendations"]] == ["I1", "I2"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"instances": []}', b'{"specversion": "1.0", "id": "7", "source": "s", "type": "t"}'])
async def test_events_that_cannot_be_read_are_refused(client: httpx.AsyncClient, content: bytes) -> None:
    for headers in ({"content-type": "application/cloudevents+json"}, {f"ce-{name}": value for name, value in EVENT.items()}):
        response = await client.post("/v1/models/shop:predict", content=content, headers=headers)
        assert response.status_code == 400, response.text
        assert set(response.json()) == {"error"}
